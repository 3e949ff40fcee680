/// What one end of a stream knows of itself and of its connection, beyond what rules usually ask (`fs.*`, `bs.*`,
/// `fc_nb_streams`, ...).
public struct EndpointFacts: Sendable {
  /// The stream's number on its connection: HTTP/2's, the request's from 0 in HTTP/1, and 0 in TCP.
  public var id = 0
  /// The peer gave the stream up.
  public var isAborted = false
  /// The error code of its RST_STREAM; nil without one.
  public var resetCode: UInt32?
  /// Streams that are open on the connection now, and how many may be.
  public var openStreams = 1
  public var streamLimit = 1
  public var glitches = 0
  /// For people who look for a fault; the parts of `fs.debug_str`.
  public var streamWords = ""
  public var connectionWords = ""

  public init() {}
}

/// The two ends of a stream.
public enum StreamSide: Sendable { case client, server }

/// How much work a stream was: `cpu_*`, `lat_*`.
public struct StreamEffort: Sendable {
  /// How often it was worked on, this time included.
  public var calls = 0
  /// Nanoseconds of all times but this one: at work, and from the event to the beginning of the work.
  public var worked = 0
  public var waited = 0

  public init() {}
}

/// The owner of a stream, asked for what few rules want to know.
public protocol FactsKeeper: AnyObject {
  /// Fills `RuleContext.log` in the middle of a stream; false when there is no stream yet.
  func refreshLogFacts() -> Bool
  /// nil without a stream, or without a connection on that side.
  func endpoint(_ side: StreamSide) -> EndpointFacts?
  var effort: StreamEffort? { get }
}
