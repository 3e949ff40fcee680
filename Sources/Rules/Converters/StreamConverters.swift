import Base

/// Converters that pass a value on under a condition, or on the way show it to somebody.
enum StreamConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry("when", .atLeast(1, .string, .string, .string), .any, .any, check: checkCondition) {
      sample, a, context in
      guard let code = a.int(0), let condition = Condition(rawValue: code >> 1) else { return nil }
      let holds: Bool
      if case .acls(let acls, _) = a[1], let acl = acls.first {
        holds = acl.evaluate(context) == .pass
      } else {
        holds = condition.holds(context)
      }
      return holds == (code & 1 == 0) ? sample : nil
    },
    ConverterEntry("debug", .optional(.string, .string), .any, .same) { sample, a, context in
      let prefix = a.string(0)?.string ?? ""
      let text = "[debug] \(prefix): type=\(sample.type.rawValue) <\(sample.text.string)>"
      context.environment.show(text, in: a.string(1)?.string ?? "buf0")
      return sample
    },
    ConverterEntry("fe_exists", .none, .string, .bool) { sample, _, context in
      .bool(context.environment.hasFrontend(sample.text))
    },
  ]

  private enum Condition: Int64, CaseIterable {
    case error, forwarded, normal, processed, stopping, toApplet, acl

    var name: String { self == .toApplet ? "toapplet" : "\(self)" }

    func holds(_ context: RuleContext) -> Bool {
      switch self {
      case .error: Condition.failed(context)
      case .normal: !Condition.failed(context)
      case .forwarded: context.serverSide.destination != .none
      case .toApplet: Condition.isAnswered(context)
      case .processed: context.serverSide.destination != .none || Condition.isAnswered(context)
      case .stopping: context.environment.isStopping
      case .acl: false
      }
    }

    /// What `option dontlog-normal` does not call normal.
    private static func failed(_ context: RuleContext) -> Bool {
      let log = context.log
      let isAborted = log.termination.0 != 0x2D && log.termination.0 != 0x4C
      return isAborted || log.status >= 500 || log.retries > 0 || log.isRedispatched
    }

    /// By the statistics page, the cache or another service of this process.
    private static func isAnswered(_ context: RuleContext) -> Bool {
      let name = context.log.serverName
      return name.starts(with: "<") && name != "<NOSRV>"
    }
  }

  @Sendable
  private static func checkCondition(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    var name = (arguments.string(0) ?? .empty).string
    let isNegated = name.hasPrefix("!")
    if isNegated { name.removeFirst() }
    let known = Condition.allCases.map(\.name)
    guard let condition = Condition.allCases.first(where: { $0.name == name }) else {
      throw RuleError(
        "unknown condition '\(name)'", suggestion: Suggestions.nearest(name, known),
        expected: known.joined(separator: ", "))
    }
    let acl = arguments.string(1)
    if condition == .acl {
      guard let acl else { throw RuleError("'when' expects the name of an ACL behind 'acl'", expected: "an ACL") }
      arguments.list = [.int(0), .acls([try scope.acl(named: acl.string)], [])]
    } else {
      arguments.list = [.int(0)]
    }
    arguments.list[0] = .int(condition.rawValue << 1 | (isNegated ? 1 : 0))
  }
}
