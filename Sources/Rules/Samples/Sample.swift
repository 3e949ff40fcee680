public import Base

/// A value that a fetch produced or a converter changed.
public enum Sample: Hashable, Sendable {
  case bool(Bool)
  case int(Int64)
  case ip(IPAddress)
  /// Text; may share the storage of a message head.
  case string(Bytes)
  case binary(Bytes)
  /// A request method.
  case method(Bytes)
}

/// The types that fetches and converters declare; `any` accepts or gives all of them.
public enum SampleType: String, Sendable {
  case any, same, bool
  case int = "sint"
  case address = "addr"
  case ipv4, ipv6
  case string = "str"
  case binary = "bin"
  case method = "meth"

  /// Whether a value of this type can be turned into `wanted` (manual 7.2, table of casts).
  func casts(to wanted: SampleType) -> Bool {
    switch (self, wanted) {
    case (_, .any), (_, .same), (.any, _), (.same, _): true
    case (.bool, .bool), (.bool, .int), (.bool, .string), (.bool, .binary): true
    case (.bool, _): false
    case (.int, .method): false
    case (.int, _): true
    case (.address, .bool), (.address, .int), (.address, .method): false
    case (.ipv4, .bool), (.ipv4, .method): false
    case (.ipv6, .bool), (.ipv6, .int), (.ipv6, .method): false
    case (.address, _), (.ipv4, _), (.ipv6, _): true
    case (.string, _): true
    case (.binary, .binary), (.binary, .string), (.binary, .method): true
    case (.binary, _): false
    case (.method, .string), (.method, .method), (.method, .binary): true
    case (.method, _): false
    }
  }
}

extension Sample {
  var type: SampleType {
    switch self {
    case .bool: .bool
    case .int: .int
    case .ip(.v4): .ipv4
    case .ip(.v6): .ipv6
    case .string: .string
    case .binary: .binary
    case .method: .method
    }
  }

  /// The text form: what `%[...]` prints. Octets become text up to the first NUL.
  var text: Bytes {
    switch self {
    case .bool(let value): value ? Sample.one : Sample.zero
    case .int(let value): Bytes(String(value))
    case .ip(let address): Bytes(address.description)
    case .string(let bytes), .method(let bytes): bytes
    case .binary(let bytes): bytes.firstIndex(of: 0).map { bytes.prefix($0) } ?? bytes
    }
  }

  private static let one = Bytes("1")
  private static let zero = Bytes("0")

  /// The octets without a change of form where there are some; text otherwise.
  var octets: Bytes {
    switch self {
    case .string(let bytes), .binary(let bytes), .method(let bytes): bytes
    case .ip(let address): Bytes(address.octets)
    case .int(let value): Bytes(withUnsafeBytes(of: value.bigEndian) { Array($0) })
    case .bool(let value): Bytes([0, 0, 0, 0, 0, 0, 0, value ? 1 : 0])
    }
  }

  var integer: Int64? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .int(let value): value
    case .ip(.v4(let word)): Int64(word)
    case .ip(.v6): nil
    case .string(let bytes): bytes.isEmpty ? nil : Numbers.leadingInteger(bytes)
    case .method(let bytes): Numbers.leadingInteger(bytes)
    case .binary(let bytes): Numbers.bigEndian(bytes)
    }
  }

  var address: IPAddress? {
    switch self {
    case .ip(let address): address
    case .int(let value): .v4(UInt32(truncatingIfNeeded: value))
    case .string(let bytes): Numbers.address(bytes) ?? Numbers.leadingDottedQuad(bytes).map(IPAddress.v4)
    case .binary(let bytes): Numbers.rawAddress(bytes)
    case .bool, .method: nil
    }
  }

  var truth: Bool? {
    switch self {
    case .bool(let value): value
    case .int(let value): value != 0
    case .string(let bytes): bytes.isEmpty ? nil : Numbers.leadingInteger(bytes).map { $0 != 0 }
    default: nil
    }
  }

  /// This value as `wanted`, or nil when it has no such form.
  func cast(to wanted: SampleType) -> Sample? {
    switch wanted {
    case .any, .same: return self
    case .bool: return truth.map(Sample.bool)
    case .int: return integer.map(Sample.int)
    case .address: return address.map(Sample.ip)
    case .ipv4:
      guard let address else { return nil }
      if case .v4 = address.unmapped { return .ip(address.unmapped) }
      return nil
    case .ipv6:
      guard let address else { return nil }
      if case .v4(let word) = address { return .ip(.v6(high: 0, low: 0xFFFF_0000_0000 | UInt64(word))) }
      return .ip(address)
    case .string:
      if case .string = self { return self }
      return .string(text)
    case .binary:
      if case .binary = self { return self }
      return .binary(octets)
    case .method:
      if case .method = self { return self }
      return .method(text)
    }
  }
}
