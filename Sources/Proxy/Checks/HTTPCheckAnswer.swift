import Base
import HTTP

/// The answer to an HTTP check as far as it has come: its head, and what of its body is decoded.
struct HTTPCheckAnswer {
  private(set) var head: MessageHead?
  private(set) var body: [UInt8] = []
  private(set) var isComplete = false
  private(set) var isInvalid = false
  private let method: Bytes
  private var framing = BodyFraming.none
  /// Octets of the input that are used up.
  private var position = 0
  private var decoder = ChunkedDecoder()

  private let offersUpgrade: Bool

  init(method: Bytes, offersUpgrade: Bool = false) {
    self.method = method
    self.offersUpgrade = offersUpgrade
  }

  /// Looks at all that has come on the connection so far: each time the same octets and more behind them.
  mutating func read(_ input: borrowing Span<UInt8>, hasEnded: Bool) {
    if isComplete || isInvalid { return }
    while head == nil, !isInvalid {
      guard readHead(input.extracting(position..<input.count)) else { break }
    }
    if head != nil { readBody(input) }
    if hasEnded { finish() }
  }

  /// False when the head is not there yet.
  private mutating func readHead(_ rest: borrowing Span<UInt8>) -> Bool {
    let candidate = MessageHead()
    var parser = H1ResponseParser()
    switch parser.parse(
      rest, into: candidate, limits: H1Limits(), answering: AnsweredMethod(method), upgradeOffered: offersUpgrade)
    {
    case .incomplete: return false
    case .invalid:
      isInvalid = true
      return true
    case .complete(let info):
      position += info.consumed
      if info.isInterim { return true }
      head = candidate
      framing = info.framing
      if framing == .none { isComplete = true }
      return true
    }
  }

  private mutating func readBody(_ input: borrowing Span<UInt8>) {
    switch framing {
    case .none: isComplete = true
    case .length(let length):
      let wanted = Int(clamping: length)
      let n = Swift.min(wanted - body.count, input.count - position)
      take(input, n)
      if body.count >= wanted { isComplete = true }
    case .chunked: readChunks(input)
    case .untilClose, .tunnel: take(input, input.count - position)
    }
  }

  private mutating func take(_ input: borrowing Span<UInt8>, _ n: Int) {
    guard n > 0 else { return }
    body.append(copying: input.extracting(position..<(position + n)))
    position += n
  }

  private mutating func readChunks(_ input: borrowing Span<UInt8>) {
    while position <= input.count {
      switch decoder.next(input.extracting(position..<input.count)) {
      case .data(let range):
        let start = position + range.lowerBound
        body.append(copying: input.extracting(start..<(start + range.count)))
        position += range.upperBound
      case .needMore(let consumed):
        position += consumed
        return
      case .end(let consumed):
        position += consumed
        isComplete = true
        return
      case .invalid:
        isInvalid = true
        return
      }
    }
  }

  private mutating func finish() {
    if head == nil { isInvalid = true }
    isComplete = true
  }

  /// The elements of a comma-separated value, without the blanks around them.
  static func elements(_ value: Bytes) -> [Bytes] {
    var result: [Bytes] = []
    var start = 0
    var isQuoted = false
    for i in 0..<value.count {
      if value[i] == 0x22 { isQuoted.toggle() }
      if value[i] == 0x2C, !isQuoted {
        result.append(value[start..<i].trimmed)
        start = i + 1
      }
    }
    result.append(value[start..<value.count].trimmed)
    return result
  }
}
