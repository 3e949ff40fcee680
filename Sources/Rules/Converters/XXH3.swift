import Base

/// The 64-bit variant of XXH3 by the xxHash specification, with a seed.
enum XXH3 {
  private static let secret: [UInt8] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
  ]

  private static let p32: [UInt64] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D]
  private static let p64: [UInt64] = [
    0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
  ]

  static func hash(_ bytes: Bytes, seed: UInt64) -> UInt64 {
    let input = bytes.array
    switch input.count {
    case 0: return mix64(seed ^ read64(secret, 56) ^ read64(secret, 64))
    case 1...3: return upTo3(input, seed)
    case 4...8: return upTo8(input, seed)
    case 9...16: return upTo16(input, seed)
    case 17...128: return upTo128(input, seed)
    case 129...240: return upTo240(input, seed)
    default: return long(input, seed)
    }
  }

  // MARK: Short inputs

  private static func upTo3(_ input: [UInt8], _ seed: UInt64) -> UInt64 {
    let first = UInt64(input[0])
    let middle = UInt64(input[input.count >> 1])
    let last = UInt64(input[input.count - 1])
    let combined = first << 16 | middle << 24 | last | UInt64(input.count) << 8
    return mix64(combined ^ ((read32(secret, 0) ^ read32(secret, 4)) &+ seed))
  }

  private static func upTo8(_ input: [UInt8], _ seed: UInt64) -> UInt64 {
    let swapped = UInt64(UInt32(truncatingIfNeeded: seed).byteSwapped)
    let seed = seed ^ swapped << 32
    let combined = read32(input, input.count - 4) &+ read32(input, 0) << 32
    let flipped = (read64(secret, 8) ^ read64(secret, 16)) &- seed
    var hash = combined ^ flipped
    hash ^= rotate(hash, 49) ^ rotate(hash, 24)
    hash = hash &* 0x9FB2_1C65_1E98_DF25
    hash ^= (hash >> 35) &+ UInt64(input.count)
    hash = hash &* 0x9FB2_1C65_1E98_DF25
    return hash ^ hash >> 28
  }

  private static func upTo16(_ input: [UInt8], _ seed: UInt64) -> UInt64 {
    let flip1 = (read64(secret, 24) ^ read64(secret, 32)) &+ seed
    let flip2 = (read64(secret, 40) ^ read64(secret, 48)) &- seed
    let low = read64(input, 0) ^ flip1
    let high = read64(input, input.count - 8) ^ flip2
    return avalanche(UInt64(input.count) &+ low.byteSwapped &+ high &+ fold(low, high))
  }

  private static func upTo128(_ input: [UInt8], _ seed: UInt64) -> UInt64 {
    let count = input.count
    var sum = UInt64(count) &* p64[0]
    for round in stride(from: (count - 1) / 32, through: 0, by: -1) {
      sum = sum &+ mix16(input, 16 * round, 32 * round, seed)
      sum = sum &+ mix16(input, count - 16 * (round + 1), 32 * round + 16, seed)
    }
    return avalanche(sum)
  }

  private static func upTo240(_ input: [UInt8], _ seed: UInt64) -> UInt64 {
    let count = input.count
    var sum = UInt64(count) &* p64[0]
    for round in 0..<8 { sum = sum &+ mix16(input, 16 * round, 16 * round, seed) }
    sum = avalanche(sum)
    for round in 8..<(count / 16) { sum = sum &+ mix16(input, 16 * round, 16 * (round - 8) + 3, seed) }
    return avalanche(sum &+ mix16(input, count - 16, 136 - 17, seed))
  }

  private static func mix16(_ input: [UInt8], _ at: Int, _ key: Int, _ seed: UInt64) -> UInt64 {
    fold(
      read64(input, at) ^ (read64(secret, key) &+ seed),
      read64(input, at + 8) ^ (read64(secret, key + 8) &- seed))
  }

  // MARK: Long inputs

  private static func long(_ input: [UInt8], _ seed: UInt64) -> UInt64 {
    let key = seed == 0 ? secret : derived(seed)
    var lanes = [p32[2], p64[0], p64[1], p64[2], p64[3], p32[1], p64[4], p32[0]]
    let stripesInBlock = (key.count - 64) / 8
    let block = 64 * stripesInBlock
    let blocks = (input.count - 1) / block
    for number in 0..<blocks {
      for stripe in 0..<stripesInBlock {
        accumulate(&lanes, input, number * block + stripe * 64, key, stripe * 8)
      }
      scramble(&lanes, key)
    }
    let stripes = (input.count - 1 - block * blocks) / 64
    for stripe in 0..<stripes { accumulate(&lanes, input, blocks * block + stripe * 64, key, stripe * 8) }
    accumulate(&lanes, input, input.count - 64, key, key.count - 64 - 7)
    var result = UInt64(input.count) &* p64[0]
    for pair in 0..<4 {
      result =
        result
        &+ fold(
          lanes[2 * pair] ^ read64(key, 11 + 16 * pair), lanes[2 * pair + 1] ^ read64(key, 19 + 16 * pair))
    }
    return avalanche(result)
  }

  private static func derived(_ seed: UInt64) -> [UInt8] {
    var key: [UInt8] = []
    for i in 0..<12 {
      append(read64(secret, 16 * i) &+ seed, to: &key)
      append(read64(secret, 16 * i + 8) &- seed, to: &key)
    }
    return key
  }

  private static func append(_ word: UInt64, to out: inout [UInt8]) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      out.append(UInt8(truncatingIfNeeded: word >> shift))
    }
  }

  private static func accumulate(
    _ lanes: inout [UInt64], _ input: [UInt8], _ at: Int, _ key: [UInt8], _ offset: Int
  ) {
    for i in 0..<8 {
      let value = read64(input, at + 8 * i)
      let mixed = value ^ read64(key, offset + 8 * i)
      lanes[i ^ 1] = lanes[i ^ 1] &+ value
      lanes[i] = lanes[i] &+ (mixed & 0xFFFF_FFFF) &* (mixed >> 32)
    }
  }

  private static func scramble(_ lanes: inout [UInt64], _ key: [UInt8]) {
    for i in 0..<8 {
      lanes[i] ^= lanes[i] >> 47
      lanes[i] ^= read64(key, key.count - 64 + 8 * i)
      lanes[i] = lanes[i] &* p32[0]
    }
  }

  // MARK: Words

  private static func read32(_ bytes: [UInt8], _ at: Int) -> UInt64 {
    UInt64(bytes[at]) | UInt64(bytes[at + 1]) << 8 | UInt64(bytes[at + 2]) << 16 | UInt64(bytes[at + 3]) << 24
  }

  private static func read64(_ bytes: [UInt8], _ at: Int) -> UInt64 {
    read32(bytes, at) | read32(bytes, at + 4) << 32
  }

  private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }

  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.low ^ product.high
  }

  /// The last mix of XXH3.
  private static func avalanche(_ value: UInt64) -> UInt64 {
    var hash = value ^ value >> 37
    hash = hash &* 0x1656_6791_9E37_79F9
    return hash ^ hash >> 32
  }

  /// The last mix of XXH64.
  private static func mix64(_ value: UInt64) -> UInt64 {
    var hash = value ^ value >> 33
    hash = hash &* p64[1]
    hash ^= hash >> 29
    hash = hash &* p64[2]
    return hash ^ hash >> 32
  }
}
