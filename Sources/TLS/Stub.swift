public import Base
public struct TLSError: Error, Equatable, Sendable { }
public final class TLSScratch { public let incoming = ByteBuffer(capacity: 65536); public let outgoing = ByteBuffer(capacity: 65536); public init() {} }
public final class TLSServerContext: Sendable {}
public final class TLSClientContext: Sendable {}
public final class TLSSession {
  public enum Handshake { case complete, needsInput, failed(TLSError) }
  public enum ReadResult { case bytes(Int), needsInput, closed, failed(TLSError) }
  public enum WriteResult { case accepted(Int), needsInput, failed(TLSError) }
  public init?(accepting c: TLSServerContext) { return nil }
  public init?(connecting c: TLSClientContext, serverName: String?) { return nil }
  public func handshake(_ io: TLSScratch) -> Handshake { .needsInput }
  public func read(into b: ByteBuffer, _ io: TLSScratch) -> ReadResult { .needsInput }
  public func write(_ b: UnsafeRawBufferPointer, _ io: TLSScratch) -> WriteResult { .needsInput }
  public func close(_ io: TLSScratch) {}
  public var alpn: String? { nil }
}
