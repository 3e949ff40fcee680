public import Base
internal import CLinux
import Glibc
import Synchronization

/// How many processors this process may run on.
public var processorCount: Int { Int(gh_processor_count()) }

/// The owner of a descriptor that an event loop watches.
public protocol EventHandler: AnyObject {
  func descriptorReady(_ readiness: Readiness)
}

/// Work that is put off to the end of the current batch of events, such as flushing output once.
public protocol DeferredWork: AnyObject {
  func runDeferred()
}

/// One thread's epoll loop with its timers.
///
/// Descriptors are registered once, edge-triggered. A slot number and a generation travel through epoll,
/// so an event that was queued for a closed descriptor never reaches the next owner of its number.
/// Everything but `enqueue` belongs to the loop's own thread.
public final class EventLoop: @unchecked Sendable {
  /// A registration; keep it to deregister.
  public struct Token: Sendable {
    fileprivate let slot: UInt32
    fileprivate let generation: UInt32
    fileprivate var word: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
  }

  private struct Slot {
    var handler: (any EventHandler)?
    var generation: UInt32 = 0
    var descriptor: Int32 = -1
  }

  private let poller: Poller
  private var slots: ContiguousArray<Slot> = []
  private var freeSlots: [UInt32] = []
  private var deferred: ContiguousArray<any DeferredWork> = []
  private var spareDeferred: ContiguousArray<any DeferredWork> = []
  public let timers: TimerWheel
  /// The clocks as read after the last wake-up.
  public private(set) var now: Now
  /// How often events were waited for and handled.
  public private(set) var turns: Int = 0

  private let wakeDescriptor: Int32
  private let mailbox = Mutex<[@Sendable () -> Void]>([])
  private var isStopping = false

  public init?() {
    guard let poller = Poller() else { return nil }
    self.poller = poller
    now = Now.read()
    timers = TimerWheel(now: now.instant)
    wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard wakeDescriptor >= 0 else { return nil }
    _ = poller.add(wakeDescriptor, [.readable, .edgeTriggered], token: .max)
  }

  deinit { close(wakeDescriptor) }

  // MARK: Descriptors

  /// Watches `fd` for reading and writing, edge-triggered; nil when the kernel refuses.
  public func register(_ fd: Int32, _ handler: any EventHandler) -> Token? {
    register(fd, handler, [.readable, .writable, .readHangup, .edgeTriggered])
  }

  /// Watches a listening `fd`, level-triggered.
  public func registerListener(_ fd: Int32, _ handler: any EventHandler) -> Token? {
    register(fd, handler, [.readable])
  }

  private func register(_ fd: Int32, _ handler: any EventHandler, _ interest: Readiness) -> Token? {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = UInt32(truncatingIfNeeded: slots.count)
      slots.append(Slot())
    }
    slots[Int(slot)].handler = handler
    slots[Int(slot)].descriptor = fd
    let token = Token(slot: slot, generation: slots[Int(slot)].generation)
    if poller.add(fd, interest, token: token.word) { return token }
    release(token)
    return nil
  }

  /// Stops events for `token`. The caller closes the descriptor afterwards.
  public func deregister(_ token: Token, _ fd: Int32, closing: Bool = true) {
    guard slots[Int(token.slot)].generation == token.generation else { return }
    if !closing { poller.remove(fd) }
    release(token)
  }

  /// Hands a registered descriptor to another owner.
  public func setHandler(_ token: Token, _ handler: any EventHandler) {
    guard slots[Int(token.slot)].generation == token.generation else { return }
    slots[Int(token.slot)].handler = handler
  }

  private func release(_ token: Token) {
    slots[Int(token.slot)].handler = nil
    slots[Int(token.slot)].generation &+= 1
    freeSlots.append(token.slot)
  }

  /// Calls `body` with every descriptor that is watched in the slots of `range`; false when there are no more slots.
  public func watched(_ range: Range<Int>, _ body: (Int32, any EventHandler) -> Void) -> Bool {
    for slot in range.clamped(to: 0..<slots.count) {
      if let handler = slots[slot].handler { body(slots[slot].descriptor, handler) }
    }
    return range.upperBound < slots.count
  }

  /// How many descriptors are watched.
  public var watchedCount: Int { slots.count - freeSlots.count }

  // MARK: Work

  /// How much work waits for the end of this batch of events, or for the next turn.
  public var waitingWork: Int { deferred.count + mailbox.withLock { $0.count } }

  /// Runs `work` after the current batch of events.
  public func afterEvents(_ work: any DeferredWork) { deferred.append(work) }

  /// Runs `work` on the loop's thread soon. The only method that other threads may call.
  public func enqueue(_ work: @escaping @Sendable () -> Void) {
    let first = mailbox.withLock {
      $0.append(work)
      return $0.count == 1
    }
    if first {
      var one: UInt64 = 1
      _ = write(wakeDescriptor, &one, 8)
    }
  }

  public func stop() { isStopping = true }

  /// Turns until `stop()`.
  public func run() {
    while !isStopping { turn() }
  }

  /// Waits for events once and handles them.
  public func turn() {
    let count = poller.wait(milliseconds: sleepTime())
    now = Now.read()
    turns &+= 1
    for i in 0..<count {
      let (word, readiness) = poller.event(at: i)
      if word == .max {
        drainMailbox()
        continue
      }
      let slot = Int(UInt32(truncatingIfNeeded: word))
      guard slot < slots.count, slots[slot].generation == UInt32(truncatingIfNeeded: word >> 32) else { continue }
      slots[slot].handler?.descriptorReady(readiness)
    }
    timers.advance(to: now.instant)
    runDeferred()
  }

  private func sleepTime() -> Int32 {
    if !deferred.isEmpty { return 0 }
    guard let span = timers.timeUntilNext(now: now.instant) else { return -1 }
    return Int32(truncatingIfNeeded: Swift.min((span.microseconds + 999) / 1000, 60_000))
  }

  private func runDeferred() {
    // Work may ask for more work; that runs too, but only so often before events get their turn.
    var rounds = 0
    while !deferred.isEmpty, rounds < 16 {
      swap(&deferred, &spareDeferred)
      for work in spareDeferred { work.runDeferred() }
      spareDeferred.removeAll(keepingCapacity: true)
      rounds += 1
    }
  }

  private func drainMailbox() {
    var value: UInt64 = 0
    _ = read(wakeDescriptor, &value, 8)
    let work = mailbox.withLock {
      let taken = $0
      $0.removeAll()
      return taken
    }
    for item in work { item() }
  }
}
