import Base
import Config
import Rules
import Synchronization
import Testing

@testable import Proxy

@Suite("Syslog messages")
struct SyslogMessageTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var message: String
    var facility: Int?
    var level: Int
    /// time | host | tag | process | id | structured data
    var fields: String
    var text: String
    var testDescription: String { message }
  }

  static let cases: [Case] = [
    Case(
      message: "<134>Nov 25 08:02:04 web haproxy[42]: a b", facility: 16, level: 6,
      fields: "Nov 25 08:02:04|web|haproxy|42||", text: "a b"),
    Case(
      message: "<13>Jan  1 00:00:00 web app: text: more", facility: 1, level: 5,
      fields: "Jan  1 00:00:00|web|app|||", text: "text: more"),
    Case(
      message: "<13>Jan  1 00:00:00 web no tag here", facility: 1, level: 5, fields: "Jan  1 00:00:00|web||||",
      text: "no tag here"),
    Case(
      message: "<165>1 2026-11-25T08:02:04Z - - - - - text", facility: 20, level: 5,
      fields: "2026-11-25T08:02:04Z|||||", text: "text"),
    Case(
      message: "<165>1 - h t p m [x@1 k=\"v\\]w\"] text", facility: 20, level: 5,
      fields: "-|h|t|p|m|[x@1 k=\"v\\]w\"]", text: "text"),
    Case(message: "<191>anything", facility: 23, level: 7, fields: "|||||", text: "anything"),
    Case(message: "<192>anything", facility: nil, level: 5, fields: "|||||", text: "<192>anything"),
    Case(message: "<>x", facility: nil, level: 5, fields: "|||||", text: "<>x"),
    Case(message: "<99999999999999999999>x", facility: nil, level: 5, fields: "|||||", text: "<99999999999999999999>x"),
    Case(message: "plain", facility: nil, level: 5, fields: "|||||", text: "plain"),
    Case(message: "", facility: nil, level: 5, fields: "|||||", text: ""),
    Case(
      message: "<34>1 2026-13-01 no time", facility: 4, level: 2, fields: "|||||", text: "1 2026-13-01 no time"),
  ]

  static func fields(_ fields: SyslogFields) -> String {
    [fields.time, fields.hostName, fields.tag, fields.process, fields.messageID, fields.structuredData]
      .map(\.string).joined(separator: "|")
  }

  @Test("priority, time, host, tag, process, id and data are found, or all is text", arguments: cases)
  func parts(_ item: Case) {
    let message = SyslogMessage(Bytes(item.message))
    #expect(message.facility == item.facility)
    #expect(message.level == item.level)
    #expect(SyslogMessageTests.fields(message.fields) == item.fields)
    #expect(message.text.string == item.text)
  }

  @Test("a message that is cut off anywhere is still a message", arguments: cases)
  func cuts(_ item: Case) {
    let whole = Array(item.message.utf8)
    for length in 0...whole.count {
      let message = SyslogMessage(Bytes(Array(whole[..<length])))
      #expect((0...7).contains(message.level))
      #expect(message.text.count <= length)
    }
  }
}

@Suite("Framing of syslog over TCP")
struct SyslogFramingTests {
  private func messages(_ input: [UInt8], cuts: [Int], assumesLines: Bool = false) -> [String] {
    var framing = SyslogFraming(assumesLines: assumesLines, bound: 64)
    var result: [String] = []
    var start = 0
    for cut in cuts + [input.count] {
      input[start..<cut].withUnsafeBytes { framing.feed($0) }
      start = cut
      loop: while true {
        switch framing.next() {
        case .message(let message): result.append(message.string)
        case .needMore: break loop
        case .broken: return result + ["broken"]
        }
      }
    }
    return result
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var input: String
    var assumesLines = false
    var expected: [String]
    var testDescription: String { input.debugDescription }
  }

  static let cases: [Case] = [
    Case(input: "<1>a\n<2>b\r\n", expected: ["<1>a", "<2>b"]),
    Case(input: "5 <1>ab4 <2>c", expected: ["<1>ab", "<2>c"]),
    Case(input: "6 <1>a\nb<2>c\n", expected: ["<1>a\nb", "<2>c"]),
    Case(input: "<1>unfinished", expected: []),
    Case(input: "9 <1>ab", expected: []),
    Case(input: "x<1>a\n", expected: ["broken"]),
    Case(input: "0 a", expected: ["broken"]),
    Case(input: "65 a", expected: ["broken"]),
    Case(input: "99999999999999999999999 a", expected: ["broken"]),
    Case(input: "5x<1>a", expected: ["broken"]),
    Case(input: "5 not counted\nnext\n", assumesLines: true, expected: ["5 not counted", "next"]),
    Case(input: String(repeating: "<", count: 70), expected: ["broken"]),
  ]

  @Test("lines and counted messages are found wherever the stream is cut", arguments: cases)
  func splitting(_ item: Case) {
    let input = Array(item.input.utf8)
    for cut in 0...input.count {
      #expect(messages(input, cuts: [cut], assumesLines: item.assumesLines) == item.expected)
    }
    #expect(messages(input, cuts: Array(0..<input.count), assumesLines: item.assumesLines) == item.expected)
  }
}

@Suite("Headers of log lines")
struct SyslogHeaderTests {
  private func header(
    _ format: LogTarget.Format, _ edit: (inout SyslogFields) -> Void = { _ in }, data: String = ""
  ) -> String {
    var fields = SyslogFields()
    fields.tag = "app"
    fields.process = "7"
    edit(&fields)
    var line: [UInt8] = []
    var dates = DateCache()
    SyslogHeader.write(
      format, priority: 134, time: WallTime(microseconds: 1_700_000_000_123_456), fields,
      structuredData: Array(data.utf8), &dates, into: &line)
    return String(decoding: line, as: UTF8.self)
  }

  @Test("each format has its fields")
  func formats() {
    #expect(header(.raw) == "")
    #expect(header(.short) == "<6>")
    #expect(header(.priority) == "<134>")
    #expect(header(.local).hasSuffix(" app[7]: "))
    #expect(header(.rfc3164).contains(" localhost app[7]: "))
    #expect(header(.rfc5424).hasSuffix(" - app 7 - - "))
    #expect(header(.rfc5424, data: "[x]").hasSuffix(" - app 7 - [x] "))
    #expect(header(.iso).hasPrefix("2023-11-1"))
    #expect(header(.timed).hasPrefix("<6>2023-11-1"))
  }

  @Test("a received time is kept, in whichever form the line wants")
  func times() {
    #expect(
      header(.rfc3164) { $0.time = "2026-03-05T01:02:03.5Z" } == "<134>Mar  5 01:02:03 localhost app[7]: ")
    #expect(header(.rfc5424) { $0.time = "Mar  5 01:02:03" }.contains("-03-05T01:02:03-00:00 - app"))
    #expect(header(.rfc5424) { $0.time = "-" } == "<134>1 - - app 7 - - ")
    #expect(header(.rfc5424) { $0.time = "2026-03-05T01:02:03Z" } == "<134>1 2026-03-05T01:02:03Z - app 7 - - ")
  }

  @Test("without a format the line takes the one that has room for what is known")
  func natural() {
    var fields = SyslogFields()
    #expect(fields.naturalFormat == .raw)
    fields.hadPriority = true
    #expect(fields.naturalFormat == .priority)
    fields.tag = "t"
    #expect(fields.naturalFormat == .local)
    fields.hostName = "h"
    #expect(fields.naturalFormat == .rfc3164)
    fields.time = "-"
    #expect(fields.naturalFormat == .rfc5424)
  }
}

@Suite("Rings")
struct RingTests {
  private func ring(_ size: Int) -> Ring { Ring(name: "r", description: "r", size: size, format: nil) }

  private func put(_ text: String, _ ring: Ring) -> Bool {
    var line = Array(text.utf8)
    return ring.take(&line, textAt: 0)
  }

  private func all(_ ring: Ring, _ reader: Int) -> [String] {
    var result: [String] = []
    while let message = ring.next(reader) { result.append(String(decoding: message, as: UTF8.self)) }
    return result
  }

  @Test("the newest messages stay, as many as fit")
  func newest() {
    let ring = ring(4 * (1 + Ring.overhead))
    for i in 0..<200 { #expect(put(String(i % 10), ring)) }
    #expect(all(ring, ring.attach()) == ["6", "7", "8", "9"])
    #expect(all(ring, ring.attach(atEnd: true)) == [])
    #expect(ring.dropped.load(ordering: .relaxed) == 0)
  }

  @Test("what is longer than the ring is lost and counted")
  func tooLong() {
    let ring = ring(8)
    #expect(!put("123456789", ring))
    #expect(ring.dropped.load(ordering: .relaxed) == 1)
  }

  @Test("a reader that holds keeps messages from going; the new ones are lost")
  func holding() {
    let ring = ring(2 * (1 + Ring.overhead))
    let reader = ring.attach(holds: true)
    #expect(put("a", ring) && put("b", ring))
    #expect(!put("c", ring))
    ring.advance(reader)
    #expect(put("d", ring))
    #expect(all(ring, reader) == ["b", "d"])
    ring.detach(reader)
    #expect(put("e", ring))
  }

  @Test("a reader that was overtaken goes on at the oldest message")
  func overtaken() {
    let ring = ring(2 * (1 + Ring.overhead))
    let reader = ring.attach()
    for text in ["a", "b", "c", "d"] { _ = put(text, ring) }
    #expect(all(ring, reader) == ["c", "d"])
  }

  @Test("who waits is woken once, and not at all when there is something already")
  func waking() {
    let ring = ring(100)
    let reader = ring.attach()
    let wakes = Counted()
    #expect(ring.wait(reader) { wakes.add() })
    _ = put("a", ring)
    _ = put("b", ring)
    #expect(wakes.value == 1)
    #expect(!ring.wait(reader) { wakes.add() })
    #expect(all(ring, reader) == ["a", "b"])
    #expect(ring.wait(reader) { wakes.add() })
  }
}

private final class Counted: Sendable {
  private let count = Atomic<Int>(0)
  func add() { count.add(1, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}

@Suite("Balance of log backends")
struct StickyServerTests {
  @Test("one server takes all until it leaves, and waits behind the others when it comes back")
  func sticky() {
    var algorithm = StickyServer()
    func set(_ indices: Int...) { algorithm.rebuild(indices.map { Candidate(index: $0, weight: 1, id: $0 + 1) }) }
    func pick() -> Int? { algorithm.pick(hash: nil, isFull: { _ in false }) }
    set(0, 1, 2)
    #expect(pick() == 0)
    set(1, 2)
    #expect(pick() == 1)
    set(0, 2)
    #expect(pick() == 2)
    set(0, 1, 2)
    #expect(pick() == 2)
    set()
    #expect(pick() == nil)
  }
}
