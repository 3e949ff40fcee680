import Base

/// What `proto` and `check-proto` may name.
enum MuxProtocol {
  private static let names = ["h1", "h2", "none"]
  /// Of HAProxy, and not of this gateway.
  private static let unsupported = ["fcgi", "quic", "qmux", "spop", "rhttp"]

  static func parse(_ word: Word, of keyword: String) throws(Refusal) -> String {
    if unsupported.contains(word.text) { throw Refusal.notSupported("'\(keyword) \(word.text)'", word) }
    guard names.contains(word.text) else {
      throw Refusal(
        "'\(keyword)' :  unknown MUX protocol '\(word.text)'", at: word.location, expected: names.oneOf,
        suggestion: Nearest.word(to: word.text, among: names))
    }
    return word.text
  }

  /// HTTP's protocols are for HTTP mode, `none` for TCP.
  static func fits(_ name: String, isHTTP: Bool) -> Bool { (name == "none") != isHTTP }
}
