import COpenSSL

/// Reads the blocks of PEM files.
enum PEM {
  struct Contents {
    var certificates: [X509Certificate] = []
    var key: PrivateKey?
    var revocationLists: [RevocationList] = []
    /// DER of Diffie-Hellman parameters.
    var dhParameters: [UInt8]?
  }

  /// Reads all blocks of known kinds; others are passed over.
  static func read(_ text: [UInt8], path: String) throws(TLSError) -> Contents {
    ERR_clear_error()
    guard let length = Int32(exactly: text.count) else { throw TLSError(.unreadableFile, path) }
    let blocks = text.withUnsafeBytes { bytes -> [(name: String, isEncrypted: Bool, der: [UInt8])] in
      guard let bio = BIO_new_mem_buf(bytes.baseAddress, length) else { return [] }
      defer { BIO_free(bio) }
      var found: [(name: String, isEncrypted: Bool, der: [UInt8])] = []
      while let block = next(bio) { found.append(block) }
      return found
    }
    ERR_clear_error()
    var contents = Contents()
    for block in blocks {
      switch block.name {
      case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
        guard let certificate = X509Certificate(der: block.der) else {
          throw TLSError.fromQueue(.badCertificate, path)
        }
        contents.certificates.append(certificate)
      case "ENCRYPTED PRIVATE KEY": throw TLSError(.encryptedKey, path)
      case let name where name.hasSuffix("PRIVATE KEY"):
        if block.isEncrypted { throw TLSError(.encryptedKey, path) }
        guard let key = PrivateKey(der: block.der) else { throw TLSError.fromQueue(.noPrivateKey, path) }
        if contents.key == nil { contents.key = key }
      case "X509 CRL":
        guard let list = RevocationList(der: block.der) else {
          throw TLSError.fromQueue(.badCertificate, path)
        }
        contents.revocationLists.append(list)
      case "DH PARAMETERS": contents.dhParameters = block.der
      default: break
      }
    }
    return contents
  }

  private static func next(_ bio: OpaquePointer) -> (name: String, isEncrypted: Bool, der: [UInt8])? {
    var name: UnsafeMutablePointer<CChar>?
    var header: UnsafeMutablePointer<CChar>?
    var data: UnsafeMutablePointer<UInt8>?
    var length = 0
    guard PEM_read_bio(bio, &name, &header, &data, &length) == 1, let name, let header, let data else {
      return nil
    }
    defer {
      gh_free(name)
      gh_free(header)
      gh_free(data)
    }
    return (
      String(cString: name), header.pointee != 0, Array(UnsafeBufferPointer(start: data, count: length))
    )
  }
}

/// A private key; owns the library's object.
public final class PrivateKey: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Takes ownership of `pointer`.
  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  convenience init?(der: [UInt8]) {
    let key = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var at = bytes.baseAddress
      return d2i_AutoPrivateKey(nil, &at, bytes.count)
    }
    guard let key else { return nil }
    self.init(owning: key)
  }

  deinit { EVP_PKEY_free(pointer) }

  enum Kind: Int { case ecdsa, rsa, other }

  /// The key as PEM.
  public var pem: [UInt8] {
    MemoryBIO.text { PEM_write_bio_PrivateKey($0, pointer, nil, nil, 0, nil, nil) } ?? []
  }

  var kind: Kind {
    switch EVP_PKEY_get_base_id(pointer) {
    case EVP_PKEY_EC: .ecdsa
    case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS: .rsa
    default: .other
    }
  }
}

/// A certificate revocation list; owns the library's object.
public final class RevocationList: @unchecked Sendable {
  let pointer: OpaquePointer

  init?(der: [UInt8]) {
    let list = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var at = bytes.baseAddress
      return d2i_X509_CRL(nil, &at, bytes.count)
    }
    guard let list else { return nil }
    pointer = list
  }

  deinit { X509_CRL_free(pointer) }
}
