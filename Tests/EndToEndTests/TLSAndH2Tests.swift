import Foundation
import Testing

extension EndToEnd {
  @Suite("TLS and HTTP/2") struct TLSAndH2 {
    let workspace: Workspace
    let port: Int
    let certificates: TestCertificates

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      certificates = try TestCertificates(in: workspace)
    }

    /// A TLS site over one server; certificates of `names` in the order given.
    private func gateway(_ origin: TestOrigin, names: [String], _ more: String = "") throws -> RunningGateway {
      try workspace.directory("certs")
      for (index, name) in names.enumerated() {
        let made = try certificates.server("cert\(index)", names: [name])
        try workspace.write("certs/\(index).pem", Workspace.read(made.bundle), mode: 0o600)
      }
      return try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port) ssl crt certs/
            \(more)
            default_backend app
          backend app
            server one 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
    }

    private func subject(_ name: String?) throws -> String {
      let sni = name.map { ["-servername", $0] } ?? ["-noservername"]
      let outcome = try Tool.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:\(port)"] + sni, in: workspace, input: "")
      return outcome.output.split(separator: "\n").first { $0.hasPrefix("subject=") }.map(String.init)
        ?? outcome.errors
    }

    @Test("the certificate follows the name: exact, wildcard, and the first for any other")
    func names() throws {
      let origin = try TestOrigin("x")
      let gateway = try gateway(origin, names: ["first.test", "*.wild.test", "exact.wild.test"])
      let expected: [(String?, String)] = [
        ("first.test", "first.test"), ("a.wild.test", "*.wild.test"), ("exact.wild.test", "exact.wild.test"),
        ("a.b.wild.test", "first.test"), ("other.test", "first.test"), (nil, "first.test"),
        ("EXACT.wild.TEST", "exact.wild.test"),
      ]
      for (name, certificate) in expected {
        let subject = try subject(name)
        #expect(subject.hasSuffix("CN = \(certificate)"), "\(name ?? "none"): \(subject)")
      }
      withExtendedLifetime(gateway) {}
    }

    @Test("ssl-f-use gives a certificate to every ssl line of the frontend, with parameters of its own")
    func frontendCertificates() throws {
      let first = try certificates.server("f1", names: ["one.test"])
      let second = try certificates.server("f2", names: ["two.test"])
      let gateway = try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port) ssl
            ssl-f-use crt \(first.bundle)
            ssl-f-use crt \(second.bundle) ssl-max-ver TLSv1.2 no-alpn
            http-request return status 200 content-type text/plain lf-string "%[ssl_fc_protocol]"

          """, listening: [port], in: workspace)
      #expect(try subject("one.test").hasSuffix("CN = one.test"))
      #expect(try subject("two.test").hasSuffix("CN = two.test"))
      for (name, version) in [("one.test", "TLSv1.3"), ("two.test", "TLSv1.2")] {
        let text = try Tool.run(
          ["curl", "-sk", "--resolve", "\(name):\(port):127.0.0.1", "https://\(name):\(port)/"], in: workspace)
        #expect(text.output == version)
      }
      withExtendedLifetime(gateway) {}
      let refused = try RunningGateway.run(
        ["-c"], configuration: CommandLineUse.valid + "  ssl-f-use key a.key\n", in: Workspace())
      #expect(refused.status == 1 && refused.errors.contains("crt-store"), "\(refused.errors)")
    }

    @Test(
      "a client that verifies accepts the chain, over both HTTP versions",
      arguments: ["--http1.1", "--http2"])
    func verified(version: String) throws {
      let origin = try TestOrigin("fine")
      let gateway = try gateway(
        origin, names: ["site.test"], "http-request set-header X-Forwarded-Proto https if { ssl_fc }")
      let outcome = try Tool.curl(
        [
          version, "--cacert", certificates.authority, "--resolve", "site.test:\(port):127.0.0.1", "-w",
          " %{http_version}", "https://site.test:\(port)/a",
        ], in: workspace)
      #expect(outcome.output == (version == "--http2" ? "fine 2" : "fine 1.1"), "\(outcome.errors)")
      #expect(origin.requests.first?.value("x-forwarded-proto") == "https")
      #expect(origin.requests.first?.value("host") == "site.test:\(port)")
      withExtendedLifetime(gateway) {}
    }

    @Test("ten megabytes go up and down over HTTP/2")
    func large() throws {
      let origin = try TestServer { connection in
        while let request = try TestOrigin.read(connection) {
          try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n")
          try connection.send(request.body)
        }
      }
      let bundle = try certificates.server("site", names: ["site.test"]).bundle
      let gateway = try RunningGateway(
        defaults
          + "listen site\n  bind 127.0.0.1:\(port) ssl crt \(bundle)\n  server one 127.0.0.1:\(origin.port)\n",
        listening: [port], in: workspace)
      let file = workspace.path("up")
      try Tool.succeed(["openssl", "rand", "-out", file, "10485760"], in: workspace)
      let outcome = try Tool.curl(
        [
          "-k", "--http2", "--data-binary", "@\(file)", "-o", workspace.path("down"),
          "https://127.0.0.1:\(port)/",
        ],
        in: workspace)
      #expect(outcome.status == 0, "\(outcome.errors)")
      try Tool.succeed(["cmp", file, workspace.path("down")], in: workspace)
      withExtendedLifetime(gateway) {}
    }

    @Test("many streams on few connections, all answered", .enabled(if: Tool.has("h2load")))
    func load() throws {
      let origin = try TestOrigin("x")
      let gateway = try gateway(origin, names: ["site.test"])
      let output = try Tool.succeed(
        ["h2load", "-n", "2000", "-c", "4", "-m", "50", "https://127.0.0.1:\(port)/"], in: workspace,
        within: 60)
      #expect(output.contains("2000 succeeded, 0 failed"), "\(output)")
      #expect(output.contains("2000 2xx"))
      withExtendedLifetime(gateway) {}
    }

    @Test("HTTP/2 without TLS, by prior knowledge", .enabled(if: Tool.has("nghttp")))
    func priorKnowledge() throws {
      let origin = try TestOrigin("clear")
      let gateway = try RunningGateway(
        defaults + "listen site\n  bind 127.0.0.1:\(port)\n  server one 127.0.0.1:\(origin.port)\n",
        listening: [port], in: workspace)
      #expect(try Tool.succeed(["nghttp", "http://127.0.0.1:\(port)/"], in: workspace) == "clear")
      withExtendedLifetime(gateway) {}
    }

    @Test("an old version of TLS is refused where ssl-min-ver says so")
    func minimalVersion() throws {
      let origin = try TestOrigin("x")
      let bundle = try certificates.server("site", names: ["site.test"]).bundle
      let gateway = try RunningGateway(
        defaults
          + "listen site\n  bind 127.0.0.1:\(port) ssl crt \(bundle) ssl-min-ver TLSv1.3\n  server one 127.0.0.1:\(origin.port)\n",
        listening: [port], in: workspace)
      let url = "https://127.0.0.1:\(port)/"
      #expect(try Tool.status(url, ["-k", "--tls-max", "1.2"], in: workspace) == "000")
      #expect(try Tool.status(url, ["-k"], in: workspace) == "200")
      withExtendedLifetime(gateway) {}
    }

    @Test("TLS to a server is verified: the right authority and name pass, others are a 503")
    func serverVerification() throws {
      let made = try certificates.server("origin", names: ["127.0.0.1", "app.test"])
      try workspace.directory("other")
      let www = try Ports.free()
      let server = try Child(
        [
          "openssl", "s_server", "-quiet", "-WWW", "-accept", "127.0.0.1:\(www)", "-cert", made.certificate,
          "-key", made.key,
        ],
        in: workspace)
      try workspace.write("page", "from a TLS server")
      #expect(Clock.until { (try? Connection(port: www)) != nil })
      let ports = try (0..<4).map { _ in try Ports.free() }
      let options = [
        "ca-file \(certificates.authority)", "ca-file \(certificates.authority) verifyhost app.test",
        "ca-file \(certificates.authority) verifyhost wrong.test", "ca-file @system-ca",
      ]
      let sections = zip(ports, options).map { port, option in
        "listen l\(port)\n  bind 127.0.0.1:\(port)\n  retries 0\n  server one 127.0.0.1:\(www) ssl \(option)\n"
      }
      let gateway = try RunningGateway(defaults + sections.joined(), listening: ports, in: workspace)
      let statuses = try ports.map { try Tool.status("http://127.0.0.1:\($0)/page", in: workspace) }
      #expect(statuses == ["200", "200", "503", "503"])
      withExtendedLifetime((gateway, server)) {}
    }

    @Test("in TCP mode the name in the ClientHello chooses the backend, and TLS stays end to end")
    func passthrough() throws {
      var servers: [Child] = []
      var lines: [String] = []
      for name in ["a", "b"] {
        let made = try certificates.server(name, names: ["\(name).test"])
        let www = try Ports.free()
        servers.append(
          try Child(
            [
              "openssl", "s_server", "-quiet", "-www", "-accept", "127.0.0.1:\(www)", "-cert",
              made.certificate, "-key", made.key,
            ],
            in: workspace))
        #expect(Clock.until { (try? Connection(port: www)) != nil })
        lines.append("backend \(name)\n  mode tcp\n  server s 127.0.0.1:\(www)\n")
      }
      let gateway = try RunningGateway(
        defaults + """
          frontend tls
            mode tcp
            bind 127.0.0.1:\(port)
            tcp-request inspect-delay 5s
            tcp-request content accept if { req.ssl_hello_type 1 }
            use_backend a if { req.ssl_sni -i a.test }
            use_backend b if { req.ssl_sni -m end .test }

          """ + lines.joined(), listening: [port], in: workspace)
      #expect(try subject("a.test").hasSuffix("CN = a.test"))
      #expect(try subject("b.test").hasSuffix("CN = b.test"))
      withExtendedLifetime((gateway, servers)) {}
    }
  }
}
