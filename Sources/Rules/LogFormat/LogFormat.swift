public import Base

/// A compiled log-format string; immutable, shared by all workers.
public final class LogFormat: Sendable {
  let items: [LogFormatItem]
  /// The items without what only encodings need: small enough to be walked cheaply.
  let steps: [Step]

  enum Step: Sendable {
    case text(Bytes)
    case separator
    case alias(LogAlias, LogFormatFlags)
    case expression(SampleExpression, LogFormatFlags)
  }
  let globalFlags: LogFormatFlags
  /// The text when nothing in it varies.
  public let constant: Bytes?
  /// Whether header-safe rather than log-safe escaping is wanted.
  let escaping: LogEscaping

  init(items: [LogFormatItem], globalFlags: LogFormatFlags, escaping: LogEscaping) {
    self.items = items
    steps = items.map { item in
      switch item.content {
      case .text(let bytes): .text(bytes)
      case .separator: .separator
      case .alias(let alias): .alias(alias, item.flags)
      case .expression(let expression): .expression(expression, item.flags)
      }
    }
    self.globalFlags = globalFlags
    self.escaping = escaping
    if items.isEmpty {
      constant = .empty
    } else if items.count == 1, case .text(let bytes) = items[0].content {
      constant = bytes
    } else {
      constant = nil
    }
  }

  public func rendered(_ context: RuleContext) -> [UInt8] {
    if let constant { return constant.array }
    var out: [UInt8] = []
    render(context, into: &out)
    return out
  }
}
