import Foundation
import Testing

extension EndToEnd {
  @Suite("what belongs to a certificate: revocation, timestamps, tokens") struct CertificateFacts {
    let workspace: Workspace
    let port: Int
    let socket: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
    }

    private func command(_ text: String) throws -> String {
      let connection = try Connection(unix: socket, timeout: 20)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    private func client(_ arguments: [String]) throws -> String {
      try Tool.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:\(port)"] + arguments, in: workspace, input: "Q\n"
      ).output
    }

    /// A responder's answer that says "good", valid for so many minutes from now on.
    private func response(_ certificates: TestCertificates, _ certificate: String, minutes: Int) throws -> String {
      let serial = try Tool.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"], in: workspace).output
      let number = serial.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
      let index = try workspace.write("index", "V\t491231235959Z\t\t\(number)\tunknown\t/CN=one\n")
      let file = workspace.path("response-\(minutes)")
      try Tool.succeed(
        [
          "openssl", "ocsp", "-index", index, "-rsigner", certificates.authority, "-rkey", workspace.path("ca.key"),
          "-CA", certificates.authority, "-issuer", certificates.authority, "-cert", certificate, "-respout", file,
          "-nmin", String(minutes),
        ], in: workspace)
      return file
    }

    @Test("a response about to expire is not stapled, whether read at start or given at run time")
    func expiry() throws {
      let made = try TestCertificates(in: workspace)
      let site = try made.server("one", names: ["one.test"])
      // HAProxy takes five minutes off, for clocks that differ.
      let (fresh, stale) = try (
        response(made, site.certificate, minutes: 60), response(made, site.certificate, minutes: 1)
      )
      try FileManager.default.copyItem(atPath: made.authority, toPath: site.bundle + ".issuer")
      try FileManager.default.copyItem(atPath: stale, toPath: site.bundle + ".ocsp")
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(port) ssl crt \(site.bundle)
          http-request return status 200

        """, listening: [port], unix: [socket], in: workspace)
      func isStapled() throws -> Bool { try client(["-status"]).contains("OCSP Response Status: successful") }
      func set(_ file: String) throws -> String {
        let octets = try Data(contentsOf: URL(fileURLWithPath: file))
        return try command("set ssl ocsp-response <<\n\(octets.base64EncodedString())\n")
      }
      #expect(try !isStapled())
      #expect(try set(fresh).hasPrefix("OCSP Response updated!"))
      #expect(try isStapled())
      #expect(try set(stale).hasPrefix("OCSP Response updated!"))
      #expect(try !isStapled())
      withExtendedLifetime(gateway) {}
    }

    @Test("clients that ask receive the list of an .sctl file", arguments: ["-tls1_2", "-tls1_3"])
    func timestamps(version: String) throws {
      let site = try TestCertificates(in: workspace).server("one", names: ["one.test"])
      // One timestamp: version, log, time, no extensions, the algorithm of a signature and the signature.
      let timestamp = [0] + [UInt8](repeating: 0xAB, count: 32) + [0, 0, 1, 0x86, 0, 0, 0, 0, 0, 0, 4, 3, 0, 2, 7, 7]
      let list = [0, UInt8(timestamp.count + 2), 0, UInt8(timestamp.count)] + timestamp
      try Data(list).write(to: URL(fileURLWithPath: site.bundle + ".sctl"))
      let gateway = try RunningGateway(
        """
        global
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(port) ssl crt \(site.bundle)
          http-request return status 200

        """, listening: [port], in: workspace)
      let logs = try workspace.write("logs", "enabled_logs=\n")
      let text = try client([version, "-ct", "-ctlogfile", logs])
      #expect(text.contains("SCTs present (1)"), "\(text)")
      #expect(text.contains("AB:AB:AB:AB"), "\(text)")
      // In the clear: the extension in the ServerHello, its type and length in front.
      guard version == "-tls1_2" else { return withExtendedLifetime(gateway) {} }
      let seen = Data([0, 18, 0, UInt8(list.count)] + list).base64EncodedString()
      let shown = try client([version, "-serverinfo", "18"])
      #expect(shown.replacingOccurrences(of: "\n", with: "").contains(seen), "\(shown)")
      #expect(try !client([version]).contains("EXTENSION 18"))
      withExtendedLifetime(gateway) {}
    }

    /// A token that the key signs (RFC 7519).
    private func token(signedBy key: String) throws -> String {
      func url(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
          .replacingOccurrences(of: "=", with: "")
      }
      let text = url(Data(#"{"alg":"RS256","typ":"JWT"}"#.utf8)) + "." + url(Data(#"{"sub":"one"}"#.utf8))
      let (input, signature) = (try workspace.write("signed", text), workspace.path("signature"))
      try Tool.succeed(["openssl", "dgst", "-sha256", "-sign", key, "-out", signature, input], in: workspace)
      return text + "." + url(try Data(contentsOf: URL(fileURLWithPath: signature)))
    }

    @Test("the runtime API changes which tokens a certificate verifies")
    func tokens() throws {
      var bundles: [String] = []
      var tokens: [String] = []
      for name in ["one", "two"] {
        let (key, certificate) = (workspace.path("\(name).key"), workspace.path("\(name).crt"))
        try Tool.succeed(
          [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-keyout",
            key, "-out", certificate,
          ], in: workspace)
        bundles.append(try workspace.write("\(name).pem", Workspace.read(certificate) + Workspace.read(key)))
        tokens.append(try token(signedBy: key))
      }
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
        crt-store keys
          load crt "\(bundles[0])" jwt on
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(port)
          http-request set-var(txn.token) http_auth_bearer
          http-request return status 200 hdr x-ok "%[var(txn.token),jwt_verify_cert(RS256,'@keys\(bundles[0])')]"

        """, listening: [port], unix: [socket], in: workspace)
      func verdict(_ token: String) throws -> String {
        let text = try Tool.curl(
          ["-i", "-H", "Authorization: Bearer \(token)", "http://127.0.0.1:\(port)/"], in: workspace
        ).output
        return text.firstMatch(of: /x-ok: (\S*)/.ignoresCase()).map { String($0.1) } ?? "?"
      }
      #expect(try [verdict(tokens[0]), verdict(tokens[1])] == ["1", "0"])
      let name = "@keys\(bundles[0])"
      #expect(
        try command("set ssl cert \(name) <<\n\(Workspace.read(bundles[1]))\n").hasPrefix("Transaction created"))
      #expect(try [verdict(tokens[0]), verdict(tokens[1])] == ["1", "0"])
      #expect(try command("commit ssl cert \(name)").contains("Success!"))
      #expect(try [verdict(tokens[0]), verdict(tokens[1])] == ["0", "1"])
      withExtendedLifetime(gateway) {}
    }
  }
}
