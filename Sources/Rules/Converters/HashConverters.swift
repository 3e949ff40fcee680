public import Base

/// Hashes: those of load balancing and tables here, cryptographic ones through `CryptographyHooks`.
enum HashConverters {
  static let table: [ConverterEntry] = [
    hash("djb2", Hashes.djb2), hash("sdbm", Hashes.sdbm), hash("wt6", Hashes.wt6),
    hash("crc32", Hashes.crc32),
    hash("crc32c", Hashes.crc32c),
    ConverterEntry("xxh32", .optional(.integer), .binary, .int) { sample, a, _ in
      .int(Int64(XXHash.hash32(sample.octets, seed: UInt32(truncatingIfNeeded: a.int(0) ?? 0))))
    },
    ConverterEntry("xxh64", .optional(.integer), .binary, .int) { sample, a, _ in
      .int(Int64(bitPattern: XXHash.hash64(sample.octets, seed: UInt64(bitPattern: a.int(0) ?? 0))))
    },
    ConverterEntry("xxh3", .optional(.integer), .binary, .int) { sample, a, _ in
      .int(Int64(bitPattern: XXH3.hash(sample.octets, seed: UInt64(bitPattern: a.int(0) ?? 0))))
    },
    digest("sha1", .none) { _ in "SHA1" },
    digest("sha2", .optional(.integer)) { "SHA\($0.int(0) ?? 256)" },
    digest("digest", .required(.string)) { ($0.string(0) ?? .empty).string },
    ConverterEntry("hmac", .required(.string, .string), .binary, .binary, check: checkHMAC) {
      sample, a, context in
      guard let hmac = CryptographyHooks.current.hmac, let name = a.string(0) else { return nil }
      let key: Bytes?
      switch a[1] {
      case .string(let bytes): key = bytes
      case .variable(let variable):
        key = variable.get(context).flatMap { Base64.decode($0.text).map { Bytes($0) } }
      default: key = nil
      }
      return key.flatMap { hmac(name.string, $0, sample.octets) }.map(Sample.binary)
    },
  ]

  private static func hash(_ name: String, _ body: @escaping @Sendable (Bytes) -> UInt32) -> ConverterEntry {
    ConverterEntry(name, .optional(.integer), .binary, .int) { sample, a, _ in
      let value = body(sample.octets)
      return .int(Int64(a.int(0) ?? 0 != 0 ? Hashes.avalanche(value) : value))
    }
  }

  private static func digest(
    _ name: String, _ grammar: ArgumentGrammar, _ algorithm: @escaping @Sendable (Arguments) -> String
  ) -> ConverterEntry {
    ConverterEntry(
      name, grammar, .binary, .binary,
      check: { (arguments: inout Arguments, _) throws(RuleError) in
        guard let digest = CryptographyHooks.current.digest else {
          throw RuleError("converter '\(name)' is not supported yet in this build")
        }
        guard digest(algorithm(arguments), .empty) != nil else {
          throw RuleError("unsupported digest algorithm '\(algorithm(arguments))'")
        }
      }
    ) { sample, a, _ in
      CryptographyHooks.current.digest.flatMap { $0(algorithm(a), sample.octets) }.map(Sample.binary)
    }
  }

  @Sendable
  private static func checkHMAC(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let hmac = CryptographyHooks.current.hmac else {
      throw RuleError("converter 'hmac' is not supported yet in this build")
    }
    let name = (arguments.string(0) ?? .empty).string
    guard hmac(name, "k", .empty) != nil else { throw RuleError("unsupported digest algorithm '\(name)'") }
    let key = arguments.string(1) ?? .empty
    if let decoded = Base64.decode(key), key.firstIndex(of: 0x2E) == nil {
      arguments.list[1] = .string(Bytes(decoded))
    } else {
      arguments.list[1] = .variable(try scope.shared.variables.variable(key))
    }
  }
}

/// Hash functions of load balancing (manual, `hash-type`).
public enum Hashes {
  public static func djb2(_ bytes: Bytes) -> UInt32 {
    var hash: UInt32 = 5381
    for i in 0..<bytes.count { hash = hash << 5 &+ hash &+ UInt32(bytes[i]) }
    return hash
  }

  public static func sdbm(_ bytes: Bytes) -> UInt32 {
    var hash: UInt32 = 0
    for i in 0..<bytes.count { hash = UInt32(bytes[i]) &+ hash << 6 &+ hash << 16 &- hash }
    return hash
  }

  public static func wt6(_ bytes: Bytes) -> UInt32 {
    var h0: UInt32 = 0xA53C_965A
    var h1: UInt32 = 0x5CA6_953A
    var step0: UInt32 = 6
    var step1: UInt32 = 18
    for i in 0..<bytes.count {
      let octet = UInt32(bytes[i])
      h0 = ~(h0 ^ octet)
      h1 = ~(h1 &+ octet)
      let turned = h1 << step0 | h1 >> (32 - step0)
      h1 = h0 << step1 | h0 >> (32 - step1)
      h0 = turned
      let steps = (h0 >> 16 ^ h1) & 0xFFFF
      step0 = steps & 31
      step1 = steps >> 11
    }
    return h0 ^ h1
  }

  private static func table(_ polynomial: UInt32) -> [UInt32] {
    (0..<256).map { index in
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
      return value
    }
  }

  private static let crcTable = table(0xEDB8_8320)
  private static let crcTableC = table(0x82F6_3B78)

  /// ISO 3309.
  public static func crc32(_ bytes: Bytes) -> UInt32 { crc(bytes, crcTable) }
  /// RFC 3720, Castagnoli.
  public static func crc32c(_ bytes: Bytes) -> UInt32 { crc(bytes, crcTableC) }

  private static func crc(_ bytes: Bytes, _ table: [UInt32]) -> UInt32 {
    var value = UInt32.max
    for i in 0..<bytes.count { value = value >> 8 ^ table[Int((value ^ UInt32(bytes[i])) & 0xFF)] }
    return ~value
  }

  /// Spreads the bits of a weak hash.
  public static func avalanche(_ hash: UInt32) -> UInt32 {
    var a = hash
    a = (a &+ 0x7ED5_5D16) &+ a << 12
    a = (a ^ 0xC761_C23C) ^ a >> 19
    a = (a &+ 0x1656_67B1) &+ a << 5
    a = (a &+ 0xD3A2_646C) ^ a << 9
    a = (a &+ 0xFD70_46C5) &+ a << 3
    a = (a ^ 0xB55A_4F09) ^ a >> 16
    return a &* 3_221_225_473
  }
}
