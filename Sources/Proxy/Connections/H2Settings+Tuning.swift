import Config
import HTTP

extension H2Settings {
  /// The defaults, changed by `tune.h2.*`.
  init(towardsClients global: GlobalSettings, _ limits: H1Limits) {
    self.init(global, global.http2.clients, limits)
    guard let held = global.http2.clients.receiveBuffer else { return }
    connectionWindow = UInt32(clamping: Swift.max(held, 65535))
    // As HAProxy: of what no other stream has, one may take seven eighths.
    streamWindow = Swift.max(initialWindow, connectionWindow / 8 * 7)
  }

  /// The window of each stream bounds what is held for it, so the connection's is as wide as all of them.
  init(towardsServers global: GlobalSettings, _ limits: H1Limits) {
    self.init(global, global.http2.servers, limits)
    let tuning = global.http2
    if let held = tuning.servers.receiveBuffer, tuning.servers.initialWindow == nil, tuning.initialWindow == nil {
      initialWindow = UInt32(clamping: Swift.max(16384, held / Int(maxConcurrentStreams)))
    }
    let (all, over) = initialWindow.multipliedReportingOverflow(by: maxConcurrentStreams)
    connectionWindow = over ? .max : all
  }

  private init(_ global: GlobalSettings, _ side: H2Tuning.Side, _ limits: H1Limits) {
    self.init()
    let both = global.http2
    maxHeadBytes = limits.maxHeadBytes
    maxFields = limits.maxFields
    if let n = side.maxConcurrentStreams ?? both.maxConcurrentStreams {
      maxConcurrentStreams = n == 0 ? 0x7FFF_FFFF : n
    }
    if let n = side.initialWindow ?? both.initialWindow {
      initialWindow = n
      streamWindow = n
    }
    if let n = both.headerTableSize { headerTableSize = n }
    // No frame is larger than a buffer.
    if let n = both.maxFrameSize { maxFrameSize = Swift.max(16384, Swift.min(n, UInt32(clamping: global.bufferSize))) }
    glitchesThreshold = side.glitchesThreshold
    maxTotalStreams = side.maxTotalStreams
    if side.maxFramesAtOnce > 0 { framesPerTurn = side.maxFramesAtOnce }
    if side.maxResetsAtOnce > 0 { resetsPerTurn = side.maxResetsAtOnce }
  }
}
