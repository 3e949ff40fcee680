import Base
import Glibc
import HTTP
import NetIO
import Rules

/// A check that is over, with what is to be told.
struct CheckFailure: Error {
  var status: CheckStatus
  var message: Bytes
  var code = 0

  init(_ status: CheckStatus, message: Bytes, code: Int = 0) {
    self.status = status
    self.message = message
    self.code = code
  }

  var outcome: CheckOutcome { CheckOutcome(status, code: code, text: message) }
}

/// How a connection was lost or never came.
struct CheckConnectionFailure {
  enum Layer { case noConnection, connecting, handshaking, established }
  var layer: Layer
  /// An errno's text or OpenSSL's; empty when there is none.
  var text = ""
  var isTimeout = false
}

extension CheckConnectionFailure {
  /// An errno in HAProxy's words: what the connection layer calls it, then the system's text.
  static func text(errno code: Int32, isImmediate: Bool = false) -> String {
    let name: String? =
      switch code {
      case ECONNREFUSED: "ECONNREFUSED"
      case ECONNRESET: "ECONNRESET"
      case EPIPE: "EPIPE"
      case ENETUNREACH where !isImmediate: "ENETUNREACH"
      default: nil
      }
    let system = describe(errno: code)
    if let name { return "\(name) returned by OS (\(system))" }
    return isImmediate ? "General socket error (\(system))" : system
  }
}

extension CheckConversation {
  // MARK: Success

  /// What is told when all steps are done.
  mutating func success() -> CheckOutcome {
    guard let last = rules.steps.last(where: { if case .variable = $0.action { false } else { true } }) else {
      return CheckOutcome(.passedLayer7, text: "(tcp-check)")
    }
    switch last.action {
    case .connect(let connection):
      let text: Bytes = connection.isImplicit ? .empty : "(tcp-check)"
      return CheckOutcome(isTLSNow ? .passedLayer6 : .passedLayer4, text: text)
    case .expect(let expectation):
      if rules.disablesOn404, !isStopped, code == 404 {
        return CheckOutcome(.conditionallyPassedLayer7, code: code)
      }
      var text = Bytes.empty
      if let format = expectation.onSuccess, let context {
        text = Bytes(format.rendered(context))
      } else if rules.kind == .tcp {
        text = "(tcp-check)"
      }
      noteCode(expectation)
      let status = expectation.passedStatus.flatMap(CheckStatus.init(name:)) ?? .passedLayer7
      return CheckOutcome(status, code: code, text: text)
    default: return CheckOutcome(.passedLayer7, text: "(tcp-check)")
    }
  }

  // MARK: Failure

  /// Why an expectation of octets was not met.
  mutating func failureText(_ expectation: CheckExpectation, _ step: CheckStep, matched: Bool) -> Bytes {
    var text: [UInt8] = []
    if let format = expectation.onError, let context {
      text = format.rendered(context)
    } else if !hasInput {
      text = Array("TCPCHK got an empty response at step \(step.number)".utf8)
    } else if rules.kind == .tcp || rules.kind == .http {
      text = Array((matched ? "TCPCHK matched unwanted content" : "TCPCHK did not match content").utf8)
      switch expectation.pattern {
      case .string(let wanted):
        text += Array(" '".utf8) + wanted.array + Array("'".utf8)
      case .binary: text += Array(" (binary)".utf8)
      case .regex, .statusRegex: text += Array(" (regex)".utf8)
      case .binaryRegex: text += Array(" (binary regex)".utf8)
      case .format: text += Array(" (log-format string)".utf8)
      case .binaryFormat: text += Array(" (log-format binary)".utf8)
      case .status: text += Array("(status codes)".utf8)
      case .header: text += Array(" (header pattern)".utf8)
      case .custom: text += Array(" (custom function)".utf8)
      }
      text += Array(" at step \(step.number)".utf8)
    }
    noteCode(expectation)
    return withComment(Bytes(text), step)
  }

  /// `on-error` if there is one, or the usual text.
  mutating func text(_ expectation: CheckExpectation, _ step: CheckStep, usual: Bytes) -> Bytes {
    var text = usual
    if let format = expectation.onError, let context { text = Bytes(format.rendered(context)) }
    if text.isEmpty { return failureText(expectation, step, matched: expectation.isNegated) }
    noteCode(expectation)
    return withComment(text, step)
  }

  func emptyText(_ step: CheckStep) -> Bytes {
    withComment(Bytes("TCPCHK got an empty response at step \(step.number)"), step)
  }

  func withComment(_ text: Bytes, _ step: CheckStep) -> Bytes {
    step.comment.isEmpty ? text : Bytes(text.array + Array(" comment: ".utf8) + step.comment.array)
  }

  /// `status-code`.
  private mutating func noteCode(_ expectation: CheckExpectation) {
    guard let expression = expectation.statusCode, let context, let text = expression.evaluateText(context)
    else {
      return
    }
    code = Int(text.string.prefix { $0.isNumber }) ?? code
  }

  // MARK: Connections

  /// The connection failed, or the time is over.
  func connectionFailed(_ failure: CheckConnectionFailure) -> CheckOutcome {
    let text = Bytes(failure.text + place())
    switch failure.layer {
    case .noConnection: return CheckOutcome(.socketError, text: text)
    case .connecting: return CheckOutcome(failure.isTimeout ? .timeoutLayer4 : .failedLayer4, text: text)
    case .handshaking: return CheckOutcome(failure.isTimeout ? .timeoutLayer6 : .failedLayer6, text: text)
    case .established:
      guard failure.isTimeout else { return CheckOutcome(.socketError, text: text) }
      if case .expect(let expectation)? = currentStep?.action, let name = expectation.timeoutStatus,
        let status = CheckStatus(name: name)
      {
        return CheckOutcome(status, text: text)
      }
      return CheckOutcome(.timeoutLayer7, text: text)
    }
  }

  /// Which step it was, for `option tcp-check`.
  private func place() -> String {
    guard rules.kind == .tcp, let step = currentStep else { return "" }
    if step.number == 0 { return " at initial connection step of tcp-check" }
    var text = " at step \(step.number) of tcp-check"
    switch step.action {
    case .connect(let connection): text += connection.port.map { " (connect port \($0))" } ?? " (connect)"
    case .send: text += " (send)"
    case .expect(let expectation): text += CheckConversation.describe(expectation.pattern)
    case .variable: break
    }
    return step.comment.isEmpty ? text : text + " comment: '\(step.comment.string)'"
  }

  private static func describe(_ pattern: CheckExpectation.Pattern) -> String {
    switch pattern {
    case .string(let text): " (expect string '\(text.string)')"
    case .binary(let octets):
      " (expect binary '\(String(decoding: HexDigits.text(octets.span), as: UTF8.self))')"
    case .regex: " (expect regex)"
    case .binaryRegex: " (expect binary regex)"
    case .format: " (expect log-format string)"
    case .binaryFormat: " (expect log-format binary)"
    case .status: " (expect HTTP status codes)"
    case .statusRegex: " (expect HTTP status regex)"
    case .header: " (expect HTTP header pattern)"
    case .custom: " (expect custom function)"
    }
  }
}
