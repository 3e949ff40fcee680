import Base
import COpenSSL

/// What the runtime API prints of certificates, in HAProxy's words.
extension X509Certificate {
  /// Lines from `Serial` to `Issuer`.
  public var report: String {
    var text = "Serial: \(Hex.upper(serial))\n"
    text += "notBefore: \(X509Certificate.text(of: X509_get0_notBefore(pointer)))\n"
    text += "notAfter: \(X509Certificate.text(of: X509_get0_notAfter(pointer)))\n"
    text += "Subject Alternative Name: \(alternativeNames)\n"
    text += "Algorithm: \(algorithm)\n"
    text += "SHA1 FingerPrint: \(Hex.upper(sha1))\n"
    text += "Subject: \(subject.oneLine)\nIssuer: \(issuer.oneLine)\n"
    return text
  }

  /// `Sep 17 16:26:00 2033 GMT`
  public var expiryText: String { X509Certificate.text(of: X509_get0_notAfter(pointer)) }
  public var startText: String { X509Certificate.text(of: X509_get0_notBefore(pointer)) }

  static func text(of time: UnsafePointer<ASN1_TIME>?) -> String {
    guard let time else { return "" }
    return String(decoding: MemoryBIO.text { ASN1_TIME_print($0, time) } ?? [], as: UTF8.self)
  }

  /// `RSA2048`, `EC384`.
  private var algorithm: String {
    guard let key = X509_get0_pubkey(pointer) else { return "" }
    let bits = EVP_PKEY_get_bits(key)
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: return "RSA\(bits)"
    case EVP_PKEY_EC: return "EC\(bits)"
    case EVP_PKEY_DSA: return "DSA\(bits)"
    default: return keyAlgorithm.map { "\($0)\(bits)" } ?? ""
    }
  }

  /// `DNS:one, DNS:two`
  public var alternativeNames: String {
    guard let raw = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else { return "" }
    let list = OpaquePointer(raw)
    defer { gh_general_names_free(list) }
    var names: [String] = []
    for i in 0..<gh_general_names_count(list) {
      guard let entry = gh_general_name(list, i), let text = gh_general_name_string(entry) else { continue }
      let octets = X509Certificate.octets(of: text)
      switch gh_general_name_type(entry) {
      case GEN_DNS: names.append("DNS:" + String(decoding: octets, as: UTF8.self))
      case GEN_EMAIL: names.append("email:" + String(decoding: octets, as: UTF8.self))
      case GEN_URI: names.append("URI:" + String(decoding: octets, as: UTF8.self))
      default: names.append("IP Address:" + octets.map { String($0) }.joined(separator: "."))
      }
    }
    return names.joined(separator: ", ")
  }

  public var pem: [UInt8] { MemoryBIO.text { PEM_write_bio_X509($0, pointer) } ?? [] }

  /// `rsa`, `ecdsa`, `dsa`, as listings of names have it.
  public var kindName: String {
    guard let key = X509_get0_pubkey(pointer) else { return "" }
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: return "rsa"
    case EVP_PKEY_EC: return "ecdsa"
    case EVP_PKEY_DSA: return "dsa"
    default: return ""
    }
  }
}

extension RevocationList {
  /// Lines from `Version` to the last revoked certificate.
  public var report: String {
    var text = "Version \(X509_CRL_get_version(pointer) + 1)\n"
    if let name = OBJ_nid2ln(X509_CRL_get_signature_nid(pointer)) {
      text += "Signature Algorithm: \(String(cString: name))\n"
    }
    text += "Issuer: \(DistinguishedName(X509_CRL_get_issuer(pointer)).oneLine)\n"
    text += "Last Update: \(X509Certificate.text(of: X509_CRL_get0_lastUpdate(pointer)))\n"
    text += "Next Update: \(X509Certificate.text(of: X509_CRL_get0_nextUpdate(pointer)))\n"
    let count = gh_revoked_count(pointer)
    text += count > 0 ? "Revoked Certificates:\n" : "No Revoked Certificates.\n"
    for i in 0..<Swift.max(0, count) {
      guard let revoked = gh_revoked_at(pointer, i) else { continue }
      let serial = X509Certificate.octets(of: X509_REVOKED_get0_serialNumber(revoked))
      text += "    Serial Number: \(Hex.upper(serial))\n"
      text += "        Revocation Date: \(X509Certificate.text(of: X509_REVOKED_get0_revocationDate(revoked)))\n"
    }
    return text
  }
}
