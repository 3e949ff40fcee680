/// Frames of HTTP/2 made by hand (RFC 9113 section 4.1), so that a peer can say anything.
enum H2Frames {
  static let endStream: UInt8 = 1
  static let endHeaders: UInt8 = 4

  static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let n = payload.count
    return [UInt8(n >> 16 & 255), UInt8(n >> 8 & 255), UInt8(n & 255), type, flags] + word(stream) + payload
  }

  static func word(_ n: UInt32) -> [UInt8] {
    [UInt8(n >> 24 & 255), UInt8(n >> 16 & 255), UInt8(n >> 8 & 255), UInt8(n & 255)]
  }

  static func settings(_ values: [(UInt16, UInt32)] = []) -> [UInt8] {
    frame(4, values.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + word($0.1) })
  }

  /// A field section in literals without indexing (RFC 7541 section 6.2.2).
  static func block(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + text($0.0) + text($0.1) }
  }

  private static func text(_ text: String) -> [UInt8] {
    let octets = Array(text.utf8)
    precondition(octets.count < 127)
    return [UInt8(octets.count)] + octets
  }

  static func headers(_ stream: UInt32, _ fields: [(String, String)], ends: Bool = false) -> [UInt8] {
    frame(1, flags: endHeaders | (ends ? endStream : 0), stream: stream, block(fields))
  }

  static func data(_ stream: UInt32, _ text: String, ends: Bool = false) -> [UInt8] {
    frame(0, flags: ends ? endStream : 0, stream: stream, Array(text.utf8))
  }

  static func reset(_ stream: UInt32, _ code: UInt32) -> [UInt8] { frame(3, stream: stream, word(code)) }
  static func goAway(last: UInt32, _ code: UInt32) -> [UInt8] { frame(7, word(last) + word(code)) }
}
