public import Base
import Config

extension StickTable {
  /// Runs `body` on the octets of `sample` as a key of this table: cast to its type, cut to its length and padded as
  /// its kind asks for. nil when the sample has no such form.
  func withKey<R>(of sample: Sample, _ body: (UnsafeRawBufferPointer) -> R?) -> R? {
    switch keyType {
    case .ipv4:
      if case .ip(.v4(let word)) = sample { return withUnsafeBytes(of: word.bigEndian) { body($0) } }
      guard case .ip(.v4(let word))? = sample.cast(to: .ipv4) else { return nil }
      return withUnsafeBytes(of: word.bigEndian) { body($0) }
    case .ipv6:
      guard case .ip(.v6(let high, let low))? = sample.cast(to: .ipv6) else { return nil }
      return withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { body($0) }
    case .integer:
      guard let value = sample.cast(to: .int)?.integer else { return nil }
      return withUnsafeBytes(of: UInt32(truncatingIfNeeded: value)) { body($0) }
    case .string:
      guard case .string(let text) = sample else {
        guard case .string(let text)? = sample.cast(to: .string) else { return nil }
        return withKey(of: .string(text), body)
      }
      // A key ends at a NUL, as it does where keys are C strings.
      let end = Swift.min(text.firstIndex(of: 0) ?? text.count, keyLength)
      return text.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.prefix(end))) }
    case .binary:
      guard case .binary(let octets)? = sample.cast(to: .binary) else { return nil }
      return octets.withUnsafeBytes { withPadded($0, body) }
    }
  }

  private func withPadded<R>(_ octets: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> R?) -> R? {
    let length = keyLength
    if octets.count >= length { return body(UnsafeRawBufferPointer(rebasing: octets.prefix(length))) }
    return withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) { padded in
      padded.initializeMemory(as: UInt8.self, repeating: 0)
      padded.copyMemory(from: octets)
      return body(UnsafeRawBufferPointer(padded))
    }
  }

  /// The key as a sample of the table's type.
  func sample(ofKey key: UnsafeRawBufferPointer) -> Sample {
    switch layout.keyType {
    case .ipv4: .ip(.v4(UInt32(bigEndian: key.loadUnaligned(as: UInt32.self))))
    case .ipv6:
      .ip(
        .v6(
          high: UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)),
          low: UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self))))
    case .integer: .int(Int64(key.loadUnaligned(as: UInt32.self)))
    case .string: .string(Bytes(Array(key)))
    case .binary: .binary(Bytes(Array(key)))
    }
  }

  /// The sample type of keys.
  var sampleType: SampleType {
    switch layout.keyType {
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    case .integer: .int
    case .string: .string
    case .binary: .binary
    }
  }

  /// Whether two tables' keys can be exchanged.
  func hasKeys(like other: StickTable) -> Bool {
    layout.keyType == other.layout.keyType && layout.keyLength == other.layout.keyLength
  }
}

extension StickTable {
  /// Runs `body` on the key that a text of the runtime API names; nil when it is no key of this table.
  public func withKey<R>(text: Bytes, _ body: (UnsafeRawBufferPointer) -> R?) -> R? {
    switch layout.keyType {
    case .ipv4, .ipv6:
      guard let address = Numbers.address(text) else { return nil }
      return withKey(of: .ip(address), body)
    default: return withKey(of: .string(text), body)
    }
  }

  /// A key as `show table` prints it.
  public func text(ofKey key: UnsafeRawBufferPointer) -> [UInt8] {
    switch layout.keyType {
    case .ipv4, .ipv6, .integer: return sample(ofKey: key).text.array
    case .string: return StickKeyText.escaped(key)
    case .binary:
      let digits = Array("0123456789ABCDEF".utf8)
      var text: [UInt8] = []
      for octet in key {
        text.append(digits[Int(octet >> 4)])
        text.append(digits[Int(octet & 15)])
      }
      return text
    }
  }
}

enum StickKeyText {
  /// Text with blanks, `=` and `\` behind a backslash and unprintable octets in hexadecimal.
  static func escaped(_ key: UnsafeRawBufferPointer) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    for octet in key {
      switch octet {
      case 0x09: text += Array("\\t".utf8)
      case 0x0A: text += Array("\\n".utf8)
      case 0x0D: text += Array("\\r".utf8)
      case 0x1B: text += Array("\\e".utf8)
      case 0x20, 0x3D, 0x5C: text += [0x5C, octet]
      case 0x21..<0x7F: text.append(octet)
      default: text += [0x5C, 0x78, digits[Int(octet >> 4)], digits[Int(octet & 15)]]
      }
    }
    return text
  }
}
