import Base

/// What changes a connection's addresses.
enum ConnectionActions {
  private static let places: RulePlaces = [.tcpConnection, .tcpSession, .tcpContent, .httpRequest]

  static let table: [ActionEntry] = [
    address("set-src") { connection, address in connection.source = moved(connection.source, to: address) },
    address("set-dst") { connection, address in
      connection.destination = moved(connection.destination, to: address)
    },
    port("set-src-port") { connection, port in connection.source = moved(connection.source, to: port) },
    port("set-dst-port") { connection, port in
      connection.destination = moved(connection.destination, to: port)
    },
  ]

  private static func moved(_ old: SocketAddress, to address: IPAddress) -> SocketAddress {
    .ip(address, port: old.port ?? 0)
  }

  private static func moved(_ old: SocketAddress, to port: UInt16) -> SocketAddress {
    .ip(old.ip ?? .v4(0), port: port)
  }

  private static func address(
    _ name: String, _ apply: @escaping @Sendable (ConnectionFacts, IPAddress) -> Void
  ) -> ActionEntry {
    ActionEntry(name, places, "<expr>") { parser throws(RuleError) in
      let expression = try parser.expression()
      return { context in
        if let address = expression.evaluate(context)?.address { apply(context.connection, address) }
        return nil
      }
    }
  }

  private static func port(
    _ name: String, _ apply: @escaping @Sendable (ConnectionFacts, UInt16) -> Void
  ) -> ActionEntry {
    ActionEntry(name, places, "<expr>") { parser throws(RuleError) in
      let expression = try parser.expression()
      return { context in
        if let value = expression.evaluate(context)?.integer {
          apply(context.connection, UInt16(truncatingIfNeeded: value))
        }
        return nil
      }
    }
  }
}
