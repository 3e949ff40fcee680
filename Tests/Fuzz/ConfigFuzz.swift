import Base
import Config

/// libFuzzer's entry: any octets as one configuration file, without a system around it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = Array(UnsafeBufferPointer(start: start, count: count))
  let io = ConfigurationIO(read: { _ in .octets([]) }, resolve: { _ in .v4(0x7F00_0001) })
  let loaded = ConfigurationLoader(io: io, environment: ["A": "b c"]).load(text: text, name: "fuzz")
  let report = ConfigurationReport(loaded, files: ["fuzz"])
  _ = report.check()
  return 0
}
