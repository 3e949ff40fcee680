import Base
import Config
import Rules

/// A stick table that a `peers` section shares: its changes in order, for all peers of the section.
///
/// An entry stands in the log once: a later change makes the earlier place stale. Belongs to the peers' thread.
final class SharedTable {
  let table: StickTable
  /// Where learned values go as well: `write-to`.
  let writeTo: StickTable?
  /// Our number for the table on the wire.
  let id: UInt64
  private(set) var lastUpdate: UInt32 = 0
  private var log: [(change: StickTable.Change, update: UInt32)] = []
  /// The number of the log's first place since the start.
  private var base = 0

  init(_ table: StickTable, id: UInt64, writeTo: StickTable?) {
    self.table = table
    self.id = id
    self.writeTo = writeTo
  }

  /// The place behind the newest change.
  var end: Int { base + log.count }

  /// The number of the change before `position`, where updates go on from.
  func position(after update: UInt32) -> Int {
    if update == 0 { return base }
    let index = log.firstIndex { Int32(bitPattern: $0.update &- update) > 0 } ?? log.count
    return base + index
  }

  /// Moves what has changed meanwhile into the log.
  func gather() {
    for change in table.takeChanges() {
      lastUpdate &+= 1
      if lastUpdate == 0 { lastUpdate = 1 }
      let number = lastUpdate
      if table.with(change, now: 0, { $0.update = number }) != nil { log.append((change, number)) }
    }
    if log.count > 2 * table.count + 4096 { compact() }
  }

  private func compact() {
    let kept = log.filter { item in table.with(item.change, now: 0) { $0.update == item.update } ?? false }
    // Places keep their meaning at the end; peers that are behind find less to send.
    base += log.count - kept.count
    log = kept
  }

  /// The change at a place or behind it that is not stale, encoded; moves the place on.
  func next(_ position: inout Int, now: Int64, _ encode: (StickEntry, UInt32) -> Void) -> Bool {
    position = Swift.max(position, base)
    while position < end {
      let item = log[position - base]
      position += 1
      let isCurrent =
        table.with(item.change, now: now) { entry -> Bool in
          guard entry.update == item.update else { return false }
          encode(entry, item.update)
          return true
        } ?? false
      if isCurrent { return true }
    }
    return false
  }

  func hasMore(_ position: Int) -> Bool { position < end }

  // MARK: Wire

  var definition: [UInt8] {
    PeerTableDefinition.body(
      id: id, name: Bytes(table.wireName), type: table.keyType, length: table.layout.keyLength,
      expire: table.expire?.milliseconds ?? 0, stores: table.layout.stores)
  }

  /// Whether a peer's idea of the table fits ours.
  func matches(_ definition: PeerTableDefinition) -> Bool {
    definition.name == Bytes(table.wireName) && definition.keyType == PeerWire.keyType(table.keyType)
      && definition.keyLength == PeerWire.keyLength(table.keyType, table.layout.keyLength)
  }

  /// The body of a timed update message.
  func encode(_ entry: StickEntry, _ update: UInt32, _ dictionary: inout PeerDictionary) -> [UInt8] {
    var out: [UInt8] = []
    PeerWire.append32(update, to: &out)
    PeerWire.append32(UInt32(clamping: table.remaining(entry)), to: &out)
    switch table.keyType {
    case .string:
      PeerWire.append(UInt64(entry.key.count), to: &out)
      out.append(contentsOf: entry.key)
    case .integer: PeerWire.append32(entry.key.loadUnaligned(as: UInt32.self), to: &out)
    default: out.append(contentsOf: entry.key)
    }
    let tick = UInt32(truncatingIfNeeded: entry.now)
    for store in table.layout.stores {
      for index in 0..<store.count {
        switch store.type.kind {
        case .rate:
          let counter = entry.counter(store.type, index) ?? FrequencyCounter()
          PeerWire.append(UInt64(tick &- counter.start), to: &out)
          PeerWire.append(UInt64(counter.current), to: &out)
          PeerWire.append(UInt64(counter.previous), to: &out)
        case .text: dictionary.append(entry.value(store.type), to: &out)
        default: PeerWire.append(UInt64(bitPattern: entry.value(store.type, index) ?? 0), to: &out)
        }
      }
    }
    return out
  }

  /// Takes over what a peer says of an entry.
  func learn(_ update: PeerUpdate, _ definition: PeerTableDefinition, now: Int64) {
    learn(update, definition, into: table, now: now, asIs: false)
    if let writeTo { learn(update, definition, into: writeTo, now: now, asIs: true) }
  }

  private func learn(
    _ update: PeerUpdate, _ definition: PeerTableDefinition, into target: StickTable, now: Int64, asIs: Bool
  ) {
    var key = update.key
    switch table.keyType {
    case .integer: key.reverse()
    case .string: key = Array(key.prefix(target.layout.keyLength).prefix { $0 != 0 })
    default: break
    }
    let tick = UInt32(truncatingIfNeeded: now)
    key.withUnsafeBytes { key in
      _ = target.learn(key, now: now, remaining: update.remaining.map(Int64.init)) { entry in
        var place = 0
        for store in definition.stores {
          let isWanted =
            asIs ? store.type.isAsIs : !store.type.isLocal || target.isReceiveOnly
          for index in 0..<store.count {
            defer { place += 1 }
            guard isWanted, place < update.values.count else { continue }
            switch update.values[place] {
            case .number(let number): entry.set(store.type, index, to: Int64(bitPattern: number))
            case .rate(let age, let current, let previous):
              entry.setCounter(
                store.type, index,
                FrequencyCounter(
                  start: (tick &- UInt32(truncatingIfNeeded: age)) & ~1,
                  current: UInt32(truncatingIfNeeded: current), previous: UInt32(truncatingIfNeeded: previous)
                ))
            case .text(let text):
              if let text { entry.set(store.type, index, to: Int64(StickServerKeys.number(of: text))) }
            }
          }
        }
      }
    }
  }
}

/// The texts that a session has sent: each goes over the wire once.
struct PeerDictionary {
  /// Numbers of texts by their place.
  private var sent: [Int64] = []
  private var next = 0

  var texts: [String] { sent.map { StickServerKeys.text($0)?.string ?? "-" } }

  mutating func append(_ number: Int64?, to out: inout [UInt8]) {
    guard let number, number > 0, let text = StickServerKeys.text(number) else { return out.append(0) }
    var part: [UInt8] = []
    if let place = sent.firstIndex(of: number) {
      PeerWire.append(UInt64(place + 1), to: &part)
    } else {
      let place = next % PeerWire.dictionarySize
      if place < sent.count { sent[place] = number } else { sent.append(number) }
      next += 1
      PeerWire.append(UInt64(place + 1), to: &part)
      PeerWire.append(UInt64(text.count), to: &part)
      part.append(contentsOf: text.array)
    }
    PeerWire.append(UInt64(part.count), to: &out)
    out.append(contentsOf: part)
  }
}
