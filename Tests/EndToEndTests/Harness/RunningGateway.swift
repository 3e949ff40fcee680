import Foundation

/// The program under test, in the foreground, serving a configuration.
final class RunningGateway: Sendable {
  let child: Child
  let workspace: Workspace

  /// The binary that was built with the tests.
  static let binary: String = {
    var path = [CChar](repeating: 0, count: 4096)
    let n = readlink("/proc/self/exe", &path, path.count - 1)
    let program = String(decoding: path[..<Swift.max(0, n)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = program.split(separator: "/").dropLast().joined(separator: "/")
    let beside = "/" + folder + "/gatehouse"
    if access(beside, X_OK) == 0 { return beside }
    return ProcessInfo.processInfo.environment["GATEHOUSE_BINARY"]
      ?? FileManager.default.currentDirectoryPath + "/.build/debug/gatehouse"
  }()

  /// Starts with the text of a configuration and returns once the ports of `listening` accept.
  init(
    _ configuration: String, listening ports: [Int] = [], unix: [String] = [], in workspace: Workspace,
    arguments: [String] = ["-db"], environment: [String: String] = [:]
  ) throws {
    self.workspace = workspace
    let file = try workspace.write("gatehouse.cfg", configuration)
    child = try Child(
      [RunningGateway.binary] + arguments + ["-f", file], in: workspace, environment: environment)
    let serves = Clock.until(within: 20) {
      child.exitStatus != nil
        || (ports.allSatisfy(RunningGateway.accepts) && unix.allSatisfy(RunningGateway.accepts))
    }
    guard serves, child.exitStatus == nil else {
      throw Failure(
        "the gateway does not serve: \(child.exitStatus.map(String.init) ?? "running")\n\(child.errors)")
    }
  }

  private static func accepts(_ port: Int) -> Bool { (try? Connection(port: port)) != nil }
  private static func accepts(_ path: String) -> Bool { (try? Connection(unix: path)) != nil }

  var errors: String { child.errors }

  /// The outcome of a run that ends by itself, such as `-c`.
  static func run(
    _ arguments: [String], configuration: String, in workspace: Workspace
  ) throws -> Tool.Outcome {
    let file = try workspace.write("checked.cfg", configuration)
    return try Tool.run([binary] + arguments + ["-f", file], in: workspace)
  }
}
