import Base
import HTTP

/// What a response depends on beyond its URI (RFC 9111 section 4.1), for the three fields that are understood.
struct VaryKey: Sendable {
  let usesEncoding: Bool
  let usesReferer: Bool
  let usesOrigin: Bool
  /// Of a response: the codings that it has. Of a request: those that its client takes.
  private var encodings: Encodings = .identity
  private var referer: [Bytes] = []
  private var origin: [Bytes] = []

  private init(usesEncoding: Bool, usesReferer: Bool, usesOrigin: Bool) {
    self.usesEncoding = usesEncoding
    self.usesReferer = usesReferer
    self.usesOrigin = usesOrigin
  }

  enum Outcome {
    case none
    case key(VaryKey)
    /// Vary names something else, or what it names cannot be judged.
    case unusable
  }

  /// The key of a response, with the values of the request that it answers.
  static func of(_ response: MessageHead, _ request: MessageHead) -> Outcome {
    var names: Set<Bytes> = []
    FieldValues.forEach(response, "vary") { names.insert($0.lowercased) }
    names.remove(.empty)
    if names.isEmpty { return .none }
    guard names.isSubset(of: ["accept-encoding", "referer", "origin"]) else { return .unusable }
    var key = VaryKey(
      usesEncoding: names.contains("accept-encoding"), usesReferer: names.contains("referer"),
      usesOrigin: names.contains("origin"))
    if key.usesEncoding {
      guard Encodings(accepting: request) != nil, let own = Encodings(of: response) else { return .unusable }
      key.encodings = own
    }
    key.takeFields(of: request)
    return .key(key)
  }

  private mutating func takeFields(of request: MessageHead) {
    if usesReferer { referer = VaryKey.values("referer", request) }
    if usesOrigin { origin = VaryKey.values("origin", request) }
  }

  private static func values(_ name: FieldName, _ request: MessageHead) -> [Bytes] {
    var values: [Bytes] = []
    FieldValues.forEach(request, name) { values.append(Bytes(copying: $0.span)) }
    return values
  }

  /// Whether a response with this key may answer `request`.
  func matches(_ request: MessageHead) -> Bool {
    if usesEncoding {
      guard let accepted = Encodings(accepting: request), !encodings.contains(.other),
        accepted.isSuperset(of: encodings)
      else { return false }
    }
    if usesReferer, VaryKey.values("referer", request) != referer { return false }
    return !usesOrigin || VaryKey.values("origin", request) == origin
  }

  /// Whether a response with this key takes the place of one with `other`.
  func replaces(_ other: VaryKey) -> Bool {
    encodings == other.encodings && referer == other.referer && origin == other.origin
  }
}

/// Content codings by IANA's registry, as a set.
struct Encodings: OptionSet, Sendable {
  let rawValue: UInt32
  static let identity = Encodings(rawValue: 1)
  static let star = Encodings(rawValue: 1 << 1)
  static let other = Encodings(rawValue: 1 << 2)
  static let all = Encodings(rawValue: .max)

  /// More of them in one request are not judged.
  private static let mostEntries = 16

  private static let known: [Bytes: Encodings] = {
    var table: [Bytes: Encodings] = ["identity": .identity, "*": .star]
    let names = [
      "gzip", "deflate", "br", "compress", "aes128gcm", "exi", "pack200-gzip", "zstd",
    ]
    for (position, name) in names.enumerated() {
      table[Bytes(name)] = Encodings(rawValue: 8 << UInt32(position))
    }
    table["x-gzip"] = table["gzip"]
    table["x-compress"] = table["compress"]
    return table
  }()

  /// What the client of `request` takes; nil when it says too much.
  init?(accepting request: MessageHead) {
    var accepted: Encodings = .identity
    var refused: Encodings = []
    var count = 0
    FieldValues.forEach(request, "accept-encoding") { value in
      count += 1
      if value.isEmpty || count > Encodings.mostEntries { return }
      let text = value.lowercased
      let end = text.firstIndex(of: 0x3B) ?? text.count
      let isRefused = QualityValue.isZero(text.dropFirst(end))
      guard let encoding = Encodings.known[text.prefix(end).trimmed] else {
        accepted.insert(.other)
        return
      }
      if isRefused { refused.formUnion(encoding) } else { accepted.formUnion(encoding) }
    }
    if count >= Encodings.mostEntries { return nil }
    if count == 0 || accepted.contains(.star) { accepted = .all }
    rawValue = count == 0 ? Encodings.all.rawValue : accepted.subtracting(refused).rawValue
  }

  /// Those of a response; nil when one of them is unknown.
  init?(of response: MessageHead) {
    var codings: Encodings = []
    var isKnown = true
    FieldValues.forEach(response, "content-encoding") { value in
      guard let coding = Encodings.known[value.lowercased] else {
        isKnown = false
        return
      }
      codings.formUnion(coding)
    }
    guard isKnown else { return nil }
    rawValue = codings.isEmpty ? Encodings.identity.rawValue : codings.rawValue
  }

  init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// The weights of Accept fields (RFC 9110 section 12.4.2).
enum QualityValue {
  /// In thousandths, out of the parameters behind a value; 1000 without one.
  static func thousandths(_ parameters: Bytes) -> Int {
    var start = 0
    while start < parameters.count {
      let end = parameters.firstIndex(of: 0x3B, from: start) ?? parameters.count
      let part = parameters[start..<end].trimmed
      if part.count >= 3, part[0] | 0x20 == 0x71, part[1] == 0x3D { return number(part.dropFirst(2)) }
      start = end + 1
    }
    return 1000
  }

  private static func number(_ text: Bytes) -> Int {
    guard text.count > 0, text[0] == 0x30 || text[0] == 0x31 else { return 1000 }
    if text[0] == 0x31 { return 1000 }
    var value = 0
    var scale = 100
    for i in 0..<Swift.min(3, Swift.max(0, text.count - 2)) where ASCII.isDigit(text[i + 2]) {
      value += Int(text[i + 2] &- 0x30) * scale
      scale /= 10
    }
    return value
  }

  static func isZero(_ parameters: Bytes) -> Bool { thousandths(parameters) == 0 }
}

/// The members of list fields (RFC 9110 section 5.6.1).
enum FieldValues {
  static func forEach(_ head: MessageHead, _ name: FieldName, _ visit: (Bytes) -> Void) {
    var next = head.firstIndex(of: name)
    while let index = next {
      let line = head.value(at: index)
      var start = 0
      var isQuoted = false
      for i in 0...line.count {
        if i < line.count, line[i] == 0x22 { isQuoted.toggle() }
        guard i == line.count || line[i] == 0x2C && !isQuoted else { continue }
        visit(line[start..<i].trimmed)
        start = i + 1
      }
      next = head.firstIndex(of: name, from: index + 1)
    }
  }
}
