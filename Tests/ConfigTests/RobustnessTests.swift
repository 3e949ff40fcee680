import Config
import Glibc
import Testing

@Suite("Hostile configuration texts")
struct RobustnessTests {
  static let sample = """
    global
      log 127.0.0.1:514 len 80 sample 1-2:3 local0 info
      stats socket /x mode 600 level admin
      setenv A "b c"
    .if defined(A) && !streq("$A",x)
    defaults d
      mode http
      timeout client 5s
      option httpchk GET /x HTTP/1.1\\r\\nHost:\\ x
      errorloc 503 /x
    .endif
    listen l from d
      bind [::1]:80-82,unix@/y ssl crt z alpn h2,http/1.1 mode 600
      cookie c insert maxidle 5s domain x
      balance hdr(host)
      hash-type consistent crc32 avalanche
      stats auth a:b
      server s "${A[*]}" check inter 5s weight 3 source 1.2.3.4:5-6 interface eth0
      server-template t 1-3 10.0.0.1:80 track l/s
      compression algo gzip
    userlist u
      user a password b groups c
    crt-store s
      load crt a alias b

    """

  @Test("a text cut at any octet does not trap")
  func truncated() {
    let octets = Array(RobustnessTests.sample.utf8)
    for end in octets.indices { _ = Loading.load(Array(octets[..<end])) }
  }

  @Test("a line feed put at any octet does not trap")
  func split() {
    let octets = Array(RobustnessTests.sample.utf8)
    for place in octets.indices { _ = Loading.load(octets[..<place] + [0x0A] + octets[place...]) }
  }

  @Test(
    "any octet changed to one that means something does not trap", arguments: Array("\"'\\$#:-0@,{(\0\n".utf8)
  )
  func changed(octet: UInt8) {
    var octets = Array(RobustnessTests.sample.utf8)
    for place in octets.indices {
      let before = octets[place]
      octets[place] = octet
      _ = Loading.load(octets)
      octets[place] = before
    }
  }

  @Test("the fuzzer's corpus does not trap")
  func corpus() {
    let folder =
      String(#filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
      + "../Fuzz/corpus/config"
    let io = ConfigurationIO.system()
    for name in io.entries(folder) ?? [] {
      if case .octets(let text) = io.read(folder + "/" + name) { _ = Loading.load(text) }
    }
  }
}
