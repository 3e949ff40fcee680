import Base

/// What changes a connection's addresses.
enum ConnectionActions {
  private static let places: RulePlaces = [.tcpConnection, .tcpSession, .tcpContent, .httpRequest]

  static let table: [ActionEntry] = [
    entry("set-src") { parser throws(RuleError) in try address(&parser, .source) },
    entry("set-dst") { parser throws(RuleError) in try address(&parser, .destination) },
    entry("set-src-port") { parser throws(RuleError) in try port(&parser, .source) },
    entry("set-dst-port") { parser throws(RuleError) in try port(&parser, .destination) },
  ]

  private enum Side { case source, destination }

  private static func entry(
    _ name: String, _ parse: @escaping @Sendable (inout ActionParser) throws(RuleError) -> ActionBody
  ) -> ActionEntry { ActionEntry(name, places, "<expr>", parse) }

  private static func address(_ parser: inout ActionParser, _ side: Side) throws(RuleError) -> ActionBody {
    let expression = try parser.expression()
    let place = parser.place
    return { context in
      guard let address = expression.evaluate(context)?.address else { return nil }
      change(context, side, place) { .ip(address, port: $0.port ?? 0) }
      return nil
    }
  }

  private static func port(_ parser: inout ActionParser, _ side: Side) throws(RuleError) -> ActionBody {
    let expression = try parser.expression()
    let place = parser.place
    return { context in
      guard let value = expression.evaluate(context)?.integer else { return nil }
      change(context, side, place) { .ip($0.ip ?? .v4(0), port: UInt16(truncatingIfNeeded: value)) }
      return nil
    }
  }

  /// Rules of the connection change what it is for all; those of the session what its streams see; those of a stream
  /// only what that stream sees.
  private static func change(
    _ context: RuleContext, _ side: Side, _ place: RulePlaces, _ moved: (SocketAddress) -> SocketAddress
  ) {
    let connection = context.connection
    switch side {
    case .source:
      if place.isDisjoint(with: [.tcpConnection, .tcpSession]) {
        context.sourceChange = moved(context.source)
      } else {
        connection.source = moved(connection.source)
        if place.contains(.tcpConnection) { connection.originalSource = connection.source }
      }
    case .destination:
      if place.isDisjoint(with: [.tcpConnection, .tcpSession]) {
        context.destinationChange = moved(context.destination)
      } else {
        connection.destination = moved(connection.destination)
        if place.contains(.tcpConnection) { connection.originalDestination = connection.destination }
      }
    }
  }
}
