public import Base
public import Config
import Synchronization

/// A stick table: keys with what is stored for each, shared by all workers.
///
/// Keys are spread over shards by their hash; a shard's lock protects its entries, and no two are held at once. The
/// number of entries is one atomic. Times are milliseconds of the monotonic clock.
public final class StickTable: @unchecked Sendable {
  public let name: String
  /// What peers call the table.
  public let wireName: String
  public let layout: StickTableLayout
  /// The most entries.
  public let capacity: Int
  /// nil: entries only leave when they are pushed out.
  public let expire: Timespan?
  public let refusesToPurge: Bool
  public let isReceiveOnly: Bool
  public let serverKey: StickTableSettings.ServerKey
  public let byteRateFactor: Int
  /// The `peers` section that shares the table.
  public let peersName: String?
  public let writeToName: String?
  /// `shards` of that section.
  private let peerShards: UInt64
  public let location: SourceLocation
  private let lifetime: Int64
  /// The layout's, so that a look at an entry counts no references.
  private let places: UnsafeMutablePointer<StickTableLayout.Place>
  private let events: UnsafeMutablePointer<StickCells>
  private let keyOffset: Int
  let keyLength: Int
  public let keyType: StickTableSettings.KeyType
  let eventMask: UInt8
  /// Each shard is only touched with the lock of its number held.
  private let locks: UnsafeMutablePointer<Mutex<Void>>
  private let shards: UnsafeMutablePointer<StickShard>
  public let shardCount: Int
  private let used = Atomic<Int>(0)
  private let seed: UInt64
  /// Entries are noted when they change; see `takeChanges`.
  private let notesChanges = Atomic<Bool>(false)
  private let hasChanges = Atomic<Bool>(false)
  /// Called on the thread that makes the first change since `takeChanges`.
  private let whenChanged = Mutex<(@Sendable () -> Void)?>(nil)

  /// How long what never expires counts as recently used.
  private static let recent: Int64 = 3_600_000

  public init(
    _ settings: StickTableSettings, peerShards: Int = 0, now: Instant, seed: UInt64 = .random(in: .min ... .max)
  ) {
    name = settings.name
    wireName = settings.wireName
    location = settings.location
    layout = StickTableLayout(
      keyType: settings.keyType, keyLength: settings.keyLength, stores: settings.stores)
    places = layout.places
    events = layout.events
    keyOffset = layout.keyOffset
    keyLength = layout.keyLength
    keyType = layout.keyType
    eventMask = layout.eventMask
    capacity = settings.size
    expire = settings.expire
    refusesToPurge = settings.refusesToPurge
    isReceiveOnly = settings.isReceiveOnly
    serverKey = settings.serverKey
    byteRateFactor = settings.byteRateFactor
    peersName = settings.peers?.text
    writeToName = settings.writeTo?.text
    self.peerShards = UInt64(clamping: peerShards)
    lifetime = settings.expire.map(\.milliseconds) ?? StickTable.recent
    self.seed = seed
    shardCount = settings.size < 4096 ? 1 : settings.size < 65_536 ? 8 : 64
    locks = .allocate(capacity: shardCount)
    shards = .allocate(capacity: shardCount)
    for number in 0..<shardCount {
      (locks + number).initialize(to: Mutex(()))
      (shards + number).initialize(
        to: StickShard(
          layout: layout, lifetime: lifetime, expires: settings.expire != nil, now: StickTable.time(now)))
    }
  }

  deinit {
    locks.deinitialize(count: shardCount)
    shards.deinitialize(count: shardCount)
    locks.deallocate()
    shards.deallocate()
  }

  @inline(__always)
  private func withShard<R>(_ number: Int, _ body: (inout StickShard) -> R) -> R {
    var result: R?
    locks[number].withLock { _ in result = body(&shards[number]) }
    // `withLock` ran the body.
    return result.unsafelyUnwrapped
  }

  @inline(__always)
  public static func time(_ instant: Instant) -> Int64 { instant.microseconds / 1000 }

  /// Entries in the table, some of which may have just expired.
  public var count: Int { used.load(ordering: .relaxed) }
  public var room: Int { Swift.max(0, capacity - count) }

  // MARK: Entries

  @inline(__always)
  private func view(_ base: UnsafeMutableRawPointer, _ now: Int64) -> StickEntry {
    StickEntry(
      base: base, places: places, events: events, keyOffset: keyOffset, now: now,
      byteRateFactor: UInt64(byteRateFactor))
  }

  /// Looks at an entry, or changes it without renewing it; nil when there is none.
  public func with<R>(
    _ key: UnsafeRawBufferPointer, now: Int64, _ body: (StickEntry) -> R
  ) -> R? {
    let hash = hash(key)
    return withShard(shard(hash)) { shard -> R? in
      guard let base = find(key, hash, now, &shard) else { return nil }
      return body(view(base, now))
    }
  }

  /// Changes an entry and renews it. nil when there is none.
  public func change<R>(
    _ key: UnsafeRawBufferPointer, now: Int64, _ body: (StickEntry) -> R
  ) -> R? {
    let hash = hash(key)
    let number = shard(hash)
    let (result, wasFirst) = withShard(number) { shard -> (R?, Bool) in
      guard let index = findIndex(key, hash, now, &shard), let base = shard.base(index) else {
        return (nil, false)
      }
      let result = body(view(base, now))
      return (result, touch(index, base, now, &shard))
    }
    if wasFirst { announce() }
    return result
  }

  /// The same, for an entry that is made if there is none; nil when the table is full or memory is.
  public func change<R>(
    creating key: UnsafeRawBufferPointer, now: Int64, _ body: (StickEntry) -> R
  ) -> R? {
    inserting(key, now) { shard, index, base in
      let result = body(view(base, now))
      return (result, touch(index, base, now, &shard))
    }
  }

  /// Finds or makes an entry and holds it until `release`; `body` sees it at once.
  public func hold(
    _ key: UnsafeRawBufferPointer, now: Int64, _ body: (StickEntry) -> Void
  ) -> HeldEntry? {
    let number = UInt32(shard(hash(key)))
    return inserting(key, now) { shard, index, base in
      let entry = view(base, now)
      entry.holders &+= 1
      body(entry)
      return (
        HeldEntry(table: self, shard: number, index: index, base: base), touch(index, base, now, &shard)
      )
    }
  }

  /// Makes the entry if need be, then runs `body` on it; the second result of `body` says whether it is the first
  /// change that is noted.
  private func inserting<R>(
    _ key: UnsafeRawBufferPointer, _ now: Int64,
    _ body: (inout StickShard, UInt32, UnsafeMutableRawPointer) -> (R, Bool)
  ) -> R? {
    let hash = hash(key)
    let number = shard(hash)
    var attempts = 0
    while true {
      // What makes room is done outside of the lock, since it may concern another shard.
      let (outcome, wasFirst) = withShard(number) { shard -> (R??, Bool) in
        removeExpired(&shard, now)
        var index = findIndex(key, hash, now, &shard)
        if index == nil {
          guard reserve() else { return (nil, false) }
          index = shard.insert(key, hash: hash, expiry: now + lifetime)
          if index == nil { used.subtract(1, ordering: .relaxed) }
        }
        guard let index, let base = shard.base(index) else { return (.some(nil), false) }
        let (result, wasFirst) = body(&shard, index, base)
        return (.some(result), wasFirst)
      }
      if wasFirst { announce() }
      if let outcome { return outcome }
      attempts += 1
      guard attempts <= 3, !refusesToPurge || removeAllExpired(now), makeRoom(beside: hash, now) else {
        return nil
      }
    }
  }

  private func reserve() -> Bool {
    var seen = used.load(ordering: .relaxed)
    while seen < capacity {
      let (done, original) = used.weakCompareExchange(expected: seen, desired: seen + 1, ordering: .relaxed)
      if done { return true }
      seen = original
    }
    return false
  }

  /// Pushes out an entry: of the key's own shard if that has one to spare, else of the next that has.
  private func makeRoom(beside hash: UInt32, _ now: Int64) -> Bool {
    if count < capacity { return true }
    if refusesToPurge { return false }
    let first = shard(hash)
    for step in 0..<shardCount {
      let evicted = withShard((first + step) % shardCount) { $0.evictOldest(now: now) }
      if evicted {
        used.subtract(1, ordering: .relaxed)
        return true
      }
    }
    return false
  }

  /// True when that made room.
  private func removeAllExpired(_ now: Int64) -> Bool {
    sweep(now: now, exactly: true)
    return count < capacity
  }

  @inline(__always)
  private func removeExpired(_ shard: inout StickShard, _ now: Int64) {
    if now < shard.due { return }
    let removed = shard.expire(now: now)
    if removed > 0 { used.subtract(removed, ordering: .relaxed) }
  }

  @inline(__always)
  private func findIndex(
    _ key: UnsafeRawBufferPointer, _ hash: UInt32, _ now: Int64, _ shard: inout StickShard
  ) -> UInt32? {
    guard let index = shard.find(key, hash: hash) else { return nil }
    guard shard.expires, let base = shard.base(index) else { return index }
    let entry = view(base, now)
    if entry.expiry > now || entry.holders > 0 { return index }
    shard.remove(index)
    used.subtract(1, ordering: .relaxed)
    return nil
  }

  private func find(
    _ key: UnsafeRawBufferPointer, _ hash: UInt32, _ now: Int64, _ shard: inout StickShard
  ) -> UnsafeMutableRawPointer? {
    findIndex(key, hash, now, &shard).flatMap { shard.base($0) }
  }

  /// Renews an entry; true when it is the first change that was noted.
  @inline(__always)
  private func touch(
    _ index: UInt32, _ base: UnsafeMutableRawPointer, _ now: Int64, _ shard: inout StickShard
  ) -> Bool {
    let entry = view(base, now)
    entry.expiry = now + lifetime
    return notesChanges.load(ordering: .relaxed) && note(index, entry, &shard)
  }

  // MARK: Held entries

  /// Changes an entry that is held, and renews it.
  @inline(__always)
  func change<R>(_ held: HeldEntry, now: Int64, _ body: (StickEntry) -> R) -> R {
    let (result, wasFirst) = withShard(Int(held.shard)) { shard in
      let result = body(view(held.base, now))
      return (result, touch(held.index, held.base, now, &shard))
    }
    if wasFirst { announce() }
    return result
  }

  /// Looks at an entry that is held.
  @inline(__always)
  func with<R>(_ held: HeldEntry, now: Int64, _ body: (StickEntry) -> R) -> R {
    withShard(Int(held.shard)) { _ in body(view(held.base, now)) }
  }

  /// The key of an entry that is held; it does not change meanwhile.
  func key(of held: HeldEntry) -> UnsafeRawBufferPointer { view(held.base, 0).key }

  /// Ends a hold; `body` sees the entry for the last time.
  func release(_ held: HeldEntry, now: Int64, _ body: (StickEntry) -> Bool) {
    let wasFirst = withShard(Int(held.shard)) { shard -> Bool in
      let entry = view(held.base, now)
      var wasFirst = false
      if body(entry) { wasFirst = touch(held.index, held.base, now, &shard) }
      entry.holders &-= 1
      if entry.holders == 0, shard.expires, entry.expiry <= now {
        shard.remove(held.index)
        used.subtract(1, ordering: .relaxed)
      }
      return wasFirst
    }
    if wasFirst { announce() }
  }

  // MARK: The whole table

  /// Removes what has expired, and says how much that was; for the owner's clockwork, and before entries are counted.
  @discardableResult
  public func sweep(now: Int64, exactly: Bool = false) -> Int {
    var all = 0
    for number in 0..<shardCount {
      let removed = withShard(number) { $0.expire(now: now, exactly: exactly) }
      if removed > 0 { used.subtract(removed, ordering: .relaxed) }
      all += removed
    }
    return all
  }

  /// How many steps `visit` takes in a shard.
  public func slabCount(ofShard shard: Int) -> Int { withShard(shard) { $0.slabCount } }

  /// Shows every entry of one slab of one shard, with the shard locked; removes those for which `body` says so, unless
  /// they are held.
  public func visit(shard: Int, slab: Int, now: Int64, _ body: (StickEntry) -> Bool) {
    var removed = 0
    withShard(shard) { shard in
      for index in shard.indices(in: slab) {
        guard let base = shard.base(index) else { continue }
        let entry = view(base, now)
        if expire != nil, entry.expiry <= now, entry.holders == 0 { continue }
        if body(entry), entry.holders == 0 {
          shard.remove(index)
          removed += 1
        }
      }
    }
    if removed > 0 { used.subtract(removed, ordering: .relaxed) }
  }

  public enum Removal: Sendable { case absent, isHeld, removed }

  public func remove(_ key: UnsafeRawBufferPointer, now: Int64) -> Removal {
    let hash = hash(key)
    return withShard(shard(hash)) { shard in
      guard let index = findIndex(key, hash, now, &shard), let base = shard.base(index) else {
        return .absent
      }
      if view(base, now).holders > 0 { return .isHeld }
      shard.remove(index)
      used.subtract(1, ordering: .relaxed)
      return .removed
    }
  }

  /// Which of the `shards` of its peers section a key belongs to, from 1; 0 where there are none. All peers agree on it.
  public func peerShard(of entry: StickEntry) -> Int {
    guard peerShards > 0 else { return 0 }
    let seed = XXHash.hash64(Bytes(name), seed: 0)
    return Int(truncatingIfNeeded: XXHash.hash64(Bytes(Array(entry.key)), seed: seed) % peerShards) + 1
  }

  /// How many milliseconds an entry has left; 0 when entries do not expire.
  public func remaining(_ entry: StickEntry) -> Int64 {
    expire == nil ? 0 : Swift.max(0, entry.expiry - entry.now)
  }

  /// Sets how long an entry has left, at most a whole life.
  public func setRemaining(_ entry: StickEntry, _ milliseconds: Int64) {
    entry.expiry = entry.now + Swift.min(Swift.max(0, milliseconds), lifetime)
  }

  // MARK: Keys

  @inline(__always)
  private func hash(_ key: UnsafeRawBufferPointer) -> UInt32 { StickHash.hash(key, seed: seed) }

  @inline(__always)
  private func shard(_ hash: UInt32) -> Int { Int(hash >> 24) & (shardCount - 1) }
}

/// An entry that cannot expire or be pushed out, because a session or stream holds it.
public struct HeldEntry: @unchecked Sendable {
  // Tables live as long as the rules, and those longer than any stream.
  public unowned(unsafe) let table: StickTable
  let shard: UInt32
  let index: UInt32
  let base: UnsafeMutableRawPointer
}

// MARK: Changes for peers

extension StickTable {
  /// A change that was noted: the place of an entry and its generation.
  public struct Change: Sendable {
    public let shard: UInt32
    public let index: UInt32
    public let generation: UInt32
  }

  /// Begins to note changes; `whenChanged` is called, on any thread, for the first after each `takeChanges`.
  public func noteChanges(_ whenChanged: @escaping @Sendable () -> Void) {
    self.whenChanged.withLock { $0 = whenChanged }
    notesChanges.store(true, ordering: .releasing)
  }

  private func note(_ index: UInt32, _ entry: StickEntry, _ shard: inout StickShard) -> Bool {
    entry.flags.remove(.isRemote)
    if entry.flags.contains(.isDirty) { return false }
    entry.flags.insert(.isDirty)
    shard.dirty.append((index, entry.load(StickHeader.generation, as: UInt32.self)))
    return !hasChanges.load(ordering: .relaxed)
      && !hasChanges.exchange(true, ordering: .acquiringAndReleasing)
  }

  private func announce() { whenChanged.withLock { $0 }?() }

  /// The entries that changed here since the last call.
  public func takeChanges() -> [Change] {
    hasChanges.store(false, ordering: .sequentiallyConsistent)
    var changes: [Change] = []
    for number in 0..<shardCount {
      withShard(number) { shard in
        for note in shard.dirty {
          changes.append(Change(shard: UInt32(number), index: note.index, generation: note.generation))
          guard let base = shard.base(note.index) else { continue }
          let entry = view(base, 0)
          if entry.load(StickHeader.generation, as: UInt32.self) == note.generation {
            entry.flags.remove(.isDirty)
          }
        }
        shard.dirty.removeAll(keepingCapacity: true)
      }
    }
    return changes
  }

  /// The entry that a change is about, if it is still there.
  public func with<R>(_ change: Change, now: Int64, _ body: (StickEntry) -> R) -> R? {
    guard Int(change.shard) < shardCount else { return nil }
    return withShard(Int(change.shard)) { shard -> R? in
      guard let base = shard.base(change.index) else { return nil }
      let entry = view(base, now)
      guard entry.flags.contains(.isUsed),
        entry.load(StickHeader.generation, as: UInt32.self) == change.generation
      else { return nil }
      return body(entry)
    }
  }

  /// Every entry as if it had changed, for teaching a peer all there is.
  public func allEntries() -> [Change] {
    var changes: [Change] = []
    for number in 0..<shardCount {
      withShard(number) { shard in
        for slab in 0..<shard.slabCount {
          for index in shard.indices(in: slab) {
            guard let base = shard.base(index) else { continue }
            let generation = base.load(fromByteOffset: StickHeader.generation, as: UInt32.self)
            changes.append(Change(shard: UInt32(number), index: index, generation: generation))
          }
        }
      }
    }
    return changes
  }

  /// Takes what a peer says of a key, without telling other peers; nil when there is no room.
  public func learn<R>(
    _ key: UnsafeRawBufferPointer, now: Int64, remaining: Int64?, _ body: (StickEntry) -> R
  ) -> R? {
    inserting(key, now) { _, _, base in
      let entry = view(base, now)
      let result = body(entry)
      setRemaining(entry, expire == nil ? lifetime : remaining ?? lifetime)
      if !entry.flags.contains(.isDirty) { entry.flags.insert(.isRemote) }
      return (result, false)
    }
  }
}
