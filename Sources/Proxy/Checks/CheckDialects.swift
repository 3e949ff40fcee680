import Base

/// What a protocol's parser says of the octets so far.
enum DialectVerdict: Equatable {
  case needsMore
  case passed(Bytes)
  case failed(CheckStatus, code: Int, Bytes)
}

/// A BindResponse of LDAPv3 (RFC 4511 section 4.2.2) to the request with message number 1.
enum LDAPBindResponse {
  private static let foreign = DialectVerdict.failed(.invalidLayer7, code: 0, "Not LDAPv3 protocol")

  static func read(_ input: borrowing Span<UInt8>) -> DialectVerdict {
    guard input.count >= 2 else { return .needsMore }
    var at = 1
    guard let (length, lengthOctets) = length(input, at) else {
      return input[at] & 0x80 != 0 && input.count < at + 1 + Int(input[at] & 0x7F) ? .needsMore : foreign
    }
    at += lengthOctets
    guard input.count - at >= length else { return .needsMore }
    // messageID 1, then [APPLICATION 1] BindResponse.
    let expected: [UInt8] = [0x02, 0x01, 0x01, 0x61]
    guard input.count - at >= expected.count else { return .needsMore }
    for (i, octet) in expected.enumerated() where input[at + i] != octet { return foreign }
    at += expected.count
    guard at < input.count else { return .needsMore }
    let inner = input[at] & 0x80 != 0 ? Int(input[at] & 0x7F) : 0
    guard input.count - at >= 1 + inner + 3 else { return .needsMore }
    at += 1 + inner
    // resultCode is an ENUMERATED of one octet.
    guard input[at] == 0x0A, input[at + 1] == 0x01 else { return foreign }
    let code = Int(input[at + 2])
    if code == 0 { return .passed("Success") }
    return .failed(
      .wrongStatusLayer7, code: code, "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9")
  }

  /// A BER length and how many octets it takes; long forms of 2 and 4 octets are the ones in use.
  private static func length(_ input: borrowing Span<UInt8>, _ at: Int) -> (Int, Int)? {
    let first = input[at]
    if first & 0x80 == 0 { return (Int(first), 1) }
    let count = Int(first & 0x7F)
    guard count == 2 || count == 4, input.count > at + count else { return nil }
    var value = 0
    for i in 1...count { value = value << 8 | Int(input[at + i]) }
    return (value, 1 + count)
  }
}

/// A packet of MySQL's protocol: three octets of length, one of sequence, then the greeting, OK or an error.
enum MySQLPacket {
  static func read(_ input: borrowing Span<UInt8>, skippingFirst: Bool) -> DialectVerdict {
    guard var end = end(of: 0, input) else { return .needsMore }
    var start = 0
    if skippingFirst {
      start = end
      guard let second = MySQLPacket.end(of: start, input) else { return .needsMore }
      end = second
    }
    guard end > start + 4 else { return .failed(.invalidLayer7, code: 0, .empty) }
    if input[start + 4] == 0xFF {
      let low = start + 5 < input.count ? Int(input[start + 5]) : 0
      let high = start + 6 < input.count ? Int(input[start + 6]) : 0
      let text = Bytes(copying: input.extracting(Swift.min(start + 7, input.count)..<input.count))
      return .failed(.wrongStatusLayer7, code: high << 8 | low, untilNul(text))
    }
    // The server's version stands behind the first octet of its greeting.
    let greeting = Bytes(copying: input.extracting(Swift.min(5, input.count)..<input.count))
    return .passed(untilNul(greeting))
  }

  /// Where the packet that begins at `start` ends; nil when it is not all there.
  private static func end(of start: Int, _ input: borrowing Span<UInt8>) -> Int? {
    guard input.count >= start + 4 else { return nil }
    let length = Int(input[start]) | Int(input[start + 1]) << 8 | Int(input[start + 2]) << 16
    return input.count >= start + 4 + length ? start + 4 + length : nil
  }

  private static func untilNul(_ text: Bytes) -> Bytes {
    text.prefix(text.firstIndex(of: 0) ?? text.count)
  }
}

/// The first frame of a SPOP agent: AGENT-HELLO with a version that is known, or AGENT-DISCONNECT with a reason.
enum SPOPFrame {
  private static let invalid = DialectVerdict.failed(.invalidLayer7, code: 0, "invalid frame received")

  static func read(_ input: borrowing Span<UInt8>) -> DialectVerdict {
    guard input.count >= 4 else { return .needsMore }
    let length = (0..<4).reduce(0) { $0 << 8 | Int(input[$1]) }
    guard length >= 7, length <= 65_536 else { return invalid }
    guard input.count >= 4 + length else { return .needsMore }
    var reader = Reader(Bytes(copying: input.extracting(4..<(4 + length))))
    // No fragments, and nothing of a stream, in what greets.
    guard let type = reader.octet(), let flags = reader.take(4), flags == Bytes([0, 0, 0, 1]),
      reader.number() == 0, reader.number() == 0
    else { return invalid }
    guard let items = reader.items() else { return invalid }
    if type == 102 {
      let text = items["message"] ?? "connection closed by the agent"
      return .failed(.wrongStatusLayer7, code: items["status-code"].flatMap { Int($0.string) } ?? 0, text)
    }
    guard type == 101 else { return invalid }
    guard let version = items["version"] else {
      return .failed(.invalidLayer7, code: 0, "version value not found")
    }
    guard version.trimmed.starts(with: "2.") else {
      return .failed(.invalidLayer7, code: 0, "unsupported version")
    }
    guard items["max-frame-size"] != nil else {
      return .failed(.invalidLayer7, code: 0, "max frame size value not found")
    }
    return .passed("SPOA server is ok")
  }

  /// Takes typed values off the front.
  private struct Reader {
    private let octets: Bytes
    private var index = 0
    init(_ octets: Bytes) { self.octets = octets }

    mutating func octet() -> UInt8? {
      guard index < octets.count else { return nil }
      defer { index += 1 }
      return octets[index]
    }

    mutating func take(_ n: Int) -> Bytes? {
      guard n >= 0, octets.count - index >= n else { return nil }
      defer { index += n }
      return octets[index..<(index + n)]
    }

    /// SPOP's variable integers: up to 239 in one octet.
    mutating func number() -> Int? {
      guard let first = octet() else { return nil }
      var value = Int(first)
      if first < 240 { return value }
      var shift = 4
      while shift < 56 {
        guard let next = octet() else { return nil }
        value += Int(next) << shift
        if next < 128 { return value }
        shift += 7
      }
      return nil
    }

    /// Names with values, as text; nil when they are cut off.
    mutating func items() -> [String: Bytes]? {
      var items: [String: Bytes] = [:]
      while index < octets.count {
        guard let length = number(), let name = take(length), let type = octet() else { return nil }
        switch type & 0x0F {
        case 0: break
        case 1: items[name.string] = type & 0x10 != 0 ? "1" : "0"
        case 2, 3, 4, 5:
          guard let value = number() else { return nil }
          items[name.string] = Bytes(String(value))
        case 6: if take(4) == nil { return nil }
        case 7: if take(16) == nil { return nil }
        case 8, 9:
          guard let length = number(), let value = take(length) else { return nil }
          items[name.string] = value
        default: return nil
        }
      }
      return items
    }
  }
}

/// One line from an agent (manual, `agent-check`): words in any order, of each kind the last one counts.
struct AgentReply: Equatable {
  enum Health: Equatable { case up, down }
  enum Administration: Equatable { case ready, drain, maintenance }

  var health: Health?
  /// The word as the agent wrote it.
  var healthWord = Bytes.empty
  var administration: Administration?
  /// `75%` or the number behind `weight:`.
  var weight: String?
  var sessionLimit: String?
  /// What stands behind `#`.
  var comment = Bytes.empty
  /// The first word that means nothing.
  var unknownWord = Bytes.empty
  /// The connection ended before the line did.
  var isIncomplete = false

  init(isIncomplete: Bool = false) { self.isIncomplete = isIncomplete }

  /// nil while the line has no end.
  static func read(_ input: borrowing Span<UInt8>) -> AgentReply? {
    guard
      let end = input.indices.first(where: {
        input[$0] == 0 || input[$0] == ASCII.lf || input[$0] == ASCII.cr
      })
    else { return nil }
    var reply = AgentReply()
    let line = Bytes(copying: input.extracting(0..<end))
    var at = 0
    while at < line.count {
      let c = line[at]
      if isSeparator(c) {
        at += 1
        continue
      }
      if c == 0x23 {
        reply.comment = line.dropFirst(at + 1).trimmed
        break
      }
      let start = at
      while at < line.count, !isSeparator(line[at]) { at += 1 }
      reply.take(line[start..<at])
    }
    return reply
  }

  private static func isSeparator(_ c: UInt8) -> Bool { c == ASCII.space || c == ASCII.tab || c == 0x2C }

  private mutating func take(_ word: Bytes) {
    let folded = word.lowercased.string
    switch folded {
    case "up":
      health = .up
      healthWord = word
    case "down", "stopped", "fail":
      health = .down
      healthWord = word
    case "ready": administration = .ready
    case "drain": administration = .drain
    case "maint": administration = .maintenance
    default:
      if ASCII.isDigit(word[0]), word.firstIndex(of: 0x25) != nil {
        weight = word.string
      } else if folded.hasPrefix("maxconn:") {
        sessionLimit = String(folded.dropFirst(8))
      } else if folded.hasPrefix("weight:") {
        weight = String(folded.dropFirst(7))
      } else if unknownWord.isEmpty {
        unknownWord = word
      }
    }
  }
}
