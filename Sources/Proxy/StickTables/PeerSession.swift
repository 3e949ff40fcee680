import Base
import Config
import Glibc
import NetIO
import Rules
import Synchronization
import TLS

/// One connection to or from a peer: the handshake, then tables both ways.
///
/// What is received is applied at once; what is to be sent is pulled while the socket takes it, so a slow peer
/// bounds what is held for it.
final class PeerSession: TransportOwner, TimerOwner {
  enum State { case connecting, handshaking, awaitingStatus, awaitingHello, established, closed }
  private enum HelloLine { case version, host, peer }

  private unowned let section: PeersSection
  let transport: Transport
  private(set) var state: State
  /// nil until an incoming connection has said who it is.
  private(set) var peer: RemotePeer?
  private let tls: TLSSession?
  private var reader = PeerReader()
  private var helloLine = HelloLine.version
  private let timer = Timer()
  private var lastSent: Instant
  private var lastReceived: Instant

  // What the peer told us.
  private var definitions: [UInt64: (definition: PeerTableDefinition, table: SharedTable?)] = [:]
  private var current: UInt64?
  private var texts: [Bytes?] = []
  /// By our table numbers: the last update taken, and the last acknowledged.
  private var taken: [UInt64: UInt32] = [:]
  private var acknowledged: [UInt64: UInt32] = [:]
  /// By our table numbers: the peer's own numbers, for acknowledgements.
  private var remoteNumbers: [UInt64: UInt64] = [:]

  // What we tell the peer.
  private var dictionary = PeerDictionary()
  private var positions: [Int] = []
  private var lastTable: UInt64?
  /// By our table numbers: the last update sent.
  private var pushed: [UInt64: UInt32] = [:]
  /// A full lesson under way: entries of each table, and how far it is.
  private var lesson: [(table: SharedTable, entries: [StickTable.Change], next: Int)]?
  private var lessonIsOver = false
  private(set) var isLearning = false
  private var asksForLesson = false
  private var confirmations = 0

  /// Octets gathered before the socket is asked to take them.
  private static let batch = 64 * 1024
  private static let heartbeatInterval = Timespan.seconds(3)
  /// Without a word for so long the peer is given up.
  private static let silence = Timespan.seconds(5)

  /// A connection that we open (`peer` given) or that came to us.
  init(_ section: PeersSection, _ descriptor: Int32, to peer: RemotePeer?, tls: TLSSession?) {
    self.section = section
    self.peer = peer
    self.tls = tls
    transport = Transport(descriptor: descriptor, worker: section.worker)
    state = peer == nil ? .handshaking : .connecting
    lastSent = section.worker.loop.now.instant
    lastReceived = lastSent
    section.activity.peers.add(1, ordering: .relaxed)
  }

  private var now: Instant { section.worker.loop.now.instant }
  private var time: Int64 { StickTable.time(now) }

  /// False when the loop cannot watch the connection.
  func start() -> Bool {
    transport.owner = self
    guard transport.register() else { return false }
    section.worker.loop.timers.set(timer, to: now + PeerSession.silence, owner: self)
    if state == .handshaking { beginHandshake() }
    return true
  }

  func transportReady(_ transport: Transport) {
    if state == .connecting {
      let code = transport.failure != 0 ? transport.failure : Socket.pendingError(transport.descriptor)
      if code != 0 { return close() }
      Socket.setNoDelay(transport.descriptor)
      beginHandshake()
    }
    if state == .handshaking { continueHandshake() }
    if state != .handshaking, state != .closed { receive() }
  }

  private func beginHandshake() {
    state = .handshaking
    if let tls { transport.startTLS(tls) }
    continueHandshake()
  }

  private func continueHandshake() {
    if tls != nil {
      guard transport.continueHandshake() == .done else {
        if transport.hasFailed { close() }
        return
      }
    }
    guard let peer else {
      state = .awaitingHello
      return
    }
    state = .awaitingStatus
    send(PeerWire.hello(remote: peer.name, local: section.localName, processID: Int(getpid())))
    push()
  }

  // MARK: Receiving

  private func receive() {
    while state != .closed {
      if transport.hasInput {
        reader.feed(transport.waiting)
        transport.consume(transport.waiting.count)
        lastReceived = now
        handleInput()
        continue
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return push()
      case .end, .failed: return close()
      }
    }
  }

  private func handleInput() {
    while true {
      switch state {
      case .awaitingHello, .awaitingStatus:
        guard case .line(let line) = readLine() else { return }
        if state == .awaitingStatus { statusReceived(line) } else { helloReceived(line) }
      case .established:
        switch reader.message() {
        case .message(let kind, let type, let body): messageReceived(kind, type, body)
        case .tooLong: return fail(.sizeLimit)
        default: return
        }
      default: return
      }
    }
  }

  private func readLine() -> PeerReader.Item {
    let item = reader.line()
    if item == .tooLong { close() }
    return item
  }

  private func helloReceived(_ line: String) {
    let words = line.split(separator: " ").map(String.init)
    switch helloLine {
    case .version:
      guard words.first == PeerWire.protocolName else { return refuse(.protocolError) }
      guard words.count == 2, words[1] == "2.0" || words[1] == "2.1" else { return refuse(.badVersion) }
      helloLine = .host
    case .host:
      guard line == section.localName else { return refuse(.wrongHost) }
      helloLine = .peer
    case .peer:
      guard words.count >= 2 else { return refuse(.protocolError) }
      guard let peer = section.peer(named: words[0]) else { return refuse(.unknownPeer) }
      guard section.mayReplace(peer, by: self) else { return refuse(.tryAgain) }
      self.peer = peer
      send(PeerWire.status(.success))
      establish(peer)
    }
  }

  private func statusReceived(_ line: String) {
    guard let peer else { return close() }
    peer.lastStatus = Int(line.prefix(3)) ?? 0
    guard peer.lastStatus == PeerWire.Status.success.rawValue else { return close() }
    establish(peer)
  }

  private func refuse(_ status: PeerWire.Status) {
    send(PeerWire.status(status))
    _ = transport.flush()
    close()
  }

  /// A malformed message: the peer is told, and the connection ends.
  private func fail(_ fault: PeerWire.Fault) {
    peer?.protocolErrors += 1
    section.reportFault(peer?.name ?? "?")
    send(PeerWire.fault(fault))
    _ = transport.flush()
    close()
  }

  private func establish(_ peer: RemotePeer) {
    state = .established
    section.activity.establishedPeers.add(1, ordering: .relaxed)
    peer.sessionEstablished(at: now)
    positions = section.tables.map { $0.position(after: peer.acknowledged[$0.id] ?? 0) }
    section.established(self, peer)
    armTimer()
  }

  // MARK: Messages

  private func messageReceived(_ kind: UInt8, _ type: UInt8, _ body: [UInt8]) {
    switch kind {
    case PeerWire.control: controlReceived(type)
    case PeerWire.error: close()
    case PeerWire.table:
      // Messages of later versions are skipped.
      if let type = PeerWire.Table(rawValue: type), !tableMessageReceived(type, body) { fail(.protocol) }
    case 255: fail(.protocol)
    default: break
    }
  }

  private func controlReceived(_ type: UInt8) {
    switch PeerWire.Control(rawValue: type) {
    case .resyncRequest: teach()
    case .resyncFinished, .resyncPartial:
      confirmations += 1
      if isLearning {
        isLearning = false
        section.lessonLearned(peer, isComplete: type == PeerWire.Control.resyncFinished.rawValue)
      }
    case .resyncConfirm:
      lesson = nil
      lessonIsOver = false
      // What changed meanwhile goes on from where the lesson began.
      section.lessonConfirmed(self)
    case .heartbeat: peer?.heartbeatsReceived += 1
    case nil: break
    }
  }

  /// False for what is malformed.
  private func tableMessageReceived(_ type: PeerWire.Table, _ body: [UInt8]) -> Bool {
    switch type {
    case .define:
      guard let definition = PeerTableDefinition(body) else { return false }
      let table = section.tables.first { $0.matches(definition) }
      if definitions.count >= 1024, definitions[definition.id] == nil { return false }
      definitions[definition.id] = (definition, table)
      if let table { remoteNumbers[table.id] = definition.id }
      current = definition.id
    case .switch:
      var cursor = PeerCursor(body)
      guard let id = cursor.integer() else { return false }
      current = id
    case .acknowledge:
      var cursor = PeerCursor(body)
      guard let id = cursor.integer(), let update = cursor.word32() else { return false }
      noteAcknowledged(id, update)
    case .update, .incremental, .timedUpdate, .timedIncremental:
      guard let current, let (definition, table) = definitions[current], let table else { return true }
      guard let update = PeerUpdate(body, type, definition, &texts) else { return false }
      let number = update.id ?? (taken[table.id] ?? 0) &+ 1
      if !isLearning { taken[table.id] = number }
      peer?.updatesReceived += 1
      table.learn(update, definition, now: time)
    }
    return true
  }

  private func noteAcknowledged(_ id: UInt64, _ update: UInt32) {
    guard let table = section.tables.first(where: { $0.id == id }), let peer else { return }
    // What was never sent cannot be acknowledged.
    guard Int32(bitPattern: table.lastUpdate &- update) >= 0 else { return }
    peer.acknowledged[id] = update
  }

  // MARK: Lessons

  /// Asks the peer for all that it knows.
  func learn() {
    isLearning = true
    asksForLesson = true
    push()
  }

  /// The peer is an older process of ours that tells all it knows by itself.
  func expectLesson() { isLearning = true }

  /// Tells the peer every entry of every table.
  func teach() {
    lesson = section.tables.map { ($0, $0.table.allEntries(), 0) }
    lessonIsOver = false
    lastTable = nil
    push()
  }

  // MARK: Sending

  private func send(_ octets: [UInt8]) {
    transport.assembly().appendGrowing(octets)
    lastSent = now
  }

  /// Sends what is due while the socket takes it.
  func push() {
    guard state != .closed, state != .connecting, state != .handshaking else { return }
    while !transport.isBlocked {
      if state == .established { gather() }
      let isEmpty = transport.gathered == 0
      let isSent = transport.flush()
      if transport.hasFailed { return close() }
      // What is left goes when the socket takes it.
      if isEmpty || !isSent { return }
    }
  }

  private func gather() {
    if asksForLesson {
      asksForLesson = false
      send(PeerWire.control(.resyncRequest))
    }
    sendAcknowledgements()
    while confirmations > 0 {
      confirmations -= 1
      send(PeerWire.control(.resyncConfirm))
    }
    if lesson != nil { sendLesson() } else if !isLearning { sendChanges() }
  }

  private func sendAcknowledgements() {
    for (id, update) in taken where acknowledged[id] != update {
      acknowledged[id] = update
      guard let remote = remoteNumbers[id] else { continue }
      var body: [UInt8] = []
      PeerWire.append(remote, to: &body)
      PeerWire.append32(update, to: &body)
      var out: [UInt8] = []
      PeerWire.message(.acknowledge, body, to: &out)
      send(out)
    }
  }

  private func sendChanges() {
    for (place, table) in section.tables.enumerated() where place < positions.count {
      while transport.gathered < PeerSession.batch,
        table.next(&positions[place], now: time, { append($0, $1, of: table) })
      {}
    }
  }

  private func sendLesson() {
    guard var lesson, !lessonIsOver else { return }
    for place in lesson.indices {
      while transport.gathered < PeerSession.batch, lesson[place].next < lesson[place].entries.count {
        let change = lesson[place].entries[lesson[place].next]
        lesson[place].next += 1
        let table = lesson[place].table
        _ = table.table.with(change, now: time) { append($0, $0.update, of: table) }
      }
    }
    let isComplete = lesson.allSatisfy { $0.next >= $0.entries.count }
    self.lesson = lesson
    guard isComplete else { return }
    lessonIsOver = true
    send(PeerWire.control(section.isUpToDate ? .resyncFinished : .resyncPartial))
  }

  /// One update, behind the definition of its table where another was spoken of.
  private func append(_ entry: StickEntry, _ update: UInt32, of table: SharedTable) {
    if let shard = peer?.shard, shard != table.table.peerShard(of: entry) { return }
    var out: [UInt8] = []
    if lastTable != table.id {
      lastTable = table.id
      PeerWire.message(.define, table.definition, to: &out)
    }
    PeerWire.message(.timedUpdate, table.encode(entry, update, &dictionary), to: &out)
    pushed[table.id] = update
    peer?.updatesSent += 1
    send(out)
  }

  // MARK: For show peers

  func remoteNumber(of table: SharedTable) -> UInt64? { remoteNumbers[table.id] }
  func lastTaken(of table: SharedTable) -> UInt32? { taken[table.id] }
  func lastPushed(of table: SharedTable) -> UInt32? { pushed[table.id] }
  /// A bit for each kind of data that the peer keeps of a table.
  func remoteData(of table: SharedTable) -> UInt64? {
    remoteNumbers[table.id].flatMap { definitions[$0] }.map { definition, _ in
      definition.stores.reduce(0) { $0 | 1 << UInt64($1.type.rawValue) }
    }
  }
  var sentTexts: [String] { dictionary.texts }
  var receivedTexts: [String?] { texts.map { $0?.string } }

  // MARK: Time and end

  private func armTimer() {
    let due = Swift.min(lastSent + PeerSession.heartbeatInterval, lastReceived + PeerSession.silence)
    section.worker.loop.timers.set(timer, to: Swift.max(due, now + .milliseconds(10)), owner: self)
  }

  func timerFired(_ timer: Timer) {
    guard state == .established else { return close() }
    if now >= lastReceived + PeerSession.silence {
      peer?.lostHeartbeats += 1
      return close()
    }
    if now >= lastSent + PeerSession.heartbeatInterval {
      send(PeerWire.control(.heartbeat))
      peer?.heartbeatsSent += 1
      push()
    }
    if state == .established { armTimer() }
  }

  func close() {
    guard state != .closed else { return }
    let wasEstablished = state == .established
    state = .closed
    section.activity.peers.subtract(1, ordering: .relaxed)
    if wasEstablished { section.activity.establishedPeers.subtract(1, ordering: .relaxed) }
    section.worker.loop.timers.cancel(timer)
    transport.close()
    section.sessionClosed(self, wasEstablished: wasEstablished)
  }
}
