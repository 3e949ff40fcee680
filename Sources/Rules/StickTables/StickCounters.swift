public import Base
import Config

/// The entries that a session or a stream tracks: `track-sc0` and so on.
///
/// Nothing is allocated before the first is tracked, and a reused context keeps its room.
public struct StickCounters: ~Copyable {
  public struct Slot {
    let held: HeldEntry
    /// Tracked by a rule of a backend other than the frontend's own half: its requests are counted there.
    let isOfBackend: Bool
  }

  /// Whether anything is tracked: what the hot path looks at.
  public private(set) var isActive = false
  /// The events that any of the tables keeps something of.
  fileprivate var interests: UInt8 = 0
  /// Counters up to the highest that was ever tracked here.
  public private(set) var count = 0
  private var slots: UnsafeMutablePointer<Slot?>?
  private var room = 0

  public init() {}

  deinit { slots?.deallocate() }

  @inline(__always)
  subscript(number: Int) -> Slot? { number >= 0 && number < count ? slots?[number] : nil }

  mutating func set(_ number: Int, _ slot: Slot) {
    if number >= room { grow(to: Swift.max(4, number + 1)) }
    if number >= count { count = number + 1 }
    slots?[number] = slot
    isActive = true
    interests |= slot.held.table.eventMask
  }

  private mutating func grow(to wanted: Int) {
    let grown = UnsafeMutablePointer<Slot?>.allocate(capacity: wanted)
    grown.initialize(repeating: nil, count: wanted)
    if let slots {
      grown.update(from: slots, count: room)
      slots.deallocate()
    }
    slots = grown
    room = wanted
  }

  /// Lets go of all entries: their connections are over.
  public mutating func release(at now: Now) {
    guard isActive else { return }
    isActive = false
    interests = 0
    for number in 0..<count {
      guard let slot = slots?[number] else { continue }
      slots?[number] = nil
      slot.held.table.release(slot.held, now: StickTable.time(now.instant)) {
        $0.decrement(.currentConnections)
      }
    }
  }

  func forEach(_ body: (Slot) -> Void) {
    for number in 0..<count { if let slot = slots?[number] { body(slot) } }
  }
}

/// What happens to a connection or a stream and is counted in the entries that it tracks.
public enum StickEvent: Sendable {
  /// The session rules let a connection in.
  case session
  case request
  /// An error of the client's: a malformed or denied request, a status of 4xx.
  case error
  /// A failure of the server's.
  case failure
  case glitches(Int)
  /// Octets that came from the client and from the server.
  case octets(received: Int, sent: Int)
}

extension StickEvent {
  /// The bits of the kinds of event that this is.
  @inline(__always)
  var bits: UInt8 {
    switch self {
    case .session: StickEventKind.session.bit
    case .request: StickEventKind.request.bit
    case .error: StickEventKind.error.bit
    case .failure: StickEventKind.failure.bit
    case .glitches: StickEventKind.glitch.bit
    case .octets: StickEventKind.received.bit | StickEventKind.sent.bit
    }
  }
}

extension StickEntry {
  /// False when the table keeps nothing of the kind.
  @inline(__always)
  func count(_ event: StickEvent) -> Bool {
    switch event {
    case .session: return tally(.session)
    case .request: return tally(.request)
    case .error: return tally(.error)
    case .failure: return tally(.failure)
    case .glitches(let n): return tally(.glitch, UInt64(clamping: n))
    case .octets(let received, let sent):
      let first = received > 0 && tally(.received, UInt64(clamping: received))
      let second = sent > 0 && tally(.sent, UInt64(clamping: sent))
      return first || second
    }
  }
}

extension RuleContext {
  /// Whether the stream or its session tracks anything.
  @inline(__always)
  public var isTracking: Bool { counters.isActive || connection.counters.isActive }

  /// What counter `number` tracks: the stream's entry, else the session's.
  func tracked(_ number: Int) -> StickCounters.Slot? { counters[number] ?? connection.counters[number] }

  /// Counts an event in every entry tracked.
  @inline(__always)
  public func count(_ event: StickEvent) {
    guard (counters.interests | connection.counters.interests) & event.bits != 0 else { return }
    countTracked(event)
  }

  private func countTracked(_ event: StickEvent) {
    for number in 0..<Swift.max(counters.count, connection.counters.count) {
      if let slot = tracked(number) { slot.count(event, at: now) }
    }
  }

  /// Counts the request for what a backend's `tcp-request content` rules have tracked.
  public func countBackendRequest() {
    guard counters.isActive else { return }
    let now = now
    counters.forEach { slot in if slot.isOfBackend { slot.count(.request, at: now) } }
  }

  /// Adds to the stream's or the session's counters, as the kind of rule wants it; false when the table is full.
  func track(_ number: Int, _ table: StickTable, _ key: Sample, inSession: Bool, _ body: (StickEntry) -> Void) {
    guard tracked(number) == nil else { return }
    let held = table.withKey(of: key) { octets in
      table.hold(octets, now: StickTable.time(now.instant)) { entry in
        entry.tally(.tracked)
        body(entry)
      }
    }
    guard let held else { return }
    if inSession {
      connection.counters.set(number, .init(held: held, isOfBackend: false))
    } else {
      let isOfBackend = !backend.name.isEmpty && backend.id != frontend.id
      counters.set(number, .init(held: held, isOfBackend: isOfBackend))
    }
  }
}

extension ConnectionFacts {
  /// Counts what concerns the connection and none of its streams.
  public func count(_ event: StickEvent, at now: Now) {
    guard counters.interests & event.bits != 0 else { return }
    counters.forEach { $0.count(event, at: now) }
  }
}

extension StickCounters.Slot {
  @inline(__always)
  func count(_ event: StickEvent, at now: Now) {
    guard held.table.eventMask & event.bits != 0 else { return }
    held.table.change(held, now: StickTable.time(now.instant)) { _ = $0.count(event) }
  }
}
