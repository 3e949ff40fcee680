import Base

/// What can only be judged when all files are read: references, ids, modes and missing settings.
struct Validation {
  private let context: LoadContext
  /// Taken out of the context for the run, so that settings change in place.
  private var proxies: [Boxed<ProxySettings>]

  init(_ context: LoadContext) {
    self.context = context
    proxies = context.configuration.proxies
    context.configuration.proxies = []
  }

  mutating func run() {
    assignIDs()
    applyUnixDefaults()
    ResolverFile.addDefault(to: &context.configuration, context.io)
    let report = ProxyReport(diagnostics: context.diagnostics)
    let globalLogs = !context.configuration.global.logs.isEmpty
    var tracking = false
    var states = ServerStateFiles(context)
    for index in proxies.indices {
      if !proxies[index].value.isDisabled { references(index, report) }
      proxies[index].value.modernize()
      proxies[index].value.checkModes(report)
      proxies[index].value.checkLogMode(report)
      if !proxies[index].value.isDisabled { proxies[index].value.checkMissing(report, globalLogs: globalLogs) }
      states.apply(to: &proxies[index])
      tracking = ServerValidation(context, proxies[index].value.name).run(&proxies[index]) || tracking
    }
    if tracking { for index in proxies.indices { track(index) } }
    LogValidation(context, proxies).run()
    context.configuration.proxies = proxies
  }

  /// Proxies count from 2, servers and listeners of a proxy from 1, around the ids given by hand.
  private mutating func assignIDs() {
    var next = 2
    var used = context.proxyIDs
    for index in proxies.indices {
      if proxies[index].value.id == nil {
        while used.contains(next) { next += 1 }
        used.insert(next)
        proxies[index].value.id = next
      } else {
        proxies[index].value.isIDForced = true
      }
      proxies[index].value.assignServerIDs()
      proxies[index].value.assignListenerIDs()
    }
  }

  /// `unix-bind`: owner and mode of unix sockets that do not say their own.
  private mutating func applyUnixDefaults() {
    let defaults = context.configuration.global.unixBind
    for index in proxies.indices {
      for bind in proxies[index].value.binds.indices { proxies[index].value.binds[bind].apply(defaults) }
    }
    for socket in context.configuration.global.statsSockets.indices {
      context.configuration.global.statsSockets[socket].apply(defaults)
    }
  }

  private func references(_ index: Int, _ report: ProxyReport) {
    if proxies[index].hasFrontend, let name = proxies[index].value.defaultBackend {
      defaultBackend(index, name, report)
    }
    for case .section(let name, _) in proxies[index].value.errorFiles
    where !context.configuration.httpErrors.contains(where: { $0.name == name.text }) {
      report.refuse(
        "proxy '\(proxies[index].value.name)': unknown http-errors section '\(name.text)' (at \(name.location.place)).",
        at: name.location, expected: "the name of an 'http-errors' section",
        suggestion: Nearest.word(to: name.text, among: context.configuration.httpErrors.map(\.name)))
    }
  }

  private func defaultBackend(_ index: Int, _ name: Word, _ report: ProxyReport) {
    guard let target = context.backendsByName[name.text] else {
      // A name with an expression in it is looked up for each request.
      if name.text.contains("%[") { return }
      return report.refuse(
        "Proxy '\(proxies[index].value.name)': unable to find required default_backend: '\(name.text)'.",
        at: name.location, expected: "the name of a 'backend' or 'listen' section",
        suggestion: Nearest.word(to: name.text, among: context.backendsByName.keys))
    }
    let (own, other) = (proxies[index].value.mode, proxies[target].value.mode)
    guard other == .log || own == .http && other == .tcp else { return }
    report.refuse(
      "\(own.label) \(proxies[index].value.kindLabel) '\(proxies[index].value.name)' (\(proxies[index].value.location.place)) tries to use "
        + "incompatible \(other.label) \(proxies[target].value.kindLabel) '\(proxies[target].value.name)' "
        + "(\(proxies[target].value.location.place)) as its default backend (see 'mode').", at: name.location,
      related: [(proxies[target].value.location, "the backend is declared here")])
  }

  /// `track [<backend>/]<server>`.
  private func track(_ index: Int) {
    for server in proxies[index].value.servers {
      guard let track = server.value.track else { continue }
      let report = ServerValidation(context, proxies[index].value.name)
      let parts = track.text.split(separator: "/", maxSplits: 1).map(String.init)
      guard let serverName = parts.last else { continue }
      let backendName = parts.count > 1 ? parts[0] : proxies[index].value.name
      guard let backend = context.backendsByName[backendName] else {
        report.refuse(
          server.value, "unable to find required proxy '\(backendName)' for tracking.", at: track.location)
        continue
      }
      guard let target = proxies[backend].value.servers.first(where: { $0.name == serverName }) else {
        report.refuse(
          server.value, "unable to find required server '\(backendName)/\(serverName)' for tracking.",
          at: track.location)
        continue
      }
      if !target.checksEnabled, !target.agentEnabled, target.track == nil {
        report.refuse(
          server.value,
          "unable to use \(backendName)/\(serverName) for tracking as it does not have any check nor agent "
            + "enabled.", at: track.location)
      }
    }
  }
}

/// Messages about a whole proxy, worded and placed as HAProxy does it: without a line.
struct ProxyReport {
  let diagnostics: Diagnostics

  func warn(_ message: String, at place: SourceLocation) {
    var diagnostic = Diagnostic(.warning, at: place, message)
    diagnostic.form = .plain
    diagnostics.add(diagnostic)
  }

  func refuse(
    _ message: String, at place: SourceLocation, expected: String? = nil, suggestion: String? = nil,
    related: [(location: SourceLocation, message: String)] = []
  ) {
    var diagnostic = Diagnostic(.alert, at: place, message, expected: expected, suggestion: suggestion)
    diagnostic.form = .plain
    diagnostic.related = related
    diagnostics.add(diagnostic)
  }
}
