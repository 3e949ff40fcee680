internal import CLinux
import Glibc

/// A program that was started beside the event loop, which is told when it ends.
public final class ChildProcess: EventHandler {
  /// How it ended.
  public enum Exit: Equatable, Sendable {
    case code(Int)
    case signal(Int)
  }

  private let process: pid_t
  private let descriptor: Int32
  private let loop: EventLoop
  private var token: EventLoop.Token?
  private let ended: (Exit) -> Void
  private var isOver = false

  /// Starts `path` with `arguments` (its own name first) and nothing but `environment` in its environment;
  /// standard input, output and error are those of this process. nil with errno set when that fails.
  ///
  /// `ended` is called once on the loop's thread, unless `kill` came first.
  public init?(
    _ path: String, arguments: [String], environment: [String], on loop: EventLoop,
    ended: @escaping (Exit) -> Void
  ) {
    var child = pid_t()
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    let code = posix_spawn(&child, path, nil, nil, argv, envp)
    for text in argv + envp { free(text) }
    guard code == 0 else {
      errno = code
      return nil
    }
    process = child
    self.loop = loop
    self.ended = ended
    descriptor = gh_pidfd_open(child)
    guard descriptor >= 0 else {
      Glibc.kill(child, SIGKILL)
      var status: Int32 = 0
      waitpid(child, &status, 0)
      return nil
    }
    token = loop.register(descriptor, self)
  }

  public func descriptorReady(_ readiness: Readiness) {
    guard !isOver else { return }
    var status: Int32 = 0
    guard waitpid(process, &status, WNOHANG) == process else { return }
    close()
    let signal = status & 0x7F
    ended(signal == 0 ? .code(Int(status >> 8 & 0xFF)) : .signal(Int(signal)))
  }

  /// Ends the program at once; `ended` is not called.
  public func kill() {
    guard !isOver else { return }
    Glibc.kill(process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    close()
  }

  private func close() {
    isOver = true
    if let token { loop.deregister(token, descriptor) }
    token = nil
    Glibc.close(descriptor)
  }
}
