/// Why a server's state changes, for the log.
enum StateCause: Sendable {
  /// It follows another server, or the message says it all.
  case none
  case check, agent
  /// `set server ... health` and `agent`.
  case commandLine
  case statisticsPage
  case stateFile
  /// The stats page's `Disable` and `Stop`.
  case disabledOnPage, stoppedOnPage
  /// Its name does not resolve; why, in HAProxy's words.
  case unresolved(String)

  /// What a change of operation appends to its message.
  var operationText: String {
    switch self {
    case .commandLine: "changed from CLI"
    case .statisticsPage: "changed from Web interface"
    case .stateFile: "changed from server-state after a reload"
    case .none, .check, .agent, .disabledOnPage, .stoppedOnPage, .unresolved: ""
    }
  }

  /// What a change of administration appends to its message.
  var administrationText: String {
    switch self {
    case .disabledOnPage: "'disable' on stats page"
    case .stoppedOnPage: "'stop' on stats page"
    case .unresolved(let reason): reason
    default: ""
    }
  }
}
