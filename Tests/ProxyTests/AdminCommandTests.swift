import Base
import Testing

@testable import Proxy

/// Everything that a reader makes of `input`, fed in two parts that meet at `split`.
private func items(_ input: [UInt8], splitAt split: Int) -> [CommandReader.Item] {
  var reader = CommandReader()
  var result: [CommandReader.Item] = []
  for part in [input[..<split], input[split...]] {
    part.withUnsafeBytes { reader.feed($0) }
    while true {
      let item = reader.next()
      if item == .needMore { break }
      result.append(item)
      if item == .tooLong { return result }
    }
  }
  return result
}

@Suite("Command lines of stats sockets")
struct AdminCommandTests {
  @Test("what no request was made of yet can be taken away")
  func rest() {
    var reader = CommandReader()
    Array("one\ntwo\nthr".utf8).withUnsafeBytes { reader.feed($0) }
    #expect(reader.next() == .request(["one"], payload: nil))
    #expect(reader.takeRest() == Array("two\nthr".utf8))
    #expect(reader.next() == .needMore)
    #expect(reader.takeRest() == [])
  }

  @Test(
    "commands need the level that HAProxy asks for",
    arguments: [
      ("show stat", AdminLevel.user), ("show servers state", .user), ("dump stats-file", .user), ("show table", .user),
      ("show env", .restricted), ("show errors", .restricted), ("show sess", .restricted), ("trace", .restricted),
      ("show cache", .admin), ("wait", .admin), ("experimental-mode", .admin), ("publish backend", .admin),
      ("add backend", .admin), ("del backend", .admin), ("show ssl crt-list", .admin), ("show profiling", .admin),
      ("show ssl ocsp-response", .admin), ("show ssl ocsp-updates", .admin), ("set server", .admin),
    ])
  func levels(_ words: String, _ level: AdminLevel) {
    #expect(Commands.find(words.split(separator: " ").map(String.init))?.level == level)
  }

  struct Case: CustomTestStringConvertible {
    var input: String
    var expected: [CommandReader.Item]
    var testDescription: String { input.debugDescription }
  }

  static let cases: [Case] = [
    Case(input: "show info\n", expected: [.request(["show info"], payload: nil)]),
    Case(input: "show info\r\n", expected: [.request(["show info"], payload: nil)]),
    Case(input: "\n", expected: [.request([""], payload: nil)]),
    Case(input: "show info", expected: []),
    Case(input: "a;b\nc\n", expected: [.request(["a", "b"], payload: nil), .request(["c"], payload: nil)]),
    Case(input: "a;\n", expected: [.request(["a", ""], payload: nil)]),
    Case(input: "echo a\\;b\n", expected: [.request(["echo a\\;b"], payload: nil)]),
    Case(
      input: "add map m <<\nk v\nl w\n\nquit\n",
      expected: [.request(["add map m "], payload: "k v\nl w\n"), .request(["quit"], payload: nil)]),
    Case(input: "set x <<END\n\n1\nEND\n", expected: [.request(["set x "], payload: "\n1\n")]),
    Case(input: "a;b <<\n\n", expected: [.request(["a", "b "], payload: "")]),
    Case(input: "<<\n\n", expected: [.request([""], payload: "")]),
  ]

  @Test("a request is the same wherever it is split", arguments: cases)
  func splitting(_ item: Case) {
    let input = Array(item.input.utf8)
    for split in 0...input.count {
      let got = items(input, splitAt: split)
      #expect(got.count == item.expected.count)
      for (a, b) in zip(got, item.expected) {
        guard case .request(let commands, let payload) = a, case .request(let wanted, let text) = b else {
          Issue.record("not a request: \(a)")
          continue
        }
        #expect(commands.map(\.trimmed) == wanted.map(\.trimmed))
        #expect(payload == text)
      }
    }
  }

  @Test("a line of more than 16 KiB is too long, whether it ends or not", arguments: [true, false])
  func longLines(_ ends: Bool) {
    let line = [UInt8](repeating: 0x61, count: 16 * 1024 + 1) + (ends ? [ASCII.lf] : [])
    #expect(items(line, splitAt: 100) == [.tooLong])
    let fits = [UInt8](repeating: 0x61, count: 16 * 1024) + [ASCII.lf]
    #expect(items(fits, splitAt: 100).count == 1)
  }

  @Test("a payload is bounded")
  func longPayloads() {
    var input = Array("add <<\n".utf8)
    for _ in 0..<70 { input += [UInt8](repeating: 0x61, count: 1023) + [ASCII.lf] }
    #expect(items(input, splitAt: 0).last == .tooLong)
  }

  @Test(
    "words are split at blanks and lose their backslashes",
    arguments: [
      ("", []), ("  ", []), ("show  info\t", ["show", "info"]), ("a\\ b c", ["a b", "c"]),
      ("a\\\\b", ["a\\b"]),
      ("a\\;b", ["a;b"]), ("a\\", ["a\\"]),
    ])
  func words(_ text: String, _ expected: [String]) {
    #expect(CommandReader.words(of: Bytes(text)) == expected)
  }

  @Test("a command has at most 64 words")
  func manyWords() {
    #expect(CommandReader.words(of: Bytes(String(repeating: "a ", count: 1000))).count == 64)
  }

  @Test(
    "the longest run of words selects the command",
    arguments: [
      ("show stat typed", "show stat"), ("set maxconn server a/b 3", "set maxconn server"),
      ("quit now", "quit"),
      ("shutdown sessions server a/b", "shutdown sessions server"),
      ("shutdown session 0x1", "shutdown session"),
    ])
  func dispatch(_ line: String, _ expected: String) {
    let found = Commands.find(line.split(separator: " ").map(String.init))
    #expect(found?.words.joined(separator: " ") == expected)
  }

  @Test("a part of a word selects nothing", arguments: ["sho stat", "show", "set maxconn", "shows stat", ""])
  func noAbbreviations(_ line: String) {
    #expect(Commands.find(line.split(separator: " ").map(String.init)) == nil)
  }

  @Test("every command is listed once and found by its own words")
  func table() {
    #expect(Set(Commands.all.map(\.usage)).count == Commands.all.count)
    for command in Commands.all {
      #expect(Commands.find(command.words)?.usage == command.usage)
      #expect(command.helpLine.hasSuffix("\n"))
    }
  }

  @Test("help is filtered by the words after it")
  func help() {
    let text = String(decoding: CommandHelp.list(["show", "st"]), as: UTF8.self)
    #expect(text.contains("\n  show stat "))
    #expect(text.contains("\n  show startup-logs "))
    #expect(!text.contains("show info"))
    #expect(text.contains("\n  quit "))
  }

  @Test("an unknown command is answered with what may have been meant")
  func suggestions() {
    let text = String(decoding: CommandHelp.unknown(["show", "stats"], "show"), as: UTF8.self)
    #expect(
      text.hasPrefix("Unknown command: 'show', but maybe one of the following ones is a better match:\n"))
    #expect(text.contains("\n  show stat "))
  }

  @Test(
    "times of the command line",
    arguments: [
      ("10", 10_000), ("10s", 10_000), ("50ms", 50), ("2m", 120_000), ("1h", 3_600_000), ("7000us", 7),
    ])
  func times(_ text: String, _ expected: Int) {
    #expect(CommandNumber.milliseconds(text, unit: 1000) == expected)
  }

  @Test("times that are none", arguments: ["", "x", "-1", "5y", "s"])
  func wrongTimes(_ text: String) {
    #expect(CommandNumber.milliseconds(text, unit: 1000) == nil)
  }

  @Test("numbers too big for 32 bits are bounded")
  func numbers() {
    #expect(CommandNumber.value("99999999999999999999999") == Int(Int32.max))
    #expect(CommandNumber.value("-99999999999999999999999") == -Int(Int32.max))
    #expect(CommandNumber.value("abc") == 0)
  }
}
