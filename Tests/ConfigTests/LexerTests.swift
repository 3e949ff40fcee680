import Base
import Config
import Testing

@Suite("Words of a line")
struct LexerTests {
  /// The words of a line, seen through the description of a backend.
  private func words(_ text: String, _ environment: [String: String] = [:]) -> [String] {
    let loaded = Loading.load("backend b\n acl x \(text)\n", environment: environment)
    return loaded.configuration.proxies.first?.acls.first?.words.dropFirst(2).map(\.text) ?? []
  }

  @Test(
    "quotes, escapes and comments",
    arguments: [
      (#"a b\ c"#, ["a", "b c"]), (#"a # b"#, ["a"]), (##"a \# b"##, ["a", "#", "b"]), (#"a#b c"#, ["a"]),
      (#""a b" 'c d'"#, ["a b", "c d"]), (#""a'b" 'c"d'"#, ["a'b", "c\"d"]), (#"a"b c"d"#, ["ab cd"]),
      (#"\x41\x62 '\x41'"#, ["Ab", #"\x41"#]), (#"a\tb\nc"#, ["a\tb\nc"]), (#"a\.b \1"#, [#"a\.b"#, #"\1"#]),
      (#"\"a\""#, ["\"a\""]), (#"$HOME"#, ["$HOME"]), (#"'$HOME'"#, ["$HOME"]), (#""\$HOME""#, ["$HOME"]),
    ] as [(String, [String])])
  func quoting(line: String, expected: [String]) { #expect(words(line) == expected) }

  @Test(
    "variables in double quotes",
    arguments: [
      (#""$A""#, ["one"]), (#""${A}x""#, ["onex"]), (#""${NO-two}""#, ["two"]), (#""${A-two}""#, ["one"]),
      (#""${L[*]}""#, ["1", "2", "3"]), (#"x "${NO[*]}" y"#, ["x", "y"]), (#""a${L}b""#, ["a1 2 3b"]),
      (#""${.LINE}""#, ["2"]), (#""${.FILE}""#, ["t.cfg"]), (#""${.SECTION}""#, ["b"]),
    ] as [(String, [String])])
  func variables(line: String, expected: [String]) {
    #expect(words(line, ["A": "one", "L": "1 2 3"]) == expected)
  }

  @Test(
    "broken words are named with their place",
    arguments: [
      (#"acl x "a"#, "unmatched quote at position 8:", 8),
      (#"acl x 'a"#, "unmatched quote at position 8:", 8),
      (#"acl x \x4"#, "truncated or invalid hexadecimal sequence at position 8:", 8),
      (#"acl x "${A""#, "unmatched brace in environment variable name at position 10:", 10),
      (#"acl x "$1""#, "forbidden first char in environment variable name at position 10:", 10),
      (#"acl x "${A[x]}""#, "truncated or invalid word expansion sequence at position 12:", 12),
    ] as [(String, String, Int)])
  func broken(line: String, message: String, column: Int) {
    let loaded = Loading.load("backend b\n \(line)\n")
    let errors = loaded.diagnostics.all.filter { $0.severity == .alert }
    #expect(errors.map(\.message) == [message])
    #expect(errors.first?.location.column == column)
  }

  @Test("a word keeps the column and length it has in the file")
  func columns() {
    let loaded = Loading.load("backend b\n  acl name  \"src x\"\tpat\n")
    let places = loaded.configuration.proxies[0].acls[0].words.map {
      [$0.location.column, $0.location.length]
    }
    #expect(places == [[3, 3], [7, 4], [13, 7], [21, 3]])
  }

  @Test("octets that are not UTF-8 arrive as they are")
  func octets() {
    let loaded = Loading.load(Array("backend b\n acl x ".utf8) + [0xFF, 0xC3] + Array("\n".utf8))
    #expect(loaded.configuration.proxies[0].acls[0].words[2].bytes.array == [0xFF, 0xC3])
  }

  @Test("a line whose first word is empty is ignored with advice, as HAProxy ignores it")
  func emptyFirstWord() {
    let loaded = Loading.load("backend b\n \"\" nonsense\n")
    #expect(!loaded.diagnostics.hasErrors)
    #expect(loaded.diagnostics.warningCount == 0)
  }

  @Test("lines may end with CR LF")
  func carriageReturns() {
    let loaded = Loading.load("listen l\r\n bind :80\r\n server s 127.0.0.1:80\r\n")
    #expect(!loaded.diagnostics.hasErrors)
    #expect(loaded.configuration.proxies[0].name == "l")
  }

  @Test(
    "texts that HAProxy refuses",
    arguments: [
      ("backend b", "1: Missing LF on last line, file might have been truncated at position 10."),
      ("backend b\n a\0b\n", "2: Stray NUL character at position 3."),
      (
        "backend b\n acl x \"\"\n",
        "2: argument at position 8 is empty and marks the end of the argument list."
      ),
      ("foo\n", "1: unknown keyword 'foo' out of section."),
    ] as [(String, String)])
  func refused(text: String, message: String) { #expect(Loading.errors(text) == [message]) }
}
