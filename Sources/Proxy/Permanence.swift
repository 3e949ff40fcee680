import Base
import NetIO
import Rules
import TLS

extension Gateway {
  /// What all requests pass lives as long as the process: its references need not be counted. To be called before
  /// the threads start.
  func makePermanent() {
    Permanent.mark(runtime)
    runtime.makePermanent()
    for frontend in runtime.frontends { frontend.makePermanent() }
    for backend in runtime.backends { backend.makePermanent() }
    for listener in runtime.listeners { listener.makePermanent() }
    for worker in workers { worker.makePermanent() }
  }
}

extension Runtime {
  fileprivate func makePermanent() {
    let parts: [AnyObject] = [
      connections, tlsConnections, connectionRate, sessionRate, tlsRate, tlsResumptions, control, limits, activity,
    ]
    for part in parts { Permanent.mark(part) }
  }
}

extension ListenerSettings {
  fileprivate func makePermanent() {
    let parts: [AnyObject?] = [self, counters, sessions, tls]
    for part in parts { if let part { Permanent.mark(part) } }
    Permanent.mark(nameBytes)
  }
}

extension Frontend {
  fileprivate func makePermanent() {
    let parts: [AnyObject?] = [
      self, rules, counters, sessions, connectionRate, sessionRate, requestRate, log, forwardFor, originalTo,
    ]
    for part in parts { if let part { Permanent.mark(part) } }
    Permanent.mark(nameBytes)
    Permanent.mark(facts.name)
    Permanent.mark(facts.defaultBackendName)
  }
}

extension Backend {
  fileprivate func makePermanent() {
    let parts: [AnyObject?] = [
      self, rules, counters, sessions, queueLength, sessionRate, log, times, forwardFor, originalTo,
    ]
    for part in parts { if let part { Permanent.mark(part) } }
    Permanent.mark(facts.name)
    for server in servers { server.makePermanent() }
  }
}

extension Server {
  fileprivate func makePermanent() {
    let parts: [AnyObject?] = [
      self, counters, sessions, queueLength, sessionRate, idleConnections, usedConnections, times, tls,
    ]
    for part in parts { if let part { Permanent.mark(part) } }
    Permanent.mark(facts.name)
  }
}

extension Worker {
  fileprivate func makePermanent() {
    let parts: [AnyObject] = [
      self, loop, loop.timers, buffers, scratch, scratch.incoming, scratch.outgoing, environment, serverPools,
    ]
    for part in parts { Permanent.mark(part) }
  }
}
