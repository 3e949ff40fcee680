import Base
import Config
import Testing

@testable import Rules

/// A table of integer keys at a time of its own.
private func table(
  size: Int = 1000, expire: Timespan? = .seconds(60), refusesToPurge: Bool = false,
  stores: [StickTableSettings.Store] = [.init(type: .gpc0)], type: StickTableSettings.KeyType = .integer,
  length: Int = 4
) -> StickTable {
  var settings = StickTableSettings(name: "t", wireName: "t", location: .none)
  settings.keyType = type
  settings.keyLength = length
  settings.size = size
  settings.expire = expire
  settings.refusesToPurge = refusesToPurge
  settings.stores = stores
  return StickTable(settings, now: Instant(microseconds: 0))
}

extension StickTable {
  fileprivate func bump(_ key: Int64, at now: Int64) -> Int64? {
    withKey(of: .int(key)) { octets in
      change(creating: octets, now: now) { entry in
        entry.add(.gpc0)
        return entry.value(.gpc0) ?? -1
      }
    }
  }

  fileprivate func look(_ key: Int64, at now: Int64) -> Int64? {
    withKey(of: .int(key)) { octets in with(octets, now: now) { $0.value(.gpc0) ?? -1 } }
  }

  fileprivate func hold(_ key: Int64, at now: Int64) -> HeldEntry? {
    withKey(of: .int(key)) { octets in hold(octets, now: now) { _ in } }
  }
}

@Suite struct StickTableTests {
  @Test("a key is found again with what was counted for it, and no other key is")
  func counts() {
    let table = table()
    for round in 1...3 {
      for key in 0..<100 { #expect(table.bump(Int64(key), at: Int64(round)) == Int64(round)) }
    }
    #expect(table.count == 100)
    #expect(table.look(7, at: 10) == 3)
    #expect(table.look(100, at: 10) == nil)
  }

  @Test("an entry lives for its time after the last change, to the millisecond, whatever the clockwork does")
  func expires() {
    let table = table(expire: .milliseconds(500))
    _ = table.bump(1, at: 1000)
    #expect(table.look(1, at: 1499) == 1)
    #expect(table.look(1, at: 1500) == nil)
    _ = table.bump(2, at: 2000)
    _ = table.bump(2, at: 2400)
    #expect(table.look(2, at: 2899) == 2)
    #expect(table.look(2, at: 2900) == nil)
    #expect(table.count == 0)
  }

  @Test("looking does not prolong an entry's life")
  func lookingIsNoUse() {
    let table = table(expire: .milliseconds(500))
    _ = table.bump(1, at: 1000)
    _ = table.look(1, at: 1400)
    #expect(table.look(1, at: 1501) == nil)
  }

  @Test(
    "what expired is swept away without being asked for, and memory with it", arguments: [10, 1000, 60_000])
  func sweeps(milliseconds: Int64) {
    let table = table(size: 100_000, expire: .milliseconds(milliseconds))
    for key in 0..<5000 { _ = table.bump(Int64(key), at: 1_000_000 + Int64(key % 7)) }
    #expect(table.count == 5000)
    table.sweep(now: 1_000_000 + milliseconds - 1)
    #expect(table.count == 5000)
    table.sweep(now: 1_000_010 + milliseconds, exactly: true)
    #expect(table.count == 0)
    for key in 0..<100 { _ = table.bump(Int64(key), at: 9_000_000) }
    #expect(table.count == 100)
  }

  @Test("entries that are used again and again outlive many turns of the wheel")
  func longLived() {
    let table = table(expire: .milliseconds(100))
    for now in stride(from: Int64(0), to: 20_000, by: 50) {
      #expect(table.bump(1, at: now) == now / 50 + 1)
      table.sweep(now: now)
    }
  }

  @Test("a full table pushes out the entry that was not used for the longest time", arguments: [true, false])
  func purges(expires: Bool) {
    let table = table(size: 3, expire: expires ? .seconds(60) : nil)
    for key in 1...3 { _ = table.bump(Int64(key), at: Int64(key) * 100) }
    _ = table.bump(1, at: 400)
    #expect(table.bump(4, at: 500) == 1)
    #expect(table.count == 3)
    #expect(table.look(2, at: 500) == nil)
    #expect(table.look(1, at: 500) == 2)
    #expect(table.bump(5, at: 600) == 1)
    #expect(table.look(3, at: 600) == nil)
  }

  @Test("a large full table stays full and takes new keys")
  func purgesManyShards() {
    let table = table(size: 5000)
    for key in 0..<6000 { #expect(table.bump(Int64(key), at: Int64(key) / 10) == 1) }
    #expect(table.count == 5000)
    #expect(table.look(5999, at: 8000) == 1)
  }

  @Test("with nopurge a full table takes no new key until one expires")
  func refusesToPurge() {
    let table = table(size: 2, expire: .milliseconds(1000), refusesToPurge: true)
    _ = table.bump(1, at: 0)
    _ = table.bump(2, at: 500)
    #expect(table.bump(3, at: 900) == nil)
    #expect(table.bump(1, at: 900) == 2)
    #expect(table.bump(3, at: 1600) == 1)
  }

  @Test("an entry that is held neither expires nor is pushed out, and goes when the last holder lets go")
  func held() throws {
    let table = table(size: 1, expire: .milliseconds(100))
    let first = try #require(table.hold(1, at: 0))
    let second = try #require(table.hold(1, at: 0))
    #expect(table.bump(2, at: 50) == nil)
    #expect(table.look(1, at: 5000) == 0)
    table.sweep(now: 10_000)
    #expect(table.count == 1)
    table.release(first, now: 10_000) { _ in false }
    #expect(table.look(1, at: 10_000) == 0)
    table.release(second, now: 10_000) { _ in false }
    #expect(table.count == 0)
    #expect(table.bump(2, at: 10_001) == 1)
  }

  @Test("an entry costs under 150 octets beyond its key and data")
  func size() {
    let layout = StickTableLayout(
      keyType: .ipv4, keyLength: 4, stores: [.init(type: .requestRate, period: 1000), .init(type: .bytesIn)])
    #expect(layout.stride - 4 - 12 - 8 < 64)
  }

  @Test("two threads count every event of the same keys")
  func threads() async {
    let table = table(size: 100_000)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { for event in 0..<5000 { _ = table.bump(Int64(event % 10), at: 1) } }
      }
    }
    #expect((0..<10).map { table.look($0, at: 2) ?? 0 }.reduce(0, +) == 20_000)
  }

  @Test(
    "keys are cut, padded and cast as their type asks",
    arguments: [
      (StickTableSettings.KeyType.string, 4, Sample.string("abcdef"), Array("abcd".utf8)),
      (.string, 8, .string("ab\0cd"), Array("ab".utf8)),
      (.string, 8, .int(42), Array("42".utf8)),
      (.binary, 4, .binary("ab"), [97, 98, 0, 0]),
      (.binary, 2, .binary("abc"), [97, 98]),
      (.ipv4, 4, .string("10.1.2.3"), [10, 1, 2, 3]),
      (.ipv6, 16, .ip(.v4(0x0A01_0203)), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3]),
    ])
  func keys(type: StickTableSettings.KeyType, length: Int, sample: Sample, octets: [UInt8]) {
    let table = table(type: type, length: length)
    #expect(table.withKey(of: sample) { Array($0) } == octets)
  }

  @Test("an address of IPv6 is no key of a table of IPv4 addresses")
  func noKey() {
    #expect(table(type: .ipv4).withKey(of: .ip(.v6(high: 1, low: 2))) { _ in true } == nil)
  }

  @Test("changes are noted once until they are taken, and not for entries that are gone")
  func changes() {
    let table = table(expire: .milliseconds(100))
    table.noteChanges {}
    for _ in 0..<3 { _ = table.bump(1, at: 0) }
    _ = table.bump(2, at: 0)
    let changes = table.takeChanges()
    #expect(changes.count == 2)
    #expect(table.takeChanges().isEmpty)
    #expect(changes.compactMap { table.with($0, now: 1) { $0.value(.gpc0) } }.compactMap { $0 } == [3, 1])
    table.sweep(now: 1000, exactly: true)
    #expect(changes.compactMap { table.with($0, now: 1000) { _ in true } }.isEmpty)
    _ = table.bump(1, at: 2000)
    #expect(table.takeChanges().count == 1)
  }
}

@Suite struct FrequencyCounterTests {
  private func rate(_ counter: FrequencyCounter, _ now: UInt32) -> UInt32 {
    counter.rate(period: 1000, now: now)
  }

  @Test("events of the present period count in full, those of the last with what of it is still to come")
  func slides() {
    var counter = FrequencyCounter()
    for _ in 0..<10 { counter.add(1, period: 1000, now: 100_000) }
    #expect(rate(counter, 100_000) == 10)
    #expect(rate(counter, 100_999) == 10)
    #expect(rate(counter, 101_000) == 10)
    // A quarter of the second period has passed.
    #expect(rate(counter, 101_250) == 7)
    #expect(rate(counter, 101_500) == 5)
    counter.add(2, period: 1000, now: 101_500)
    #expect(rate(counter, 101_500) == 7)
    #expect(rate(counter, 102_500) == 1)
    #expect(rate(counter, 110_000) == 0)
  }

  @Test("a single event does not flap while its rate sinks under one")
  func doesNotFlap() {
    var counter = FrequencyCounter()
    counter.add(1, period: 1000, now: 50_000)
    #expect(rate(counter, 50_500) == 1)
    #expect(rate(counter, 51_900) == 1)
    #expect(rate(counter, 52_100) == 0)
  }

  @Test("after two periods without events a counter starts anew")
  func startsAnew() {
    var counter = FrequencyCounter()
    counter.add(100, period: 1000, now: 10_000)
    counter.add(1, period: 1000, now: 13_000)
    #expect(counter.previous == 0)
    #expect(rate(counter, 13_000) == 1)
  }

  @Test("a clock that wraps changes nothing")
  func wraps() {
    var counter = FrequencyCounter(start: UInt32.max - 499)
    counter.add(8, period: 1000, now: UInt32.max - 100)
    counter.add(4, period: 1000, now: 900)
    #expect(counter.previous == 8)
    #expect(rate(counter, 1000) == 8)
  }

  @Test("a thread whose clock is a moment behind counts in the same period")
  func isBehind() {
    var counter = FrequencyCounter()
    counter.add(5, period: 1000, now: 10_000)
    counter.add(5, period: 1000, now: 9_998)
    #expect(rate(counter, 10_000) == 10)
  }
}
