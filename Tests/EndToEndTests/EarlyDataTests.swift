import Foundation
import Testing

extension EndToEnd {
  @Suite("Early data") struct EarlyData {
    let workspace: Workspace
    let port: Int
    let proxied: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      proxied = try Ports.free()
    }

    private func gateway() throws -> RunningGateway {
      let bundle = try TestCertificates(in: workspace).server("site", names: ["site.test"]).bundle
      return try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port) ssl crt \(bundle) allow-0rtt alpn http/1.1
            http-request wait-for-handshake if { path /wait }
            http-request return status 200 content-type text/plain lf-string "%[path] now=%[ssl_fc_has_early] ever=%[ssl_fc_early_rcvd] resumed=%[ssl_fc_is_resumed]"
          listen relay
            bind 127.0.0.1:\(proxied)
            option httpclose
            retry-on 0rtt-rejected
            server s 127.0.0.1:\(port) ssl verify none alpn http/1.1 allow-0rtt sni str(site.test)

          """,
        listening: [port, proxied], in: workspace)
    }

    /// What a client reads that sends `path` as early data of the session that it has.
    private func early(_ path: String) throws -> String {
      try workspace.write("request", "GET \(path) HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n")
      return try Tool.run(
        [
          "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof", "-sess_in", workspace.path("session"),
          "-early_data", workspace.path("request"),
        ], in: workspace, input: ""
      ).output
    }

    @Test("requests come before the handshake is complete, and wait for it where rules say so")
    func requests() throws {
      let gateway = try gateway()
      let first = try Tool.run(
        [
          "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof", "-sess_out", workspace.path("session"),
        ], in: workspace, input: "GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n")
      #expect(first.output.contains("/ now=0 ever=0 resumed=0"))
      let early = try early("/")
      #expect(early.contains("Early data was accepted"), "\(early)")
      #expect(early.contains("/ now=1 ever=1 resumed=1"), "\(early)")
      let waited = try self.early("/wait")
      #expect(waited.contains("/wait now=0 ever=1 resumed=1"), "\(waited)")
      withExtendedLifetime(gateway) {}
    }

    @Test("a server line sends early data once it has a session")
    func server() throws {
      let gateway = try gateway()
      let answers = try (0..<3).map { _ in
        try Tool.curl(["http://127.0.0.1:\(proxied)/"], in: workspace).output
      }
      #expect(answers[0] == "/ now=0 ever=0 resumed=0")
      #expect(answers[1...].contains { $0 == "/ now=1 ever=1 resumed=1" }, "\(answers)")
      withExtendedLifetime(gateway) {}
    }
  }
}
