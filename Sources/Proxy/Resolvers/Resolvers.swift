import Base
import Config
import NetIO

/// A `resolvers` section at work: its name servers and the names that are resolved with them.
///
/// All of it lives on one event loop. All name servers are asked at once and the first good answer counts; when all
/// have failed, the other family of addresses is asked for, then everything again, `resolve_retries` times.
final class Resolvers {
  let settings: ResolversSettings
  let loop: EventLoop
  /// Where what goes wrong is told.
  let log: (String) -> Void
  private let families: DNSFamilies
  private(set) var nameservers: [Nameserver] = []
  private var resolutions: [DNSQuestion: Resolution] = [:]
  private var running: [UInt16: Resolution] = [:]

  /// Names that streams may have under resolution at once.
  private static let resolutionBound = 20_000

  init(
    _ settings: ResolversSettings, _ families: DNSFamilies, on loop: EventLoop,
    log: @escaping (String) -> Void
  ) {
    self.log = log
    self.settings = settings
    self.families = families
    self.loop = loop
    nameservers = settings.nameservers.map { Nameserver($0, self) }
  }

  var name: String { settings.name }
  /// Whether one more name can be taken on for a stream.
  var hasRoom: Bool { resolutions.count < Resolvers.resolutionBound }
  private var now: Instant { loop.now.instant }

  func accepts(_ address: IPAddress) -> Bool { families.accepts(address, at: now) }

  // MARK: Requests

  /// The type asked for first, by the preferred family.
  func addressType(prefersFour: Bool) -> DNSRecordType {
    let accepted = families.accepted(at: now)
    if !accepted.six { return .a }
    return !accepted.four || !prefersFour ? .aaaa : .a
  }

  /// Joins those who want `name`; a resolution that nobody wanted until now starts at once.
  func add(_ requester: any ResolutionRequester, _ name: DNSName, _ type: DNSRecordType) -> Resolution {
    let question = DNSQuestion(name: name, type: type)
    let resolution = resolutions[question] ?? Resolution(name, type, self)
    resolutions[question] = resolution
    resolution.add(requester)
    return resolution
  }

  func remove(_ requester: any ResolutionRequester, from resolution: Resolution) {
    resolution.remove(requester)
    if resolution.requesters.isEmpty, resolution.run == nil { schedule(resolution) }
  }

  /// Resolves now, unless that is under way.
  func trigger(_ resolution: Resolution) {
    if resolution.run == nil { start(resolution) }
  }

  /// Whether the last answer may still be given to somebody new.
  func isFresh(_ resolution: Resolution) -> Bool {
    guard resolution.status == .valid, let last = resolution.lastResolution else { return false }
    return last + settings.hold.valid > now
  }

  // MARK: Schedule

  private func schedule(_ resolution: Resolution) {
    let last = resolution.lastResolution ?? now
    let span = resolution.requesters.isEmpty ? settings.hold.valid : settings.interval
    loop.timers.set(resolution.timer, to: Swift.max(last + span, now), owner: resolution)
  }

  func timeout(of resolution: Resolution) {
    guard let run = resolution.run else {
      if resolution.requesters.isEmpty { return drop(resolution) }
      return start(resolution)
    }
    for nameserver in nameservers where run.answered == 0 { nameserver.counters.timeout += 1 }
    if resolution.requesters.isEmpty { return finish(resolution) }
    if run.answered > 0, run.type == resolution.preferredType, let other = fallback(run.type) {
      return ask(resolution, other)
    }
    guard run.attemptsLeft > 0 else {
      if run.answered == 0 { resolution.status = .timeout }
      return fail(resolution)
    }
    resolution.run?.attemptsLeft -= 1
    ask(resolution, resolution.preferredType)
  }

  private func drop(_ resolution: Resolution) {
    loop.timers.cancel(resolution.timer)
    resolutions[DNSQuestion(name: resolution.name, type: resolution.preferredType)] = nil
  }

  private func start(_ resolution: Resolution) {
    guard let id = freshID() else { return schedule(resolution) }
    running[id] = resolution
    if resolution.lastValid == nil { resolution.lastValid = now }
    resolution.run = Resolution.Run(
      id: id, type: resolution.preferredType, attemptsLeft: settings.attempts - 1)
    ask(resolution, resolution.preferredType)
  }

  /// An id that no question bears; nil when chance does not find one.
  private func freshID() -> UInt16? {
    for _ in 0..<100 {
      let id = UInt16.random(in: .min ... .max)
      if running[id] == nil { return id }
    }
    return nil
  }

  private func ask(_ resolution: Resolution, _ type: DNSRecordType) {
    guard var run = resolution.run else { return }
    run.type = type
    run.answered = 0
    let message = DNSQuestion(name: resolution.name, type: type).message(
      id: run.id, payloadSize: settings.payloadSize)
    run.asked = 0
    for nameserver in nameservers where nameserver.send(message) { run.asked += 1 }
    resolution.run = run
    loop.timers.set(resolution.timer, to: now + settings.retryInterval, owner: resolution)
  }

  private func fallback(_ type: DNSRecordType) -> DNSRecordType? {
    let accepted = families.accepted(at: now)
    return switch type {
    case .a where accepted.six: .aaaa
    case .aaaa where accepted.four: .a
    default: nil
    }
  }

  // MARK: Answers

  func received(_ message: [UInt8], from nameserver: Nameserver) {
    guard let id = DNSAnswer.id(of: message.span) else {
      nameserver.counters.invalid += 1
      return
    }
    guard let resolution = running[id], let run = resolution.run else {
      nameserver.counters.outdated += 1
      return
    }
    let question = DNSQuestion(name: resolution.name, type: run.type)
    var answer = DNSAnswerParser.parse(message.span, answering: question)
    nameserver.counters.count(answer)
    if answer == .invalid { nameserver.complain(of: resolution.name) }
    if answer == .truncated, !nameserver.settings.isStream {
      let again = question.message(id: id, payloadSize: settings.payloadSize)
      if !nameserver.refusesStreams, nameserver.sendOverStream(again) { return }
      // Services are often more than a datagram holds: some of them are better than none.
      if question.type == .srv {
        answer = DNSAnswerParser.parse(message.span, answering: question, acceptsPart: true)
      }
    }
    guard case .records(let records) = answer else { return refused(resolution, run, answer) }
    resolution.status = .valid
    resolution.lastValid = now
    let gone = resolution.merge(records, at: now)
    for record in gone {
      for server in record.servers { server.lost(record) }
      record.servers = []
    }
    // A requester may leave while it is told.
    var first: Nameserver? = nameserver
    for requester in resolution.requesters {
      requester.answered(resolution, by: first)
      first = nil
    }
    finish(resolution)
  }

  /// An answer that is no good: when it was the last one that was waited for, something else is tried.
  private func refused(_ resolution: Resolution, _ run: Resolution.Run, _ answer: DNSAnswer) {
    resolution.status =
      switch answer {
      case .noSuchName: .noSuchName
      case .refused: .refused
      default: .other
      }
    resolution.run?.answered += 1
    guard run.answered + 1 >= run.asked else { return }
    if run.type == resolution.preferredType, let other = fallback(run.type) { return ask(resolution, other) }
    // Attempts that are left are made when the time for an answer is over.
    if run.attemptsLeft <= 0 { fail(resolution) }
  }

  private func fail(_ resolution: Resolution) {
    var keepsRecords = false
    for requester in resolution.requesters where requester.failed(resolution) { keepsRecords = true }
    if !keepsRecords { resolution.forgetRecords() }
    finish(resolution)
  }

  private func finish(_ resolution: Resolution) {
    if let id = resolution.run?.id { running[id] = nil }
    resolution.run = nil
    resolution.lastResolution = now
    schedule(resolution)
  }

  func close() {
    for resolution in resolutions.values { loop.timers.cancel(resolution.timer) }
    resolutions = [:]
    running = [:]
    for nameserver in nameservers { nameserver.close() }
  }
}

/// `dns-accept-family`, with what the system can do: looked at again every half minute.
final class DNSFamilies {
  private let setting: AddressFamilies
  private var hasSix = false
  private var checked: Instant?

  init(_ setting: AddressFamilies) { self.setting = setting }

  func accepted(at now: Instant) -> (four: Bool, six: Bool) {
    switch setting {
    case .only(let four, let six): return (four, six)
    case .automatic:
      if checked.map({ $0 + .seconds(30) < now }) ?? true {
        checked = now
        hasSix = Socket.hasIPv6Route
      }
      return (true, hasSix)
    }
  }

  func accepts(_ address: IPAddress, at now: Instant) -> Bool {
    let families = accepted(at: now)
    if case .v4 = address { return families.four }
    return families.six
  }
}
