import Foundation
import Testing

extension EndToEnd {
  @Suite("stick tables") struct StickTables {
    let workspace: Workspace
    let port: Int
    let socket: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
    }

    private var url: String { "http://127.0.0.1:\(port)/" }

    private func gateway(_ sections: String) throws -> RunningGateway {
      try RunningGateway(
        "global\n  stats socket \(socket) level admin\n  nbthread 2\n" + defaults + sections,
        listening: [port], unix: [socket], in: workspace)
    }

    /// What a command on a stats socket says.
    private func command(_ text: String, on path: String? = nil) throws -> String {
      let connection = try Connection(unix: path ?? socket)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    /// The number behind `name=` in the line of a table's entry.
    private func value(_ name: String, of key: String, in dump: String) -> Int? {
      let line = dump.split(separator: "\n").first { $0.contains(" key=\(key) ") }
      let word = line?.split(separator: " ").first { $0.hasPrefix(name + "=") }
      return word.flatMap { Int($0.dropFirst(name.count + 1)) }
    }

    private func statuses(_ count: Int, from source: String = "127.0.0.1") throws -> [String] {
      try (0..<count).map { _ in try Tool.status(url, ["--interface", source], in: workspace) }
    }

    @Test(
      "a limit on the requests of a source answers 429 from the first that is too much, and only to that source"
    )
    func rateLimit() throws {
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          stick-table type ip size 100k expire 60s store http_req_rate(60s)
          http-request track-sc0 src
          http-request deny deny_status 429 if { sc_http_req_rate(0) gt 5 }
          http-request return status 200

        """)
      #expect(try statuses(8) == Array(repeating: "200", count: 5) + Array(repeating: "429", count: 3))
      #expect(try statuses(2, from: "127.0.0.2") == ["200", "200"])
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "many requests at once are counted to the last one", .enabled(if: Tool.has("h2load")),
      arguments: [["--h1"], ["-m", "10"]])
    func exact(protocol options: [String]) throws {
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          stick-table type ip size 1k expire 60s store conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,bytes_in_cnt
          tcp-request connection track-sc0 src
          http-request track-sc1 src table content
          http-request track-sc2 path table paths
          http-request deny if { path /deny }
          http-request return status 200
        backend content
          stick-table type ip size 1k expire 60s store conn_cnt,conn_cur,http_req_cnt
        backend paths
          stick-table type string len 16 size 1k expire 60s store http_req_cnt,http_err_cnt

        """)
      // The connection that showed that the gateway serves was counted, too.
      #expect(
        try Clock.until {
          _ = try command("clear table site")
          return try command("show table site").contains("used:0")
        })
      let outcome = try Tool.run(
        ["h2load", "-n", "3000", "-c", "10"] + options + [
          "http://127.0.0.1:\(port)/", "http://127.0.0.1:\(port)/deny",
        ],
        in: workspace, within: 60)
      #expect(outcome.output.contains("3000 total, 3000 started, 3000 done"), "\(outcome.output)")
      // Connections end a moment after their last answer.
      #expect(
        try Clock.until { value("conn_cur", of: "127.0.0.1", in: try command("show table site")) == 0 })
      let site = try command("show table site")
      #expect(value("conn_cnt", of: "127.0.0.1", in: site) == 10)
      #expect(value("sess_cnt", of: "127.0.0.1", in: site) == 10)
      #expect(value("http_req_cnt", of: "127.0.0.1", in: site) == 3000)
      let denied = try command("show table paths")
      let first = value("http_req_cnt", of: "/", in: denied) ?? 0
      let second = value("http_req_cnt", of: "/deny", in: denied) ?? 0
      #expect(first + second == 3000)
      #expect(value("http_err_cnt", of: "/deny", in: denied) == second)
      #expect(value("http_err_cnt", of: "127.0.0.1", in: site) == second)
      let content = try command("show table content")
      #expect(value("http_req_cnt", of: "127.0.0.1", in: content) == 3000)
      #expect(value("conn_cur", of: "127.0.0.1", in: content) == 0)
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "all clients of a pair stay on one server, change once when it fails, and back only from a server with non-stick",
      arguments: ["", " non-stick"])
    func pair(option: String) throws {
      let first = try TestOrigin("a")
      let second = try TestOrigin("b")
      let gateway = try gateway(
        """
        listen galera
          bind 127.0.0.1:\(port)
          stick-table type integer size 1 expire 1h
          stick on int(1)
          option redispatch
          retries 1
          server a 127.0.0.1:\(first.port)
          server b 127.0.0.1:\(second.port) backup\(option)

        """)
      func bodies(_ count: Int) throws -> Set<String> {
        Set(try (0..<count).map { _ in try Tool.fetch(url, in: workspace) })
      }
      #expect(try bodies(4) == ["a"])
      _ = try command("disable server galera/a")
      #expect(try bodies(4) == ["b"])
      _ = try command("enable server galera/a")
      #expect(try bodies(4) == [option.isEmpty ? "b" : "a"])
      #expect(try command("show table galera").contains("server_key=\(option.isEmpty ? "b" : "a")"))
      withExtendedLifetime(gateway) {}
    }

    @Test("a table keeps a server's name or its address, as srvkey says", arguments: ["name", "addr"])
    func serverKey(kind: String) throws {
      let origin = try TestOrigin("a")
      let gateway = try gateway(
        """
        listen site
          bind 127.0.0.1:\(port)
          stick-table type ip size 10 expire 1h srvkey \(kind)
          stick on src
          server a 127.0.0.1:\(origin.port)

        """)
      #expect(try Tool.fetch(url, in: workspace) == "a")
      let wanted = kind == "name" ? "a" : "127.0.0.1:\(origin.port)"
      #expect(try command("show table site").contains(" server_key=\(wanted)\n"))
      withExtendedLifetime(gateway) {}
    }

    @Test("entries are set, shown by conditions and cleared on the stats socket")
    func runtimeCommands() throws {
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          http-request return status 200
        backend t
          stick-table type string len 20 size 100 expire 1h store gpc0,gpt(2),http_req_rate(10s)

        """)
      for (key, count) in [("a", 1), ("b", 5), ("c d", 9)] {
        let key = key.replacingOccurrences(of: " ", with: "\\ ")
        #expect(try command("set table t key \(key) data.gpc0 \(count) data.gpt[1] 7") == "\n")
      }
      let all = try command("show table t")
      #expect(all.hasPrefix("# table: t, type: string, size:100, used:3\n"))
      #expect(all.contains(" key=c\\ d use=0 exp="))
      #expect(all.contains(" shard=0 gpc0=9 http_req_rate(10000)=0 gpt0=0 gpt1=7\n"))
      let some = try command("show table t data.gpc0 gt 1 data.gpc0 lt 9")
      #expect(some.contains("key=b ") && !some.contains("key=a "))
      _ = try command("clear table t data.gpc0 ge 5")
      #expect(try command("show table t").contains("used:1"))
      _ = try command("clear table t key a")
      #expect(try command("show table t").contains("used:0"))
      #expect(
        try command("show table t data.gpc1 gt 1").contains(
          "Filter entry #1: Data type not stored in this table"))
      #expect(try command("show table nix") == "No such table\n\n")
      withExtendedLifetime(gateway) {}
    }

    @Test("table commands and counters answer as HAProxy's do", .enabled(if: Tool.has("haproxy")))
    func asHAProxy() throws {
      let otherPort = try Ports.free()
      let otherSocket = workspace.path("haproxy.sock")
      func sections(_ port: Int) -> String {
        """
        frontend site
          bind 127.0.0.1:\(port)
          stick-table type ip size 1k expire 1h store conn_cnt,conn_cur,http_req_cnt,http_err_cnt,sess_cnt,gpc0,gpc0_rate(1h)
          tcp-request connection track-sc0 src
          http-request track-sc1 path table paths
          http-request sc-inc-gpc0(0) if { path /inc }
          http-request sc-inc-gpc(2,1) if { path /inc }
          http-request sc-set-gpt(0,1) int(42)
          http-request deny if { path /deny }
          http-request return status 200 hdr x-seen "%[sc0_http_req_cnt] %[sc1_http_req_cnt] %[sc_get_gpc(2,1)] %[sc_get_gpt(0,1)] %[sc0_inc_gpc0] %[src_conn_cur] %[src,table_http_err_cnt(site)] %[path,in_table(paths)] %[path,table_gpc(2,paths)] %[sc2_tracked] %[sc0_tracked] %[table_cnt(paths)] %[sc_trackers(0)] %[sc0_conn_cur] %[src_get_gpc0(site)]"
        backend paths
          stick-table type string len 12 size 1k expire 1h store http_req_cnt,gpc(3),gpt(1),http_req_rate(1h)
        backend numbers
          stick-table type integer size 10 expire 1h store gpc0,server_id,bytes_in_cnt
        backend six
          stick-table type ipv6 size 10 expire 1h store gpt0

        """
      }
      let file = try workspace.write(
        "haproxy.cfg", "global\n  stats socket \(otherSocket) level admin\n" + defaults + sections(otherPort))
      let haproxy = try Child(["haproxy", "-db", "-f", file], in: workspace)
      let gateway = try gateway(sections(port))
      #expect(Clock.until { (try? Connection(unix: otherSocket)) != nil })
      func both(_ text: String) throws -> (mine: String, theirs: String) {
        func plain(_ text: String) -> String {
          let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.split(separator: " ").filter { !$0.hasPrefix("shard=") && !$0.hasPrefix("exp=") }.map {
              $0.hasPrefix("0x") ? "at" : String($0)
            }.joined(separator: " ")
          }
          return lines.sorted().joined(separator: "\n")
        }
        return (plain(try command(text)), plain(try command(text, on: otherSocket)))
      }
      #expect(
        try Clock.until {
          for path in [socket, otherSocket] { _ = try command("clear table site", on: path) }
          let (mine, theirs) = try both("show table site")
          return mine.contains("used:0") && theirs.contains("used:0")
        })
      let requests = ["/", "/inc", "/deny", "/inc", "/a/long/path/beyond", "/with%20blank", "/"]
      for path in requests {
        let seen = try [port, otherPort].map {
          try Tool.curl(["-s", "-i", "http://127.0.0.1:\($0)\(path)"], in: workspace).output
            .split(separator: "\r\n").first { $0.hasPrefix("x-seen") }.map(String.init) ?? "none"
        }
        #expect(seen[0] == seen[1], "\(path)")
      }
      let commands = [
        "show table", "show table site", "show table paths", "show table paths data.http_req_cnt gt 1",
        "show table paths key /inc", "show table paths key /nix",
        "set table numbers key 7 data.gpc0 5 data.bytes_in_cnt 99999999999",
        "set table numbers key 4294967295 data.gpc0 6",
        "set table numbers key 12 data.server_id 3", "show table numbers",
        "show table numbers data.gpc0 ne 5",
        "show table numbers data.gpc0 lt 7 data.gpc0 gt 5", "clear table numbers key 7", "show table numbers",
        "set table six key 2001:db8::1 data.gpt0 9",
        "show table six",
        "clear table six data.gpt0 eq 9", "show table six", "show table nix", "set table six key",

        "show table six data.gpt0 xx 1", "show table six data.gpc0 eq 1",
        "show table six data.nix eq 1",
        "show table six data.gpt0 eq", "set table six key ::1 data.gpc0 1", "set table six key ::1 data.gpt0",
        "set table six key ::1 gpt0 1",

        "clear table paths", "show table paths",
        "set table six key nokey data.gpt0 1",
      ]
      for text in commands {
        let (mine, theirs) = try both(text)
        #expect(mine == theirs, "\(text)")
      }
      withExtendedLifetime((haproxy, gateway)) {}
    }
  }
}
