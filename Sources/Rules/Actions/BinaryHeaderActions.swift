import Base
import Config
import HTTP

/// `set-headers-bin`, `add-headers-bin` and `del-headers-bin`: many fields at once, in the form of `req.hdrs_bin`.
enum BinaryHeaderActions {
  static let table: [ActionEntry] = [
    put("set-headers-bin", replacing: true), put("add-headers-bin", replacing: false),
    ActionEntry("del-headers-bin", .http, "<expr> [ -m <meth> ]") { parser throws(RuleError) in
      let list = try parser.expression()
      var method = "str"
      if parser.accept("-m") { method = try parser.need("a matching method").text }
      let test = try nameTest(method)
      let isResponse = parser.place.isResponse
      return { context in
        guard let head = isResponse ? context.response : context.request,
          let octets = list.evaluate(context)?.cast(to: .binary)?.octets
        else { return nil }
        var reader = BinaryFieldReader(octets)
        while true {
          switch reader.name() {
          case .end: return nil
          case .malformed: return context.rewriteFailed(isResponse: isResponse)
          case .text(let name):
            if isFixed(name) { continue }
            let folded = name.lowercased
            for index in stride(from: head.count - 1, through: 0, by: -1) where test(head.name(at: index), folded) {
              head.remove(at: index)
            }
          }
        }
      }
    },
  ]

  private static func put(_ name: String, replacing: Bool) -> ActionEntry {
    ActionEntry(name, .http, "<expr> [ prefix <str> ]") { parser throws(RuleError) in
      let list = try parser.expression()
      let prefix = parser.accept("prefix") ? try parser.need("a prefix").bytes : .empty
      let isResponse = parser.place.isResponse
      return { context in
        guard let head = isResponse ? context.response : context.request,
          let octets = list.evaluate(context)?.cast(to: .binary)?.octets
        else { return nil }
        let isDone = putAll(octets, into: head, prefix: prefix, replacing: replacing, isResponse, context)
        return isDone ? nil : context.rewriteFailed(isResponse: isResponse)
      }
    }
  }

  /// False when the list is malformed, or a field is not one of HTTP's or has no room.
  private static func putAll(
    _ octets: Bytes, into head: MessageHead, prefix: Bytes, replacing: Bool, _ isResponse: Bool,
    _ context: RuleContext
  ) -> Bool {
    var reader = BinaryFieldReader(octets)
    while true {
      guard case .text(let name) = reader.name() else { return reader.hasEnded }
      guard case .text(let value) = reader.value() else { return false }
      guard name.starts(with: prefix), !isFixed(name) else { continue }
      guard HeaderText.isName(name), HeaderText.isValue(value) else { return false }
      let field = FieldName(name)
      let growth = name.count + value.count + 4
      guard context.allows(growth, in: head, replaced: replacing ? field : nil, isResponse: isResponse) else {
        return false
      }
      if replacing { head.remove(field) }
      head.append(field, value)
    }
  }

  /// Fields that framing and connections hang on are not for rules like these.
  private static func isFixed(_ name: Bytes) -> Bool {
    let folded = name.lowercased
    return fixed.contains { folded == $0 }
  }

  private static let fixed: [Bytes] = [
    "expect", "trailer", "upgrade", "connection", "keep-alive", "content-length", "proxy-connection",
    "transfer-encoding",
  ]

  private static func nameTest(_ method: String) throws(RuleError) -> @Sendable (Bytes, Bytes) -> Bool {
    switch method {
    case "str": return { $0 == $1 }
    case "beg": return { $0.starts(with: $1) }
    case "end": return { $0.ends(with: $1) }
    case "sub": return { TextSearch.contains($0, $1, folding: false) }
    default:
      throw RuleError(
        "unsupported matching method '\(method)'. Supported methods are 'str', 'beg', 'end' and 'sub'",
        suggestion: Suggestions.nearest(method, ["str", "beg", "end", "sub"]))
    }
  }
}

/// Reads names and values, each behind its length, as `req.hdrs_bin` writes them; a name without octets is the end.
struct BinaryFieldReader {
  enum Part: Equatable {
    case text(Bytes)
    case end
    case malformed
  }

  private let octets: Bytes
  private var index = 0
  private(set) var hasEnded = false

  init(_ octets: Bytes) { self.octets = octets }

  mutating func name() -> Part {
    let part = part()
    if case .text(let text) = part, text.isEmpty {
      hasEnded = true
      return .end
    }
    return part
  }

  mutating func value() -> Part { part() }

  private mutating func part() -> Part {
    guard let length = length(), length <= octets.count - index else { return .malformed }
    defer { index += length }
    return .text(octets[index..<(index + length)])
  }

  /// The variable-length integer of HAProxy's peers and SPOE protocols.
  private mutating func length() -> Int? {
    guard index < octets.count else { return nil }
    let first = octets[index]
    index += 1
    var value = UInt64(first)
    if first < 240 { return Int(value) }
    var shift: UInt64 = 4
    while true {
      guard index < octets.count, shift < 57 else { return nil }
      let octet = octets[index]
      index += 1
      value &+= UInt64(octet) << shift
      shift += 7
      if octet < 128 { return Int(exactly: value) }
    }
  }
}

extension HeaderText {
  /// RFC 9110, 5.5: no line ends and no NUL in a field's value.
  static func isValue(_ bytes: Bytes) -> Bool {
    for i in 0..<bytes.count where bytes[i] == 0 || bytes[i] == ASCII.cr || bytes[i] == ASCII.lf { return false }
    return true
  }
}
