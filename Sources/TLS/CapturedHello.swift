public import Base

/// What a client offered in its ClientHello, for fingerprints (`ssl_fc_cipherlist_bin`, `ssl_fc_extlist_bin`, ...):
/// lists in the form of the wire, and together no longer than `tune.ssl.capture-buffer-size`.
public final class CapturedHello: Sendable {
  /// The hello's own version field, `0x0303` since TLS 1.2.
  public let version: UInt16
  /// Of all cipher suites, also of those that were cut off.
  public let cipherHash: UInt64
  /// Two octets each.
  public let ciphers: Bytes
  public let extensions: Bytes
  public let groups: Bytes
  /// One octet each.
  public let pointFormats: Bytes
  public let supportedVersions: Bytes
  public let signatureAlgorithms: Bytes

  /// Keeps `bound` octets of what `hello` lists.
  init(_ hello: ClientHello, bound: Int) {
    var room = Swift.max(0, bound)
    func keep(_ octets: Bytes, unit: Int = 1) -> Bytes {
      let n = Swift.min(octets.count, room / unit * unit)
      room -= n
      return octets.prefix(n)
    }
    let suites = CapturedHello.wire(hello.cipherSuites)
    version = hello.helloVersion
    cipherHash = XXHash.hash64(suites, seed: 0)
    ciphers = keep(suites)
    extensions = keep(CapturedHello.wire(hello.extensions), unit: 2)
    groups = keep(CapturedHello.wire(hello.supportedGroups))
    pointFormats = keep(Bytes(hello.pointFormats))
    supportedVersions = keep(CapturedHello.wire(hello.supportedVersions))
    signatureAlgorithms = keep(CapturedHello.wire(hello.signatureAlgorithms))
  }

  private static func wire(_ words: [UInt16]) -> Bytes {
    Bytes(words.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
  }

  /// `list` of two-octet values without those that clients make up so that servers ignore unknown ones (RFC 8701).
  public static func withoutGrease(_ list: Bytes) -> Bytes {
    var out: [UInt8] = []
    var at = 0
    while at + 1 < list.count {
      if list[at] != list[at + 1] || list[at] & 0x0F != 0x0A {
        out.append(list[at])
        out.append(list[at + 1])
      }
      at += 2
    }
    if at < list.count { out.append(list[at]) }
    return Bytes(out)
  }
}
