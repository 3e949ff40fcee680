import Base
import Config
import Glibc
import NetIO
import Rules
import TLS

/// Probes one server again and again, on one worker: the I/O and the timers of a `CheckConversation`.
final class HealthCheck: TimerOwner, TransportOwner {
  private enum Phase { case sleeping, connecting, handshaking, established }

  let worker: Worker
  let entry: ServerControl.Entry
  let plan: CheckPlan
  let isAgent: Bool
  private let control: ServerControl
  private let timer = Timer()
  private var phase = Phase.sleeping
  private var conversation: CheckConversation
  private let context: RuleContext?
  private var transport: Transport?
  private var connection: CheckConnection?
  private var stepIndex = 0
  private var started = Instant.never
  private var externalRun: ExternalCheckRun?
  private var isPerforming = false
  private var isOver = false
  /// The address that a SOCKS proxy shall connect to; none without one.
  private var proxied = SocketAddress.none
  private var askedSocks = false
  /// The check's request, where it speaks HTTP/2.
  private var exchange: H2CheckExchange?

  init(worker: Worker, entry: ServerControl.Entry, plan: CheckPlan, isAgent: Bool) {
    self.worker = worker
    self.entry = entry
    self.plan = plan
    self.isAgent = isAgent
    control = worker.runtime.control
    context = plan.rules.needsContext ? HealthCheck.makeContext(worker, entry) : nil
    conversation = CheckConversation(plan.rules)
  }

  private static func makeContext(_ worker: Worker, _ entry: ServerControl.Entry) -> RuleContext {
    let facts = ConnectionFacts(source: .none, destination: .none, accepted: worker.loop.now)
    let context = RuleContext(connection: facts, environment: worker.environment, now: worker.loop.now)
    context.processVariables = worker.runtime.rules.processVariables
    return context
  }

  private var server: Server { entry.server }
  private var now: Instant { worker.loop.now.instant }

  // MARK: Schedule

  /// The first check comes at `time`.
  func begin(at time: Instant) { worker.loop.timers.set(timer, to: time, owner: self) }

  /// The server is gone.
  func stop() {
    isOver = true
    worker.loop.timers.cancel(timer)
    externalRun?.kill()
    externalRun = nil
    close()
  }

  /// The next check is wanted sooner than it was planned.
  func hurry() {
    guard phase == .sleeping, externalRun == nil else { return }
    let wanted = now + control.nextInterval(server, isAgent: isAgent)
    if wanted < timer.deadline { worker.loop.timers.set(timer, to: wanted, owner: self) }
  }

  func timerFired(_ timer: Timer) {
    if isOver { return }
    if externalRun != nil { return externalTimeout() }
    if phase == .sleeping { return start() }
    let layer: CheckConnectionFailure.Layer =
      switch phase {
      case .connecting: .connecting
      case .handshaking: .handshaking
      case .established, .sleeping: .established
      }
    if layer == .connecting { worker.runtime.names.refresh(server) }
    finish(conversation.connectionFailed(CheckConnectionFailure(layer: layer, isTimeout: true)))
  }

  private var interval: Timespan {
    isAgent ? server.settings.agentInterval ?? server.settings.interval : server.settings.interval
  }

  private func sleep() {
    phase = .sleeping
    if isOver { return }
    var span = control.nextInterval(server, isAgent: isAgent)
    let spread = worker.runtime.global.spreadChecks
    if spread > 0 {
      let width = span.microseconds / 100 * Int64(spread)
      let draw = Int64(worker.environment.random() % UInt64(2 * Swift.max(1, width) + 1))
      span = Timespan(microseconds: span.microseconds + width - draw)
    }
    worker.loop.timers.set(timer, to: now + span, owner: self)
  }

  // MARK: One run

  private func start() {
    let state = server.snapshot()
    guard isAgent ? state.agentEnabled : state.checksEnabled, isAgent || !state.isInMaintenance else {
      worker.loop.timers.set(timer, to: now + interval, owner: self)
      return
    }
    started = now
    control.checkStarted(server, isAgent: isAgent)
    if let settings = plan.external { return startExternal(settings, state) }
    prepareContext(state)
    conversation = CheckConversation(
      plan.rules, context: context, isStopped: state.operation == .stopped,
      agentMessage: isAgent ? state.agentSend : .empty,
      stateField: plan.rules.sendsState
        ? CheckStateField.text(entry, state, at: worker.loop.now, worker) : .empty)
    perform()
  }

  private func prepareContext(_ state: ServerState) {
    guard let context else { return }
    context.resetForCheck()
    context.now = worker.loop.now
    context.server = ServerFacts(name: Bytes(server.name), id: server.id)
    context.backend = ProxyFacts(name: Bytes(entry.backend.name), id: entry.backend.id)
    context.log.backendName = Bytes(entry.backend.name)
    context.log.serverName = Bytes(server.name)
    context.connection.destination = state.address
    if let format = entry.backend.rules.uniqueIDFormat {
      context.log.uniqueID = Bytes(format.rendered(context))
    }
  }

  /// Does what the conversation asks for until it must wait.
  private func perform() {
    if isPerforming { return }
    isPerforming = true
    defer { isPerforming = false }
    while true {
      switch conversation.next() {
      case .connect(let index, let connection):
        guard open(index, connection) else { return }
        return
      case .send(let octets):
        guard let transport else { return finish(CheckOutcome(.socketError)) }
        if let exchange {
          guard exchange.send(octets) else { return finish(CheckOutcome(.invalidLayer7)) }
          exchange.pull(into: transport.assembly())
        } else {
          transport.assembly().appendGrowing(octets)
        }
        if !transport.flush() { return }
        if transport.failure != 0 { return lost(transport) }
      case .receive:
        guard let transport else { return finish(CheckOutcome(.socketError)) }
        guard take(from: transport) else { return }
      case .finished(let outcome): return finish(outcome)
      }
    }
  }

  /// Reads what is there; false when there is nothing yet, or the check is over.
  private func take(from transport: Transport) -> Bool {
    switch transport.receive() {
    case .some:
      if let exchange { return take(from: transport, exchange) }
      transport.withWaiting { conversation.received($0) }
      transport.consume(transport.waiting.count)
      return true
    case .end:
      conversation.inputEnded()
      return true
    case .failed:
      // A reset behind an answer does not take it away.
      if transport.salvageInput() {
        transport.withWaiting { conversation.received($0) }
        transport.consume(transport.waiting.count)
        return true
      }
      if conversation.hasInput {
        conversation.inputEnded()
        return true
      }
      lost(transport)
      return false
    case .nothing: return false
    }
  }

  private func take(from transport: Transport, _ exchange: H2CheckExchange) -> Bool {
    transport.withWaiting { exchange.received($0) }
    transport.consume(transport.waiting.count)
    exchange.pull(into: transport.assembly())
    _ = transport.flush()
    guard exchange.isOver else { return true }
    if let answer = exchange.takeAnswer() { conversation.received(answer.span) }
    conversation.inputEnded()
    return true
  }

  private func lost(_ transport: Transport) {
    finish(
      conversation.connectionFailed(
        CheckConnectionFailure(
          layer: .established, text: CheckConnectionFailure.text(errno: transport.failure))))
  }

  private func finish(_ outcome: CheckOutcome) {
    close()
    if isOver { return }
    worker.loop.timers.cancel(timer)
    var outcome = outcome
    outcome.duration = now - started
    if isAgent, let reply = conversation.agentReply {
      control.agentReplied(server, reply, duration: now - started, at: worker.loop.now)
    } else {
      control.checkEnded(server, isAgent: isAgent, outcome, at: worker.loop.now)
    }
    sleep()
  }

  // MARK: Connecting

  /// False when the check is over already.
  private func open(_ index: Int, _ connection: CheckConnection) -> Bool {
    close()
    stepIndex = index
    self.connection = connection
    let target = target(connection)
    proxied = viaSocks(connection) ? target : .none
    let next = proxied == .none ? target : server.settings.socks4 ?? target
    guard target != .none, let fd = Socket.stream(for: next) else {
      finish(conversation.connectionFailed(CheckConnectionFailure(layer: .noConnection)))
      return false
    }
    if case .ip = target {
      Socket.setNoDelay(fd)
      // The answer to our first octets, or our reset, carries the acknowledgement.
      if connection.hasData || conversation.rules.steps.count == 1 { Socket.setQuickAck(fd, false) }
    }
    let socket = ServerSocket(server, entry.backend, worker.runtime.global.serverSockets)
    let refusal = socket.prepare(fd, to: next)
    if let code = refusal ?? Socket.connect(fd, to: next) {
      Glibc.close(fd)
      finish(
        conversation.connectionFailed(
          CheckConnectionFailure(
            layer: .connecting, text: CheckConnectionFailure.text(errno: code, isImmediate: true)))
      )
      return false
    }
    let transport = Transport(descriptor: fd, worker: worker)
    self.transport = transport
    phase = .connecting
    let timeouts = entry.backend.settings.timeouts
    var limit = interval
    if timeouts.check != nil, let connect = timeouts.connect, connect < limit { limit = connect }
    worker.loop.timers.set(timer, to: now + limit, owner: self)
    transport.owner = self
    guard transport.register() else {
      finish(
        conversation.connectionFailed(
          CheckConnectionFailure(layer: .noConnection, text: describe(errno: errno))))
      return false
    }
    return true
  }

  private func target(_ connection: CheckConnection) -> SocketAddress {
    let state = server.snapshot()
    let own = isAgent ? state.agentAddress ?? plan.address : state.checkAddress ?? plan.address
    var address = connection.address
    if address == .none { address = own }
    if address == .none { address = state.address }
    guard case .ip(let ip, let given) = address else { return address }
    var port = connection.port
    if port == nil, let expression = connection.portExpression, let context,
      let text = expression.evaluateText(context)
    {
      port = UInt16(text.string)
    }
    if port == nil, connection.address != .none, given != 0 { port = given }
    if port == nil { port = isAgent ? state.agentPort : state.checkPort }
    if port == nil, given != 0 { port = given }
    return .ip(ip, port: port ?? state.address.port ?? 0)
  }

  func transportReady(_ transport: Transport) {
    guard transport === self.transport else { return }
    if phase == .connecting {
      let code = transport.failure != 0 ? transport.failure : Socket.pendingError(transport.descriptor)
      if code != 0 {
        return finish(
          conversation.connectionFailed(
            CheckConnectionFailure(layer: .connecting, text: CheckConnectionFailure.text(errno: code))))
      }
      guard proxied == .none || passSocks(transport) else { return }
      connected(transport)
    }
    if phase == .handshaking { continueHandshake(transport) }
    if phase == .established {
      if transport.hasOutput, !transport.flush() { return }
      perform()
    }
  }

  /// `check-via-socks4` and `via-socks4`, where the server has a SOCKS proxy.
  private func viaSocks(_ connection: CheckConnection) -> Bool {
    guard server.settings.socks4 != nil, !isAgent else { return false }
    return connection.viaSocks || connection.usesServerSettings && server.settings.checkViaSocks
  }

  /// True when the proxy has reached the server.
  private func passSocks(_ transport: Transport) -> Bool {
    if !askedSocks {
      askedSocks = true
      guard let request = Socks4.request(to: proxied) else { return socksFailed() }
      _ = request.withUnsafeBytes { Socket.send(transport.descriptor, $0) }
    }
    while true {
      switch transport.withWaiting({ Socks4.answer($0) }) {
      case .granted:
        transport.consume(Socks4.answerLength)
        return true
      case .refused: return socksFailed()
      case .incomplete: break
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return false
      case .end, .failed: return socksFailed()
      }
    }
  }

  private func socksFailed() -> Bool {
    finish(
      conversation.connectionFailed(
        CheckConnectionFailure(layer: .connecting, text: "SOCKS4 Proxy deny the request")))
    return false
  }

  private func connected(_ transport: Transport) {
    guard let connection else { return }
    if connection.sendsProxy || connection.usesServerSettings && !isAgent && plan.proxyVersion != nil {
      let header: [UInt8] =
        switch plan.proxyVersion ?? server.settings.sendProxy ?? .v1 {
        case .v1:
          ProxyProtocol.encodeV1(
            source: Socket.localAddress(transport.descriptor),
            destination: Socket.peerAddress(transport.descriptor))
        case .v2: ProxyProtocol.encodeV2(source: .none, destination: .none, isLocal: true)
        }
      _ = header.withUnsafeBytes { Socket.send(transport.descriptor, $0) }
    }
    let tls = connection.isTLS ? plan.stepTLS[stepIndex] : connection.usesServerSettings ? plan.tls : nil
    guard let tls else { return established(isTLS: false) }
    guard let session = tls.session(serverName: serverName(connection)) else {
      return finish(
        conversation.connectionFailed(
          CheckConnectionFailure(layer: .handshaking, text: "SSL handshake failure")))
    }
    transport.startTLS(session)
    phase = .handshaking
  }

  private func serverName(_ connection: CheckConnection) -> String? {
    if let name = connection.serverName { return name.string }
    if connection.usesServerSettings, let name = plan.serverName { return name }
    guard plan.usesHostAsServerName, let format = connection.hostFormat, let context else { return nil }
    let host = String(decoding: format.rendered(context), as: UTF8.self)
    guard let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") else {
      return host.isEmpty ? nil : host
    }
    return String(host[..<colon])
  }

  private func continueHandshake(_ transport: Transport) {
    if transport.continueHandshake() == .done { return established(isTLS: true) }
    guard transport.hasFailed else { return }
    let text =
      transport.tlsFailure == nil ? "Connection closed during SSL handshake" : "SSL handshake failure"
    finish(conversation.connectionFailed(CheckConnectionFailure(layer: .handshaking, text: text)))
  }

  private func established(isTLS: Bool) {
    phase = .established
    if let limit = entry.backend.settings.timeouts.check {
      worker.loop.timers.set(timer, to: now + limit, owner: self)
    }
    exchange = speaksHTTP2 ? H2CheckExchange(settings: worker.h2ServerSettings) : nil
    conversation.connected(isTLS: isTLS)
  }

  /// `proto`, or what ALPN came to.
  private var speaksHTTP2: Bool {
    guard plan.rules.kind == .http, let connection else { return false }
    switch connection.proto ?? (connection.usesServerSettings ? plan.proto : nil) {
    case "h2": return true
    case nil: return transport?.tls?.alpn == "h2"
    default: return false
    }
  }

  private func close() {
    askedSocks = false
    exchange = nil
    guard let transport else { return }
    self.transport = nil
    transport.close(reset: !(connection?.lingers ?? false))
  }
}

// MARK: External programs

extension HealthCheck {
  private func startExternal(_ settings: ExternalCheckSettings, _ state: ServerState) {
    let run = ExternalCheckRun(settings, entry, state, address: plan.address)
    let box = Confined(self)
    let failure = run.start(on: worker.loop) { [box] in box.value.externalEnded($0) }
    if let failure {
      return finish(CheckOutcome(.socketError, text: Bytes(failure)))
    }
    externalRun = run
    let limit = entry.backend.settings.timeouts.check ?? interval
    worker.loop.timers.set(timer, to: now + limit, owner: self)
  }

  private func externalEnded(_ status: ExternalCheckRun.Exit) {
    guard externalRun != nil else { return }
    externalRun = nil
    switch status {
    case .code(0): finish(CheckOutcome(.externalPassed))
    case .code(let code): finish(CheckOutcome(.externalError, code: code))
    case .signal(let number): finish(CheckOutcome(.externalError, code: number))
    }
  }

  private func externalTimeout() {
    externalRun?.kill()
    externalRun = nil
    finish(CheckOutcome(.externalTimeout))
  }
}
