import Base
import Testing

@testable import Proxy

@Suite("Answers of SPOP agents to checks")
struct SPOPFrameTests {
  private static func frame(_ type: UInt8, _ items: [(String, [UInt8])]) -> [UInt8] {
    var body: [UInt8] = [type, 0, 0, 0, 1, 0, 0]
    for (name, value) in items { body += [UInt8(name.utf8.count)] + Array(name.utf8) + value }
    return [0, 0, 0, UInt8(body.count)] + body
  }

  private static func text(_ text: String) -> [UInt8] { [8, UInt8(text.utf8.count)] + Array(text.utf8) }

  private static let hello: [(String, [UInt8])] = [
    ("version", text("2.0")), ("max-frame-size", [3, 0xFC, 0xF0, 0x06]), ("capabilities", text("")),
  ]

  struct Case: Sendable {
    var input: [UInt8]
    var expected: DialectVerdict
  }

  static let cases: [Case] = [
    Case(input: frame(101, hello), expected: .passed("SPOA server is ok")),
    Case(
      input: frame(101, [("version", text("1.0"))] + hello.dropFirst()),
      expected: .failed(.invalidLayer7, code: 0, "unsupported version")),
    Case(
      input: frame(101, Array(hello.dropFirst())),
      expected: .failed(.invalidLayer7, code: 0, "version value not found")),
    Case(
      input: frame(102, [("status-code", [3, 4]), ("message", text("no"))]),
      expected: .failed(.wrongStatusLayer7, code: 4, "no")),
    Case(input: frame(3, hello), expected: .failed(.invalidLayer7, code: 0, "invalid frame received")),
    Case(input: [0, 0, 0, 0], expected: .failed(.invalidLayer7, code: 0, "invalid frame received")),
    Case(
      input: [0, 0, 0, 7, 101, 0, 0, 0, 0, 0, 0],
      expected: .failed(.invalidLayer7, code: 0, "invalid frame received")),
    Case(
      input: [0xFF, 0xFF, 0xFF, 0xFF], expected: .failed(.invalidLayer7, code: 0, "invalid frame received")),
  ]

  @Test("a greeting passes, a farewell tells its reason, and what is cut off is waited for", arguments: cases)
  func verdicts(_ item: Case) {
    #expect(SPOPFrame.read(item.input.span) == item.expected)
    for length in 0..<Swift.min(item.input.count, 4) {
      #expect(SPOPFrame.read(Array(item.input[..<length]).span) == .needsMore)
    }
    if case .passed = item.expected {
      for length in 4..<item.input.count {
        #expect(SPOPFrame.read(Array(item.input[..<length]).span) == .needsMore)
      }
    }
  }
}
