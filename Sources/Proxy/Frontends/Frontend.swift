import Base
import Config
import Rules
import Synchronization

/// A frontend (or the frontend half of a listen section) as all workers share it.
final class Frontend: Sendable {
  let settings: ProxySettings
  let id: Int
  let rules: CompiledProxy
  let forwardFor: ForwardedAddress?
  let originalTo: ForwardedAddress?
  let counters: Counters
  let sessions = Gauge()
  let connectionRate = Rate()
  let sessionRate = Rate()
  let requestRate = Rate()
  let invalidRequest = ErrorCapture()
  let log: LogTargets
  let logFormats: LogFormats
  /// `log-steps`: the lines in the middle of streams; empty without it.
  let logSteps: LogSteps
  /// Whether streams are logged at their end.
  let logsEnd: Bool
  /// `maxconn`, or the process's.
  let maxConnections: Int
  /// `default_backend`, or the listen section's own half.
  let defaultBackend: Backend?
  /// The backend half of the same listen section.
  let ownBackend: Backend?
  let isHTTP: Bool
  let nameBytes: Bytes
  let facts: ProxyFacts
  /// Stopped by the administrator or a soft stop.
  let isPaused = Atomic<Bool>(false)
  /// `shutdown frontend`: it will not accept again.
  let isShutDown = Atomic<Bool>(false)
  /// `set maxconn frontend`; 0 leaves `maxConnections` in force.
  let administratorLimit = Atomic<Int>(0)

  init(
    settings: ProxySettings, id: Int, rules: CompiledProxy, workers: Int, log: LogTargets,
    logFormats: LogFormats, maxConnections: Int, defaultBackend: Backend?, ownBackend: Backend?
  ) {
    self.settings = settings
    self.id = id
    self.rules = rules
    forwardFor = ForwardedAddress(settings.forwardFor)
    originalTo = ForwardedAddress(settings.originalTo)
    self.log = log
    self.logFormats = logFormats
    logSteps = settings.logSteps ?? []
    logsEnd = settings.logSteps?.contains(.close) ?? true
    self.maxConnections = maxConnections
    self.defaultBackend = defaultBackend
    self.ownBackend = ownBackend
    counters = Counters(workers: workers)
    isHTTP = settings.mode == .http
    nameBytes = Bytes(settings.name)
    facts = ProxyFacts(settings, id: id, defaultBackend: defaultBackend?.name)
  }

  var name: String { settings.name }
}

/// The compiled log formats of a frontend; nil where the default applies.
struct LogFormats: Sendable {
  /// What a finished stream is logged with.
  var stream: LogFormat
  /// `error-log-format`: connections that never became a stream.
  var error: LogFormat?
  var structuredData: LogFormat?
}
