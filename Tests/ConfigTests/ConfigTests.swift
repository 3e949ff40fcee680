import Base
import Config

/// Loads texts in memory: no file, no name service, two users.
enum Loading {
  static func load(
    _ text: String, environment: [String: String] = [:], files: [String: String] = [:]
  ) -> LoadedConfiguration {
    load(Array(text.utf8), environment: environment, files: files)
  }

  static func load(
    _ text: [UInt8], environment: [String: String] = [:], files: [String: String] = [:]
  ) -> LoadedConfiguration {
    var io = ConfigurationIO(
      read: { path in
        files[path].map { .octets(Array($0.utf8)) } ?? .failure("No such file or directory")
      },
      entries: { path in
        let prefix = path.hasSuffix("/") ? path : path + "/"
        let names = files.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        return names.isEmpty ? nil : names
      },
      resolve: { $0 == "localhost" ? .v4(0x7F00_0001) : nil })
    io.userID = { $0 == "haproxy" ? 99 : nil }
    io.groupID = { $0 == "haproxy" ? 98 : nil }
    return ConfigurationLoader(io: io, environment: environment).load(text: text, name: "t.cfg")
  }

  /// The messages of a severity, without those about missing timeouts.
  static func messages(_ loaded: LoadedConfiguration, _ severity: Diagnostic.Severity) -> [String] {
    loaded.diagnostics.all.filter { $0.severity == severity && !$0.message.hasPrefix("missing timeouts") }
      .map { "\($0.location.line): \($0.message)" }
  }

  static func errors(_ text: String) -> [String] { messages(load(text), .alert) }
}
