import Base
import Config
import Testing

@Suite("Certificates that crt-store sections load")
struct CertificateLoadTests {
  @Test("have a name by their store, alias and directory, and paths of their own")
  func names() throws {
    let loaded = Loading.load(
      """
      global
        crt-base /base
      crt-store
        load crt site.pem jwt on
        load crt /abs/other.pem alias other
      crt-store web
        crt-base /web
        key-base /keys
        load crt a.pem key a.key ocsp a.ocsp ocsp-update off
        load crt /abs/b.pem sctl b.sctl issuer b.issuer
        load crt c.pem alias see

      """)
    let loads = loaded.configuration.certificateStores.flatMap(\.loads)
    #expect(loads.map(\.name) == ["/base/site.pem", "@/other", "@web/a.pem", "@web/abs/b.pem", "@web/see"])
    #expect(loads.map(\.certificate) == ["/base/site.pem", "/abs/other.pem", "/web/a.pem", "/abs/b.pem", "/web/c.pem"])
    #expect(loads.map(\.servesTokens) == [true, false, false, false, false])
    #expect(loads[2].key == "/keys/a.key")
    #expect(loads[2].ocspResponse == "/web/a.ocsp")
    #expect(loads[2].updatesOCSP == false)
    #expect(loads[3].timestamps == "/web/b.sctl")
    #expect(loads[3].issuer == "/web/b.issuer")
  }

  @Test(
    "are refused with a reason",
    arguments: [
      ("load key a.key", "mandatory 'crt' parameter not found"), ("load crt a alias /a", "'/' is forbidden"),
      ("load crt a jwt maybe", "'jwt' expects 'on' or 'off'"), ("load crt a crypt b", "crypt"),
      ("load crt a acme x", "'acme' is not supported yet"), ("load crt a\n  load crt a", "was already defined"),
    ])
  func refusals(line: String, message: String) {
    let loaded = Loading.load("crt-store\n  \(line)\n")
    let messages = loaded.diagnostics.all.map(\.message)
    #expect(messages.contains { $0.contains(message) }, "\(messages)")
  }
}

@Suite("Algorithms of encrypted tokens")
struct TokenAlgorithmTests {
  @Test(
    "what stands later prevails",
    arguments: [
      ("ALL", 17), ("ALL:!RSA1_5", 16), ("dir:A128KW", 2), ("dir:!dir", 0), ("!dir:ALL", 17),
    ])
  func lists(text: String, count: Int) {
    let loaded = Loading.load("global\n  jwt.decrypt_alg_list \(text)\n")
    #expect(loaded.configuration.global.tokenAlgorithms.count == count)
  }

  @Test("an unknown one is refused, with the one that was probably meant")
  func unknown() {
    let loaded = Loading.load("global\n  jwt.decrypt_enc_list A128GCN\n")
    #expect(loaded.diagnostics.all.first?.message.contains("unknown algorithm/encoding 'A128GCN'") == true)
    #expect(loaded.diagnostics.all.first?.suggestion == "A128GCM")
  }
}
