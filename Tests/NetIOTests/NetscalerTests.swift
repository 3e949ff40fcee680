import Base
import Glibc
import Testing

@testable import NetIO

@Suite("NetScaler's Client IP header and options of sockets")
struct NetscalerTests {
  static let magic: UInt32 = 0x1234_5678
  static let four: [UInt8] =
    [0x45, 0, 0, 40] + [UInt8](repeating: 0, count: 5) + [6, 0, 0, 10, 1, 2, 3, 10, 9, 8, 7, 0x10, 0x92, 0x01, 0xBB]
    + [UInt8](repeating: 0, count: 16)
  static let six: [UInt8] =
    [0x60, 0, 0, 0, 0, 20, 6, 64] + [UInt8](repeating: 0, count: 15) + [1] + [UInt8](repeating: 0, count: 15) + [2]
    + [0x10, 0x92, 0x01, 0xBB] + [UInt8](repeating: 0, count: 16)
  static func old(_ header: [UInt8]) -> [UInt8] { [0x12, 0x34, 0x56, 0x78, 0, 0, 0, UInt8(header.count)] + header }
  static func new(_ header: [UInt8]) -> [UInt8] {
    [0x12, 0x34, 0x56, 0x78, 0, 0, 0, UInt8(header.count + 4), 0, 1, 0, UInt8(header.count)] + header
  }

  @Test("both forms give the client's addresses, whole and octet by octet")
  func decode() {
    let ones = SocketAddress.ip(.v4(0x0A01_0203), port: 4242)
    for (octets, source) in [
      (Self.old(Self.four), ones), (Self.new(Self.four), ones),
      (Self.new(Self.six), .ip(.v6(high: 0, low: 1), port: 4242)),
      (Self.old(Self.six), .ip(.v6(high: 0, low: 1), port: 4242)),
    ] {
      let whole = octets + Array("GET / HTTP/1.1".utf8)
      guard
        case .complete(let consumed, let found, let destination) = NetscalerHeader.decode(
          whole.span, magic: Self.magic)
      else {
        // The old form of IPv6 begins like nothing that is known.
        #expect(octets[8] == 0x60)
        continue
      }
      #expect(consumed == octets.count && found == source)
      if case .ip(_, let port) = destination { #expect(port == 443) }
      for end in 0..<octets.count {
        #expect(NetscalerHeader.decode(Array(octets[..<end]).span, magic: Self.magic) == .needMore)
      }
    }
  }

  @Test("what is not such a header is refused")
  func refused() {
    var other = Self.old(Self.four)
    #expect(NetscalerHeader.decode(other.span, magic: 7) == .invalid(.magic))
    other[17] = 17
    #expect(NetscalerHeader.decode(other.span, magic: Self.magic) == .invalid(.address))
    other = Self.old(Self.four)
    other[7] = 12
    #expect(NetscalerHeader.decode(other.span, magic: Self.magic) == .invalid(.length))
    other[8] = 0xA0
    #expect(NetscalerHeader.decode(other.span, magic: Self.magic) == .invalid(.version))
    for octet in UInt8.min...UInt8.max {
      let noise = [0x12, 0x34, 0x56, 0x78] + [UInt8](repeating: octet, count: 600)
      if case .complete = NetscalerHeader.decode(noise.span, magic: Self.magic) { Issue.record("\(octet)") }
    }
  }

  @Test("congestion control is what was asked for, and signatures are taken or refused by the kernel")
  func options() throws {
    let address = SocketAddress.ip(.v4(0x7F00_0001), port: 0)
    let fd = try #require(Socket.stream(for: address))
    defer { close(fd) }
    #expect(Socket.setCongestionControl(fd, "reno"))
    #expect(Socket.congestionControl(fd) == "reno")
    #expect(!Socket.setCongestionControl(fd, "nonesuch"))
    #expect(!Socket.setSignature(fd, Bytes([UInt8](repeating: 1, count: 81)), peer: address, isListening: false))
  }
}
