import Config
import Rules
import TLS

struct TLSContexts {
  init(_ global: GlobalSettings, _ diagnostics: Diagnostics) {}
  func client(for server: ServerSettings) -> TLSClientContext? { nil }
  func server(for bind: BindSettings) -> TLSServerContext? { nil }
}
extension TLSFacts { init(_ session: TLSSession) { self.init() } }
