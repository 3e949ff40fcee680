/// Variables that every configuration may use (manual chapter 2.3).
enum BuiltInVariables {
  private static let http =
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"

  private static let fixed: [String: String] = [
    "HAPROXY_BRANCH": "3.5",
    "HAPROXY_STARTUP_VERSION": Build.haproxyVersion,
    "HAPROXY_HTTP_LOG_FMT": http,
    "HAPROXY_HTTPS_LOG_FMT": http
      + " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc",
    "HAPROXY_HTTP_CLF_LOG_FMT":
      "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc "
      + "%rc %sq %bq %CC %CS %hrl %hsl",
    "HAPROXY_TCP_LOG_FMT": "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq",
    "HAPROXY_TCP_CLF_LOG_FMT":
      "%{+Q}o %{-Q}ci - - [%T] \"TCP \" 000 %B \"\" \"\" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc "
      + "%rc %sq %bq \"\" \"\" ",
  ]

  static func adding(to environment: [String: String], localPeer: String?) -> [String: String] {
    var result = environment.merging(fixed) { _, ours in ours }
    if let localPeer { result["HAPROXY_LOCALPEER"] = localPeer }
    return result
  }
}
