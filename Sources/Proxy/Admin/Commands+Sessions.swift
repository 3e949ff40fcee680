import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

extension Commands {
  /// Streams that live now.
  static let sessions: [Command] = [
    Command(
      "show sess", "[help|<id>|all] [opts...]", level: .restricted, "report the list of current streams",
      run: showSessions),
    Command("shutdown session", "[id]", level: .admin, "kill a specific session", run: shutdownSession),
    Command("shutdown sessions server", "<bk>/<srv>", level: .admin, "kill sessions on a server") { call in
      withServer(call) { server in
        call.runtime.control.endSessions(on: server)
        return .done
      }
    },
  ]

  private static func showSessions(_ call: CommandCall) -> CommandAnswer {
    let filter: StreamFilter
    switch StreamFilter.parse(Array(call.arguments), call.runtime) {
    case .help: return .lines(StreamFilter.help)
    case .problem(let text): return .error(text)
    case .filter(let parsed): filter = parsed
    }
    let gateway = call.gateway
    let anonymizer = call.session.anonymizer
    return .later { reply in
      let walk = StreamWalk(gateway, filter, anonymizer) { lines in
        let isMissing = filter.id != nil && lines.isEmpty
        reply(isMissing ? .error("Session not found.") : .text(lines))
      }
      walk.next()
    }
  }

  private static func shutdownSession(_ call: CommandCall) -> CommandAnswer {
    let id = call.argument(0)
    guard !id.isEmpty else { return .error("Session pointer expected (use 'show sess').") }
    let gateway = call.gateway
    return .later { reply in
      let search = StreamSearch(gateway, id) { found in
        reply(found ? .done : .error("No such session (use 'show sess')."))
      }
      search.start()
    }
  }
}

extension Stream {
  /// What names a stream on the command line, for as long as it lives.
  var listedID: String { "0x" + String(UInt(bitPattern: ObjectIdentifier(self)), radix: 16) }

  /// The stream's line of `show sess`.
  func appendSummary(to out: inout [UInt8], _ anonymizer: Anonymizer, showsTarget: Bool = false) {
    let age = Swift.max(0, (now - times.accepted).seconds)
    let facts = client.facts
    let proto =
      switch facts.destination {
      case .ip(.v4, _): "tcpv4"
      case .ip(.v6, _): "tcpv6"
      case .unix, .none: "unix_stream"
      }
    out.append("\(listedID): proto=\(proto) src=\(anonymizer(facts.source.logText)) ")
    out.append("fe=\(anonymizer(frontend.name)) ")
    out.append("be=\(backend.map { anonymizer($0.name) } ?? "<NONE>") ")
    out.append("srv=\(server.map { anonymizer($0.name) } ?? "<none>") ts=00 epoch=0 ")
    out.append("age=\(age)s calls=1 rate=0 cpu=0 lat=0 ")
    out.append("rq[f=0h,i=0,an=00h,ax=] rp[f=0h,i=0,an=00h,ax=] exp= rc=\(attempts) c_exp=")
    if showsTarget, let request = context.request { out.append(" uri=\"\(anonymizer(request.target.string))\"") }
    out.append(ASCII.lf)
  }
}

/// Collects the lines of all streams: worker after worker, some streams at a time, each on its own thread.
private final class StreamWalk: @unchecked Sendable {
  private let gateway: Gateway
  private let filter: StreamFilter
  private let anonymizer: Anonymizer
  private let finish: ([UInt8]) -> Void
  private var out: [UInt8] = []
  private var worker = 0
  private var position = 0
  private static let batch = 500
  /// Output kept for a client; what does not fit is left out, and said to be.
  private static let most = 32 * 1024 * 1024

  init(
    _ gateway: Gateway, _ filter: StreamFilter, _ anonymizer: Anonymizer, finish: @escaping ([UInt8]) -> Void
  ) {
    self.gateway = gateway
    self.filter = filter
    self.anonymizer = anonymizer
    self.finish = finish
  }

  /// Goes on with the next batch; `finish` is called on the first worker's thread.
  func next() {
    let workers = gateway.workers
    guard worker < workers.count, out.count < StreamWalk.most else {
      if worker < workers.count { out.append("# more streams are not listed\n") }
      workers.first?.loop.enqueue { [self] in finish(out) }
      return
    }
    let current = workers[worker]
    current.loop.enqueue { [self] in
      let end = Swift.min(current.streams.count, position + StreamWalk.batch)
      while position < end {
        let stream = current.streams[position]
        if filter.matches(stream) { stream.appendSummary(to: &out, anonymizer, showsTarget: filter.showsTarget) }
        position += 1
      }
      if position >= current.streams.count {
        worker += 1
        position = 0
      }
      next()
    }
  }
}

/// Looks for one stream on all workers and ends it.
private final class StreamSearch: @unchecked Sendable {
  private let gateway: Gateway
  private let id: String
  private let finish: (Bool) -> Void

  init(_ gateway: Gateway, _ id: String, finish: @escaping (Bool) -> Void) {
    self.gateway = gateway
    self.id = id
    self.finish = finish
  }

  func start() { visit(0) }

  private func visit(_ index: Int) {
    guard index < gateway.workers.count else { return report(false) }
    let worker = gateway.workers[index]
    worker.loop.enqueue { [self] in
      guard let stream = worker.streams.first(where: { $0.listedID == id }) else { return visit(index + 1) }
      stream.shutDown(.killed)
      report(true)
    }
  }

  private func report(_ found: Bool) {
    gateway.workers.first?.loop.enqueue { [self] in finish(found) }
  }
}
