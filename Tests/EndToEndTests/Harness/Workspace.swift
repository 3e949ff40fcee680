import Foundation

/// A private directory of one test; gone when the test is over.
final class Workspace: Sendable {
  let path: String

  init() throws {
    let template = NSTemporaryDirectory() + "gatehouse-e2e-XXXXXX"
    var octets = template.utf8CString
    let made = octets.withUnsafeMutableBufferPointer { buffer -> String? in
      guard let base = buffer.baseAddress, let name = mkdtemp(base) else { return nil }
      return String(cString: name)
    }
    guard let made else { throw Failure.system("mkdtemp") }
    path = made
    // Servers that give up root must still reach what is theirs.
    chmod(made, 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
    let file = path(name)
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    chmod(file, mode)
    return file
  }

  @discardableResult
  func directory(_ name: String, mode: mode_t = 0o755, owner: Account? = nil) throws -> String {
    let directory = path(name)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    chmod(directory, mode)
    if let owner { chown(directory, owner.user, owner.group) }
    return directory
  }

  static func read(_ path: String) -> String {
    guard let data = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: data, as: UTF8.self)
  }
}

/// A user of the system by name.
struct Account {
  var user: uid_t
  var group: gid_t

  init?(_ name: String) {
    guard let entry = getpwnam(name) else { return nil }
    user = entry.pointee.pw_uid
    group = entry.pointee.pw_gid
  }
}
