public import Base

/// The content codings that bodies can be given (RFC 9110 section 8.4.1), by the names of the configuration.
public enum ContentCoding: String, CaseIterable, Sendable {
  case identity, gzip, deflate
  /// DEFLATE without the wrapper that the standard asks for; some old clients want it.
  case rawDeflate = "raw-deflate"

  /// What Accept-Encoding and Content-Encoding call it.
  public var token: Bytes {
    switch self {
    case .identity: "identity"
    case .gzip: "gzip"
    case .deflate, .rawDeflate: "deflate"
    }
  }
}

/// A body on its way through a content coding: header, DEFLATE data, checksum.
public struct ContentEncoder: Sendable {
  public let coding: ContentCoding
  private var deflate = DeflateEncoder()
  private var crc: UInt32 = 0
  private var adler: (a: UInt32, b: UInt32) = (1, 0)
  private var length: UInt32 = 0
  private var isBegun = false

  public init(_ coding: ContentCoding) { self.coding = coding }

  /// Encodes a piece of the body.
  public mutating func encode(_ input: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    begin(&out)
    length &+= UInt32(truncatingIfNeeded: input.count)
    switch coding {
    case .identity:
      out.append(contentsOf: input)
      return
    case .gzip: crc = Checksum.crc32(crc, input)
    case .deflate: adler = Checksum.adler32(adler, input)
    case .rawDeflate: break
    }
    deflate.encode(input, into: &out)
  }

  /// Lets a reader see all that was encoded so far.
  public mutating func sync(into out: inout [UInt8]) {
    if coding != .identity { deflate.sync(into: &out) }
  }

  /// Ends the body.
  public mutating func finish(into out: inout [UInt8]) {
    begin(&out)
    if coding == .identity { return }
    deflate.finish(into: &out)
    switch coding {
    case .gzip:
      for word in [crc, length] { for shift in [0, 8, 16, 24] as [UInt32] { append(word >> shift, &out) } }
    case .deflate:
      for shift in [24, 16, 8, 0] as [UInt32] { append((adler.b << 16 | adler.a) >> shift, &out) }
    case .identity, .rawDeflate: break
    }
  }

  private func append(_ word: UInt32, _ out: inout [UInt8]) { out.append(UInt8(truncatingIfNeeded: word)) }

  private mutating func begin(_ out: inout [UInt8]) {
    if isBegun { return }
    isBegun = true
    switch coding {
    // RFC 1952: deflate, no flags, no time, fastest, an unknown system.
    case .gzip: out.append(contentsOf: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255])
    // RFC 1950: a window of 32 KiB, fastest.
    case .deflate: out.append(contentsOf: [0x78, 0x01])
    case .identity, .rawDeflate: break
    }
  }
}

/// The checksums of gzip and zlib.
enum Checksum {
  private static let tables: [[UInt32]] = {
    var first = [UInt32](repeating: 0, count: 256)
    for i in 0..<256 {
      var value = UInt32(i)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      first[i] = value
    }
    var tables = [first]
    for n in 1..<4 { tables.append(tables[n - 1].map { first[Int($0 & 0xFF)] ^ $0 >> 8 }) }
    return tables
  }()

  /// RFC 1952 section 8, four octets at a time.
  static func crc32(_ start: UInt32, _ input: UnsafeRawBufferPointer) -> UInt32 {
    var crc = ~start
    var i = 0
    let (t0, t1, t2, t3) = (tables[0], tables[1], tables[2], tables[3])
    while i + 4 <= input.count {
      let word = crc ^ UInt32(littleEndian: input.loadUnaligned(fromByteOffset: i, as: UInt32.self))
      crc =
        t3[Int(word & 0xFF)] ^ t2[Int(word >> 8 & 0xFF)] ^ t1[Int(word >> 16 & 0xFF)] ^ t0[Int(word >> 24)]
      i += 4
    }
    while i < input.count {
      crc = t0[Int((crc ^ UInt32(input[i])) & 0xFF)] ^ crc >> 8
      i += 1
    }
    return ~crc
  }

  /// RFC 1950 section 8.
  static func adler32(_ start: (a: UInt32, b: UInt32), _ input: UnsafeRawBufferPointer) -> (
    a: UInt32, b: UInt32
  ) {
    var (a, b) = start
    var i = 0
    while i < input.count {
      // The most octets before 32 bits could overflow.
      let end = Swift.min(input.count, i + 5552)
      while i < end {
        a &+= UInt32(input[i])
        b &+= a
        i += 1
      }
      a %= 65521
      b %= 65521
    }
    return (a, b)
  }
}
