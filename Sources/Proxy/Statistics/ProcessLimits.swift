import Synchronization

/// Limits of the whole process that the administrator may change; 0 means none for rates.
final class ProcessLimits: Sendable {
  private let connectionLimit: Atomic<Int>
  private let connectionRateLimit: Atomic<Int>
  private let sessionRateLimit: Atomic<Int>
  private let tlsRateLimit: Atomic<Int>
  private let compressionLimit: Atomic<Int>

  init(connections: Int, connectionRate: Int, sessionRate: Int, tlsRate: Int, compressionRate: Int) {
    connectionLimit = Atomic(connections)
    connectionRateLimit = Atomic(connectionRate)
    sessionRateLimit = Atomic(sessionRate)
    tlsRateLimit = Atomic(tlsRate)
    compressionLimit = Atomic(compressionRate)
  }

  /// `maxconn`
  var connections: Int {
    get { connectionLimit.load(ordering: .relaxed) }
    set { connectionLimit.store(newValue, ordering: .relaxed) }
  }
  /// `maxconnrate`
  var connectionRate: Int {
    get { connectionRateLimit.load(ordering: .relaxed) }
    set { connectionRateLimit.store(newValue, ordering: .relaxed) }
  }
  /// `maxsessrate`
  var sessionRate: Int {
    get { sessionRateLimit.load(ordering: .relaxed) }
    set { sessionRateLimit.store(newValue, ordering: .relaxed) }
  }
  /// `maxsslrate`
  var tlsRate: Int {
    get { tlsRateLimit.load(ordering: .relaxed) }
    set { tlsRateLimit.store(newValue, ordering: .relaxed) }
  }
  /// `maxcomprate`, octets a second.
  var compressionRate: Int {
    get { compressionLimit.load(ordering: .relaxed) }
    set { compressionLimit.store(newValue, ordering: .relaxed) }
  }
}
