import Base
import HTTP

/// Header fields: single values (`hdr`, split at commas) and whole lines (`fhdr`).
enum HTTPHeaderFetches {
  static let table: [FetchEntry] =
    family("req.", .requestData) { context in context.request }
    + family("res.", .responseData) { context in context.response }
    + values("hdr", .requestData, places: .bothData) { context in
      context.isResponseSide ? context.response : context.request
    }
    + values("shdr", .responseData, places: .responseData) { context in context.response }

  typealias Pick = @Sendable (RuleContext) -> MessageHead?

  private static let named = ArgumentGrammar.optional(.headerName, .integer)

  private static func values(
    _ name: String, _ derived: SamplePlaces, places: SamplePlaces, _ head: @escaping Pick
  )
    -> [FetchEntry]
  {
    [
      FetchEntry(
        name, named, .string, places,
        each: { context, a, visit in
          guard let head = head(context) else { return false }
          return each(head, a, splitting: true) { visit(.string($0)) }
        }
      ) { context, a in head(context).flatMap { one($0, a, splitting: true) }.map(Sample.string) },
      FetchEntry(name + "_cnt", .optional(.headerName), .int, derived) { context, a in
        head(context).map { .int(Int64(count($0, a, splitting: true))) }
      },
      FetchEntry(
        name + "_ip", named, .address, derived,
        each: { context, a, visit in
          guard let head = head(context) else { return false }
          return each(head, a, splitting: true) { value in address(value).map { visit(.ip($0)) } ?? false }
        }
      ) { context, a in head(context).flatMap { one($0, a, splitting: true) }.flatMap(address).map(Sample.ip)
      },
      FetchEntry(
        name + "_val", named, .int, derived,
        each: { context, a, visit in
          guard let head = head(context) else { return false }
          return each(head, a, splitting: true) { visit(.int(Numbers.wrapping($0))) }
        }
      ) { context, a in
        head(context).flatMap { one($0, a, splitting: true) }.map { .int(Numbers.wrapping($0)) }
      },
    ]
  }

  private static func family(_ prefix: String, _ places: SamplePlaces, _ head: @escaping Pick) -> [FetchEntry] {
    values(prefix + "hdr", places, places: places, head) + [
      FetchEntry(
        prefix + "fhdr", named, .string, places,
        each: { context, a, visit in
          guard let head = head(context) else { return false }
          return each(head, a, splitting: false) { visit(.string($0)) }
        }
      ) { context, a in head(context).flatMap { one($0, a, splitting: false) }.map(Sample.string) },
      FetchEntry(prefix + "fhdr_cnt", .optional(.headerName), .int, places) { context, a in
        head(context).map { .int(Int64(count($0, a, splitting: false))) }
      },
      FetchEntry(prefix + "hdr_names", .optional(.string), .string, places) { context, a in
        guard let head = head(context) else { return nil }
        let delimiter = a.string(0).flatMap { $0.isEmpty ? nil : $0.prefix(1) } ?? ","
        var out: [UInt8] = []
        for i in 0..<head.count {
          if i > 0 { out.append(delimiter) }
          out.append(head.name(at: i))
        }
        return .string(Bytes(out))
      },
      FetchEntry(prefix + "hdrs", .none, .binary, places) { context, _ in
        head(context).map { .string(Bytes(block($0))) }
      },
      FetchEntry(prefix + "hdrs_bin", .none, .binary, places) { context, _ in
        head(context).map { .binary(Bytes(binaryBlock($0))) }
      },
    ]
  }

  // MARK: Values

  /// The values of the named field in order until `visit` answers true. Without a name: of all fields. With an
  /// occurrence: that one only.
  static func each(_ head: MessageHead, _ arguments: Arguments, splitting: Bool, _ visit: (Bytes) -> Bool)
    -> Bool
  {
    if arguments.int(1) ?? 0 != 0 {
      return one(head, arguments, splitting: splitting).map(visit) ?? false
    }
    return each(head, arguments.field(0), splitting: splitting, visit)
  }

  private static func each(_ head: MessageHead, _ name: FieldName?, splitting: Bool, _ visit: (Bytes) -> Bool) -> Bool {
    let takesAll = name?.bytes.isEmpty ?? true
    for i in 0..<head.count {
      if !takesAll, let name, !head.isField(at: i, named: name) { continue }
      if visitValues(of: head.value(at: i), splitting: splitting, visit) { return true }
    }
    return false
  }

  static func visitValues(of line: Bytes, splitting: Bool, _ visit: (Bytes) -> Bool) -> Bool {
    if !splitting || line.firstIndex(of: 0x2C) == nil { return visit(line.trimmed) }
    var start = 0
    while start <= line.count {
      let end = valueEnd(line, from: start)
      if visit(line[start..<end].trimmed) { return true }
      start = end + 1
    }
    return false
  }

  /// The comma behind a value, which does not count inside a quoted string; or the end.
  static func valueEnd(_ line: Bytes, from start: Int) -> Int {
    var i = start
    var isQuoted = false
    while i < line.count {
      let c = line[i]
      if isQuoted {
        if c == 0x5C { i += 1 } else if c == 0x22 { isQuoted = false }
      } else if c == 0x22 {
        isQuoted = true
      } else if c == 0x2C {
        return i
      }
      i += 1
    }
    return line.count
  }

  /// One value: the last, or the occurrence named (from the end when negative).
  static func one(_ head: MessageHead, _ arguments: Arguments, splitting: Bool) -> Bytes? {
    let occurrence = arguments.int(1) ?? 0
    let name = arguments.field(0)
    if occurrence > 0 {
      var left = occurrence
      var found: Bytes?
      _ = each(head, name, splitting: splitting) {
        left -= 1
        if left == 0 { found = $0 }
        return left == 0
      }
      return found
    }
    if occurrence >= -1 {
      // The last value: nothing need be kept of those before it.
      var last: Bytes?
      _ = each(head, name, splitting: splitting) {
        last = $0
        return false
      }
      return last
    }
    var all: [Bytes] = []
    _ = each(head, name, splitting: splitting) {
      all.append($0)
      return false
    }
    let index = all.count &+ Int(truncatingIfNeeded: occurrence)
    return all.indices.contains(index) ? all[index] : nil
  }

  static func count(_ head: MessageHead, _ arguments: Arguments, splitting: Bool) -> Int {
    var count = 0
    _ = each(head, arguments, splitting: splitting) { _ in
      count += 1
      return false
    }
    return count
  }

  /// An address, that of version 4 possibly with a port, that of version 6 possibly in brackets.
  private static func address(_ value: Bytes) -> IPAddress? {
    if let address = Numbers.address(value) { return address }
    if value.count > 2, value[0] == 0x5B, value[value.count - 1] == 0x5D {
      return Numbers.address(value[1..<(value.count - 1)])
    }
    return Numbers.address(HostText.split(value).host)
  }

  private static func block(_ head: MessageHead) -> [UInt8] {
    var out: [UInt8] = []
    for i in 0..<head.count {
      out.append(head.name(at: i))
      out.append(contentsOf: ": ".utf8)
      out.append(head.value(at: i))
      out.append(contentsOf: "\r\n".utf8)
    }
    out.append(contentsOf: "\r\n".utf8)
    return out
  }

  /// Name and value with their lengths in front, as the SPOP protocol encodes them.
  private static func binaryBlock(_ head: MessageHead) -> [UInt8] {
    var out: [UInt8] = []
    for i in 0..<head.count {
      for part in [head.name(at: i), head.value(at: i)] {
        appendLength(part.count, into: &out)
        out.append(part)
      }
    }
    appendLength(0, into: &out)
    appendLength(0, into: &out)
    return out
  }

  private static func appendLength(_ length: Int, into out: inout [UInt8]) {
    guard length >= 240 else {
      out.append(UInt8(truncatingIfNeeded: length))
      return
    }
    out.append(UInt8(truncatingIfNeeded: length) | 240)
    var rest = (length - 240) >> 4
    while rest >= 128 {
      out.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest = (rest - 128) >> 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
  }
}
