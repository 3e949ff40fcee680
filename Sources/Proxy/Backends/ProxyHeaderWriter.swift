import Config
enum ProxyHeaderWriter { static func header(_ v: ProxyVersion, _ s: Stream, _ c: ServerSettings) -> [UInt8] { [] } }
