public import Base

extension CompiledProxy {
  /// Chooses the backend by the `use_backend` lines from the one at `start`, which then stands behind the line that
  /// was taken; nil leaves the default backend.
  public func nextBackend(for context: RuleContext, from start: inout Int) -> BackendChoice? {
    guard !routes.isEmpty, let index = routes.firstMatch(context, from: start) else { return nil }
    start = index + 1
    switch routeTargets[index] {
    case .proxy(let proxy): return .proxy(proxy)
    case .format(let format): return .named(Bytes(format.rendered(context)))
    }
  }

  /// Chooses a server by the `use-server` lines; nil leaves it to the balance algorithm. A computed name need not
  /// be one of a server.
  public func serverName(for context: RuleContext) -> Bytes? {
    for choice in serverChoices where choice.condition?.holds(context) ?? true {
      switch choice.server {
      case .name(let name): return name
      case .format(let format): return Bytes(format.rendered(context))
      }
    }
    return nil
  }

  /// Copies what `capture request header` names into `context.log`; also makes room for the slots of rules.
  public func captureRequest(_ context: RuleContext) {
    guard !captures.request.isEmpty, let head = context.request else { return }
    CaptureSlots.fill(captures.request, from: head, into: &context.log.requestCaptures)
  }

  /// Copies what `capture response header` names into `context.log`.
  public func captureResponse(_ context: RuleContext) {
    guard !captures.response.isEmpty, let head = context.response else { return }
    CaptureSlots.fill(captures.response, from: head, into: &context.log.responseCaptures)
  }

  /// Whether any condition of a list holds.
  public static func anyHolds(_ conditions: [Condition], _ context: RuleContext) -> Bool {
    conditions.contains { $0.holds(context) }
  }
}
