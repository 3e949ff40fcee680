import Base

/// IP networks: one look-up per distinct prefix length, longest first, however many networks there are.
struct AddressTable: Sendable {
  private struct Key: Hashable {
    let high: UInt64
    let low: UInt64
  }
  private var four: [(length: Int, networks: [UInt32: Int])] = []
  private var six: [(length: Int, networks: [Key: Int])] = []
  /// Masks that are no prefix: rare, tried one by one.
  private var odd: [(network: UInt32, mask: UInt32, number: Int)] = []
  private(set) var count = 0

  init() {}

  init(_ networks: [IPNetwork]) {
    for network in networks { insert(network) }
    finish()
  }

  mutating func insert(_ network: IPNetwork) {
    let number = count
    count += 1
    switch network {
    case .v4(let address, let mask):
      let length = mask.nonzeroBitCount
      guard mask == IPNetwork.mask4(length) else {
        odd.append((address & mask, mask, number))
        return
      }
      if !four.contains(where: { $0.length == length }) { four.append((length, [:])) }
      for i in four.indices where four[i].length == length {
        if four[i].networks[address & mask] == nil { four[i].networks[address & mask] = number }
      }
    case .v6(let high, let low, let length):
      let mask = IPNetwork.mask6(length)
      let key = Key(high: high & mask.high, low: low & mask.low)
      if !six.contains(where: { $0.length == length }) { six.append((length, [:])) }
      for i in six.indices where six[i].length == length {
        if six[i].networks[key] == nil { six[i].networks[key] = number }
      }
    }
  }

  mutating func finish() {
    four.sort { $0.length > $1.length }
    six.sort { $0.length > $1.length }
  }

  /// The number of the narrowest network that holds `address`; IPv4 is also looked for among mapped IPv6 ones.
  func find(_ address: IPAddress) -> Int? {
    switch address {
    case .v4(let word):
      for class4 in four {
        if let number = class4.networks[word & IPNetwork.mask4(class4.length)] { return number }
      }
      for entry in odd where word & entry.mask == entry.network { return entry.number }
      return six.isEmpty ? nil : find6(0, 0xFFFF_0000_0000 | UInt64(word))
    case .v6(let high, let low):
      if let number = find6(high, low) { return number }
      // An IPv6 address that only wraps an IPv4 one is held against IPv4 networks too.
      if high == 0, low >> 32 == 0xFFFF || low >> 32 == 0, !four.isEmpty || !odd.isEmpty {
        return findMapped(UInt32(truncatingIfNeeded: low))
      }
      if high >> 48 == 0x2002, !four.isEmpty || !odd.isEmpty {
        return findMapped(UInt32(truncatingIfNeeded: high >> 16))
      }
      return nil
    }
  }

  private func findMapped(_ word: UInt32) -> Int? {
    for class4 in four {
      if let number = class4.networks[word & IPNetwork.mask4(class4.length)] { return number }
    }
    for entry in odd where word & entry.mask == entry.network { return entry.number }
    return nil
  }

  private func find6(_ high: UInt64, _ low: UInt64) -> Int? {
    for class6 in six {
      let mask = IPNetwork.mask6(class6.length)
      if let number = class6.networks[Key(high: high & mask.high, low: low & mask.low)] { return number }
    }
    return nil
  }
}

/// A network in CIDR or address/mask form.
enum IPNetwork: Hashable, Sendable {
  case v4(UInt32, mask: UInt32)
  case v6(high: UInt64, low: UInt64, length: Int)

  static func mask4(_ length: Int) -> UInt32 {
    length <= 0 ? 0 : length >= 32 ? .max : ~(UInt32.max >> UInt32(length))
  }

  static func mask6(_ length: Int) -> (high: UInt64, low: UInt64) {
    if length <= 0 { return (0, 0) }
    if length <= 64 { return (length == 64 ? .max : ~(UInt64.max >> UInt64(length)), 0) }
    return (.max, length >= 128 ? .max : ~(UInt64.max >> UInt64(length - 64)))
  }

  /// `a.b.c.d`, `a.b.c.d/n`, `a.b.c.d/m.m.m.m`, and the IPv6 forms with a length.
  init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let addressText = parts.first else { return nil }
    let suffix = parts.count > 1 ? String(parts[1]) : nil
    if let address = Numbers.address(Bytes(addressText)) {
      switch address {
      case .v4(let word):
        guard let suffix else {
          self = .v4(word, mask: .max)
          return
        }
        if let length = Int(suffix), (0...32).contains(length) {
          self = .v4(word, mask: IPNetwork.mask4(length))
        } else if let mask = Numbers.dottedQuad(Bytes(suffix)) {
          self = .v4(word, mask: mask)
        } else {
          return nil
        }
      case .v6(let high, let low):
        let length = suffix.map { Int($0) ?? -1 } ?? 128
        guard (0...128).contains(length) else { return nil }
        self = .v6(high: high, low: low, length: length)
      }
      return
    }
    // `10/8` and `192.168/16` stand for the network with zeros behind.
    let octets = addressText.split(separator: ".", omittingEmptySubsequences: false)
    guard octets.count < 4, octets.allSatisfy({ UInt8($0) != nil }), let suffix, let length = Int(suffix),
      (0...32).contains(length)
    else { return nil }
    var word: UInt32 = 0
    for i in 0..<4 { word = word << 8 | (i < octets.count ? UInt32(UInt8(octets[i]) ?? 0) : 0) }
    self = .v4(word, mask: IPNetwork.mask4(length))
  }
}
