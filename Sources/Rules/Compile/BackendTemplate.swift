import Base
public import Config

/// A named `defaults` section as backends inherit it that come while the process runs.
///
/// Its rules are compiled at start, since files may be out of reach later. What they say about their own proxy
/// without naming it finds nothing, as in HAProxy, whose defaults have rules of their own as well.
public struct BackendTemplate: Sendable {
  private let draft: ProxyDraft
  /// Why no backend can be made of it; nil when one can.
  public let problem: String?

  init(_ defaults: ProxySettings, _ configuration: Configuration, _ shared: SharedScope) {
    // A section that nobody inherits from may be wrong; who asks for it is told then.
    let diagnostics = Diagnostics()
    var settings = DynamicBackendLine.template(of: defaults)
    settings.mode = .http
    let proxy = Boxed(settings)
    var compiler = ProxyCompiler(
      proxy,
      CompileScope(
        configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: -1, proxy: proxy))
    draft = compiler.run()
    problem = diagnostics.all.first { $0.severity == .alert }?.message
  }

  /// The rules of the backend `name`.
  public func rules(of name: String, mode: Mode) -> CompiledProxy {
    var own = draft
    own.name = name
    if mode != .http { own.automaticSNI = nil }
    return CompiledProxy(own)
  }
}
