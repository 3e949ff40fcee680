import HTTP
import Base
import NetIO
import Rules

/// The server's side of a stream, the mirror of `ClientEndpoint`: a connection of its own (HTTP/1, TCP), or one of the
/// requests of an HTTP/2 connection.
///
/// A stream pulls the response from it and pushes the request into it; it calls `Stream.advance()` when something may
/// go on. An enum, so that the usual case costs a look at a tag.
enum ServerEndpoint {
  case connection(ServerConnection)
  case exchange(H2ServerExchange)

  var source: any BodySource {
    switch self {
    case .connection(let connection): connection
    case .exchange(let exchange): exchange
    }
  }

  var sink: any BodySink {
    switch self {
    case .connection(let connection): connection
    case .exchange(let exchange): exchange
    }
  }

  /// The server can neither be read from nor written to any more.
  var hasFailed: Bool {
    switch self {
    case .connection(let connection): connection.hasFailed
    case .exchange(let exchange): exchange.hasFailed
    }
  }

  /// Output waits for the server to read.
  var isBlocked: Bool {
    switch self {
    case .connection(let connection): connection.isBlocked
    case .exchange(let exchange): exchange.isBlocked
    }
  }

  /// What rules and logs may know of the connection.
  var facts: ServerConnectionFacts {
    switch self {
    case .connection(let connection): connection.facts
    case .exchange(let exchange): exchange.session.facts
    }
  }

  /// The socket; negative when there is none.
  var descriptor: Int32 {
    switch self {
    case .connection(let connection): connection.transport?.descriptor ?? -1
    case .exchange(let exchange): exchange.session.descriptor
    }
  }

  /// Octets received and not looked at yet.
  var waitingOctets: Int {
    switch self {
    case .connection(let connection): connection.waitingOctets
    case .exchange: 0
    }
  }

  /// Octets of the current response have come.
  var responseBegan: Bool {
    switch self {
    case .connection(let connection): connection.responseBegan
    case .exchange(let exchange): exchange.responseBegan
    }
  }

  /// Octets sent to the server for this stream so far, heads included.
  var octetsOut: Int {
    switch self {
    case .connection(let connection): connection.octetsOut
    case .exchange(let exchange): exchange.octetsOut
    }
  }

  /// The connection carried other requests before.
  var isReused: Bool {
    switch self {
    case .connection(let connection): connection.requestCount > 1
    case .exchange(let exchange): exchange.isReused
    }
  }

  /// The server did not take the request as early data.
  var refusedEarlyData: Bool {
    switch self {
    case .connection(let connection): connection.refusedEarlyData
    case .exchange: false
    }
  }

  /// The server has said that it did not look at the request.
  var wasRefused: Bool {
    switch self {
    case .connection: false
    case .exchange(let exchange): exchange.wasRefused
    }
  }

  /// Writes the request head; the body follows through `sink`.
  func sendHead(of stream: Stream) {
    switch self {
    case .connection(let connection): connection.sendHead(of: stream)
    case .exchange(let exchange): exchange.sendHead(of: stream)
    }
  }

  /// The next head of the response, interim or final.
  func receiveHead(into head: MessageHead) -> H1ParseResult {
    switch self {
    case .connection(let connection): connection.receiveHead(into: head)
    case .exchange(let exchange): exchange.receiveHead(into: head)
    }
  }

  /// What comes now is a body with this framing.
  func beginBody(_ framing: BodyFraming) {
    if case .connection(let connection) = self { connection.beginBody(framing) }
  }

  func beginTunnel() {
    if case .connection(let connection) = self { connection.beginTunnel() }
  }

  /// Reads what has come behind octets that wait already, for rules that look at them.
  func gatherInput() {
    if case .connection(let connection) = self { connection.gatherInput() }
  }

  /// Negotiate and NTLM authenticate a connection of HTTP/1, not the request.
  func notePrivate(_ response: MessageHead) {
    if case .connection(let connection) = self { connection.notePrivate(response) }
  }

  /// The stream lets go of it and wants nothing more from it.
  func abandon(reset: Bool) {
    switch self {
    case .connection(let connection):
      connection.stream = nil
      connection.close(reset: reset)
    case .exchange(let exchange): exchange.finish()
    }
  }
}

/// One connection to a server, as rules and logs see it.
struct ServerConnectionFacts {
  var address = SocketAddress.none
  /// Asked of the kernel once, when the connection is established.
  var localAddress = SocketAddress.none
  /// For `ssl_s_*` and `ssl_bc_*`, when an expression asks for them.
  var tls: TLSFacts?
}
