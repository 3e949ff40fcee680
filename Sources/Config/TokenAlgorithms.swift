/// Algorithms of JSON Web Encryption (RFC 7518 sections 4 and 5), by the names that tokens give them.
public enum TokenAlgorithms {
  /// `PBES2` is known by name only: no token is opened with a password.
  public static let keys = [
    "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "A128KW", "A192KW", "A256KW", "dir", "ECDH-ES", "ECDH-ES+A128KW",
    "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "PBES2-HS256+A128KW",
    "PBES2-HS384+A192KW", "PBES2-HS512+A256KW",
  ]
  public static let contents = [
    "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM",
  ]

  /// `ALL`, names, and `!name`, separated by colons: what stands later prevails.
  static func parse(_ word: Word, of keyword: String, among known: [String]) throws(Refusal) -> Set<String> {
    var allowed: Set<String> = []
    for part in word.text.split(separator: ":") {
      let name = part.hasPrefix("!") ? String(part.dropFirst()) : String(part)
      if name == "ALL" {
        allowed = Set(known)
      } else if !known.contains(name) {
        throw Refusal(
          "'\(keyword)' : unknown algorithm/encoding '\(name)'.", at: word.location, expected: "ALL, \(known.oneOf)",
          suggestion: Nearest.word(to: name, among: known))
      } else if part.hasPrefix("!") {
        allowed.remove(name)
      } else {
        allowed.insert(name)
      }
    }
    return allowed
  }
}
