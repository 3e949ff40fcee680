import Base

/// `tune.h2.*` (manual chapter 3.2): HTTP/2 with clients (`fe`), with servers (`be`), or both.
public struct H2Tuning: Sendable {
  public struct Side: Sendable {
    /// Requests at once on a connection; 0 for any number.
    public var maxConcurrentStreams: UInt32?
    /// Octets of a body that the peer may send ahead.
    public var initialWindow: UInt32?
    /// Octets of bodies held for a connection.
    public var receiveBuffer: Int?
    /// Glitches that end a connection; 0 for any number.
    public var glitchesThreshold = 0
    /// Frames, and resets among them, that are looked at in one turn; 0 for any number.
    public var maxFramesAtOnce = 0
    public var maxResetsAtOnce = 0
    /// Requests of a connection, after which its client is told to open another; 0 for any number.
    public var maxTotalStreams = 0
  }

  public var clients = Side()
  public var servers = Side()
  /// What neither side has for itself.
  public var maxConcurrentStreams: UInt32?
  public var initialWindow: UInt32?
  public var headerTableSize: UInt32?
  public var maxFrameSize: UInt32?
  /// Bodies are framed where they were received.
  public var lendsBodies = true
  /// Which errors of clients are logged: those that end a connection, or all.
  public enum LoggedErrors: String, CaseIterable, Sendable { case none, connection, stream }
  public var loggedErrors = LoggedErrors.stream

  public init() {}
}

extension GlobalKeywords {
  static let http2: [Keyword<GlobalSettings>] = [
    number("tune.h2.fe.max-concurrent-streams", "Requests at once of a client's connection.") {
      $0.clients.maxConcurrentStreams = UInt32(clamping: $1)
    },
    number("tune.h2.be.max-concurrent-streams", "Requests at once on a connection to a server.") {
      $0.servers.maxConcurrentStreams = UInt32(clamping: $1)
    },
    number("tune.h2.max-concurrent-streams", "The same for both.") { $0.maxConcurrentStreams = UInt32(clamping: $1) },
    number("tune.h2.fe.initial-window-size", "Octets of a body that a client may send ahead.") {
      $0.clients.initialWindow = UInt32(clamping: $1)
    },
    number("tune.h2.be.initial-window-size", "Octets of a body that a server may send ahead.") {
      $0.servers.initialWindow = UInt32(clamping: $1)
    },
    number("tune.h2.initial-window-size", "The same for both.") { $0.initialWindow = UInt32(clamping: $1) },
    size("tune.h2.fe.rxbuf", "Octets of request bodies held for a client's connection.") {
      $0.clients.receiveBuffer = $1
    },
    size("tune.h2.be.rxbuf", "Octets of response bodies held for a connection to a server.") {
      $0.servers.receiveBuffer = $1
    },
    number("tune.h2.fe.glitches-threshold", "Glitches that end a client's connection.") {
      $0.clients.glitchesThreshold = $1
    },
    number("tune.h2.be.glitches-threshold", "Glitches that end a connection to a server.") {
      $0.servers.glitchesThreshold = $1
    },
    number("tune.h2.fe.max-frames-at-once", "Frames of a client that are looked at in one turn.") {
      $0.clients.maxFramesAtOnce = $1
    },
    number("tune.h2.be.max-frames-at-once", "Frames of a server that are looked at in one turn.") {
      $0.servers.maxFramesAtOnce = $1
    },
    number("tune.h2.fe.max-rst-at-once", "Resets of a client that are looked at in one turn.") {
      $0.clients.maxResetsAtOnce = $1
    },
    number("tune.h2.fe.max-total-streams", "Requests after which a client is told to open another connection.") {
      $0.clients.maxTotalStreams = $1
    },
    number("tune.h2.header-table-size", "Octets of the HPACK table of what comes.", in: 0...65536) {
      $0.headerTableSize = UInt32(clamping: $1)
    },
    number("tune.h2.max-frame-size", "Octets of a frame that a peer may send.", in: 16384...16_777_215) {
      $0.maxFrameSize = UInt32(clamping: $1)
    },
    Keyword("tune.h2.log-errors", in: .global, "{ none | connection | stream }", "Which errors of clients are logged.")
    {
      settings, arguments, _ throws(Refusal) in
      let names = H2Tuning.LoggedErrors.allCases.map(\.rawValue)
      let word = try arguments.required(names.oneOf)
      guard let errors = H2Tuning.LoggedErrors(rawValue: word.text) else {
        throw Refusal.unknownArgument(word, of: "tune.h2.log-errors", among: names)
      }
      try arguments.end()
      settings.http2.loggedErrors = errors
    },
    Keyword("tune.h2.zero-copy-fwd-send", in: .global, "{ on | off }", "Bodies are framed where they were received.") {
      settings, arguments, _ throws(Refusal) in
      settings.http2.lendsBodies = try arguments.onOff()
      try arguments.end()
    },
  ]

  private static func number(
    _ name: String, _ help: String, in range: ClosedRange<Int> = 0...Int(Int32.max),
    set: @escaping @Sendable (inout H2Tuning, Int) -> Void
  ) -> Keyword<GlobalSettings> {
    Keyword(name, in: .global, "<number>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.integer(in: range)
      try arguments.end()
      set(&settings.http2, value)
    }
  }

  private static func size(
    _ name: String, _ help: String, set: @escaping @Sendable (inout H2Tuning, Int) -> Void
  ) -> Keyword<GlobalSettings> {
    Keyword(name, in: .global, "<size>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.size()
      try arguments.end()
      set(&settings.http2, value)
    }
  }
}
