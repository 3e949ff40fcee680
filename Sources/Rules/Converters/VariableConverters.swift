import Base

/// `set-var` in the middle of an expression, and captures.
enum VariableConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry(
      "set-var", .atLeast(1, .string, .string, .string, .string, .string), .any, .any, check: checkSet
    ) {
      sample, a, context in
      guard case .variable(let variable) = a[0], case .conditions(let conditions) = a[1],
        conditions.hold(sample, variable, context)
      else { return nil }
      variable.set(sample, context)
      return sample
    },
    ConverterEntry("unset-var", .required(.string), .any, .any, check: check) { sample, a, context in
      guard case .variable(let variable) = a[0] else { return nil }
      variable.set(nil, context)
      return sample
    },
    ConverterEntry("capture-req", .required(.integer), .string, .string) { sample, a, context in
      CaptureSlots.store(sample.text, a.int(0), &context.log.requestCaptures) ? sample : nil
    },
    ConverterEntry("capture-res", .required(.integer), .string, .string) { sample, a, context in
      CaptureSlots.store(sample.text, a.int(0), &context.log.responseCaptures) ? sample : nil
    },
    ConverterEntry("nbsrv", .none, .string, .int) { sample, _, context in
      .int(Int64(context.environment.backendCount(.usableServers, of: sample.text.string)))
    },
    ConverterEntry("srv_queue", .none, .string, .int) { sample, _, context in
      let (backend, server) = split(sample.text, context)
      return .int(Int64(context.environment.serverCount(.queue, of: server, in: backend)))
    },
    ConverterEntry("srv_is_up", .none, .string, .bool) { sample, _, context in
      let (backend, server) = split(sample.text, context)
      return .bool(context.environment.serverCount(.isUp, of: server, in: backend) != 0)
    },
  ]

  private static func split(_ text: Bytes, _ context: RuleContext) -> (backend: String, server: String) {
    guard let slash = text.firstIndex(of: ASCII.slash) else {
      return (context.backend.name.string, text.string)
    }
    return (text.prefix(slash).string, text.dropFirst(slash + 1).string)
  }

  @Sendable
  private static func check(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    arguments.list[0] = .variable(try scope.shared.variables.variable(arguments.string(0) ?? .empty))
  }

  @Sendable
  private static func checkSet(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let conditions = try SetConditions((1..<max(1, arguments.count)).compactMap { arguments.string($0) })
    try check(&arguments, scope)
    arguments.list = [arguments[0], .conditions(conditions)]
  }
}
