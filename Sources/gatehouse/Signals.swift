import Base
import Glibc
import Proxy

/// The main thread's work while others serve: it waits for signals.
struct Signals {
  private var set = sigset_t()
  static let handled = [SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGTTIN, SIGTTOU, SIGCHLD]

  /// Blocks the signals; threads started afterwards inherit that, so only this one sees them.
  init() {
    sigemptyset(&set)
    for signal in Signals.handled { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// The next signal, nil when `milliseconds` have passed without one.
  func wait(milliseconds: Int? = nil) -> Int32? {
    var set = self.set
    guard let milliseconds else {
      var number: Int32 = 0
      return sigwait(&set, &number) == 0 ? number : nil
    }
    var limit = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    let number = sigtimedwait(&set, nil, &limit)
    return number > 0 ? number : nil
  }

  /// Serves until told to stop; the exit status.
  func serve(_ gateway: Gateway, hardStopAfter: Timespan?) -> Int32 {
    while true {
      switch wait() {
      case SIGTERM: return stop(gateway, by: SIGTERM)
      case SIGINT: return stop(gateway, by: SIGINT)
      case SIGUSR1: return drain(gateway, hardStopAfter)
      case SIGHUP: gateway.logServerStates()
      default: break
      }
    }
  }

  /// Ends by the signal itself, so that a waiting parent sees what ended the process.
  private func stop(_ gateway: Gateway, by number: Int32) -> Int32 {
    gateway.stop()
    signal(number, SIG_DFL)
    raise(number)
    var only = sigset_t()
    sigemptyset(&only)
    sigaddset(&only, number)
    pthread_sigmask(SIG_UNBLOCK, &only, nil)
    return 128 + number
  }

  /// Soft stop: ends when the last connection has ended, or after `hard-stop-after`.
  private func drain(_ gateway: Gateway, _ limit: Timespan?) -> Int32 {
    gateway.drain()
    let deadline = limit.map { Now.read().instant + $0 }
    while !gateway.isIdle {
      switch wait(milliseconds: 50) {
      case SIGTERM: return stop(gateway, by: SIGTERM)
      case SIGINT: return stop(gateway, by: SIGINT)
      default: break
      }
      if let deadline, Now.read().instant >= deadline { break }
    }
    gateway.stop()
    return 0
  }
}
