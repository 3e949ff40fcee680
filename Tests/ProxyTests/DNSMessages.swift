import Base

@testable import Proxy

/// Builds answers of name servers, right and wrong ones.
struct DNSBuilder {
  var octets: [UInt8]

  /// A response with these flags to `question`, its counts still zero.
  init(_ id: UInt16, flags: UInt16 = 0x8180, _ question: DNSQuestion) {
    octets = []
    for word in [id, flags, 1, 0, 0, 0] { append(word) }
    octets += question.name.wire.array
    append(question.type.rawValue)
    append(1)
  }

  mutating func append(_ word: UInt16) { octets += [UInt8(word >> 8), UInt8(word & 255)] }

  enum Place: Int { case answer = 6, authority = 8, additional = 10 }

  mutating func add(
    _ owner: [UInt8], _ type: UInt16, _ data: [UInt8], in place: Place = .answer, kind: UInt16 = 1
  ) {
    octets += owner
    append(type)
    append(kind)
    octets += [0, 0, 0, 60]
    append(UInt16(data.count))
    octets += data
    octets[place.rawValue + 1] += 1
  }

  /// The record's owner is the name of the question.
  static let sameName: [UInt8] = [0xC0, 12]

  static func wire(_ name: String) -> [UInt8] { DNSName(name)?.wire.array ?? [] }

  static func address(_ text: String) -> [UInt8] { IPAddress(text)?.octets ?? [] }

  static func service(_ target: String, port: UInt16, weight: UInt16 = 0, priority: UInt16 = 0) -> [UInt8] {
    [priority, weight, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } + wire(target)
  }

  func parsed(_ question: DNSQuestion) -> DNSAnswer {
    DNSAnswerParser.parse(octets.span, answering: question)
  }
}
