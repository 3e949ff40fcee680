import Base
import Glibc
import Rules

extension StreamStorage: FactsKeeper {
  func refreshLogFacts() -> Bool {
    guard let stream else { return false }
    stream.refreshLogFacts()
    return true
  }

  func endpoint(_ side: StreamSide) -> EndpointFacts? {
    guard let stream else { return nil }
    switch side {
    case .client: return stream.client.endpointFacts
    case .server: return stream.serverEnd?.endpointFacts ?? lastServerEndpoint
    }
  }

  var effort: StreamEffort? { stream == nil ? nil : measuredEffort }
}

/// What a stream's work is measured with; only where an expression asks for it.
enum EffortClock {
  /// Nanoseconds of the clock that the loop's instants are of.
  static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
  }
}

extension Stream {
  /// The work begins; what `endEffort` wants.
  func beginEffort() -> Int {
    let begin = EffortClock.now()
    storage.measuredEffort.calls += 1
    storage.measuredEffort.waited += Swift.max(0, begin - Int(now.microseconds) &* 1000)
    return begin
  }

  func endEffort(since begin: Int) { storage.measuredEffort.worked += Swift.max(0, EffortClock.now() - begin) }
}

extension ServerEndpoint {
  var endpointFacts: EndpointFacts {
    switch self {
    case .connection(let connection): connection.endpointFacts
    case .exchange(let exchange): exchange.endpointFacts
    }
  }
}

extension EndpointFacts {
  /// Of a connection that carries one stream at a time.
  init(_ transport: Transport?, id: Int, wasGivenUp: Bool) {
    self.init()
    self.id = id
    isAborted = wasGivenUp
    guard let transport else { return }
    streamWords = "id=\(id) in=\(transport.octetsIn) out=\(transport.octetsOut)"
    connectionWords = transport.words
  }
}

extension Transport {
  /// For `fs.debug_str`.
  var words: String {
    "fd=\(descriptor) tls=\(tls == nil ? "none" : "\(handshake)") waiting=\(waiting.count) gathered=\(gathered)"
      + " blocked=\(isBlocked) end=\(sawEnd) err=\(failure)"
  }
}
