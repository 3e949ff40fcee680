import Foundation
import Testing

extension EndToEnd {
  @Suite("Bodies that pass through pipes") struct Splicing {
    enum Framing: String, CaseIterable, Sendable { case length, chunked, untilClose }

    let workspace: Workspace
    let port: Int
    let admin: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      admin = workspace.path("admin.sock")
    }

    /// Any two places of it differ, so that nothing can be lost, doubled or moved unseen.
    private static let body: String = (0..<300_000).map { String($0) }.joined(separator: ",")

    private static func response(_ framing: Framing) -> String {
      switch framing {
      case .length: TestOrigin.ok(body)
      case .untilClose: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(body)"
      case .chunked:
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
          + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n5\r\ndefgh\r\n0\r\n\r\n"
      }
    }

    private func gateway(_ origin: TestServer, _ global: String) throws -> RunningGateway {
      try RunningGateway(
        "global\n  stats socket \(admin) level admin\n  \(global)\n" + defaults + """
          listen site
            bind 127.0.0.1:\(port)
            server one 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
    }

    private func spliced(_ column: String) throws -> Int {
      let client = try Connection(unix: admin)
      try client.send("show stat typed\n")
      let text = try client.receiveText()
      let line = text.split(separator: "\n").first { $0.hasPrefix("F.") && $0.contains(".\(column).") }
      return line.flatMap { Int($0.split(separator: ":").last ?? "") } ?? -1
    }

    @Test("large bodies come and go unchanged, and are counted", arguments: Framing.allCases, ["", "nosplice"])
    func unchanged(_ framing: Framing, _ global: String) throws {
      let origin = try TestServer { connection in
        while let request = try TestOrigin.read(connection) {
          guard String(decoding: request.body, as: UTF8.self) == Splicing.body else { return }
          try connection.send(Splicing.response(framing))
          if framing == .untilClose { return }
        }
      }
      let gateway = try gateway(origin, global)
      let sent = workspace.path("body")
      try Splicing.body.write(toFile: sent, atomically: true, encoding: .utf8)
      let wanted = framing == .chunked ? "abc" + Splicing.body + "defgh" : Splicing.body
      let arguments = framing == .chunked ? ["-H", "Transfer-Encoding: chunked"] : []
      for _ in 0..<2 {
        let answer = try Tool.fetch(
          "http://127.0.0.1:\(port)/", arguments + ["-X", "POST", "--data-binary", "@\(sent)"], in: workspace)
        #expect(answer == wanted)
      }
      let passed = try spliced("h1_spliced_bytes_out")
      #expect(global == "nosplice" ? passed == 0 : passed > Splicing.body.utf8.count)
      withExtendedLifetime(gateway) {}
    }

    @Test("a client that reads a little at a time gets all of it, and its next answer")
    func slowReader() throws {
      let origin = try TestServer { connection in
        while try TestOrigin.read(connection) != nil { try connection.send(TestOrigin.ok(Splicing.body)) }
      }
      let gateway = try gateway(origin, "tune.sndbuf.client 16384")
      let client = try Connection(port: port)
      for _ in 0..<2 {
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try client.receive(through: "\r\n\r\n")
        var received: [UInt8] = []
        let total = Splicing.body.utf8.count
        while received.count < total { received += try client.receive(count: min(1_000, total - received.count)) }
        #expect(received == Array(Splicing.body.utf8))
      }
      withExtendedLifetime(gateway) {}
    }

    @Test("a server that ends before its body's end does not make a whole answer")
    func truncated() throws {
      let origin = try TestServer { connection in
        guard try TestOrigin.read(connection) != nil else { return }
        try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n\(Splicing.body)")
      }
      let gateway = try gateway(origin, "")
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try client.receive(through: "\r\n\r\n")
      #expect(throws: (any Error).self) { try client.receive(count: 4_000_000) }
      withExtendedLifetime(gateway) {}
    }
  }
}
