import Config
import Glibc
import NetIO
import Proxy

/// What the process does to itself before it serves: limits, pidfile, chroot, user, terminal.
struct ServingProcess {
  private let global: GlobalSettings
  private let options: CommandLineOptions

  init(_ global: GlobalSettings, _ options: CommandLineOptions) {
    self.global = global
    self.options = options
  }

  /// `ulimit-n`, or enough descriptors for `connections`; what could not be had, with `strict-limits`.
  func raiseLimits(connections: Int) -> String? {
    if let limit = options.memoryLimit {
      var memory = rlimit(rlim_cur: rlim_t(limit) << 20, rlim_max: rlim_t(limit) << 20)
      _ = setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
    }
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return nil }
    let wanted = rlim_t(Swift.min(global.ulimitN ?? connections * 2 + 200, global.descriptorLimit ?? .max))
    if limit.rlim_cur >= wanted, global.ulimitN == nil { return nil }
    limit.rlim_cur = wanted
    if limit.rlim_max < wanted { limit.rlim_max = wanted }
    if setrlimit(kind, &limit) == 0 { return nil }
    guard getrlimit(kind, &limit) == 0 else { return nil }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(kind, &limit)
    // What was not asked for is made to fit what there is.
    let isAskedFor = global.ulimitN != nil || global.maxConnections != nil
    let needed = rlim_t(global.ulimitN ?? connections * 2)
    guard isAskedFor, global.strictLimits, needed > limit.rlim_max else { return nil }
    return "Cannot raise FD limit to \(wanted), limit is \(limit.rlim_max). 'no strict-limits' goes on with that."
  }

  static func writePidfile(_ path: String) {
    let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      Console.write("[ALERT]    (\(getpid())) : [gatehouse.main()] Cannot create pidfile \(path)\n", to: 2)
      return
    }
    Console.write("\(getpid())\n", to: descriptor)
    close(descriptor)
  }

  /// `-st` and `-sf`: ends old processes, or asks them to finish.
  static func relieve(_ options: CommandLineOptions) {
    for process in options.terminate { kill(process, SIGTERM) }
    for process in options.finish { kill(process, SIGUSR1) }
  }

  /// `chroot`, `group`, `user`; what went wrong, if anything did.
  func dropPrivileges() -> String? {
    if let directory = global.chroot, chroot(directory) != 0 || chdir("/") != 0 {
      return "Cannot chroot(\(directory))."
    }
    if let group = global.gid {
      if getuid() == 0, setgroups(0, nil) != 0 { return "Cannot drop supplementary groups." }
      if getgid() != group, setgid(group) != 0 { return "Cannot set gid \(group)." }
    }
    if let user = global.uid, getuid() != user {
      let keeps = global.capabilities != 0
      if keeps { Capabilities.keepOverUserChange() }
      if setuid(user) != 0 { return "Cannot set uid \(user)." }
      if keeps, !Capabilities.set(global.capabilities) { return "Cannot keep the capabilities of 'setcap'." }
    }
    return nil
  }

  /// A daemon leaves its terminal once nothing can be said on it any more.
  func detach() {
    guard Respawn.role == .daemon else { return }
    setsid()
    let null = open("/dev/null", O_RDWR)
    guard null >= 0 else { return }
    for standard: Int32 in 0...2 { dup2(null, standard) }
    if null > 2 { close(null) }
  }
}
