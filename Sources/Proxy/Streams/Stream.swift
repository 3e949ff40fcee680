import Base
import Config
import HTTP
import NetIO
import Rules

/// The life of one request, or of one TCP connection, from its first rule to its log line.
///
/// `advance()` runs the current phase until it must wait; each phase is a method in a file of its own that
/// returns what comes next. Whatever happens on either side ends in a call to `advance()`: phases look at
/// the state of both ends and never at events, so none can be missed or come twice.
///
///     inspectContent > evaluateFrontendRules > selectBackend > evaluateBackendRules > assignServer
///       > (waitInQueue) > connect > exchange > finish
///
/// Any phase may answer by itself: it calls `answer`, and the reply is the rest of the stream.
final class Stream {
  enum Phase {
    case inspectContent
    case evaluateFrontendRules
    case selectBackend
    case evaluateBackendRules
    case waitForBody
    case waitForName
    case pause
    case assignServer
    case waitInQueue
    case connect
    case waitBeforeRetry
    case exchange
    case tarpit
    case reply
    case finished
  }

  /// What a phase came to.
  enum Step {
    /// Run the phase that is current now.
    case proceed
    /// Nothing to do until something happens.
    case wait
  }

  let worker: Worker
  let frontend: Frontend
  let client: any ClientEndpoint
  /// Heads and rule context, borrowed from the worker for the stream's life.
  let storage: StreamStorage
  let isHTTP: Bool
  var phase: Phase
  var times: StreamTimes
  var termination = Termination()

  // Request.
  var requestInfo = H1MessageInfo()
  var ruleIndex = 0
  var requestIsComplete = false
  /// Body octets taken early for rules that look at the body; sent before the rest.
  var earlyBody: ByteBuffer?

  // Server side.
  var backend: Backend?
  var server: Server?
  var serverEnd: ServerEndpoint?
  var pending: PendingSession?
  /// Whether a slot of `server` is held.
  var holdsSlot = false
  var attempts = 0
  var redispatched = false
  var avoidedServer: Server?
  /// The server was chosen by cookie, rule or persistence and may not be exchanged without `redispatch`.
  var serverIsForced = false
  var responseState = ResponseState.awaitingHead
  var responseInfo = H1MessageInfo()
  var requestSent = false
  var requestBodyStarted = false
  var responseStarted = false
  var serverKeepAlive = true
  var replyBody: MemoryBody?
  /// The request was one of the monitor's: not logged.
  var isSilent = false

  // Deadlines; `.distantFuture` while not wanted.
  var clientDeadline = Instant.distantFuture
  var serverDeadline = Instant.distantFuture
  var phaseDeadline = Instant.distantFuture
  /// The place in the worker's list of streams.
  var listPosition = 0
  private var isAdvancing = false
  private var mustAdvanceAgain = false

  enum ResponseState {
    case awaitingHead
    /// `http-response wait-for-body`: the rules wait for more of the body.
    case holding
    case body, complete
  }

  init(
    worker: Worker, frontend: Frontend, client: any ClientEndpoint, storage: StreamStorage, times: StreamTimes,
    isHTTP: Bool = true
  ) {
    self.worker = worker
    self.frontend = frontend
    self.client = client
    self.storage = storage
    self.times = times
    self.isHTTP = isHTTP
    storage.context.isHTTPStream = isHTTP
    phase = isHTTP ? .evaluateFrontendRules : .inspectContent
    storage.stream = self
    worker.streamStarted(self)
  }

  var context: RuleContext { storage.context }
  var request: MessageHead { storage.request }
  var response: MessageHead { storage.response }
  var now: Instant { worker.loop.now.instant }

  /// Goes on until the current phase waits for somebody. Safe to call at any time, also from within.
  func advance() {
    if isAdvancing {
      mustAdvanceAgain = true
      return
    }
    isAdvancing = true
    context.now = worker.loop.now
    let effort = worker.runtime.costlyFacts.contains(.effort) ? beginEffort() : 0
    repeat {
      mustAdvanceAgain = false
      while phase != .finished, perform() == .proceed {}
    } while mustAdvanceAgain && phase != .finished
    isAdvancing = false
    if phase == .finished { return }
    if effort != 0 { endEffort(since: effort) }
    clientSink.flushBody()
    if let serverEnd { serverSink(serverEnd).flushBody() }
    if frontend.settings.contStats { countContinuously() }
    setTimer()
  }

  private func perform() -> Step {
    switch phase {
    case .inspectContent: inspectContent()
    case .evaluateFrontendRules: evaluateFrontendRules()
    case .selectBackend: selectBackend()
    case .evaluateBackendRules: evaluateBackendRules()
    case .waitForBody: waitForBody()
    case .waitForName, .pause: clientLeft() ? abandon() : .wait
    case .assignServer: assignServer()
    case .waitInQueue: waitInQueue()
    case .connect: connect()
    case .waitBeforeRetry: clientLeft() ? abandon() : .wait
    case .exchange: exchange()
    case .tarpit: clientLeft() ? abandon() : .wait
    case .reply: sendReply()
    case .finished: .wait
    }
  }

  /// Moves to `next`, forgetting the deadline of the phase that ends.
  func enter(_ next: Phase) -> Step {
    phase = next
    phaseDeadline = .distantFuture
    return .proceed
  }

  /// Whether the client is gone, so that nothing done for it matters any more.
  func clientLeft() -> Bool {
    if client.hasFailed { return true }
    return client.hasEnded && (backend?.settings.abortOnClose ?? false)
  }
}
