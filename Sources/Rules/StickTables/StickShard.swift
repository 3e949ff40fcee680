import Glibc

/// A part of a table: the entries whose keys hash to it. It lives inside of a lock.
///
/// Entries lie in slabs and keep their place while they live. A wheel of slots orders them by the time at which they
/// expire; using an entry only writes its new expiry, and it moves to the right slot when its old one is due. So
/// nothing costs more than a constant, whatever the size of the table.
struct StickShard: ~Copyable {
  static let none = UInt32.max
  /// Entries of a slab.
  static let slabEntries = 64
  static let slotCount = 64
  /// Where entries wait that do not expire and have not been used for long.
  private static let old = slotCount
  /// How many entries of the earliest slot are looked at for the oldest.
  private static let evictionScan = 256

  private let stride: Int
  private let keyOffset: Int
  private let keyLength: Int
  /// Milliseconds of a slot of the wheel.
  private let slotWidth: Int64
  let expires: Bool
  private var slabs: [Slab] = []
  /// The memory of each slab, nil where there is none now.
  private var bases: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private var baseRoom = 16
  /// Numbers of slabs with room; each at most once.
  private var roomy: [UInt32] = []
  private var buckets: UnsafeMutablePointer<UInt32>
  private var bucketCount = 16
  private(set) var count = 0
  private let heads: UnsafeMutablePointer<UInt32>
  private let tails: UnsafeMutablePointer<UInt32>
  /// The first slot number that is not yet done with.
  private var cursor: Int64 {
    didSet { due = (cursor + 1) * slotWidth }
  }
  /// When `expire` has something to do.
  private(set) var due: Int64
  private var generation: UInt32 = 0
  /// Entries that changed since they were last asked for: index and generation.
  var dirty: [(index: UInt32, generation: UInt32)] = []

  private struct Slab {
    var free = StickShard.none
    var live = 0
    var isRoomy = false
  }

  init(layout: StickTableLayout, lifetime: Int64, expires: Bool, now: Int64) {
    stride = layout.stride
    keyOffset = layout.keyOffset
    keyLength = layout.keyLength
    self.expires = expires
    slotWidth = Swift.max(1, (lifetime + Int64(StickShard.slotCount) - 3) / Int64(StickShard.slotCount - 2))
    bases = .allocate(capacity: baseRoom)
    buckets = .allocate(capacity: bucketCount)
    buckets.initialize(repeating: StickShard.none, count: bucketCount)
    heads = .allocate(capacity: StickShard.slotCount + 1)
    tails = .allocate(capacity: StickShard.slotCount + 1)
    heads.initialize(repeating: StickShard.none, count: StickShard.slotCount + 1)
    tails.initialize(repeating: StickShard.none, count: StickShard.slotCount + 1)
    cursor = now / slotWidth
    due = (now / slotWidth + 1) * slotWidth
  }

  deinit {
    for slab in 0..<slabs.count { free(bases[slab]) }
    bases.deallocate()
    buckets.deallocate()
    heads.deallocate()
    tails.deallocate()
  }

  // MARK: Places

  @inline(__always)
  func base(_ index: UInt32) -> UnsafeMutableRawPointer? {
    let slab = Int(index) / StickShard.slabEntries
    guard slab < slabs.count, let base = bases[slab] else { return nil }
    return base + (Int(index) % StickShard.slabEntries) * stride
  }

  @inline(__always)
  private func load(_ index: UInt32, _ offset: Int) -> UInt32 {
    base(index)?.load(fromByteOffset: offset, as: UInt32.self) ?? StickShard.none
  }

  @inline(__always)
  private func store(_ value: UInt32, _ index: UInt32, _ offset: Int) {
    base(index)?.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
  }

  private func expiry(_ index: UInt32) -> Int64 {
    base(index)?.load(fromByteOffset: StickHeader.expiry, as: Int64.self) ?? 0
  }

  private mutating func takePlace() -> UInt32? {
    while let number = roomy.last {
      let slab = Int(number)
      if bases[slab] == nil, !fill(slab) { return nil }
      let place = slabs[slab].free
      guard place != StickShard.none else {
        slabs[slab].isRoomy = false
        roomy.removeLast()
        continue
      }
      slabs[slab].free = load(place, StickHeader.next)
      slabs[slab].live += 1
      return place
    }
    guard slabs.count < Int(StickShard.none) / StickShard.slabEntries else { return nil }
    if slabs.count == baseRoom { growBases() }
    bases[slabs.count] = nil
    slabs.append(Slab(isRoomy: true))
    roomy.append(UInt32(slabs.count - 1))
    return takePlace()
  }

  private mutating func growBases() {
    let grown = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: baseRoom * 2)
    grown.update(from: bases, count: baseRoom)
    bases.deallocate()
    bases = grown
    baseRoom *= 2
  }

  private mutating func fill(_ slab: Int) -> Bool {
    guard let memory = malloc(stride * StickShard.slabEntries) else { return false }
    bases[slab] = memory
    let first = UInt32(slab * StickShard.slabEntries)
    for i in 0..<UInt32(StickShard.slabEntries) {
      let isLast = i == UInt32(StickShard.slabEntries) - 1
      store(isLast ? StickShard.none : first + i + 1, first + i, StickHeader.next)
      base(first + i)?.storeBytes(of: 0, toByteOffset: StickHeader.flags, as: UInt8.self)
    }
    slabs[slab].free = first
    return true
  }

  private mutating func givePlace(_ index: UInt32) {
    let slab = Int(index) / StickShard.slabEntries
    base(index)?.storeBytes(of: 0, toByteOffset: StickHeader.flags, as: UInt8.self)
    store(slabs[slab].free, index, StickHeader.next)
    slabs[slab].free = index
    slabs[slab].live -= 1
    if !slabs[slab].isRoomy {
      slabs[slab].isRoomy = true
      roomy.append(UInt32(slab))
    }
    if slabs[slab].live == 0 {
      free(bases[slab])
      bases[slab] = nil
      slabs[slab].free = StickShard.none
    }
  }

  // MARK: Keys

  @inline(__always)
  func find(_ key: UnsafeRawBufferPointer, hash: UInt32) -> UInt32? {
    var index = buckets[Int(hash) & (bucketCount - 1)]
    while index != StickShard.none, let entry = base(index) {
      if entry.load(fromByteOffset: StickHeader.hash, as: UInt32.self) == hash,
        Int(entry.load(fromByteOffset: StickHeader.keyLength, as: UInt16.self)) == key.count,
        isEqual(key, entry + keyOffset)
      {
        return index
      }
      index = entry.load(fromByteOffset: StickHeader.next, as: UInt32.self)
    }
    return nil
  }

  @inline(__always)
  private func isEqual(_ key: UnsafeRawBufferPointer, _ other: UnsafeMutableRawPointer) -> Bool {
    guard let start = key.baseAddress, !key.isEmpty else { return true }
    if key.count == 4 { return start.loadUnaligned(as: UInt32.self) == other.loadUnaligned(as: UInt32.self) }
    return memcmp(start, other, key.count) == 0
  }

  /// A new entry with all data zero; nil without memory.
  mutating func insert(_ key: UnsafeRawBufferPointer, hash: UInt32, expiry: Int64) -> UInt32? {
    if count >= bucketCount { grow() }
    guard let index = takePlace(), let entry = base(index) else { return nil }
    memset(entry, 0, stride)
    generation &+= 1
    entry.storeBytes(of: hash, toByteOffset: StickHeader.hash, as: UInt32.self)
    entry.storeBytes(of: expiry, toByteOffset: StickHeader.expiry, as: Int64.self)
    entry.storeBytes(of: generation, toByteOffset: StickHeader.generation, as: UInt32.self)
    let length = Swift.min(key.count, keyLength)
    entry.storeBytes(
      of: UInt16(truncatingIfNeeded: length), toByteOffset: StickHeader.keyLength, as: UInt16.self)
    entry.storeBytes(of: StickFlags.isUsed.rawValue, toByteOffset: StickHeader.flags, as: UInt8.self)
    if let from = key.baseAddress { memcpy(entry + keyOffset, from, length) }
    let bucket = Int(hash) & (bucketCount - 1)
    store(buckets[bucket], index, StickHeader.next)
    buckets[bucket] = index
    link(index)
    count += 1
    return index
  }

  mutating func remove(_ index: UInt32) {
    unlink(index)
    let bucket = Int(load(index, StickHeader.hash)) & (bucketCount - 1)
    let next = load(index, StickHeader.next)
    if buckets[bucket] == index {
      buckets[bucket] = next
    } else {
      var before = buckets[bucket]
      while before != StickShard.none, load(before, StickHeader.next) != index {
        before = load(before, StickHeader.next)
      }
      if before != StickShard.none { store(next, before, StickHeader.next) }
    }
    count -= 1
    givePlace(index)
  }

  private mutating func grow() {
    let (old, oldCount) = (buckets, bucketCount)
    bucketCount *= 2
    buckets = .allocate(capacity: bucketCount)
    buckets.initialize(repeating: StickShard.none, count: bucketCount)
    for bucket in 0..<oldCount {
      var index = old[bucket]
      while index != StickShard.none {
        let next = load(index, StickHeader.next)
        let place = Int(load(index, StickHeader.hash)) & (bucketCount - 1)
        store(buckets[place], index, StickHeader.next)
        buckets[place] = index
        index = next
      }
    }
    old.deallocate()
  }

  /// All entries' indices, slab by slab.
  func indices(in slab: Int) -> [UInt32] {
    guard slab < slabs.count, bases[slab] != nil else { return [] }
    let first = UInt32(slab * StickShard.slabEntries)
    return (first..<(first + UInt32(StickShard.slabEntries))).filter {
      (base($0)?.load(fromByteOffset: StickHeader.flags, as: UInt8.self) ?? 0) & StickFlags.isUsed.rawValue
        != 0
    }
  }

  var slabCount: Int { slabs.count }

  // MARK: Time

  private func slot(_ expiry: Int64) -> Int { Int(expiry / slotWidth) & (StickShard.slotCount - 1) }

  private mutating func link(_ index: UInt32, slot wanted: Int? = nil) {
    // What expired while it was held goes into the next slot that is looked at.
    let number = wanted ?? slot(Swift.max(expiry(index), cursor * slotWidth))
    base(index)?.storeBytes(of: UInt8(number), toByteOffset: StickHeader.slot, as: UInt8.self)
    store(tails[number], index, StickHeader.before)
    store(StickShard.none, index, StickHeader.behind)
    if tails[number] != StickShard.none {
      store(index, tails[number], StickHeader.behind)
    } else {
      heads[number] = index
    }
    tails[number] = index
  }

  private mutating func unlink(_ index: UInt32) {
    let number = Int(base(index)?.load(fromByteOffset: StickHeader.slot, as: UInt8.self) ?? 0)
    let before = load(index, StickHeader.before)
    let behind = load(index, StickHeader.behind)
    if before != StickShard.none {
      store(behind, before, StickHeader.behind)
    } else {
      heads[number] = behind
    }
    if behind != StickShard.none { store(before, behind, StickHeader.before) } else { tails[number] = before }
  }

  /// Removes what expired in the slots that are over; gives how many entries that were. With `exactly`, also what
  /// expired in the slot that is not over yet.
  mutating func expire(now: Int64, exactly: Bool = false) -> Int {
    var removed = 0
    let present = now / slotWidth
    if cursor < present {
      cursor = Swift.max(cursor, present - Int64(StickShard.slotCount))
      while cursor < present {
        cursor += 1
        removed += clear(Int(cursor - 1) & (StickShard.slotCount - 1), now: now)
      }
    }
    if exactly, expires { removed += clear(Int(present) & (StickShard.slotCount - 1), now: now) }
    return removed
  }

  /// Goes through a slot once: entries that were used meanwhile move to where they belong now.
  private mutating func clear(_ number: Int, now: Int64) -> Int {
    var removed = 0
    var index = heads[number]
    let last = tails[number]
    while index != StickShard.none {
      let next = index == last ? StickShard.none : load(index, StickHeader.behind)
      if expiry(index) > now || load(index, StickHeader.holders) > 0 {
        unlink(index)
        link(index)
      } else if expires {
        remove(index)
        removed += 1
      } else {
        unlink(index)
        link(index, slot: StickShard.old)
      }
      index = next
    }
    return removed
  }

  /// Removes the entry that was not used for the longest time; false when all are held.
  mutating func evictOldest(now: Int64) -> Bool {
    if evict(from: StickShard.old, now: now) { return true }
    for step in 0..<Int64(StickShard.slotCount)
    where evict(from: Int(cursor + step) & (StickShard.slotCount - 1), now: now) {
      return true
    }
    return false
  }

  private mutating func evict(from number: Int, now: Int64) -> Bool {
    var oldest = StickShard.none
    var looked = 0
    var index = heads[number]
    let last = tails[number]
    while index != StickShard.none, looked < StickShard.evictionScan {
      looked += 1
      let next = index == last ? StickShard.none : load(index, StickHeader.behind)
      let expiry = expiry(index)
      if number == StickShard.old ? expiry > now : expiry >= cursor * slotWidth && slot(expiry) != number {
        unlink(index)
        link(index)
      } else if load(index, StickHeader.holders) == 0 {
        if oldest == StickShard.none || expiry < self.expiry(oldest) { oldest = index }
      }
      index = next
    }
    if oldest == StickShard.none { return false }
    remove(oldest)
    return true
  }
}
