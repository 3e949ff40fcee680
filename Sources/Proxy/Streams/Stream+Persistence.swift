import Base
import Config
import HTTP
import Rules

extension Stream {
  // MARK: Cookie persistence

  /// The server that the client's cookie (or a rule that forces persistence) holds it to.
  func chooseByPersistence(_ backend: Backend) -> Server? {
    guard avoidedServer == nil, isHTTP, let cookie = backend.settings.cookie,
      cookie.scheme != .none || !backend.serversByCookie.isEmpty || cookie.dynamic
    else { return nil }
    if backend.rules.ignorePersist.contains(where: { $0.holds(context) }) { return nil }
    guard let value = takeCookie(cookie) else {
      storage.persistence.request = .none
      return nil
    }
    let found = PersistenceCookie(value)
    if let reason = found.isTooOld(cookie, at: context.now.wall.seconds) {
      storage.persistence.request = reason
      return nil
    }
    storage.persistence.lastSeen = found.lastSeen
    storage.persistence.firstSeen = found.firstSeen
    guard let server = backend.server(ofCookie: found.server) else {
      storage.persistence.request = .invalid
      return nil
    }
    let isForced =
      backend.settings.persist || backend.rules.forcePersist.contains { $0.holds(context) }
    guard server.snapshot().acceptsPersistent || isForced else {
      storage.persistence.request = .down
      return nil
    }
    storage.persistence.request = .valid
    storage.persistence.server = server
    serverIsForced = true
    return server
  }

  /// Reads the persistence cookie; in `indirect` and `prefix` schemes the server does not get to see it.
  private func takeCookie(_ settings: CookieSettings) -> Bytes? {
    var index = request.firstIndex(of: "cookie")
    while let i = index {
      let line = request.value(at: i)
      if let found = CookieList(line).value(of: settings.name) {
        switch settings.scheme {
        case .prefix:
          guard let cut = found.firstIndex(of: 0x7E) else { return nil }
          request.replaceValue(at: i, with: CookieList(line).replacing(settings.name, with: found.dropFirst(cut + 1)))
          return found.prefix(cut)
        case .insert where settings.indirect:
          let rest = CookieList(line).removing(settings.name)
          if rest.isEmpty { request.remove(at: i) } else { request.replaceValue(at: i, with: rest) }
          return found
        default: return found
        }
      }
      index = request.firstIndex(of: "cookie", from: i + 1)
    }
    return nil
  }

  /// `cookie insert`, `rewrite` and `prefix` on the way back.
  func persistInResponse(_ backend: Backend) {
    guard let settings = backend.settings.cookie, let server else { return }
    let value = backend.cookieValue(of: server)
    if value == nil, settings.scheme != .insert { return }
    if backend.rules.ignorePersist.contains(where: { $0.holds(context) }) { return }
    storage.persistence.response = .none
    switch settings.scheme {
    case .none: break
    case .rewrite:
      if let value, rewriteSetCookie(settings.name, { _ in value }) { storage.persistence.response = .rewritten }
    case .prefix:
      let done = rewriteSetCookie(settings.name) { old in
        Bytes((value ?? .empty).array + [0x7E] + old.array)
      }
      if done { storage.persistence.response = .rewritten }
    case .insert: insertCookie(settings, value, server)
    }
    if settings.nocache, storage.persistence.response == .inserted || storage.persistence.response == .updated {
      response.append("cache-control", "private")
    }
  }

  /// Whether the client's cookie says all that it should: `maxidle` wants a recent date, `maxlife` a first one.
  private func isCookieCurrent(_ settings: CookieSettings) -> Bool {
    let (last, first) = (storage.persistence.lastSeen, storage.persistence.firstSeen)
    if settings.maxIdle != nil || last != 0, last == 0 || last < context.now.wall.seconds { return false }
    return (settings.maxLife != nil) == (first != 0)
  }

  private func insertCookie(_ settings: CookieSettings, _ value: Bytes?, _ server: Server) {
    if settings.preserve, setCookieIndex(settings.name) != nil {
      storage.persistence.response = .provided
      return
    }
    if serverIsForced, value != nil, isCookieCurrent(settings) { return }
    if settings.postonly, request.method != "POST" { return }
    if settings.indirect { while let i = setCookieIndex(settings.name) { response.remove(at: i) } }
    var text = settings.name.array
    text.append(0x3D)
    if let value {
      text.append(
        contentsOf: PersistenceCookie.value(
          server: value, settings, firstSeen: storage.persistence.firstSeen, at: context.now.wall.seconds))
    } else {
      // The server has none: the client forgets what it has.
      text.append(contentsOf: "; Expires=Thu, 01-Jan-1970 00:00:01 GMT".utf8)
    }
    text.append(contentsOf: "; path=/".utf8)
    for domain in settings.domains {
      text.append(contentsOf: "; domain=".utf8)
      text.append(domain)
    }
    if settings.httponly { text.append(contentsOf: "; HttpOnly".utf8) }
    if settings.secure { text.append(contentsOf: "; Secure".utf8) }
    for attribute in settings.attributes {
      text.append(contentsOf: "; ".utf8)
      text.append(attribute)
    }
    response.append("set-cookie", Bytes(text))
    storage.persistence.response = value != nil && serverIsForced ? .updated : .inserted
  }

  private func setCookieIndex(_ name: Bytes) -> Int? {
    var index = response.firstIndex(of: "set-cookie")
    while let i = index {
      if CookieList.name(ofSetCookie: response.value(at: i)) == name { return i }
      index = response.firstIndex(of: "set-cookie", from: i + 1)
    }
    return nil
  }

  private func rewriteSetCookie(_ name: Bytes, _ change: (Bytes) -> Bytes) -> Bool {
    guard let i = setCookieIndex(name) else { return false }
    response.replaceValue(at: i, with: CookieList.replacingValue(inSetCookie: response.value(at: i), change))
    return true
  }

  // MARK: Balance key

  /// The hash that `balance` computes from the request; nil falls back to round robin.
  func balanceHash(_ backend: Backend) -> UInt32? {
    let balance = backend.settings.balance
    switch balance.algorithm {
    case .roundrobin, .staticRoundrobin, .leastconn, .first, .random, .sticky, .logHash: return nil
    case .source: return context.source.ip.map { Hashing.hash($0, balance) }
    case .uri(let length, let depth, let whole, let pathOnly):
      guard isHTTP else { return nil }
      return Hashing.hash(
        BalanceKey.uri(request.target, length: length, depth: depth, whole: whole, pathOnly: pathOnly), balance)
    case .urlParameter(let name, _):
      guard isHTTP else { return nil }
      return BalanceKey.parameter(name, in: request.target).map { Hashing.hash($0, balance) }
    case .header(let name, let domainOnly):
      guard isHTTP, let value = request.first(FieldName(name)), !value.isEmpty else { return nil }
      return Hashing.hash(domainOnly ? BalanceKey.domain(value) : value, balance)
    case .rdpCookie, .hash:
      return backend.rules.hashExpression?.evaluateText(context).map { Hashing.hash($0, balance) }
    }
  }
}
