import Base
import Config

/// The formats that HAProxy has names for (manual 8.2).
extension LogFormat {
  private static let httpText =
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"

  /// `option httplog`.
  public static let http = standard(httpText)
  /// `option httpslog`.
  public static let https = standard(
    httpText
      + " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc"
  )
  /// `option tcplog`.
  public static let tcp = standard(
    "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq")
  /// `option httplog clf`.
  public static let clf = standard(
    "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"
  )
  /// What a proxy without a format logs; the mode stands at the end.
  public static let shortTCP = standard("Connect from %ci:%cp to %fi:%fp (%f/TCP)")
  public static let shortHTTP = standard("Connect from %ci:%cp to %fi:%fp (%f/HTTP)")
  /// `error-log-format`'s default, with the reason behind the colon written by the owner.
  public static let error = standard("%ci:%cp [%tr] %ft")

  private static func standard(_ text: String) -> LogFormat {
    let scope = CompileScope(
      configuration: Configuration(), diagnostics: Diagnostics(),
      shared: SharedScope(configuration: Configuration(), diagnostics: Diagnostics()) { _ in nil },
      proxyIndex: -1)
    scope.place = .logs
    do throws(RuleError) {
      return try LogFormatParser.log(Bytes(text), scope: scope)
    } catch {
      return LogFormat(
        items: [LogFormatItem(content: .text(Bytes(error.message)))], globalFlags: [], escaping: .log)
    }
  }
}
