import Base
import Config
import NetIO
import Synchronization
import Testing

@testable import Proxy

@Suite("Servers that come and go")
struct DynamicServerTests {
  private func runtime(_ backends: String) throws -> Runtime {
    let (configuration, rules, diagnostics) = Checks.configuration(
      "global\n nbthread 1\ndefaults\n timeout connect 1s\n timeout server 1s\n\(backends)\n")
    var builder = RuntimeBuilder(configuration, rules, diagnostics, now: Now.read())
    let built = builder.build()
    let runtime = try #require(built)
    let loop = try #require(EventLoop())
    runtime.control.attach([try #require(Worker(index: 0, runtime: runtime, loop: loop))])
    return runtime
  }

  private func add(_ line: String, _ runtime: Runtime) -> String {
    let outcome = DynamicServers(runtime: runtime, health: HealthMonitor()).add(
      line.split(separator: " ").map(String.init), to: runtime.backends[0], at: Now.read())
    switch outcome {
    case .done(let text), .problem(let text): return text
    }
  }

  private func remove(_ name: String, _ runtime: Runtime) -> String {
    guard let server = runtime.backends[0].serversByName[name] else { return "no such server" }
    switch DynamicServers(runtime: runtime, health: HealthMonitor()).remove(server, from: runtime.backends[0])
    {
    case .done(let text), .problem(let text): return text
    }
  }

  private func pending() -> PendingSession {
    PendingSession(priority: QueuePriority(classNumber: 0, time: 0)) { _ in }
  }

  /// The names of the servers that so many choices in a row give.
  private func choices(_ count: Int, _ backend: Backend) -> [String] {
    (0..<count).compactMap { _ in
      guard case .server(let server) = backend.assign(hash: nil, wake: pending()) else {
        return nil
      }
      backend.release(server)
      return server.name
    }
  }

  @Test("a server is chosen once it is enabled, and no more when it is deleted")
  func life() throws {
    let runtime = try runtime("backend b\n server a 127.0.0.1:1")
    let backend = runtime.backends[0]
    #expect(add("n 127.0.0.1:2 weight 3", runtime) == "New server registered.")
    #expect(add("n 127.0.0.1:2", runtime) == "Already exists a server with the same name in backend.")
    #expect(choices(4, backend) == ["a", "a", "a", "a"])
    let server = try #require(backend.serversByName["n"])
    #expect(server.id == 2)
    #expect(server.snapshot().administration == .maintenance)
    runtime.control.setReady(server, at: Now.read())
    #expect(choices(8, backend).filter { $0 == "n" }.count == 6)
    #expect(remove("n", runtime) == "Only servers in maintenance mode can be deleted.")
    runtime.control.setMaintenance(server, at: Now.read())
    #expect(remove("n", runtime) == "Server deleted.")
    #expect(backend.servers.map(\.name) == ["a"])
    #expect(choices(2, backend) == ["a", "a"])
    // Places and numbers are taken again.
    #expect(add("m 127.0.0.1:3", runtime) == "New server registered.")
    let next = try #require(backend.serversByName["m"])
    #expect((next.index, next.number, next.id) == (server.index, server.number, 2))
    #expect(runtime.control.entries.map(\.server.name) == ["a", "m"])
  }

  @Test("a server with sessions stays until they end")
  func busy() throws {
    let runtime = try runtime("backend b\n server a 127.0.0.1:1")
    let backend = runtime.backends[0]
    guard case .server(let server) = backend.assign(hash: nil, wake: pending()) else {
      Issue.record("no server")
      return
    }
    runtime.control.setMaintenance(server, at: Now.read())
    #expect(remove("a", runtime) == "Server still has connections attached to it, cannot remove it.")
    backend.release(server)
    #expect(remove("a", runtime) == "Server deleted.")
    #expect(backend.servers.isEmpty)
  }

  @Test("a server that others point to is not deleted")
  func referenced() throws {
    let runtime = try runtime(
      "backend b\n server a 127.0.0.1:1 check disabled\n server t 127.0.0.1:1 track a disabled\n server u 127.0.0.1:1 disabled\n use-server u if TRUE"
    )
    let text = "This server cannot be removed at runtime due to other configuration elements pointing to it."
    #expect(remove("a", runtime) == text)
    #expect(remove("u", runtime) == text)
    #expect(remove("t", runtime) == "Server deleted.")
    // Nobody follows it now.
    #expect(remove("a", runtime) == "Server deleted.")
  }

  @Test("followers that are added follow from then on")
  func tracking() throws {
    let runtime = try runtime("backend b\n server a 127.0.0.1:1 check\n server plain 127.0.0.1:1")
    #expect(add("f 127.0.0.1:2 track b/a", runtime) == "New server registered.")
    let problem = "unable to use b/plain for tracking as it does not have any check nor agent enabled."
    #expect(add("g 127.0.0.1:2 track plain", runtime) == problem)
    #expect(
      add("g 127.0.0.1:2 track f", runtime) == "unable to use b/f for tracking as it is a dynamic server.")
    let backend = runtime.backends[0]
    let (a, f) = (try #require(backend.serversByName["a"]), try #require(backend.serversByName["f"]))
    runtime.control.setReady(f, at: Now.read())
    let isUsable = f.isUsable.load(ordering: .relaxed)
    #expect(isUsable)
    runtime.control.setMaintenance(a, at: Now.read())
    #expect(f.snapshot().administration == .inheritedMaintenance)
  }

  @Test(
    "lines that cannot be are refused",
    arguments: [
      ("n", "'server' expects <name> and <addr>[:<port>] as arguments."),
      ("n 127.0.0.1:1 redir x", "'redir' option is not accepted for dynamic server"),
      ("n 127.0.0.1:1 resolvers x", "'resolvers' option is not accepted for dynamic server"),
      ("n 127.0.0.1:1 id 1", "custom id 1 is already used by a server of backend 'b'."),
      ("n 127.0.0.1:1 proto h2", "MUX protocol is not usable for server."),
    ])
  func refused(_ line: String, _ problem: String) throws {
    #expect(add(line, try runtime("backend b\n server a 127.0.0.1:1")) == problem)
  }

  @Test("static methods of balancing take no servers at run time")
  func balancing() throws {
    let runtime = try runtime("backend b\n balance static-rr\n server a 127.0.0.1:1")
    #expect(add("n 127.0.0.1:2", runtime) == "backend 'b' uses a non dynamic load balancing method")
  }
}
