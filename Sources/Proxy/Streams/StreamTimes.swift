import Base

/// When a stream passed its milestones; what the timers of the log are computed from.
struct StreamTimes {
  /// The connection was accepted.
  var accepted: Instant
  /// PROXY header and TLS handshake were done.
  var handshakeDone: Instant
  /// The end of the previous request on the connection, or of the handshake.
  var idleSince: Instant
  /// The first octet of the request.
  var began: Instant
  var requestComplete = Instant.never
  var serverAssigned = Instant.never
  var connected = Instant.never
  var responseHead = Instant.never

  init(accepted: Instant, handshakeDone: Instant, idleSince: Instant, began: Instant) {
    self.accepted = accepted
    self.handshakeDone = handshakeDone
    self.idleSince = idleSince
    self.began = began
  }
}

/// Why and where a stream ended: the first two letters of HAProxy's termination state.
struct Termination {
  enum Cause: UInt8 {
    case none = 0x2D  // -
    case client = 0x43  // C
    case server = 0x53  // S
    case proxy = 0x50  // P
    case local = 0x4C  // L
    case resource = 0x52  // R
    case internalError = 0x49  // I
    case down = 0x44  // D
    case killed = 0x4B  // K
    case backupNotNeeded = 0x55  // U
    case clientTimeout = 0x63  // c
    case serverTimeout = 0x73  // s
  }
  enum State: UInt8 {
    case none = 0x2D
    case request = 0x52  // R
    case queue = 0x51  // Q
    case connect = 0x43  // C
    case headers = 0x48  // H
    case data = 0x44  // D
    case last = 0x4C  // L
    case tarpit = 0x54  // T
  }
  var cause = Cause.none
  var state = State.none
}
