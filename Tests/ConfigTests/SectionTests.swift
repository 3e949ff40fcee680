import Base
import Config
import Testing

@Suite("Sections")
struct SectionTests {
  @Test("defaults are inherited, sections' own lines win, and frontend and backend may share a name")
  func inheritance() {
    let loaded = Loading.load(
      """
      defaults one
        mode http
        timeout client 5
        default-server inter 7s weight 3
        option httplog
        acl a src 10.0.0.1
      defaults two from one
        mode tcp
      frontend x from one
        bind :80
      backend x from two
        server s 127.0.0.1:80 weight 9

      """)
    #expect(!loaded.diagnostics.hasErrors)
    let front = loaded.configuration.proxies[0]
    let back = loaded.configuration.proxies[1]
    #expect(front.mode == .http && back.mode == .tcp)
    #expect(front.timeouts.client == .milliseconds(5))
    #expect(front.acls.count == 1)
    #expect(back.servers[0].interval == .seconds(7))
    #expect(back.servers[0].weight == 9)
  }

  @Test("ids count as HAProxy counts them")
  func ids() {
    let loaded = Loading.load(
      """
      frontend f1
        bind :80
      backend b1
        server s1 127.0.0.1:1
        server s2 127.0.0.1:1 id 1
        server s3 127.0.0.1:1
      backend b2
        id 3
      listen l1
        bind :81
        bind :82

      """)
    #expect(loaded.configuration.proxies.map(\.id) == [2, 4, 3, 5])
    #expect(loaded.configuration.proxies[1].servers.map(\.id) == [2, 1, 4])
    #expect(loaded.configuration.proxies[3].binds.map(\.id) == [1, 2])
  }

  @Test("global, logs and sockets")
  func global() {
    let loaded = Loading.load(
      """
      global
        daemon
        maxconn 256
        user haproxy
        group haproxy
        log /dev/log local1 notice
        log 127.0.0.1:5140 len 2048 format rfc5424 sample 1,3-4:5 local0 info err
        stats socket /run/a.sock mode 660 level admin expose-fd listeners
        stats timeout 30s
        tune.ssl.default-dh-param 2048
        ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
      listen l
        bind :80

      """)
    let global = loaded.configuration.global
    #expect(!loaded.diagnostics.hasErrors)
    #expect(global.isDaemon && global.maxConnections == 256 && global.uid == 99 && global.gid == 98)
    #expect(global.logs[0].destination == .unixDatagram("/dev/log"))
    #expect(global.logs[0].facility == 17 && global.logs[0].level == 5)
    #expect(global.logs[1].destination == .udp(host: "127.0.0.1", port: 5140))
    #expect(global.logs[1].sampleRanges == [1...1, 3...4] && global.logs[1].minimumLevel == 3)
    #expect(global.statsSockets[0].addresses == [.unix("/run/a.sock")])
    #expect(global.statsSockets[0].mode == 0o660 && global.statsSockets[0].level == "admin")
    #expect(global.bindTLS.minimumVersion == .tls12 && global.bindTLS.noTickets)
  }

  @Test(
    "addresses of bind lines",
    arguments: [
      ("*:80", [BindSettings.Address.ip(.v4(0), ports: 80...80)]),
      (":80,:443", [.ip(.v4(0), ports: 80...80), .ip(.v4(0), ports: 443...443)]),
      (":::80", [.ip(.v6(high: 0, low: 0), ports: 80...80)]),
      ("[::1]:80", [.ip(.v6(high: 0, low: 1), ports: 80...80)]),
      ("ipv6@:80", [.ip(.v6(high: 0, low: 0), ports: 80...80)]),
      ("127.0.0.1:80-82", [.ip(.v4(0x7F00_0001), ports: 80...82)]),
      ("localhost:80", [.ip(.v4(0x7F00_0001), ports: 80...80)]), ("/run/x.sock", [.unix("/run/x.sock")]),
      ("unix@x.sock", [.unix("x.sock")]), ("abns@x", [.abstract("x", isPadded: true)]), ("fd@3", [.descriptor(3)]),
      ("stream+fd@3", [.descriptor(3)]), ("\"fd@${FD}\"", [.descriptor(7)]),
      ("$HOST:80", [.ip(.v4(0x0A00_0001), ports: 80...80)]),
    ] as [(String, [BindSettings.Address])])
  func bindAddresses(text: String, expected: [BindSettings.Address]) {
    let loaded = Loading.load("listen l\n bind \(text)\n", environment: ["FD": "7", "HOST": "10.0.0.1"])
    #expect(loaded.configuration.proxies[0].binds.first?.addresses == expected)
  }

  @Test(
    "addresses that cannot be",
    arguments: ["80", ":70000", ":80-70", ":80x", "nohost:80", "fd@x", "ipv4@::1:80", "foo@1:80"])
  func wrongAddresses(text: String) {
    let loaded = Loading.load("listen l\n bind \(text)\n")
    #expect(loaded.diagnostics.all.contains { $0.severity == .alert && $0.location.line == 2 })
  }

  @Test("servers resolve at start-up as init-addr says")
  func servers() {
    let text = """
      backend b
        server a localhost:80
        server b nohost:80 init-addr none
        server c nohost:80 init-addr last,libc,10.0.0.9
        server d /run/d.sock
        server e nohost:81

      """
    let loaded = Loading.load(text)
    let servers = loaded.configuration.proxies[0].servers
    #expect(servers[0].address == .ip(.v4(0x7F00_0001), port: 80))
    #expect(servers[1].startsUnresolved)
    #expect(servers[2].address == .ip(.v4(0x0A00_0009), port: 80))
    #expect(servers[3].address == .unix("/run/d.sock"))
    #expect(Loading.messages(loaded, .alert) == ["6: 'server b/e' : could not resolve address 'nohost'."])
  }

  @Test("a server over TLS without an authority is verified against the system's, and told so as advice")
  func systemAuthorities() {
    let loaded = Loading.load("backend b\n server s 127.0.0.1:443 ssl\n")
    #expect(!loaded.diagnostics.hasErrors)
    #expect(loaded.configuration.proxies[0].servers[0].tls.caFile == "@system-ca")
    #expect(loaded.diagnostics.all.contains { !$0.countsAsWarning && $0.severity == .warning })
  }

  @Test("rules and ACLs keep their order and words")
  func rules() {
    let loaded = Loading.load(
      """
      frontend f
        mode http
        bind :80
        reqadd X-Forwarded-Proto:\\ https
        redirect scheme https if !{ ssl_fc }
        use_backend b if a
        tcp-request inspect-delay 5s
      backend b
        mode http

      """)
    #expect(
      loaded.configuration.proxies[0].rules.map(\.keyword) == [
        "reqadd", "redirect", "use_backend", "tcp-request",
      ])
    #expect(loaded.configuration.proxies[0].rules[0].words[1].text == "X-Forwarded-Proto: https")
  }

  @Test("directories give their *.cfg in C-locale order")
  func directory() {
    let files = ["d/10.cfg": "defaults\n mode http\n", "d/9.cfg": "listen x\n bind :80\n", "d/a.txt": "junk"]
    let io = ConfigurationIO(
      read: { files[$0].map { .octets(Array($0.utf8)) } ?? .failure("gone") },
      entries: { $0 == "d" ? ["9.cfg", "a.txt", "10.cfg"] : nil })
    let loaded = ConfigurationLoader(io: io, environment: [:]).load(paths: ["d"])
    #expect(loaded.configuration.proxies.map(\.mode) == [.http])
    #expect(loaded.environment["HAPROXY_CFGFILES"] == "d/10.cfg;d/9.cfg")
  }
}
