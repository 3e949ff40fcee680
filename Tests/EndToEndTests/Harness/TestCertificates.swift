import Foundation

/// An authority and server certificates, made with openssl for one test.
struct TestCertificates {
  let authority: String
  private let workspace: Workspace

  init(in workspace: Workspace) throws {
    self.workspace = workspace
    authority = workspace.path("ca.crt")
    try Tool.succeed(
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days",
        "2", "-subj", "/CN=test authority", "-keyout", workspace.path("ca.key"), "-out", authority,
      ], in: workspace)
  }

  /// A server certificate for names and addresses: `key`, `certificate`, and a bundle of both.
  func server(_ file: String, names: [String]) throws -> (bundle: String, certificate: String, key: String) {
    let key = workspace.path("\(file).key")
    let request = workspace.path("\(file).csr")
    let certificate = workspace.path("\(file).crt")
    let list = names.map { $0.contains(/^[0-9.]+$/) ? "IP:\($0)" : "DNS:\($0)" }.joined(separator: ",")
    let extensions = try workspace.write("\(file).ext", "subjectAltName=\(list)\n")
    try Tool.succeed(
      [
        "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
        "/CN=\(names[0])", "-keyout", key, "-out", request,
      ], in: workspace)
    try Tool.succeed(
      [
        "openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", workspace.path("ca.key"),
        "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate,
      ], in: workspace)
    let bundle = try workspace.write("\(file).pem", Workspace.read(certificate) + Workspace.read(key))
    return (bundle, certificate, key)
  }
}
