internal import CLinux
import Glibc

/// What epoll says of a descriptor.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = Readiness(rawValue: 0x001)
  public static let writable = Readiness(rawValue: 0x004)
  public static let error = Readiness(rawValue: 0x008)
  public static let hangup = Readiness(rawValue: 0x010)
  /// The peer will send no more.
  public static let readHangup = Readiness(rawValue: 0x2000)
  static let edgeTriggered = Readiness(rawValue: 1 << 31)
}

/// An epoll instance; each descriptor carries a 64-bit token of its owner's choice.
final class Poller {
  private let descriptor: Int32
  private let events: UnsafeMutablePointer<epoll_event>
  private let capacity = 256

  init?() {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    events = .allocate(capacity: capacity)
    if descriptor < 0 {
      events.deallocate()
      return nil
    }
  }

  deinit {
    close(descriptor)
    events.deallocate()
  }

  /// Watches `fd`; false when the kernel refuses (errno says why).
  func add(_ fd: Int32, _ interest: Readiness, token: UInt64) -> Bool {
    gh_epoll_add(descriptor, fd, interest.rawValue, token) == 0
  }

  func modify(_ fd: Int32, _ interest: Readiness, token: UInt64) {
    _ = gh_epoll_mod(descriptor, fd, interest.rawValue, token)
  }

  func remove(_ fd: Int32) { _ = gh_epoll_del(descriptor, fd) }

  /// Waits up to `milliseconds` (-1: for ever); the number of events that `event(at:)` gives.
  func wait(milliseconds: Int32) -> Int {
    let n = epoll_wait(descriptor, events, Int32(capacity), milliseconds)
    return n < 0 ? 0 : Int(n)
  }

  func event(at index: Int) -> (token: UInt64, readiness: Readiness) {
    (gh_epoll_data(events + index), Readiness(rawValue: events[index].events))
  }
}
