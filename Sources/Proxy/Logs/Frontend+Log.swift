import Base
import Config
import Rules

extension Frontend {
  /// Renders the line of a stream or connection and sends it; `text` stands in for the format.
  func writeLog(
    _ context: RuleContext, _ origin: LogOrigin, level: Int, at time: WallTime, profile: LogProfile? = nil,
    text: String? = nil
  ) {
    context.log.origin = origin
    var line: [UInt8] = []
    // The context's memory is borrowed, so that a line allocates nothing.
    swap(&line, &context.logText)
    line.removeAll(keepingCapacity: true)
    if let text {
      line.append(contentsOf: text.utf8)
    } else {
      let isError = origin == .error || origin == .killed
      (isError ? logFormats.error ?? logFormats.stream : logFormats.stream).render(context, into: &line)
    }
    var structured: [UInt8] = []
    logFormats.structuredData?.render(context, into: &structured)
    log.send(
      level: level, line, at: time, structuredData: structured,
      about: LogTargets.Subject(context: context, origin: origin, profile: profile))
    swap(&line, &context.logText)
  }
}

extension RuleContext {
  /// Names a connection that is no stream yet in `log`.
  func noteConnection(_ frontend: Frontend) {
    log.frontendName = frontend.nameBytes
    log.backendName = frontend.nameBytes
    log.frontendIsTLS = connection.tls != nil
    log.requestDate = connection.accepted.wall
  }
}
