import Base

/// The start of an IP packet (RFC 791, RFC 8200), as far as it is there.
struct IPPacket {
  let octets: Bytes
  let version: UInt8

  /// nil for anything but IPv4 and IPv6.
  init?(_ octets: Bytes) {
    guard octets.count > 0, octets[0] >> 4 == 4 || octets[0] >> 4 == 6 else { return nil }
    self.octets = octets
    version = octets[0] >> 4
  }

  var isV4: Bool { version == 4 }

  /// The length of the header with its options or extension headers; nil when some of it is missing.
  var headerLength: Int? {
    guard isV4 else { return extensions?.length }
    let length = Int(octets[0] & 0xF) * 4
    return length > 0 && octets.count >= length ? length : nil
  }

  /// The protocol behind the header.
  var nextProtocol: UInt8? { isV4 ? octets.count >= 10 ? octets[9] : nil : extensions?.next }

  private var extensions: (length: Int, next: UInt8)? {
    guard octets.count >= 40 else { return nil }
    var next = octets[6]
    var length = 40
    while next != 6, next != 17 {
      guard octets.count >= length + 2 else { return nil }
      next = octets[length]
      length += Int(octets[length + 1]) * 8 + 8
    }
    return octets.count >= length ? (length, next) : nil
  }

  var source: IPAddress? { address(v4: 12, v6: 8) }
  var destination: IPAddress? { address(v4: 16, v6: 24) }

  private func address(v4: Int, v6: Int) -> IPAddress? {
    guard octets.count >= (isV4 ? 20 : 40) else { return nil }
    if isV4 { return .v4(UInt32(truncatingIfNeeded: octets.bigEndian(at: v4, 4))) }
    return .v6(high: octets.bigEndian(at: v6, 8), low: octets.bigEndian(at: v6 + 8, 8))
  }

  var typeOfService: UInt8? {
    guard octets.count >= 2 else { return nil }
    return isV4 ? octets[1] : UInt8(truncatingIfNeeded: octets.bigEndian(at: 0, 2) >> 4)
  }

  var timeToLive: UInt8? {
    guard octets.count >= (isV4 ? 20 : 40) else { return nil }
    return octets[isV4 ? 8 : 7]
  }

  /// Always so in IPv6, where only its sender fragments a packet.
  var isNeverFragmented: Bool? {
    if !isV4 { return true }
    return octets.count > 6 ? octets[6] & 0x40 != 0 : nil
  }

  /// The length that the packet says it has.
  var announcedLength: Int? {
    guard octets.count >= (isV4 ? 20 : 40) else { return nil }
    return isV4 ? Int(octets.bigEndian(at: 2, 2)) : 40 + Int(octets.bigEndian(at: 4, 2))
  }

  /// Options of IPv4, or extension headers of IPv6.
  var hasExtensions: Bool { isV4 ? octets[0] & 0xF != 5 : octets.count > 6 && octets[6] != 6 && octets[6] != 17 }
}

/// The start of a TCP segment (RFC 9293 section 3.1).
struct TCPSegment {
  let octets: Bytes

  /// nil without the twenty octets that every header has.
  init?(_ octets: Bytes) {
    guard octets.count >= 20 else { return nil }
    self.octets = octets
  }

  func field(_ at: Int, _ size: Int) -> Int64 { Int64(truncatingIfNeeded: octets.bigEndian(at: at, size)) }

  /// The header with its options; nil when some of it is missing.
  var headerLength: Int? {
    let length = Int(octets[12] >> 4) * 4
    return length >= 20 && octets.count >= length ? length : nil
  }

  struct Option {
    var kind: UInt8
    /// Of the kind's octet.
    var offset: Int
    /// Where the next one begins; beyond the header when the option is cut off.
    var end: Int
  }

  /// The options in order, up to the end of the list or to one whose length is wrong, which is the last then.
  func options(in length: Int) -> [Option] {
    var found: [Option] = []
    var at = 20
    while at < length, octets[at] != 0 {
      var end = at + 1
      if octets[at] != 1 {
        guard end < length, octets[end] > 1 else {
          found.append(Option(kind: octets[at], offset: at, end: .max))
          break
        }
        end = at + Int(octets[end])
      }
      found.append(Option(kind: octets[at], offset: at, end: end))
      at = end
    }
    return found
  }

  /// `size` octets of the value of the first option of a kind: 0 when it is not there, nil when the header is not.
  func option(_ kind: UInt8, size: Int) -> Int64? {
    guard let length = headerLength else { return nil }
    guard let option = options(in: length).first(where: { $0.kind == kind }), option.end <= length,
      option.offset + 2 + size <= length
    else { return 0 }
    return field(option.offset + 2, size)
  }

  /// Whether an option of a kind is there.
  func has(_ kind: UInt8) -> Bool? {
    guard let length = headerLength else { return nil }
    return options(in: length).contains { $0.kind == kind && $0.end <= length }
  }
}

extension Bytes {
  /// `size` octets as a number, up to 8; the caller has looked that they are there.
  fileprivate func bigEndian(at start: Int, _ size: Int) -> UInt64 {
    var value: UInt64 = 0
    for i in 0..<size where start + i < count { value = value << 8 | UInt64(self[start + i]) }
    return value
  }
}
