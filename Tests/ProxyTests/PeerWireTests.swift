import Base
import Config
import Rules
import Testing

@testable import Proxy

@Suite("Peers' protocol") struct PeerWireTests {
  @Test(
    "integers take as few octets as they can and come back",
    arguments: [
      (UInt64(0), 1), (239, 1), (240, 2), (2287, 2), (2288, 3), (264_431, 3), (264_432, 4), (33_818_864, 5),
      (UInt64(UInt32.max), 5), (UInt64.max, 10),
    ])
  func integers(value: UInt64, length: Int) {
    var octets: [UInt8] = []
    PeerWire.append(value, to: &octets)
    #expect(octets.count == length)
    var cursor = PeerCursor(octets)
    #expect(cursor.integer() == value)
    #expect(cursor.isAtEnd)
    for cut in 0..<octets.count {
      var short = PeerCursor(Array(octets.prefix(cut)))
      #expect(short.integer() == nil)
    }
  }

  private static let stores: [StickTableSettings.Store] = [
    .init(type: .serverID), .init(type: .requestRate, period: 10_000), .init(type: .serverKey),
    .init(type: .gpc, count: 3), .init(type: .gpcRate, count: 2, period: 1000),
  ]

  private func shared(_ type: StickTableSettings.KeyType = .string, _ length: Int = 16) -> SharedTable {
    var settings = StickTableSettings(name: "t", wireName: "t", location: .none)
    settings.keyType = type
    settings.keyLength = length
    settings.size = 100
    settings.expire = .seconds(60)
    settings.stores = PeerWireTests.stores
    return SharedTable(StickTable(settings, now: Instant(microseconds: 0)), id: 1, writeTo: nil)
  }

  @Test("a table's definition comes back, and nothing shorter is taken for one")
  func definitions() throws {
    let body = shared().definition
    let definition = try #require(PeerTableDefinition(body))
    #expect(definition.name == "t" && definition.keyType == 6 && definition.keyLength == 17)
    #expect(definition.stores.map(\.type) == PeerWireTests.stores.map(\.type))
    #expect(definition.stores.map(\.count) == [1, 1, 1, 3, 2])
    #expect(shared().matches(definition))
    for cut in 0..<(body.count - 12) { #expect(PeerTableDefinition(Array(body.prefix(cut))) == nil) }
  }

  @Test(
    "an entry goes over the wire and is the same in another table",
    arguments: [
      (StickTableSettings.KeyType.string, 16, "some key"), (.ipv4, 4, "10.1.2.3"), (.ipv6, 16, "2001:db8::7"),
      (.integer, 4, "123456"),
    ])
  func entries(type: StickTableSettings.KeyType, length: Int, key: String) throws {
    let (from, to) = (shared(type, length), shared(type, length))
    from.table.noteChanges {}
    let name = StickServerKeys.number(of: "server-1")
    from.table.withKey(text: Bytes(key)) { octets in
      from.table.change(creating: octets, now: 5000) { entry in
        entry.set(.serverID, to: 7)
        entry.set(.serverKey, to: Int64(name))
        for _ in 0..<4 { entry.add(.requestRate) }
        entry.add(.gpc, 2, 300)
        entry.add(.gpcRate, 1, 9)
      }
    }
    from.gather()
    var bodies: [[UInt8]] = []
    var dictionary = PeerDictionary()
    var position = 0
    while from.next(&position, now: 6000, { bodies.append(from.encode($0, $1, &dictionary)) }) {}
    let body = try #require(bodies.first)
    let definition = try #require(PeerTableDefinition(from.definition))
    var texts: [Bytes?] = []
    let update = try #require(PeerUpdate(body, .timedUpdate, definition, &texts))
    #expect(update.id == 1 && update.remaining == 59_000)
    to.learn(update, definition, now: 106_000)
    let seen = to.table.withKey(text: Bytes(key)) { octets in
      to.table.with(octets, now: 106_100) { entry -> [Int64?] in
        [
          entry.value(.serverID), entry.value(.serverKey), entry.value(.requestRate), entry.value(.gpc, 2),
          entry.value(.gpcRate, 1), to.table.remaining(entry),
        ]
      }
    }
    #expect(seen == [7, Int64(name), 4, 300, 8, 58_900])
    for cut in 0..<body.count {
      var texts: [Bytes?] = []
      #expect(PeerUpdate(Array(body.prefix(cut)), .timedUpdate, definition, &texts) == nil)
    }
  }

  @Test("connections of now are learned by a table that only receives, and by no other", arguments: [true, false])
  func receiveOnly(isReceiveOnly: Bool) throws {
    var settings = StickTableSettings(name: "t", wireName: "t", location: .none)
    settings.keyType = .integer
    settings.keyLength = 4
    settings.size = 10
    settings.stores = [.init(type: .currentConnections), .init(type: .connectionCount)]
    let from = SharedTable(StickTable(settings, now: Instant(microseconds: 0)), id: 1, writeTo: nil)
    settings.isReceiveOnly = isReceiveOnly
    let to = SharedTable(StickTable(settings, now: Instant(microseconds: 0)), id: 1, writeTo: nil)
    let seen = try taught(
      from, to, key: "7",
      fill: { entry in
        entry.set(.currentConnections, to: 5)
        entry.set(.connectionCount, to: 9)
      }
    ) { entry in [entry.value(.currentConnections), entry.value(.connectionCount)] }
    #expect(seen == [isReceiveOnly ? 5 : 0, 9])
  }

  @Test("write-to: what is never calculated with goes to a second table, what is counted does not")
  func writesTo() throws {
    var settings = StickTableSettings(name: "local", wireName: "local", location: .none)
    settings.keyType = .integer
    settings.keyLength = 4
    settings.size = 10
    settings.stores = [
      .init(type: .serverID), .init(type: .serverKey), .init(type: .gpt, count: 2), .init(type: .gpc0),
      .init(type: .requestRate, period: 1000),
    ]
    let local = StickTable(settings, now: Instant(microseconds: 0))
    settings.name = "t"
    settings.wireName = "t"
    let from = SharedTable(StickTable(settings, now: Instant(microseconds: 0)), id: 1, writeTo: nil)
    let to = SharedTable(StickTable(settings, now: Instant(microseconds: 0)), id: 1, writeTo: local)
    let name = Int64(StickServerKeys.number(of: "web-1"))
    func values(_ entry: StickEntry) -> [Int64?] {
      [
        entry.value(.serverID), entry.value(.serverKey), entry.value(.gpt, 1), entry.value(.gpc0),
        entry.value(.requestRate),
      ]
    }
    let seen = try taught(
      from, to, key: "7",
      fill: { entry in
        entry.set(.serverID, to: 3)
        entry.set(.serverKey, to: name)
        entry.set(.gpt, 1, to: 8)
        entry.set(.gpc0, to: 6)
        entry.add(.requestRate)
      }, values)
    #expect(seen == [3, name, 8, 6, 1])
    let second = local.withKey(text: "7") { local.with($0, now: 2000, values) }
    #expect(second == [3, name, 8, 0, 0])
  }

  /// What `read` sees in `to` once `from` has told it of an entry.
  private func taught(
    _ from: SharedTable, _ to: SharedTable, key: Bytes, fill: (StickEntry) -> Void,
    _ read: (StickEntry) -> [Int64?]
  ) throws -> [Int64?] {
    from.table.noteChanges {}
    from.table.withKey(text: key) { from.table.change(creating: $0, now: 1000, fill) }
    from.gather()
    var body: [UInt8]?
    var dictionary = PeerDictionary()
    var position = 0
    _ = from.next(&position, now: 1000) { body = from.encode($0, $1, &dictionary) }
    let definition = try #require(PeerTableDefinition(from.definition))
    var texts: [Bytes?] = []
    let message = try #require(body)
    let update = try #require(PeerUpdate(message, .timedUpdate, definition, &texts))
    to.learn(update, definition, now: 2000)
    return try #require(to.table.withKey(text: key) { to.table.with($0, now: 2000, read) })
  }

  @Test("a text of the dictionary is sent once and then by its number")
  func dictionary() {
    var sender = PeerDictionary()
    let number = Int64(StickServerKeys.number(of: "web-7"))
    var first: [UInt8] = []
    var second: [UInt8] = []
    sender.append(number, to: &first)
    sender.append(number, to: &second)
    #expect(first == [7, 1, 5] + Array("web-7".utf8))
    #expect(second == [1, 1])
  }

  @Test("a changed entry is told once, however often it changed before it was told")
  func coalesces() {
    let table = shared(.integer, 4)
    table.table.noteChanges {}
    for _ in 0..<3 {
      for key in 1...2 {
        _ = table.table.withKey(text: Bytes(String(key))) {
          table.table.change(creating: $0, now: 0) { $0.add(.gpc) }
        }
      }
      table.gather()
    }
    var told: [UInt32] = []
    var position = 0
    while table.next(&position, now: 0, { told.append($1) }) {}
    #expect(told == [5, 6])
    #expect(table.position(after: 5) == position - 1)
  }

  @Test("lines and messages are the same whether they come whole or octet by octet")
  func reader() {
    var octets = Array("HAProxyS 2.1\nB\n".utf8)
    octets += PeerWire.control(.heartbeat)
    PeerWire.message(.define, Array(repeating: 7, count: 300), to: &octets)
    PeerWire.message(.update, [], to: &octets)
    func items(_ pieces: [[UInt8]]) -> [PeerReader.Item] {
      var reader = PeerReader()
      var items: [PeerReader.Item] = []
      for piece in pieces {
        piece.withUnsafeBytes { reader.feed($0) }
        while true {
          let item = items.count < 2 ? reader.line() : reader.message()
          if item == .needMore { break }
          items.append(item)
        }
      }
      return items
    }
    let whole = items([octets])
    #expect(whole.count == 5)
    #expect(items(octets.map { [$0] }) == whole)
    for cut in 1..<octets.count { #expect(items([Array(octets[..<cut]), Array(octets[cut...])]) == whole) }
  }

  @Test("a length beyond all bounds is refused at once")
  func tooLong() {
    var reader = PeerReader()
    var octets: [UInt8] = [10, 0x80]
    PeerWire.append(1 << 40, to: &octets)
    octets.withUnsafeBytes { reader.feed($0) }
    #expect(reader.message() == .tooLong)
    var endless = PeerReader()
    Array(repeating: UInt8(0x41), count: 300).withUnsafeBytes { endless.feed($0) }
    #expect(endless.line() == .tooLong)
  }

  @Test("random octets never trap")
  func random() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let body = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
        UInt8.random(in: .min ... .max, using: &generator)
      }
      var texts: [Bytes?] = []
      if let definition = PeerTableDefinition(body) { _ = PeerUpdate(body, .update, definition, &texts) }
      _ = PeerUpdate(
        body, .timedIncremental,
        PeerTableDefinition(
          id: 1, name: "t", keyType: 6, keyLength: 5,
          stores: [.init(type: .serverKey, count: 1), .init(type: .gpcRate, count: 2)]), &texts)
    }
  }
}

@Suite("Persistence cookies") struct PersistenceCookieTests {
  @Test("dates stand behind the server's name, and come back to within four seconds")
  func dates() {
    var settings = CookieSettings(name: "SRV")
    settings.maxIdle = .seconds(60)
    settings.maxLife = .seconds(3600)
    let text = PersistenceCookie.value(server: "s1", settings, firstSeen: 1_700_000_000, at: 1_700_000_100)
    let cookie = PersistenceCookie(Bytes(text))
    #expect(cookie.server == "s1")
    #expect((0...3).contains(cookie.lastSeen - 1_700_000_100))
    #expect((0...3).contains(cookie.firstSeen - 1_700_000_000))
    #expect(cookie.isTooOld(settings, at: 1_700_000_100) == nil)
    #expect(cookie.isTooOld(settings, at: 1_700_000_200) == .expired)
    #expect(cookie.isTooOld(settings, at: 1_700_003_700) == .old)
    #expect(cookie.isTooOld(settings, at: 1_699_000_000) == .old)
  }

  @Test("what is no date is none", arguments: ["s1", "s1|", "s1|abc", "s1|!!!!!", "s1||", "s1|AAAAA|"])
  func noDates(text: String) {
    let cookie = PersistenceCookie(Bytes(text))
    #expect(cookie.server == "s1" && cookie.lastSeen == 0 && cookie.firstSeen == 0)
  }
}
