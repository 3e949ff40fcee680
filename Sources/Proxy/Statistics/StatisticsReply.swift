import Base
import Config
import HTTP

/// Responses of the statistics page and of the exporter.
enum StatisticsReply {
  static func page(_ runtime: Runtime, _ request: StatRequest, now: Now) -> LocalReply {
    let type: Bytes
    let source: () -> [UInt8]?
    if let format = request.format {
      var dump = StatDump(runtime, format, request.options, request.selection, now: now.wall)
      type = format == .json ? "application/json" : "text/plain"
      source = { dump.next() }
    } else {
      var page = StatPage(runtime, request, now: now)
      type = "text/html"
      source = { page.next() }
    }
    var reply = stream(type, source)
    if let refresh = request.settings.refresh, !request.withoutRefresh {
      reply.fields.append(("refresh", Bytes(String(refresh.seconds))))
    }
    return reply
  }

  static func metrics(_ runtime: Runtime, _ request: PrometheusRequest, now: Now) -> LocalReply {
    var exporter = PrometheusExporter(runtime, request, now: now)
    return stream("text/plain; version=0.0.4") { exporter.next() }
  }

  private static func stream(_ type: Bytes, _ source: @escaping () -> [UInt8]?) -> LocalReply {
    var reply = LocalReply(
      status: 200, reason: "OK", fields: [("cache-control", "no-cache"), ("content-type", type)], body: [])
    reply.more = source
    return reply
  }

  static func redirect(_ location: String) -> LocalReply {
    LocalReply(
      status: 303, reason: "See Other",
      fields: [
        ("cache-control", "no-cache"), ("content-type", "text/plain"), ("content-length", "0"),
        ("location", Bytes(location)),
      ], body: [])
  }

  /// 401 with the realm of the page in place of the usual one.
  static func challenge(_ realm: Bytes, _ page: LocalReply) -> LocalReply {
    var reply = page
    reply.fields.removeAll { $0.name.bytes == "www-authenticate" }
    reply.fields.append(("www-authenticate", Bytes("Basic realm=\"\(realm.string)\"")))
    return reply
  }
}

/// The user and password of `Authorization: Basic` (RFC 7617).
struct BasicCredentials {
  private let pair: Bytes

  init?(_ field: Bytes?) {
    guard let field, let blank = field.firstIndex(of: ASCII.space),
      field.prefix(blank).equalsIgnoringCase("basic"),
      let decoded = BasicCredentials.decode(field.dropFirst(blank).trimmed)
    else { return nil }
    pair = Bytes(decoded)
  }

  /// Compares in a time that does not tell where the difference lies.
  func matches(user: Bytes, password: Bytes) -> Bool {
    var wanted = user.array
    wanted.append(ASCII.colon)
    wanted.append(password)
    guard wanted.count == pair.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<wanted.count { difference |= wanted[index] ^ pair[index] }
    return difference == 0
  }

  /// Base64 with or without padding; nil for anything else.
  static func decode(_ text: Bytes) -> [UInt8]? {
    var out: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for index in 0..<text.count {
      let c = text[index]
      if c == 0x3D { return index + 2 >= text.count ? out : nil }
      let value: UInt8
      if ASCII.isUpper(c) {
        value = c - 0x41
      } else if ASCII.isLower(c) {
        value = c - 0x61 + 26
      } else if ASCII.isDigit(c) {
        value = c - 0x30 + 52
      } else if c == 0x2B {
        value = 62
      } else if c == 0x2F {
        value = 63
      } else {
        return nil
      }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return out
  }
}
