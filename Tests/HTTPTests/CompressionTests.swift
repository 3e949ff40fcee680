import HTTP
import Testing

@Suite("Content codings")
struct CompressionTests {
  /// Repetitive text, octets without any order, and lengths around the edges of blocks and matches.
  static let bodies: [[UInt8]] = {
    var state: UInt32 = 12345
    func noise(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(state >> 24)
      }
    }
    let words = Array("the quick brown fox jumps over the lazy dog, ".utf8)
    var bodies = [[], [65], [65, 65, 65], [UInt8](repeating: 0, count: 70_000), noise(300), noise(70_000)]
    bodies.append((0..<9000).map { words[$0 % words.count] })
    bodies.append((0..<300).flatMap { _ in noise(20) + words })
    for n in [257, 258, 259, 260, 32_767, 32_768, 32_769, 65_535, 65_536] {
      bodies.append([UInt8](repeating: 0x61, count: n))
    }
    return bodies
  }()

  static func encode(_ coding: ContentCoding, _ body: [UInt8], pieces: Int, syncing: Bool = false) -> [UInt8]
  {
    var encoder = ContentEncoder(coding)
    var out: [UInt8] = []
    let size = max(1, body.count / pieces)
    for start in stride(from: 0, to: body.count, by: size) {
      Array(body[start..<min(body.count, start + size)]).withUnsafeBytes { encoder.encode($0, into: &out) }
      if syncing { encoder.sync(into: &out) }
    }
    encoder.finish(into: &out)
    return out
  }

  @Test("what was encoded comes out again, in one piece and in many", arguments: [1, 3, 50])
  func roundTrip(pieces: Int) {
    for body in Self.bodies {
      #expect(Inflater.inflate(Self.encode(.rawDeflate, body, pieces: pieces)) == body)
      #expect(Inflater.inflate(Self.encode(.rawDeflate, body, pieces: pieces, syncing: true)) == body)
    }
  }

  @Test("gzip and zlib put their wrappers around it")
  func wrappers() {
    let body = Array("hello hello hello".utf8)
    let zip = Self.encode(.gzip, body, pieces: 1)
    #expect(zip.starts(with: [0x1F, 0x8B, 8]))
    #expect(Inflater.inflate(Array(zip[10..<(zip.count - 8)])) == body)
    #expect(Array(zip.suffix(4)) == [17, 0, 0, 0])
    let zlib = Self.encode(.deflate, body, pieces: 1)
    #expect((Int(zlib[0]) << 8 | Int(zlib[1])) % 31 == 0)
    #expect(Inflater.inflate(Array(zlib[2..<(zlib.count - 4)])) == body)
  }

  @Test("text becomes shorter, and noise hardly longer")
  func size() {
    let text = Self.bodies[6]
    #expect(Self.encode(.gzip, text, pieces: 1).count < text.count / 10)
    let noise = Self.bodies[5]
    #expect(Self.encode(.gzip, noise, pieces: 1).count < noise.count + noise.count / 100)
  }
}
