import Base
import HTTP
import TLS

/// One argument of a fetch or converter, checked at compile time.
enum Argument: Sendable {
  case none
  case string(Bytes)
  case int(Int64)
  /// A string together with its form as a header name.
  case field(FieldName, Bytes)
  case address(IPAddress)
  case mask4(UInt32)
  case mask6(high: UInt64, low: UInt64)
  case regex(RegularExpression)
  case proxy(Int, String)
  case server(String, backend: String)
  case userlist(CompiledUserlist)
  case table(StickTable)
  case variable(Variable)
  case map(MapView)
  case format(LogFormat)
  case acls([ACL], [Bool])
  case path(JSONPath)
  case conditions(SetConditions)
  /// The key in a file, if the text names one, and the text.
  case key(VerificationKey?, Bytes)
  /// The name of a certificate, and the key in the file of that name, if it was read.
  case certificate(VerificationKey?, Bytes)
  /// The name of a certificate is in a variable.
  case certificateVariable(Variable)
  case tokenKey(TokenKey)
  case decryption(TokenDecryption)
}

struct Arguments: Sendable {
  var list: [Argument] = []

  var count: Int { list.count }

  subscript(index: Int) -> Argument { index < list.count ? list[index] : .none }

  func string(_ index: Int) -> Bytes? {
    switch self[index] {
    case .string(let bytes), .field(_, let bytes): bytes
    default: nil
    }
  }

  func int(_ index: Int) -> Int64? {
    guard index < list.count, case .int(let value) = list[index] else { return nil }
    return value
  }

  func table(_ index: Int) -> StickTable? {
    if case .table(let table) = self[index] { return table }
    return nil
  }

  func field(_ index: Int) -> FieldName? {
    guard index < list.count, case .field(let name, _) = list[index] else { return nil }
    return name
  }
}

/// What an argument place accepts; the raw value is the name that listings print.
enum ArgumentType: String, Sendable {
  case string, integer
  case headerName = "string "
  /// A regular expression that the keyword compiles by itself.
  case pattern
  case frontend, backend, server, table, regex
  case userlist = "user list"
  case ipv4 = "IPv4 address"
  case ipv6 = "IPv6 address"
  case mask4 = "IPv4 mask"
  case mask6 = "IPv6 mask"

  var listed: String { self == .headerName ? "string" : self == .pattern ? "regex" : rawValue }
}

/// The argument places of a keyword, and how many of them must be filled.
struct ArgumentGrammar: Sendable {
  let required: Int
  let types: [ArgumentType]

  static let none = ArgumentGrammar(required: 0, types: [])
  static func required(_ types: ArgumentType...) -> ArgumentGrammar {
    ArgumentGrammar(required: types.count, types: types)
  }
  static func optional(_ types: ArgumentType...) -> ArgumentGrammar {
    ArgumentGrammar(required: 0, types: types)
  }
  static func atLeast(_ required: Int, _ types: ArgumentType...) -> ArgumentGrammar {
    ArgumentGrammar(required: required, types: types)
  }

  /// `(string[,integer])` as HAProxy prints it.
  var listing: String {
    if types.isEmpty { return "" }
    var text = "("
    for (i, type) in types.enumerated() {
      if i >= required { text += i == 0 ? "[" : i == required ? "[," : "," } else if i > 0 { text += "," }
      text += type.listed
    }
    if types.count > required { text += "]" }
    return text + ")"
  }
}

/// A configuration mistake found while an expression or rule is compiled.
struct RuleError: Error {
  var message: String
  var suggestion: String?
  var expected: String?
  var replacement: String?
  /// What stands in front of the message, when it is not what the kind of line would put there.
  var preamble: String?

  init(_ message: String, suggestion: String? = nil, expected: String? = nil, replacement: String? = nil) {
    self.message = message
    self.suggestion = suggestion
    self.expected = expected
    self.replacement = replacement
  }
}
