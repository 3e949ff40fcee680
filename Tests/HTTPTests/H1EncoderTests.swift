import Base
import HTTP
import Testing

@Suite("HTTP/1 encoder")
struct H1EncoderTests {
  static func request(
    _ text: String, _ framing: BodyFraming, _ connection: H1Encoder.Connection, caseMap: H1CaseMap? = nil
  ) -> String {
    let (_, head) = parseRequest(Array(text.utf8))
    let output = ByteBuffer()
    H1Encoder.writeRequest(head, framing: framing, connection: connection, caseMap: caseMap, into: output)
    return String(decoding: output.readableBytes, as: UTF8.self)
  }

  static func response(
    _ text: String, _ framing: BodyFraming, _ connection: H1Encoder.Connection, toHead: Bool = false
  ) -> String {
    let (_, head) = parseResponse(Array(text.utf8), method: toHead ? "HEAD" : "GET", upgradeOffered: true)
    let output = ByteBuffer()
    H1Encoder.writeResponse(head, framing: framing, connection: connection, toHead: toHead, into: output)
    return String(decoding: output.readableBytes, as: UTF8.self)
  }

  @Test("framing and connection fields are the caller's, names in lower case")
  func request() {
    #expect(
      Self.request("POST / HTTP/1.1\r\nHost: H\r\nContent-Length: 05\r\nA: b\r\n\r\n", .length(5), .none)
        == "POST / HTTP/1.1\r\nhost: H\r\ncontent-length: 5\r\na: b\r\n\r\n")
    #expect(
      Self.request("POST / HTTP/1.1\r\nHost: H\r\n\r\n", .chunked, .close)
        == "POST / HTTP/1.1\r\nhost: H\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
    #expect(
      Self.request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .chunked, .none)
        == "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nhost: \r\n\r\n")
    #expect(Self.request("GET / HTTP/1.0\r\n\r\n", .none, .none) == "GET / HTTP/1.0\r\n\r\n")
  }

  @Test("fields about the connection stay behind, with those that Connection names")
  func hopByHop() {
    let text =
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-Secret, Cookie\r\nX-Secret: 1\r\nCookie: a=b\r\n"
      + "Keep-Alive: 5\r\nProxy-Connection: close\r\nTE: gzip, trailers\r\nUpgrade: h2c\r\n\r\n"
    #expect(
      Self.request(text, .none, .none) == "GET / HTTP/1.1\r\nhost: h\r\ncookie: a=b\r\nte: trailers\r\n\r\n")
    let upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    #expect(
      Self.request(upgrade, .none, .upgrade)
        == "GET / HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
  }

  @Test("names are spelled as the case map says")
  func caseMap() {
    let map = H1CaseMap(["host": "HOST", "content-length": "Content-Length", "a": "Other"])
    #expect(
      Self.request("POST / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n", .length(7), .none, caseMap: map)
        == "POST / HTTP/1.1\r\nHOST: h\r\na: b\r\nContent-Length: 7\r\n\r\n")
  }

  @Test("a response says its length exactly once, and none where none belongs")
  func response() {
    #expect(
      Self.response("HTTP/1.1 200 OK\r\n\r\n", .none, .none) == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    )
    #expect(
      Self.response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", .none, .keepAlive, toHead: true)
        == "HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: keep-alive\r\n\r\n")
    #expect(Self.response("HTTP/1.1 204 No\r\n\r\n", .none, .none) == "HTTP/1.1 204 No\r\n\r\n")
    #expect(
      Self.response("HTTP/1.1 304 N\r\nContent-Length: 7\r\n\r\n", .none, .none)
        == "HTTP/1.1 304 N\r\ncontent-length: 7\r\n\r\n")
    #expect(
      Self.response("HTTP/1.0 200 OK\r\n\r\n", .untilClose, .close)
        == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
  }

  @Test("chunk size lines are hexadecimal without leading zeros", arguments: [1, 15, 16, 255, 4096, 65535])
  func chunkHeader(_ size: Int) {
    let output = ByteBuffer()
    H1Encoder.writeChunkHeader(size: size, into: output)
    #expect(String(decoding: output.readableBytes, as: UTF8.self) == String(size, radix: 16) + "\r\n")
  }
}
