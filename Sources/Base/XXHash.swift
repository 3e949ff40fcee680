/// xxHash by its specification (XXH32, XXH64).
public enum XXHash {
  private static let p32: [UInt32] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1]
  private static let p64: [UInt64] = [
    0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
  ]

  private static func rotate32(_ x: UInt32, _ n: UInt32) -> UInt32 { x << n | x >> (32 - n) }
  private static func rotate64(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }

  private static func read32(_ bytes: Bytes, _ at: Int) -> UInt32 {
    UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
  }

  private static func read64(_ bytes: Bytes, _ at: Int) -> UInt64 {
    UInt64(read32(bytes, at)) | UInt64(read32(bytes, at + 4)) << 32
  }

  public static func hash32(_ bytes: Bytes, seed: UInt32) -> UInt32 {
    var at = 0
    var hash: UInt32
    if bytes.count >= 16 {
      var lanes = [seed &+ p32[0] &+ p32[1], seed &+ p32[1], seed, seed &- p32[0]]
      while at + 16 <= bytes.count {
        for lane in 0..<4 {
          lanes[lane] = rotate32(lanes[lane] &+ read32(bytes, at) &* p32[1], 13) &* p32[0]
          at += 4
        }
      }
      hash =
        rotate32(lanes[0], 1) &+ rotate32(lanes[1], 7) &+ rotate32(lanes[2], 12) &+ rotate32(lanes[3], 18)
    } else {
      hash = seed &+ p32[4]
    }
    hash = hash &+ UInt32(truncatingIfNeeded: bytes.count)
    while at + 4 <= bytes.count {
      hash = rotate32(hash &+ read32(bytes, at) &* p32[2], 17) &* p32[3]
      at += 4
    }
    while at < bytes.count {
      hash = rotate32(hash &+ UInt32(bytes[at]) &* p32[4], 11) &* p32[0]
      at += 1
    }
    hash = (hash ^ hash >> 15) &* p32[1]
    hash = (hash ^ hash >> 13) &* p32[2]
    return hash ^ hash >> 16
  }

  private static func round64(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate64(lane &+ input &* p64[1], 31) &* p64[0]
  }

  public static func hash64(_ bytes: Bytes, seed: UInt64) -> UInt64 {
    var at = 0
    var hash: UInt64
    if bytes.count >= 32 {
      var lanes = [seed &+ p64[0] &+ p64[1], seed &+ p64[1], seed, seed &- p64[0]]
      while at + 32 <= bytes.count {
        for lane in 0..<4 {
          lanes[lane] = round64(lanes[lane], read64(bytes, at))
          at += 8
        }
      }
      hash =
        rotate64(lanes[0], 1) &+ rotate64(lanes[1], 7) &+ rotate64(lanes[2], 12) &+ rotate64(lanes[3], 18)
      for lane in lanes { hash = (hash ^ round64(0, lane)) &* p64[0] &+ p64[3] }
    } else {
      hash = seed &+ p64[4]
    }
    hash = hash &+ UInt64(bytes.count)
    while at + 8 <= bytes.count {
      hash = rotate64(hash ^ round64(0, read64(bytes, at)), 27) &* p64[0] &+ p64[3]
      at += 8
    }
    if at + 4 <= bytes.count {
      hash = rotate64(hash ^ UInt64(read32(bytes, at)) &* p64[0], 23) &* p64[1] &+ p64[2]
      at += 4
    }
    while at < bytes.count {
      hash = rotate64(hash ^ UInt64(bytes[at]) &* p64[4], 11) &* p64[0]
      at += 1
    }
    hash = (hash ^ hash >> 33) &* p64[1]
    hash = (hash ^ hash >> 29) &* p64[2]
    return hash ^ hash >> 32
  }
}
