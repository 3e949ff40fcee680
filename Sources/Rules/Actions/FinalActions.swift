import Base
import Config

/// Actions that end the evaluation without an answer of their own.
enum FinalActions {
  /// What `use-service` may name.
  static let services = ["prometheus-exporter"]

  static let table: [ActionEntry] = [
    ActionEntry("accept", .tcp) { _ throws(RuleError) in { _ in .next } },
    ActionEntry("allow", .http) { _ throws(RuleError) in { _ in .next } },
    ActionEntry("reject", [.tcp, .httpRequest]) { _ throws(RuleError) in { _ in .reject } },
    ActionEntry("silent-drop", [.tcp, .httpRequest, .httpResponse], "[ rst-ttl <ttl> ]") {
      parser throws(RuleError) in
      guard parser.accept("rst-ttl") else { return { _ in .silentDrop } }
      let word = try parser.need("a time to live").text
      guard let hops = Int(word), (1...255).contains(hops) else {
        throw RuleError("valid rst-ttl values are [1-255], got '\(word)'", expected: "a number from 1 to 255")
      }
      return { context in
        context.environment.resetOnClose(context.connection.socket, hops: hops)
        return .reject
      }
    },
    ActionEntry("switch-mode", .tcpContent, "http [ proto <name> ]") { parser throws(RuleError) in
      guard parser.accept("http") else { throw RuleError("expects 'http'", expected: "http") }
      guard parser.accept("proto") else { return { _ in .switchToHTTP(proto: nil) } }
      let name = try parser.need("a MUX protocol").text
      guard name == "h1" || name == "h2" else {
        throw RuleError(
          "MUX protocol '\(name)' is not compatible with the selected mode",
          suggestion: Suggestions.nearest(name, ["h1", "h2"]), expected: "h1 or h2")
      }
      return { _ in .switchToHTTP(proto: name) }
    },
    ActionEntry("close", .tcpResponse) { _ throws(RuleError) in { _ in .close } },
    ActionEntry("expect-proxy", .tcpConnection, "layer4") { parser throws(RuleError) in
      guard parser.accept("layer4") else { throw RuleError("expects 'layer4'", expected: "layer4") }
      return { _ in .expectProxy(netscaler: false) }
    },
    ActionEntry("expect-netscaler-cip", .tcpConnection, "layer4") { parser throws(RuleError) in
      guard parser.accept("layer4") else { throw RuleError("expects 'layer4'", expected: "layer4") }
      return { _ in .expectProxy(netscaler: true) }
    },
    ActionEntry("use-service", .httpRequest, "<service>") { parser throws(RuleError) in
      let name = try parser.need("a service name").text
      guard services.contains(name) else {
        throw RuleError(
          "'\(name)' unknown service name", suggestion: Suggestions.nearest(name, services),
          expected: services.joined(separator: ", "))
      }
      return { _ in .service(name) }
    },
  ]
}
