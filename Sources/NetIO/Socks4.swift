public import Base

/// The client's side of SOCKS 4: a proxy is asked to connect to an address, and says whether it has.
public enum Socks4 {
  /// The octets of an answer.
  public static let answerLength = 8
  private static let version: UInt8 = 4
  private static let connect: UInt8 = 1
  private static let granted: UInt8 = 0x5A
  private static let user = Array("HAProxy".utf8)

  /// What is sent first; nil for what the protocol cannot name, which is anything but IPv4.
  public static func request(to address: SocketAddress) -> [UInt8]? {
    guard case .ip(let ip, let port) = address, case .v4 = ip.unmapped else { return nil }
    let portOctets = [UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)]
    return [version, connect] + portOctets + ip.unmapped.octets + user + [0]
  }

  public enum Answer: Equatable, Sendable { case incomplete, granted, refused }

  public static func answer(_ octets: borrowing Span<UInt8>) -> Answer {
    guard octets.count >= answerLength else { return .incomplete }
    return octets[0] == 0 && octets[1] == granted ? .granted : .refused
  }
}
