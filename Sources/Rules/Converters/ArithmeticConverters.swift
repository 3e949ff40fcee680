import Base

/// Arithmetic, logic and comparison of integers.
enum ArithmeticConverters {
  static let table: [ConverterEntry] = [
    // Saturating, as a counter that overflows must not wrap.
    binary("add") { a, b in saturating(a.addingReportingOverflow(b), negative: a < 0) },
    binary("sub") { a, b in saturating(a.subtractingReportingOverflow(b), negative: a < 0) },
    binary("mul") { a, b in saturating(a.multipliedReportingOverflow(by: b), negative: (a < 0) != (b < 0)) },
    binary("div") { a, b in b == 0 ? .max : a == .min && b == -1 ? .max : a / b },
    binary("mod") { a, b in b == 0 || b == -1 ? 0 : a % b },
    binary("and") { $0 & $1 },
    binary("or") { $0 | $1 },
    binary("xor") { $0 ^ $1 },
    unary("neg") { $0 == .min ? .max : -$0 },
    unary("cpl") { ~$0 },
    predicate("bool") { $0 != 0 },
    predicate("not") { $0 == 0 },
    predicate("even") { $0 & 1 == 0 },
    predicate("odd") { $0 & 1 == 1 },
    ConverterEntry("iif", .required(.string, .string), .bool, .string) { sample, a, _ in
      guard let truth = sample.truth else { return nil }
      return a.string(truth ? 0 : 1).map(Sample.string)
    },
  ]

  private static func saturating(_ result: (partialValue: Int64, overflow: Bool), negative: Bool) -> Int64 {
    result.overflow ? (negative ? .min : .max) : result.partialValue
  }

  private static func unary(_ name: String, _ body: @escaping @Sendable (Int64) -> Int64) -> ConverterEntry {
    ConverterEntry(name, .none, .int, .int) { sample, _, _ in sample.integer.map { .int(body($0)) } }
  }

  private static func predicate(_ name: String, _ body: @escaping @Sendable (Int64) -> Bool) -> ConverterEntry {
    ConverterEntry(name, .none, .int, .bool) { sample, _, _ in sample.integer.map { .bool(body($0)) } }
  }

  private static func binary(_ name: String, _ body: @escaping @Sendable (Int64, Int64) -> Int64)
    -> ConverterEntry
  {
    ConverterEntry(name, .required(.string), .int, .int, check: Operand.check) { sample, a, context in
      guard let left = sample.integer, let right = Operand.value(a[0], context) else { return nil }
      return .int(body(left, right))
    }
  }
}

/// An argument that is a number or the name of a variable.
enum Operand {
  @Sendable
  static func check(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let text = arguments.string(0) ?? .empty
    if let number = Numbers.integer(text) {
      arguments.list[0] = .int(number)
      return
    }
    arguments.list[0] = .variable(try scope.shared.variables.variable(text))
  }

  static func value(_ argument: Argument, _ context: RuleContext) -> Int64? {
    switch argument {
    case .int(let value): value
    case .variable(let variable): variable.get(context)?.integer
    default: nil
    }
  }
}
