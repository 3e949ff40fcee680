import Base
import Config
import NetIO

extension Socket {
  /// `option clitcpka` and its like, with the probes of `clitcpka-cnt`, `-idle` and `-intvl`.
  static func setKeepAlive(_ fd: Int32, _ probes: KeepAliveProbes?) {
    setKeepAlive(
      fd, count: probes?.count ?? 0, idle: (probes?.idle?.milliseconds ?? 0) / 1000,
      interval: (probes?.interval?.milliseconds ?? 0) / 1000)
  }
}
