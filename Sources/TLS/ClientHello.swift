public import Base

/// A TLS ClientHello read from raw octets, for routing without termination (`req.ssl_sni`).
///
/// Strict after RFC 8446 section 4.1.2 and RFC 6066 section 3: lengths must add up. An SSLv2 hello is
/// not TLS here.
public struct ClientHello: Equatable, Sendable {
  public enum Outcome: Equatable, Sendable {
    /// May become a ClientHello with more octets.
    case incomplete
    case notTLS
    case parsed(ClientHello)
  }

  /// Version of the record layer and of the hello's own field.
  public var recordVersion: UInt16
  public var helloVersion: UInt16
  public var random: Bytes
  public var sessionID: Bytes
  public var cipherSuites: [UInt16] = []
  /// Types of the extensions in their order.
  public var extensions: [UInt16] = []
  /// The name asked for, as sent.
  public var serverName: Bytes?
  public var alpn: [Bytes] = []
  /// Of supported_versions.
  public var supportedVersions: [UInt16] = []
  public var supportedGroups: [UInt16] = []
  public var pointFormats: [UInt8] = []
  public var signatureAlgorithms: [UInt16] = []

  /// The highest version offered: of supported_versions if there, else of the hello's field.
  public var highestVersion: UInt16 {
    // GREASE values (RFC 8701) are not versions.
    supportedVersions.filter { $0 & 0x0F0F != 0x0A0A }.max() ?? helloVersion
  }

  /// Octets of handshake message that are looked at.
  public static let bound = 65536

  /// Reads the hello at the start of a connection; it may span several records.
  public static func parse(_ input: borrowing Span<UInt8>) -> Outcome {
    input.withUnsafeBytes { parse($0) }
  }

  private static func parse(_ input: UnsafeRawBufferPointer) -> Outcome {
    var message: [UInt8] = []
    var at = 0
    var version: UInt16 = 0
    while true {
      guard at < input.count else { return .incomplete }
      guard input[at] == 0x16 else { return .notTLS }
      guard at + 1 < input.count else { return .incomplete }
      guard input[at + 1] == 3 else { return .notTLS }
      guard at + 5 <= input.count else { return .incomplete }
      if at == 0 { version = UInt16(input[1]) << 8 | UInt16(input[2]) }
      let length = Int(input[at + 3]) << 8 | Int(input[at + 4])
      guard length > 0, length <= 16384 else { return .notTLS }
      let end = Swift.min(at + 5 + length, input.count)
      message.append(contentsOf: input[(at + 5)..<end])
      if let first = message.first, first != 1 { return .notTLS }
      if message.count >= 4 {
        let wanted = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
        guard wanted <= bound else { return .notTLS }
        if message.count >= 4 + wanted {
          let hello = read(Bytes(message, in: 4..<(4 + wanted)), recordVersion: version)
          return hello.map { .parsed($0) } ?? .notTLS
        }
      }
      guard at + 5 + length <= input.count else { return .incomplete }
      at = end
    }
  }

  /// From a handshake message without the records around it; nil when it is no well-formed ClientHello.
  static func read(message: Bytes) -> ClientHello? {
    guard message.count >= 4, message[0] == 1,
      message.count == 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])),
      let hello = read(message.dropFirst(4), recordVersion: 0)
    else { return nil }
    return hello
  }

  private static func read(_ body: Bytes, recordVersion: UInt16) -> ClientHello? {
    var cursor = Cursor(body)
    guard let version = cursor.u16(), version >> 8 == 3, let random = cursor.take(32),
      let sessionID = cursor.block8(), sessionID.count <= 32,
      let suites = cursor.block16(), suites.count >= 2, suites.count % 2 == 0,
      let compression = cursor.block8(), compression.count >= 1
    else { return nil }
    var hello = ClientHello(
      recordVersion: recordVersion, helloVersion: version, random: random, sessionID: sessionID)
    hello.cipherSuites = words(suites)
    if cursor.isAtEnd { return hello }
    guard let block = cursor.block16(), cursor.isAtEnd else { return nil }
    var rest = Cursor(block)
    while !rest.isAtEnd {
      guard let type = rest.u16(), let data = rest.block16(), !hello.extensions.contains(type),
        hello.extensions.count < 256, hello.apply(type, data)
      else { return nil }
      hello.extensions.append(type)
    }
    return hello
  }

  /// False when an extension that is understood is malformed.
  private mutating func apply(_ type: UInt16, _ data: Bytes) -> Bool {
    var cursor = Cursor(data)
    switch type {
    case 0:
      guard let name = data.withUnsafeBytes({ Self.serverName(in: $0) }) else { return false }
      serverName = name
    case 10:
      guard let list = cursor.block16(), cursor.isAtEnd, list.count % 2 == 0 else { return false }
      supportedGroups = Self.words(list)
    case 11:
      guard let list = cursor.block8(), cursor.isAtEnd else { return false }
      pointFormats = list.array
    case 13:
      guard let list = cursor.block16(), cursor.isAtEnd, list.count % 2 == 0 else { return false }
      signatureAlgorithms = Self.words(list)
    case 16:
      guard let list = cursor.block16(), cursor.isAtEnd else { return false }
      var names = Cursor(list)
      while !names.isAtEnd {
        guard let name = names.block8(), !name.isEmpty else { return false }
        alpn.append(name)
      }
    case 43:
      guard let list = cursor.block8(), cursor.isAtEnd, list.count % 2 == 0 else { return false }
      supportedVersions = Self.words(list)
    default: break
    }
    return true
  }

  /// The host name of a server_name extension's content; nil when it is malformed.
  static func serverName(in data: UnsafeRawBufferPointer) -> Bytes? {
    var cursor = Cursor(Bytes(Array(data)))
    guard let list = cursor.block16(), cursor.isAtEnd else { return nil }
    var names = Cursor(list)
    guard let type = names.take(1), type[0] == 0, let name = names.block16(), names.isAtEnd,
      !name.isEmpty, name.count <= 255, name.firstIndex(of: 0) == nil
    else { return nil }
    return name
  }

  private static func words(_ list: Bytes) -> [UInt16] {
    (0..<(list.count / 2)).map { UInt16(list[$0 * 2]) << 8 | UInt16(list[$0 * 2 + 1]) }
  }

  /// Takes length-prefixed parts off the front.
  private struct Cursor {
    private var rest: Bytes
    init(_ bytes: Bytes) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ n: Int) -> Bytes? {
      guard rest.count >= n else { return nil }
      let part = rest.prefix(n)
      rest = rest.dropFirst(n)
      return part
    }

    mutating func u16() -> UInt16? { take(2).map { UInt16($0[0]) << 8 | UInt16($0[1]) } }
    mutating func block8() -> Bytes? { take(1).flatMap { take(Int($0[0])) } }
    mutating func block16() -> Bytes? { u16().flatMap { take(Int($0)) } }
  }
}
