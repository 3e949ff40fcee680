import Foundation
import Testing

extension EndToEnd {
  /// Tables that processes share, with the peers protocol of HAProxy.
  @Suite("peers") struct Peers {
    let workspace: Workspace
    let port: Int
    let socket: String
    private let ports: [Int]
    private var url: String { "http://127.0.0.1:\(port)/" }

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
      ports = [try Ports.free(), try Ports.free()]
    }

    private func command(_ text: String, on path: String? = nil) throws -> String {
      let connection = try Connection(unix: path ?? socket)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    /// One of two instances that share a table; `tls` are the options of their lines, ours and the other's.
    private func shared(_ name: String, port: Int, socket: String, tls: (bind: String, server: String)? = nil) -> String
    {
      let mine = name == "A" ? 0 : 1
      let lines =
        tls.map { tls in
          "  bind 127.0.0.1:\(ports[mine]) ssl \(tls.bind)\n  default-server ssl \(tls.server)\n"
            + (name == "A"
              ? "  server A\n  server B 127.0.0.1:\(ports[1])" : "  server A 127.0.0.1:\(ports[0])\n  server B")
        } ?? "  peer A 127.0.0.1:\(ports[0])\n  peer B 127.0.0.1:\(ports[1])"
      return """
        global
          stats socket \(socket) level admin
          localpeer \(name)
        \(defaults)
        peers pair
        \(lines)
        frontend site
          bind 127.0.0.1:\(port)
          http-request track-sc0 path table t
          http-request sc-inc-gpc0(0)
          http-request return status 200
        backend t
          stick-table type string len 32 size 10k expire 10m store gpc0,http_req_rate(10m),server_id,bytes_out_cnt peers pair

        """
    }

    private func holds(_ key: String, _ count: Int, on socket: String) throws -> Bool {
      let line = try command("show table t", on: socket).split(separator: "\n").first { $0.contains(" key=\(key) ") }
      return line?.contains(" gpc0=\(count) ") ?? false
    }

    private func haproxy(_ configuration: String, port: Int) throws -> Child {
      let file = try workspace.write("haproxy.cfg", configuration)
      let haproxy = try Child(["haproxy", "-db", "-f", file], in: workspace)
      #expect(Clock.until { (try? Connection(port: port)) != nil })
      return haproxy
    }

    @Test(
      "a table is shared with a real HAProxy, both ways, and learned again after a restart",
      .enabled(if: Tool.has("haproxy")), arguments: [false, true])
    func withHAProxy(isTLS: Bool) throws {
      let otherPort = try Ports.free()
      let otherSocket = workspace.path("haproxy.sock")
      var tls: (bind: String, server: String)?
      if isTLS {
        let certificates = try TestCertificates(in: workspace)
        let bundle = try certificates.server("peer", names: ["127.0.0.1"]).bundle
        let authority = certificates.authority
        tls = (
          "crt \(bundle) ca-file \(authority) verify required", "crt \(bundle) ca-file \(authority) verify required"
        )
      }
      let mine = shared("A", port: port, socket: socket, tls: tls)
      let other = try haproxy(shared("B", port: otherPort, socket: otherSocket, tls: tls), port: otherPort)
      let gateway = try RunningGateway(mine, listening: [port], unix: [socket], in: workspace)
      for _ in 0..<3 { _ = try Tool.status(url + "mine", in: workspace) }
      for _ in 0..<2 { _ = try Tool.status("http://127.0.0.1:\(otherPort)/theirs", in: workspace) }
      #expect(try Clock.until(within: 20) { try holds("/mine", 3, on: otherSocket) })
      #expect(try Clock.until(within: 20) { try holds("/theirs", 2, on: socket) })
      #expect(try command("show peers").contains("id=B(remote,active)"))
      gateway.child.stop()
      let again = try RunningGateway(mine, listening: [port], unix: [socket], in: workspace)
      #expect(try Clock.until(within: 20) { try holds("/mine", 3, on: socket) })
      #expect(try holds("/theirs", 2, on: socket))
      withExtendedLifetime((other, again)) {}
    }

    @Test(
      "each of two can be the one that connects, over TLS with certificates of both", .enabled(if: Tool.has("haproxy")),
      arguments: [true, false])
    func roles(weConnect: Bool) throws {
      let certificates = try TestCertificates(in: workspace)
      let bundle = try certificates.server("peer", names: ["127.0.0.1"]).bundle
      let options = "crt \(bundle) ca-file \(certificates.authority) verify required"
      let nobody = try Ports.free()
      let otherPort = try Ports.free()
      let otherSocket = workspace.path("haproxy.sock")
      // Whoever is not to connect has a wrong address for the other.
      func wrong(_ text: String, _ isWrong: Bool, _ port: Int) -> String {
        isWrong ? text.replacingOccurrences(of: " 127.0.0.1:\(port)\n", with: " 127.0.0.1:\(nobody)\n") : text
      }
      let theirs = wrong(
        shared("B", port: otherPort, socket: otherSocket, tls: (options, options)), weConnect, ports[0])
      let mine = wrong(shared("A", port: port, socket: socket, tls: (options, options)), !weConnect, ports[1])
      #expect(theirs.contains(":\(nobody)") != mine.contains(":\(nobody)"))
      let other = try haproxy(theirs, port: otherPort)
      let gateway = try RunningGateway(mine, listening: [port], unix: [socket], in: workspace)
      _ = try Tool.status(url + "mine", in: workspace)
      _ = try Tool.status("http://127.0.0.1:\(otherPort)/theirs", in: workspace)
      #expect(try Clock.until(within: 20) { try holds("/mine", 1, on: otherSocket) })
      #expect(try Clock.until(within: 20) { try holds("/theirs", 1, on: socket) })
      withExtendedLifetime((other, gateway)) {}
    }

    @Test("a process that is told to end hands its tables to the one in its place")
    func handover() throws {
      let configuration = shared("A", port: port, socket: socket)
      let old = try RunningGateway(configuration, listening: [port], unix: [socket], in: workspace)
      for _ in 0..<4 { _ = try Tool.status(url + "kept", in: workspace) }
      #expect(try holds("/kept", 4, on: socket))
      let newSocket = workspace.path("new.sock")
      let new = try RunningGateway(
        configuration.replacingOccurrences(of: socket, with: newSocket), listening: [port], unix: [newSocket],
        in: workspace)
      old.child.send(SIGUSR1)
      #expect(old.child.wait() == 0)
      #expect(try Clock.until { try holds("/kept", 4, on: newSocket) })
      withExtendedLifetime(new) {}
    }

    @Test("show peers has the words and lines that HAProxy's has", .enabled(if: Tool.has("haproxy")))
    func report() throws {
      let otherPort = try Ports.free()
      let otherSocket = workspace.path("haproxy.sock")
      let other = try haproxy(shared("B", port: otherPort, socket: otherSocket), port: otherPort)
      let gateway = try RunningGateway(
        shared("A", port: port, socket: socket), listening: [port], unix: [socket], in: workspace)
      _ = try Tool.status(url + "x", in: workspace)
      #expect(try Clock.until(within: 20) { try holds("/x", 1, on: otherSocket) })
      /// Lines without their values, and what only one version of HAProxy has.
      func shape(_ text: String) -> Set<String> {
        let versions = ["app_state=", "learn_state=", "commitupdate=", "xprt=", "src=", "appctx:", "st0=", "st1="]
        let lines = text.split(separator: "\n").map { line in
          line.split(separator: " ").filter { word in !versions.contains { word.hasPrefix($0) } }.map { word in
            word.hasPrefix("0x") ? "at" : word.split(separator: "=").first.map(String.init) ?? ""
          }.joined(separator: " ")
        }
        return Set(
          lines.filter { line in
            !line.isEmpty && !line.hasPrefix("flags")
              && !["last_local_table", "remote_table", "addr"].contains { line.hasPrefix($0) }
          })
      }
      for text in ["show peers", "show peers pair", "show peers dict pair"] {
        let (mine, theirs) = (shape(try command(text)), shape(try command(text, on: otherSocket)))
        let kinds = mine.map { $0.replacing(/table:\w+/, with: "table") }.sorted()
        #expect(kinds == theirs.map { $0.replacing(/table:\w+/, with: "table") }.sorted(), "\(text)")
      }
      withExtendedLifetime((other, gateway)) {}
    }
  }
}
