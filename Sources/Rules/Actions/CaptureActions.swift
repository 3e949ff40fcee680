import Base
import Config
import HTTP

/// `capture`: keeps a value for logs and `capture.req.hdr`.
enum CaptureActions {
  static let table: [ActionEntry] = [
    ActionEntry(
      "capture", [.tcpContent, .httpRequest, .httpResponse, .httpAfterResponse],
      "<expr> { len <length> | id <id> }"
    ) { parser throws(RuleError) in
      let expression = try parser.expression()
      let isResponse = parser.place.isResponse
      if parser.accept("len"), !isResponse {
        let word = try parser.need("a length")
        guard let length = Int(word.text), length > 0 else {
          throw RuleError("a positive 'len' argument is mandatory")
        }
        guard let slot = parser.scope.captureOfRule[parser.scope.ruleAtHand] else {
          throw RuleError("'capture' is not supported here")
        }
        return { context in
          if let text = expression.evaluate(context)?.text {
            CaptureSlots.put(text.prefix(length), slot, &context.log.requestCaptures)
          }
          return nil
        }
      }
      guard parser.accept("id") else {
        throw RuleError(
          isResponse ? "expects 'id <id>'" : "expects 'len' or 'id'", expected: "len <length> or id <id>")
      }
      let word = try parser.need("a capture id")
      let slots = isResponse ? parser.scope.captures.response : parser.scope.captures.request
      guard let id = Int(word.text), slots.indices.contains(id) else {
        throw RuleError("unable to find capture id '\(word.text)' referenced by http-request capture rule")
      }
      let length = slots[id].length
      return { context in
        if let text = expression.evaluate(context)?.text.prefix(length) {
          if isResponse {
            CaptureSlots.put(text, id, &context.log.responseCaptures)
          } else {
            CaptureSlots.put(text, id, &context.log.requestCaptures)
          }
        }
        return nil
      }
    }
  ]
}

/// The values that a proxy keeps of each request and response for its logs.
struct CaptureSlots: Sendable {
  struct Slot: Sendable {
    /// nil for a slot that only rules fill.
    let field: FieldName?
    let length: Int
  }
  var request: [Slot] = []
  var response: [Slot] = []

  mutating func add(_ slot: Slot, isResponse: Bool) -> Int {
    if isResponse {
      response.append(slot)
      return response.count - 1
    }
    request.append(slot)
    return request.count - 1
  }

  static func put(_ text: Bytes, _ slot: Int, _ captures: inout [Bytes?]) {
    if captures.count <= slot {
      captures.append(contentsOf: repeatElement(nil, count: slot + 1 - captures.count))
    }
    captures[slot] = Bytes(copying: text.span)
  }

  /// For the capture converters, which name a declared slot.
  static func store(_ text: Bytes, _ slot: Int64?, _ captures: inout [Bytes?]) -> Bool {
    guard let slot, captures.indices.contains(Int(truncatingIfNeeded: slot)) else { return false }
    put(text, Int(slot), &captures)
    return true
  }

  /// Fills the slots of header fields with the last value of each.
  static func fill(_ slots: [Slot], from head: MessageHead, into captures: inout [Bytes?]) {
    if captures.count < slots.count {
      captures.append(contentsOf: repeatElement(nil, count: slots.count - captures.count))
    }
    for (number, slot) in slots.enumerated() {
      guard let field = slot.field else { continue }
      for index in 0..<head.count where head.isField(at: index, named: field) {
        put(head.value(at: index).prefix(slot.length), number, &captures)
      }
    }
  }
}
