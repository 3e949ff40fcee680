import Base
import Config
import HTTP
import Testing

@testable import Rules

@Suite("Bandwidth limits and binary fields")
struct BandwidthTests {
  @Test(
    "a limit passes on what it says in its period, spread evenly",
    arguments: [(50_000, 1000, 0), (100_000, 500, 0), (1000, 1000, 0), (50_000, 1000, 2896), (10, 10_000, 0)])
  func evenly(limit: Int, period: Int, minimum: Int) {
    var counter = FrequencyCounter()
    var now: UInt32 = 5000
    var passed = 0
    let span = UInt32(period) * 5
    while now < 5000 + span {
      switch counter.grant(
        16384, limit: limit, period: UInt32(period), users: 1, minimum: minimum, unit: 1, now: now)
      {
      case .octets(let n):
        #expect(n > 0 && n <= 16384)
        passed += n
      case .wait(let time):
        #expect(time > 0)
        now += UInt32(time)
      }
    }
    // The first piece is on account.
    #expect(passed >= limit * 9 / 2 && passed <= limit * 5 + Swift.max(16384, minimum), "\(passed)")
  }

  @Test("streams that share a limit have it together")
  func shared() {
    var counter = FrequencyCounter()
    var ready: [UInt32] = [5000, 5000, 5000]
    var passed = [0, 0, 0]
    for now in stride(from: UInt32(5000), to: 15_000, by: 1) {
      for user in 0..<3 where ready[user] <= now {
        switch counter.grant(16384, limit: 60_000, period: 1000, users: 3, minimum: 0, unit: 1, now: now) {
        case .octets(let n): passed[user] += n
        case .wait(let time): ready[user] = now + UInt32(time)
        }
      }
    }
    let total = passed.reduce(0, +)
    #expect(total > 500_000 && total < 660_000, "\(passed)")
    // Whoever comes first in a turn has a small advantage; nobody is left out.
    for one in passed { #expect(one > total / 20, "\(passed)") }
  }

  @Test("a filter that is not there is told, with the one that was meant")
  func unknown() {
    let fixture = Fixture(["http-request set-bandwidth-limit nonesuch"])
    #expect(fixture.messages.contains { $0.contains("unable to find bwlim filter 'nonesuch'") })
  }

  @Test(
    "fields in the form of req.hdrs_bin are read, however long, and refused when cut",
    arguments: [1, 7, 239, 240, 241, 2287, 2288, 5000])
  func fields(length: Int) {
    let fixture = Fixture(["http-request set-header X-Dummy 1"])
    let value = Bytes([UInt8](repeating: 0x61, count: length))
    fixture.context.request?.append(FieldName("x-long"), value)
    let scope = CompileScope(
      configuration: Configuration(), diagnostics: Diagnostics(),
      shared: SharedScope(configuration: Configuration(), diagnostics: Diagnostics()) { _ in nil }, proxyIndex: -1)
    let expression = try? ExpressionParser.parse("req.hdrs_bin", scope: scope)
    let octets = expression?.evaluate(fixture.context)?.octets ?? .empty
    var reader = BinaryFieldReader(octets)
    var found = false
    while case .text(let name) = reader.name() {
      let text = reader.value()
      if name == "x-long" { found = text == .text(value) }
    }
    #expect(found && reader.hasEnded)
    for end in stride(from: 0, to: octets.count - 1, by: Swift.max(1, octets.count / 97)) {
      var cut = BinaryFieldReader(octets[0..<end])
      while case .text = cut.name() { if case .malformed = cut.value() { break } }
      #expect(!cut.hasEnded)
    }
  }

  @Test("a length that never ends is malformed")
  func endless() {
    var reader = BinaryFieldReader(Bytes([UInt8](repeating: 0xFF, count: 40)))
    #expect(reader.name() == .malformed)
  }

  static let actions: [(String, String, [String])] = [
    ("add-headers-bin req.hdrs_bin prefix x-", "x-old", ["first", "first"]),
    ("set-headers-bin req.hdrs_bin prefix x-", "x-old", ["first"]),
    ("set-headers-bin req.hdrs_bin prefix y-", "x-old", ["first"]),
    ("del-headers-bin str(BXgtb2xkAA),ub64dec", "x-old", []),
    ("del-headers-bin str(Ang tAA),ub64dec", "x-old", ["first"]),
    ("del-headers-bin str(AngtAA),ub64dec -m beg", "x-old", []),
    ("add-headers-bin str(BXgtYmFkA2ENCgAA),ub64dec", "x-bad", []),
  ]

  @Test("binary field actions change the request", arguments: actions)
  func change(_ action: String, _ field: String, _ after: [String]) {
    let fixture = Fixture(["http-request \(action.replacing("(Ang t", with: "(Angt"))"])
    #expect(fixture.messages.isEmpty, "\(fixture.messages)")
    fixture.context.request?.append(FieldName("x-old"), "first")
    _ = fixture.runRequest()
    var values: [String] = []
    if let head = fixture.context.request {
      for i in 0..<head.count where head.isField(at: i, named: FieldName(Bytes(field))) {
        values.append(head.value(at: i).string)
      }
    }
    #expect(values == after)
  }
}
