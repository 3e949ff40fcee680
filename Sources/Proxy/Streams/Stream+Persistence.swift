import Base
import Config
import HTTP
import Rules

extension Stream {
  // MARK: Cookie persistence

  /// The server that the client's cookie (or a rule that forces persistence) holds it to.
  func chooseByPersistence(_ backend: Backend) -> Server? {
    guard avoidedServer == nil, isHTTP, let cookie = backend.settings.cookie, cookie.scheme != .none || !backend.serversByCookie.isEmpty
    else { return nil }
    if backend.rules.ignorePersist.contains(where: { $0.holds(context) }) { return nil }
    guard let value = takeCookie(cookie) else {
      storage.persistence.request = .none
      return nil
    }
    guard let server = backend.serversByCookie[value] else {
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
          return CookieDate.value(of: found)
        default: return CookieDate.value(of: found)
        }
      }
      index = request.firstIndex(of: "cookie", from: i + 1)
    }
    return nil
  }

  /// `cookie insert`, `rewrite` and `prefix` on the way back.
  func persistInResponse(_ backend: Backend) {
    guard let settings = backend.settings.cookie, let server, let value = server.cookie else { return }
    if backend.rules.ignorePersist.contains(where: { $0.holds(context) }) { return }
    storage.persistence.response = .none
    switch settings.scheme {
    case .none: break
    case .rewrite:
      if rewriteSetCookie(settings.name, { _ in value }) { storage.persistence.response = .rewritten }
    case .prefix:
      let done = rewriteSetCookie(settings.name) { old in
        Bytes(value.array + [0x7E] + old.array)
      }
      if done { storage.persistence.response = .rewritten }
    case .insert: insertCookie(settings, value, server)
    }
    if settings.nocache, storage.persistence.response == .inserted || storage.persistence.response == .updated {
      response.append("cache-control", "private")
    }
  }

  private func insertCookie(_ settings: CookieSettings, _ value: Bytes, _ server: Server) {
    if settings.preserve, setCookieIndex(settings.name) != nil {
      storage.persistence.response = .provided
      return
    }
    if storage.persistence.server === server { return }
    if settings.postonly, request.method != "POST" { return }
    if settings.indirect { while let i = setCookieIndex(settings.name) { response.remove(at: i) } }
    var text = settings.name.array
    text.append(0x3D)
    text.append(value)
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
    storage.persistence.response = .inserted
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
    case .roundrobin, .staticRoundrobin, .leastconn, .first, .random: return nil
    case .source: return context.connection.source.ip.map { Hashing.hash($0, balance) }
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
    case .rdpCookie: return nil
    case .hash:
      return backend.rules.hashExpression?.evaluateText(context).map { Hashing.hash($0, balance) }
    }
  }
}
