import Base

/// Variables and ACLs inside of expressions.
enum VariableFetches {
  static let table: [FetchEntry] = [
    FetchEntry("var", .atLeast(1, .string, .string), .any, .everywhere, volatile: true, check: checkVariable) {
      context, a in
      guard case .variable(let variable) = a[0] else { return nil }
      return variable.get(context) ?? a.string(1).map(Sample.string)
    },
    FetchEntry(
      "dump_all_vars", .optional(.string, .string, .string), .string, .everywhere, volatile: true, check: checkDump
    ) { context, a in .string(Bytes(VariableDump.text(context, a.string(0), prefix: a.string(1), a.string(2) ?? ", ")))
    },
    FetchEntry(
      "acl",
      .atLeast(
        1, .string, .string, .string, .string, .string, .string, .string, .string, .string, .string, .string,
        .string),
      .bool, .everywhere, volatile: true, check: checkACL
    ) { context, a in
      guard case .acls(let acls, let negations) = a[0] else { return nil }
      for (acl, isNegated) in zip(acls, negations) {
        let truth = acl.evaluate(context)
        if (isNegated ? truth.negated : truth) != .pass { return .bool(false) }
      }
      return .bool(true)
    },
  ]

  @Sendable
  private static func checkVariable(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let name = arguments.string(0) ?? .empty
    let standard = arguments.string(1)
    arguments.list = [
      .variable(try scope.shared.variables.variable(name)), standard.map(Argument.string) ?? .none,
    ]
  }

  @Sendable
  private static func checkDump(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let text = arguments.string(0), !text.isEmpty else { return }
    guard Variable.Scope(rawValue: text.string) != nil else {
      throw RuleError(
        "invalid scope '\(text.string)', must be one of: sess, txn, req, res, proc",
        suggestion: Suggestions.nearest(text.string, Variable.Scope.allCases.map(\.rawValue)))
    }
  }

  @Sendable
  private static func checkACL(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    var acls: [ACL] = []
    var negations: [Bool] = []
    for index in 0..<arguments.count {
      var name = (arguments.string(index) ?? .empty).string
      let isNegated = name.hasPrefix("!")
      if isNegated { name.removeFirst() }
      acls.append(try scope.acl(named: name))
      scope.acls.used.insert(name)
      negations.append(isNegated)
    }
    arguments.list = [.acls(acls, negations)]
  }
}
