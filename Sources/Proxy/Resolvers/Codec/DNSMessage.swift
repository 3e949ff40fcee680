import Base

/// Kinds of records that are asked for or understood (RFC 1035, 3596, 2782).
enum DNSRecordType: UInt16, Sendable {
  case a = 1
  case cname = 5
  case aaaa = 28
  case srv = 33
}

/// What a record of an answer says, as far as it was asked for.
enum DNSRecord: Hashable, Sendable {
  case address(IPAddress)
  case service(DNSService)
}

/// An SRV record, with an address of its target when the answer brought one along.
struct DNSService: Hashable, Sendable {
  var priority: UInt16
  /// 0...65535; no part of what makes the record the same as an earlier one.
  var weight: UInt16
  var port: UInt16
  var target: DNSName
  var address: IPAddress?
}

/// A question to a name server.
struct DNSQuestion: Hashable, Sendable {
  var name: DNSName
  var type: DNSRecordType

  /// The whole message: recursion is wanted, and answers may be up to `payloadSize` octets (RFC 6891).
  func message(id: UInt16, payloadSize: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(12 + name.wire.count + 4 + 11)
    for word in [id, 0x0100, 1, 0, 0, 1] { DNSQuestion.append(word, to: &out) }
    out.append(name.wire)
    DNSQuestion.append(type.rawValue, to: &out)
    DNSQuestion.append(DNSAnswer.internet, to: &out)
    // The OPT pseudo record: the root's name, its type, the size, then no flags and no options.
    out.append(0)
    DNSQuestion.append(41, to: &out)
    DNSQuestion.append(UInt16(clamping: payloadSize), to: &out)
    out.append(contentsOf: [0, 0, 0, 0, 0, 0])
    return out
  }

  private static func append(_ word: UInt16, to out: inout [UInt8]) {
    out.append(UInt8(truncatingIfNeeded: word >> 8))
    out.append(UInt8(truncatingIfNeeded: word))
  }
}

/// What an answer comes to.
enum DNSAnswer: Equatable, Sendable {
  /// At least one record of the kind that was asked for.
  case records([DNSRecord])
  /// There is no such name.
  case noSuchName
  case refused
  /// The name server failed, with its code.
  case failed(code: UInt8)
  /// There is such a name, but no record of this kind.
  case empty
  /// Aliases that lead nowhere.
  case brokenAlias
  /// Only a part of the answer did fit.
  case truncated
  /// No answer to the question, or not well-formed.
  case invalid

  static let internet: UInt16 = 1

  /// The id of a message, which tells which question it answers.
  static func id(of message: borrowing Span<UInt8>) -> UInt16? {
    message.count >= 2 ? UInt16(message[0]) << 8 | UInt16(message[1]) : nil
  }
}
