import Base
import Config
import Rules

extension RuntimeBuilder {
  /// Makes a `log-forward` section ready.
  mutating func plan(_ section: LogForwardSettings) -> LogForwardPlan {
    var listeners: [LogForwardPlan.Listener] = []
    for bind in section.binds {
      let context = contexts.server(for: bind, proxyName: section.name.text, isHTTP: false)
      for (address, inherited) in RuntimeBuilder.addresses(of: bind) {
        listeners.append(
          .init(address: address, inherited: inherited, bind: bind, context: context, isDatagram: false))
      }
    }
    for bind in section.datagramBinds {
      for (address, inherited) in RuntimeBuilder.addresses(of: bind) {
        listeners.append(
          .init(address: address, inherited: inherited, bind: bind, context: nil, isDatagram: true))
      }
    }
    let lines = section.logs + (section.usesGlobalLogs ? configuration.global.logs : [])
    return LogForwardPlan(settings: section, listeners: listeners, targets: logTargets(lines))
  }

  /// Gives the log targets that name a backend or a ring what they send to; all proxies are made by now.
  mutating func attachLogBackends(_ backends: [Backend?]) {
    for (index, proxy) in configuration.proxies.enumerated() where proxy.mode == .log {
      guard let backend = backends[index] else { continue }
      var sinks: [any LogSink] = []
      for server in backend.servers {
        if server.settings.isDatagram {
          sinks.append(DatagramServer(server))
        } else {
          sinks.append(channels.ring(for: server, target(server.settings, server)))
        }
      }
      channels.backend(named: proxy.name).attach(backend, sinks, RuleContext.outsideOfStreams(at: now))
    }
    for settings in configuration.rings {
      guard let ring = channels.rings.first(where: { $0.name == settings.name.text }) else { continue }
      for server in settings.servers {
        var target = target(server.value, nil)
        target.connectTimeout = settings.connectTimeout ?? target.connectTimeout
        target.serverTimeout = settings.serverTimeout ?? target.serverTimeout
        ring.servers.append(target)
      }
    }
  }

  private mutating func target(_ settings: ServerSettings, _ server: Server?) -> RingTarget {
    var target = RingTarget(address: settings.address)
    target.server = server
    target.tls = server.map { $0.tls } ?? contexts.client(for: Boxed(settings))
    target.countsOctets = settings.countsOctets
    return target
  }
}
