import Base

/// What a health or agent check found out, with HAProxy's names for it.
///
/// The order matters: from `passedLayer7` on there is a code to tell, and an agent's word counts.
enum CheckStatus: Int, Comparable, Sendable {
  case unknown, initializing
  case noChange
  /// Live traffic failed (`observe`).
  case observed
  case socketError
  case passedLayer4, timeoutLayer4, failedLayer4
  case passedLayer6, timeoutLayer6, failedLayer6
  case timeoutLayer7, invalidLayer7
  case passedLayer7, conditionallyPassedLayer7, wrongStatusLayer7
  case externalError, externalTimeout, externalPassed

  enum Result: Sendable { case unknown, neutral, failed, passed, conditionallyPassed }

  static func < (a: CheckStatus, b: CheckStatus) -> Bool { a.rawValue < b.rawValue }

  /// As in `show stat`'s `check_status`.
  var name: String {
    switch self {
    case .unknown: "UNK"
    case .initializing: "INI"
    case .noChange: "CHECKED"
    case .observed: "HANA"
    case .socketError: "SOCKERR"
    case .passedLayer4: "L4OK"
    case .timeoutLayer4: "L4TOUT"
    case .failedLayer4: "L4CON"
    case .passedLayer6: "L6OK"
    case .timeoutLayer6: "L6TOUT"
    case .failedLayer6: "L6RSP"
    case .timeoutLayer7: "L7TOUT"
    case .invalidLayer7: "L7RSP"
    case .passedLayer7: "L7OK"
    case .conditionallyPassedLayer7: "L7OKC"
    case .wrongStatusLayer7: "L7STS"
    case .externalError: "PROCERR"
    case .externalTimeout: "PROCTOUT"
    case .externalPassed: "PROCOK"
    }
  }

  /// As in logs and in `show stat`'s `check_desc`.
  var description: String {
    switch self {
    case .unknown: "Unknown"
    case .initializing: "Initializing"
    case .noChange: "No status change"
    case .observed: "Health analyze"
    case .socketError: "Socket error"
    case .passedLayer4: "Layer4 check passed"
    case .timeoutLayer4: "Layer4 timeout"
    case .failedLayer4: "Layer4 connection problem"
    case .passedLayer6: "Layer6 check passed"
    case .timeoutLayer6: "Layer6 timeout"
    case .failedLayer6: "Layer6 invalid response"
    case .timeoutLayer7: "Layer7 timeout"
    case .invalidLayer7: "Layer7 invalid response"
    case .passedLayer7: "Layer7 check passed"
    case .conditionallyPassedLayer7: "Layer7 check conditionally passed"
    case .wrongStatusLayer7: "Layer7 wrong status"
    case .externalError: "External check error"
    case .externalTimeout: "External check timeout"
    case .externalPassed: "External check passed"
    }
  }

  var result: Result {
    switch self {
    case .unknown, .initializing: .unknown
    case .noChange: .neutral
    case .passedLayer4, .passedLayer6, .passedLayer7, .externalPassed: .passed
    case .conditionallyPassedLayer7: .conditionallyPassed
    case .observed, .socketError, .timeoutLayer4, .failedLayer4, .timeoutLayer6, .failedLayer6,
      .timeoutLayer7,
      .invalidLayer7, .wrongStatusLayer7, .externalError, .externalTimeout:
      .failed
    }
  }

  var hasCode: Bool { self >= .passedLayer7 }

  /// The names that `ok-status`, `error-status` and `tout-status` take.
  init?(name: String) {
    switch name {
    case "L4OK": self = .passedLayer4
    case "L4TOUT": self = .timeoutLayer4
    case "L4CON": self = .failedLayer4
    case "L6OK": self = .passedLayer6
    case "L6TOUT": self = .timeoutLayer6
    case "L6RSP": self = .failedLayer6
    case "L7TOUT": self = .timeoutLayer7
    case "L7RSP": self = .invalidLayer7
    case "L7OK": self = .passedLayer7
    case "L7OKC": self = .conditionallyPassedLayer7
    case "L7STS": self = .wrongStatusLayer7
    default: return nil
    }
  }
}

/// How one check ended.
struct CheckOutcome: Sendable {
  var status: CheckStatus
  /// The layer's code: an HTTP status, an exit status; told only when `status.hasCode`.
  var code = 0
  /// What is known beyond the status, at most 127 octets as in HAProxy.
  var text = Bytes.empty
  /// nil for what live traffic found.
  var duration: Timespan? = .zero

  init(_ status: CheckStatus, code: Int = 0, text: Bytes = .empty, duration: Timespan? = .zero) {
    self.status = status
    self.code = code
    self.text = text
    self.duration = duration
  }
}

/// The outcome of the last check, as `show stat` tells it.
struct CheckReport: Sendable {
  /// `.unknown` when there is no such check, `.initializing` before the first has ended.
  var status = CheckStatus.unknown
  var code = 0
  var duration: Timespan?
  /// `last_chk`.
  var text = Bytes.empty
  /// A check runs now: `show stat` then puts `* ` before the status.
  var isRunning = false
}
