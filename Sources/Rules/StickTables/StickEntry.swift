public import Config

/// One entry of a stick table, seen while its shard is locked: valid only inside of the closure that it was given to.
public struct StickEntry {
  let base: UnsafeMutableRawPointer
  let places: UnsafeMutablePointer<StickTableLayout.Place>
  let events: UnsafeMutablePointer<StickCells>
  let keyOffset: Int
  /// Milliseconds of the monotonic clock.
  public let now: Int64
  let byteRateFactor: UInt64

  @inline(__always) private var tick: UInt32 { UInt32(truncatingIfNeeded: now) }

  /// The place of one value; nil when the table does not keep it.
  @inline(__always)
  private func offset(_ type: StickDataType, _ index: Int = 0) -> Int? {
    let place = places[type.rawValue]
    guard index >= 0, index < Int(place.count) else { return nil }
    return Int(place.offset) + index * Int(place.size)
  }

  @inline(__always)
  func period(of type: StickDataType) -> UInt32 { places[type.rawValue].period }

  // MARK: Header

  @inline(__always)
  func load<T: BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
    base.loadUnaligned(fromByteOffset: offset, as: type)
  }

  @inline(__always)
  func store<T: BitwiseCopyable>(_ value: T, at offset: Int) {
    base.storeBytes(of: value, toByteOffset: offset, as: T.self)
  }

  var expiry: Int64 {
    get { load(StickHeader.expiry, as: Int64.self) }
    nonmutating set { store(newValue, at: StickHeader.expiry) }
  }

  /// How many sessions and streams hold the entry.
  public internal(set) var holders: UInt32 {
    get { load(StickHeader.holders, as: UInt32.self) }
    nonmutating set { store(newValue, at: StickHeader.holders) }
  }

  var flags: StickFlags {
    get { StickFlags(rawValue: load(StickHeader.flags, as: UInt8.self)) }
    nonmutating set { store(newValue.rawValue, at: StickHeader.flags) }
  }

  /// The number of the last change in the log for peers.
  public var update: UInt32 {
    get { load(StickHeader.update, as: UInt32.self) }
    nonmutating set { store(newValue, at: StickHeader.update) }
  }

  /// Where the entry is: only a name for it.
  public var address: UInt { UInt(bitPattern: base) }

  public var key: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: base + keyOffset, count: Int(load(StickHeader.keyLength, as: UInt16.self)))
  }

  // MARK: Data

  /// A value as a number: rates are calculated for now. nil when the table does not keep it.
  public func value(_ type: StickDataType, _ index: Int = 0) -> Int64? {
    guard let offset = offset(type, index) else { return nil }
    switch type.kind {
    case .signed: return Int64(load(offset, as: Int32.self))
    case .unsigned, .text: return Int64(load(offset, as: UInt32.self))
    case .wide: return Int64(clamping: load(offset, as: UInt64.self))
    case .rate:
      let rate = UInt64(counter(at: offset).rate(period: period(of: type), now: tick))
      return Int64(clamping: type.isByteRate ? rate &* byteRateFactor : rate)
    }
  }

  /// Adds to a count, or counts events of a rate; false when the table does not keep it.
  @discardableResult
  public func add(_ type: StickDataType, _ index: Int = 0, _ n: UInt64 = 1) -> Bool {
    guard let offset = offset(type, index) else { return false }
    switch type.kind {
    case .signed, .unsigned, .text:
      store(load(offset, as: UInt32.self) &+ UInt32(truncatingIfNeeded: n), at: offset)
    case .wide: store(load(offset, as: UInt64.self) &+ n, at: offset)
    case .rate:
      let events = type.isByteRate ? (n &+ byteRateFactor &- 1) / byteRateFactor : n
      var counter = counter(at: offset)
      counter.add(UInt32(truncatingIfNeeded: events), period: period(of: type), now: tick)
      set(counter, at: offset)
    }
    return true
  }

  /// Adds to everything that an event is counted in; false when nothing is kept of it.
  @inline(__always)
  @discardableResult
  func tally(_ kind: StickEventKind, _ n: UInt64 = 1) -> Bool {
    let cells = events[kind.rawValue]
    for number in 0..<cells.count {
      let cell = cells.start[number]
      switch cell.form {
      case .narrow: store(load(cell.offset, as: UInt32.self) &+ UInt32(truncatingIfNeeded: n), at: cell.offset)
      case .wide: store(load(cell.offset, as: UInt64.self) &+ n, at: cell.offset)
      case .rate, .byteRate:
        let events = cell.form == .byteRate ? (n &+ byteRateFactor &- 1) / byteRateFactor : n
        var counter = counter(at: cell.offset)
        counter.add(UInt32(truncatingIfNeeded: events), period: cell.period, now: tick)
        set(counter, at: cell.offset)
      }
    }
    return cells.count > 0
  }

  /// Takes one from a count that is not zero.
  @discardableResult
  public func decrement(_ type: StickDataType) -> Bool {
    guard let offset = offset(type), type.kind == .unsigned else { return false }
    let value = load(offset, as: UInt32.self)
    if value > 0 { store(value - 1, at: offset) }
    return true
  }

  /// Sets a value; a rate is set as if so many events had just happened. False when the table does not keep it.
  @discardableResult
  public func set(_ type: StickDataType, _ index: Int = 0, to value: Int64) -> Bool {
    guard let offset = offset(type, index) else { return false }
    switch type.kind {
    case .signed, .unsigned, .text: store(UInt32(truncatingIfNeeded: value), at: offset)
    case .wide: store(UInt64(bitPattern: value), at: offset)
    case .rate:
      set(FrequencyCounter(start: tick & ~1, current: UInt32(truncatingIfNeeded: value)), at: offset)
    }
    return true
  }

  /// The raw counter of a rate, for peers.
  public func counter(_ type: StickDataType, _ index: Int = 0) -> FrequencyCounter? {
    guard type.kind == .rate else { return nil }
    return offset(type, index).map(counter(at:))
  }

  public func setCounter(_ type: StickDataType, _ index: Int = 0, _ counter: FrequencyCounter) {
    if type.kind == .rate, let offset = offset(type, index) { set(counter, at: offset) }
  }

  @inline(__always)
  private func counter(at offset: Int) -> FrequencyCounter {
    FrequencyCounter(
      start: load(offset, as: UInt32.self), current: load(offset + 4, as: UInt32.self),
      previous: load(offset + 8, as: UInt32.self))
  }

  @inline(__always)
  private func set(_ counter: FrequencyCounter, at offset: Int) {
    store(counter.start, at: offset)
    store(counter.current, at: offset + 4)
    store(counter.previous, at: offset + 8)
  }
}
