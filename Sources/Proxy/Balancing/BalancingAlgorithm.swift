import Config

/// A server as the algorithms see it: an index into the backend's list and a weight above zero.
struct Candidate {
  var index: Int
  var weight: Int
  /// HAProxy's persistent unique id of the server, which consistent hashing places it by.
  var id: Int
}

/// One way to choose a server (`balance`). Values of it live inside the backend's lock.
///
/// An algorithm is one file with a type that conforms, and one entry in `BalancingAlgorithms.make`.
protocol BalancingAlgorithm {
  /// The set of usable servers or a weight has changed.
  mutating func rebuild(_ candidates: [Candidate])
  /// The index of the server to use, nil when every candidate is full. `hash` is the request's key.
  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int?
  /// A session started or ended on the server at `index`; `served` is how many it has now.
  mutating func loadChanged(index: Int, served: Int)
}

extension BalancingAlgorithm {
  mutating func loadChanged(index: Int, served: Int) {}
}

/// The table of algorithms.
enum BalancingAlgorithms {
  /// A fresh state for what the backend asks for; requests without a key fall back to round robin.
  static func make(_ balance: Balance, seed: UInt64) -> any BalancingAlgorithm {
    switch balance.algorithm {
    case .roundrobin, .staticRoundrobin: RoundRobin()
    case .leastconn: LeastConnections()
    case .first: FirstAvailable()
    case .sticky: StickyServer()
    case .random(let draws): RandomDraws(draws: draws, seed: seed)
    case .source, .uri, .urlParameter, .header, .rdpCookie, .hash, .logHash:
      switch balance.hashType {
      case .mapBased: HashMapBased()
      case .consistent: HashConsistent()
      }
    }
  }

  /// Whether weights may change while the gateway runs to anything but 0 and the configured one.
  static func followsWeights(_ balance: Balance) -> Bool {
    switch balance.algorithm {
    case .roundrobin, .leastconn, .first, .random, .sticky: true
    case .staticRoundrobin: false
    case .source, .uri, .urlParameter, .header, .rdpCookie, .hash, .logHash: balance.hashType == .consistent
    }
  }

  /// HAProxy's name in `show stat`'s `algo` column.
  static func name(_ algorithm: Balance.Algorithm) -> String {
    switch algorithm {
    case .roundrobin: "roundrobin"
    case .staticRoundrobin: "static-rr"
    case .leastconn: "leastconn"
    case .first: "first"
    case .random: "random"
    case .source: "source"
    case .uri: "uri"
    case .urlParameter: "url_param"
    case .header: "hdr"
    case .rdpCookie: "rdp-cookie"
    case .hash: "hash"
    case .sticky: "sticky"
    case .logHash: "log-hash"
    }
  }
}
