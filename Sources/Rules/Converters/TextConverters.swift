import Base

/// Strings: case, parts, search and replacement.
enum TextConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry("lower", .none, .string, .string) { sample, _, _ in .string(sample.text.lowercased) },
    ConverterEntry("upper", .none, .string, .string) { sample, _, _ in
      .string(Bytes(sample.text.array.map(ASCII.upper)))
    },
    ConverterEntry("length", .none, .string, .int) { sample, _, _ in .int(Int64(sample.text.count)) },
    ConverterEntry("reverse", .none, .string, .string) { sample, _, _ in
      .string(Bytes(Array(sample.text.array.reversed())))
    },
    ConverterEntry("reverse_dom", .none, .string, .string) { sample, _, _ in reversedDomain(sample.text) },
    ConverterEntry("ltrim", .required(.string), .string, .string) { sample, a, _ in
      .string(trim(sample.text, a.string(0) ?? .empty, left: true, right: false))
    },
    ConverterEntry("rtrim", .required(.string), .string, .string) { sample, a, _ in
      .string(trim(sample.text, a.string(0) ?? .empty, left: false, right: true))
    },
    ConverterEntry("cut_crlf", .none, .string, .string) { sample, _, _ in
      let text = sample.text
      for i in 0..<text.count where text[i] == ASCII.cr || text[i] == ASCII.lf {
        return .string(text.prefix(i))
      }
      return .string(text)
    },
    ConverterEntry("has_ctl", .optional(.string), .binary, .bool, check: checkControls) { sample, a, _ in
      let octets = sample.octets
      let mask = a.int(0) ?? 0
      for i in 0..<octets.count {
        let bit: Int64 = octets[i] < 32 ? Int64(octets[i]) : octets[i] == 127 ? 32 : 63
        if mask >> bit & 1 == 1 { return .bool(true) }
      }
      return .bool(false)
    },
    ConverterEntry("bytes", .atLeast(1, .string, .string), .binary, .binary, check: checkBytes) {
      sample, a, context in
      let octets = sample.octets
      guard let offset = number(a[0], context), offset >= 0 else { return nil }
      let rest = octets.dropFirst(Int(min(offset, Int64(octets.count))))
      if case .none = a[1] { return .binary(rest) }
      guard let length = number(a[1], context), length >= 0 else { return nil }
      return .binary(rest.prefix(Int(min(length, Int64(rest.count)))))
    },
    ConverterEntry(
      "field", .atLeast(2, .integer, .string, .integer), .string, .string, check: checkDelimiters
    ) {
      sample, a, _ in
      field(sample.text, Int(truncatingIfNeeded: a.int(0) ?? 0), a.string(1) ?? .empty, count: a.int(2) ?? 1)
    },
    ConverterEntry("word", .atLeast(2, .integer, .string, .integer), .string, .string, check: checkDelimiters) {
      sample, a, _ in
      word(sample.text, Int(truncatingIfNeeded: a.int(0) ?? 0), a.string(1) ?? .empty, count: a.int(2) ?? 1)
    },
    ConverterEntry("regsub", .atLeast(2, .pattern, .string, .string), .string, .string, check: checkRegsub) {
      sample, a, context in
      guard case .regex(let regex) = a[0], let replacement = a.string(1) else { return nil }
      let isGlobal = a.int(2) == 1
      return .string(
        Bytes(regex.replacing(sample.text, with: replacement, all: isGlobal, &context.regexScratch)))
    },
    ConverterEntry("concat", .atLeast(1, .string, .string, .string), .string, .string, check: checkConcat) {
      sample, a, context in
      var out = sample.text.array
      if let prefix = a.string(0) { out.append(prefix) }
      if case .variable(let variable) = a[1], let value = variable.get(context) {
        out.append(value.text)
      }
      if let suffix = a.string(2) { out.append(suffix) }
      return .string(Bytes(out))
    },
    ConverterEntry("add_item", .atLeast(2, .string, .string, .string), .string, .string, check: checkConcat) {
      sample, a, context in
      var item: [UInt8] = []
      if case .variable(let variable) = a[1], let value = variable.get(context) {
        item.append(value.text)
      }
      if let suffix = a.string(2) { item.append(suffix) }
      if item.isEmpty { return .string(sample.text) }
      var out = sample.text.array
      if !out.isEmpty, let delimiter = a.string(0) { out.append(delimiter) }
      return .string(Bytes(out + item))
    },
    ConverterEntry("strcmp", .required(.string), .string, .int, check: checkVariable) { sample, a, context in
      guard case .variable(let variable) = a[0], let other = variable.get(context) else {
        return nil
      }
      return .int(compare(sample.text, other.text))
    },
    ConverterEntry("secure_memcmp", .required(.string), .binary, .bool, check: checkVariable) {
      sample, a, context in
      guard case .variable(let variable) = a[0], let other = variable.get(context) else {
        return nil
      }
      return .bool(SecureCompare.equal(sample.octets, other.octets))
    },
    ConverterEntry("param", .atLeast(1, .string, .string), .string, .string, check: checkParameter) {
      sample, a, _ in
      parameter(sample.text, a.string(0) ?? .empty, delimiter: a.string(1) ?? "&")
    },
    ConverterEntry("host_only", .none, .string, .string) { sample, _, _ in
      .string(HostText.beforePort(sample.text).lowercased)
    },
    ConverterEntry("port_only", .none, .string, .int) { sample, _, _ in
      .int(Int64(HostText.portNumber(sample.text)))
    },
    ConverterEntry("language", .atLeast(1, .string, .string), .string, .string) { sample, a, _ in
      AcceptLanguage.best(sample.text, among: a.string(0) ?? .empty, or: a.string(1))
    },
  ]

  /// A number written down, or that of a variable.
  private static func number(_ argument: Argument, _ context: RuleContext) -> Int64? {
    switch argument {
    case .int(let value): value
    case .variable(let variable): variable.get(context)?.integer
    default: nil
    }
  }

  /// The labels of a name from the last to the first; nil when one of them is empty. A dot at the end does not count.
  private static func reversedDomain(_ name: Bytes) -> Sample? {
    let text = name.ends(with: ".") ? name.prefix(name.count - 1) : name
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var end = text.count
    while true {
      var start = end
      while start > 0, text[start - 1] != 0x2E { start -= 1 }
      if start == end { return nil }
      out.append(text[start..<end])
      if start == 0 { return .string(Bytes(out)) }
      out.append(0x2E)
      end = start - 1
    }
  }

  private static func trim(_ text: Bytes, _ set: Bytes, left: Bool, right: Bool) -> Bytes {
    var low = 0
    var high = text.count
    if left { while low < high, set.firstIndex(of: text[low]) != nil { low += 1 } }
    if right { while high > low, set.firstIndex(of: text[high - 1]) != nil { high -= 1 } }
    return text[low..<high]
  }

  private static func compare(_ a: Bytes, _ b: Bytes) -> Int64 {
    for i in 0..<min(a.count, b.count) where a[i] != b[i] { return Int64(a[i]) - Int64(b[i]) }
    return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
  }

  /// Field `index` from 1 (from the end when negative), `count` fields long (0: all that follow).
  private static func field(_ text: Bytes, _ index: Int, _ delimiters: Bytes, count: Int64) -> Sample? {
    var ranges: [Range<Int>] = []
    var start = 0
    for i in 0...text.count where i == text.count || delimiters.firstIndex(of: text[i]) != nil {
      ranges.append(start..<i)
      start = i + 1
    }
    return select(text, ranges, index, count)
  }

  /// As `field`, with runs of delimiters counted as one.
  private static func word(_ text: Bytes, _ index: Int, _ delimiters: Bytes, count: Int64) -> Sample? {
    var ranges: [Range<Int>] = []
    var start: Int?
    for i in 0...text.count {
      if i == text.count || delimiters.firstIndex(of: text[i]) != nil {
        if let begin = start { ranges.append(begin..<i) }
        start = nil
      } else if start == nil {
        start = i
      }
    }
    return select(text, ranges, index, count)
  }

  private static func select(_ text: Bytes, _ ranges: [Range<Int>], _ index: Int, _ count: Int64) -> Sample? {
    let wanted = count == 0 ? ranges.count : Int(clamping: count)
    if index > 0 {
      guard index <= ranges.count else { return nil }
      let last = min(ranges.count, index - 1 + min(wanted, ranges.count)) - 1
      // Without a count it is all that follows, delimiters at the end included.
      return .string(text[ranges[index - 1].lowerBound..<(count == 0 ? text.count : ranges[last].upperBound)])
    }
    let end = ranges.count + index
    guard index < 0, end >= 0, end < ranges.count else { return nil }
    let first = max(0, end - min(wanted, ranges.count) + 1)
    return .string(text[(count == 0 ? 0 : ranges[first].lowerBound)..<ranges[end].upperBound])
  }

  private static func parameter(_ text: Bytes, _ name: Bytes, delimiter: Bytes) -> Sample? {
    let separator = delimiter.isEmpty ? 0x26 : delimiter[0]
    var start = 0
    while start <= text.count {
      let end = text.firstIndex(of: separator, from: start) ?? text.count
      let pair = text[start..<end]
      if pair.starts(with: name), pair.count == name.count || pair[name.count] == 0x3D {
        return .string(pair.dropFirst(name.count + 1))
      }
      start = end + 1
    }
    return nil
  }

  // MARK: Checks

  /// Every control character but the tab.
  private static let commonControls: Int64 = 0x1_FFFF_FDFF

  @Sendable
  private static func checkControls(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let text = (arguments.string(0) ?? .empty).string
    let mask: Int64? =
      switch text {
      case "": commonControls
      case "any": 0x1_FFFF_FFFF
      case "http": 0x2401
      default: text.hasPrefix("0x") ? Int64(text.dropFirst(2), radix: 16) : Int64(text)
      }
    guard let mask else {
      throw RuleError(
        "cannot parse value '\(text)'",
        expected: "'any', 'http', a decimal number or 0x and hexadecimal digits")
    }
    guard mask & ~0x1_FFFF_FFFF == 0 else {
      throw RuleError("unsupported excess bits in argument value \(text)")
    }
    arguments.list = [.int(mask)]
  }

  @Sendable
  private static func checkBytes(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let count = arguments.count
    for index in 0..<count {
      let text = arguments.string(index) ?? .empty
      if let value = Numbers.integer(text) {
        guard value >= (index == 0 ? 0 : 1) else {
          throw RuleError(
            "\(index == 0 ? "offset" : "length") value must be greater than \(index == 0 ? -1 : 0)")
        }
        arguments.list[index] = .int(value)
      } else {
        arguments.list[index] = .variable(try scope.shared.variables.variable(text))
      }
    }
  }

  @Sendable
  private static func checkParameter(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let delimiter = arguments.string(1) else { return }
    if delimiter.count == 4, delimiter.starts(with: "0x"),
      let octet = UInt8(delimiter.dropFirst(2).string, radix: 16)
    {
      arguments.list[1] = .string(Bytes([octet]))
    } else if delimiter.count != 1 {
      throw RuleError("Delimiter must be either exactly 1 character, or 0xHH for an ASCII code")
    }
  }

  @Sendable
  private static func checkDelimiters(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard arguments.int(0) != 0 else {
      throw RuleError("unexpected value 0 for the index: fields count from 1")
    }
    guard let delimiters = arguments.string(1), !delimiters.isEmpty else {
      throw RuleError("missing delimiters in the second argument")
    }
  }

  @Sendable
  private static func checkRegsub(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let flags = arguments.string(2)?.string ?? ""
    for flag in flags where flag != "g" && flag != "i" {
      throw RuleError("invalid regex flag '\(flag)', only 'i' and 'g' are supported")
    }
    arguments.list = [
      .regex(try RegularExpression.compile(arguments.string(0) ?? .empty, ignoresCase: flags.contains("i"))),
      arguments[1], .int(flags.contains("g") ? 1 : 0),
    ]
  }

  @Sendable
  private static func checkConcat(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let name = arguments.string(1), !name.isEmpty else {
      if arguments.count > 1 { arguments.list[1] = .none }
      return
    }
    arguments.list[1] = .variable(try scope.shared.variables.variable(name))
  }

  @Sendable
  private static func checkVariable(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    arguments.list[0] = .variable(try scope.shared.variables.variable(arguments.string(0) ?? .empty))
  }
}

/// `Accept-Language` (RFC 9110, 12.5.4).
enum AcceptLanguage {
  static func best(_ header: Bytes, among offered: Bytes, or standard: Bytes?) -> Sample? {
    let known = offered.string.lowercased().split(separator: ";").map(String.init)
    var best: (language: String, quality: Int)?
    for part in header.string.lowercased().split(separator: ",") {
      let pieces = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard let language = pieces.first, known.contains(language) else { continue }
      let quality =
        pieces.dropFirst().first { $0.hasPrefix("q=") }.map { thousandths(String($0.dropFirst(2))) } ?? 1000
      if quality > best?.quality ?? 0 { best = (language, quality) }
    }
    return (best.map { Bytes($0.language) } ?? standard).map(Sample.string)
  }

  /// `0.7` as 700.
  private static func thousandths(_ text: String) -> Int {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let whole = parts.first.flatMap { Int($0) } ?? 0
    let digits = parts.count > 1 ? (parts[1] + "000").prefix(3) : "0"
    return min(1000, max(0, min(whole, 1) * 1000 + (Int(digits) ?? 0)))
  }
}
