import Base
import Config
import HTTP
import NetIO
import Rules

/// The parts of a stream that are costly to make: one worker's pool hands them from stream to stream.
final class StreamStorage: TimerOwner {
  /// The stream's deadlines. It belongs to the storage so that it stays in the wheel from stream to stream.
  let timer = Timer()
  /// Who uses the storage now.
  var stream: Stream?
  let request = MessageHead()
  let response = MessageHead()
  let context: RuleContext

  // What only some streams need.
  var tarpitReply: LocalReply?
  var wantedBody = 0
  var phaseAfterBody = Stream.Phase.assignServer
  var phaseAfterName = Stream.Phase.evaluateFrontendRules
  /// The `tcp-request content` rule to go on with, in HTTP mode.
  var contentRuleIndex = 0
  /// `option http-buffer-request` was obeyed.
  var requestWasBuffered = false
  var sentContinue = false
  var isTunnel = false
  var clientHalfClosed = false
  var serverHalfClosed = false
  var localReplyCloses = false
  var wasLogged = false
  /// What came was no request: the line is that of an error.
  var failsEarly = false
  var mustOpenNew = false
  /// What came is not a request: no rules for it.
  var isMalformed = false
  var requestIsCut = false
  /// The stream before was one of TCP mode, whose content rules have run; and the backend that it chose.
  var wasSwitched = false
  var switchedBackend: Backend?
  /// The question to the other workers, once it was asked.
  var takeover: Takeover?
  /// A connection that another stream opens and that this one will share.
  var opener: ServerConnection?
  /// What of a response's body its rules waited for; nil when they did not.
  var heldResponse: HeldResponse?
  var dropsBody = false
  /// What a 101 must answer, when the request offers WebSocket.
  var handshake: WebSocketHandshake?
  /// What compression and caching keep; nil while neither is wanted.
  var filters: StreamFilters?
  /// `tcp-response content` of TCP mode: which rule set is at hand, and which of its rules; nil when all have run.
  var responseInspection: (set: Int, rule: Int)? = (0, 0)
  /// The value of the persistence cookie that the client sent, and how it was judged.
  var persistence = Persistence()
  /// Keys that `stick` lines found, to be stored with the server that answers.
  var stores = StickStores()
  /// What of the stream's octets tracked counters know already.
  var countedOctets = (received: 0, sent: 0)
  /// What `option contstats` has added to counters already.
  var addedOctets = (received: 0, sent: 0)
  var hasMatchedSticks = false
  var hasStoredSticks = false
  /// What the server's end was when the stream let go of it, where expressions ask.
  var lastServerEndpoint: EndpointFacts?
  /// Zero unless expressions ask.
  var measuredEffort = StreamEffort()

  /// Its references are not counted, since every step of a request passes it or one of its parts on.
  let isPermanent: Bool

  init(worker: Worker, facts: ConnectionFacts, isPermanent: Bool = false) {
    self.isPermanent = isPermanent
    context = RuleContext(connection: facts, environment: worker.environment, now: worker.loop.now)
    context.statusClasses = worker.runtime.rules.statusClasses
    context.processVariables = worker.runtime.rules.processVariables
    context.keeper = self
    context.requestRoom.bufferSize = worker.runtime.global.bufferSize
    context.requestRoom.reserve = worker.runtime.global.maxRewrite
    context.responseRoom = context.requestRoom
    if isPermanent {
      let parts: [AnyObject] = [self, timer, request, response, context]
      for part in parts { Permanent.mark(part) }
    }
  }

  func timerFired(_ timer: Timer) { stream?.deadlinesReached() }

  /// Empties everything; `facts` is what the context points to until the next use.
  func reset(_ facts: ConnectionFacts) {
    stream = nil
    // The context first: what it points to in the heads would make them give up their memory.
    context.reset()
    context.connection = facts
    request.reset()
    response.reset()
    tarpitReply = nil
    wantedBody = 0
    contentRuleIndex = 0
    requestWasBuffered = false
    sentContinue = false
    isTunnel = false
    clientHalfClosed = false
    serverHalfClosed = false
    localReplyCloses = false
    wasLogged = false
    failsEarly = false
    mustOpenNew = false
    isMalformed = false
    requestIsCut = false
    wasSwitched = false
    if switchedBackend != nil { switchedBackend = nil }
    if takeover != nil { takeover = nil }
    if opener != nil { opener = nil }
    dropsBody = false
    if handshake != nil { handshake = nil }
    responseInspection = (0, 0)
    if let filters {
      filters.end()
      self.filters = nil
    }
    if heldResponse != nil { heldResponse = nil }
    if persistence.server != nil || persistence.request != .notApplicable || persistence.response != .notApplicable {
      persistence = Persistence()
    }
    stores.removeAll()
    countedOctets = (0, 0)
    addedOctets = (0, 0)
    hasMatchedSticks = false
    hasStoredSticks = false
    if lastServerEndpoint != nil { lastServerEndpoint = nil }
    if measuredEffort.calls > 0 { measuredEffort = StreamEffort() }
  }
}

/// What the persistence cookie said; the third letter of the termination state, and what the response does.
struct Persistence {
  enum Request: UInt8 {
    case none = 0x4E  // N
    case invalid = 0x49  // I
    case down = 0x44  // D
    case valid = 0x56  // V
    case expired = 0x45  // E
    case old = 0x4F  // O
    case unused = 0x55  // U
    case notApplicable = 0x2D
  }
  enum Response: UInt8 {
    case none = 0x4E  // N
    case inserted = 0x49  // I
    case updated = 0x55  // U
    case deleted = 0x44  // D
    case rewritten = 0x52  // R
    case provided = 0x50  // P
    case notApplicable = 0x2D
  }
  var request = Request.notApplicable
  var response = Response.notApplicable
  /// The dates of the cookie, in seconds since 1970; 0 without one.
  var lastSeen: Int64 = 0
  var firstSeen: Int64 = 0
  /// The server that the cookie named, if it was taken.
  var server: Server?
}
