import Base
import Testing

@testable import Rules

@Suite("MQTT")
struct MQTTTests {
  private static func octets(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.filter { $0 != 0x20 }
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap { i in
      guard let high = ASCII.hexValue(digits[i]), let low = ASCII.hexValue(digits[i + 1]) else { return nil }
      return high << 4 | low
    }
  }

  /// CONNECT of 3.1.1 with a will, a user and a password.
  static let old = octets(
    "10 26 0004 4D515454 04 EE 003C 0003 616263 0002 7774 0003 776D67 0004 75736572 0006 706173737764")
  /// CONNECT of 5.0 with properties.
  static let new = octets("10 18 0004 4D515454 05 02 003C 05 11 00000078 0006 636C69656E74")
  static let acknowledged = octets("20 02 00 00")
  static let acknowledgedNew = octets("20 08 00 00 05 27 0000FFFF")

  private func fields(_ input: [UInt8]) -> [String: String]? {
    guard case .packet(let packet) = MQTTPacket.parse(Bytes(input)) else { return nil }
    return packet.fields.mapValues(\.string)
  }

  @Test("fields and properties of CONNECT")
  func connect() throws {
    let old = try #require(fields(MQTTTests.old))
    #expect(old["protocol_name"] == "MQTT" && old["protocol_version"] == "4" && old["flags"] == "238")
    #expect(old["client_identifier"] == "abc" && old["will_topic"] == "wt" && old["will_payload"] == "wmg")
    #expect(old["username"] == "user" && old["password"] == "passwd" && old["keepalive"] == "60")
    let new = try #require(fields(MQTTTests.new))
    #expect(new["17"] == "120" && new["client_identifier"] == "client")
  }

  @Test("fields and properties of CONNACK")
  func connack() {
    #expect(fields(MQTTTests.acknowledged) == ["flags": "0", "reason_code": "0", "protocol_version": "4"])
    #expect(fields(MQTTTests.acknowledgedNew)?["39"] == "65535")
  }

  @Test("a packet that is cut off is incomplete, at each octet", arguments: [old, new, acknowledgedNew])
  func cuts(_ packet: [UInt8]) {
    for length in 0..<packet.count {
      guard case .incomplete = MQTTPacket.parse(Bytes(Array(packet[..<length]))) else {
        Issue.record("complete at \(length)")
        continue
      }
    }
  }

  @Test(
    "what breaks the rules is invalid",
    arguments: [
      "11 02 0000", "30 02 0000", "20 02 0200", "20 02 0006", "21 02 0000", "10 FFFFFFFFFF",
      // Reserved flag, will quality without a will, password without a user, properties that are unknown.
      "10 0E 0004 4D515454 04 03 003C 0002 6162", "10 0E 0004 4D515454 04 0A 003C 0002 6162",
      "10 0E 0004 4D515454 04 42 003C 0002 6162", "20 05 00 00 02 7F 00", "10 0E 0004 4D515458 04 02 003C 0002 6162",
      "10 0E 0004 4D515454 06 02 003C 0002 6162",
    ])
  func invalid(_ hex: String) {
    guard case .invalid = MQTTPacket.parse(Bytes(MQTTTests.octets(hex))) else {
      Issue.record("not refused: \(hex)")
      return
    }
  }

  @Test("any octets come to an end", arguments: 0..<64)
  func noise(_ seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    var input = seed % 2 == 0 ? MQTTTests.old : MQTTTests.new
    for _ in 0..<8 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      input[Int(state >> 33) % input.count] = UInt8(truncatingIfNeeded: state >> 20)
    }
    _ = MQTTPacket.parse(Bytes(input))
  }
}

@Suite("Room for rewriting")
struct RewriteRoomTests {
  private func fixture(_ lines: [String], body: Int) -> Fixture {
    let fixture = Fixture(lines)
    fixture.context.requestRoom.bufferSize = 2048
    fixture.context.requestRoom.reserve = 128
    fixture.context.requestRoom.begin(fixture.context.request, body: body)
    return fixture
  }

  private let value = String(repeating: "v", count: 60)

  @Test("beside a full buffer a message may grow by maxrewrite, and fails beyond it")
  func full() {
    let one = fixture(["http-request set-header x-a \(value)"], body: 4000)
    guard case .next = one.runRequest() else {
      Issue.record("the first rewrite has room")
      return
    }
    let two = fixture(["http-request set-header x-a \(value)", "http-request set-header x-b \(value)"], body: 4000)
    guard case .rewriteFailed = two.runRequest() else {
      Issue.record("the second one has none")
      return
    }
    #expect(two.value("x-b") == nil && two.context.failedRewrites == 1)
  }

  @Test("a small message may grow to the whole buffer")
  func small() {
    let lines = (0..<20).map { "http-request set-header x-\($0) \(value)" }
    let fixture = fixture(lines, body: 0)
    guard case .next = fixture.runRequest() else {
      Issue.record("all of them have room")
      return
    }
    #expect(fixture.value("x-19") == value)
  }

  @Test("setting the same field again takes no room")
  func replaced() {
    let fixture = fixture((0..<50).map { _ in "http-request set-header x-a \(value)" }, body: 4000)
    guard case .next = fixture.runRequest() else {
      Issue.record("it is the same field")
      return
    }
  }

  @Test("strict-mode off leaves out what does not fit")
  func lenient() {
    let fixture = fixture(
      [
        "http-request strict-mode off", "http-request set-header x-a \(value)",
        "http-request set-header x-b \(value)", "http-request set-header x-c short",
      ], body: 4000)
    guard case .next = fixture.runRequest() else {
      Issue.record("the message goes on")
      return
    }
    #expect(fixture.value("x-a") == value && fixture.value("x-b") == nil && fixture.value("x-c") == "short")
    #expect(fixture.context.failedRewrites == 1)
  }
}
