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
      if name == "dict" || name == "-" { name = call.argument(1) }
      if !name.isEmpty, !call.runtime.peers.contains(where: { $0.settings.name.text == name }) {
        return .error("No such peers")
      }
      return .lines(
        call.gateway.peers.sections.filter { name.isEmpty || $0.name == name }.map {
          PeersReport($0, call.now).text + "\n"
        }.joined())
    }
  ]
}

/// A section as `show peers` prints it.
struct PeersReport {
  private let section: PeersSection
  private let now: Now

  init(_ section: PeersSection, _ now: Now) {
    self.section = section
    self.now = now
  }

  private func address(_ object: AnyObject) -> String {
    "0x" + String(UInt(bitPattern: ObjectIdentifier(object).hashValue), radix: 16)
  }

  var text: String {
    var date: [UInt8] = []
    DateText.appendLocal(section.began, into: &date)
    let learning = section.isUpToDate ? "<PAST>" : duration(section.learnsUntil - now.instant)
    let head =
      "\(address(section)): [\(String(decoding: date.prefix(20), as: UTF8.self))] id=\(section.name) disabled=0 flags=0x\(section.isUpToDate ? "3" : "0") "
      + "resync_timeout=\(learning) task_calls=\(section.turns)\n"
    return head + section.peers.map(line).joined()
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

  private func line(_ peer: RemotePeer) -> String {
    let state = peer.session?.state
    var text =
      "  \(address(peer)): id=\(peer.name)(\(peer.isLocal ? "local" : "remote"),\(state == nil ? "inactive" : "active")) "
      + "addr=\(peer.address.logText) app_state=\(state == .established ? "RUNNING" : state == nil ? "STOPPED" : "STARTING") "
      + "learn_state=\(peer.session?.isLearning ?? false ? "PROCESSING" : "NOTASSIGNED") last_status=\(peer.statusWord) "
      + "last_hdshk=\(since(peer.lastHandshake))\n"
    text +=
      "        reconnect=\(peer.session == nil ? duration(peer.nextAttempt - now.instant) : "<NEVER>") "
      + "heartbeat=\(state == .established ? "3s" : "<NEVER>") confirm=0 tx_hbt=\(peer.heartbeatsSent) "
      + "rx_hbt=\(peer.heartbeatsReceived) no_hbt=\(peer.lostHeartbeats) new_conn=\(peer.connections) "
      + "proto_err=\(peer.protocolErrors) coll=\(peer.collisions)\n        flags=0x0"
    text += "\n        shared tables:"
    for table in section.tables {
      let acknowledged = peer.acknowledged[table.id] ?? 0
      text +=
        "\n          \(address(table)) local_id=\(table.id) remote_id=\(peer.session?.remoteNumber(of: table) ?? 0) flags=0x0"
        + "\n              last_acked=\(acknowledged) last_pushed=\(peer.updatesSent) last_get=\(peer.session?.lastTaken(of: table) ?? 0)"
        + "\n              table:\(address(table.table)) id=\(table.table.name) update=\(table.lastUpdate) localupdate=\(table.lastUpdate)"
    }
    return text + "\n"
  }
}
