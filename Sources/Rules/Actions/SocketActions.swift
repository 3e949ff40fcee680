import Base
import Config

/// Marks and types of service of packets: those to the client at once, those to the server kept in
/// `RuleContext.socketChanges` until a connection is there.
enum SocketActions {
  static let table: [ActionEntry] = [
    number("set-tos", .client, 0...255) { $0.label(tos: $1) },
    number("set-fc-tos", .client, 0...255) { $0.label(tos: $1) },
    number("set-bc-tos", .server, 0...255) { $0.socketChanges.serverTOS = $1 },
    number("set-mark", .client, marks) { $0.label(mark: UInt32(truncatingIfNeeded: $1)) },
    number("set-fc-mark", .client, marks) { $0.label(mark: UInt32(truncatingIfNeeded: $1)) },
    number("set-bc-mark", .server, marks) { $0.socketChanges.serverMark = UInt32(truncatingIfNeeded: $1) },
  ]

  private static let marks = 0...0xFFFF_FFFF

  private enum Side {
    case client, server

    var places: RulePlaces {
      self == .client ? [.tcp, .httpRequest, .httpResponse] : [.tcpContent, .httpRequest]
    }
  }

  private static func number(
    _ name: String, _ side: Side, _ range: ClosedRange<Int>,
    _ apply: @escaping @Sendable (RuleContext, Int) -> Void
  ) -> ActionEntry {
    ActionEntry(name, side.places, "{ <value> | <expr> }") { parser throws(RuleError) in
      let expected = "a number from 0 to \(range.upperBound), 0x and hexadecimal digits, or an expression"
      guard let word = parser.peek, word.utf8.first.map(ASCII.isDigit) ?? false else {
        let expression = try parser.expression(expected)
        return { context in
          if let value = expression.evaluate(context)?.cast(to: .int)?.integer {
            apply(context, Int(value) & range.upperBound)
          }
          return nil
        }
      }
      _ = parser.next()
      let value = word.hasPrefix("0x") ? Int(word.dropFirst(2), radix: 16) : Int(word)
      guard let value, range.contains(value) else {
        throw RuleError("invalid value '\(word)'", expected: expected)
      }
      return { context in
        apply(context, value)
        return nil
      }
    }
  }
}

extension RuleContext {
  fileprivate func label(tos: Int? = nil, mark: UInt32? = nil) {
    environment.label(connection.socket, typeOfService: tos, mark: mark)
  }
}
