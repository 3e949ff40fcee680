import Base
import Config
import Glibc
import NetIO
import Synchronization

/// What is counted for each name server: the lines of `show resolvers`.
struct NameserverCounters {
  var sent = 0
  var sendErrors = 0
  var valid = 0
  var update = 0
  var alias = 0
  var aliasErrors = 0
  var anyErrors = 0
  var noSuchName = 0
  var timeout = 0
  var refused = 0
  var other = 0
  var invalid = 0
  var tooBig = 0
  var truncated = 0
  var outdated = 0

  /// All of them by HAProxy's names, in its order.
  var named: [(name: String, value: Int)] {
    [
      ("sent", sent), ("send_error", sendErrors), ("valid", valid), ("update", update), ("cname", alias),
      ("cname_error", aliasErrors), ("any_err", anyErrors), ("nx", noSuchName), ("timeout", timeout),
      ("refused", refused), ("other", other), ("invalid", invalid), ("too_big", tooBig),
      ("truncated", truncated), ("outdated", outdated),
    ]
  }

  mutating func count(_ answer: DNSAnswer) {
    switch answer {
    case .records: valid += 1
    case .noSuchName: noSuchName += 1
    case .refused: refused += 1
    case .failed: other += 1
    case .empty: anyErrors += 1
    case .brokenAlias: aliasErrors += 1
    case .truncated: truncated += 1
    case .invalid: invalid += 1
    }
  }
}

/// One `nameserver` of a section: where questions go out and messages come in. On the loop of its section.
final class Nameserver: EventHandler {
  let settings: ResolversSettings.Nameserver
  /// Written on the section's loop only; the exporter reads them on any thread.
  private let counted = Mutex(NameserverCounters())
  private unowned let resolvers: Resolvers
  private var descriptor: Int32 = -1
  private var token: EventLoop.Token?
  private var stream: NameserverStream?
  private var lastComplaint: Instant?

  init(_ settings: ResolversSettings.Nameserver, _ resolvers: Resolvers) {
    self.settings = settings
    self.resolvers = resolvers
  }

  var name: String { settings.name }

  var counters: NameserverCounters {
    get { counted.withLock { $0 } }
    set { counted.withLock { $0 = newValue } }
  }

  /// Sends a question; false when it cannot leave now.
  func send(_ message: [UInt8]) -> Bool {
    let isSent = settings.isStream ? sendOverStream(message) : sendDatagram(message)
    if isSent { counters.sent += 1 } else { counters.sendErrors += 1 }
    return isSent
  }

  private func sendDatagram(_ message: [UInt8]) -> Bool {
    guard open() else { return false }
    for _ in 0..<2 {
      // The first error may tell of an earlier datagram (ICMP): the next one is this one's own.
      if case .bytes = message.withUnsafeBytes({ Socket.send(descriptor, $0) }) { return true }
    }
    return false
  }

  private func open() -> Bool {
    if descriptor >= 0 { return true }
    guard let fd = Socket.datagram(to: settings.address) else { return false }
    guard let token = resolvers.loop.register(fd, self) else {
      close(fd)
      return false
    }
    descriptor = fd
    self.token = token
    return true
  }

  /// The answer did not fit into a datagram: the same question again.
  func sendOverStream(_ message: [UInt8]) -> Bool {
    let open =
      stream ?? NameserverStream(settings.address, on: resolvers.loop) { [unowned self] in received($0) }
    stream = open
    return open.send(message)
  }

  /// Whether the name server was found not to answer over TCP.
  var refusesStreams: Bool { stream?.isUseless ?? false }

  /// Tells of an answer that is wrong, once a minute at most.
  func complain(of name: DNSName) {
    let now = resolvers.loop.now.instant
    if let lastComplaint, now < lastComplaint + .seconds(60) { return }
    lastComplaint = now
    resolvers.log("resolvers \(resolvers.name): nameserver \(self.name) gave an invalid answer for \(name)")
  }

  func descriptorReady(_ readiness: Readiness) {
    let limit = resolvers.settings.payloadSize
    withUnsafeTemporaryAllocation(byteCount: limit + 1, alignment: 8) { room in
      // Bounded, so that a flood does not keep the loop from its other work.
      for _ in 0..<Nameserver.batch {
        switch Socket.receive(descriptor, into: room) {
        case .bytes(let n):
          if n > limit {
            counters.tooBig += 1
          } else {
            received(Array(room[0..<n]))
          }
        case .wouldBlock: return
        // The error of a question that could not be delivered; its timeout deals with that.
        case .endOfStream, .failed: continue
        }
      }
      let rest = Confined(self)
      resolvers.loop.enqueue { rest.value.descriptorReady(.readable) }
    }
  }

  /// Datagrams taken before other events.
  private static let batch = 64

  private func received(_ message: [UInt8]) { resolvers.received(message, from: self) }

  func close() {
    if let token { resolvers.loop.deregister(token, descriptor) }
    if descriptor >= 0 { Glibc.close(descriptor) }
    token = nil
    descriptor = -1
    stream?.close()
    stream = nil
  }

  private func close(_ fd: Int32) { Glibc.close(fd) }
}
