import Base
import Config

/// `do-log`: a line in the middle of a stream, beside those that are written anyway.
enum LogActions {
  static let table: [ActionEntry] = [
    ActionEntry("do-log", [.tcp, .http], "[profile <name>]") { parser throws(RuleError) in
      var profile: LogProfile?
      if parser.accept("profile") {
        let name = try parser.need("the name of a 'log-profile' section")
        profile = parser.scope.shared.logProfiles[name.text]
        if profile == nil {
          throw RuleError(
            "unknown log-profile '\(name.text)'",
            suggestion: Suggestions.nearest(name.text, Array(parser.scope.shared.logProfiles.keys)))
        }
      }
      let origin = origin(of: parser.place)
      return { [profile] context in
        context.environment.log(context, origin, profile)
        return nil
      }
    }
  ]

  private static func origin(of place: RulePlaces) -> LogOrigin {
    switch place {
    case .tcpConnection: .tcpConnection
    case .tcpSession: .tcpSession
    case .tcpContent: .tcpContent
    case .tcpResponse: .tcpResponse
    case .httpRequest: .httpRequest
    case .httpResponse: .httpResponse
    default: .httpAfterResponse
    }
  }
}
