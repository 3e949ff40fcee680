import Base
import Config
import HTTP
import Testing

@testable import Proxy

@Suite("tune.h2")
struct H2TuningTests {
  private func settings(_ line: String) -> (clients: H2Settings, servers: H2Settings) {
    let (configuration, _, _) = Checks.configuration("global\n  tune.bufsize 65536\n  \(line)\n")
    let global = configuration.global
    return (
      H2Settings(towardsClients: global, H1Limits()), H2Settings(towardsServers: global, H1Limits())
    )
  }

  static let lines: [(String, @Sendable (H2Settings, H2Settings) -> Bool)] = [
    ("tune.h2.fe.max-concurrent-streams 7", { $0.maxConcurrentStreams == 7 && $1.maxConcurrentStreams == 100 }),
    ("tune.h2.be.max-concurrent-streams 7", { $0.maxConcurrentStreams == 100 && $1.maxConcurrentStreams == 7 }),
    ("tune.h2.max-concurrent-streams 7", { $0.maxConcurrentStreams == 7 && $1.maxConcurrentStreams == 7 }),
    ("tune.h2.max-concurrent-streams 0", { $0.maxConcurrentStreams == 0x7FFF_FFFF && $1.capacityIsUnbounded }),
    ("tune.h2.fe.initial-window-size 70000", { $0.initialWindow == 70000 && $1.initialWindow == 65536 }),
    ("tune.h2.initial-window-size 70000", { $0.initialWindow == 70000 && $1.initialWindow == 70000 }),
    (
      "tune.h2.fe.rxbuf 1m", { $0.connectionWindow == 1 << 20 && $0.streamWindow == 917_504 && $1.connectionWindow > 1 }
    ),
    ("tune.h2.be.rxbuf 3200k", { $0.connectionWindow == 262_144 && $1.initialWindow == 32768 }),
    ("tune.h2.be.rxbuf 1k", { $0.initialWindow == 65536 && $1.initialWindow == 16384 }),
    ("tune.h2.header-table-size 8192", { $0.headerTableSize == 8192 && $1.headerTableSize == 8192 }),
    ("tune.h2.max-frame-size 32768", { $0.maxFrameSize == 32768 && $1.maxFrameSize == 32768 }),
    ("tune.h2.max-frame-size 1000000", { $0.maxFrameSize == 65536 && $1.maxFrameSize == 65536 }),
    ("tune.h2.fe.glitches-threshold 9", { $0.glitchesThreshold == 9 && $1.glitchesThreshold == 0 }),
    ("tune.h2.be.glitches-threshold 9", { $0.glitchesThreshold == 0 && $1.glitchesThreshold == 9 }),
    ("tune.h2.fe.max-frames-at-once 9", { $0.framesPerTurn == 9 && $1.framesPerTurn == .max }),
    ("tune.h2.be.max-frames-at-once 9", { $0.framesPerTurn == .max && $1.framesPerTurn == 9 }),
    ("tune.h2.fe.max-rst-at-once 9", { $0.resetsPerTurn == 9 && $1.resetsPerTurn == .max }),
    ("tune.h2.fe.max-rst-at-once 0", { $0.resetsPerTurn == .max && $1.resetsPerTurn == .max }),
    ("tune.h2.fe.max-total-streams 9", { $0.maxTotalStreams == 9 && $1.maxTotalStreams == 0 }),
  ]

  @Test("each setting goes where it belongs", arguments: lines.indices)
  func goes(_ index: Int) {
    let (line, holds) = Self.lines[index]
    let (clients, servers) = settings(line)
    #expect(holds(clients, servers), "\(line): \(clients) \(servers)")
  }
}

extension H2Settings {
  fileprivate var capacityIsUnbounded: Bool { maxConcurrentStreams == 0x7FFF_FFFF && connectionWindow == .max }
}
