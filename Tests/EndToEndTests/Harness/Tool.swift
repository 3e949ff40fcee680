import Foundation

/// Programs of the system that tests use as clients and servers.
enum Tool {
  private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"]

  static func find(_ name: String) -> String? {
    if name.contains("/") { return name }
    return folders.lazy.map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
  }

  static func has(_ names: String...) -> Bool { names.allSatisfy { find($0) != nil } }

  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  /// Runs a program to its end; one that takes longer than `seconds` is ended, and the test fails.
  static func run(
    _ arguments: [String], in workspace: Workspace, environment: [String: String] = [:], input: String? = nil,
    within seconds: Double = 20
  ) throws -> Outcome {
    let child = try Child(arguments, in: workspace, environment: environment, input: input)
    guard let status = child.wait(within: seconds) else {
      throw Failure("\(arguments.joined(separator: " ")) did not end: \(child.output) \(child.errors)")
    }
    return Outcome(status: status, output: child.output, errors: child.errors)
  }

  /// `run`, where anything but success is a failure of the test.
  @discardableResult
  static func succeed(
    _ arguments: [String], in workspace: Workspace, environment: [String: String] = [:], input: String? = nil,
    within seconds: Double = 20
  ) throws -> String {
    let outcome = try run(arguments, in: workspace, environment: environment, input: input, within: seconds)
    guard outcome.status == 0 else {
      throw Failure(
        "\(arguments.joined(separator: " ")): \(outcome.status) \(outcome.output) \(outcome.errors)")
    }
    return outcome.output
  }

  /// One request with curl, its answer with the head.
  static func curl(_ arguments: [String], in workspace: Workspace, within seconds: Double = 20) throws
    -> Outcome
  {
    try run(
      ["curl", "-sS", "--max-time", "15", "--noproxy", "*"] + arguments, in: workspace, within: seconds)
  }

  /// The body of an answer.
  static func fetch(_ url: String, _ arguments: [String] = [], in workspace: Workspace) throws -> String {
    try curl(arguments + [url], in: workspace).output
  }

  /// The status of an answer; 000 when there was none.
  static func status(_ url: String, _ arguments: [String] = [], in workspace: Workspace) throws -> String {
    try curl(arguments + ["-o", "/dev/null", "-w", "%{http_code}", url], in: workspace).output
  }
}
