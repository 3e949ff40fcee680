import Base
import Glibc

/// Constants and what needs nothing but the arguments.
enum ConstantFetches {
  static let table: [FetchEntry] = [
    FetchEntry("always_true", .none, .bool, .everywhere) { _, _ in .bool(true) },
    FetchEntry("always_false", .none, .bool, .everywhere) { _, _ in .bool(false) },
    FetchEntry("str", .required(.string), .string, .everywhere) { _, a in a.string(0).map(Sample.string) },
    FetchEntry("int", .required(.integer), .int, .everywhere) { _, a in a.int(0).map(Sample.int) },
    FetchEntry("bool", .required(.string), .bool, .everywhere, check: checkBool) { _, a in
      a.int(0).map { .bool($0 != 0) }
    },
    FetchEntry("bin", .required(.string), .binary, .everywhere, check: checkHex) { _, a in
      a.string(0).map(Sample.binary)
    },
    FetchEntry("meth", .required(.string), .method, .everywhere) { _, a in a.string(0).map(Sample.method) },
    FetchEntry("ipv4", .required(.ipv4), .ipv4, .everywhere, address),
    FetchEntry("ipv6", .required(.ipv6), .ipv6, .everywhere, address),
    FetchEntry("env", .required(.string), .string, .everywhere, check: checkEnvironment) { _, a in
      a.string(0).map(Sample.string)
    },
  ]

  private static let address: FetchBody = { _, arguments in
    if case .address(let address) = arguments[0] { return .ip(address) }
    return nil
  }

  private static func checkBool(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    switch arguments.string(0)?.lowercased.string {
    case "true"?: arguments.list[0] = .int(1)
    case "false"?: arguments.list[0] = .int(0)
    case let text:
      guard let number = text.flatMap({ Numbers.integer($0) }) else {
        throw RuleError("invalid boolean '\(text ?? "")'", expected: "true or false")
      }
      arguments.list[0] = .int(number)
    }
  }

  private static func checkHex(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let text = arguments.string(0) ?? .empty
    guard let octets = HexText.decode(text) else {
      throw RuleError("invalid hexadecimal string '\(text.string)'")
    }
    arguments.list[0] = .string(Bytes(octets))
  }

  /// The environment does not change while the process runs.
  private static func checkEnvironment(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let value = getenv((arguments.string(0) ?? .empty).string) else {
      arguments.list[0] = .none
      return
    }
    arguments.list[0] = .string(Bytes(String(cString: value)))
  }
}

enum HexText {
  static func decode(_ text: Bytes) -> [UInt8]? {
    guard text.count % 2 == 0 else { return nil }
    var out: [UInt8] = []
    var i = 0
    while i < text.count {
      guard let high = ASCII.hexValue(text[i]), let low = ASCII.hexValue(text[i + 1]) else { return nil }
      out.append(high << 4 | low)
      i += 2
    }
    return out
  }
}
