import Base
import Config
import Testing

@Suite("Stick table lines")
struct StickTableLineTests {
  private func load(_ line: String) -> LoadedConfiguration { Loading.load("backend b\n  \(line)\n") }

  @Test("every word of a stick-table line is kept")
  func whole() throws {
    let loaded = load(
      "stick-table type string len 64 size 2k expire 5m nopurge recv-only write-to x srvkey addr "
        + "store gpc(3),gpc_rate(2,10s) store conn_cur,http_req_rate(30s) brates-factor 8 peers p")
    #expect(!loaded.diagnostics.hasErrors)
    let table = try #require(loaded.configuration.proxies[0].stickTable)
    #expect(table.name == "b" && table.keyType == .string && table.keyLength == 64 && table.size == 2048)
    #expect(table.expire == .seconds(300) && table.refusesToPurge && table.isReceiveOnly)
    #expect(table.writeTo?.text == "x" && table.peers?.text == "p" && table.byteRateFactor == 8)
    #expect(table.stores.map(\.type) == [.gpc, .gpcRate, .currentConnections, .requestRate])
    #expect(table.stores.map(\.count) == [3, 2, 1, 1])
    #expect(table.stores.map(\.period) == [0, 10_000, 0, 30_000])
  }

  @Test(
    "types have their usual lengths",
    arguments: [("ip", 4), ("ipv4", 4), ("ipv6", 16), ("integer", 4), ("string", 31), ("binary", 32)])
  func lengths(type: String, length: Int) {
    #expect(load("stick-table type \(type) size 1").configuration.proxies[0].stickTable?.keyLength == length)
  }

  @Test(
    "a mistake in a stick-table line is named",
    arguments: [
      ("type ip", "missing size"), ("size 10", "missing type"), ("type ipp size 10", "unknown type 'ipp'"),
      ("type ip size x", "unexpected character"),
      ("type ip size 10 store gpc9", "unknown store option 'gpc9'"),
      ("type ip size 10 store conn_rate", "missing argument to store option 'conn_rate'"),
      ("type ip size 10 store conn_rate(10s", "missing closing parenthesis"),
      ("type ip size 10 store conn_cnt(10s)", "unexpected argument to store option 'conn_cnt'"),
      ("type ip size 10 store gpc(101)", "array size is out of allowed range (1-100)"),
      ("type ip size 10 store gpc(2),gpc0", "simultaneous usage of 'gpc' and 'gpc[0/1]'"),
      ("type ip size 10 store conn_rate(x)", "error when processing store option 'conn_rate'"),
      ("type ip size 10 expire 5y", "unexpected character 'y'"),
      ("type ip size 10 srvkey x", "unknown server key"),
      ("type string len 0 size 10", "'len' expects a positive integer"),
      ("type ip size 10 nopurg", "unknown argument 'nopurg'"),
      ("type ip size 10 brates-factor 2000", "must be greater than 0 and lower or equal than 1024"),
    ])
  func mistakes(line: String, message: String) {
    let messages = load("stick-table " + line).diagnostics.all.map(\.message)
    #expect(messages.contains { $0.contains(message) }, "\(messages)")
  }

  @Test("a peers section keeps its peers, its bind line and its tables under both their names")
  func peers() throws {
    let loaded = Loading.load(
      """
      peers p
        bind :1024
        server here
        peer there 10.0.0.2:1024
        table t type ip size 10 store gpc0

      """)
    #expect(!loaded.diagnostics.hasErrors)
    let section = try #require(loaded.configuration.peers.first)
    #expect(section.peers.map(\.name) == ["here", "there"])
    #expect(section.peers.map { $0.server == nil } == [true, false])
    #expect(section.tables.map(\.name) == ["p/t"] && section.tables.map(\.wireName) == ["/t"])
  }

  @Test("status codes are added, taken away and replaced")
  func statusCodes() {
    let loaded = Loading.load(
      "global\n  http-err-codes 220 +300-499 -300-399\n  http-fail-codes -550-580 +555\n")
    #expect(!loaded.diagnostics.hasErrors)
    let classes = loaded.configuration.global.statusClasses
    #expect(
      [220, 300, 399, 400, 499, 500].map(classes.errors.contains) == [true, false, false, true, true, false])
    #expect([500, 501, 551, 555].map(classes.failures.contains) == [true, false, false, true])
  }
}
