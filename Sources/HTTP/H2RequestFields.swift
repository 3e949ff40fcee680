import Base
import CNghttp2

/// Request heads as the library's name and value pairs, pseudo-header fields first (RFC 9113 section 8.3.1).
enum H2RequestFields {
  private static let connect = Bytes("CONNECT")
  private static let root = Bytes("/")

  /// The parts of a target.
  struct Target {
    var scheme: Bytes?
    var authority: Bytes?
    var path = H2RequestFields.root
  }

  /// Splits a target: origin form, absolute form, `*`, or the authority of CONNECT.
  static func split(_ target: Bytes) -> Target {
    if target.isEmpty { return Target() }
    if target[0] == 0x2F || target == "*" { return Target(path: target) }
    guard let colon = target.firstIndex(of: 0x3A), colon + 2 < target.count, target[colon + 1] == 0x2F,
      target[colon + 2] == 0x2F
    else { return Target(path: target) }
    let start = colon + 3
    var end = start
    while end < target.count, target[end] != 0x2F, target[end] != 0x3F { end += 1 }
    var path = target[end..<target.count]
    if path.isEmpty {
      path = root
    } else if path[0] == 0x3F {
      path = Bytes([0x2F] + path.array)
    }
    return Target(scheme: target[0..<colon].lowercased, authority: target[start..<end], path: path)
  }

  /// Gives the pairs of a request, which are valid during the call.
  static func withPairs<R>(
    of head: MessageHead, scheme: StaticString, connectProtocol: Bytes?,
    _ body: (UnsafePointer<nghttp2_nv>, Int) -> R
  ) -> R {
    let isConnect = connectProtocol == nil && head.isMethod("CONNECT")
    let target = isConnect ? Target(authority: head.target) : split(head.target)
    // `:authority` has no user information (RFC 9113 section 8.3.1).
    var authority = target.authority ?? head.first(FieldName.host)
    while let given = authority, let at = given.firstIndex(of: 0x40) { authority = given.dropFirst(at + 1) }
    var pseudo: [(StaticString, Bytes)] = [(":method", connectProtocol == nil ? head.method : connect)]
    if !isConnect {
      let known = target.scheme ?? (head.schemeRange.isEmpty ? nil : head.kept(head.schemeRange))
      pseudo.append((":scheme", known ?? Bytes(scheme.description)))
    }
    if let authority, !authority.isEmpty { pseudo.append((":authority", authority)) }
    if !isConnect { pseudo.append((":path", target.path)) }
    if let connectProtocol { pseudo.append((":protocol", connectProtocol)) }
    // Rules may have put anything into what is sent: no octet here can break the framing of HTTP/2, but a server that
    // speaks HTTP/1 behind it must not be given line ends.
    var arena: [UInt8] = []
    var ranges: [Range<Int>] = []
    for (_, value) in pseudo {
      let start = arena.count
      for i in 0..<value.count { append(value[i], to: &arena) }
      ranges.append(start..<arena.count)
    }
    return arena.withUnsafeBytes { arena in
      head.withText { text in
        withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: head.fields.count + pseudo.count) { pairs in
          var count = 0
          for ((name, _), range) in zip(pseudo, ranges) {
            let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            pairs[count] = H2Fields.pair(name, UnsafeRawBufferPointer(rebasing: arena[range]))
            count += 1
          }
          addFields(of: head, text, isTunnel: isConnect || connectProtocol != nil, to: pairs, &count)
          guard let start = pairs.baseAddress else {
            return body(UnsafePointer(bitPattern: 8).unsafelyUnwrapped, 0)
          }
          return body(UnsafePointer(start), count)
        }
      }
    }
  }

  private static func append(_ c: UInt8, to text: inout [UInt8]) {
    if c > 0x20, c != 0x7F { return text.append(c) }
    text.append(0x25)
    for nibble in [c >> 4, c & 15] { text.append(nibble < 10 ? 0x30 + nibble : 0x37 + nibble) }
  }

  private static func addFields(
    of head: MessageHead, _ text: UnsafeRawBufferPointer, isTunnel: Bool,
    to pairs: UnsafeMutableBufferPointer<nghttp2_nv>, _ count: inout Int
  ) {
    guard let base = text.baseAddress else { return }
    for f in head.fields where head.isInside(f) {
      let name = UnsafeRawBufferPointer(start: base + Int(f.name), count: Int(f.nameLength))
      var value = UnsafeRawBufferPointer(start: base + Int(f.value), count: Int(f.valueLength))
      switch HopField.kind(base + Int(f.name), name.count) {
      case .endToEnd where isOfHTTP1Only(name): continue
      case .endToEnd: break
      case .framing where name.count == 14 && !isTunnel: break
      case .te:
        guard HopField.wantsTrailers(value) else { continue }
        value = UnsafeRawBufferPointer(start: trailers.utf8Start, count: trailers.utf8CodeUnitCount)
      default: continue
      }
      guard H2FieldRules.isName(name), H2FieldRules.isValue(value) else { continue }
      pairs[count] = H2Fields.pair(name, value)
      count += 1
    }
  }

  private static let trailers: StaticString = "trailers"

  /// Settings of an upgrade to HTTP/2, which is none here.
  private static func isOfHTTP1Only(_ name: UnsafeRawBufferPointer) -> Bool {
    guard name.count == 14, let base = name.baseAddress else { return false }
    return Octets.equalsFolded(base, name.count, "http2-settings")
  }
}
