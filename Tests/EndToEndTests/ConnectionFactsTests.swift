import Foundation
import Testing

extension EndToEnd {
  @Suite("What a connection tells rules") struct ConnectionFacts {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    @Test("the SYN packet that the kernel kept")
    func synPacket() throws {
      let gateway = try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port) tcp-ss 1
            tcp-request connection set-var(sess.syn) fc_saved_syn
            http-request return status 200 content-type text/plain lf-string "%[var(sess.syn),ip.ver] %[var(sess.syn),ip.src] %[var(sess.syn),ip.data,tcp.dst]"

          """, listening: [port], in: workspace)
      let answer = try Tool.curl(["http://127.0.0.1:\(port)/"], in: workspace).output
      #expect(answer == "4 127.0.0.1 \(port)")
      withExtendedLifetime(gateway) {}
    }

    @Test("the hello of a TLS client and the secrets of its session, as the client knows them")
    func handshake() throws {
      let bundle = try TestCertificates(in: workspace).server("site", names: ["site.test"]).bundle
      let gateway = try RunningGateway(
        "global\n  tune.ssl.capture-buffer-size 500\n  tune.ssl.keylog on\n" + defaults + """
          frontend site
            bind 127.0.0.1:\(port) ssl crt \(bundle) alpn http/1.1
            http-request return status 200 content-type text/plain lf-string "hello=%[ssl_fc_protocol_hello_id] suites=%[ssl_fc_cipherlist_str] crt=%[ssl_fc_crtname] secret=%[ssl_fc_client_traffic_secret_0]"

          """, listening: [port], in: workspace)
      let keys = workspace.path("keys")
      let answer = try Tool.run(
        [
          "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof", "-tls1_3", "-keylogfile", keys,
          "-ciphersuites", "TLS_AES_128_GCM_SHA256",
        ], in: workspace, input: "GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"
      ).output
      #expect(answer.contains("hello=771 suites=TLS_AES_128_GCM_SHA256"), "\(answer)")
      #expect(answer.contains("crt=\(bundle) "))
      let line = try String(contentsOfFile: keys, encoding: .utf8).split(separator: "\n")
        .first { $0.hasPrefix("CLIENT_TRAFFIC_SECRET_0 ") }
      let secret = try #require(line?.split(separator: " ").last)
      #expect(answer.contains("secret=\(secret)"))
      withExtendedLifetime(gateway) {}
    }

    @Test("both ends of a request, in its log line")
    func ends() throws {
      let log = try LogReceiver()
      let origin = try TestOrigin("answer")
      let gateway = try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port)
            log 127.0.0.1:\(log.port) local0
            log-format "ends %HP fs=%[fs.id] bs=%[bs.id] fa=%[fs.aborted] ba=%[bs.aborted] fn=%[fc_nb_streams] bn=%[bc_nb_streams] out=%[req.bytes_out] calls=%[cpu_calls]"
            default_backend app
          backend app
            server one 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
      _ = try Tool.curl(["http://127.0.0.1:\(port)/x"], in: workspace)
      let line = try #require(log.line { $0.contains("ends /x ") })
      #expect(line.contains("ends /x fs=0 bs=0 fa=0 ba=0 fn=1 bn=1 out="), "\(line)")
      #expect(!line.contains("out=0 ") && !line.hasSuffix("calls=0"), "\(line)")
      withExtendedLifetime((gateway, origin)) {}
    }
  }
}
