import Base
import Synchronization
import TLS

/// All certificates, authorities and lists of the process with all contexts that were made of them.
///
/// Used by the thread that starts the process, then by the first worker's alone. A change is tried on a copy of the
/// files: new contexts are made for every listener and server that uses what changed, and only when all are made do
/// they, and the copy, take the place of the old ones. Connections in progress keep what they began with.
final class CertificateStore: @unchecked Sendable {
  private(set) var files: CertificateFiles {
    didSet {
      let bundles = files.bundles
      newest.withLock { $0 = bundles }
    }
  }
  /// The certificates by name, for rules on any thread.
  private let newest = Mutex<[String: CertificateBundle]>([:])
  private var listeners: [ListenerTLS] = []
  private var clients: [Weak] = []
  /// Changes that wait for `commit`, at most one of each kind.
  var certificateChange: (path: String, parts: CertificateParts)?
  var authorityChange: AuthorityFile?
  var revocationChange: AuthorityFile?

  private struct Weak {
    weak var client: ClientTLS?
  }

  init(_ reader: any TLSFileReader) { files = CertificateFiles(reader) }

  /// Changes the files while the process starts, or in ways that no context depends on.
  func edit<R>(_ body: (inout CertificateFiles) throws(TLSError) -> R) throws(TLSError) -> R {
    var changed = files
    let result = try body(&changed)
    files = changed
    return result
  }

  /// The certificate of that name as it is now. For all threads.
  func certificate(named name: String) -> CertificateBundle? { newest.withLock { $0[name] } }

  func add(_ listener: ListenerTLS) { listeners.append(listener) }

  func add(_ client: ClientTLS) {
    // Servers come and go.
    clients.removeAll { $0.client == nil }
    clients.append(Weak(client: client))
  }

  /// Its server is gone.
  func remove(_ client: ClientTLS) { clients.removeAll { $0.client === client } }

  var allListeners: [ListenerTLS] { listeners }
  var allClients: [ClientTLS] { clients.compactMap(\.client) }

  /// No file is read from now on.
  func close() { files.isClosed = true }

  // MARK: Use

  enum Subject {
    case certificate(String)
    case authority(String)
    case list(String)
  }

  func listeners(using subject: Subject) -> [ListenerTLS] { listeners.filter { uses($0, subject) } }

  private func uses(_ listener: ListenerTLS, _ subject: Subject) -> Bool {
    switch subject {
    case .certificate(let path):
      return listener.with { context in
        context.bundles.contains { $0.path == path } || listener.settings.signer == path
      } ?? false
        || listener.settings.certificates.contains { source in
          source.isList && (files.lists[source.path]?.entries.contains { $0.path == path } ?? false)
        }
    case .list(let path): return listener.settings.certificates.contains { $0.isList && $0.path == path }
    case .authority(let path):
      if listener.settings.policy.names(path) { return true }
      for source in listener.settings.certificates where source.isList {
        for entry in files.lists[source.path]?.entries ?? [] {
          for (option, value) in zip(entry.options, entry.options.dropFirst())
          where ["ca-file", "ca-verify-file", "crl-file"].contains(option) && files.paths.authority(value) == path {
            return true
          }
        }
      }
      return false
    }
  }

  func clients(using subject: Subject) -> [ClientTLS] {
    allClients.filter { client in
      switch subject {
      case .certificate(let path): client.with { $0.bundle?.path == path } ?? false
      case .authority(let path): client.settings.policy.names(path)
      case .list: false
      }
    }
  }

  func isUsed(_ subject: Subject) -> Bool { !listeners(using: subject).isEmpty || !clients(using: subject).isEmpty }

  // MARK: Changes

  /// Begins to know of a certificate's revocation; nil when it names no responder.
  func addOCSP(of bundle: CertificateBundle) -> OCSPEntry? {
    guard !bundle.parts.updatesOCSP else { return nil }
    var parts = bundle.parts
    parts.updatesOCSP = true
    let made = try? change(.certificate(bundle.path)) { files throws(TLSError) in
      guard let entry = files.put(bundle.path, parts).ocsp else { throw TLSError(.badSetting) }
      parts.updatesOCSP = false
      files.put(bundle.path, parts, keeping: entry)
    }
    return made == nil ? nil : files.bundles[bundle.path]?.ocsp
  }

  /// Makes a change, with all that depends on it, or nothing of it. Gives how many contexts were made.
  func change(
    _ subject: Subject, _ body: (inout CertificateFiles) throws(TLSError) -> Void
  ) throws(TLSError) -> Int {
    var changed = files
    try body(&changed)
    var servers: [(ListenerTLS, TLSServerContext)] = []
    for listener in listeners(using: subject) {
      let previous = listener.with { $0 }
      servers.append((listener, try TLSServerContext(listener.settings, files: &changed, previous: previous)))
    }
    var ours: [(ClientTLS, TLSClientContext)] = []
    for client in clients(using: subject) {
      ours.append((client, try TLSClientContext(client.settings, files: &changed)))
    }
    files = changed
    for (listener, context) in servers { listener.replace(with: context) }
    for (client, context) in ours { client.replace(with: context) }
    return servers.count + ours.count
  }
}

extension TLSPolicy {
  /// Whether the path is one of its authorities.
  fileprivate func names(_ path: String) -> Bool { caFile == path || caVerifyFile == path || crlFile == path }
}
