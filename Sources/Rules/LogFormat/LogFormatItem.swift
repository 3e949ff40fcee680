import Base

/// How a value is written.
struct LogFormatFlags: OptionSet, Sendable {
  let rawValue: UInt8
  static let quote = LogFormatFlags(rawValue: 1)
  static let hex = LogFormatFlags(rawValue: 2)
  static let escape = LogFormatFlags(rawValue: 4)
  static let mandatory = LogFormatFlags(rawValue: 8)
  static let binary = LogFormatFlags(rawValue: 16)
  static let json = LogFormatFlags(rawValue: 32)
  static let cbor = LogFormatFlags(rawValue: 64)
}

/// Which octets must not reach the output as they are.
enum LogEscaping: Sendable {
  /// Log lines: control characters and those above 126 become `#XX`.
  case log
  /// Header fields: what a field may not hold becomes `%XX`.
  case header
  /// Nothing is replaced (`set-var-fmt`, bodies).
  case none
}

/// One piece of a log format.
struct LogFormatItem: Sendable {
  enum Content: Sendable {
    case text(Bytes)
    case alias(LogAlias)
    case expression(SampleExpression)
    /// Blanks between items of a log line: merged.
    case separator
  }
  var content: Content
  var flags: LogFormatFlags = []
  /// `%(name)...`, for encodings.
  var name = Bytes.empty
  /// `%(name:type)`.
  var forcedType: SampleType?
}
