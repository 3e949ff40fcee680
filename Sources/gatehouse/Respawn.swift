import Glibc

/// Starts this program again as another process: `fork` alone is not for a program with threads.
///
/// The child learns its role and the pipe on which its parent waits for readiness from the environment.
enum Respawn {
  enum Role: String { case original, daemon, worker }

  private static let roleVariable = "GATEHOUSE_ROLE"
  private static let readyVariable = "GATEHOUSE_READY_FD"

  static var role: Role { environment(roleVariable).flatMap(Role.init(rawValue:)) ?? .original }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// A child and the end of the pipe on which it says that it is ready.
  struct Child {
    var process: pid_t
    var ready: Int32
  }

  /// Starts this program with the same arguments in `role`; nil when the system refuses.
  static func start(_ role: Role) -> Child? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    setenv(roleVariable, role.rawValue, 1)
    setenv(readyVariable, String(ends[1]), 1)
    defer {
      unsetenv(roleVariable)
      unsetenv(readyVariable)
      close(ends[1])
    }
    var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    guard posix_spawn(&process, "/proc/self/exe", nil, nil, arguments, environ) == 0 else {
      close(ends[0])
      return nil
    }
    return Child(process: process, ready: ends[0])
  }

  /// Tells the parent that this process serves.
  static func reportReady() {
    guard let text = environment(readyVariable), let descriptor = Int32(text) else { return }
    unsetenv(readyVariable)
    var octet: UInt8 = 1
    _ = write(descriptor, &octet, 1)
    close(descriptor)
  }

  /// Waits for the child's word; false when it ended without one.
  static func waitUntilReady(_ child: Child) -> Bool {
    var octet: UInt8 = 0
    while true {
      let n = read(child.ready, &octet, 1)
      if n < 0, errno == EINTR { continue }
      close(child.ready)
      return n == 1
    }
  }

  /// `-D`: starts the daemon and ends when it serves, with its exit status when it does not.
  static func daemonize() -> Int32 {
    guard let child = start(.daemon) else {
      Console.write("[ALERT]    (\(getpid())) : Cannot fork.\n", to: 2)
      return 1
    }
    if waitUntilReady(child) { return 0 }
    var status: Int32 = 0
    waitpid(child.process, &status, 0)
    return exitCode(status)
  }

  /// The shell's view of a wait status: 128 and the signal for one that was killed.
  static func exitCode(_ status: Int32) -> Int32 {
    status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
  }
}
