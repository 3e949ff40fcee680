import Base
import COpenSSL

/// A certificate with its chain, key and what lies beside it, as HAProxy's `crt` finds them.
final class CertificateBundle {
  let path: String
  let leaf: X509Certificate
  let chain: [X509Certificate]
  let key: PrivateKey
  let dhParameters: [UInt8]?
  /// A DER OCSP response to staple.
  let ocspResponse: [UInt8]?

  private init(
    path: String, contents: PEM.Contents, key: PrivateKey, leaf: X509Certificate, ocsp: [UInt8]?
  ) {
    self.path = path
    self.leaf = leaf
    chain = Array(contents.certificates.dropFirst())
    self.key = key
    dhParameters = contents.dhParameters
    ocspResponse = ocsp
  }

  /// Extensions of files that belong to another one and are no certificates by themselves.
  private static let companions = [".key", ".ocsp", ".issuer", ".sctl"]
  private static let algorithms = [".rsa", ".dsa", ".ecdsa"]

  /// Loads what a `crt` argument names: a file, a directory, or the base of `.rsa` and `.ecdsa` files.
  static func loadAll(
    _ path: String, from files: any TLSFileReader
  ) throws(TLSError) -> [CertificateBundle] {
    if let names = files.names(in: path) {
      var found: [CertificateBundle] = []
      for name in names.sorted() where !name.hasPrefix(".") && !companions.contains(where: name.hasSuffix) {
        found.append(try load("\(path)/\(name)", from: files))
      }
      if found.isEmpty { throw TLSError(.noCertificate, path) }
      return found
    }
    if files.contents(of: path) != nil { return [try load(path, from: files)] }
    var found: [CertificateBundle] = []
    for algorithm in algorithms where files.contents(of: path + algorithm) != nil {
      found.append(try load(path + algorithm, from: files))
    }
    if found.isEmpty { throw TLSError(.unreadableFile, path) }
    return found
  }

  private static func load(
    _ path: String, from files: any TLSFileReader
  ) throws(TLSError) -> CertificateBundle {
    guard let text = files.contents(of: path) else { throw TLSError(.unreadableFile, path) }
    var contents = try PEM.read(text, path: path)
    if contents.key == nil {
      for candidate in keyPaths(for: path) {
        guard let keyText = files.contents(of: candidate) else { continue }
        contents.key = try PEM.read(keyText, path: candidate).key
        break
      }
    }
    guard let leaf = contents.certificates.first else { throw TLSError(.noCertificate, path) }
    guard let key = contents.key else { throw TLSError(.noPrivateKey, path) }
    ERR_clear_error()
    guard X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
      throw TLSError.fromQueue(.keyMismatch, path)
    }
    return CertificateBundle(
      path: path, contents: contents, key: key, leaf: leaf, ocsp: files.contents(of: path + ".ocsp"))
  }

  /// `site.pem.key`, then `site.key`.
  private static func keyPaths(for path: String) -> [String] {
    var paths = [path + ".key"]
    if let dot = path.lastIndex(of: "."), !path[dot...].contains("/") { paths.append(path[..<dot] + ".key") }
    return paths
  }
}
