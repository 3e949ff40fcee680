public import Base

/// One line of a map or pattern file as the runtime API shows it.
public struct PatternEntry: Sendable {
  /// What names it for as long as it lives (`#0x...`).
  public let id: UInt64
  public let key: Bytes
  /// nil for a pattern of ACLs.
  public internal(set) var value: Bytes?
}

/// Entries in the order in which they were added, found by key and by id.
struct PatternEntries: Sendable {
  private var slots: [PatternEntry?] = []
  private var places: [Bytes: [Int32]] = [:]
  private var placeOfID: [UInt64: Int32] = [:]
  private(set) var count = 0

  var all: [PatternEntry] { slots.compactMap { $0 } }

  mutating func append(_ entry: PatternEntry) {
    let place = Int32(truncatingIfNeeded: slots.count)
    slots.append(entry)
    places[entry.key, default: []].append(place)
    placeOfID[entry.id] = place
    count += 1
  }

  /// The first entry of this key.
  func first(_ key: Bytes) -> PatternEntry? {
    guard let place = places[key]?.first else { return nil }
    return slots[Int(place)]
  }

  /// Removes all entries of this key; false when there is none.
  mutating func remove(key: Bytes) -> Bool {
    guard let found = places.removeValue(forKey: key) else { return false }
    for place in found { clear(place) }
    compact()
    return true
  }

  mutating func remove(id: UInt64) -> Bool {
    guard let place = placeOfID[id], let entry = slots[Int(place)] else { return false }
    places[entry.key]?.removeAll { $0 == place }
    if places[entry.key]?.isEmpty ?? false { places[entry.key] = nil }
    clear(place)
    compact()
    return true
  }

  /// Gives all entries of this key another value; false when there is none.
  mutating func set(key: Bytes, _ value: Bytes) -> Bool {
    guard let found = places[key] else { return false }
    for place in found { slots[Int(place)]?.value = value }
    return true
  }

  mutating func set(id: UInt64, _ value: Bytes) -> Bool {
    guard let place = placeOfID[id], slots[Int(place)] != nil else { return false }
    slots[Int(place)]?.value = value
    return true
  }

  private mutating func clear(_ place: Int32) {
    guard let entry = slots[Int(place)] else { return }
    placeOfID[entry.id] = nil
    slots[Int(place)] = nil
    count -= 1
  }

  /// Gives the room of removed entries back when it is more than half.
  private mutating func compact() {
    guard slots.count > 64, count * 2 < slots.count else { return }
    let kept = all
    self = PatternEntries()
    for entry in kept { append(entry) }
  }
}
