import Base

/// The proxies at one time, in the order of the configuration and then of their making.
final class ProxyList: Sendable {
  /// Both halves of each proxy that is not disabled.
  let proxies: [(frontend: Frontend?, backend: Backend?)]
  let backends: [Backend]
  let backendsByName: [Bytes: Backend]

  init(_ proxies: [(frontend: Frontend?, backend: Backend?)]) {
    self.proxies = proxies
    backends = proxies.compactMap(\.backend)
    backendsByName = Dictionary(backends.map { (Bytes($0.name), $0) }, uniquingKeysWith: { first, _ in first })
  }
}

extension Runtime {
  /// Backends as they are now.
  var backends: [Backend] { list.read { $0.backends } ?? [] }
  /// Both halves of each proxy, as they are now.
  var proxies: [(frontend: Frontend?, backend: Backend?)] { list.read { $0.proxies } ?? [] }

  func backend(named name: Bytes) -> Backend? { list.read { $0.backendsByName[name] } ?? nil }

  /// Call within `ServerControl.exclusively`.
  func add(_ backend: Backend) { list.publish(ProxyList(proxies + [(nil, backend)])) }

  /// Call within `ServerControl.exclusively`. A stream that has just chosen the backend finds it without servers.
  func remove(_ backend: Backend) { list.publish(ProxyList(proxies.filter { $0.backend !== backend })) }
}
