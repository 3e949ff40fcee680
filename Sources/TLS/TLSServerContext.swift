import Base
import COpenSSL

/// What a listener with `ssl` serves: certificates chosen by name, and the rules of its handshakes.
///
/// Immutable after `init` and shared by all threads.
public final class TLSServerContext: @unchecked Sendable {
  public struct Settings: Sendable {
    public var policy = TLSPolicy()
    /// In order; the first is served when no name matches, unless one is marked as default.
    public var certificates: [TLSCertificateSource] = []
    /// Refuses handshakes without a matching name.
    public var strictSNI = false
    public init() {}
  }

  /// A wildcard's identity and the names that are not meant by it.
  private struct Wildcard {
    var identity: ServerIdentity
    var except: Set<Bytes>
  }

  private let base: ServerIdentity
  private var exact: [Bytes: ServerIdentity] = [:]
  private var wildcards: [Bytes: [Wildcard]] = [:]
  private let strictSNI: Bool
  var baseContext: OpaquePointer { base.context }
  var basePolicy: TLSPolicy { base.policy }

  public init(_ settings: Settings, files: any TLSFileReader) throws(TLSError) {
    strictSNI = settings.strictSNI
    var builder = ContextBuilder(files: files)
    var names = NameTable()
    var defaults: [CertificateBundle] = []
    var defaultPolicy = settings.policy
    var hasDefault = false
    for source in settings.certificates {
      let bundles = try CertificateBundle.loadAll(source.path, from: files)
      let policy = source.policy ?? settings.policy
      if !hasDefault, source.isDefault || defaults.isEmpty, let first = bundles.first {
        // Files of one base name are one certificate in several algorithms; a directory is not.
        defaults = files.names(in: source.path) == nil ? bundles : [first]
        defaultPolicy = policy
        hasDefault = source.isDefault
      }
      for bundle in bundles { names.add(bundle, filters: source.filters, policy: policy) }
    }
    guard !defaults.isEmpty else { throw TLSError(.noCertificate, "bind") }
    base = try ServerIdentity(
      defaults, policy: defaultPolicy, listener: defaultPolicy, builder: &builder)
    try names.build(listener: defaultPolicy, builder: &builder) { name, except, identity in
      if name.starts(with: "*.") {
        wildcards[name.dropFirst(1), default: []].append(Wildcard(identity: identity, except: except))
      } else {
        exact[name] = identity
      }
    }
    SSL_CTX_set_client_hello_cb(
      base.context, Self.chooseIdentity, Unmanaged.passUnretained(self).toOpaque())
  }

  /// The identity for a server name; nil when `strict-sni` refuses it.
  private func identity(for name: Bytes?) -> ServerIdentity? {
    if let name, !name.isEmpty {
      if let found = exact[name] { return found }
      if let dot = name.firstIndex(of: 0x2E), dot > 0, let candidates = wildcards[name.dropFirst(dot)] {
        for candidate in candidates where !candidate.except.contains(name) { return candidate.identity }
      }
    }
    return strictSNI ? nil : base
  }

  private static let chooseIdentity:
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
      ssl, alert, argument in
      guard let ssl, let argument else { return Int32(GH_HELLO_ERROR) }
      let context = Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
      var data: UnsafePointer<UInt8>?
      var length = 0
      var name: Bytes?
      if SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &data, &length) == 1, let data {
        name = ClientHello.serverName(in: UnsafeRawBufferPointer(start: data, count: length))
        if name == nil {
          alert?.pointee = SSL_AD_DECODE_ERROR
          return Int32(GH_HELLO_ERROR)
        }
      }
      guard let identity = context.identity(for: name?.lowercased) else {
        alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
        return Int32(GH_HELLO_ERROR)
      }
      if let owner = gh_owner(ssl) {
        Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue().policy = identity.policy
      }
      if identity === context.base { return Int32(GH_HELLO_SUCCESS) }
      if identity.adopt(ssl) { return Int32(GH_HELLO_SUCCESS) }
      alert?.pointee = SSL_AD_INTERNAL_ERROR
      return Int32(GH_HELLO_ERROR)
    }
}

/// Which certificates answer to which name, the first of a key type winning.
private struct NameTable {
  private struct Entry {
    var bundles: [CertificateBundle] = []
    var policy: TLSPolicy
    var except: Set<Bytes>
  }
  /// A wildcard may be listed several times with different exceptions, an exact name once.
  private var entries: [(name: Bytes, entry: Entry)] = []
  private var index: [Bytes: Int] = [:]

  mutating func add(_ bundle: CertificateBundle, filters: [String], policy: TLSPolicy) {
    let names = filters.isEmpty ? bundle.leaf.dnsNames : filters.filter { !$0.hasPrefix("!") }
    let except = Set(filters.filter { $0.hasPrefix("!") }.map { Bytes($0.dropFirst()).lowercased })
    let wanted = names.isEmpty ? bundle.leaf.dnsNames : names
    for name in wanted {
      let name = Bytes(name).lowercased
      if let known = index[name], entries[known].entry.except == except, entries[known].entry.policy == policy {
        let kinds = entries[known].entry.bundles.map(\.key.kind)
        if !kinds.contains(bundle.key.kind) { entries[known].entry.bundles.append(bundle) }
      } else if index[name] == nil || name.starts(with: "*.") {
        index[name] = index[name] ?? entries.count
        entries.append((name, Entry(bundles: [bundle], policy: policy, except: except)))
      }
    }
  }

  /// Makes one identity for each distinct set of certificates and parameters.
  func build(
    listener: TLSPolicy, builder: inout ContextBuilder, _ put: (Bytes, Set<Bytes>, ServerIdentity) -> Void
  ) throws(TLSError) {
    struct Key: Hashable {
      var bundles: [ObjectIdentifier]
      var policy: TLSPolicy
    }
    var made: [Key: ServerIdentity] = [:]
    for (name, entry) in entries {
      let key = Key(bundles: entry.bundles.map { ObjectIdentifier($0) }, policy: entry.policy)
      let identity: ServerIdentity
      if let known = made[key] {
        identity = known
      } else {
        identity = try ServerIdentity(
          entry.bundles, policy: entry.policy, listener: listener, builder: &builder)
        made[key] = identity
      }
      put(name, entry.except, identity)
    }
  }
}
