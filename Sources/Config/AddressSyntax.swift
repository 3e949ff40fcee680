import Base

/// An address as configurations write it (manual chapter 11): prefixes, host, ports.
struct AddressSyntax {
  enum Family { case any, v4, v6 }
  /// What a prefix says of the transport.
  enum Transport { case any, stream, datagram }
  enum Host: Equatable {
    /// Nothing or `*`.
    case unspecified
    case literal(IPAddress)
    case name(String)
    case unix(String)
    /// The name, and whether it is filled up with NULs (`abns@`).
    case abstract(String, isPadded: Bool)
    case descriptor(Int32)
  }

  /// What may be written in this place.
  struct Rules: OptionSet {
    let rawValue: Int
    static let portRequired = Rules(rawValue: 1)
    static let portRange = Rules(rawValue: 2)
    static let portOffset = Rules(rawValue: 4)
    static let noPort = Rules(rawValue: 8)
    static let datagram = Rules(rawValue: 16)
  }

  var family = Family.any
  var transport = Transport.any
  var host = Host.unspecified
  var ports: ClosedRange<UInt16>?
  var portOffset: Int?
  /// The host as written, without prefix and port.
  var hostText = ""

  init(_ text: String, at place: SourceLocation, keyword: String, rules: Rules) throws(Refusal) {
    var rest = Substring(text)
    if let plus = rest.utf8.firstIndex(of: UInt8(ascii: "+")), ["stream", "dgram"].contains(rest[..<plus]) {
      transport = rest.hasPrefix("stream") ? .stream : .datagram
      rest = rest[rest.index(after: plus)...]
    }
    if let at = rest.utf8.firstIndex(of: UInt8(ascii: "@")), !rest.hasPrefix("/") {
      let prefix = String(rest[..<at])
      rest = rest[rest.index(after: at)...]
      if try takePrefix(prefix, String(rest), place, keyword) { return }
    } else if rest.hasPrefix("/") {
      host = .unix(text)
      hostText = text
      return
    }
    try splitPort(String(rest), place, keyword, rules)
  }

  /// Prefixes that name a family; true when all is said.
  private mutating func takePrefix(
    _ prefix: String, _ rest: String, _ place: SourceLocation, _ keyword: String
  ) throws(Refusal) -> Bool {
    if prefix.hasPrefix("tcp") || prefix == "uxst" { transport = .stream }
    if prefix.hasPrefix("udp") || prefix == "uxdg" { transport = .datagram }
    switch prefix {
    case "unix", "uxst", "uxdg":
      host = .unix(rest)
      hostText = rest
      return true
    case "abns", "abnsz":
      host = .abstract(rest, isPadded: prefix == "abns")
      hostText = rest
      return true
    case "fd", "sockpair":
      guard let number = Int32(rest), number >= 0 else {
        throw Refusal(
          "'\(keyword)' : file descriptor '\(rest)' is invalid.", at: place,
          expected: "the number of a descriptor")
      }
      host = .descriptor(number)
      return true
    case "ipv4", "tcp4", "udp4": family = .v4
    case "ipv6", "tcp6", "udp6": family = .v6
    case "tcp", "udp", "ip": family = .any
    case "quic4", "quic6", "rhttp", "rev", "mptcp", "mptcp4", "mptcp6":
      throw Refusal("'\(keyword)' : addresses of '\(prefix)@' are not supported yet.", at: place)
    default:
      let known = ["ipv4", "ipv6", "unix", "abns", "abnsz", "fd", "sockpair", "tcp", "tcp4", "tcp6", "udp"]
      throw Refusal(
        "'\(keyword)' : unknown address family '\(prefix)@'.", at: place,
        expected: known.map { $0 + "@" }.oneOf,
        suggestion: Nearest.word(to: prefix, among: known).map { $0 + "@" })
    }
    return false
  }

  private mutating func splitPort(
    _ text: String, _ place: SourceLocation, _ keyword: String, _ rules: Rules
  ) throws(Refusal) {
    var hostPart = text
    var portPart: String?
    let octets = text.utf8
    if let colon = octets.lastIndex(of: UInt8(ascii: ":")), !octets[colon...].contains(UInt8(ascii: "]")) {
      hostPart = String(text[..<colon])
      portPart = String(text[octets.index(after: colon)...])
      // A colon with nothing behind it is a port of 0.
      if portPart?.isEmpty == true { portPart = rules.contains(.portRequired) ? nil : "0" }
    }
    if hostPart.hasPrefix("["), hostPart.hasSuffix("]") { hostPart = String(hostPart.dropFirst().dropLast()) }
    hostText = hostPart
    try setHost(hostPart, text, place, keyword)
    if let portPart {
      if rules.contains(.noPort) {
        throw Refusal("'\(keyword)' : port specification not permitted here in '\(text)'.", at: place)
      }
      try setPort(portPart, text, place, keyword, rules)
    } else if rules.contains(.portRequired) {
      throw Refusal(
        "'\(keyword)' : missing port number: '\(text)', use '0' if you want any.", at: place,
        expected: "address:port")
    }
  }

  private mutating func setHost(
    _ text: String, _ whole: String, _ place: SourceLocation, _ keyword: String
  ) throws(Refusal) {
    if text.isEmpty || text == "*" { return }
    if let address = IPAddress(text) {
      if case .v6 = address, family == .v4 {
        throw Refusal("'\(keyword)' : '\(text)' is not an IPv4 address.", at: place)
      }
      if case .v4 = address, family == .v6 {
        throw Refusal("'\(keyword)' : '\(text)' is not an IPv6 address.", at: place)
      }
      host = .literal(address)
    } else {
      host = .name(text)
    }
  }

  private mutating func setPort(
    _ text: String, _ whole: String, _ place: SourceLocation, _ keyword: String, _ rules: Rules
  ) throws(Refusal) {
    if text.hasPrefix("+") || text.hasPrefix("-") {
      guard rules.contains(.portOffset), let offset = Int(text), abs(offset) <= 65535 else {
        throw Refusal("'\(keyword)' : port offset not permitted here in '\(whole)'.", at: place)
      }
      portOffset = offset
      return
    }
    let dash = text.utf8.firstIndex(of: UInt8(ascii: "-"))
    let lower = dash.map { text[..<$0] } ?? text[...]
    let upper = dash.map { text[text.utf8.index(after: $0)...] } ?? lower
    guard let low = Int(lower), let high = Int(upper) else {
      throw Refusal(
        "'\(keyword)' : invalid character in port number '\(text)' in '\(whole)'.", at: place,
        expected: rules.contains(.portRange) ? "a port or a range such as 8000-8010" : "a port from 0 to 65535")
    }
    guard let first = UInt16(exactly: low), let last = UInt16(exactly: high) else {
      throw Refusal(
        "'\(keyword)' : port number out of range in '\(whole)'.", at: place,
        expected: "a port from 0 to 65535")
    }
    if dash != nil, !rules.contains(.portRange) {
      throw Refusal("'\(keyword)' : port range not permitted here in '\(whole)'.", at: place)
    }
    guard first <= last else {
      throw Refusal("'\(keyword)' : invalid port range '\(text)' in '\(whole)'.", at: place)
    }
    ports = first...last
  }

  /// The host as an address, through the resolver for a name; an unspecified host is any address.
  func address(_ io: ConfigurationIO) -> IPAddress? {
    switch host {
    case .unspecified: family == .v6 ? .v6(high: 0, low: 0) : .v4(0)
    case .literal(let address): address
    case .name(let name): io.resolve(name)
    case .unix, .abstract, .descriptor: nil
    }
  }
}
