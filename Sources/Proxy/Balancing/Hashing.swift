import Base
import Config

/// The hash functions of `hash-type`, with the results that HAProxy gives.
enum Hashing {
  /// The key's hash as the backend wants it; nil with `none` when the key is not a number.
  static func hash(_ key: Bytes, _ balance: Balance) -> UInt32 {
    let plain: UInt32 =
      switch balance.hashFunction {
      case .sdbm: sdbm(key)
      case .djb2: djb2(key)
      case .wt6: wt6(key)
      case .crc32: crc32(key)
      case .none: number(key)
      }
    return balance.avalanche ? avalanche(plain) : plain
  }

  /// `balance source`: the address folded into 32 bits.
  static func hash(_ address: IPAddress, _ balance: Balance) -> UInt32 {
    let plain: UInt32 =
      switch address {
      case .v4(let word): word
      case .v6(let high, let low):
        UInt32(truncatingIfNeeded: high >> 32) ^ UInt32(truncatingIfNeeded: high)
          ^ UInt32(truncatingIfNeeded: low >> 32) ^ UInt32(truncatingIfNeeded: low)
      }
    return balance.avalanche || balance.hashType == .consistent ? avalanche(plain) : plain
  }

  static func sdbm(_ key: Bytes) -> UInt32 {
    var h: UInt32 = 0
    for i in 0..<key.count { h = UInt32(key[i]) &+ (h << 6) &+ (h << 16) &- h }
    return h
  }

  static func djb2(_ key: Bytes) -> UInt32 {
    var h: UInt32 = 5381
    for i in 0..<key.count { h = ((h << 5) &+ h) &+ UInt32(key[i]) }
    return h
  }

  static func wt6(_ key: Bytes) -> UInt32 {
    var h0: UInt32 = 0xA53C_965A
    var h1: UInt32 = 0x5CA6_953A
    var step0: UInt32 = 6
    var step1: UInt32 = 18
    for i in 0..<key.count {
      let octet = UInt32(key[i])
      h0 = ~(h0 ^ octet)
      h1 = ~(h1 &+ octet)
      let turned = rotate(h1, step0)
      h1 = rotate(h0, step1)
      h0 = turned
      let mix = ((h0 >> 16) ^ h1) & 0xFFFF
      step0 = mix & 0x1F
      step1 = mix >> 11
    }
    return h0 ^ h1
  }

  private static func rotate(_ value: UInt32, _ n: UInt32) -> UInt32 { value << n | value >> ((32 &- n) & 31) }

  static func crc32(_ key: Bytes) -> UInt32 {
    var h: UInt32 = ~0
    for i in 0..<key.count {
      h ^= UInt32(key[i])
      for _ in 0..<8 { h = h & 1 != 0 ? (h >> 1) ^ 0xEDB8_8320 : h >> 1 }
    }
    return ~h
  }

  private static func number(_ key: Bytes) -> UInt32 {
    var value: UInt32 = 0
    for i in 0..<key.count {
      guard ASCII.isDigit(key[i]) else { break }
      value = value &* 10 &+ UInt32(key[i] &- 0x30)
    }
    return value
  }

  /// Spreads every input bit over the whole word (`avalanche`).
  static func avalanche(_ value: UInt32) -> UInt32 {
    var a = value
    a = (a &+ 0x7ED5_5D16) &+ (a << 12)
    a = (a ^ 0xC761_C23C) ^ (a >> 19)
    a = (a &+ 0x1656_67B1) &+ (a << 5)
    a = (a &+ 0xD3A2_646C) ^ (a << 9)
    a = (a &+ 0xFD70_46C5) &+ (a << 3)
    a = (a ^ 0xB55A_4F09) ^ (a >> 16)
    return a
  }
}
