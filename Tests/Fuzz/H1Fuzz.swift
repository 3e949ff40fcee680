import Base
import HTTP

/// Requests and responses: whole and split must agree, and an accepted head must encode and parse again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let text = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let cut = Int(data[0]) % text.count
  if data[0] & 1 == 0 { request(text, cut) } else { response(text, cut) }
  return 0
}

private func request(_ text: [UInt8], _ cut: Int) {
  let head = MessageHead()
  var parser = H1RequestParser()
  let whole = parser.parse(Bytes(text).span, into: head, limits: H1Limits())
  var split = H1RequestParser()
  let other = MessageHead()
  var result = split.parse(Bytes(text, in: 0..<cut).span, into: other, limits: H1Limits())
  if case .incomplete = result { result = split.parse(Bytes(text).span, into: other, limits: H1Limits()) }
  guard case .complete(let info) = whole else { return }
  precondition(result == whole)
  let output = ByteBuffer()
  H1Encoder.writeRequest(head, framing: info.framing, connection: .none, into: output)
  let again = MessageHead()
  var third = H1RequestParser()
  var limits = H1Limits()
  limits.maxHeadBytes = 1 << 20
  limits.maxFields = 1000
  guard case .complete(let copy) = third.parse(output.readable, into: again, limits: limits) else {
    preconditionFailure("an encoded request was refused")
  }
  precondition(copy.consumed == output.count && copy.framing == info.framing)
  precondition(again.method == head.method && again.target == head.target)
}

private func response(_ text: [UInt8], _ cut: Int) {
  let head = MessageHead()
  var parser = H1ResponseParser()
  let whole = parser.parse(
    Bytes(text).span, into: head, limits: H1Limits(), answering: .other, upgradeOffered: true)
  var split = H1ResponseParser()
  let other = MessageHead()
  var result = split.parse(
    Bytes(text, in: 0..<cut).span, into: other, limits: H1Limits(), answering: .other, upgradeOffered: true
  )
  if case .incomplete = result {
    result = split.parse(
      Bytes(text).span, into: other, limits: H1Limits(), answering: .other, upgradeOffered: true)
  }
  guard case .complete(let info) = whole else { return }
  precondition(result == whole)
  let output = ByteBuffer()
  H1Encoder.writeResponse(head, framing: info.framing, connection: .none, into: output)
}
