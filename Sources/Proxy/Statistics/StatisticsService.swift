import Base
import Config
import HTTP
import NetIO
import Rules

extension Stream {
  /// Answers a request for the statistics page of `settings`; false when the request is for something else.
  func serveStatistics(_ settings: StatsSettings, _ rules: CompiledProxy) -> Bool {
    guard request.isMethod("GET") || request.isMethod("HEAD") || request.isMethod("POST"),
      let rest = StatisticsTarget.rest(of: request.target, behind: settings.uri)
    else { return false }
    if request.isMethod("POST"), !context.requestBodyIsComplete, !requestIsComplete {
      awaitForm()
      return true
    }
    noteService()
    guard isAllowed(settings, rules) else { return true }
    var wanted = StatRequest(settings, rest, proxy: rules.name)
    wanted.isAdmin = rules.statsAdmin.contains { $0.holds(context) }
    if request.isMethod("POST") {
      answer(StatisticsReply.redirect(wanted.link(status: outcome(of: wanted))))
    } else {
      answer(StatisticsReply.page(worker.runtime, wanted, now: worker.loop.now))
    }
    return true
  }

  private func noteService() {
    context.log.serverName = "<STATS>"
    termination = Termination(cause: .local, state: .request)
    frontend.counters.add(.interceptedRequests, worker: worker.index)
    phaseDeadline = .distantFuture
  }

  /// The form is read first; the same phase comes here again, its rules behind it.
  private func awaitForm() {
    storage.wantedBody = 0
    storage.phaseAfterBody = phase
    ruleIndex = (backend == nil ? frontend.rules : backend?.rules ?? frontend.rules).httpRequest.count
    _ = enter(.waitForBody)
    let timeouts = frontend.settings.timeouts
    phaseDeadline = now + (timeouts.httpRequest ?? timeouts.client ?? .seconds(10))
  }

  /// `stats http-request` rules, or `stats auth` when there are none. False when the request was refused.
  private func isAllowed(_ settings: StatsSettings, _ rules: CompiledProxy) -> Bool {
    if rules.statsHTTPRequest.isEmpty {
      if settings.credentials.isEmpty { return true }
      if let login = BasicCredentials(request.first("authorization")),
        settings.credentials.contains(where: { login.matches(user: $0.user, password: $0.password) })
      {
        return true
      }
      answer(StatisticsReply.challenge(settings.realm ?? "HAProxy Statistics", page(401)))
      return false
    }
    var index = 0
    switch rules.statsHTTPRequest.evaluate(context, resumingAt: &index) {
    case .next: return true
    case .reply(let reply) where reply.status == 401 || reply.status == 407:
      answer(StatisticsReply.challenge(settings.realm ?? "HAProxy Statistics", page(401)))
    case let verdict: _ = conclude(verdict, .request)
    }
    return false
  }

  /// What a form came to.
  private func outcome(of wanted: StatRequest) -> String {
    guard wanted.isAdmin, isSameOrigin else { return "DENY" }
    guard context.requestBodyIsComplete || requestIsComplete else { return "EXCD" }
    return StatForm(context.requestBody).perform(worker.runtime, wanted, at: worker.loop.now)
  }

  /// Whether the form came from this site's own page, as far as the browser says (Fetch Metadata, RFC 6454):
  /// programs that are no browsers send none of these fields.
  private var isSameOrigin: Bool {
    if let site = request.first("sec-fetch-site"), site != "same-origin", site != "none" { return false }
    guard let source = request.first("origin") ?? request.first("referer") else { return true }
    return StatisticsTarget.authority(of: source).equalsIgnoringCase(request.first("host") ?? .empty)
  }

  /// `http-request use-service`
  func serve(_ service: String) -> Step {
    guard service == "prometheus-exporter" else { return refuse(503) }
    noteService()
    guard request.isMethod("GET") || request.isMethod("HEAD") else {
      answer(page(405))
      return .proceed
    }
    guard let wanted = PrometheusRequest(request.target) else {
      answer(page(400))
      return .proceed
    }
    answer(StatisticsReply.metrics(worker.runtime, wanted, now: worker.loop.now))
    return .proceed
  }
}

/// Looks at targets of requests for the statistics page.
enum StatisticsTarget {
  /// What follows `prefix` in a target; nil when the target does not begin with it. An absolute target is looked
  /// at from its path on.
  static func rest(of target: Bytes, behind prefix: Bytes) -> Bytes? {
    var target = target
    if !prefix.isEmpty, prefix[0] == ASCII.slash, !target.isEmpty, target[0] != ASCII.slash {
      let afterScheme = afterScheme(target)
      guard let slash = afterScheme.firstIndex(of: ASCII.slash) else { return nil }
      target = afterScheme.dropFirst(slash)
    }
    return target.starts(with: prefix) ? target.dropFirst(prefix.count) : nil
  }

  /// `host:port` of a URL.
  static func authority(of url: Bytes) -> Bytes {
    let rest = afterScheme(url)
    var end = 0
    while end < rest.count, rest[end] != ASCII.slash, rest[end] != ASCII.question { end += 1 }
    return rest.prefix(end)
  }

  private static func afterScheme(_ url: Bytes) -> Bytes {
    guard let colon = url.firstIndex(of: ASCII.colon), colon + 2 < url.count, url[colon + 1] == ASCII.slash,
      url[colon + 2] == ASCII.slash
    else { return url }
    return url.dropFirst(colon + 3)
  }
}
