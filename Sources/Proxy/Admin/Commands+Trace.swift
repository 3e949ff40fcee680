extension Commands {
  /// Nothing here is traced by source and event: logs, `show sess`, `show errors` and `show profiling` are what tells of
  /// traffic. The commands say so in HAProxy's grammar, so that scripts that stop all traces go on working.
  static let tracing: [Command] = [
    Command(
      "trace", "[<module>|0] [cmd [args...]]", level: .restricted, "list trace sources (there are none), stop all"
    ) { call in
      switch call.argument(0) {
      case "": .lines("Supported trace sources and states (.=stopped, w=waiting, R=running) :\n")
      case "0": .info("All traces now stopped")
      case let name: .error("No such trace source '\(name)'")
      }
    },
    Command("show trace", "[<module>]", "show live tracing state") { call in
      call.arguments.isEmpty
        ? .lines("Supported trace sources and states (.=stopped, w=waiting, R=running) :\n")
        : .error("No such trace source")
    },
  ]
}
