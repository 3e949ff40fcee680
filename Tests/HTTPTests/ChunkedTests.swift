import Base
import HTTP
import Testing

@Suite("Chunked transfer coding")
struct ChunkedTests {
  struct Outcome: Equatable {
    var body: [UInt8] = []
    var end: Int?
    var fault: HTTPFault.Reason?
    var trailers: [String] = []
  }

  /// Feeds `text` in pieces that end at `cuts`, keeping what the decoder leaves.
  static func decode(_ text: [UInt8], cuts: [Int]) -> Outcome {
    var decoder = ChunkedDecoder()
    var outcome = Outcome()
    var used = 0
    for end in cuts + [text.count] {
      feeding: while true {
        let piece = Bytes(text, in: used..<end)
        switch decoder.next(piece.span) {
        case .data(let range):
          outcome.body += piece[range].array
          used += range.upperBound
        case .needMore(let n):
          used += n
          break feeding
        case .end(let n):
          outcome.end = used + n
          outcome.trailers = decoder.trailers?.lines ?? []
          return outcome
        case .invalid(let fault):
          outcome.fault = fault.reason
          return outcome
        }
      }
    }
    return outcome
  }

  static let typical = "5;a=b;c=\"d;\\\"e\"\r\nhello\r\n00006\r\n world\r\n0\r\nX-T: v\r\nHost: x\r\n\r\n"

  @Test("body and trailers are the same however the input is cut")
  func splits() {
    let text = Array((Self.typical + "GET").utf8)
    let whole = Self.decode(text, cuts: [])
    #expect(whole.body == Array("hello world".utf8))
    #expect(whole.end == Self.typical.utf8.count)
    #expect(whole.trailers == ["x-t: v"])
    #expect(Self.decode(text, cuts: Array(1..<text.count)) == whole)
    for cut in 1..<text.count { #expect(Self.decode(text, cuts: [cut]) == whole) }
  }

  static let malformed: [(String, HTTPFault.Reason)] = [
    ("+5\r\nhello\r\n", HTTPFault.Reason.badChunkSize), ("5g\r\nhello\r\n", .badChunkSize),
    ("\r\nhello", .badChunkSize), ("5,\r\nhello", .badChunkSize), ("-5\r\n", .badChunkSize),
    ("10000000000000005\r\nhello", .badChunkSize), ("fffffffffffffffb\r\nhello", .badChunkSize),
    ("5\nhello\r\n", .badChunkSize), ("5\rhello", .badChunkExtension), ("5\r\r\nhello", .badChunkExtension),
    ("5;a\nhello", .badChunkExtension), ("5;a\u{1}\r\nhello", .badChunkExtension),
    ("5\0\r\nhello", .badChunkSize), ("3\r\nhello\r\n", .badChunkEnd), ("5\r\nhelloX0\r\n\r\n", .badChunkEnd),
    ("0\r\nbad trailer\r\n\r\n", .badTrailer), ("0\r\nX: a\n\r\n", .badTrailer),
    ("0\r\nX: a\r\n b\r\n\r\n", .badTrailer), ("0\r\n\rX", .badTrailer),
    ("5;" + String(repeating: "a", count: 5000) + "\r\nhello", .chunkLineTooLong),
    ("0\r\nX: " + String(repeating: "a", count: 9000), .trailersTooLarge),
    (String(repeating: "0", count: 300) + "5\r\nhello", .chunkLineTooLong),
  ]

  @Test(
    "malformed chunks are refused",
    arguments: Self.malformed)
  func refuses(_ text: String, _ reason: HTTPFault.Reason) {
    let text = Array(text.utf8)
    #expect(Self.decode(text, cuts: []).fault == reason)
    #expect(Self.decode(text, cuts: Array(1..<text.count)).fault == reason)
  }

  @Test("random changes never trap and never differ between whole and split input")
  func mutations() {
    var dice = Dice(state: 0x1234_5678_9ABC_DEF1)
    for _ in 0..<4000 {
      var text = Array(Self.typical.utf8)
      for _ in 0...Int.random(in: 0..<4, using: &dice) {
        let at = Int.random(in: 0..<text.count, using: &dice)
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: text[at] = UInt8.random(in: 0...255, using: &dice)
        case 1: text.remove(at: at)
        default: text.insert([0, 10, 13, 48, 59, 34, 92, 102].randomElement(using: &dice) ?? 0, at: at)
        }
      }
      let whole = Self.decode(text, cuts: [])
      let cut = Int.random(in: 0..<text.count, using: &dice)
      #expect(Self.decode(text, cuts: [cut]) == whole, "\(text)")
      #expect(Self.decode(text, cuts: Array(1..<text.count)) == whole, "\(text)")
    }
  }

  @Test("octets of a chunk may go another way", arguments: [1, 5, 10])
  func skipping(_ skipped: Int) {
    var decoder = ChunkedDecoder()
    #expect(decoder.rest == 0)
    #expect(decoder.next(Bytes("a\r\n").span) == .needMore(consumed: 3))
    #expect(decoder.rest == 10)
    decoder.skip(UInt64(skipped))
    #expect(decoder.rest == UInt64(10 - skipped))
    let text = Array(repeating: UInt8(0x78), count: 10 - skipped) + Array("\r\n0\r\n\r\n".utf8)
    if skipped < 10 { #expect(decoder.next(Bytes(text).span) == .data(0..<(10 - skipped))) }
    #expect(decoder.next(Bytes(text, in: (10 - skipped)..<text.count).span) == .end(consumed: 7))
    #expect(decoder.total == 10)
  }
}
