import Base
import HTTP
import NetIO
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
  /// `option http-buffer-request` was obeyed.
  var requestWasBuffered = false
  var sentContinue = false
  var isTunnel = false
  var clientHalfClosed = false
  var serverHalfClosed = false
  var localReplyCloses = false
  var wasLogged = false
  var mustOpenNew = false
  var dropsBody = false
  // Compression and caching.
  var responseCoding: ContentCoding?
  var requestCoding: ContentCoding?
  var responseFilter: (any BodyFilter)?
  var requestFilter: (any BodyFilter)?
  var responseEndsWithConnection = false
  var cacheKey: Bytes?
  var mayStoreInCache = false
  var cacheStore: (cache: ResponseCache, draft: CacheDraft)?
  /// `tcp-response content` of TCP mode: which rule set is at hand, and which of its rules; nil when all have run.
  var responseInspection: (set: Int, rule: Int)? = (0, 0)
  /// The value of the persistence cookie that the client sent, and how it was judged.
  var persistence = Persistence()

  init(worker: Worker, facts: ConnectionFacts) {
    context = RuleContext(connection: facts, environment: worker.environment, now: worker.loop.now)
    context.processVariables = worker.runtime.rules.processVariables
  }

  func timerFired(_ timer: Timer) { stream?.deadlinesReached() }

  /// Empties everything; `facts` is what the context points to until the next use.
  func reset(_ facts: ConnectionFacts) {
    stream = nil
    request.reset()
    response.reset()
    context.reset()
    context.connection = facts
    tarpitReply = nil
    wantedBody = 0
    requestWasBuffered = false
    sentContinue = false
    isTunnel = false
    clientHalfClosed = false
    serverHalfClosed = false
    localReplyCloses = false
    wasLogged = false
    mustOpenNew = false
    dropsBody = false
    responseInspection = (0, 0)
    resetFilters()
    persistence = Persistence()
  }
}

extension StreamStorage {
  private func resetFilters() {
    responseCoding = nil
    requestCoding = nil
    if responseFilter != nil { responseFilter = nil }
    if requestFilter != nil { requestFilter = nil }
    responseEndsWithConnection = false
    if cacheKey != nil { cacheKey = nil }
    mayStoreInCache = false
    if let (cache, draft) = cacheStore {
      cache.abandon(draft.key)
      cacheStore = nil
    }
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
  /// The server that the cookie named, if it was taken.
  var server: Server?
}
