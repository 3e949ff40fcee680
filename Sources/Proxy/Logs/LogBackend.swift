import Base
import Config
import Rules
import Synchronization

/// A backend in `mode log` as a log target: each message goes to one of its servers.
final class LogBackend: LogSink, @unchecked Sendable {
  // Set before anything is logged.
  private var backend: Backend?
  private var sinks: [any LogSink] = []
  private var hash: (balance: Balance, expression: SampleExpression)?
  /// Converters want a context, though there is no stream.
  private let context: Mutex<Confined<RuleContext>?> = Mutex(nil)

  func attach(_ backend: Backend, _ sinks: [any LogSink], _ context: RuleContext) {
    self.backend = backend
    self.sinks = sinks
    if case .logHash = backend.settings.balance.algorithm, let expression = backend.rules.hashExpression {
      hash = (backend.settings.balance, expression)
      let confined = Confined(context)
      self.context.withLock { $0 = confined }
    }
  }

  func take(_ line: inout [UInt8], textAt start: Int) -> Bool {
    guard let backend else { return false }
    var key: UInt32?
    if hash != nil {
      // A message that the converters make nothing of has no server.
      guard let computed = hashKey(Bytes(line, in: start..<line.count)) else { return false }
      key = computed
    }
    guard let server = backend.serverForMessage(hash: key), server.index < sinks.count else { return false }
    return sinks[server.index].take(&line, textAt: start)
  }

  private func hashKey(_ text: Bytes) -> UInt32? {
    guard let (balance, expression) = hash else { return nil }
    return context.withLock { confined in
      guard let context = confined?.value else { return nil }
      return expression.convert(text, context).map { Hashing.hash($0, balance) }
    }
  }
}

/// A server of a log backend that takes datagrams, at the address that it has now.
final class DatagramServer: LogSink {
  private let server: Server
  private let channel: Mutex<(address: SocketAddress, channel: LogChannel)>

  init(_ server: Server) {
    self.server = server
    let address = server.state.withLock { $0.address }
    channel = Mutex((address, LogChannel(address)))
  }

  func take(_ line: inout [UInt8], textAt: Int) -> Bool {
    let address = server.state.withLock { $0.address }
    let current = channel.withLock { known in
      if known.address != address { known = (address, LogChannel(address)) }
      return known.channel
    }
    return current.take(&line, textAt: textAt)
  }
}
