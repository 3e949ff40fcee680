import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 003: two sites over TLS") struct Sites {
    let workspace: Workspace
    let clear: Int
    let secure: Int

    init() throws {
      workspace = try Workspace()
      clear = try Ports.free()
      secure = try Ports.free()
    }

    @Test("clear requests are redirected, one host is denied, the other is served and told the protocol")
    func sites() throws {
      let log = try LogReceiver()
      let origin = try TestOrigin("back2")
      let other = try TestOrigin("back1")
      let certificate = try TestCertificates(in: workspace).server("ssl", names: ["www.backend2.co.kr"])
      let seed = try Seed(
        "003-sites-tls.cfg",
        [
          ("127.0.0.1", "127.0.0.1:\(log.port)"), ("*:80", "127.0.0.1:\(clear)"),
          ("*:443", "127.0.0.1:\(secure)"),
          ("/usr/local/etc/haproxy/ssl.pem", certificate.bundle),
          ("127.0.0.1:5655", "127.0.0.1:\(origin.port)"),
          ("127.0.0.1:5656", "127.0.0.1:\(other.port)"),
        ])
      let gateway = try RunningGateway(seed.text, listening: [clear, secure], in: workspace)

      let moved = try Tool.curl(
        ["-i", "-H", "Host: www.backend2.co.kr", "http://127.0.0.1:\(clear)/p?q"], in: workspace)
      #expect(moved.output.hasPrefix("HTTP/1.1 302 "))
      #expect(moved.output.lowercased().contains("location: https://www.backend2.co.kr/p?q\r\n"))

      let url = "https://127.0.0.1:\(secure)/page"
      #expect(try Tool.fetch(url, ["-k", "-H", "Host: www.backend2.co.kr"], in: workspace) == "back2")
      #expect(try Tool.fetch(url, ["-k", "-H", "Host: m.www.backend2.co.kr"], in: workspace) == "back2")
      #expect(try Tool.fetch(url, ["-k", "-H", "Host: unknown"], in: workspace) == "back2")
      #expect(try Tool.status(url, ["-k", "-H", "Host: WWW.backend1.co.kr"], in: workspace) == "403")
      #expect(other.requests.isEmpty)
      let seen = try #require(origin.requests.first)
      #expect(seen.values("x-forwarded-proto") == ["https"])
      #expect(seen.values("x-forwarded-for") == ["127.0.0.1"])

      #expect(
        log.line { $0.contains("http-in~ back2/back2") && $0.contains("/page HTTP/2.0\"") } != nil)
      #expect(log.line { $0.contains("http-in~ http-in/<NOSRV>") && $0.contains(" 403 ") } != nil)
      withExtendedLifetime(gateway) {}
    }

    @Test("the old reqadd is told with its modern form")
    func reqadd() throws {
      let certificate = try TestCertificates(in: workspace).server("ssl", names: ["a.test"])
      let seed = try Seed("003-sites-tls.cfg", [("/usr/local/etc/haproxy/ssl.pem", certificate.bundle)])
      let outcome = try RunningGateway.run(["-c"], configuration: seed.text, in: workspace)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let warning = outcome.errors.split(separator: "\n").first {
        $0.contains("[WARNING]") && $0.contains("reqadd")
      }
      #expect(warning != nil, "\(outcome.errors)")
      #expect(outcome.errors.contains("http-request add-header X-Forwarded-Proto https"), "\(outcome.errors)")
    }
  }
}
