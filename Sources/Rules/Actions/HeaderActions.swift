import Base
import Config
import HTTP

/// Adding, replacing and removing header fields.
enum HeaderActions {
  static let table: [ActionEntry] = [
    ActionEntry("set-header", .http, "<name> <fmt>") { parser throws(RuleError) in
      let (name, format) = try nameAndFormat(&parser)
      return on(parser, followingHost: name) { head, isResponse, context in
        put(format, context, into: head, name, replacing: true, isResponse)
      }
    },
    ActionEntry("add-header", .http, "<name> <fmt>") { parser throws(RuleError) in
      let (name, format) = try nameAndFormat(&parser)
      return on(parser, followingHost: name) { head, isResponse, context in
        put(format, context, into: head, name, replacing: false, isResponse)
      }
    },
    ActionEntry("del-header", .http, "<name> [ -m <meth> ]") { parser throws(RuleError) in
      let word = try parser.need("a header name")
      guard parser.accept("-m") else {
        let name = FieldName(word.bytes)
        return on(parser) { head, _, _ in
          head.remove(name)
          return true
        }
      }
      let method = try parser.need("a matching method").text
      let test = try nameTest(method, word.bytes)
      return on(parser) { head, _, context in
        for index in stride(from: head.count - 1, through: 0, by: -1)
        where test(head.name(at: index), context) {
          head.remove(at: index)
        }
        return true
      }
    },
    ActionEntry("replace-header", .http, "<name> <match-regex> <replace-fmt>") { parser throws(RuleError) in
      let (name, regex, format) = try replacement(&parser)
      return on(parser, followingHost: name) { head, isResponse, context in
        for index in 0..<head.count where head.isField(at: index, named: name) {
          guard let new = substitute(head.value(at: index), regex, format, context) else { continue }
          guard replace(head, index, new, isResponse, context) else { return false }
        }
        return true
      }
    },
    ActionEntry("replace-value", .http, "<name> <match-regex> <replace-fmt>") { parser throws(RuleError) in
      let (name, regex, format) = try replacement(&parser)
      return on(parser, followingHost: name) { head, isResponse, context in
        for index in 0..<head.count where head.isField(at: index, named: name) {
          guard let new = replacedValues(head.value(at: index), regex, format, context) else { continue }
          guard replace(head, index, new, isResponse, context) else { return false }
        }
        return true
      }
    },
  ]

  private static func nameAndFormat(_ parser: inout ActionParser) throws(RuleError) -> (FieldName, LogFormat) {
    let name = try parser.need("a header name")
    guard HeaderText.isName(name.bytes) else { throw RuleError("'\(name.text)' is not a valid header name") }
    return (FieldName(name.bytes), try parser.format("a header value"))
  }

  private static func replacement(
    _ parser: inout ActionParser
  ) throws(RuleError) -> (FieldName, RegularExpression, LogFormat) {
    let name = try parser.need("a header name")
    let regex = try RegularExpression.compile(
      try parser.need("a regular expression").bytes, ignoresCase: false)
    return (FieldName(name.bytes), regex, try parser.format("a replacement"))
  }

  private static let hostField: FieldName = "host"

  /// A body that works on the message that the rule set is about, and says whether the change had room.
  ///
  /// `name` is the field that it writes: the authority of a request's target follows its Host.
  private static func on(
    _ parser: ActionParser, followingHost name: FieldName? = nil,
    _ body: @escaping @Sendable (MessageHead, Bool, RuleContext) -> Bool
  ) -> ActionBody {
    let isResponse = parser.place.isResponse
    guard let name, !isResponse, name == hostField else {
      return { context in
        guard let head = isResponse ? context.response : context.request else { return nil }
        return body(head, isResponse, context) ? nil : context.rewriteFailed(isResponse: isResponse)
      }
    }
    return { context in
      guard let request = context.request else { return nil }
      guard body(request, false, context) else { return context.rewriteFailed(isResponse: false) }
      guard let index = (0..<request.count).last(where: { request.isField(at: $0, named: hostField) }),
        let target = RequestTarget(request.target).replacingAuthority(by: request.value(at: index))
      else { return nil }
      guard context.allows(Swift.max(0, target.count - request.target.count), in: request, isResponse: false) else {
        return context.rewriteFailed(isResponse: false)
      }
      request.target = target
      return nil
    }
  }

  private static func put(
    _ format: LogFormat, _ context: RuleContext, into head: MessageHead, _ name: FieldName, replacing: Bool,
    _ isResponse: Bool
  ) -> Bool {
    if let constant = format.constant {
      let growth = name.bytes.count + constant.count + 4
      let replaced = replacing ? name : nil
      guard context.allows(growth, in: head, replaced: replaced, isResponse: isResponse) else { return false }
      if replacing { head.remove(name) }
      head.append(name, constant)
      return true
    }
    // The context's memory is borrowed, so that a rule allocates nothing.
    var text: [UInt8] = []
    swap(&text, &context.scratch)
    text.removeAll(keepingCapacity: true)
    format.render(context, into: &text)
    let fits = context.allows(
      name.bytes.count + text.count + 4, in: head, replaced: replacing ? name : nil, isResponse: isResponse)
    if fits {
      if replacing { head.remove(name) }
      head.append(name: name.bytes.span, value: text.span)
    }
    swap(&text, &context.scratch)
    return fits
  }

  private static func replace(
    _ head: MessageHead, _ index: Int, _ new: Bytes, _ isResponse: Bool, _ context: RuleContext
  ) -> Bool {
    let growth = Swift.max(0, new.count - head.value(at: index).count)
    guard context.allows(growth, in: head, isResponse: isResponse) else { return false }
    head.replaceValue(at: index, with: new)
    return true
  }

  private static func value(_ format: LogFormat, _ context: RuleContext) -> Bytes {
    if let constant = format.constant { return constant }
    return Bytes(format.rendered(context))
  }

  static func substitute(
    _ text: Bytes, _ regex: RegularExpression, _ format: LogFormat, _ context: RuleContext
  ) -> Bytes? {
    guard let captures = regex.captures(text, &context.regexScratch) else { return nil }
    return RegexTemplate.expand(value(format, context), text, captures)
  }

  /// The line with each of its values replaced; nil when none was.
  private static func replacedValues(
    _ line: Bytes, _ regex: RegularExpression, _ format: LogFormat, _ context: RuleContext
  ) -> Bytes? {
    var out: [UInt8] = []
    var isChanged = false
    var start = 0
    while start <= line.count {
      let end = HTTPHeaderFetches.valueEnd(line, from: start)
      if start > 0 { out.append(0x2C) }
      if let new = substitute(line[start..<end].trimmed, regex, format, context) {
        // The blanks around a value go with it.
        out.append(new)
        isChanged = true
      } else {
        out.append(line[start..<end])
      }
      start = end + 1
    }
    return isChanged ? Bytes(out) : nil
  }

  private static func nameTest(
    _ method: String, _ pattern: Bytes
  ) throws(RuleError) -> @Sendable (Bytes, RuleContext) -> Bool {
    let folded = pattern.lowercased
    switch method {
    case "str": return { name, _ in name == folded }
    case "beg": return { name, _ in name.starts(with: folded) }
    case "end": return { name, _ in name.ends(with: folded) }
    case "sub": return { name, _ in TextSearch.contains(name, folded, folding: false) }
    case "reg":
      let regex = try RegularExpression.compile(pattern, ignoresCase: true)
      return { name, context in regex.matches(name.span, &context.regexScratch) }
    default:
      throw RuleError(
        "unsupported matching method '\(method)'. Supported methods are 'str', 'beg', 'end', 'sub' and 'reg'")
    }
  }
}

enum HeaderText {
  /// RFC 9110, 5.6.2: token.
  static func isName(_ bytes: Bytes) -> Bool {
    if bytes.isEmpty { return false }
    for i in 0..<bytes.count {
      let c = bytes[i]
      guard ASCII.isAlpha(c) || ASCII.isDigit(c) || "!#$%&'*+-.^_`|~".utf8.contains(c) else { return false }
    }
    return true
  }
}
