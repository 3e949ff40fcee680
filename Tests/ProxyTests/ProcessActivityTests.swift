import Base
import HTTP
import Testing

@testable import Proxy

@Suite("What the process says of itself")
struct ProcessActivityTests {
  private func at(_ milliseconds: Int64) -> Instant { Instant(microseconds: milliseconds * 1000) }

  @Test("the rate of output is what was sent between two looks at least a second apart")
  func output() {
    let activity = ProcessActivity(since: at(0))
    #expect(activity.outputRate(3000, at: at(1500)) == 2000)
    // Too soon for another measurement.
    #expect(activity.outputRate(9000, at: at(2000)) == 2000)
    #expect(activity.outputRate(9000, at: at(3500)) == 3000)
    #expect(activity.outputRate(9000, at: at(60_000)) == 0)
    // Counters that were cleared.
    #expect(activity.outputRate(10, at: at(62_000)) == 0)
  }

  @Test("waiting threads are idle, and the share never leaves 0 to 100")
  func idle() {
    let activity = ProcessActivity(since: at(0))
    #expect((0...100).contains(activity.idleShare(threads: 2, at: at(1000))))
    #expect(activity.idleShare(threads: 2, at: at(10_000_000)) >= 99)
  }

  @Test("captured octets are shown in lines of 79 characters, each line of the message on its own")
  func dump() {
    let text = "GET /" + String(repeating: "x", count: 90) + " HTTP\u{1}\r\n\t\\é\u{1B}"
    #expect(
      CapturedError.dump(Array(text.utf8)) == """
          00000  GET /\(String(repeating: "x", count: 65))
          00070+ \(String(repeating: "x", count: 25)) HTTP\\x01\\r\\n
          00103  \\t\\\\\\xC3\\xA9\\e

        """)
    #expect(CapturedError.dump([]) == "")
  }

  @Test("a report names the proxy, the other side and the place of the fault")
  func report() {
    let error = CapturedError(
      number: 7, time: WallTime(microseconds: 0), source: .none,
      other: CapturedError.Name(name: "site", id: 2), server: CapturedError.Name(name: "s", id: 1),
      octets: Array("HTTP".utf8), fault: HTTPFault(502, .badVersion, at: 4))
    let text = error.text(of: CapturedError.Name(name: "app", id: 3), isResponse: true, bufferSize: 100)
    #expect(text.contains("] backend app (#3): invalid response\n  frontend site (#2), server s (#1), event #7, src "))
    #expect(text.contains("\n  buffer starts at 0 (including 0 out), 96 free,\n"))
    #expect(text.contains("\n  len 4, wraps at 100, error at position 4\n"))
    #expect(text.hasSuffix("\n  invalid version :\n  \n  00000  HTTP\n"))
  }

  @Test(
    "numbers of threads go together with the sums as the argument says",
    arguments: [(-1, "loops: 7 [ 3 4 ]\n"), (0, "loops: 7\n"), (2, "loops: 4\n")])
  func activity(_ thread: Int, _ line: String) {
    var report = ActivityReport()
    report.add([1, 3, 0, 0])
    report.add([0, 4, 0, 0])
    #expect(report.text(thread).contains(line))
  }
}
