import Base

/// Options of sockets that `bind` and `server` lines have in common.
enum SocketWords {
  /// The longest key that the kernel takes for TCP's signatures.
  private static let longestPassword = 80

  /// `tcp-md5sig <password>`.
  static func password(_ arguments: inout Arguments) throws(Refusal) -> Bytes {
    let word = try arguments.requiredOption("tcp-md5sig", "<password>")
    guard (1...longestPassword).contains(word.bytes.count) else {
      throw Refusal(
        "'tcp-md5sig' : the password must have 1 to \(longestPassword) octets.", at: word.location,
        expected: "a password of 1 to \(longestPassword) octets")
    }
    return word.bytes
  }
}
