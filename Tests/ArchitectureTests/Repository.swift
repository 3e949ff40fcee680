import Foundation

/// The files of this checkout.
enum Repository {
  struct SourceFile {
    /// Relative to the root.
    var path: String
    var text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  }

  static let root: String = {
    let file = URL(fileURLWithPath: #filePath)
    return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  }()

  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: root + "/" + path, encoding: .utf8)
  }

  static func folders(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root + "/" + path).filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(root)/\(path)/\(name)", isDirectory: &isFolder)
        && isFolder.boolValue
    }
  }

  static func swiftFiles(_ folder: String) throws -> [SourceFile] {
    guard let all = FileManager.default.enumerator(atPath: root + "/" + folder) else { return [] }
    return try all.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map {
      SourceFile(path: folder + "/" + $0, text: try text(folder + "/" + $0))
    }
  }
}
