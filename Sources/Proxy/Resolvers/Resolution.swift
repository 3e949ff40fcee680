import Base
import Config
import NetIO

/// Whoever waits for the addresses or services of a name.
protocol ResolutionRequester: AnyObject {
  /// There is a good answer; `nameserver` is who gave it, for the first requester of it only.
  func answered(_ resolution: Resolution, by nameserver: Nameserver?)
  /// All attempts were in vain. True when what is known of the name shall be kept.
  func failed(_ resolution: Resolution) -> Bool
}

/// A record of some answer, and who lives on it.
final class SeenRecord {
  var record: DNSRecord
  var lastSeen: Instant
  /// When the address that came along with a service was seen last.
  var addressSeen: Instant
  /// Servers that use it: the address of a name, or the service.
  var servers: [ServerName] = []

  init(_ record: DNSRecord, at now: Instant) {
    self.record = record
    lastSeen = now
    addressSeen = now
  }
}

/// One name that is resolved again and again, for all who ask for it.
final class Resolution: TimerOwner {
  enum Status { case none, valid, noSuchName, timeout, refused, other }

  /// A question that is out.
  struct Run {
    var id: UInt16
    var type: DNSRecordType
    var attemptsLeft: Int
    var asked = 0
    var answered = 0
  }

  let name: DNSName
  let preferredType: DNSRecordType
  unowned let resolvers: Resolvers
  let timer = Timer()
  var run: Run?
  var status = Status.none
  var lastResolution: Instant?
  /// The last good answer; the first question, until there was one.
  var lastValid: Instant?
  private(set) var records: [SeenRecord] = []
  /// Where the next choice of an address begins, so that choices go round.
  var nextChoice = 0
  private(set) var requesters: [any ResolutionRequester] = []

  init(_ name: DNSName, _ type: DNSRecordType, _ resolvers: Resolvers) {
    self.name = name
    preferredType = type
    self.resolvers = resolvers
  }

  func timerFired(_ timer: Timer) { resolvers.timeout(of: self) }

  // MARK: Requesters

  func add(_ requester: any ResolutionRequester) { requesters.append(requester) }

  func remove(_ requester: any ResolutionRequester) {
    if let at = requesters.firstIndex(where: { $0 === requester }) { requesters.remove(at: at) }
  }

  // MARK: Records

  /// Takes an answer in: what it holds is seen now, what was not seen for `hold obsolete` goes. Those that went
  /// are given back.
  func merge(_ answer: [DNSRecord], at now: Instant) -> [SeenRecord] {
    for record in answer {
      if let known = records.first(where: { Resolution.isSame($0.record, record) }) {
        known.lastSeen = now
        known.record = Resolution.updated(
          known, with: record, hold: resolvers.settings.hold.obsolete, at: now)
      } else {
        records.append(SeenRecord(record, at: now))
      }
    }
    let hold = resolvers.settings.hold.obsolete
    let gone = records.filter { $0.lastSeen + hold < now }
    if !gone.isEmpty { records.removeAll { $0.lastSeen + hold < now } }
    return gone
  }

  private static func isSame(_ a: DNSRecord, _ b: DNSRecord) -> Bool {
    switch (a, b) {
    case (.address(let a), .address(let b)): a == b
    case (.service(let a), .service(let b)): a.target == b.target && a.port == b.port
    default: false
    }
  }

  private static func updated(
    _ known: SeenRecord, with record: DNSRecord, hold: Timespan, at now: Instant
  ) -> DNSRecord {
    guard case .service(var service) = record, case .service(let old) = known.record else { return record }
    if service.address != nil {
      known.addressSeen = now
    } else if known.addressSeen + hold >= now {
      service.address = old.address
    }
    return .service(service)
  }

  func forgetRecords() {
    for record in records { record.servers = [] }
    records = []
    nextChoice = 0
  }

  /// For how long the last good answer outweighs what the last one said.
  var hold: Timespan {
    let hold = resolvers.settings.hold
    return switch status {
    case .noSuchName: hold.noSuchName
    case .timeout: hold.timeout
    case .refused: hold.refused
    case .none, .valid, .other: hold.other
    }
  }

  /// Whether the name counts as gone: the last good answer is older than `hold` says.
  func isBeyondHold(at now: Instant) -> Bool {
    guard let lastValid else { return true }
    return lastValid + hold <= now
  }
}
