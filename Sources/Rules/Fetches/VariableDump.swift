import Base

/// `dump_all_vars`: variables as `txn.name="value"`.
enum VariableDump {
  private static let scopes: [Variable.Scope] = [.sess, .txn, .req, .res, .proc]

  /// - Parameters:
  ///   - scope: only this one; nil or empty for all but those of checks.
  ///   - prefix: of the names behind the scope.
  static func text(_ context: RuleContext, _ scope: Bytes?, prefix: Bytes?, _ delimiter: Bytes) -> [UInt8] {
    var out: [UInt8] = []
    let wanted = scope.flatMap { Variable.Scope(rawValue: $0.string) }.map { [$0] } ?? scopes
    for scope in wanted {
      for entry in store(scope, context).entries {
        guard let name = context.processVariables.name(of: entry.id), prefix.map({ name.starts(with: $0) }) ?? true
        else { continue }
        if !out.isEmpty { out.append(delimiter) }
        out += Array(scope.rawValue.utf8)
        out.append(0x2E)
        out.append(name)
        out.append(0x3D)
        write(entry.value, &out)
      }
    }
    return out
  }

  private static func store(_ scope: Variable.Scope, _ context: RuleContext) -> VariableStore {
    switch scope {
    case .proc: context.processVariables.snapshot
    case .sess: context.connection.variables
    case .txn: context.transactionVariables
    case .req: context.requestVariables
    case .res: context.responseVariables
    case .check: context.checkVariables
    }
  }

  private static func write(_ value: Sample, _ out: inout [UInt8]) {
    switch value {
    case .bool(let truth): out += Array((truth ? "true" : "false").utf8)
    case .int, .ip: out.append(value.text)
    case .binary(let octets): out += Hexadecimal.encode(octets)
    case .string(let text): quote(text, &out)
    case .method(let text): quote(text, &out)
    }
  }

  private static func quote(_ text: Bytes, _ out: inout [UInt8]) {
    out.append(0x22)
    for i in 0..<text.count {
      switch text[i] {
      case 0x22, 0x5C: out += [0x5C, text[i]]
      case ASCII.cr: out += Array("\\r".utf8)
      case ASCII.lf: out += Array("\\n".utf8)
      case 0x08: out += Array("\\b".utf8)
      case 0: out += Array("\\0".utf8)
      default: out.append(text[i])
      }
    }
    out.append(0x22)
  }
}
