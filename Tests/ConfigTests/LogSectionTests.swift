import Base
import Config
import Testing

@Suite("Sections of logs and checks")
struct LogSectionTests {
  @Test("rings, forwarders and profiles are read whole")
  func sections() throws {
    let loaded = Loading.load(
      """
      global
        log ring@r local0
        log tcp@127.0.0.1:514 local1 notice
      ring r
        description my ring
        format rfc5424
        maxlen 1200
        size 32764
        timeout connect 5s
        timeout server 10s
        server s 127.0.0.1:6514 log-proto octet-count
      log-forward f
        bind 127.0.0.1:0
        dgram-bind 127.0.0.1:0
        maxconn 3
        backlog 7
        timeout client 2s
        option assume-rfc6587-ntf
        option dont-parse-log
        option host append
        log global
        log backend@b profile p local2
      log-profile p
        log-tag t
        on close format "%ci" sd "x"
        on accept drop
        on any format "any"
      backend b
        mode log
        balance log-hash field(1)
        hash-type map-based none
        server a udp@127.0.0.1:1
        server c udp@127.0.0.1:2 backup

      """)
    #expect(loaded.diagnostics.all.map(\.message) == [])
    let ring = try #require(loaded.configuration.rings.first)
    #expect(ring.description == "my ring" && ring.format == .rfc5424 && ring.maxLength == 1200)
    #expect(ring.size == 32764 && ring.connectTimeout == .seconds(5) && ring.serverTimeout == .seconds(10))
    #expect(ring.servers.first?.countsOctets == true)
    let forward = try #require(loaded.configuration.logForwards.first)
    #expect(forward.maxConnections == 3 && forward.backlog == 7 && forward.clientTimeout == .seconds(2))
    #expect(forward.assumesLines && forward.keepsMessages && forward.hostStrategy == .append)
    #expect(forward.usesGlobalLogs && forward.logs.first?.destination == .backend("b"))
    #expect(forward.logs.first?.profile?.text == "p")
    let profile = try #require(loaded.configuration.logProfiles.first)
    #expect(profile.tag == "t" && profile.steps[.accept]?.isDropped == true)
    #expect(profile.steps[.close]?.structuredData?.text == "x" && profile.anyStep?.format?.text == "any")
    #expect(loaded.configuration.proxies.last?.mode == .log)
    #expect(loaded.configuration.global.logs.last?.destination == .stream(host: "127.0.0.1", port: 514))
  }

  @Test(
    "what cannot work is refused, with the word that was probably meant",
    arguments: [
      ("global\n log ring@rung local0\nring ring\n size 8k\n", "unknown ring named 'rung'", "ring"),
      (
        "global\n log backend@bb local0\nbackend bc\n mode log\n server s udp@127.0.0.1:1\n",
        "unknown log backend 'bb'", "bc"
      ),
      ("global\n log backend@b local0\nbackend b\n mode tcp\n", "incompatible log backend 'b'", ""),
      ("global\n log stdout profile prof local0\nlog-profile proof\n", "unknown log-profile 'prof'", "proof"),
      ("frontend f\n mode log\n", "only applicable on proxies with backend capability", ""),
      ("backend b\n mode log\n balance uri\n", "\"balance\" only supports", ""),
      ("backend b\n mode log\n server s udp@127.0.0.1:1\n server t 127.0.0.1:1\n", "cannot mix server types", ""),
      ("backend b\n server s udp@127.0.0.1:1\n", "unsupported transport for server address", ""),
      ("log-profile p\n on clos format x\n", "'on' expects a log step", "close"),
      ("ring r\n size 100\n", "invalid size '100'", ""),
      ("ring buf0\n", "already exists", ""),
      ("log-forward f\n dgram-bind /tmp/x\n", "only addresses of IPv4 and IPv6", ""),
      ("healthcheck h\n type httpcheck\n", "unknown keyword 'httpcheck'", "httpchk"),
      ("healthcheck h\n http-check connect\n", "has no 'type'", ""),
      ("backend b\n server s 127.0.0.1:1 check healthcheck h\n", "unable to find required healthcheck section 'h'", ""),
    ])
  func refusals(text: String, message: String, suggestion: String) throws {
    let loaded = Loading.load(text)
    let alerts = loaded.diagnostics.all.filter { $0.severity == .alert }
    let alert = try #require(alerts.first { $0.message.contains(message) }, "\(alerts.map(\.message))")
    if !suggestion.isEmpty { #expect(alert.suggestion == suggestion) }
  }

  @Test("log-steps takes names and 'all'")
  func steps() {
    let loaded = Loading.load(
      "defaults\n log-steps accept,close\nfrontend a\n bind :80\nfrontend b\n bind :81\n log-steps all\n")
    #expect(loaded.configuration.proxies[0].logSteps == [.accept, .close])
    #expect(loaded.configuration.proxies[1].logSteps == .all)
  }

  @Test("algorithms of log backends are told to be of no use elsewhere")
  func balancing() {
    let loaded = Loading.load("backend b\n mode http\n balance sticky\n server s 127.0.0.1:1\n")
    #expect(!loaded.diagnostics.hasErrors)
    #expect(Loading.messages(loaded, .warning).count == 1)
  }

  @Test("'verify none' towards another machine is advice, and none towards this one")
  func unverified() {
    func advice(_ address: String) -> Int {
      let text = "backend b\n server s \(address):443 ssl verify none\n"
      return Loading.load(text).diagnostics.all.filter { $0.message.contains("verify") }.count
    }
    #expect(advice("192.0.2.1") == 1 && advice("127.0.0.1") == 0 && advice("[::1]") == 0)
  }
}
