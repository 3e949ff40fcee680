import Base
import Testing

@testable import Proxy

@Suite("DNS messages")
struct DNSCodecTests {
  private let four: DNSQuestion
  private let service: DNSQuestion

  init() throws {
    four = DNSQuestion(name: try #require(DNSName("www.example.test")), type: .a)
    service = DNSQuestion(name: try #require(DNSName("_http._tcp.example.test")), type: .srv)
  }

  private func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  @Test(
    "what cannot be a name is none",
    arguments: [
      "", ".", "a..b", ".a", "a b", "a\tb", "a\u{7F}", String(repeating: "a", count: 64),
      String(repeating: "a.", count: 127) + "ab",
    ])
  func badNames(_ text: String) { #expect(DNSName(text) == nil) }

  @Test(
    "names are the same in any case and with a dot at their end",
    arguments: [("www.example.test", "WWW.Example.Test."), ("a", "A."), ("_http._tcp.x", "_HTTP._TCP.X")])
  func names(_ a: String, _ b: String) {
    #expect(DNSName(a) != nil)
    #expect(DNSName(a) == DNSName(b))
    #expect(DNSName(b)?.text == a)
  }

  @Test("a question asks for recursion and tells the size that is accepted")
  func question() {
    let message = four.message(id: 0x1234, payloadSize: 4096)
    let head: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    let name: [UInt8] = [3, 0x77, 0x77, 0x77, 7] + Array("example".utf8) + [4] + Array("test".utf8) + [0]
    #expect(message == head + name + [0, 1, 0, 1] + [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("addresses are found behind aliases, in whatever order they come")
  func aliases() throws {
    var builder = DNSBuilder(7, four)
    builder.add(DNSBuilder.wire("c.test"), 1, [10, 0, 0, 1])
    builder.add(DNSBuilder.wire("b.test"), 5, DNSBuilder.wire("c.test"))
    builder.add(DNSBuilder.sameName, 5, DNSBuilder.wire("b.test"))
    builder.add(DNSBuilder.wire("c.test"), 1, [10, 0, 0, 2])
    builder.add(DNSBuilder.wire("c.test"), 1, [10, 0, 0, 1])
    builder.add(DNSBuilder.wire("other.test"), 1, [10, 0, 0, 9])
    #expect(builder.parsed(four) == .records([.address(try ip("10.0.0.1")), .address(try ip("10.0.0.2"))]))
  }

  @Test("aliases that go in a circle or nowhere are an error")
  func brokenAliases() {
    var circle = DNSBuilder(7, four)
    circle.add(DNSBuilder.sameName, 5, DNSBuilder.wire("b.test"))
    circle.add(DNSBuilder.wire("b.test"), 5, DNSBuilder.wire("www.example.test"))
    #expect(circle.parsed(four) == .brokenAlias)
    var nowhere = DNSBuilder(7, four)
    nowhere.add(DNSBuilder.sameName, 5, DNSBuilder.wire("b.test"))
    #expect(nowhere.parsed(four) == .brokenAlias)
  }

  @Test("an IPv6 address has sixteen octets")
  func six() throws {
    let question = DNSQuestion(name: four.name, type: .aaaa)
    var builder = DNSBuilder(7, question)
    builder.add(DNSBuilder.sameName, 28, DNSBuilder.address("2001:db8::7"))
    #expect(builder.parsed(question) == .records([.address(try ip("2001:db8::7"))]))
    var short = DNSBuilder(7, question)
    short.add(DNSBuilder.sameName, 28, [1, 2, 3, 4])
    #expect(short.parsed(question) == .invalid)
  }

  @Test("services come with port, weight and the address that the answer adds")
  func services() throws {
    var builder = DNSBuilder(7, service)
    builder.add(DNSBuilder.sameName, 33, DNSBuilder.service("n1.test", port: 80, weight: 300, priority: 2))
    builder.add(DNSBuilder.sameName, 33, DNSBuilder.service("n2.test", port: 81))
    builder.add(DNSBuilder.wire("example.test"), 2, DNSBuilder.wire("ns.test"), in: .authority)
    builder.add(DNSBuilder.wire("n2.test"), 1, [10, 0, 0, 2], in: .additional)
    builder.add([0], 41, [], in: .additional, kind: 4096)
    let n1 = DNSService(priority: 2, weight: 300, port: 80, target: try #require(DNSName("n1.test")))
    let n2 = DNSService(
      priority: 0, weight: 0, port: 81, target: try #require(DNSName("n2.test")), address: try ip("10.0.0.2"))
    #expect(builder.parsed(service) == .records([.service(n1), .service(n2)]))
  }

  @Test(
    "the code of an answer tells what went wrong",
    arguments: [
      (0x8183, DNSAnswer.noSuchName), (0x8185, .refused), (0x8182, .failed(code: 2)), (0x8180, .empty),
      (0x8380, .truncated), (0x0180, .invalid), (0x8980, .invalid),
    ] as [(UInt16, DNSAnswer)])
  func codes(_ flags: UInt16, _ answer: DNSAnswer) {
    #expect(DNSBuilder(7, flags: flags, four).parsed(four) == answer)
  }

  @Test("an answer to another question is none")
  func otherQuestion() throws {
    let other = DNSQuestion(name: try #require(DNSName("www.example.tesT2")), type: .a)
    #expect(DNSBuilder(7, flags: 0x8183, other).parsed(four) == .invalid)
    #expect(DNSBuilder(7, flags: 0x8183, DNSQuestion(name: four.name, type: .aaaa)).parsed(four) == .invalid)
    var kind = DNSBuilder(7, four)
    kind.octets[kind.octets.count - 1] = 3
    #expect(kind.parsed(four) == .invalid)
  }

  @Test("pointers of names lead backwards only")
  func pointers() {
    for target in [UInt8(34), 35, 36, 200] {
      var builder = DNSBuilder(7, four)
      builder.add([0xC0, target], 1, [10, 0, 0, 1])
      #expect(builder.octets.count > 36)
      #expect(builder.parsed(four) == .invalid)
    }
    // Two names that point to each other.
    let message: [UInt8] = [0xC0, 2, 0xC0, 0]
    var position = 2
    #expect(DNSName.read(message.span, at: &position) == nil)
    // A chain of pointers, each back, is fine.
    let chain: [UInt8] = [1, 0x61, 0, 0xC0, 0, 0xC0, 3]
    position = 5
    #expect(DNSName.read(chain.span, at: &position)?.text == "a")
    #expect(position == 7)
  }

  @Test("a message that is cut anywhere, or has any octet changed, is read without harm")
  func damage() {
    var builder = DNSBuilder(7, service)
    builder.add(DNSBuilder.sameName, 33, DNSBuilder.service("n1.test", port: 80))
    builder.add(DNSBuilder.wire("n1.test"), 1, [10, 0, 0, 2], in: .additional)
    let whole = builder.octets
    for end in 0..<whole.count {
      let part = Array(whole[..<end])
      #expect(DNSAnswerParser.parse(part.span, answering: service) == .invalid)
    }
    for i in whole.indices {
      for value in [UInt8(0), 1, 0x3F, 0x40, 0xC0, 0xFF] {
        var changed = whole
        changed[i] = value
        _ = DNSAnswerParser.parse(changed.span, answering: service)
      }
    }
  }

  @Test("counts that the message cannot hold are refused at once")
  func counts() {
    var builder = DNSBuilder(7, four)
    builder.octets[6] = 0xFF
    builder.octets[7] = 0xFF
    #expect(builder.parsed(four) == .invalid)
  }
}
