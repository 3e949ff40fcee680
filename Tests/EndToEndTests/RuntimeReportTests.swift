import Foundation
import Testing

extension EndToEnd {
  /// What the runtime API says about the process itself: its descriptors, threads, pools and libraries.
  @Suite("reports of the process") struct RuntimeReports {
    let workspace: Workspace
    let port: Int
    let socket: String
    let gateway: RunningGateway

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
      gateway = try RunningGateway(
        """
        global
          nbthread 2
          anonkey 41
          stats socket \(socket) level admin
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(port)
          http-request return status 200
        backend plain
          server a 127.0.0.1:1
        backend named
          default-server check inter 3s
          default-server name slow inter 30s
          server secret 127.0.0.1:1 disabled

        """, listening: [port], unix: [socket], in: workspace)
    }

    private func command(_ text: String) throws -> String {
      let connection = try Connection(unix: socket, timeout: 20)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    private func lines(_ text: String) throws -> [String] {
      try command(text).split(separator: "\n").map(String.init)
    }

    @Test("libraries are listed with the addresses that they take, the program first")
    func libraries() throws {
      let libraries = try lines("show libs")
      #expect(libraries.count > 2)
      #expect(libraries.first?.contains("gatehouse") == true)
      #expect(libraries.contains { $0.contains("/libssl.so") })
      for line in libraries {
        let match = try #require(line.wholeMatch(of: /0x([0-9a-f]{12})-0x([0-9a-f]{12}) \(0x([0-9a-f]{7,})\) .+/))
        let numbers = [match.1, match.2, match.3].compactMap { UInt64($0, radix: 16) }
        #expect(numbers.count == 3 && numbers[1] - numbers[0] + 1 == numbers[2])
      }
    }

    @Test("the TLS library's providers are listed")
    func providers() throws {
      #expect(try command("show ssl providers") == "Loaded providers : \n\t- default\n\n")
    }

    @Test("what developers ask for first: the build, the system, the process")
    func developers() throws {
      let text = try command("show dev")
      #expect(text.hasPrefix("HAProxy version "))
      for part in [
        "\nFeatures:\n  ", "\nBuild options:\n", "\nPlatform info:\n  OS name: Linux\n",
        "\n  pid: \(gateway.child.process)\n",
        "\n      fd limit (soft):    ",
      ] {
        #expect(text.contains(part), "\(part)")
      }
      #expect(try command("show dev now").hasPrefix("This command takes no argument."))
    }

    @Test("every thread tells its work; the star is the one that answers")
    func threads() throws {
      let text = try lines("show threads")
      #expect(text.filter { $0.contains("Thread ") }.map { String($0.prefix(12)) } == ["* Thread 1 :", "  Thread 2 :"])
      #expect(text.filter { $0.contains(/loops=[0-9]+ streams=0 fds=[1-9]/) }.count == 2)
      #expect(text.filter { $0.contains(/cpu_ns: now=[1-9]/) }.count == 2)
      #expect(try lines("show tasks").first?.wholeMatch(of: /Running tasks: \d+ \(2 threads\)/) != nil)
    }

    @Test("descriptors are listed with their kind and owner, in order, all or some")
    func fileDescriptors() throws {
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try client.receive(through: "\r\n\r\n")
      let all = try lines("show fd")
      let numbers = all.compactMap { $0.firstMatch(of: /^ *(\d+) : st=0x0000/).flatMap { Int($0.1) } }
      #expect(numbers.count == all.count && numbers == numbers.sorted())
      let listeners = try lines("show fd l")
      #expect(listeners.count == 2)
      #expect(listeners.allSatisfy { $0.contains(" iocb=Acceptor l.st=RDY fe=site fam=ipv4 lport=\(port)") })
      let clients = try lines("show fd f")
      #expect(clients.count == 1 && clients[0].contains(" back=0 fe=site mux=H1 fam=ipv4 lport=\(port) rport="))
      #expect(try lines("show fd b").isEmpty)
      #expect(try lines("show fd !l").count == all.count - 2)
      let number = try #require(clients[0].firstMatch(of: /^ *(\d+) :/)).1
      #expect(try lines("show fd \(number)") == clients)
      #expect(try lines("show fd 99999").isEmpty)
      #expect(try command("show fd z").hasPrefix("Invalid FD type"))
    }

    @Test("pools tell what is in use and what is spare")
    func pools() throws {
      let text = try lines("show pools")
      #expect(text.first?.hasPrefix("Dumping pools usage.") == true)
      #expect(text.dropFirst().allSatisfy { $0.hasPrefix("  - Pool ") && $0.hasSuffix(", 2 users") })
      #expect(try lines("show pools match pip").dropFirst() == ["  - Pool pipe : 0 allocated, 0 used, 2 users"])
      #expect(try command("show pools byname").hasPrefix("Unexpected argument"))
    }

    @Test("profiling counts the turns of event loops while it is on")
    func profiling() throws {
      #expect(try lines("show profiling status").first?.contains("Per-task CPU profiling              : off") == true)
      #expect(try lines("show profiling tasks").count == 2)
      #expect(try command("set profiling tasks on") == "\n")
      #expect(try lines("show profiling")[0].contains(": on "))
      let rows = try lines("show profiling tasks").dropFirst(2)
      #expect(rows.count == 2)
      #expect(rows.allSatisfy { $0.contains(/^  EventLoop\.turn\/[12] +[1-9]\d* +\S+s +\S+s +- +- +- +-$/) })
      #expect(try lines("show profiling tasks 1").count == 3)
      #expect(try command("set profiling tasks off") == "\n")
      let after = try lines("show profiling tasks").dropFirst(2)
      #expect(try lines("show profiling tasks").dropFirst(2) == after)
      #expect(try command("set profiling memory on").hasPrefix("Memory profiling not compiled in."))
      #expect(try command("set profiling tasks auto").hasPrefix("Expects either 'on' or 'off'."))
      #expect(try command("set profiling nix").hasPrefix("Expects either 'tasks' or 'memory'."))
    }

    @Test("names are anonymous for the session that asks, the same for the same key")
    func anonymity() throws {
      #expect(try command("show anon") == "Anonymized mode disabled\n\n")
      #expect(try command("set anon on; show anon").contains("Anonymized mode enabled\nKey : 41\n"))
      #expect(try command("set anon global-key 42; set anon on; show anon").contains("\nKey : 42\n"))
      let reports = "show servers state named; show servers conn named; show sess"
      #expect(try command(reports).contains("named/secret"))
      let first = try command("set anon on 7; show servers conn")
      #expect(!first.contains("named") && !first.contains("secret"))
      #expect(first.contains(#/\n[0-9a-f]{6}\/[0-9a-f]{6} /#))
      #expect(try command("set anon on 7; show servers conn") == first)
      #expect(try command("set anon on 8; show servers conn") != first)
      #expect(!(try command("set anon on 7; \(reports)")).contains("secret"))
      #expect(try command("set anon on 7; user; show anon").contains("Key") == false)
      #expect(try command("set anon on 0").hasPrefix("Value out of range (1 to 4294967295 expected)."))
      #expect(try command("set anon off 3").hasPrefix("Key can't be added"))
      #expect(try command("set anon global-key x").hasPrefix("Value out of range"))
    }

    @Test("default-server lines are listed by backend, ticket keys are the process's own")
    func smallLists() throws {
      #expect(try lines("show default-server") == ["* named", "  named/slow"])
      #expect(try lines("show default-server plain").isEmpty)
      #expect(try command("show default-server nix").hasPrefix("Can't find backend."))
      #expect(try lines("show tls-keys") == ["# id (file)"])
      #expect(try lines("show tls-keys *") == ["# id secret"])
      #expect(try command("show tls-keys 3").hasPrefix("'show tls-keys' unable to locate referenced filename"))
    }

    @Test("the schema is JSON and names what the statistics are made of")
    func schema() throws {
      let data = Data(try command("show schema json").utf8)
      let schema = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      let definitions = try #require(schema["definitions"] as? [String: Any])
      let tags = try #require(definitions["tags"] as? [String: Any])
      let properties = try #require(tags["properties"] as? [String: [String: Any]])
      for text in ["show info json", "show stat json"] {
        let answer = try JSONSerialization.jsonObject(with: Data(try command(text).utf8))
        var items = try #require(answer as? [Any])
        if let rows = items as? [[Any]] { items = rows.flatMap { $0 } }
        #expect(!items.isEmpty)
        for item in items {
          let values = try #require((item as? [String: Any])?["tags"] as? [String: String])
          for (name, value) in values {
            #expect((properties[name]?["enum"] as? [String])?.contains(value) == true, "\(name) \(value)")
          }
        }
      }
    }

    @Test(
      "a user may not look at descriptors, libraries and profiles",
      arguments: ["show fd", "show libs", "show tls-keys"])
    func levels(_ text: String) throws { #expect(try command("user; \(text)").contains("Permission denied")) }
  }
}
