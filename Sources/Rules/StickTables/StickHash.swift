/// Hashes of keys, with a secret seed: who chooses keys cannot choose where they go.
enum StickHash {
  @inline(__always)
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inline(__always)
  static func hash(_ key: UnsafeRawBufferPointer, seed: UInt64) -> UInt32 {
    var state = seed ^ 0x9E37_79B9_7F4A_7C15
    var at = 0
    while at + 8 <= key.count {
      state = mix(state ^ key.loadUnaligned(fromByteOffset: at, as: UInt64.self), 0xA076_1D64_78BD_642F)
      at += 8
    }
    var tail: UInt64 = 0
    if at + 4 <= key.count {
      tail = UInt64(key.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      at += 4
    }
    while at < key.count {
      tail = tail << 8 | UInt64(key[at])
      at += 1
    }
    state = mix(state ^ tail, 0xE703_7ED1_A0B4_28DB ^ UInt64(truncatingIfNeeded: key.count))
    state = mix(state ^ seed, 0x8EBC_6AF0_9C88_C6E3)
    return UInt32(truncatingIfNeeded: state ^ state >> 32)
  }
}
