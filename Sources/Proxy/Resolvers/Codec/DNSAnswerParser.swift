import Base

/// Reads an answer (RFC 1035 section 4) and holds it against its question. No I/O; nothing in a message traps.
struct DNSAnswerParser {
  private let question: DNSQuestion
  /// What did fit is better than nothing.
  private let acceptsPart: Bool
  private var position = 12
  private var records: [(owner: DNSName, record: DNSRecord)] = []
  private var aliases: [DNSName: DNSName] = [:]

  /// Aliases that are followed one after the other.
  private static let longestChain = 16
  /// The least that a record can take, which bounds how many there can be.
  private static let shortestRecord = 11

  /// A truncated answer is only read when `acceptsPart` says so.
  static func parse(
    _ message: borrowing Span<UInt8>, answering question: DNSQuestion, acceptsPart: Bool = false
  ) -> DNSAnswer {
    var parser = DNSAnswerParser(question, acceptsPart: acceptsPart)
    return parser.run(message)
  }

  private init(_ question: DNSQuestion, acceptsPart: Bool) {
    self.question = question
    self.acceptsPart = acceptsPart
  }

  private mutating func run(_ message: borrowing Span<UInt8>) -> DNSAnswer {
    guard message.count >= 12 else { return .invalid }
    let flags = word(message, at: 2)
    // A response (QR) to a plain query (opcode 0).
    guard flags & 0x8000 != 0, flags & 0x7800 == 0 else { return .invalid }
    let code = UInt8(flags & 0xF)
    let questions = word(message, at: 4)
    if questions == 0, code != 0, message.count == 12 { return DNSAnswerParser.failure(code) }
    guard questions == 1, matchesQuestion(message) else { return .invalid }
    guard code == 0 else { return DNSAnswerParser.failure(code) }
    if flags & 0x0200 != 0, !acceptsPart { return .truncated }
    let counts = (
      answers: Int(word(message, at: 6)), authorities: Int(word(message, at: 8)),
      additional: Int(word(message, at: 10))
    )
    guard
      counts.answers + counts.authorities + counts.additional <= message.count
        / DNSAnswerParser.shortestRecord
    else { return .invalid }
    guard counts.answers > 0 else { return .empty }
    for _ in 0..<counts.answers where !readAnswer(message) { return .invalid }
    let answer = selected()
    guard question.type == .srv, case .records(let services) = answer else { return answer }
    for _ in 0..<counts.authorities where readHeader(message) == nil { return .invalid }
    guard let addresses = readAdditional(message, counts.additional) else { return .invalid }
    return .records(services.map { DNSAnswerParser.adding(addresses, to: $0) })
  }

  private static func failure(_ code: UInt8) -> DNSAnswer {
    switch code {
    case 3: .noSuchName
    case 5: .refused
    default: .failed(code: code)
    }
  }

  private mutating func matchesQuestion(_ message: borrowing Span<UInt8>) -> Bool {
    guard let name = DNSName.read(message, at: &position), name == question.name,
      position + 4 <= message.count
    else {
      return false
    }
    let type = word(message, at: position)
    let kind = word(message, at: position + 2)
    position += 4
    return type == question.type.rawValue && kind == DNSAnswer.internet
  }

  // MARK: Records

  private struct Header {
    var owner: DNSName
    var type: UInt16
    var kind: UInt16
    var data: Range<Int>
  }

  /// A record's head; `position` moves behind its data.
  private mutating func readHeader(_ message: borrowing Span<UInt8>) -> Header? {
    guard let owner = DNSName.read(message, at: &position), position + 10 <= message.count else { return nil }
    let type = word(message, at: position)
    let kind = word(message, at: position + 2)
    let length = Int(word(message, at: position + 8))
    let start = position + 10
    guard start + length <= message.count else { return nil }
    position = start + length
    return Header(owner: owner, type: type, kind: kind, data: start..<(start + length))
  }

  /// One record of the answer section; false when it is wrong.
  private mutating func readAnswer(_ message: borrowing Span<UInt8>) -> Bool {
    guard let header = readHeader(message) else { return false }
    guard header.kind == DNSAnswer.internet, let type = DNSRecordType(rawValue: header.type) else {
      return true
    }
    switch type {
    case .a, .aaaa:
      guard let address = address(message, type, header.data) else { return false }
      if type == question.type { records.append((header.owner, .address(address))) }
    case .cname:
      guard let target = name(message, header.data) else { return false }
      // The first alias of a name counts: a name has but one.
      if aliases[header.owner] == nil { aliases[header.owner] = target }
    case .srv:
      guard header.data.count > 6,
        let target = name(message, (header.data.lowerBound + 6)..<header.data.upperBound)
      else { return false }
      guard question.type == .srv else { return true }
      let at = header.data.lowerBound
      records.append(
        (
          header.owner,
          .service(
            DNSService(
              priority: word(message, at: at), weight: word(message, at: at + 2),
              port: word(message, at: at + 4),
              target: target))
        ))
    }
    return true
  }

  private func address(
    _ message: borrowing Span<UInt8>, _ type: DNSRecordType, _ data: Range<Int>
  ) -> IPAddress? {
    switch (type, data.count) {
    case (.a, 4):
      return .v4(UInt32(truncatingIfNeeded: number(message, at: data.lowerBound, octets: 4)))
    case (.aaaa, 16):
      return .v6(
        high: number(message, at: data.lowerBound, octets: 8),
        low: number(message, at: data.lowerBound + 8, octets: 8))
    default: return nil
    }
  }

  /// A name that fills `data` exactly.
  private func name(_ message: borrowing Span<UInt8>, _ data: Range<Int>) -> DNSName? {
    var at = data.lowerBound
    guard let name = DNSName.read(message, at: &at), at == data.upperBound else { return nil }
    return name
  }

  /// The records of the name that the aliases lead to.
  private func selected() -> DNSAnswer {
    var owner = question.name
    var steps = 0
    while let next = aliases[owner] {
      steps += 1
      if steps > DNSAnswerParser.longestChain { return .brokenAlias }
      owner = next
    }
    var seen: Set<DNSRecord> = []
    let chosen = records.filter { $0.owner == owner && seen.insert($0.record).inserted }.map(\.record)
    if chosen.isEmpty { return aliases.isEmpty ? .empty : .brokenAlias }
    return .records(chosen)
  }

  // MARK: Additional records

  private mutating func readAdditional(_ message: borrowing Span<UInt8>, _ count: Int) -> [DNSName:
    IPAddress]?
  {
    var addresses: [DNSName: IPAddress] = [:]
    for _ in 0..<count {
      guard let header = readHeader(message) else { return nil }
      guard header.kind == DNSAnswer.internet, let type = DNSRecordType(rawValue: header.type),
        type == .a || type == .aaaa
      else { continue }
      guard let address = address(message, type, header.data) else { return nil }
      if addresses[header.owner] == nil { addresses[header.owner] = address }
    }
    return addresses
  }

  private static func adding(_ addresses: [DNSName: IPAddress], to record: DNSRecord) -> DNSRecord {
    guard case .service(var service) = record else { return record }
    service.address = addresses[service.target]
    return .service(service)
  }

  // MARK: Numbers

  private func word(_ message: borrowing Span<UInt8>, at index: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: number(message, at: index, octets: 2))
  }

  /// A number in network order; octets beyond the end count as zero.
  private func number(_ message: borrowing Span<UInt8>, at index: Int, octets: Int) -> UInt64 {
    var value: UInt64 = 0
    for i in index..<(index + octets) { value = value << 8 | (i < message.count ? UInt64(message[i]) : 0) }
    return value
  }
}
