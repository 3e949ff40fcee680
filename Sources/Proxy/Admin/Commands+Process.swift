import Base
import Config
import Glibc
import NetIO

extension Commands {
  /// What the program is made of, and where it runs.
  static let process: [Command] = [
    Command("show libs", "", level: .restricted, "show loaded object files and libraries") { _ in
      // What has no path is the kernel's.
      .lines(LoadedObject.all().filter { $0.name.isEmpty || $0.name.contains("/") }.map(libraryLine).joined())
    },
    Command("show dev", "", "show debug info for developers") { call in
      guard call.arguments.isEmpty else { return .error("This command takes no argument.") }
      return .lines(programReport + platformReport(call.session.anonymizer) + processReport)
    },
  ]

  private static func libraryLine(_ object: LoadedObject) -> String {
    let range = object.range
    let name = object.name.isEmpty ? CommandLine.arguments.first ?? "" : object.name
    let size = hex(range.upperBound - range.lowerBound, 7)
    return "0x\(hex(range.lowerBound, 12))-0x\(hex(range.upperBound - 1, 12)) (0x\(size)) \(name)\n"
  }

  static func hex(_ value: UInt, _ width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
  }

  private static var programReport: String {
    """
    HAProxy version \(Build.haproxyVersion)
    Features:
      \(Build.featureList)
    Build options:
      Built with multi-threading support.
      Built with SSL library version : \(Build.tlsLibraryName)

    """
  }

  private static func platformReport(_ anonymizer: Anonymizer) -> String {
    var name = utsname()
    guard uname(&name) == 0 else { return "" }
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return """
      Platform info:
        OS name: \(text(name.sysname))
        OS release: \(text(name.release))
        OS version: \(text(name.version))
        OS architecture: \(text(name.machine))
        node name: \(anonymizer(text(name.nodename)))

      """
  }

  private static var processReport: String {
    """
    Process info:
      pid: \(getpid())
      cmdline: \(CommandLine.arguments.joined(separator: " "))
      identity:               -runtime-
          uid:                \(getuid())
          gid:                \(getgid())
      limits:                 -runtime-
    \(limitLines("fd", __rlimit_resource_t(RLIMIT_NOFILE.rawValue)))\(limitLines("ram", __rlimit_resource_t(RLIMIT_AS.rawValue)))
    """
  }

  private static func limitLines(_ name: String, _ resource: __rlimit_resource_t) -> String {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return "" }
    func line(_ kind: String, _ value: rlim_t) -> String {
      let label = "\(name) limit (\(kind)):"
      let padding = String(repeating: " ", count: Swift.max(1, 20 - label.utf8.count))
      return "      \(label)\(padding)\(value == rlim_t.max ? "unlimited" : "\(value)")\n"
    }
    return line("soft", limit.rlim_cur) + line("hard", limit.rlim_max)
  }
}
