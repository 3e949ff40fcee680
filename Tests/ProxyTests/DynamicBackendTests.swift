import Base
import Config
import NetIO
import Rules
import Synchronization
import Testing

@testable import Proxy

@Suite("Backends that come and go")
struct DynamicBackendTests {
  private func runtime(_ text: String) throws -> Runtime {
    let (configuration, rules, diagnostics) = Checks.configuration("global\n nbthread 1\n\(text)\n")
    var builder = RuntimeBuilder(configuration, rules, diagnostics, now: Now.read())
    let built = builder.build()
    return try #require(built)
  }

  private func add(_ line: String, _ runtime: Runtime) -> String {
    switch DynamicBackends(runtime: runtime).add(line.split(separator: " ").map(String.init), at: Now.read()) {
    case .done(let text), .problem(let text): text
    }
  }

  private func remove(_ name: String, _ runtime: Runtime) -> String {
    switch DynamicBackends(runtime: runtime).remove(name) {
    case .done(let text), .problem(let text): text
    }
  }

  private static let sections = """
    defaults plain
    defaults web
     mode http
     timeout server 7s
     balance leastconn
     http-request set-header x-own 1
    defaults logs
     mode log
    defaults front
     mode http
     tcp-request connection accept
    defaults fixed
     mode http
     balance static-rr
    frontend f from plain
     bind 127.0.0.1:1
     use_backend named if { nbsrv(asked) gt 0 }
    backend named from plain
    backend asked from plain
    backend dead from plain
     disabled
    backend last from plain
     id 40
     guid there
    listen both from plain
     bind 127.0.0.1:2
    """

  @Test(
    "what is wrong with a line is told in HAProxy's words",
    arguments: [
      ("", "Require backend name."),
      ("a/b from web", "Invalid character '/' in backend name."),
      ("b", "Usage: add backend <name> from <defproxy>."),
      ("b of web", "Usage: add backend <name> from <defproxy>."),
      ("b from none", "Cannot find default proxy 'none'."),
      ("b from plain", "Mode is required as 'plain' default proxy does not explicitly defines it."),
      ("b from plain mode", "Usage: add backend <name> from <defproxy> [mode <px_mode>] [guid <val>]."),
      ("b from web guid a guid b", "Usage: add backend <name> from <defproxy> [mode <px_mode>] [guid <val>]."),
      ("b from web mode quic", "Unknown proxy mode."),
      ("b from web mode log", "Dynamic backends are compatible with only TCP or HTTP mode."),
      (
        "b from logs mode http",
        "Dynamic backends only support TCP or HTTP mode, whereas default proxy 'logs' uses 'mode log'."
      ),
      ("f from web", "Error during backend creation : name is already used by other proxy 'frontend f'."),
      ("dead from web", "Error during backend creation : name is already used by other proxy 'backend dead'."),
      ("web from web", "Error during backend creation : name is already used by other proxy 'defaults web'."),
      (
        "b from web guid there",
        "Error during backend creation : GUID insertion : duplicate entry with backend last."
      ),
      ("b from web guid a!", "Error during backend creation : GUID insertion : invalid character '!'."),
      ("both from web", "Error during backend creation : name is already used by other proxy 'proxy both'."),
      (
        "b from fixed",
        "New backend registered (no support for dynamic servers: backend 'b' uses a non dynamic load balancing method)."
      ),
    ])
  func texts(_ line: String, _ expected: String) throws {
    #expect(add(line, try runtime(Self.sections)) == expected)
  }

  @Test("a backend takes rules of connections from nobody")
  func rulesOfConnections() throws {
    let text = add("b from front", try runtime(Self.sections))
    #expect(text.hasPrefix("Error during backend creation : a backend section cannot inherit from a defaults section"))
  }

  @Test("a new backend has what its defaults say, the next free id, and is where backends are looked for")
  func life() throws {
    let runtime = try runtime(Self.sections)
    #expect(add("b from web guid g", runtime) == "New backend registered.")
    let backend = try #require(runtime.backend(named: "b"))
    let isUnpublished = backend.isUnpublished.load(ordering: .relaxed)
    #expect(isUnpublished)
    #expect(backend.settings.timeouts.server == .seconds(7))
    #expect(backend.rules.httpRequest.count == 1)
    #expect(backend.rules.name == "b")
    #expect(backend.id == 7)
    #expect(runtime.backends.last === backend)
    #expect(runtime.proxyID(named: "b") == 7)
    var rows: [String] = []
    var walk = StatWalk(runtime, StatOptions(), StatSelection(proxyID: 7), now: Now.read().wall)
    while let event = walk.next() {
      if case .row(let row) = event { rows.append(row.text(.pxname) + " " + row.text(.status)) }
    }
    #expect(rows == ["b UP (UNPUB)"])
    backend.isUnpublished.store(false, ordering: .relaxed)
    #expect(StatRow(backend, StatOptions(), at: Now.read().wall).text(.status) == "UP")
    backend.isUnpublished.store(true, ordering: .relaxed)
    #expect(add("c from plain mode tcp", runtime) == "New backend registered.")
    #expect(runtime.backend(named: "c")?.id == 8)
    #expect(runtime.backend(named: "c")?.settings.mode == .tcp)
    #expect(remove("b", runtime) == "Backend deleted.")
    #expect(runtime.backend(named: "b") == nil)
    #expect(add("b from web guid g", runtime) == "New backend registered.")
  }

  @Test(
    "what stands against a removal",
    arguments: [
      ("none", "No such backend."), ("both", "Cannot delete a listen section."),
      ("named", "This proxy cannot be removed at runtime due to other configuration elements pointing to it."),
      ("asked", "This proxy cannot be removed at runtime due to other configuration elements pointing to it."),
      ("last", "Backend must be unpublished prior to its deletion."),
    ])
  func refusals(_ name: String, _ expected: String) throws {
    #expect(remove(name, try runtime(Self.sections)) == expected)
  }

  @Test("a backend of the configuration goes once it has no stream and no server")
  func removal() throws {
    let runtime = try runtime("defaults\nbackend b\n server s 127.0.0.1:1\nbackend c\n stick-table type ip size 10")
    let backend = try #require(runtime.backend(named: "b"))
    #expect(remove("c", runtime) == "Cannot remove a backend with stick-table.")
    backend.isUnpublished.store(true, ordering: .relaxed)
    #expect(remove("b", runtime) == "Only a backend without server can be deleted.")
    _ = runtime.control.remove(runtime.control.entry(backend.servers[0]))
    backend.sessions.increment()
    #expect(remove("b", runtime) == "Backend still has attached streams on it.")
    backend.sessions.decrement()
    #expect(remove("b", runtime) == "Backend deleted.")
    #expect(runtime.backends.map(\.name) == ["c"])
  }
}
