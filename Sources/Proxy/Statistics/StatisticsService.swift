import Config
import Rules
extension Stream {
  func serveStatistics(_ settings: StatsSettings, _ rules: CompiledProxy) -> Bool { false }
  func serve(_ service: String) -> Step { refuse(503) }
}
