import Glibc

/// What the harness itself could not do; the test that needed it fails with this text.
struct Failure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }

  /// A system call that failed, with errno's name.
  static func system(_ call: String) -> Failure { Failure("\(call): \(String(cString: strerror(errno)))") }
}
