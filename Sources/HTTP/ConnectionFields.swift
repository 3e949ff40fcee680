import Base

/// Removes the fields that a Connection field names (RFC 9110 section 7.6.1), at parsing time so that
/// a client cannot have fields removed that rules add later.
enum ConnectionFields {
  /// Names that stay whatever Connection says: routing, framing and identity are end to end.
  private static let kept: [FieldName] = [
    "host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "cookie", "authorization",
    "set-cookie", "forwarded", "expect", "trailer",
  ]

  static func removeNamed(in head: MessageHead) {
    let connection = FieldName.connection
    var names: [FieldName] = []
    var next = head.firstIndex(of: connection)
    while let index = next {
      let value = head.value(at: index)
      var start = 0
      while start <= value.count {
        let comma = value.firstIndex(of: 0x2C, from: start) ?? value.count
        let token = value[start..<comma].trimmed
        if !token.isEmpty { names.append(FieldName(token)) }
        start = comma + 1
      }
      next = head.firstIndex(of: connection, from: index + 1)
    }
    for name in names where !kept.contains(name) && !name.bytes.starts(with: "x-forwarded-") {
      head.remove(name)
    }
  }
}
