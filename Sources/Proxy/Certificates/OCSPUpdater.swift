import Base
import Config
import Glibc
import NetIO
import Synchronization
import TLS

/// Asks the responders of certificates for OCSP responses before the old ones are out of date (`ocsp-update`).
///
/// Lives on the first worker's loop; one request at a time. Names of responders are resolved on a thread of their own.
final class OCSPUpdater: TimerOwner, @unchecked Sendable {
  /// How it went with one certificate.
  private struct Record {
    let entry: OCSPEntry
    var next: WallTime
    var last: WallTime?
    var successes = 0
    var failures = 0
    var status = Status.unknown
    /// Asked for again and again, not just once by command.
    var isPeriodic: Bool
  }

  enum Status: Int {
    case unknown, done, httpError, headerMissing, wrongBody, resolveFailed, noResponse

    var text: String {
      switch self {
      case .unknown: "Unknown"
      case .done: "Update successful"
      case .httpError: "HTTP error"
      case .headerMissing: "Missing \"ocsp-response\" header"
      case .wrongBody: "OCSP response check failure"
      case .resolveFailed: "Responder address cannot be resolved"
      case .noResponse: "Error during insertion"
      }
    }
  }

  private unowned let gateway: Gateway
  private var loop: EventLoop?
  private let timer = Timer()
  private var records: [String: Record] = [:]
  private var running: OCSPRequest?

  init(_ gateway: Gateway) { self.gateway = gateway }

  private var global: GlobalSettings { gateway.runtime.global }

  func start(on loop: EventLoop) {
    self.loop = loop
    look()
  }

  /// Takes in certificates that have come, and starts what is due.
  func look() {
    guard let loop, !gateway.runtime.isStopping.load(ordering: .relaxed) else { return }
    let now = Now.read().wall
    let store = gateway.runtime.certificates
    records = records.filter { !$0.value.isPeriodic || store.isUsed(.certificate($0.value.entry.path)) }
    for bundle in store.files.bundles.values where store.isUsed(.certificate(bundle.path)) && bundle.parts.updatesOCSP {
      guard let entry = bundle.ocsp, records[entry.key] == nil else { continue }
      // One that was read at the start is renewed in an hour.
      let next = entry.response == nil ? now : now.advanced(seconds: global.ocspDelays.maximum)
      records[entry.key] = Record(entry: entry, next: next, isPeriodic: true)
    }
    guard running == nil else { return }
    if let due = records.values.filter({ $0.next <= now }).min(by: { ($0.entry.path) > ($1.entry.path) }) {
      return request(due.entry, on: loop)
    }
    if let next = records.values.map(\.next).min(), next.seconds < .max {
      let wait = Swift.min(Swift.max(1, next.seconds - now.seconds), 3600)
      loop.timers.set(timer, to: loop.now.instant + .seconds(wait), owner: self)
    }
  }

  func timerFired(_ timer: Timer) { look() }

  /// `update ssl ocsp-response`: as soon as may be. False when the certificate names nobody to ask.
  func update(_ entry: OCSPEntry) -> Bool {
    guard !entry.responders.isEmpty else { return false }
    if records[entry.key] == nil {
      records[entry.key] = Record(entry: entry, next: Now.read().wall, isPeriodic: false)
    } else {
      records[entry.key]?.next = Now.read().wall
    }
    look()
    return true
  }

  private func request(_ entry: OCSPEntry, on loop: EventLoop) {
    let request = OCSPRequest(entry, on: loop) { [weak self] status, response in
      self?.finished(entry, status, response)
    }
    running = request
    request.start()
  }

  private func finished(_ entry: OCSPEntry, _ status: Status, _ response: [UInt8]) {
    running = nil
    var status = status
    if status == .done, !entry.update(response) { status = .wrongBody }
    let now = Now.read().wall
    guard var record = records[entry.key] else { return look() }
    record.last = now
    record.status = status
    let delays = global.ocspDelays
    if status == .done {
      record.successes += 1
      let due = OCSPEntry.facts(of: response)?.nextUpdate.map { Int($0 - now.seconds) - 60 } ?? delays.maximum
      record.next = now.advanced(seconds: Swift.max(delays.minimum, Swift.min(due, delays.maximum)))
    } else {
      record.failures += 1
      let wait = delays.minimum << Swift.min(record.failures - 1, 10)
      record.next = now.advanced(seconds: Swift.min(wait, delays.maximum))
    }
    if !record.isPeriodic { record.next = WallTime(microseconds: .max) }
    records[entry.key] = record
    gateway.runtime.processLog.send(
      level: 5,
      "<OCSP-UPDATE> \(entry.path) \(status.rawValue) \"\(status.text)\" \(record.failures) \(record.successes)",
      at: now)
    look()
  }

  /// `show ssl ocsp-updates`.
  func listing(at now: Now) -> String {
    var text =
      "OCSP Certid | Path | Next Update | Last Update | Successes | Failures | Last Update Status | Last Update Status (str)\n"
    for record in records.values.sorted(by: { $0.entry.key < $1.entry.key }) where record.isPeriodic {
      let last = record.last.map { CalendarText.access($0) } ?? "-"
      text += "\(record.entry.key) | \(record.entry.path) | \(CalendarText.access(record.next)) | \(last) | "
      text += "\(record.successes) | \(record.failures) | \(record.status.rawValue) | \(record.status.text)\n"
    }
    return text
  }
}

/// One request to a responder over HTTP (RFC 6960, appendix A).
private final class OCSPRequest: EventHandler, TimerOwner, @unchecked Sendable {
  private let entry: OCSPEntry
  private let loop: EventLoop
  private var finish: ((OCSPUpdater.Status, [UInt8]) -> Void)?
  private var descriptor: Int32 = -1
  private var token: EventLoop.Token?
  private let timer = Timer()
  private var output: [UInt8] = []
  private var input: [UInt8] = []
  private static let timeout = Timespan.seconds(10)
  /// Octets of an answer.
  private static let bound = 64 * 1024

  init(_ entry: OCSPEntry, on loop: EventLoop, finish: @escaping (OCSPUpdater.Status, [UInt8]) -> Void) {
    self.entry = entry
    self.loop = loop
    self.finish = finish
  }

  func start() {
    guard let address = entry.responders.first.flatMap(ResponderAddress.init) else { return end(.resolveFailed) }
    loop.timers.set(timer, to: loop.now.instant + OCSPRequest.timeout, owner: self)
    output =
      Array(
        ("POST \(address.path) HTTP/1.0\r\nHost: \(address.authority)\r\nContent-Type: application/ocsp-request\r\n"
          + "Content-Length: \(entry.request.count)\r\n\r\n").utf8) + entry.request
    Background.run { [self] in
      let ip = IPAddress(address.host) ?? HostResolver.resolve(address.host)
      loop.enqueue { [self] in
        guard let ip else { return end(.resolveFailed) }
        connect(.ip(ip, port: address.port))
      }
    }
  }

  private func connect(_ address: SocketAddress) {
    guard finish != nil else { return }
    guard let fd = Socket.stream(for: address) else { return end(.noResponse) }
    descriptor = fd
    guard Socket.connect(fd, to: address) == nil else { return end(.noResponse) }
    token = loop.register(fd, self)
    if token == nil { end(.noResponse) }
  }

  func descriptorReady(_ readiness: Readiness) {
    guard finish != nil else { return }
    while !output.isEmpty {
      switch output.withUnsafeBytes({ Socket.send(descriptor, $0) }) {
      case .bytes(let n): output.removeFirst(n)
      case .wouldBlock: return
      case .endOfStream, .failed: return end(.noResponse)
      }
    }
    withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { room in
      while finish != nil {
        switch Socket.receive(descriptor, into: room) {
        case .bytes(let n):
          input += room[0..<n]
          if input.count > OCSPRequest.bound { return end(.wrongBody) }
        case .wouldBlock: return
        case .endOfStream: return judge()
        case .failed: return end(.noResponse)
        }
      }
    }
  }

  func timerFired(_ timer: Timer) { end(.noResponse) }

  private func judge() {
    let text = Bytes(input)
    guard text.starts(with: "HTTP/1."), text.count > 12, text[9] == 0x32, text[10] == 0x30, text[11] == 0x30 else {
      return end(.httpError)
    }
    var at = 0
    while at + 3 < input.count, !(input[at] == 13 && input[at + 1] == 10 && input[at + 2] == 13 && input[at + 3] == 10)
    {
      at += 1
    }
    guard at + 4 < input.count else { return end(.wrongBody) }
    end(.done, Array(input[(at + 4)...]))
  }

  private func end(_ status: OCSPUpdater.Status, _ response: [UInt8] = []) {
    guard let finish else { return }
    self.finish = nil
    loop.timers.cancel(timer)
    if let token { loop.deregister(token, descriptor) }
    if descriptor >= 0 { close(descriptor) }
    finish(status, response)
  }
}

/// The parts of `http://host[:port][/path]`.
private struct ResponderAddress {
  var host: String
  var port: UInt16 = 80
  var path: String
  /// As it stands in the address.
  var authority: String

  init?(_ text: String) {
    guard text.hasPrefix("http://") else { return nil }
    let rest = text.dropFirst(7)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    authority = String(rest[..<slash])
    path = slash == rest.endIndex ? "/" : String(rest[slash...])
    guard !authority.isEmpty, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    host = authority
    if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
      guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
      host = String(authority[..<colon])
      port = number
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
  }
}

/// Work that may block, on a thread of its own.
private enum Background {
  private final class Box {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }

  static func run(_ work: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(work))
    var thread = pthread_t()
    let made = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, box.toOpaque())
    if made == 0 { pthread_detach(thread) } else { box.release() }
  }
}

extension WallTime {
  fileprivate func advanced(seconds: Int) -> WallTime {
    WallTime(microseconds: microseconds + Int64(seconds) * 1_000_000)
  }
}
