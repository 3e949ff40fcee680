import Base
import Testing

@testable import NetIO

@Suite("SOCKS 4")
struct Socks4Tests {
  @Test("a request names an IPv4 address and its port")
  func request() {
    let octets = Socks4.request(to: .ip(.v4(0x0A00_0001), port: 0x1F90))
    #expect(octets == [4, 1, 0x1F, 0x90, 10, 0, 0, 1] + Array("HAProxy".utf8) + [0])
    #expect(Socks4.request(to: .ip(.v6(high: 1, low: 2), port: 1)) == nil)
    #expect(Socks4.request(to: .unix("/x")) == nil)
  }

  @Test(
    "eight octets are an answer, which grants or refuses",
    arguments: [
      ([0, 0x5A, 0, 0, 0, 0, 0, 0], Socks4.Answer.granted), ([0, 0x5B, 0, 0, 0, 0, 0, 0], .refused),
      ([4, 0x5A, 0, 0, 0, 0, 0, 0], .refused), ([0, 0x5A, 0, 0, 0, 0, 0], .incomplete), ([], .incomplete),
    ] as [([UInt8], Socks4.Answer)])
  func answers(_ octets: [UInt8], _ answer: Socks4.Answer) { #expect(Socks4.answer(octets.span) == answer) }
}
