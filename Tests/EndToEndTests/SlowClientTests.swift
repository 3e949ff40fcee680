import Foundation
import Testing

extension EndToEnd {
  /// Clients that take their time to hold what others need.
  @Suite("slow clients") struct SlowClients {
    let workspace: Workspace
    let port: Int
    let socket: String
    private static let attackers = 200

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
    }

    private func gateway(server: Int) throws -> RunningGateway {
      try RunningGateway(
        """
        global
          stats socket \(socket) level admin
          nbthread 2
          maxconn 1000
        defaults
          mode http
          timeout http-request 1s
          timeout client 1s
          timeout connect 2s
          timeout server 5s
        frontend site
          bind 127.0.0.1:\(port)
          http-request return status 200 if { path /own }
          default_backend all
        backend all
          server s 127.0.0.1:\(server) maxconn 500

        """, listening: [port], unix: [socket], in: workspace)
    }

    private func connections() throws -> Int {
      let connection = try Connection(unix: socket)
      try connection.send("show info\n")
      let line = try connection.receiveText().split(separator: "\n").first { $0.hasPrefix("CurrConns:") }
      return line.flatMap { Int($0.dropFirst(10).trimmingCharacters(in: .whitespaces)) } ?? -1
    }

    /// How long each request of a good client took while `isUnderAttack`; a request that fails is an issue.
    private func serve(_ path: String = "/small", while isUnderAttack: () throws -> Bool) throws -> [Double] {
      var times: [Double] = []
      repeat {
        let began = Clock.now
        let client = try Connection(port: port)
        try client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = try client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        times.append(Clock.now - began)
      } while try isUnderAttack()
      return times.sorted()
    }

    @Test(
      "good clients keep their service while slow ones are cut", .enabled(if: Tool.has("slowhttptest")),
      arguments: [
        ["-H", "-i", "1"], ["-B", "-i", "1", "-s", "8192"], ["-R"],
        ["-X", "-w", "64", "-y", "128", "-n", "1", "-z", "8"],
      ])
    func attack(mode: [String]) throws {
      let large = String(repeating: "x", count: 2 << 20)
      let origin = try TestOrigin("small") { request in
        request.line.contains("/large") ? TestOrigin.ok(large) : TestOrigin.ok("small")
      }
      let gateway = try gateway(server: origin.port)
      let attack = try Child(
        ["slowhttptest"] + mode + [
          "-c", "\(SlowClients.attackers)", "-r", "\(SlowClients.attackers)", "-l", "3", "-p", "1", "-u",
          "http://127.0.0.1:\(port)/large",
        ], in: workspace)
      defer { attack.stop() }
      let times = try serve { attack.exitStatus == nil }
      #expect(times.count > 20)
      // One in a hundred may be as late as a busy machine makes it.
      #expect(times[times.count * 99 / 100] < 1, "the slowest of \(times.count): \(times.suffix(3))")
      print("slow \(mode[0]): \(times.count) requests, half in \(times[times.count / 2]) s, last \(times.last ?? 0) s")
      #expect(try Clock.until(within: 5) { try connections() <= 1 })
      withExtendedLifetime((gateway, origin)) {}
    }

    @Test("HTTP/2 clients that never open a window are cut, and cost others nothing")
    func zeroWindows() throws {
      let origin = try TestOrigin("a body that no window is open for")
      let gateway = try gateway(server: origin.port)
      // INITIAL_WINDOW_SIZE of 0, then requests for everything.
      var octets = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
      octets += [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]
      let head: [UInt8] = [0x82, 0x84, 0x86, 0x41, 1, 0x78]
      for stream in stride(from: UInt8(1), through: 19, by: 2) {
        octets += [0, 0, UInt8(head.count), 1, 5, 0, 0, 0, stream] + head
      }
      let began = Clock.now
      let bad = try (0..<20).map { _ in
        let connection = try Connection(port: port)
        try connection.send(octets)
        return connection
      }
      let times = try serve("/own") { Clock.now - began < 1.5 }
      #expect(times[times.count / 2] < 0.5)
      // Each is closed by the gateway: the read ends.
      for connection in bad { _ = try? connection.receiveAll() }
      #expect(Clock.now - began < 8)
      #expect(try Clock.until(within: 5) { try connections() <= 1 })
      withExtendedLifetime(gateway) {}
    }
  }
}
