import Base

/// What a `server` line asks of each request that needs a connection.
public struct ServerExpressions: Sendable {
  /// `sni`, or the Host field where `sni-auto` is not switched off.
  public var sni: SampleExpression?
  /// The SNI came from nobody's configuration: an address is no name then.
  public var isAutomatic = false
  /// `pool-conn-name`, or the SNI: connections are exchanged only under one name.
  public var connectionName: SampleExpression?
  /// `set-proxy-v2-tlv-fmt`, in order; nil is an empty value.
  public var tlvs: [(type: UInt8, value: LogFormat?)] = []

  public init() {}
}
