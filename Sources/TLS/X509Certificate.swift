public import Base
import COpenSSL

/// A certificate and the facts of it that samples and SNI selection read; owns the library's object.
public final class X509Certificate: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Takes ownership of `pointer`.
  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  public convenience init?(der: [UInt8]) {
    let certificate = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var at = bytes.baseAddress
      return d2i_X509(nil, &at, bytes.count)
    }
    guard let certificate else {
      return nil
    }
    self.init(owning: certificate)
  }

  deinit { X509_free(pointer) }

  public var der: [UInt8] {
    var out: UnsafeMutablePointer<UInt8>?
    let length = i2d_X509(pointer, &out)
    guard length > 0, let out else { return [] }
    defer { gh_free(out) }
    return Array(UnsafeBufferPointer(start: out, count: Int(length)))
  }

  /// 1, 2 or 3.
  public var version: Int { X509_get_version(pointer) + 1 }

  /// The serial number's octets, as encoded.
  public var serial: [UInt8] {
    guard let serial = X509_get0_serialNumber(pointer) else { return [] }
    return Self.octets(of: serial)
  }

  /// `YYMMDDhhmmss[Z]` as the certificate writes it.
  public var notBefore: Bytes { Self.shortTime(X509_get0_notBefore(pointer)) }
  public var notAfter: Bytes { Self.shortTime(X509_get0_notAfter(pointer)) }

  /// Generalized times of this century lose it.
  private static func shortTime(_ time: UnsafePointer<ASN1_TIME>?) -> Bytes {
    let text = Bytes(octets(of: time))
    return text.count > 13 && text.starts(with: "20") ? text.dropFirst(2) : text
  }

  /// Seconds from `now` (since 1970) until the certificate expires; negative when it has.
  public func secondsLeft(now: Int64) -> Int64? {
    guard let end = X509_get0_notAfter(pointer), let start = ASN1_TIME_set(nil, Int(now)) else { return nil }
    defer { ASN1_STRING_free(start) }
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard ASN1_TIME_diff(&days, &seconds, start, end) == 1 else { return nil }
    return Int64(days) * 86400 + Int64(seconds)
  }

  public var subject: DistinguishedName { DistinguishedName(X509_get_subject_name(pointer)) }
  public var issuer: DistinguishedName { DistinguishedName(X509_get_issuer_name(pointer)) }

  /// SHA-1 of the DER form, 20 octets (`ssl_c_sha1`).
  public var sha1: [UInt8] { Digest.sha1.hash(der.span) }

  /// `rsaEncryption`, `id-ecPublicKey`.
  public var keyAlgorithm: String? {
    guard let key = X509_get0_pubkey(pointer) else { return nil }
    return Self.shortName(EVP_PKEY_get_base_id(key))
  }

  /// `RSA-SHA256`, `ecdsa-with-SHA256`.
  public var signatureAlgorithm: String? { Self.shortName(X509_get_signature_nid(pointer)) }

  /// DNS names of subjectAltName, then common names that are not among them: what a client may ask for.
  public var dnsNames: [String] {
    var names: [String] = []
    if let raw = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) {
      let list = OpaquePointer(raw)
      for i in 0..<gh_general_names_count(list) {
        guard let entry = gh_general_name(list, i), gh_general_name_type(entry) == GEN_DNS,
          let text = gh_general_name_string(entry)
        else { continue }
        names.append(String(decoding: Self.octets(of: text), as: UTF8.self))
      }
      gh_general_names_free(list)
    }
    for part in subject.parts where part.type == "CN" && !names.contains(part.value.string) {
      names.append(part.value.string)
    }
    return names
  }

  /// Object identifiers of certificatePolicies (RFC 5280 section 4.2.1.4).
  public var policies: [String] {
    guard let raw = X509_get_ext_d2i(pointer, NID_certificate_policies, nil, nil) else { return [] }
    let list = OpaquePointer(raw)
    defer { gh_policies_free(list) }
    return (0..<gh_policies_count(list)).compactMap { i in
      guard let object = gh_policy_at(list, i) else { return nil }
      return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { room in
        guard let base = room.baseAddress, OBJ_obj2txt(base, Int32(room.count), object, 1) > 0 else { return nil }
        return String(cString: base)
      }
    }
  }

  private static func shortName(_ nid: Int32) -> String? { OBJ_nid2sn(nid).map { String(cString: $0) } }

  static func octets(of text: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
    guard let text, let data = ASN1_STRING_get0_data(text) else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: Int(Swift.max(0, ASN1_STRING_length(text)))))
  }
}

/// A subject or issuer name in the order of its encoding.
public struct DistinguishedName: Equatable, Sendable {
  public struct Part: Equatable, Sendable {
    /// The attribute's short name (`CN`, `O`) or its number.
    public var type: String
    public var value: Bytes
  }

  public var parts: [Part] = []

  init(_ name: OpaquePointer?) {
    guard let name else { return }
    for i in 0..<X509_NAME_entry_count(name) {
      guard let entry = X509_NAME_get_entry(name, i), let object = X509_NAME_ENTRY_get_object(entry) else {
        continue
      }
      let nid = OBJ_obj2nid(object)
      let type = OBJ_nid2sn(nid).map { String(cString: $0) } ?? "UNDEF"
      parts.append(
        Part(type: type, value: Bytes(X509Certificate.octets(of: X509_NAME_ENTRY_get_data(entry)))))
    }
  }

  /// `/C=FR/O=Example/CN=name`.
  public var oneLine: Bytes {
    var text: [UInt8] = []
    for part in parts {
      text.append(0x2F)
      text.append(contentsOf: part.type.utf8)
      text.append(0x3D)
      text.append(part.value)
    }
    return Bytes(text)
  }

  /// The `occurrence`th part of `type`: counted from 1, or from the end when negative.
  public func part(_ type: String, occurrence: Int = 1) -> Bytes? {
    let matching = parts.filter { $0.type == type }
    let index = occurrence >= 0 ? Swift.max(1, occurrence) - 1 : matching.count + occurrence
    return matching.indices.contains(index) ? matching[index].value : nil
  }
}
