import Base
import TLS

/// ClientHello: no octets may trap, and what a prefix decides stays decided.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let octets = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let whole = ClientHello.parse(Bytes(octets).span)
  let prefix = ClientHello.parse(Bytes(octets, in: 0..<(Int(data[0]) % octets.count)).span)
  precondition(prefix == .incomplete || prefix == whole)
  return 0
}
