import Base

/// A syslog message taken apart (RFC 5424 section 6, RFC 3164 section 4); no I/O.
///
/// What is not in one of the two forms is all text, but for the priority in front.
struct SyslogMessage {
  /// nil when the message has none.
  private(set) var facility: Int?
  /// 0...7
  private(set) var level = 5
  private(set) var fields = SyslogFields()
  private(set) var text: Bytes

  /// Without looking: `option dont-parse-log`.
  init(unparsed message: Bytes) { text = message }

  init(_ message: Bytes) {
    text = message
    var cursor = Cursor(message)
    guard let priority = cursor.priority() else { return }
    facility = priority >> 3
    level = priority & 7
    fields.hadPriority = true
    text = cursor.rest
    if text.starts(with: "1 ") {
      cursor.skip(2)
      var parsed = fields
      guard SyslogMessage.modern(&cursor, &parsed) else { return }
      fields = parsed
      text = cursor.rest
    } else if let month = Months.all.firstIndex(where: { text.starts(with: $0) }), month >= 0 {
      var parsed = fields
      guard SyslogMessage.legacy(&cursor, &parsed) else { return }
      fields = parsed
      text = cursor.rest
      cursor.tag(&fields)
      text = cursor.rest
    }
  }

  /// `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA `
  private static func modern(_ cursor: inout Cursor, _ fields: inout SyslogFields) -> Bool {
    guard let time = cursor.word(), time == "-" || isTime(time) else { return false }
    guard let host = cursor.word(), let tag = cursor.word(), let process = cursor.word(),
      let id = cursor.word(), let data = cursor.structuredData()
    else { return false }
    fields.time = time
    fields.hostName = known(host)
    fields.tag = known(tag)
    fields.process = known(process)
    fields.messageID = known(id)
    fields.structuredData = known(data)
    return true
  }

  private static func known(_ field: Bytes) -> Bytes { field == "-" ? .empty : field }

  private static func isTime(_ text: Bytes) -> Bool {
    guard text.count >= SyslogFields.isoLength else { return false }
    let form: Bytes = "0000-00-00T00:00:00"
    for i in 0..<form.count {
      if form[i] == 0x30 ? !ASCII.isDigit(text[i]) : text[i] != form[i] { return false }
    }
    var i = form.count
    if text[i] == 0x2E {
      i += 1
      while i < text.count, ASCII.isDigit(text[i]) { i += 1 }
    }
    guard i < text.count else { return false }
    let zone = text.count - i
    return text[i] == 0x5A ? zone == 1 : (text[i] == 0x2B || text[i] == 0x2D) && zone == 6
  }

  /// `Mmm dd hh:mm:ss HOSTNAME `
  private static func legacy(_ cursor: inout Cursor, _ fields: inout SyslogFields) -> Bool {
    guard let time = cursor.take(SyslogFields.legacyLength), cursor.takeSpace(), let host = cursor.word() else {
      return false
    }
    fields.time = time
    fields.hostName = host
    return true
  }

  private enum Months {
    static let all: [Bytes] = CalendarText.months.map { Bytes($0) }
  }
}

/// Goes through a message; nothing is taken when something is missing.
private struct Cursor {
  private let message: Bytes
  private var position = 0

  init(_ message: Bytes) { self.message = message }

  var rest: Bytes { message.dropFirst(position) }
  mutating func skip(_ n: Int) { position = Swift.min(message.count, position + n) }

  /// `<0>` to `<191>`, and whatever number else stands there, cut to the known facilities.
  mutating func priority() -> Int? {
    guard message.count > 2, message[0] == 0x3C else { return nil }
    var value = 0
    var i = 1
    while i < message.count, i <= 4, ASCII.isDigit(message[i]) {
      value = value * 10 + Int(message[i] - 0x30)
      i += 1
    }
    guard i > 1, i < message.count, message[i] == 0x3E, value < 24 * 8 else { return nil }
    position = i + 1
    return value
  }

  /// Up to the next space, which is taken too; never empty.
  mutating func word() -> Bytes? {
    guard let space = message.firstIndex(of: ASCII.space, from: position), space > position else { return nil }
    defer { position = space + 1 }
    return message[position..<space]
  }

  mutating func take(_ n: Int) -> Bytes? {
    guard message.count - position >= n else { return nil }
    defer { position += n }
    return message[position..<(position + n)]
  }

  mutating func takeSpace() -> Bool {
    guard position < message.count, message[position] == ASCII.space else { return false }
    position += 1
    return true
  }

  /// `-` or elements in brackets, which may hold escaped brackets and spaces; then a space or the end.
  mutating func structuredData() -> Bytes? {
    let start = position
    var i = position
    guard i < message.count else { return nil }
    if message[i] == 0x2D {
      i += 1
    } else {
      while i < message.count, message[i] == 0x5B {
        i += 1
        while i < message.count, message[i] != 0x5D { i += message[i] == 0x5C ? 2 : 1 }
        i += 1
      }
      guard i > start, i <= message.count else { return nil }
    }
    guard i == message.count || message[i] == ASCII.space else { return nil }
    defer { position = Swift.min(message.count, i + 1) }
    return message[start..<i]
  }

  /// `TAG: ` or `TAG[PID]: ` of RFC 3164, if it stands here.
  mutating func tag(_ fields: inout SyslogFields) {
    var end = position
    while end < message.count, message[end] != ASCII.space, message[end] != ASCII.colon { end += 1 }
    guard end + 1 < message.count, end > position, message[end] == ASCII.colon, message[end + 1] == ASCII.space
    else { return }
    let tag = message[position..<end]
    if let open = tag.firstIndex(of: 0x5B), tag.count > open + 1, tag[tag.count - 1] == 0x5D {
      fields.tag = tag.prefix(open)
      fields.process = tag[(open + 1)..<(tag.count - 1)]
    } else {
      fields.tag = tag
    }
    position = end + 2
  }
}

/// Takes the messages out of a stream of octets (RFC 6587); no I/O.
struct SyslogFraming {
  enum Next: Equatable {
    case message(Bytes)
    case needMore
    /// The stream is of no use any more.
    case broken
  }

  /// `option assume-rfc6587-ntf`: messages are lines whatever they begin with.
  let assumesLines: Bool
  /// The longest message.
  let bound: Int
  private var octets: [UInt8] = []
  private var start = 0

  init(assumesLines: Bool, bound: Int) {
    self.assumesLines = assumesLines
    self.bound = bound
  }

  mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if start > 0 {
      octets.removeFirst(start)
      start = 0
    }
    octets.append(contentsOf: bytes)
  }

  mutating func next() -> Next {
    guard start < octets.count else { return .needMore }
    if assumesLines || octets[start] == 0x3C { return line() }
    return (0x31...0x39).contains(octets[start]) ? counted() : .broken
  }

  /// Up to a line feed, with or without a carriage return before it.
  private mutating func line() -> Next {
    var end = start
    while end < octets.count, octets[end] != ASCII.lf {
      end += 1
      if end - start > bound { return .broken }
    }
    guard end < octets.count else { return .needMore }
    var last = end
    if last > start, octets[last - 1] == ASCII.cr { last -= 1 }
    defer { start = end + 1 }
    return .message(Bytes(Array(octets[start..<last])))
  }

  /// `LENGTH SP MESSAGE`
  private mutating func counted() -> Next {
    var length = 0
    var i = start
    while i < octets.count, ASCII.isDigit(octets[i]) {
      length = length * 10 + Int(octets[i] - 0x30)
      if length > bound { return .broken }
      i += 1
    }
    guard i < octets.count else { return .needMore }
    guard octets[i] == ASCII.space else { return .broken }
    guard octets.count - i - 1 >= length else { return .needMore }
    defer { start = i + 1 + length }
    return .message(Bytes(Array(octets[(i + 1)..<(i + 1 + length)])))
  }
}
