import Foundation
import Testing

extension EndToEnd {
  @Suite("rings, forwarders, log backends") struct Rings {
    let workspace: Workspace
    let port: Int
    let admin: String

    init() throws {
      workspace = try Workspace()
      admin = workspace.path("admin.sock")
      port = try Ports.free()
    }

    private func ask(_ command: String) throws -> String {
      let socket = try Connection(unix: admin)
      try socket.send(command + "\n")
      return try socket.receiveText()
    }

    /// A request whose line travels: datagram, forwarder, ring, TCP or TLS, forwarder, datagram.
    @Test("a line travels over UDP, a ring, TCP and TLS, in both framings", arguments: [false, true])
    func chain(overTLS: Bool) throws {
      let log = try LogReceiver()
      let (first, second) = (try Ports.free(), try Ports.free())
      let certificate = try TestCertificates(in: workspace).server("site", names: ["localhost"]).bundle
      let gateway = try RunningGateway(
        """
        global
          stats socket \(admin) level admin
        \(defaults)
        frontend site
          bind 127.0.0.1:\(port)
          option httplog
          log 127.0.0.1:\(first) local0
          http-request return status 200
        ring r
          description "between the two"
          format rfc5424
          maxlen 1200
          size 32764
          timeout connect 5s
          timeout server 10s
          server s 127.0.0.1:\(second) \(overTLS ? "ssl verify none log-proto octet-count" : "")
        log-forward datagrams
          dgram-bind 127.0.0.1:\(first)
          log ring@r local0
        log-forward streams
          bind 127.0.0.1:\(second) \(overTLS ? "ssl crt \(certificate)" : "")
          timeout client 10s
          log 127.0.0.1:\(log.port) local0

        """, listening: [port, second], unix: [admin], in: workspace)
      for number in 0..<5 { _ = try Tool.fetch("http://127.0.0.1:\(port)/n\(number)", in: workspace) }
      for number in 0..<5 {
        let line = try #require(log.line { $0.contains("GET /n\(number) HTTP/1.1") })
        #expect(line.hasPrefix("<134>1 "), "\(line)")
      }
      let events = try ask("show events r")
      #expect(events.contains("GET /n4 HTTP/1.1"))
      #expect(try ask("show events").contains("between the two"))
      withExtendedLifetime(gateway) {}
    }

    @Test("a log backend sends each message to the server that its hash says, and to backups when all are gone")
    func backend() throws {
      let (zero, one, spare) = (try LogReceiver(), try LogReceiver(), try LogReceiver())
      let gateway = try RunningGateway(
        """
        global
          stats socket \(admin) level admin
        \(defaults)
        frontend site
          bind 127.0.0.1:\(port)
          log-format "%HP"
          log backend@logs format raw local0
          http-request return status 200
        backend logs
          mode log
          balance log-hash field(2,/)
          hash-type map-based none
          server a udp@127.0.0.1:\(zero.port)
          server b udp@127.0.0.1:\(one.port)
          server c udp@127.0.0.1:\(spare.port) backup

        """, listening: [port], unix: [admin], in: workspace)
      for path in ["/0", "/1", "/2", "/3"] {
        _ = try Tool.fetch("http://127.0.0.1:\(port)\(path)", in: workspace)
      }
      #expect(zero.line { $0.contains("/2") } != nil)
      #expect(one.line { $0.contains("/3") } != nil)
      #expect(!zero.lines.contains { $0.contains("/1") } && !one.lines.contains { $0.contains("/0") })
      for server in ["a", "b"] { _ = try ask("disable server logs/\(server)") }
      _ = try Tool.fetch("http://127.0.0.1:\(port)/4", in: workspace)
      #expect(spare.line { $0.contains("/4") } != nil)
      withExtendedLifetime(gateway) {}
    }

    @Test("profiles and steps decide which lines are written, and do-log adds some")
    func profiles() throws {
      let log = try LogReceiver()
      let origin = try TestOrigin("o") { _ in TestOrigin.ok("o") }
      let gateway = try RunningGateway(
        """
        \(defaults)
        frontend site
          bind 127.0.0.1:\(port)
          log-format "line"
          option dontlognull
          log-steps accept,response,close
          log 127.0.0.1:\(log.port) format raw profile p local0
          http-request do-log profile own if { path /logged }
          http-response do-log
          default_backend app
        backend app
          server s 127.0.0.1:\(origin.port)
        log-profile p
          on accept drop
          on response format "response %ST"
          on any format "%OG %HP"
        log-profile own
          on http-req format "own %HP"

        """, listening: [port], in: workspace)
      _ = try Tool.fetch("http://127.0.0.1:\(port)/logged", in: workspace)
      #expect(log.line { $0.contains("txn_close /logged") } != nil)
      let lines = log.lines.map { $0.trimmingCharacters(in: .newlines) }
      #expect(lines == ["own /logged", "http-res /logged", "response 200", "txn_close /logged"])
      withExtendedLifetime(gateway) {}
    }
  }
}
