/// A predicate of a condition, such as `feature(OPENSSL)`.
struct Predicate: Sendable {
  typealias Test =
    @Sendable (_ arguments: [String], _ environment: [String: String], _ position: Int) throws(Condition
    .Failure)
    -> Bool

  let arity: Int
  let holds: Test

  static let table: [String: Predicate] = [
    "defined": Predicate(arity: 1) { arguments, environment, _ in environment[arguments[0]] != nil },
    "enabled": Predicate(arity: 1) { arguments, _, _ in Build.enabled.contains(arguments[0]) },
    "feature": Predicate(arity: 1) { arguments, _, _ in Build.features.contains(arguments[0]) },
    "streq": Predicate(arity: 2) { arguments, _, _ in arguments[0] == arguments[1] },
    "strneq": Predicate(arity: 2) { arguments, _, _ in arguments[0] != arguments[1] },
    "strstr": Predicate(arity: 2) { arguments, _, _ in contains(arguments[0], arguments[1]) },
    "version_atleast": Predicate(arity: 1) { arguments, _, position throws(Condition.Failure) in
      try version(arguments[0], position) <= Build.languageVersion
    },
    "version_before": Predicate(arity: 1) { arguments, _, position throws(Condition.Failure) in
      try version(arguments[0], position) > Build.languageVersion
    },
    "openssl_version_atleast": Predicate(arity: 1) { arguments, _, position throws(Condition.Failure) in
      try tlsVersion(arguments[0], position) <= Build.tlsLibraryVersion
    },
    "openssl_version_before": Predicate(arity: 1) { arguments, _, position throws(Condition.Failure) in
      try tlsVersion(arguments[0], position) > Build.tlsLibraryVersion
    },
    "ssllib_name_startswith": Predicate(arity: 1) { arguments, _, _ in
      Build.tlsLibraryName.hasPrefix(arguments[0])
    },
    "awslc_api_atleast": Predicate(arity: 1) { _, _, _ in false },
    "awslc_api_before": Predicate(arity: 1) { _, _, _ in false },
    "fips_mode": Predicate(arity: 0) { _, _, _ in false },
  ]

  /// Whether `part` occurs in `whole`, as octets.
  private static func contains(_ whole: String, _ part: String) -> Bool {
    let whole = Array(whole.utf8)
    let part = Array(part.utf8)
    guard part.count <= whole.count else { return false }
    return (0...(whole.count - part.count)).contains { start in
      whole[start..<(start + part.count)].elementsEqual(part)
    }
  }

  private static func version(_ text: String, _ position: Int) throws(Condition.Failure) -> LanguageVersion {
    if let version = LanguageVersion(text) { return version }
    throw Condition.Failure(
      message: "failed to parse version '\(text)'", position: position, expected: "a version such as 2.6-dev5"
    )
  }

  private static func tlsVersion(_ text: String, _ position: Int) throws(Condition.Failure) -> [Int] {
    var parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part -> Int? in
      Int(part.prefix { $0.isNumber })
    }
    while parts.count < 3 { parts.append(0) }
    let numbers = parts.compactMap { $0 }
    guard numbers.count == parts.count else {
      throw Condition.Failure(
        message: "failed to parse version '\(text)'", position: position, expected: "a version such as 3.0.2")
    }
    let letter = text.utf8.last.map { $0 >= 0x61 && $0 <= 0x7A ? Int($0) - 0x60 : 0 } ?? 0
    return Array(numbers.prefix(3)) + [letter]
  }
}

extension [Int] {
  static func <= (a: [Int], b: [Int]) -> Bool { !b.lexicographicallyPrecedes(a) }
  static func > (a: [Int], b: [Int]) -> Bool { b.lexicographicallyPrecedes(a) }
}

/// A version of the configuration language as HAProxy numbers them: `3.5`, `2.6-dev5`, `2.4.1`.
struct LanguageVersion: Comparable {
  var numbers: [Int]

  /// Digits and dots, optionally `-dev<n>`, with an optional leading `v` and anything behind a further dash.
  init?(_ text: String) {
    var rest = Substring(text)
    if rest.hasPrefix("v") { rest = rest.dropFirst() }
    let pieces = rest.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = pieces.first else { return nil }
    let dotted = first.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    var numbers = dotted.compactMap { $0 }
    guard !numbers.isEmpty, numbers.count == dotted.count, numbers.count <= 4 else { return nil }
    while numbers.count < 4 { numbers.append(0) }
    // A development version comes before its release: it counts below zero.
    var development = 0
    if pieces.count > 1, pieces[1].hasPrefix("dev") {
      guard let number = Int(pieces[1].dropFirst(3).prefix { $0.isNumber }) else { return nil }
      development = number &- 1_000_000
    }
    self.numbers = [numbers[0], numbers[1], development, numbers[2], numbers[3]]
  }

  init(_ major: Int, _ minor: Int) { numbers = [major, minor, 0, 0, 0] }

  static func < (a: LanguageVersion, b: LanguageVersion) -> Bool {
    a.numbers.lexicographicallyPrecedes(b.numbers)
  }
}
