import Base
import HTTP
import Testing

@testable import Proxy

@Suite("Compression fed in pieces")
struct CompressingSinkTests {
  /// Takes a few octets at a time, and now and then none.
  final class NarrowSink: BodySink {
    private(set) var octets: [UInt8] = []
    private(set) var ends = 0
    private let width: Int
    private var calls = 0

    init(_ width: Int) { self.width = width }

    func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
      #expect(ends == 0, "octets after the end")
      calls += 1
      if width < .max, calls % 3 == 0 { return 0 }
      octets += bytes.prefix(width)
      return Swift.min(width, bytes.count)
    }

    func endBody(trailers: MessageHead?) { ends += 1 }
    func flushBody() {}
  }

  private static let text: [UInt8] = (0..<4000).flatMap { Array("line \($0 % 37) of \($0)\n".utf8) }

  /// What the encoder makes of the same pieces when nothing is in the way.
  private func plain(_ coding: ContentCoding, _ pieces: [ArraySlice<UInt8>], flushes: Bool) -> [UInt8] {
    var encoder = ContentEncoder(coding)
    var out: [UInt8] = []
    for piece in pieces {
      piece.withUnsafeBytes { encoder.encode($0, into: &out) }
      if flushes { encoder.sync(into: &out) }
    }
    encoder.finish(into: &out)
    return out
  }

  @Test(
    "a sink that takes little gets every octet once, in order, and one end",
    arguments: [ContentCoding.gzip, .deflate, .rawDeflate], [1, 7, 1000, .max])
  func narrow(coding: ContentCoding, width: Int) {
    for (size, flushes) in [(100_000, false), (1500, false), (97, true)] {
      let text = CompressingSinkTests.text
      let pieces = stride(from: 0, to: text.count, by: size).map { text[$0..<Swift.min($0 + size, text.count)] }
      let sink = NarrowSink(width)
      var counted = (octetsIn: 0, octetsOut: 0)
      let filter = CompressingSink(coding, into: sink) {
        counted.octetsIn += $0
        counted.octetsOut += $1
      }
      var eaten: [ArraySlice<UInt8>] = []
      for piece in pieces {
        var rest = piece
        while !rest.isEmpty {
          let n = rest.withUnsafeBytes { filter.writeBody($0) }
          if n > 0 { eaten.append(rest.prefix(n)) }
          rest = rest.dropFirst(n)
        }
        if flushes { repeat { filter.flushBody() } while sink.octets.count < counted.octetsOut }
      }
      while !filter.isDone { filter.endBody(trailers: nil) }
      filter.endBody(trailers: nil)
      #expect(sink.ends == 1 && counted.octetsIn == text.count && counted.octetsOut == sink.octets.count)
      // Only a wide sink sees flushes at the same places as the encoder alone.
      if !flushes || width == .max { #expect(sink.octets == plain(coding, eaten, flushes: flushes)) }
    }
  }
}
