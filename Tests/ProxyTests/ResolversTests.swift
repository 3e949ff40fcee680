import Base
import Config
import NetIO
import Synchronization
import Testing

@testable import Proxy

/// Backends whose servers follow names, on one loop that the test turns itself.
private final class NamedServers {
  let loop: EventLoop
  let nameserver: ScriptedNameserver
  let runtime: Runtime
  let worker: Worker

  /// `options` are lines of the section, `backend` those of the backend.
  init(
    _ options: String = "", nameserverPrefix: String = "", backend: String,
    script: @escaping (DNSQuestion, Bool) -> ScriptedNameserver.Reply
  ) throws {
    let loop = try #require(EventLoop())
    let nameserver = try #require(ScriptedNameserver(on: loop, script: script))
    let text = """
      global
        nbthread 1
        dns-accept-family ipv4,ipv6
      defaults
        timeout connect 1s
        timeout server 1s
      resolvers r
        nameserver one \(nameserverPrefix)127.0.0.1:\(nameserver.port)
        timeout retry 20ms
        timeout resolve 20ms
        hold nx 50ms
        hold refused 50ms
        hold other 50ms
        hold timeout 50ms
        \(options)
      backend b
      \(backend)

      """
    let (configuration, rules, diagnostics) = Checks.configuration(text)
    let errors = diagnostics.all.filter { $0.severity == .alert }.map(\.message)
    #expect(errors == [])
    var builder = RuntimeBuilder(configuration, rules, diagnostics, now: Now.read())
    let built = builder.build()
    runtime = try #require(built)
    worker = try #require(Worker(index: 0, runtime: runtime, loop: loop))
    self.loop = loop
    self.nameserver = nameserver
    runtime.control.attach([worker])
    runtime.names.start(on: worker)
  }

  var servers: [Server] { runtime.backends[0].servers }

  /// Each server's address and port, "-" while it has none.
  var addresses: [String] { servers.map { $0.snapshot().knownAddress.description } }

  /// Turns the loop until `condition` holds, for some seconds at most.
  func wait(_ what: Comment, until condition: () -> Bool) {
    let end = Now.read().instant + .seconds(10)
    while !condition() {
      guard Now.read().instant < end else {
        Issue.record("not within ten seconds: \(what)")
        return
      }
      loop.turn()
    }
  }
}

@Suite("Resolvers")
struct ResolversTests {
  @Test("servers of a template share out the addresses, and follow them")
  func template() throws {
    nonisolated(unsafe) var list = ["10.0.0.1", "10.0.0.2"]
    let named = try NamedServers(
      backend: "  server-template s 3 app.test:80 resolvers r init-addr none resolve-prefer ipv4"
    ) { question, _ in question.type == .a ? .addresses(list) : .code(0) }
    named.wait("two servers have addresses") {
      named.addresses.sorted() == ["10.0.0.1:80", "10.0.0.2:80", "<none>"]
    }
    #expect(named.servers[2].snapshot().administration == .unresolved)
    #expect(named.servers.map { $0.isUsable.load(ordering: .relaxed) } == [true, true, false])
    list = ["10.0.0.3", "10.0.0.2", "10.0.0.4"]
    named.wait("all have") { named.addresses.sorted() == ["10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"] }
    // The one whose address stayed kept it.
    #expect(named.addresses[1] == "10.0.0.2:80")
  }

  @Test("a name that is gone takes its server down when the hold is over, and back when it returns")
  func gone() throws {
    nonisolated(unsafe) var exists = true
    let named = try NamedServers(backend: "  server s app.test:80 resolvers r init-addr none") {
      question, _ in
      guard exists else { return .code(3) }
      return question.type == .aaaa ? .addresses(["2001:db8::1"]) : .code(0)
    }
    named.wait("it is up") { named.addresses == ["[2001:db8::1]:80"] }
    exists = false
    named.wait("it is down") { named.servers[0].snapshot().administration.contains(.unresolved) }
    exists = true
    named.wait("it is back") { named.servers[0].isUsable.load(ordering: .relaxed) }
    let counters = named.runtime.names.sections[0].nameservers[0].counters
    #expect(counters.noSuchName > 0)
    #expect(counters.valid > 0)
  }

  @Test("the other family is asked when the preferred one has no address")
  func fallback() throws {
    let named = try NamedServers(backend: "  server s app.test:80 resolvers r init-addr none") {
      question, _ in
      question.type == .a ? .addresses(["10.0.0.1"]) : .code(0)
    }
    named.wait("it is up") { named.addresses == ["10.0.0.1:80"] }
    #expect(named.nameserver.questions.prefix(2).map(\.type) == [.aaaa, .a])
  }

  @Test("an answer that was cut is asked for again over TCP")
  func truncation() throws {
    let named = try NamedServers(
      backend: "  server s app.test:80 resolvers r init-addr none resolve-prefer ipv4"
    ) {
      question, overStream in
      overStream ? .addresses(["10.0.0.1"]) : .truncated
    }
    named.wait("it is up") { named.addresses == ["10.0.0.1:80"] }
    #expect(named.runtime.names.sections[0].nameservers[0].counters.truncated > 0)
  }

  @Test("of a service's answer that was cut, what is there is used when TCP does not work")
  func truncatedService() throws {
    let named = try NamedServers(
      backend: "  server-template s 2 _http._tcp.test resolvers r init-addr none"
    ) { question, overStream in
      .raw { id, question in
        if overStream { return [] }
        var builder = DNSBuilder(id, flags: 0x8380, question)
        builder.add(DNSBuilder.sameName, 33, DNSBuilder.service("n1.test", port: 80))
        builder.add(DNSBuilder.wire("n1.test"), 1, [10, 0, 0, 1], in: .additional)
        return builder.octets
      }
    }
    named.wait("it is up") { named.addresses == ["10.0.0.1:80", "<none>"] }
  }

  @Test("a name server may be asked over TCP alone")
  func stream() throws {
    let named = try NamedServers(
      nameserverPrefix: "tcp@",
      backend: "  server s app.test:80 resolvers r init-addr none resolve-prefer ipv4"
    ) { _, overStream in overStream ? .addresses(["10.0.0.1"]) : .silence }
    named.wait("it is up") { named.addresses == ["10.0.0.1:80"] }
  }

  @Test("questions without an answer are asked as often as resolve_retries says")
  func silence() throws {
    let named = try NamedServers(
      "resolve_retries 2",
      backend: "  server s 10.9.9.9:80 resolvers r\n  server t app.test:80 resolvers r init-addr none"
    ) { _, _ in .silence }
    named.wait("it has failed twice") { named.nameserver.questions.count >= 4 }
    #expect(named.addresses == ["10.9.9.9:80", "<none>"])
    #expect(named.nameserver.questions.allSatisfy { $0.type == .aaaa })
  }

  @Test("answers that are wrong are counted and change nothing")
  func wrong() throws {
    let named = try NamedServers(backend: "  server s app.test:80 resolvers r init-addr none") { _, _ in
      .raw { id, question in
        var builder = DNSBuilder(id, question)
        builder.add([0xC0, 200], 1, [10, 0, 0, 1])
        return builder.octets
      }
    }
    let counters = { named.runtime.names.sections[0].nameservers[0].counters }
    named.wait("some came") { counters().invalid > 3 }
    #expect(named.addresses == ["<none>"])
  }

  @Test("servers stand for the records of a service, with their ports and weights")
  func services() throws {
    nonisolated(unsafe) var list: [(target: String, port: UInt16, weight: UInt16, address: String?)] = [
      ("n1.test", 8001, 0, "10.0.0.1"), ("n2.test", 8002, 65535, nil),
    ]
    let named = try NamedServers(
      backend: "  server-template s 3 _http._tcp.test resolvers r init-addr none resolve-prefer ipv4"
    ) { question, _ in
      if question.type == .srv { return .services(list) }
      return question.name.text == "n2.test" && question.type == .a ? .addresses(["10.0.0.2"]) : .code(3)
    }
    named.wait("two have addresses") { named.addresses == ["10.0.0.1:8001", "10.0.0.2:8002", "<none>"] }
    #expect(named.servers.map { $0.snapshot().weight } == [0, 256, 1])
    #expect(named.servers[1].snapshot().hostName == "n2.test")
    list = [("n2.test", 8002, 512, nil), ("n3.test", 8003, 256, "10.0.0.3")]
    named.wait("one went, one came") {
      named.addresses.sorted() == ["10.0.0.2:8002", "10.0.0.3:8003", "<none>"]
    }
    named.wait("the weight changed") { named.servers[1].snapshot().weight == 2 }
    list = []
    named.wait("all went") { named.addresses == ["<none>", "<none>", "<none>"] }
  }

  @Test("a stream's question gets an address, from the cache the second time")
  func questions() throws {
    let named = try NamedServers(backend: "  server s 10.9.9.9:80") { question, _ in
      question.name.text == "app.test" && question.type == .a ? .addresses(["10.0.0.1"]) : .code(3)
    }
    func ask(_ name: String) -> IPAddress? {
      nonisolated(unsafe) var answer: IPAddress??
      named.runtime.names.resolve(Bytes(name), in: "r", prefersFour: true, for: named.worker) {
        answer = .some($0)
      }
      named.wait("an answer for \(name)") { answer != nil }
      return answer ?? nil
    }
    #expect(ask("app.test") == IPAddress("10.0.0.1"))
    let asked = named.nameserver.questions.count
    #expect(ask("APP.test") == IPAddress("10.0.0.1"))
    #expect(named.nameserver.questions.count == asked)
    #expect(ask("none.test") == nil)
    #expect(ask("not..a name") == nil)
  }
}
