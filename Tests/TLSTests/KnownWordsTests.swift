import Base
import Testing

@testable import TLS

@Suite("words that sessions have in common")
struct KnownWordsTests {
  @Test("the same word is one copy, another is another")
  func sharing() {
    let words = ["TLSv1.3", "TLSv1.2", "TLSv1.3"].map { word in
      Array(word.utf8).withUnsafeBytes { KnownWords.shared($0) }
    }
    #expect(words.map(\.string) == ["TLSv1.3", "TLSv1.2", "TLSv1.3"])
    let places = words.map { $0.withUnsafeBytes { $0.baseAddress } }
    #expect(places[0] == places[2])
    #expect(places[0] != places[1])
    #expect(KnownWords.shared(UnsafeRawBufferPointer(start: nil, count: 0)).isEmpty)
  }
}
