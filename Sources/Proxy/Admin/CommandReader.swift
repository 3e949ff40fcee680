import Base

/// Cuts what a client of a stats socket sends into commands.
///
/// A request is one line; `;` separates its commands and a backslash takes the meaning from the next octet. A line
/// that ends in `<<`, or in `<<` and a word, is followed by lines of payload up to an empty one, or up to
/// that word. Lines and payloads are bounded.
struct CommandReader {
  enum Item: Equatable {
    /// The commands of one line; the payload belongs to the last of them.
    case request([Bytes], payload: Bytes?)
    case needMore
    case tooLong
  }

  static let longestLine = 16 * 1024
  static let longestPayload = 64 * 1024

  private var waiting: [UInt8] = []
  private var start = 0
  private var payload: [UInt8]?
  private var commands: [Bytes] = []
  private var terminator = Bytes.empty

  /// Whether lines of payload are awaited.
  var wantsPayload: Bool { payload != nil }

  mutating func feed(_ octets: UnsafeRawBufferPointer) {
    if start > 0 {
      waiting.removeFirst(start)
      start = 0
    }
    waiting.append(contentsOf: octets)
  }

  /// The next request, if it has arrived.
  mutating func next() -> Item {
    while let line = takeLine() {
      if line.count > CommandReader.longestLine { return .tooLong }
      if payload != nil {
        if line == terminator {
          let finished = Bytes(payload ?? [])
          payload = nil
          return .request(commands, payload: finished)
        }
        payload?.append(line)
        payload?.append(ASCII.lf)
        if (payload?.count ?? 0) > CommandReader.longestPayload { return .tooLong }
        continue
      }
      commands = CommandReader.split(line)
      guard let last = commands.last, let (command, word) = CommandReader.payloadMark(last) else {
        return .request(commands, payload: nil)
      }
      commands[commands.count - 1] = command
      terminator = word
      payload = []
    }
    return waiting.count - start > CommandReader.longestLine ? .tooLong : .needMore
  }

  /// All octets that no request was made of yet; the reader forgets them.
  mutating func takeRest() -> [UInt8] {
    defer { (waiting, start) = ([], 0) }
    return Array(waiting[start...])
  }

  private mutating func takeLine() -> Bytes? {
    guard let end = waiting[start...].firstIndex(of: ASCII.lf) else { return nil }
    var stop = end
    if stop > start, waiting[stop - 1] == ASCII.cr { stop -= 1 }
    let line = Bytes(Array(waiting[start..<stop]))
    start = end + 1
    return line
  }

  /// Splits at each `;` that no backslash precedes.
  static func split(_ line: Bytes) -> [Bytes] {
    var parts: [Bytes] = []
    var low = 0
    var index = 0
    while index < line.count {
      if line[index] == 0x5C {
        index += 1
      } else if line[index] == 0x3B {
        parts.append(line[low..<index])
        low = index + 1
      }
      index += 1
    }
    parts.append(line.dropFirst(low))
    return parts
  }

  /// A command that ends in `<<` or `<<WORD`: without that, and the word.
  static func payloadMark(_ command: Bytes) -> (Bytes, Bytes)? {
    let text = command.trimmed
    var index = text.count - 1
    while index > 0, !ASCII.isBlank(text[index]) { index -= 1 }
    let word = text.dropFirst(index == 0 ? 0 : index + 1)
    guard word.count >= 2, word[0] == 0x3C, word[1] == 0x3C else { return nil }
    return (text[0..<(text.count - word.count)], word.dropFirst(2))
  }

  /// The words of a command, without the backslashes; at most 64.
  static func words(of command: Bytes) -> [String] {
    var words: [String] = []
    var word: [UInt8] = []
    var isInside = false
    var index = 0
    while index < command.count {
      let octet = command[index]
      if ASCII.isBlank(octet) {
        if isInside, words.count < 64 { words.append(String(decoding: word, as: UTF8.self)) }
        word.removeAll(keepingCapacity: true)
        isInside = false
      } else {
        isInside = true
        if octet == 0x5C, index + 1 < command.count {
          index += 1
          word.append(command[index])
        } else {
          word.append(octet)
        }
      }
      index += 1
    }
    if isInside, words.count < 64 { words.append(String(decoding: word, as: UTF8.self)) }
    return words
  }
}
