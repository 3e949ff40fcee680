import Base

/// A variable's scope and number.
struct Variable: Hashable, Sendable {
  enum Scope: String, CaseIterable, Sendable { case proc, sess, txn, req, res, check }
  let scope: Scope
  let id: Int

  func get(_ context: RuleContext) -> Sample? {
    switch scope {
    case .proc: context.processVariables[id]
    case .sess: context.connection.variables[id]
    case .txn: context.transactionVariables[id]
    case .req: context.requestVariables[id]
    case .res: context.responseVariables[id]
    case .check: context.checkVariables[id]
    }
  }

  func set(_ value: Sample?, _ context: RuleContext) {
    // A variable outlives the message that its value was cut from.
    let kept = value.map(Variable.detached)
    switch scope {
    case .proc: context.processVariables[id] = kept
    case .sess: context.connection.variables[id] = kept
    case .txn: context.transactionVariables[id] = kept
    case .req: context.requestVariables[id] = kept
    case .res: context.responseVariables[id] = kept
    case .check: context.checkVariables[id] = kept
    }
  }

  private static func detached(_ sample: Sample) -> Sample {
    switch sample {
    case .string(let bytes): .string(Bytes(copying: bytes.span))
    case .binary(let bytes): .binary(Bytes(copying: bytes.span))
    case .method(let bytes): .method(Bytes(copying: bytes.span))
    default: sample
    }
  }
}

/// Gives each variable name a number.
struct VariableNames {
  private(set) var names: [Bytes] = []
  private var numbers: [Bytes: Int] = [:]

  /// The variable of that name, if any rule mentions it.
  func known(_ text: Bytes) -> Variable? {
    guard let dot = text.firstIndex(of: 0x2E), let scope = Variable.Scope(rawValue: text.prefix(dot).string),
      let number = numbers[text.dropFirst(dot + 1)]
    else { return nil }
    return Variable(scope: scope, id: number)
  }

  /// `scope.name`, as in `txn.host`.
  mutating func variable(_ text: Bytes) throws(RuleError) -> Variable {
    let dot = text.firstIndex(of: 0x2E)
    let scopeName = text.prefix(dot ?? 0).string
    guard let dot, let scope = Variable.Scope(rawValue: scopeName) else {
      throw RuleError(
        "invalid variable name '\(text.string)'. A variable name must start with its scope. The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'",
        suggestion: Suggestions.nearest(scopeName, Variable.Scope.allCases.map(\.rawValue)))
    }
    let name = text.dropFirst(dot + 1)
    guard !name.isEmpty else {
      throw RuleError("invalid variable name '\(text.string)': the name behind the scope is empty")
    }
    for i in 0..<name.count {
      let c = name[i]
      guard ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x5F || c == 0x2E else {
        throw RuleError(
          "invalid syntax at char '\(Character(Unicode.Scalar(c)))' in variable name '\(text.string)'")
      }
    }
    if let number = numbers[name] { return Variable(scope: scope, id: number) }
    numbers[name] = names.count
    names.append(name)
    return Variable(scope: scope, id: names.count - 1)
  }
}
