public import Base
import Config
import Glibc
public import NetIO

/// A worker process, as its master knows it.
public struct WorkerProcess: Sendable {
  public var process: Int32
  public var isLeaving = false
  /// How many reloads it has lived through.
  public var reloads = 0
  public var started: Now
  /// The master's end of the socket for orders.
  public var channel: Int32

  public init(process: Int32, started: Now, channel: Int32) {
    self.process = process
    self.started = started
    self.channel = channel
  }

  /// Asks the worker to hand the sockets over `descriptor` that only one process can have.
  public func askForSockets(over descriptor: Int32) -> Bool {
    Socket.send(channel, MasterOrder.sockets.octets, passing: descriptor)
  }
}

/// The process behind the master CLI.
public protocol MasterProcess: AnyObject {
  /// The current one first.
  var workers: [WorkerProcess] { get }
  var started: Now { get }
  var reloads: Int { get }
  var failedReloads: Int { get }
  /// Whether the last reload failed, so that workers run an older configuration.
  var lastReloadFailed: Bool { get }
  /// What was said at the last start or reload.
  var startupLog: String { get }

  /// Starts a new worker with the configuration as it is now. `hard` ends the old one at once.
  func reload(hard: Bool) -> Bool
}

/// The master CLI (management.txt chapter 9.4): the master's own commands, and `@` for those of workers.
public final class MasterCLI: AdminHost {
  unowned let master: any MasterProcess
  private let loop: EventLoop
  private var listeners: [AdminListener] = []
  private var connections: [ObjectIdentifier: AdminConnection] = [:]
  private static let mostConnections = 64

  public init(_ master: any MasterProcess, on loop: EventLoop) {
    self.master = master
    self.loop = loop
  }

  /// Opens the address of `-S`; what could not be done, if anything.
  public func listen(_ text: String) -> String? {
    let bind: BindSettings
    switch MasterSocketLine.parse(text) {
    case .problem(let problem): return problem
    case .bind(let settings): bind = settings
    }
    for (address, inherited) in RuntimeBuilder.addresses(of: bind) {
      do throws(ListeningSocket.Failure) {
        let listener = try AdminListener(bind, address, inherited, self)
        listener.start(on: loop)
        listeners.append(listener)
      } catch {
        return "Starting proxy MASTER: \(error.text) [\(address)]"
      }
    }
    return nil
  }

  var socketLines: [String] { listeners.map(\.line) }

  // MARK: Clients

  var hasRoom: Bool { connections.count < MasterCLI.mostConnections }

  func admit(_ descriptor: Int32, _ bind: BindSettings, on loop: EventLoop) {
    let session = CommandSession(
      level: AdminLevel(bind.level), timeout: .seconds(3600),
      severityOutput: CommandSession.SeverityOutput(rawValue: bind.severityOutput) ?? .none)
    let connection = AdminConnection(descriptor, self, session, on: loop)
    connections[ObjectIdentifier(connection)] = connection
    if !connection.start() {
      connections[ObjectIdentifier(connection)] = nil
      close(descriptor)
    }
  }

  func connectionClosed(_ connection: AdminConnection) {
    connections[ObjectIdentifier(connection)] = nil
    for listener in listeners { listener.slotFreed() }
  }

  func prompt(_ session: CommandSession) -> String {
    var flags = session.isExperimental ? "x" : ""
    if session.isExpert { flags += "e" }
    if session.isMasterDebug { flags += "d" }
    var name = session.target == 0 ? "master" : "\(session.target)"
    if session.target == 0, master.lastReloadFailed { name += "[ReloadFailed]" }
    return flags.isEmpty ? "\(name)> " : "\(name)(\(flags))> "
  }

  // MARK: Commands

  /// `@@` takes the rest of its line along.
  func commands(of line: [Bytes]) -> [Bytes] {
    guard let place = line.firstIndex(where: { $0.trimmed.starts(with: "@@") }) else { return line }
    var rest = line[place].array
    for part in line[(place + 1)...] {
      rest.append(0x3B)
      rest.append(part)
    }
    return line[..<place] + [Bytes(rest)]
  }

  func run(_ command: Bytes, payload: Bytes?, _ session: CommandSession) -> CommandAnswer {
    let text = command.trimmed
    if text.isEmpty { return .done }
    guard text[0] == 0x40 else {
      if let own = MasterCommands.find(CommandReader.words(of: text)), session.target == 0 || own.isForAll {
        return own.run(MasterCall(CommandReader.words(of: text), session, self))
      }
      if session.target != 0 { return send(text, payload, to: session.target, session) }
      return MasterCommands.unknown(CommandReader.words(of: text))
    }
    let isWhole = text.starts(with: "@@")
    let end = (0..<text.count).first { ASCII.isBlank(text[$0]) } ?? text.count
    let name = text.dropFirst(isWhole ? 2 : 1).prefix(end - (isWhole ? 2 : 1)).string
    let rest = text.dropFirst(end).trimmed
    guard let target = process(named: name) else {
      return .bare("Can't find the target PID matching the prefix '\(text.prefix(end).string)'\n")
    }
    if isWhole { return target == 0 ? .error("'@@' needs a worker.") : open(rest, target, session) }
    if rest.isEmpty {
      session.target = target
      return .bare("")
    }
    if target == 0 {
      let before = session.target
      session.target = 0
      defer { session.target = before }
      return run(rest, payload: payload, session)
    }
    return send(rest, payload, to: target, session)
  }

  /// `1` is the current worker, `!<pid>` any process, `master` or nothing the master; nil when there is no such process.
  private func process(named name: String) -> Int32? {
    if name.isEmpty || name == "master" { return 0 }
    if name.hasPrefix("!") {
      guard let process = Int32(name.dropFirst()) else { return nil }
      if process == getpid() { return 0 }
      return master.workers.first { $0.process == process }?.process
    }
    guard name == "1" else { return name == "0" ? 0 : nil }
    return master.workers.first { !$0.isLeaving }?.process
  }

  /// One command on a session of its own.
  private func send(_ command: Bytes, _ payload: Bytes?, to process: Int32, _ session: CommandSession) -> CommandAnswer
  {
    var line = command.array
    if let payload {
      line.append(" <<@GATEHOUSE@\n")
      line.append(payload)
      line.append("@GATEHOUSE@")
    }
    line.append(ASCII.lf)
    return relay(line, to: process, session, [], .command)
  }

  /// `@@`: a whole line of commands, or a session that lasts.
  private func open(_ line: Bytes, _ process: Int32, _ session: CommandSession) -> CommandAnswer {
    if !line.isEmpty { return relay(line.array + [ASCII.lf], to: process, session, [], .line) }
    return relay([], to: process, session, session.mode == .prompt ? .prompt : .interactive, .session)
  }

  private func relay(
    _ start: [UInt8], to process: Int32, _ session: CommandSession, _ modes: MasterOrder.Modes,
    _ kind: AdminRelay.Kind
  ) -> CommandAnswer {
    guard let worker = master.workers.first(where: { $0.process == process }), let ends = Socket.pair() else {
      return .error("Can't connect to the target CLI!")
    }
    var modes = modes
    if session.isExperimental { modes.insert(.experimental) }
    if session.isExpert { modes.insert(.expert) }
    let order = MasterOrder.session(session.level, modes)
    let isSent = Socket.send(worker.channel, order.octets, passing: ends.1)
    close(ends.1)
    guard isSent else {
      close(ends.0)
      return .error("Can't connect to the target CLI!")
    }
    return .relay(ends.0, start: start, kind)
  }
}
