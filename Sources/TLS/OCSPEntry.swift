import Base
import COpenSSL
import Synchronization

/// What is known of one certificate's revocation (RFC 6960): the response that is stapled, which may be exchanged while
/// connections are served.
public final class OCSPEntry: Sendable {
  /// The certificate ID in hexadecimal, as the runtime API names it.
  public let key: String
  /// The DER certificate ID.
  let identifier: [UInt8]
  /// The certificate's file.
  public let path: String
  /// Addresses of responders that the certificate names.
  public let responders: [String]
  /// A request for it (DER), for a responder.
  public let request: [UInt8]
  private let state: Mutex<State>

  private struct State {
    var response: [UInt8]?
    /// Seconds since 1970 from which on it is not shown any more.
    var expires = Int64.max
  }

  /// Seconds before its end at which a response is not shown any more: clocks differ.
  private static let skew: Int64 = 300

  init?(_ certificate: X509Certificate, issuer: X509Certificate, path: String) {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let id = OCSP_cert_to_id(nil, certificate.pointer, issuer.pointer) else { return nil }
    defer { OCSP_CERTID_free(id) }
    guard let octets = DER.encode({ gh_i2d_OCSP_CERTID(id, $0) }) else { return nil }
    identifier = octets
    key = octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    self.path = path
    responders = OCSPEntry.responders(of: certificate)
    request = OCSPEntry.request(for: id)
    state = Mutex(State())
  }

  private static func responders(of certificate: X509Certificate) -> [String] {
    guard let list = X509_get1_ocsp(certificate.pointer) else { return [] }
    defer { X509_email_free(list) }
    return (0..<gh_string_count(list)).compactMap { gh_string_at(list, $0).map { String(cString: $0) } }
  }

  private static func request(for id: OpaquePointer) -> [UInt8] {
    guard let request = OCSP_REQUEST_new() else { return [] }
    defer { OCSP_REQUEST_free(request) }
    guard let copy = OCSP_CERTID_dup(id) else { return [] }
    guard OCSP_request_add0_id(request, copy) != nil else {
      OCSP_CERTID_free(copy)
      return []
    }
    return DER.encode { gh_i2d_OCSP_REQUEST(request, $0) } ?? []
  }

  public var response: [UInt8]? { state.withLock { $0.response } }

  /// What a handshake may show now.
  func response(at now: Int64) -> [UInt8]? { state.withLock { $0.expires >= now ? $0.response : nil } }

  func set(_ response: [UInt8]) {
    let end = OCSPEntry.facts(of: response)?.nextUpdate
    let new = State(response: response, expires: end.map { $0 - OCSPEntry.skew } ?? .max)
    state.withLock { $0 = new }
  }

  /// What a DER response says, when it is one that can be stapled.
  public struct Facts: Sendable {
    /// The certificate ID in hexadecimal.
    public var key: String
    /// Seconds since 1970 at which a new response is due; nil when it does not say.
    public var nextUpdate: Int64?
  }

  /// nil when `der` is no successful response about one certificate.
  public static func facts(of der: [UInt8]) -> Facts? {
    withBasic(der) { basic -> Facts? in
      guard OCSP_resp_count(basic) > 0, let single = OCSP_resp_get0(basic, 0), let id = OCSP_SINGLERESP_get0_id(single),
        let octets = DER.encode({ gh_i2d_OCSP_CERTID(id, $0) })
      else { return nil }
      var due: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
      _ = OCSP_single_get0_status(single, nil, nil, nil, &due)
      return Facts(
        key: octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(), nextUpdate: due.flatMap(seconds))
    }
  }

  private static func seconds(_ time: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>) -> Int64? {
    guard let epoch = ASN1_TIME_set(nil, 0) else { return nil }
    defer { ASN1_STRING_free(epoch) }
    var (days, seconds): (Int32, Int32) = (0, 0)
    guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
    return Int64(days) * 86400 + Int64(seconds)
  }

  private static func withBasic<R>(_ der: [UInt8], _ body: (OpaquePointer) -> R?) -> R? {
    ERR_clear_error()
    defer { ERR_clear_error() }
    let response = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var at = bytes.baseAddress
      return d2i_OCSP_RESPONSE(nil, &at, bytes.count)
    }
    guard let response else { return nil }
    defer { OCSP_RESPONSE_free(response) }
    guard OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL,
      let basic = OCSP_response_get1_basic(response)
    else { return nil }
    defer { OCSP_BASICRESP_free(basic) }
    return body(basic)
  }

  /// Takes a response over when it is about this certificate; false when it is not.
  public func update(_ der: [UInt8]) -> Bool {
    guard OCSPEntry.facts(of: der)?.key == key else { return false }
    set(der)
    return true
  }

  /// A response in words.
  public static func text(of der: [UInt8]) -> [UInt8] {
    let response = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var at = bytes.baseAddress
      return d2i_OCSP_RESPONSE(nil, &at, bytes.count)
    }
    guard let response else { return [] }
    defer { OCSP_RESPONSE_free(response) }
    return MemoryBIO.text { OCSP_RESPONSE_print($0, response, 0) } ?? []
  }

  /// Issuer name hash, issuer key hash and serial number, in hexadecimal.
  public var parts: (nameHash: String, keyHash: String, serial: String) {
    let id = identifier.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var at = bytes.baseAddress
      return d2i_OCSP_CERTID(nil, &at, bytes.count)
    }
    guard let id else { return ("", "", "") }
    defer { OCSP_CERTID_free(id) }
    var name: UnsafeMutablePointer<ASN1_OCTET_STRING>?
    var key: UnsafeMutablePointer<ASN1_OCTET_STRING>?
    var serial: UnsafeMutablePointer<ASN1_INTEGER>?
    _ = OCSP_id_get0_info(&name, nil, &key, &serial, id)
    func digits(_ text: UnsafeMutablePointer<ASN1_STRING>?) -> String {
      Hex.upper(X509Certificate.octets(of: text.map { UnsafePointer($0) }))
    }
    return (digits(name), digits(key), digits(serial))
  }
}

enum Hex {
  static func upper(_ octets: [UInt8]) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
  }
}

/// The DER form of an object, by its `i2d` function.
enum DER {
  static func encode(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>) -> Int32) -> [UInt8]? {
    var out: UnsafeMutablePointer<UInt8>?
    let length = write(&out)
    guard length > 0, let out else { return nil }
    defer { gh_free(out) }
    return Array(UnsafeBufferPointer(start: out, count: Int(length)))
  }
}

/// What a function of the library writes as text.
enum MemoryBIO {
  static func text(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    var data: UnsafeMutablePointer<CChar>?
    guard write(bio) > 0 else { return nil }
    let length = gh_bio_mem_data(bio, &data)
    guard let data, length > 0 else { return [] }
    return data.withMemoryRebound(to: UInt8.self, capacity: length) {
      Array(UnsafeBufferPointer(start: $0, count: length))
    }
  }
}
