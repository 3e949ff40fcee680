import Base
import Config
import Testing

@testable import Rules

/// What the fuzzer has found worth keeping: a line as a log format, the rest as an expression.
@Suite("The fuzzer's corpus of rules")
struct CorpusTests {
  private static let folder =
    String(#filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
    + "../Fuzz/corpus/RuleFuzz"

  private func rule(_ before: [String], _ text: Bytes, _ after: [String] = []) -> Directive {
    let words = before.map { Word(Bytes($0), at: .none) } + [Word(text, at: .none)]
    return Directive(words: words + after.map { Word(Bytes($0), at: .none) }, location: .none)
  }

  @Test("nothing in it traps, compiled or evaluated")
  func replay() throws {
    let io = ConfigurationIO.system()
    let names = try #require(io.entries(CorpusTests.folder))
    #expect(names.count > 10)
    for name in names {
      guard case .octets(let text) = io.read(CorpusTests.folder + "/" + name) else { continue }
      let end = text.firstIndex(of: 0x0A) ?? text.count
      let format = Bytes(Array(text[..<end]))
      let expression = Bytes(Array(text[Swift.min(end + 1, text.count)...]))
      let fixture = Fixture([]) {
        $0.rules = [
          rule(["http-request", "set-header", "x-format"], format),
          rule(["http-request", "set-var(txn.x)"], expression),
          rule(["http-request", "deny", "if", "{"], expression, ["-m", "sub", "a", "}"]),
        ]
      }
      _ = fixture.runRequest()
    }
  }
}
