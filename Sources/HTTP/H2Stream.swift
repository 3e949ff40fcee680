import Base

/// One request and its response on an HTTP/2 connection, from its HEADERS to its close: what its peer may still send.
final class H2Stream {
  enum State {
    /// The peer's head is on its way; before that of a response, interim ones.
    case head
    /// The head announces an empty body, and is handed over when the end has come.
    case held
    case body
    case ended
    /// What came broke the rules; nothing more of it is passed on.
    case refused
  }

  var id: Int32
  var state = State.head
  /// Who is told what happens to the stream; nil before the head of a request was handed over, and once it is closed.
  var owner: (any H2StreamOwner)?
  /// Neighbours in the session's list of open streams.
  var next: H2Stream?
  unowned(unsafe) var previous: H2Stream?

  /// What our request asked for.
  let answered: AnsweredMethod
  /// Interim heads so far.
  var interims = 0
  /// The content of a head that is `held`.
  var held: (head: MessageHead, info: H1MessageInfo)?
  /// Body octets that the head announced, and those that came.
  private var announced: UInt64?
  private var received: UInt64 = 0
  /// Body octets delivered and not yet said to be consumed, where they hold the connection's window too.
  var unconsumed = 0
  /// What we send is complete, or will be with what the library has of it.
  var isAnswered = false

  /// 1xx heads of one response.
  static let interimBound = 16

  init(id: Int32 = 0, owner: (any H2StreamOwner)? = nil, answered: AnsweredMethod = .other) {
    self.id = id
    self.owner = owner
    self.answered = answered
  }

  /// Notes what body a head lets follow.
  func expectBody(_ info: H1MessageInfo) {
    switch info.framing {
    case .none: announced = info.isExtendedConnect ? nil : 0
    case .length(let n): announced = n
    case .chunked, .untilClose, .tunnel: announced = nil
    }
  }

  /// Counts body octets; false when there are more than were announced.
  func bodyArrived(_ n: Int) -> Bool {
    received &+= UInt64(n)
    return announced.map { received <= $0 } ?? true
  }

  /// Whether as many octets came as were announced.
  var bodyIsWhole: Bool { announced.map { received == $0 } ?? true }
}
