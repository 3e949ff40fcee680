import Base

/// An address with a prefix length, as `except` and ACLs name networks.
struct Subnet {
  private let address: IPAddress
  private let bits: Int

  /// Reads `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `::1/128` or a bare address.
  init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1)
    guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
    self.address = address
    let whole = address.octets.count * 8
    guard parts.count == 2 else {
      bits = whole
      return
    }
    if let n = Int(parts[1]), n >= 0, n <= whole {
      bits = n
    } else if case .v4(let mask)? = IPAddress(String(parts[1])) {
      bits = mask.leadingZeroBitCount == 0 ? (~mask).leadingZeroBitCount : 0
    } else {
      return nil
    }
  }

  func contains(_ other: IPAddress) -> Bool {
    let (mine, theirs) = (address.octets, other.octets)
    guard mine.count == theirs.count else { return false }
    for i in 0..<(bits / 8) where mine[i] != theirs[i] { return false }
    let rest = bits % 8
    if rest == 0 { return true }
    let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - rest))
    return mine[bits / 8] & mask == theirs[bits / 8] & mask
  }
}
