import Base
import Testing

@testable import HTTP

/// What `tune.h2.*` bounds, and the PINGs of `idle-ping`.
@Suite("limits of HTTP/2 sessions")
struct H2LimitTests {
  @Test("a client is told to open another connection when it has had its requests, and loses none that it sends")
  func totalStreams() {
    var settings = H2Settings()
    settings.maxTotalStreams = 3
    let pair = H2Pair(settings: settings)
    pair.recorder.answersAtOnce = false
    let ids = (0..<4).map { _ in pair.client.request(H2Client.get) }
    pair.run()
    #expect(pair.client.goAway == 0)
    #expect(pair.outcome == .open)
    for id in ids { pair.recorder.answer(id) }
    pair.run()
    for id in ids { #expect(pair.client.answers[id]?.body == Array("ok".utf8)) }
    #expect(!pair.session.wantsRead)
  }

  @Test("a client that goes on in spite of that is served no more than may have been on their way")
  func totalStreamsIgnored() {
    var settings = H2Settings()
    settings.maxTotalStreams = 3
    settings.maxConcurrentStreams = 2
    let pair = H2Pair(settings: settings)
    pair.recorder.answersAtOnce = false
    pair.inject(H2Preface.octets + H2Frames.settings())
    let drain = ByteBuffer()
    for i in 0..<20 as Range<UInt32> {
      pair.inject(H2Frames.headers(1 + 2 * i, H2Client.get, ends: true))
      if i > 0, pair.recorder.requests[Int32(2 * i - 1)] != nil { pair.recorder.answer(Int32(2 * i - 1)) }
      _ = pair.session.pull(into: drain, upTo: 1 << 20)
    }
    #expect(pair.recorder.requests.count == 5)
  }

  @Test("three quarters of the glitches retire a session, all of them end it")
  func glitches() {
    var settings = H2Settings()
    settings.glitchesThreshold = 4
    let pair = H2Pair(settings: settings)
    for count in 1...4 {
      pair.client.request(H2Tests.with([], [("x y", "z")]))
      pair.run()
      #expect(pair.session.glitches == count)
      #expect((pair.client.goAway != nil) == (count >= 3))
      if count == 3 { #expect(pair.client.goAway == 0) }
      if pair.outcome != .open { break }
    }
    #expect(pair.outcome != .open)
  }

  @Test("a turn has no more frames, and no more resets, than it may", arguments: [(3, Int.max), (Int.max, 2), (1, 1)])
  func turns(_ frames: Int, _ resets: Int) {
    var settings = H2Settings()
    settings.framesPerTurn = frames
    settings.resetsPerTurn = resets
    let pair = H2Pair(settings: settings)
    pair.recorder.answersAtOnce = false
    var octets = H2Preface.octets + H2Frames.settings()
    for i in 0..<10 as Range<UInt32> {
      octets += H2Frames.headers(1 + 2 * i, H2Client.post) + H2Frames.data(1 + 2 * i, "some of the body")
      octets += H2Frames.reset(1 + 2 * i, 8)
    }
    var at = 0
    var turns = 0
    while at < octets.count, turns < 1000 {
      let (outcome, used) = pair.session.receiveTurn(Bytes(octets, in: at..<octets.count).span)
      #expect(outcome == .open)
      #expect(used > 0)
      #expect(pair.session.framesInTurn <= frames)
      #expect(pair.session.resetsInTurn <= resets)
      at += used
      turns += 1
    }
    #expect(at == octets.count)
    #expect(pair.recorder.requests.count == 10)
    #expect(turns >= Swift.max(31 / Swift.min(frames, 31), 10 / Swift.min(resets, 10)))
  }

  @Test("larger frames are taken where they are announced, and are an error elsewhere")
  func frameSize() {
    for (size, isTaken) in [(16384, false), (32768, true)] as [(UInt32, Bool)] {
      var settings = H2Settings()
      settings.maxFrameSize = size
      let pair = H2Pair(settings: settings)
      pair.recorder.answersAtOnce = false
      let output = ByteBuffer()
      _ = pair.session.pull(into: output, upTo: 65536)
      pair.inject(
        H2Preface.octets + H2Frames.settings() + H2Frames.frame(4, flags: 1)
          + H2Frames.headers(1, H2Client.post)
          + H2Frames.frame(0, flags: 1, stream: 1, [UInt8](repeating: 1, count: 30_000)))
      #expect((pair.recorder.requests[1]?.body.count == 30_000) == isTaken)
    }
  }

  @Test("a PING waits for its answer, which costs the peer nothing")
  func ping() {
    let pair = H2Pair()
    for _ in 0..<10_000 {
      pair.session.ping()
      #expect(pair.session.awaitsPong)
      pair.run()
      guard !pair.session.awaitsPong else { break }
    }
    #expect(!pair.session.awaitsPong)
    #expect(pair.outcome == .open)
    pair.session.terminate(0)
    pair.session.ping()
    #expect(!pair.session.awaitsPong)
  }
}
