import Base
import Config
import Rules

extension Commands {
  static let peers: [Command] = [
    Command(
      "show peers", "[dict|-] [section]", "dump some information about all the peers or this peers section"
    ) {
      call in
      var name = call.argument(0)
      let showsTexts = name == "dict"
      if showsTexts || name == "-" { name = call.argument(1) }
      if !name.isEmpty, !call.runtime.peers.contains(where: { $0.settings.name.text == name }) {
        return .error("No such peers")
      }
      return .lines(
        call.gateway.peers.sections.filter { name.isEmpty || $0.name == name }.map {
          PeersReport($0, call.now, showsTexts: showsTexts).text
        }.joined())
    }
  ]
}

/// A section as `show peers` prints it, the last peer and the last table first.
struct PeersReport {
  private let section: PeersSection
  private let now: Now
  /// `dict`: the texts that sessions have exchanged.
  private let showsTexts: Bool

  init(_ section: PeersSection, _ now: Now, showsTexts: Bool) {
    self.section = section
    self.now = now
    self.showsTexts = showsTexts
  }

  private func address(_ object: AnyObject) -> String {
    "0x" + String(UInt(bitPattern: ObjectIdentifier(object)), radix: 16)
  }

  var text: String {
    var date: [UInt8] = []
    DateText.appendLocal(section.began, into: &date)
    let learning = section.isUpToDate ? "<PAST>" : duration(section.learnsUntil - now.instant)
    let head =
      "\(address(section)): [\(String(decoding: date.prefix(20), as: UTF8.self))] id=\(section.name) disabled=0 flags=0x\(section.isUpToDate ? "3" : "0") "
      + "resync_timeout=\(learning) task_calls=\(section.turns)\n"
    return head + section.peers.reversed().map(peer).joined()
  }

  private func duration(_ span: Timespan) -> String {
    let seconds = Swift.max(0, span.seconds)
    return seconds >= 3600
      ? "\(seconds / 3600)h\(seconds / 60 % 60)m"
      : seconds >= 60 ? "\(seconds / 60)m\(seconds % 60)s" : "\(seconds)s"
  }

  private func since(_ instant: Instant?) -> String {
    instant.map { duration(now.instant - $0) } ?? "<NEVER>"
  }

  private func peer(_ peer: RemotePeer) -> String {
    let state = peer.session?.state
    let isRunning = state == .established
    var text =
      "  \(address(peer)): id=\(peer.name)(\(peer.isLocal ? "local" : "remote"),\(state == nil ? "inactive" : "active")) "
      + "addr=\(peer.address.logText) app_state=\(isRunning ? "RUNNING" : state == nil ? "STOPPED" : "STARTING") "
      + "learn_state=\(peer.session?.isLearning ?? false ? "PROCESSING" : "NOTASSIGNED") last_status=\(peer.statusWord) "
      + "last_hdshk=\(since(peer.lastHandshake))\n"
    let waits = peer.session == nil && !peer.isLocal
    text +=
      "        reconnect=\(waits ? duration(peer.nextAttempt - now.instant) : "<NEVER>") "
      + "heartbeat=\(isRunning ? "3s" : "<NEVER>") confirm=0 tx_hbt=\(peer.heartbeatsSent) "
      + "rx_hbt=\(peer.heartbeatsReceived) no_hbt=\(peer.lostHeartbeats) new_conn=\(peer.connections) "
      + "proto_err=\(peer.protocolErrors) coll=\(peer.collisions)\n        flags=0x0"
    if let session = peer.session {
      text +=
        " appctx:\(address(session)) st0=\(isRunning ? 7 : 6) st1=0 task_calls=0 state=\(isRunning ? "EST" : "CON")"
    }
    text += "\n        shared tables:"
    for table in section.tables.reversed() { text += self.table(table, peer) }
    return text + "\n"
  }

  private func table(_ table: SharedTable, _ peer: RemotePeer) -> String {
    let acknowledged = peer.acknowledged[table.id] ?? 0
    let session = peer.session
    var text =
      "\n          \(address(table)) local_id=\(table.id) remote_id=\(session?.remoteNumber(of: table) ?? 0) flags=0x0"
      + " remote_data=0x\(String(session?.remoteData(of: table) ?? 0, radix: 16))"
      + "\n              last_acked=\(acknowledged) last_pushed=\(session?.lastPushed(of: table) ?? 0)"
      + " last_get=\(session?.lastTaken(of: table) ?? 0) teaching_origin=0 update=\(table.lastUpdate)"
      + "\n              table:\(address(table.table)) id=\(table.table.name) update=\(table.lastUpdate)"
      + " localupdate=\(table.lastUpdate) refcnt=1"
    guard showsTexts else {
      return text + "\n        Dictionary cache not dumped (use \"show peers dict\")"
    }
    text += "\n        TX dictionary cache:"
    for (number, item) in (session?.sentTexts ?? []).enumerated() { text += cell(number, item) }
    text += "\n        RX dictionary cache:"
    let received = session?.receivedTexts ?? []
    for number in 0..<PeerWire.dictionarySize {
      text += cell(number, number < received.count ? received[number] ?? "-" : "-")
    }
    return text
  }

  private func cell(_ number: Int, _ text: String) -> String {
    let digits = String(number)
    let padding = String(repeating: " ", count: Swift.max(0, 3 - digits.utf8.count))
    return (number % 4 == 0 ? "\n        " : "") + "  \(padding)\(digits) -> \(text)"
  }
}
