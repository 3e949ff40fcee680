import Base
import HTTP

/// What a parser said of some octets, in a form that tests compare and print.
enum Verdict: Equatable {
  case incomplete
  case refused(Int, HTTPFault.Reason)
  case accepted(H1MessageInfo)
}

/// Feeds a request head whole and cut into growing prefixes, and gives the verdict with the head.
func parseRequest(
  _ text: [UInt8], cuts: [Int] = [], limits: H1Limits = H1Limits()
) -> (verdict: Verdict, head: MessageHead) {
  var parser = H1RequestParser()
  let head = MessageHead()
  var verdict = Verdict.incomplete
  for end in cuts + [text.count] {
    let piece = Bytes(text, in: 0..<end)
    verdict = verdict_(parser.parse(piece.span, into: head, limits: limits))
    if verdict != .incomplete { break }
  }
  return (verdict, head)
}

func parseResponse(
  _ text: [UInt8], method: Bytes = "GET", upgradeOffered: Bool = false, cuts: [Int] = [],
  limits: H1Limits = H1Limits()
) -> (verdict: Verdict, head: MessageHead) {
  var parser = H1ResponseParser()
  let head = MessageHead()
  var verdict = Verdict.incomplete
  for end in cuts + [text.count] {
    let piece = Bytes(text, in: 0..<end)
    verdict = verdict_(
      parser.parse(
        piece.span, into: head, limits: limits, answering: AnsweredMethod(method), upgradeOffered: upgradeOffered))
    if verdict != .incomplete { break }
  }
  return (verdict, head)
}

private func verdict_(_ result: H1ParseResult) -> Verdict {
  switch result {
  case .incomplete: .incomplete
  case .complete(let info): .accepted(info)
  case .invalid(let fault): .refused(fault.status, fault.reason)
  }
}

extension MessageHead {
  var lines: [String] { (0..<count).map { "\(name(at: $0).string): \(value(at: $0).string)" } }
}

/// A repeatable stream of numbers for mutations (xorshift).
struct Dice: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
