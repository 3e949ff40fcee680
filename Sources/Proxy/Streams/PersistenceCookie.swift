import Base
import Config
import Rules
import Synchronization

/// What a persistence cookie says: a server, and with `maxidle` or `maxlife` when it was last and first seen.
///
/// The dates stand behind `|`, each five digits of base 64 that count units of four seconds since 1970.
struct PersistenceCookie: Equatable {
  var server: Bytes
  /// Seconds since 1970; 0 for what is not there.
  var lastSeen: Int64 = 0
  var firstSeen: Int64 = 0

  private static let bar: UInt8 = 0x7C
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  init(_ value: Bytes) {
    guard let first = value.firstIndex(of: PersistenceCookie.bar) else {
      server = value
      return
    }
    server = value.prefix(first)
    let rest = value.dropFirst(first + 1)
    lastSeen = PersistenceCookie.date(rest.prefix(5))
    guard rest.count > 6, rest[5] == PersistenceCookie.bar else { return }
    firstSeen = PersistenceCookie.date(rest.dropFirst(6).prefix(5))
  }

  /// Whether the cookie is to be forgotten: not used for `maxidle`, or used for `maxlife`. A date that is more than a
  /// day ahead is as bad as one that is past.
  func isTooOld(_ settings: CookieSettings, at now: Int64) -> Persistence.Request? {
    func isOver(_ date: Int64, _ limit: Timespan?) -> Bool {
      guard date != 0, let limit, limit > .zero else { return false }
      return now - date > limit.seconds || date - now > 86_400
    }
    if isOver(firstSeen, settings.maxLife) { return .old }
    return isOver(lastSeen, settings.maxIdle) ? .expired : nil
  }

  private static func date(_ text: Bytes) -> Int64 {
    guard text.count == 5 else { return 0 }
    var value: Int64 = 0
    for index in 0..<5 {
      guard let digit = digits.firstIndex(of: text[index]) else { return 0 }
      value = value << 6 | Int64(digit)
    }
    return value << 2
  }

  /// A date in seconds as five digits.
  static func digits(of date: Int64) -> [UInt8] {
    let value = (date + 3) >> 2
    return (0..<5).map { digits[Int(value >> Int64(24 - 6 * $0)) & 63] }
  }

  /// The value that is set: `server` with dates as the settings ask for.
  static func value(server: Bytes, _ settings: CookieSettings, firstSeen: Int64, at now: Int64) -> [UInt8] {
    var text = server.array
    guard settings.maxIdle != nil || settings.maxLife != nil else { return text }
    text.append(bar)
    text.append(contentsOf: digits(of: now))
    if settings.maxLife != nil {
      text.append(bar)
      text.append(contentsOf: digits(of: firstSeen == 0 ? now : firstSeen))
    }
    return text
  }
}

extension Backend {
  /// The value that stands for a server: its `cookie`, or what `dynamic-cookie-key` makes of its address.
  func cookieValue(of server: Server) -> Bytes? {
    if let cookie = server.cookie { return cookie }
    guard let key = dynamicCookies.withLock({ $0.isEnabled ? $0.key : nil }),
      case .ip(let address, let port) = server.snapshot().address
    else { return nil }
    var text = key.array
    text.append(contentsOf: address.octets)
    withUnsafeBytes(of: UInt32(port).bigEndian) { text.append(contentsOf: $0) }
    let digits = String(XXHash.hash64(Bytes(text), seed: 0), radix: 16)
    return Bytes(String(repeating: "0", count: 16 - digits.utf8.count) + digits)
  }

  func server(ofCookie value: Bytes) -> Server? {
    if let server = serversByCookie[value] { return server }
    guard dynamicCookies.withLock({ $0.isEnabled }) else { return nil }
    return servers.first { cookieValue(of: $0) == value }
  }
}
