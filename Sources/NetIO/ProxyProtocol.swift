public import Base
public struct ProxyHeaderDecoder {
  public struct Header { public var consumed = 0; public var source: SocketAddress?; public var destination: SocketAddress?; public var tlvs: [(type: UInt8, value: Bytes)] = [] }
  public enum R { case needMore, complete(Header), invalid }
  public init() {}
  public mutating func decode(_ s: borrowing Span<UInt8>) -> R { .needMore }
}
