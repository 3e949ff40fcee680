import Base

/// `ip.fp`: what of a SYN packet depends on its sender's network stack, in 8 octets and what `mode` adds.
enum PacketFingerprint {
  /// - Parameter mode: 1 adds the time to live, 2 the kinds of the TCP options, 4 the source address.
  static func make(_ octets: Bytes, mode: Int64) -> Bytes? {
    guard let packet = IPPacket(octets), let tos = packet.typeOfService, let ttl = packet.timeToLive,
      let announced = packet.announcedLength, let header = packet.headerLength, header <= announced,
      let segment = TCPSegment(octets.dropFirst(header)), let length = segment.headerLength,
      header + length <= announced, let source = packet.source
    else { return nil }
    var out: [UInt8] = [tos, 0, 0, 0, 0, 0, 0, 0]
    if mode & 1 != 0 { out.append(ttl) }
    out[1] =
      (packet.isV4 ? 0 : 0x80) | (packet.isNeverFragmented ?? false ? 0x40 : 0) | hops(ttl) << 4
      | (packet.hasExtensions ? 8 : 0) | (announced > header + length ? 4 : 0) | segment.octets[13] >> 6
    var (scale, size, present): (UInt8, Int64, UInt8) = (0, 0, 0)
    for option in segment.options(in: length) where option.end <= length {
      if mode & 2 != 0 { out.append(option.kind) }
      if option.kind == 2, option.offset + 4 <= length { size = segment.field(option.offset + 2, 2) }
      if option.kind == 3, option.offset + 3 <= length { scale = Swift.min(15, segment.octets[option.offset + 2] &+ 1) }
      if option.kind >= 2 { present |= 1 << (option.kind < 9 ? option.kind - 2 : 7) }
    }
    out[2] = UInt8(truncatingIfNeeded: length << 2) | scale
    out[3] = segment.octets[14]
    out[4] = segment.octets[15]
    out[5] = UInt8(truncatingIfNeeded: size >> 8)
    out[6] = UInt8(truncatingIfNeeded: size)
    out[7] = present
    return Bytes(mode & 4 != 0 ? out + source.octets : out)
  }

  /// Where the sender began to count down is told by 32, 64, 128 and 255.
  private static func hops(_ ttl: UInt8) -> UInt8 { ttl > 128 ? 3 : ttl > 64 ? 2 : ttl > 32 ? 1 : 0 }
}
