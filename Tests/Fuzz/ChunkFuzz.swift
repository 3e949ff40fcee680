import Base
import HTTP

/// Chunked bodies: whole and split must give the same octets and the same end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let text = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let whole = decode(text, cuts: [])
  let split = decode(text, cuts: [Int(data[0]) % text.count])
  precondition(whole == split)
  return 0
}

private struct Outcome: Equatable {
  var body: [UInt8] = []
  var end = -1
  var failed = false
}

private func decode(_ text: [UInt8], cuts: [Int]) -> Outcome {
  var decoder = ChunkedDecoder()
  var outcome = Outcome()
  var used = 0
  for end in cuts + [text.count] {
    feeding: while true {
      let piece = Bytes(text, in: used..<end)
      switch decoder.next(piece.span) {
      case .data(let range):
        outcome.body += piece[range].array
        used += range.upperBound
      case .needMore(let n):
        used += n
        break feeding
      case .end(let n):
        outcome.end = used + n
        return outcome
      case .invalid:
        outcome.failed = true
        return outcome
      }
    }
  }
  return outcome
}
