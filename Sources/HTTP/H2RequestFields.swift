import Base
import CNghttp2

/// Request heads as the library's name and value pairs, pseudo-header fields first (RFC 9113 section 8.3.1).
enum H2RequestFields {
  /// A value that is said as it stands in the head, or with changes.
  private struct Part {
    var name: StaticString
    var octets: UnsafeRawBufferPointer
    /// `?a=b` without a path.
    var lacksPath = false
    /// The scheme of a target in absolute form.
    var folds = false

    init(_ name: StaticString, _ octets: UnsafeRawBufferPointer) {
      self.name = name
      self.octets = octets
    }

    init(_ name: StaticString, _ text: StaticString) {
      self.init(name, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Octets that its changed form takes at most; 0 when it goes out as it is.
    var room: Int {
      var isPlain = !lacksPath
      for c in octets where c <= 0x20 || c == 0x7F || folds && ASCII.isUpper(c) { isPlain = false }
      return isPlain ? 0 : octets.count * 3 + 1
    }
  }

  /// The parts of a target: origin form, absolute form, `*`, or what a rule made of it.
  struct Target {
    var scheme: Range<Int>?
    var authority: Range<Int>?
    /// Empty for `/`.
    var path: Range<Int>

    init(_ target: UnsafeRawBufferPointer) {
      path = 0..<target.count
      guard let first = target.first, first != 0x2F, let colon = target.firstIndex(of: 0x3A), colon + 2 < target.count,
        target[colon + 1] == 0x2F, target[colon + 2] == 0x2F
      else { return }
      var end = colon + 3
      while end < target.count, target[end] != 0x2F, target[end] != 0x3F { end += 1 }
      scheme = 0..<colon
      authority = (colon + 3)..<end
      path = end..<target.count
    }
  }

  /// Gives the pairs of a request, which are valid during the call.
  static func withPairs<R>(
    of head: MessageHead, scheme: StaticString, connectProtocol: Bytes?,
    _ body: (UnsafePointer<nghttp2_nv>, Int) -> R
  ) -> R {
    (connectProtocol ?? .empty).withUnsafeBytes { wanted in
      head.withText { text in
        withUnsafeTemporaryAllocation(of: Part.self, capacity: 5) { parts in
          let isTunnel = connectProtocol != nil || head.isMethod("CONNECT")
          let count = describe(head, text, scheme, connectProtocol == nil ? nil : wanted, into: parts)
          var room = 0
          for i in 0..<count { room += parts[i].room }
          return withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { changed in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: head.fields.count + count) { pairs in
              addPseudo(parts, count, to: pairs, changed)
              var total = count
              addFields(of: head, text, isTunnel: isTunnel, to: pairs, &total)
              guard let start = pairs.baseAddress else {
                return body(UnsafePointer(bitPattern: 8).unsafelyUnwrapped, 0)
              }
              return body(UnsafePointer(start), total)
            }
          }
        }
      }
    }
  }

  /// Finds the pseudo-header fields; their number.
  private static func describe(
    _ head: MessageHead, _ text: UnsafeRawBufferPointer, _ scheme: StaticString, _ wanted: UnsafeRawBufferPointer?,
    into parts: UnsafeMutableBufferPointer<Part>
  ) -> Int {
    var count = 0
    func add(_ part: Part) {
      parts.initializeElement(at: count, to: part)
      count += 1
    }
    func part(of text: UnsafeRawBufferPointer, _ range: Range<Int>) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: text[range.clamped(to: 0..<text.count)])
    }
    let line = part(of: text, head.targetRange)
    let isConnect = wanted == nil && head.isMethod("CONNECT")
    let target = Target(line)
    var authority: UnsafeRawBufferPointer?
    if isConnect {
      authority = line
    } else if let range = target.authority {
      authority = part(of: line, range)
    } else if let index = head.firstIndex(of: FieldName.host) {
      authority = part(of: text, head.valueRange(at: index))
    }
    // `:authority` has no user information (RFC 9113 section 8.3.1).
    while let given = authority, let at = given.firstIndex(of: 0x40) {
      authority = part(of: given, (at + 1)..<given.count)
    }

    if wanted == nil { add(Part(":method", part(of: text, head.methodRange))) } else { add(Part(":method", "CONNECT")) }
    if !isConnect {
      if let range = target.scheme {
        var known = Part(":scheme", part(of: line, range))
        known.folds = true
        add(known)
      } else if !head.schemeRange.isEmpty {
        add(Part(":scheme", part(of: text, head.schemeRange)))
      } else {
        add(Part(":scheme", scheme))
      }
    }
    if let authority, !authority.isEmpty { add(Part(":authority", authority)) }
    if !isConnect {
      var path = target.path.isEmpty ? Part(":path", "/") : Part(":path", part(of: line, target.path))
      path.lacksPath = path.octets.first == 0x3F
      add(path)
    }
    if let wanted { add(Part(":protocol", wanted)) }
    return count
  }

  /// Rules may have put anything into what is sent: no octet here can break the framing of HTTP/2, but a server that
  /// speaks HTTP/1 behind it must not be given line ends.
  private static func addPseudo(
    _ parts: UnsafeMutableBufferPointer<Part>, _ count: Int, to pairs: UnsafeMutableBufferPointer<nghttp2_nv>,
    _ changed: UnsafeMutableRawBufferPointer
  ) {
    var end = 0
    for i in 0..<count {
      let part = parts[i]
      let name = UnsafeRawBufferPointer(start: part.name.utf8Start, count: part.name.utf8CodeUnitCount)
      guard part.room > 0 else {
        pairs.initializeElement(at: i, to: H2Fields.pair(name, part.octets))
        continue
      }
      let start = end
      func append(_ c: UInt8) {
        changed[end] = c
        end += 1
      }
      if part.lacksPath { append(0x2F) }
      for c in part.octets {
        if c > 0x20, c != 0x7F {
          append(part.folds ? ASCII.lower(c) : c)
        } else {
          append(0x25)
          append(digit(c >> 4))
          append(digit(c & 15))
        }
      }
      let value = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(changed)[start..<end])
      pairs.initializeElement(at: i, to: H2Fields.pair(name, value))
    }
  }

  private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x37 + nibble }

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
