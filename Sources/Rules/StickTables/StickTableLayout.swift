public import Config

/// Where the parts of an entry lie in its slot of a slab; the same for all entries of a table.
///
/// An entry is its header, its data, then its key. All offsets are in octets from the start.
public final class StickTableLayout: @unchecked Sendable {
  public let keyType: StickTableSettings.KeyType
  /// Octets of a key: exactly, or at most for strings.
  public let keyLength: Int
  public let stores: [StickTableSettings.Store]
  let keyOffset: Int
  let stride: Int
  /// By the raw value of the type; written once, so that every look at an entry may read it without counting references.
  let places: UnsafeMutablePointer<Place>

  /// What each event adds to, by `StickEventKind`; written once as well.
  let events: UnsafeMutablePointer<StickCells>
  private let cells: UnsafeMutablePointer<StickCell>
  /// The events that something is kept of: a bit for each kind.
  let eventMask: UInt8

  /// Where values of one type are; `count` is 0 for what is not kept.
  struct Place {
    var offset: Int32 = 0
    var count: UInt16 = 0
    var size: UInt16 = 0
    var period: UInt32 = 0
  }

  /// `stores` in any order.
  public init(
    keyType: StickTableSettings.KeyType, keyLength: Int, stores: [StickTableSettings.Store]
  ) {
    self.keyType = keyType
    self.keyLength = keyLength
    self.stores = stores.sorted { $0.type.rawValue < $1.type.rawValue }
    places = .allocate(capacity: StickDataType.allCases.count)
    places.initialize(repeating: Place(), count: StickDataType.allCases.count)
    var next = StickHeader.size
    // Wide values come first, so that they are aligned without gaps.
    for store in self.stores.filter({ $0.type.kind == .wide }) + self.stores.filter({ $0.type.kind != .wide }) {
      places[store.type.rawValue] = Place(
        offset: Int32(next), count: UInt16(clamping: store.count), size: UInt16(store.type.kind.size),
        period: store.period)
      next += store.count * store.type.kind.size
    }
    keyOffset = next
    stride = (next + keyLength + 7) & ~7
    let kinds = StickEventKind.allCases
    cells = .allocate(capacity: kinds.reduce(0) { $0 + $1.types.count })
    events = .allocate(capacity: kinds.count)
    var (used, mask) = (0, UInt8(0))
    for kind in kinds {
      let first = used
      for type in kind.types where places[type.rawValue].count > 0 {
        let place = places[type.rawValue]
        (cells + used).initialize(to: StickCell(offset: Int(place.offset), period: place.period, form: .init(type)))
        used += 1
      }
      (events + kind.rawValue).initialize(to: StickCells(start: cells + first, count: used - first))
      if used > first { mask |= kind.bit }
    }
    eventMask = mask
  }

  deinit {
    places.deallocate()
    events.deallocate()
    cells.deallocate()
  }

  public func stores(_ type: StickDataType) -> Bool { places[type.rawValue].count > 0 }

  public func count(of type: StickDataType) -> Int { Int(places[type.rawValue].count) }
}

/// What stands before an entry's data. Places are octets from the start of the entry.
enum StickHeader {
  /// The next entry of the same bucket, or of the free list: UInt32.
  static let next = 0
  static let hash = 4
  /// Neighbours in the list of an expiry slot: UInt32 each.
  static let before = 8
  static let behind = 12
  /// When the entry expires, in milliseconds of the monotonic clock: Int64.
  static let expiry = 16
  /// Sessions and streams that hold the entry: UInt32.
  static let holders = 24
  /// Counts the entries of a shard, so that a note of an entry does not mean its successor: UInt32.
  static let generation = 28
  /// The number of the last change in the log for peers: UInt32.
  static let update = 32
  /// Octets of the key: UInt16.
  static let keyLength = 36
  /// The number of the expiry slot: UInt8.
  static let slot = 38
  /// `StickFlags`: UInt8.
  static let flags = 39
  static let size = 40
}

struct StickFlags: OptionSet {
  let rawValue: UInt8
  static let isUsed = StickFlags(rawValue: 1)
  /// Waits to be told to peers.
  static let isDirty = StickFlags(rawValue: 2)
  /// The last change came from a peer.
  static let isRemote = StickFlags(rawValue: 4)
}

/// The kinds of what is counted, each with what it is counted in.
enum StickEventKind: Int, CaseIterable {
  case tracked, session, request, error, failure, glitch, received, sent

  @inline(__always) var bit: UInt8 { 1 << UInt8(truncatingIfNeeded: rawValue) }

  var types: [StickDataType] {
    switch self {
    case .tracked: [.currentConnections, .connectionCount, .connectionRate]
    case .session: [.sessionCount, .sessionRate]
    case .request: [.requestCount, .requestRate]
    case .error: [.errorCount, .errorRate]
    case .failure: [.failureCount, .failureRate]
    case .glitch: [.glitchCount, .glitchRate]
    case .received: [.bytesIn, .bytesInRate]
    case .sent: [.bytesOut, .bytesOutRate]
    }
  }
}

/// A value of an entry that an event adds to.
struct StickCell {
  enum Form: UInt8 {
    case narrow, wide, rate, byteRate

    init(_ type: StickDataType) {
      switch type.kind {
      case .signed, .unsigned, .text: self = .narrow
      case .wide: self = .wide
      case .rate: self = type.isByteRate ? .byteRate : .rate
      }
    }
  }

  let offset: Int
  let period: UInt32
  let form: Form
}

struct StickCells {
  let start: UnsafeMutablePointer<StickCell>
  let count: Int
}
