import Base
import HTTP

/// Turns the words between parentheses into typed arguments.
enum ArgumentCheck {
  static func convert(
    _ word: Bytes, _ type: ArgumentType, isRequired: Bool, keyword: String, place: Int, _ scope: CompileScope
  ) throws(RuleError) -> Argument {
    let text = word.string
    if word.isEmpty, !isRequired || type == .table, type != .string, type != .headerName {
      return try standIn(type, isRequired: isRequired, scope)
    }
    switch type {
    case .string, .pattern: return .string(word)
    case .headerName: return .field(FieldName(word), word)
    case .integer:
      guard let value = Numbers.integer(word) else {
        throw RuleError("failed to parse '\(text)' as type 'integer' for arg \(place + 1) of \(keyword)")
      }
      return .int(value)
    case .frontend: return .proxy(try scope.frontend(named: text), text)
    case .backend: return .proxy(try scope.backend(named: text), text)
    case .server:
      let (backend, server) = try scope.server(named: text)
      return .server(server, backend: backend)
    case .table: return .table(try scope.table(named: text))
    case .userlist: return .userlist(try scope.userlist(named: text))
    case .regex: return .regex(try RegularExpression.compile(word, ignoresCase: false))
    case .ipv4, .ipv6:
      guard let address = Numbers.address(word) else {
        throw RuleError(
          "failed to parse '\(text)' as type '\(type.listed)' for arg \(place + 1) of \(keyword)")
      }
      return .address(address)
    case .mask4:
      if let length = Int(text), (0...32).contains(length) { return .mask4(IPNetwork.mask4(length)) }
      if let mask = Numbers.dottedQuad(word) { return .mask4(mask) }
      throw RuleError("failed to parse '\(text)' as type 'IPv4 mask' for arg \(place + 1) of \(keyword)")
    case .mask6:
      if let length = Int(text), (0...128).contains(length) {
        let mask = IPNetwork.mask6(length)
        return .mask6(high: mask.high, low: mask.low)
      }
      if case .v6(let high, let low)? = Numbers.address(word) {
        return .mask6(high: high, low: low)
      }
      throw RuleError("failed to parse '\(text)' as type 'IPv6 mask' for arg \(place + 1) of \(keyword)")
    }
  }

  /// What an absent optional argument means: the proxy that the expression stands in, or nothing.
  static func standIn(_ type: ArgumentType, isRequired: Bool = false, _ scope: CompileScope) throws(RuleError)
    -> Argument
  {
    switch type {
    case .table where isRequired: .table(try scope.ownTable())
    case .frontend, .backend: .proxy(scope.proxyIndex, scope.proxyName)
    default: .none
    }
  }
}
