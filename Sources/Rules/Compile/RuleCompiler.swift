public import Base
public import Config
import HTTP
final class MapTable: Sendable {}
struct JSONPath: Sendable {}
struct ACLScope {}
struct Redirect: Sendable { func render(_ c: RuleContext, into r: inout RenderedReply) {} }
extension RenderedReply { mutating func takeErrorFile(_ raw: Bytes) {} }
extension Reply { static func reason(for status: Int) -> Bytes { "OK" } }
struct CaptureSlots: Sendable {}
extension CompiledProxy {
  /// Chooses the backend by the `use_backend` lines; nil leaves the default backend.
  public func backendName(for context: RuleContext) -> BackendChoice? { nil }
  /// Chooses a server by the `use-server` lines; nil leaves it to the balance algorithm.
  public func serverName(for context: RuleContext) -> Bytes? { nil }
  /// Copies the request fields named by `capture request header` into `context.log`.
  public func captureRequest(_ context: RuleContext) {}
  public func captureResponse(_ context: RuleContext) {}
}
extension LogFormat {
  public static let http = LogFormat(items: [], globalFlags: [], escaping: .log)
  public static let https = http
  public static let tcp = http
  public static let clf = http
  /// `Connect from ... to ...`
  public static let short = http
  /// Of the protocol of the `Proxy` layer: parses text outside of any proxy.
  public static func parse(_ text: Bytes, diagnostics: Diagnostics, at location: SourceLocation) -> LogFormat? { nil }
}
public enum RuleCompiler {
  /// Compiles all rules of a configuration. Mistakes go to `diagnostics`; what is broken is left out.
  /// `readFile` gives the content of pattern, map and body files, nil when it cannot be read.
  public static func compile(
    _ configuration: Configuration, diagnostics: Diagnostics, readFile: @escaping (String) -> [UInt8]?
  ) -> CompiledRules {
    var rules = CompiledRules(processVariables: ProcessVariables())
    rules.proxies = configuration.proxies.map { CompiledProxy(ProxyDraft(name: $0.name)) }
    return rules
  }
}
enum ConstantFetches { static let table: [FetchEntry] = [] }
enum ProcessFetches { static let table: [FetchEntry] = [] }
enum ProxyFetches { static let table: [FetchEntry] = [] }
enum ConnectionFetches { static let table: [FetchEntry] = [] }
enum TLSFetches { static let table: [FetchEntry] = [] }
enum PayloadFetches { static let table: [FetchEntry] = [] }
enum HTTPRequestFetches { static let table: [FetchEntry] = [] }
enum HTTPHeaderFetches { static let table: [FetchEntry] = [] }
enum CookieFetches { static let table: [FetchEntry] = [] }
enum BodyFetches { static let table: [FetchEntry] = [] }
enum HTTPResponseFetches { static let table: [FetchEntry] = [] }
enum AuthenticationFetches { static let table: [FetchEntry] = [] }
enum LogFetches { static let table: [FetchEntry] = [] }
enum VariableFetches { static let table: [FetchEntry] = [] }
enum ArithmeticConverters { static let table: [ConverterEntry] = [] }
enum TextConverters { static let table: [ConverterEntry] = [] }
enum EncodingConverters { static let table: [ConverterEntry] = [] }
enum HashConverters { static let table: [ConverterEntry] = [] }
enum DateConverters { static let table: [ConverterEntry] = [] }
enum MapConverters { static let table: [ConverterEntry] = [] }
enum JSONConverters { static let table: [ConverterEntry] = [] }
enum AddressConverters { static let table: [ConverterEntry] = [] }
enum VariableConverters { static let table: [ConverterEntry] = [] }
