import Foundation
import Testing

extension EndToEnd {
  @Suite("HTTP/2 to servers") struct H2Servers {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private var url: String { "http://127.0.0.1:\(port)" }

    private func gateway(_ server: String, _ backend: String = "", _ global: String = "") throws -> RunningGateway {
      try RunningGateway(
        "global\n  nbthread 1\n\(global)" + defaults + """
          frontend site
            bind 127.0.0.1:\(port)
            default_backend app
          backend app
            \(backend)
            server one 127.0.0.1:\(server)

          """, listening: [port], in: workspace)
    }

    // MARK: Real servers

    private func nghttpd(_ arguments: [String], tls: [String] = []) throws -> (child: Child, port: Int) {
      let port = try Ports.free()
      let folder = try workspace.directory("www")
      try workspace.write("www/index.html", "welcome")
      if !FileManager.default.fileExists(atPath: folder + "/big") {
        try Tool.succeed(["openssl", "rand", "-out", folder + "/big", "5242880"], in: workspace)
      }
      let child = try Child(["nghttpd", "-d", folder] + arguments + ["\(port)"] + tls, in: workspace)
      let serves = Clock.until(within: 20) { child.exitStatus != nil || (try? Connection(port: port)) != nil }
      guard serves, child.exitStatus == nil else { throw Failure("nghttpd does not serve: \(child.errors)") }
      return (child, port)
    }

    @Test(
      "bodies pass both ways, from clients of both versions",
      .enabled(if: Tool.has("nghttpd")), arguments: ["--http1.1", "--http2-prior-knowledge"])
    func bodies(version: String) throws {
      let (child, server) = try nghttpd(["--no-tls", "--echo-upload"])
      let gateway = try gateway("\(server) proto h2")
      #expect(try Tool.fetch(url + "/index.html", [version], in: workspace) == "welcome")
      let big = workspace.path("www/big")
      for arguments in [["\(url)/big"], ["--data-binary", "@\(big)", "\(url)/echo"]] {
        let outcome = try Tool.curl([version, "-o", workspace.path("down")] + arguments, in: workspace)
        #expect(outcome.status == 0, "\(outcome.errors)")
        try Tool.succeed(["cmp", big, workspace.path("down")], in: workspace)
      }
      #expect(try Tool.status(url + "/nothing", [version], in: workspace) == "404")
      let head = try Tool.curl([version, "-I", url + "/big"], in: workspace).output
      #expect(head.contains("content-length: 5242880"))
      withExtendedLifetime((gateway, child)) {}
    }

    @Test("ALPN chooses the version, over verified TLS", .enabled(if: Tool.has("nghttpd")))
    func alpn() throws {
      let certificates = try TestCertificates(in: workspace)
      let made = try certificates.server("server", names: ["server.test"])
      let (child, server) = try nghttpd([], tls: [made.key, made.certificate])
      let gateway = try gateway(
        "\(server) ssl ca-file \(certificates.authority) sni str(server.test) alpn h2,http/1.1",
        "http-response set-header x-spoken \"%[ssl_bc_alpn] %[bc_http_major] %[res.ver]\"")
      let answer = try Tool.curl(["-i", url + "/index.html"], in: workspace).output
      #expect(answer.contains("x-spoken: h2 2 2.0"), "\(answer)")
      withExtendedLifetime((gateway, child)) {}
    }

    @Test("trailers reach the client", .enabled(if: Tool.has("nghttpd", "nghttp")))
    func trailers() throws {
      let (child, server) = try nghttpd(["--no-tls", "--trailer", "x-sum: 42"])
      let gateway = try gateway("\(server) proto h2")
      let output = try Tool.succeed(["nghttp", "-v", url + "/index.html"], in: workspace)
      #expect(output.contains("x-sum: 42"), "\(output)")
      withExtendedLifetime((gateway, child)) {}
    }

    @Test("many requests share one connection", .enabled(if: Tool.has("nghttpd", "h2load")))
    func multiplexing() throws {
      let (child, server) = try nghttpd(["--no-tls"])
      let socket = workspace.path("stats")
      let gateway = try gateway(
        "\(server) proto h2", "http-reuse always", "  stats socket \(socket) level admin\n")
      let output = try Tool.succeed(
        ["h2load", "-n", "1000", "-c", "4", "-m", "20", url + "/index.html"], in: workspace, within: 60)
      #expect(output.contains("1000 succeeded, 0 failed"), "\(output)")
      let api = try Connection(unix: socket)
      try api.send("show stat -1 4 -1 json\n")
      let text = try api.receiveText()
      let made = text.firstMatch(of: /"name":"connect"\}[^}]*\}[^}]*"value":\{"type":"u64","value":(\d+)\}/)
      #expect(made.flatMap { Int($0.1) } ?? 0 <= 8, "\(text)")
      withExtendedLifetime((gateway, child)) {}
    }

    @Test("nginx is spoken to in HTTP/2", .enabled(if: Tool.has("nginx")))
    func nginx() throws {
      let server = try Ports.free()
      let nginx = try Services.nginx("web", port: server, options: " http2", in: workspace)
      let gateway = try gateway(
        "\(server) proto h2 check", "option httpchk\n    http-check send meth GET uri / hdr host h")
      for _ in 0..<20 { #expect(try Tool.fetch(url + "/", in: workspace) == "web") }
      withExtendedLifetime((gateway, nginx)) {}
    }

    // MARK: Servers that misbehave

    private static func head(_ stream: Int, _ fields: [(String, String)]) -> [UInt8] {
      H2Frame.headers(stream, fields, ends: true)
    }

    /// What a server answers, in the place of a response.
    static let bad: [(String, @Sendable (Int) -> [UInt8])] = [
      ("no status", { head($0, [("x-a", "b")]) }),
      ("101", { H2Frame.headers($0, [(":status", "101")]) }),
      ("connection", { head($0, [(":status", "200"), ("connection", "close")]) }),
      ("transfer-encoding", { head($0, [(":status", "200"), ("transfer-encoding", "chunked")]) }),
      ("line end in a value", { head($0, [(":status", "200"), ("x-a", "b\r\nset-cookie: c")]) }),
      ("length without a body", { head($0, [(":status", "200"), ("content-length", "5")]) }),
      ("body before a head", { H2Frame.data($0, "HTTP/1.1 200 OK\r\n\r\n") }),
      ("reset", { H2Frame.reset($0, 2) }),
      ("goodbye", { _ in H2Frame.goAway(last: 0, 2) }),
      ("HTTP/1", { _ in Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8) }),
      ("too large a frame", { H2Frame.frame(0, stream: $0, [UInt8](repeating: 0, count: 20000)) }),
    ]

    @Test("a bad answer becomes 502 and nothing of it is passed on", arguments: bad.indices)
    func badAnswers(index: Int) throws {
      let (name, answer) = Self.bad[index]
      let origin = try H2Origin { stream, _ in answer(stream) }
      let gateway = try gateway("\(origin.port) proto h2", "retries 0")
      let client = try Connection(port: port)
      try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab")
      let text = try client.receiveText()
      #expect(text.hasPrefix("HTTP/1.1 502 "), "\(name): \(text)")
      #expect(text.components(separatedBy: "HTTP/1.1").count == 2, "\(name): \(text)")
      #expect(!text.contains("set-cookie"), "\(name): \(text)")
      withExtendedLifetime(gateway) {}
    }

    @Test("a body that ends too soon ends the client's connection, not its framing")
    func shortBody() throws {
      let origin = try H2Origin { stream, _ in
        H2Frame.headers(stream, [(":status", "200"), ("content-length", "10")]) + H2Frame.data(stream, "abc")
      }
      let gateway = try gateway("\(origin.port) proto h2")
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
      let text = try client.receiveText()
      #expect(text.components(separatedBy: "HTTP/1.1").count == 2, "\(text)")
      withExtendedLifetime(gateway) {}
    }

    @Test("more body than announced is not passed on")
    func longBody() throws {
      let origin = try H2Origin { stream, _ in
        H2Frame.headers(stream, [(":status", "200"), ("content-length", "2")]) + H2Frame.data(stream, "abHTTP/1.1 200")
      }
      let gateway = try gateway("\(origin.port) proto h2")
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(!(try client.receiveText().contains("abHTTP")))
      withExtendedLifetime(gateway) {}
    }

    @Test("a request that a server has refused is sent again")
    func refused() throws {
      let origin = try H2Origin { stream, number in
        number == 0 ? H2Frame.reset(stream, 7) : H2Frame.ok(stream, "again")
      }
      let gateway = try gateway("\(origin.port) proto h2")
      #expect(try Tool.fetch(url + "/", in: workspace) == "again")
      #expect(origin.streams.count == 2)
      withExtendedLifetime(gateway) {}
    }

    @Test("after GOAWAY the request goes on, and the next gets a new connection")
    func goAway() throws {
      let origin = try H2Origin { stream, number in
        (number == 0 ? H2Frame.goAway(last: stream) : []) + H2Frame.ok(stream, "answer \(number)")
      }
      let gateway = try gateway("\(origin.port) proto h2")
      let client = try Connection(port: port)
      for number in 0..<2 {
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try client.receive(through: "answer \(number)")
      }
      #expect(origin.streams == [1, 1])
      #expect(origin.connectionCount == 2)
      withExtendedLifetime(gateway) {}
    }

    @Test("an idle connection is used again, and one more than max-reuse allows is not")
    func reuse() throws {
      let origin = try H2Origin { stream, _ in H2Frame.ok(stream, "answer") }
      let gateway = try gateway("\(origin.port) proto h2 max-reuse 2")
      let client = try Connection(port: port)
      for _ in 0..<4 {
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try client.receive(through: "answer")
      }
      #expect(origin.streams == [1, 3, 5, 1])
      withExtendedLifetime(gateway) {}
    }

    @Test("a server's limit of streams opens more connections")
    func serverLimit() throws {
      let origin = try H2Origin(settings: H2Frame.settings([(3, 1)])) { stream, number in
        number < 2 ? H2Frame.headers(stream, [(":status", "200")]) : H2Frame.ok(stream, "answer")
      }
      let gateway = try gateway("\(origin.port) proto h2", "http-reuse always")
      let waiting = try (0..<2).map { _ in
        let client = try Connection(port: port)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try client.receive(through: "\r\n\r\n")
        return client
      }
      #expect(try Tool.fetch(url + "/", in: workspace) == "answer")
      #expect(origin.connectionCount == 3)
      withExtendedLifetime((gateway, waiting)) {}
    }

    @Test("a server that goes into maintenance finishes what it has")
    func maintenance() throws {
      let gate = Gate()
      let origin = try H2Origin { stream, _ in
        gate.wait()
        return H2Frame.ok(stream, "finished")
      }
      let socket = workspace.path("stats")
      let gateway = try gateway("\(origin.port) proto h2", "", "  stats socket \(socket) level admin\n")
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(Clock.until(within: 10) { origin.streams.count == 1 })
      let api = try Connection(unix: socket)
      try api.send("set server app/one state maint\n")
      _ = try api.receiveText()
      gate.open()
      _ = try client.receive(through: "finished")
      withExtendedLifetime(gateway) {}
    }

    @Test("an answer that overtakes the request's body ends the exchange")
    func overtaken() throws {
      let origin = try H2Origin { stream, _ in H2Frame.ok(stream, "early") }
      let gateway = try gateway("\(origin.port) proto h2")
      let up = workspace.path("up")
      try Tool.succeed(["openssl", "rand", "-out", up, "1000000"], in: workspace)
      let outcome = try Tool.curl(["--data-binary", "@\(up)", url + "/"], in: workspace)
      #expect(outcome.output == "early", "\(outcome.errors)")
      #expect(try Tool.fetch(url + "/", in: workspace) == "early")
      withExtendedLifetime(gateway) {}
    }

    @Test("an upgrade becomes an extended CONNECT, and its answer a 101")
    func upgrade() throws {
      let origin = try H2Origin(settings: H2Frame.settings([(8, 1)])) { stream, _ in
        H2Frame.headers(stream, [(":status", "200")]) + H2Frame.data(stream, "hello", ends: false)
      }
      let gateway = try gateway("\(origin.port) proto h2")
      let client = try Connection(port: port)
      try client.send(
        "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
      let head = try client.receive(through: "\r\n\r\n").lowercased()
      #expect(head.hasPrefix("http/1.1 101 "), "\(head)")
      #expect(head.contains("upgrade: websocket\r\n"))
      #expect(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"))
      #expect(try client.receive(through: "hello") == "hello")
      withExtendedLifetime(gateway) {}
    }

    @Test("an upgrade that the server cannot take is answered with 502")
    func noUpgrade() throws {
      let origin = try H2Origin { stream, _ in H2Frame.ok(stream, "x") }
      let gateway = try gateway("\(origin.port) proto h2")
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
      #expect(try client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 502 "))
      #expect(origin.streams == [])
      withExtendedLifetime(gateway) {}
    }
  }
}
