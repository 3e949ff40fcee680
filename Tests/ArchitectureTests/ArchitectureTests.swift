import Foundation
import Testing

/// The repository's own rules, held by reading its files.
@Suite("architecture") struct ArchitectureTests {
  /// Which target may import which. Every layer may use the ones above it, never one below; each door to C has
  /// one user.
  static let imports: [String: Set<String>] = [
    "Base": [],
    "Config": ["Base"],
    "HTTP": ["Base", "CNghttp2"],
    "TLS": ["Base", "COpenSSL"],
    "NetIO": ["Base", "CLinux"],
    "Rules": ["Base", "Config", "HTTP", "TLS"],
    "Proxy": ["Base", "Config", "HTTP", "TLS", "NetIO", "Rules"],
    "gatehouse": ["Base", "Config", "HTTP", "TLS", "NetIO", "Rules", "Proxy"],
  ]
  /// What every target may import beside.
  static let system: Set<String> = ["Glibc", "Synchronization"]

  @Test("a target imports only what stands above it", arguments: imports.keys.sorted())
  func layers(target: String) throws {
    let allowed = try #require(Self.imports[target]).union(Self.system)
    for file in try Repository.swiftFiles("Sources/\(target)") {
      for line in file.lines {
        guard
          let match = line.wholeMatch(of: /(?:@\w+ )*(?:public |internal |private )?import (?:\w+ )?(\w+).*/)
        else {
          continue
        }
        #expect(allowed.contains(String(match.1)), "\(file.path) imports \(match.1)")
      }
    }
  }

  @Test("the package declares the same layers, and nothing from outside")
  func package() throws {
    let text = try Repository.text("Package.swift")
    #expect(!text.contains(".package("))
    let pattern = /\.(?:target|executableTarget)\(\s*name: "(\w+)",(?:\s*dependencies: \[([^\]]*)\])?/
    var declared: [String: Set<String>] = [:]
    for match in text.matches(of: pattern) {
      let names = (match.2 ?? "").matches(of: /"(\w+)"/).map { String($0.1) }
      declared[String(match.1)] = Set(names)
    }
    #expect(declared == Self.imports)
    #expect(
      Set(try Repository.folders("Sources"))
        == Set(Self.imports.keys).union(["CLinux", "COpenSSL", "CNghttp2"]))
  }

  @Test("nothing in the sources traps on purpose or leaves work behind")
  func forbidden() throws {
    let everywhere = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
    let sources = [
      "try" + "!", "as" + "!", "fatalError" + "(", "import Foundation", "preconditionFailure" + "(",
    ]
    for file in try Repository.swiftFiles("Sources") {
      for (number, line) in file.lines.enumerated() {
        for word in everywhere + sources where line.contains(word) {
          Issue.record("\(file.path):\(number + 1) contains '\(word)'")
        }
      }
    }
    for file in try Repository.swiftFiles("Tests") {
      for word in everywhere where file.text.contains(word) {
        Issue.record("\(file.path) contains '\(word)'")
      }
    }
  }

  @Test("a file holds one idea: none is longer than 500 lines")
  func length() throws {
    for file in try Repository.swiftFiles("Sources") + Repository.swiftFiles("Tests") {
      #expect(file.lines.count <= 501, "\(file.path) has \(file.lines.count - 1) lines")
    }
  }

  @Test("tests wait for conditions, not for time")
  func sleeping() throws {
    let calls = ["Thread." + "sleep", "Task." + "sleep", " sleep" + "("]
    for file in try Repository.swiftFiles("Tests") {
      for word in calls where file.text.contains(word) { Issue.record("\(file.path) contains '\(word)'") }
      if !file.path.hasSuffix("Harness/Clock.swift") {
        #expect(!file.text.contains("usl" + "eep("), "\(file.path) sleeps; Clock.until waits")
      }
    }
  }

  @Test("the top level holds only what belongs there")
  func topLevel() throws {
    let allowed: Set<String> = [
      ".ci", ".gitignore", ".swift-format", "Package.swift", "README.md", "Sources", "Tests", "certs", "conf",
      "errorfiles",
    ]
    // What tools leave, none of it under version control.
    let left: Set<String> = [".build", ".git", ".swiftpm"]
    let present = Set(try FileManager.default.contentsOfDirectory(atPath: Repository.root))
    #expect(present.subtracting(allowed).subtracting(left) == [])
    #expect(allowed.subtracting(present) == [])
  }

  @Test("an error page is a whole answer with the status that its name says")
  func errorPages() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Repository.root + "/errorfiles")
    #expect(!names.isEmpty)
    for name in names {
      let text = try Repository.text("errorfiles/" + name)
      let page = text.replacing("\r\n", with: "\n")
      let end = try #require(page.range(of: "\n\n"))
      #expect(
        page.hasPrefix("HTTP/1.") && page.split(separator: " ").dropFirst().first == name.prefix(3), "\(name)"
      )
      if let length = page.firstMatch(of: /Content-Length: (\d+)/) {
        #expect(Int(length.1) == page[end.upperBound...].utf8.count, "\(name)")
      }
    }
  }
}
