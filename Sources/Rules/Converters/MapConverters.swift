import Base

/// `map` and its family: `map_<match>_<output>`.
enum MapConverters {
  static let table: [ConverterEntry] = {
    var entries = [map("map", .str, .string), map("map_int", .int, .string), map("map_ip", .ip, .string)]
    let methods: [MatchMethod] = [.str, .beg, .sub, .dir, .dom, .end, .reg, .int, .ip]
    for method in methods {
      let name = "map_\(method.rawValue)"
      if method != .int, method != .ip { entries.append(map(name, method, .string)) }
      entries.append(map(name + "_int", method, .int))
      entries.append(map(name + "_ip", method, .address))
      entries.append(key(name + "_key", method))
    }
    entries.append(
      ConverterEntry("map_regm", .atLeast(1, .string, .string), .string, .string, check: check(.reg, .string)) {
        sample, a, context in
        guard case .map(let table) = a[0] else { return nil }
        return table.expand(sample, context) ?? standIn(a[1])
      })
    return entries
  }()

  private static func map(_ name: String, _ method: MatchMethod, _ output: SampleType) -> ConverterEntry {
    // The default of a map of numbers is a number.
    let grammar: ArgumentGrammar =
      output == .int ? .atLeast(1, .string, .integer) : .atLeast(1, .string, .string)
    return ConverterEntry(name, grammar, MapTable.input(method), output, check: check(method, output)) {
      sample, a, context in
      guard case .map(let table) = a[0] else { return nil }
      return table.find(sample, context)?.value ?? standIn(a[1])
    }
  }

  private static func key(_ name: String, _ method: MatchMethod) -> ConverterEntry {
    ConverterEntry(name, .required(.string), MapTable.input(method), .string, check: check(method, .string)) {
      sample, a, context in
      guard case .map(let table) = a[0] else { return nil }
      return (table.find(sample, context)?.key).map(Sample.string)
    }
  }

  private static func standIn(_ argument: Argument) -> Sample? {
    switch argument {
    case .string(let text): .string(text)
    case .int(let value): .int(value)
    case .address(let address): .ip(address)
    default: nil
    }
  }

  private static func check(
    _ method: MatchMethod, _ output: SampleType
  ) -> @Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void {
    { (arguments, scope) throws(RuleError) in
      let path = (arguments.string(0) ?? .empty).string
      arguments.list[0] = .map(try scope.map(path, method, output))
      if output == .address, let text = arguments.string(1) {
        guard let address = Numbers.address(text) else {
          throw RuleError("map: cannot parse default ip <\(text.string)>")
        }
        arguments.list[1] = .address(address)
      }
    }
  }
}
