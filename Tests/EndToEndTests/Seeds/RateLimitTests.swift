import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 190: an API gateway that limits the requests of each source") struct RateLimit {
    @Test("100 requests in ten seconds are answered, every one beyond them is a 429, other sources are not touched")
    func limit() throws {
      let workspace = try Workspace()
      let (clear, tls) = (try Ports.free(), try Ports.free())
      let certificates = try TestCertificates(in: workspace)
      let bundle = try certificates.server("api", names: ["api.mfirhas.com"]).bundle
      let text = try Seed(
        "190-dotfiles.cfg",
        [
          ("*:80", "127.0.0.1:\(clear)"), ("*:443", "127.0.0.1:\(tls)"),
          ("/etc/haproxy/certs/api.mfirhas.com.pem", bundle),
        ]
      ).text
      let gateway = try RunningGateway(text, listening: [clear, tls], in: workspace)
      func statuses(_ count: Int, from source: String, _ protocol: String) throws -> [String] {
        try Tool.curl(
          [
            "-k", `protocol`, "--interface", source, "-H", "Host: api.mfirhas.com", "-o", "/dev/null", "-w",
            "%{http_code}\n", "https://127.0.0.1:\(tls)/health?[1-\(count)]",
          ], in: workspace
        ).output.split(separator: "\n").map(String.init)
      }
      let first = try statuses(105, from: "127.0.0.1", "--http2")
      #expect(first == Array(repeating: "200", count: 100) + Array(repeating: "429", count: 5))
      let second = try statuses(3, from: "127.0.0.2", "--http1.1")
      #expect(second == ["200", "200", "200"])
      let stranger = try Tool.status("https://127.0.0.1:\(tls)/health", ["-k"], in: workspace)
      #expect(stranger == "403")
      let moved = try Tool.status("http://127.0.0.1:\(clear)/", ["-H", "Host: api.mfirhas.com"], in: workspace)
      #expect(moved == "301")
      withExtendedLifetime(gateway) {}
    }
  }
}
