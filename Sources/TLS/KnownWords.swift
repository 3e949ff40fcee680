import Base
import COpenSSL
import Glibc
import Synchronization

/// Words of the library and of configurations that all sessions have in common, such as the names of ciphers: one copy
/// for the process in place of one for each session.
enum KnownWords {
  /// Far more words than there are ciphers, groups and protocols in use; what comes then is not kept.
  private static let bound = 256
  private static let words = Mutex<[Bytes]>([])

  static func shared(_ word: UnsafeRawBufferPointer) -> Bytes {
    guard let start = word.baseAddress, !word.isEmpty else { return .empty }
    return words.withLock { known in
      for one in known where one.count == word.count {
        if one.withUnsafeBytes({ $0.baseAddress.map { memcmp($0, start, word.count) == 0 } ?? false }) { return one }
      }
      let new = Bytes(Array(word))
      if known.count < bound { known.append(new) }
      return new
    }
  }

  static func shared(_ text: UnsafePointer<CChar>) -> Bytes {
    shared(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }
}
