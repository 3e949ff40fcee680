import Base
import Config

/// Marks and types of service of packets, kept in `RuleContext.socketChanges` for the owner of the sockets.
enum SocketActions {
  static let table: [ActionEntry] = [
    number("set-tos", .client, 0...255) { $0.clientTOS = $1 },
    number("set-fc-tos", .client, 0...255) { $0.clientTOS = $1 },
    number("set-bc-tos", .server, 0...255) { $0.serverTOS = $1 },
    number("set-mark", .client, 0...0xFFFF_FFFF) { $0.clientMark = UInt32(truncatingIfNeeded: $1) },
    number("set-fc-mark", .client, 0...0xFFFF_FFFF) { $0.clientMark = UInt32(truncatingIfNeeded: $1) },
    number("set-bc-mark", .server, 0...0xFFFF_FFFF) { $0.serverMark = UInt32(truncatingIfNeeded: $1) },
  ]

  private enum Side {
    case client, server

    var places: RulePlaces {
      self == .client ? [.tcp, .httpRequest, .httpResponse] : [.tcpContent, .httpRequest]
    }
  }

  private static func number(
    _ name: String, _ side: Side, _ range: ClosedRange<Int>,
    _ apply: @escaping @Sendable (inout SocketChanges, Int) -> Void
  ) -> ActionEntry {
    ActionEntry(name, side.places, "<value>") { parser throws(RuleError) in
      let word = try parser.need("a number").text
      let value = word.hasPrefix("0x") ? Int(word.dropFirst(2), radix: 16) : Int(word)
      guard let value, range.contains(value) else {
        throw RuleError(
          "invalid value '\(word)'",
          expected: "a number from 0 to \(range.upperBound), or 0x and hexadecimal digits")
      }
      return { context in
        apply(&context.socketChanges, value)
        return nil
      }
    }
  }
}
