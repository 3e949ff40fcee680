import Foundation
import Testing

extension EndToEnd {
  /// What the repository offers to new users works as it says.
  @Suite("the demo and the examples") struct Demo {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path

    @Test("the demo redirects, balances both sites, denies with a page, passes TCP on")
    func demo() throws {
      let workspace = try Workspace()
      var text = try String(contentsOfFile: Self.root + "/conf/demo.cfg", encoding: .utf8)
      text = text.replacing("errorfiles/", with: Self.root + "/errorfiles/")
      let certificates = try TestCertificates(in: workspace)
      for site in ["one", "two"] {
        let made = try certificates.server(site, names: ["\(site).localhost"])
        text = text.replacing("certs/\(site).localhost.pem", with: made.bundle)
      }
      var ports: [Int: Int] = [:]
      for port in [8080, 8443, 9000, 8404, 8101, 8102, 8201, 8202] {
        ports[port] = try Ports.free()
        text = text.replacing(":\(port)", with: ":\(ports[port] ?? 0)")
      }
      func port(_ shown: Int) -> Int { ports[shown] ?? 0 }
      let gateway = try RunningGateway(text, listening: ports.values.sorted(), in: workspace)
      #expect(!gateway.errors.contains("[WARNING]"), "\(gateway.errors)")

      func get(_ site: String, _ path: String = "/", _ options: [String] = []) throws -> String {
        let url = "https://\(site).localhost:\(port(8443))\(path)"
        let names = [
          "--cacert", certificates.authority, "--resolve", "\(site).localhost:\(port(8443)):127.0.0.1",
        ]
        return try Tool.fetch(url, names + options, in: workspace)
      }
      func server(_ page: String) -> String {
        page.firstMatch(of: /<b>([\w-]+)<\/b>/).map { String($0.1) } ?? page
      }

      #expect(Set(try (0..<4).map { _ in server(try get("one")) }) == ["one-a", "one-b"])
      #expect(Set(try (0..<4).map { _ in server(try get("two", "/", ["--http1.1"])) }) == ["two-a", "two-b"])
      #expect(try get("one", "/", ["-o", "/dev/null", "-w", "%{http_version}"]) == "2")
      let denied = try get("one", "/private", ["-i"])
      #expect(denied.contains(" 403") && denied.contains("<h1><span>403</span> Forbidden</h1>"))
      let moved = try Tool.curl(
        ["-i", "-H", "Host: two.localhost:8080", "http://127.0.0.1:\(port(8080))/a?b=c"], in: workspace)
      #expect(moved.output.lowercased().contains("location: https://two.localhost:\(port(8443))/a?b=c\r\n"))
      #expect(server(try Tool.fetch("http://127.0.0.1:\(port(9000))/", in: workspace)) == "one-a")
      let page = try Tool.fetch("http://127.0.0.1:\(port(8404))/stats", in: workspace)
      for name in ["one-a", "two-b", "passthrough"] { #expect(page.contains(name)) }
    }

    @Test("the production example is valid as it stands, but for its user, its certificates and its paths")
    func production() throws {
      let workspace = try Workspace()
      try workspace.directory("certs")
      let made = try TestCertificates(in: workspace).server("a", names: ["shop.example.org"])
      try workspace.write("certs/a.pem", Workspace.read(made.bundle))
      let user = String(cString: getpwuid(getuid()).pointee.pw_name)
      let group = String(cString: getgrgid(getgid()).pointee.gr_name)
      let text = try String(contentsOfFile: Self.root + "/conf/gatehouse.cfg", encoding: .utf8)
        .replacing("user gatehouse", with: "user \(user)").replacing(
          "group gatehouse", with: "group \(group)"
        )
        .replacing("/etc/gatehouse/certs/", with: workspace.path("certs"))
        .replacing("/etc/gatehouse/errorfiles", with: Self.root + "/errorfiles")
      let outcome = try RunningGateway.run(["-c", "-dW"], configuration: text, in: workspace)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    }

    @Test("conf/REFERENCE.md lists the keywords of this build: gatehouse -dKmarkdown > conf/REFERENCE.md")
    func reference() throws {
      let listed = try Tool.succeed([RunningGateway.binary, "-dKmarkdown"], in: Workspace())
      #expect(try String(contentsOfFile: Self.root + "/conf/REFERENCE.md", encoding: .utf8) == listed)
    }
  }
}
