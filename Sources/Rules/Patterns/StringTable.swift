import Base

/// A hash table from strings to the order in which they were added; optionally blind to case.
struct StringTable: Sendable {
  let folds: Bool
  private(set) var keys: [Bytes] = []
  /// Key number plus one, 0 for a free slot; a power of two long.
  private var slots: [UInt32] = Array(repeating: 0, count: 8)

  init(folds: Bool) { self.folds = folds }

  var count: Int { keys.count }
  /// So many are compared one by one, which takes less than hashing.
  private static let fewKeys = 3

  /// The number of `key`, which is added unless it is there.
  mutating func insert(_ key: Bytes) -> Int {
    if let known = find(key) { return known }
    // Keys are copied out of whatever larger text they were cut from.
    keys.append(Bytes(folds ? key.lowercased.array : key.array))
    if keys.count * 2 > slots.count {
      slots = Array(repeating: 0, count: slots.count * 2)
      for number in keys.indices { place(number) }
    } else {
      place(keys.count - 1)
    }
    return keys.count - 1
  }

  private mutating func place(_ number: Int) {
    let key = keys[number]
    var slot = Int(truncatingIfNeeded: hash(key.span)) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(number + 1)
  }

  func find(_ key: Bytes) -> Int? { find(key.span) }

  func find(_ key: borrowing Span<UInt8>) -> Int? {
    if keys.count <= StringTable.fewKeys {
      for number in keys.indices {
        let stored = keys[number]
        if equals(stored.span, key) { return number }
      }
      return nil
    }
    var slot = Int(truncatingIfNeeded: hash(key)) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      let stored = keys[number]
      if equals(stored.span, key) { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private func hash(_ key: borrowing Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    if folds {
      for i in 0..<key.count { hash = (hash ^ UInt64(ASCII.lower(key[i]))) &* 0x100_0000_01B3 }
    } else {
      for i in 0..<key.count { hash = (hash ^ UInt64(key[i])) &* 0x100_0000_01B3 }
    }
    return hash ^ hash >> 32
  }

  private func equals(_ stored: borrowing Span<UInt8>, _ key: borrowing Span<UInt8>) -> Bool {
    guard stored.count == key.count else { return false }
    if folds {
      for i in 0..<key.count where stored[i] != ASCII.lower(key[i]) { return false }
    } else {
      for i in 0..<key.count where stored[i] != key[i] { return false }
    }
    return true
  }
}
