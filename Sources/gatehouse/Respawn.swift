import Glibc
import NetIO

/// Starts this program again as another process: `fork` alone is not for a program with threads.
///
/// The child learns its role and the pipe on which its parent waits for readiness from the environment.
enum Respawn {
  enum Role: String { case original, daemon, worker }

  private static let roleVariable = "GATEHOUSE_ROLE"
  private static let readyVariable = "GATEHOUSE_READY_FD"
  private static let channelVariable = "GATEHOUSE_MASTER_FD"
  private static let socketsVariable = "GATEHOUSE_SOCKETS_FD"

  static var role: Role { environment(roleVariable).flatMap(Role.init(rawValue:)) ?? .original }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// A child and the end of the pipe on which it says that it is ready.
  struct Child {
    var process: pid_t
    var ready: Int32
  }

  /// Starts this program with the same arguments in `role`; nil when the system refuses.
  ///
  /// `channel` is where a worker gets its master's orders, `sockets` where the worker before it sends those that only
  /// one process can open; both are the child's, and are closed here.
  static func start(_ role: Role, channel: Int32? = nil, sockets: Int32? = nil) -> Child? {
    let passed = [(channelVariable, channel), (socketsVariable, sockets)]
    for case (let name, let descriptor?) in passed {
      setenv(name, String(descriptor), 1)
      Socket.setInherited(descriptor, true)
    }
    defer {
      for case (let name, let descriptor?) in passed {
        unsetenv(name)
        close(descriptor)
      }
    }
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

  /// The socket of the master's orders, for a worker that has a master.
  static func takeChannel() -> Int32? { takeDescriptor(channelVariable) }

  /// Where the worker before this one sends its sockets.
  static func takeSockets() -> Int32? { takeDescriptor(socketsVariable) }

  private static func takeDescriptor(_ name: String) -> Int32? {
    guard let descriptor = environment(name).flatMap({ Int32($0) }) else { return nil }
    unsetenv(name)
    Socket.setInherited(descriptor, false)
    return descriptor
  }

  /// Tells the parent what was said at the start, for its own log.
  static func report(_ text: String) {
    guard let descriptor = environment(readyVariable).flatMap({ Int32($0) }) else { return }
    Console.write(text, to: descriptor)
  }

  /// Tells the parent that this process serves.
  static func reportReady() {
    guard let text = environment(readyVariable), let descriptor = Int32(text) else { return }
    unsetenv(readyVariable)
    var octet: UInt8 = 1
    _ = write(descriptor, &octet, 1)
    close(descriptor)
  }

  /// Waits for the child's word; what it said at its start, and whether it serves.
  static func wait(for child: Child) -> (serves: Bool, said: String) {
    var said: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    defer { close(child.ready) }
    while true {
      let n = chunk.withUnsafeMutableBytes { read(child.ready, $0.baseAddress, $0.count) }
      if n < 0, errno == EINTR { continue }
      guard n > 0 else { return (false, String(decoding: said, as: UTF8.self)) }
      said += chunk[..<n]
      // The octet of `reportReady` is no text.
      if said.last == 1 { return (true, String(decoding: said.dropLast(), as: UTF8.self)) }
      if said.count > 256 * 1024 { said.removeAll() }
    }
  }

  /// `-D`: starts the daemon and ends when it serves, with its exit status when it does not.
  static func daemonize() -> Int32 {
    guard let child = start(.daemon) else {
      Console.write("[ALERT]    (\(getpid())) : Cannot fork.\n", to: 2)
      return 1
    }
    if wait(for: child).serves { return 0 }
    var status: Int32 = 0
    waitpid(child.process, &status, 0)
    return exitCode(status)
  }

  /// The shell's view of a wait status: 128 and the signal for one that was killed.
  static func exitCode(_ status: Int32) -> Int32 {
    status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
  }
}
