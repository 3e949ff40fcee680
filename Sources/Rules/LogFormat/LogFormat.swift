public import Base

/// A compiled log-format string; immutable, shared by all workers.
public final class LogFormat: Sendable {
  let items: [LogFormatItem]
  /// The items without what only encodings need; `items` keeps their expressions alive, so that nothing is counted
  /// when they are walked.
  let steps: [Step]
  /// All text of the steps.
  let literals: [UInt8]

  enum Step: Sendable {
    /// A range of `literals`.
    case text(Int32, Int32)
    case separator
    case alias(LogAlias, LogFormatFlags)
    case expression(Unmanaged<SampleExpression>, LogFormatFlags)
  }
  let globalFlags: LogFormatFlags
  /// The text when nothing in it varies.
  public let constant: Bytes?
  /// Whether header-safe rather than log-safe escaping is wanted.
  let escaping: LogEscaping

  init(items: [LogFormatItem], globalFlags: LogFormatFlags, escaping: LogEscaping) {
    self.items = items
    var literals: [UInt8] = []
    steps = items.map { item in
      switch item.content {
      case .text(let bytes):
        let start = literals.count
        literals.append(bytes)
        return .text(Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: literals.count))
      case .separator: return .separator
      case .alias(let alias): return .alias(alias, item.flags)
      case .expression(let expression): return .expression(.passUnretained(expression), item.flags)
      }
    }
    self.literals = literals
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
