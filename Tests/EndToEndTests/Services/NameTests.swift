import Foundation
import Testing

extension EndToEnd {
  @Suite(
    "servers whose addresses come from dnsmasq",
    .enabled(
      if: getuid() == 0 && Tool.has("dnsmasq", "h2load", "nginx"), "needs root, dnsmasq, h2load and nginx"))
  struct Names {
    let workspace: Workspace
    let port: Int
    let servers: Int
    let admin: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      servers = try Ports.free()
      admin = workspace.path("admin.sock")
    }

    private func gateway(_ nameserver: Int, _ backend: String, _ frontend: String = "") throws
      -> RunningGateway
    {
      try RunningGateway(
        """
        global
          stats socket \(admin) level admin
          dns-accept-family ipv4
        \(defaults)
        resolvers mydns
          nameserver dnsmasq 127.0.0.1:\(nameserver)
          accepted_payload_size 8192
          timeout resolve 50ms
          timeout retry 200ms
          hold nx 200ms
          hold other 200ms
        frontend site
          bind 127.0.0.1:\(port)
          \(frontend)
          default_backend app
        backend app
          \(backend)

        """, listening: [port], unix: [admin], in: workspace)
    }

    private func addresses(_ list: [String]) -> String { list.map { "\($0) app.test\n" }.joined() }

    /// The addresses that the servers have now, sorted; those without one are left out.
    private func current() throws -> [String] {
      let connection = try Connection(unix: admin)
      try connection.send("show servers state app\n")
      let text = try connection.receiveText()
      return text.split(separator: "\n").compactMap { line -> String? in
        let words = line.split(separator: " ")
        return words.count > 20 && words[1] == "app" && words[4] != "-" ? String(words[4]) : nil
      }.sorted()
    }

    @Test("addresses that come and go under load cost no request")
    func underLoad() throws {
      let hosts = try workspace.write("hosts", addresses(["127.0.0.1"]))
      let first = try Services.nginx("one", port: servers, in: workspace)
      let second = try Services.nginx("two", host: "127.0.0.2", port: servers, in: workspace)
      let dns = try Services.dnsmasq(hosts: hosts, in: workspace)
      let gateway = try gateway(
        dns.port, "server-template s 2 app.test:\(servers) resolvers mydns init-addr none resolve-prefer ipv4"
      )
      #expect(try Clock.until { try current() == ["127.0.0.1"] })
      let load = try Child(
        ["h2load", "--h1", "-c", "8", "-D", "6", "http://127.0.0.1:\(port)/"], in: workspace)
      for list in [
        ["127.0.0.1", "127.0.0.2"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.1"], ["127.0.0.2"],
      ] {
        try workspace.write("hosts", addresses(list))
        dns.child.send(SIGHUP)
        #expect(try Clock.until { try current() == list }, "\(list)")
      }
      #expect(load.exitStatus == nil, "the load was over before the changes")
      #expect(load.wait(within: 30) == 0)
      let output = load.output
      #expect(output.contains(" 0 failed, 0 errored, 0 timeout"), "\(output)")
      #expect(output.contains(" 0 3xx, 0 4xx, 0 5xx"), "\(output)")
      withExtendedLifetime((gateway, first, second)) {}
    }

    @Test("SRV records give servers their addresses, ports and weights")
    func services() throws {
      let hosts = try workspace.write("hosts", "127.0.0.1 n1.test\n127.0.0.2 n2.test\n")
      let origin = try Services.nginx("one", port: servers, in: workspace)
      let dns = try Services.dnsmasq(
        hosts: hosts,
        ["--srv-host=_http._tcp.test,n1.test,\(servers),0,256", "--srv-host=_http._tcp.test,n2.test,9,0,0"],
        in: workspace)
      let gateway = try gateway(
        dns.port, "server-template s 3 _http._tcp.test resolvers mydns init-addr none resolve-prefer ipv4")
      #expect(try Clock.until { try current() == ["127.0.0.1", "127.0.0.2"] })
      // The weight of the other is 0.
      for _ in 0..<4 { #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "one") }
      withExtendedLifetime((gateway, origin)) {}
    }

    @Test("do-resolve finds the address of a name in the request")
    func resolving() throws {
      let hosts = try workspace.write("hosts", "127.0.0.9 nine.test\n")
      let dns = try Services.dnsmasq(hosts: hosts, in: workspace)
      let gateway = try gateway(
        dns.port, "server unused 127.0.0.1:9",
        """
        http-request do-resolve(txn.ip,mydns,ipv4) req.hdr(host),lower
          http-request return status 200 content-type text/plain lf-string "%[var(txn.ip)]." if { var(txn.ip) -m found }
          http-request return status 404 content-type text/plain string none
        """)
      let url = "http://127.0.0.1:\(port)/"
      #expect(try Tool.fetch(url, ["-H", "Host: Nine.test"], in: workspace) == "127.0.0.9.")
      #expect(try Tool.fetch(url, ["-H", "Host: ten.test"], in: workspace) == "none")
      withExtendedLifetime(gateway) {}
    }
  }
}
