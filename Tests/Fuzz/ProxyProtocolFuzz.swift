import Base
import NetIO

/// PROXY headers: no octets may trap, and what a prefix accepts the whole accepts too.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let octets = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let whole = ProxyProtocol.decode(Bytes(octets).span)
  let prefix = ProxyProtocol.decode(Bytes(octets, in: 0..<(Int(data[0]) % octets.count)).span)
  if case .complete = prefix { precondition(prefix == whole) }
  return 0
}
