import Base
import Glibc
import Synchronization
import Testing

@testable import Rules

@Suite("Maps and patterns at run time")
struct PatternChangeTests {
  private let registry = PatternRegistry()
  private let context = RuleContext.forReport()

  private func reference(_ text: String = "", isMap: Bool = true) -> PatternReference {
    let made = PatternReference(name: "m", description: "test", source: .file(Bytes(text), isMap: isMap))
    made.use(isMap: isMap)
    return made
  }

  private func map(
    _ reference: PatternReference, _ method: MatchMethod = .str, _ output: SampleType = .string
  ) throws -> MapView { try MapView(reference, method, output, registry) }

  private func find(_ map: MapView, _ key: String) -> String? {
    let sample: Sample = IPAddress(key).map(Sample.ip) ?? .string(Bytes(key))
    return map.find(sample, context)?.value.text.string
  }

  @Test(
    "keys are added, changed and removed, and look-ups see it at once",
    arguments: [MatchMethod.str, .beg, .sub, .end])
  func maps(_ method: MatchMethod) throws {
    let reference = reference("a one\nb two\na three\n")
    let map = try map(reference, method)
    #expect(find(map, "a") == "one")
    try reference.add("c", "3")
    #expect(find(map, "c") == "3")
    try reference.set("a", "x")
    #expect(find(map, "a") == "x")
    #expect(reference.entries().map { $0.value?.string } == ["x", "two", "x", "3"])
    try reference.remove("a")
    #expect(find(map, "a") == nil)
    try reference.set("d", "4", adding: true)
    #expect(find(map, "d") == "4")
    #expect(throws: PatternReference.Failure.self) { try reference.set("none", "x") }
    #expect(throws: PatternReference.Failure.self) { try reference.remove("none") }
    // Many look-ups make a table of it again.
    for _ in 0..<200 { #expect(find(map, "d") == "4") }
    #expect(find(map, "b") == "two")
    reference.clear()
    #expect(find(map, "b") == nil)
  }

  @Test("the narrowest network wins, after changes too")
  func networks() throws {
    let reference = reference("10.0.0.0/8 wide\n")
    let map = try map(reference, .ip)
    #expect(find(map, "10.1.1.1") == "wide")
    try reference.add("10.1.0.0/16", "narrow")
    #expect(find(map, "10.1.1.1") == "narrow")
    #expect(throws: PatternReference.Failure.self) { try reference.add("10.1.0.0/99", "x") }
    try reference.remove("10.1.0.0/16")
    #expect(find(map, "10.1.1.1") == "wide")
  }

  @Test("a value of the wrong type is refused by the map that needs another")
  func types() throws {
    let reference = reference("a 1\n")
    _ = try map(reference, .str, .int)
    #expect(throws: PatternReference.Failure.self) { try reference.add("b", "two") }
    #expect(throws: PatternReference.Failure.self) { try reference.set("a", "two") }
    #expect(reference.entries().map { $0.value?.string } == ["1"])
  }

  @Test("entries are found by their ids")
  func ids() throws {
    let reference = reference("a 1\na 2\n")
    let map = try map(reference)
    let ids = reference.entries().map(\.id)
    try #require(ids.count == 2)
    try reference.set(id: ids[1], "9")
    try reference.remove(id: ids[0])
    #expect(find(map, "a") == "9")
    #expect(throws: PatternReference.Failure.self) { try reference.remove(id: ids[0]) }
    #expect(throws: PatternReference.Failure.self) { try reference.set(id: 1, "x") }
  }

  @Test("a prepared version is seen when it is committed, and as a whole")
  func versions() throws {
    let reference = reference("a 1\nb 1\n")
    let map = try map(reference)
    let version = reference.prepare()
    #expect(version == 1)
    try reference.add("a", "2", version: version)
    try reference.add("c", "2", version: version)
    #expect(find(map, "a") == "1")
    #expect(reference.entries(version: version).count == 2)
    #expect(throws: PatternReference.Failure.self) { try reference.add("a", "2", version: 5) }
    #expect(throws: PatternReference.Failure.self) { try reference.commit(2) }
    try reference.commit(version)
    #expect(find(map, "a") == "2")
    #expect(find(map, "b") == nil)
    #expect(find(map, "c") == "2")
    #expect(throws: PatternReference.Failure.self) { try reference.commit(version) }
  }

  @Test("patterns of ACLs are added beside the others and removed", arguments: [false, true])
  func lists(_ folds: Bool) throws {
    let file = reference("/a\n", isMap: false)
    let words = PatternReference(name: "", description: "acl", source: .words(["/b"]))
    let set = try PatternSet([file, words], PatternBuilder(.beg, folds, "path_beg"), registry)
    func matches(_ text: String) -> Bool { set.matches(.string(Bytes(text)), context) }
    #expect(matches("/a1") && matches("/b1") && !matches("/c"))
    for i in 0..<300 { try file.add(Bytes("/n\(i)."), nil) }
    #expect(matches("/n0.x") && matches("/n299.x") && matches("/a") && !matches("/n300."))
    #expect(matches("/N7.x") == folds)
    try file.remove("/a")
    #expect(!matches("/a1") && matches("/b1") && matches("/n299.x"))
    words.clear()
    #expect(!matches("/b1") && matches("/n299.x"))
    try file.addOnce("/n1.")
    #expect(file.entries().count == 300)
  }

  @Test("a run of rules that one look-up answers follows changes of its patterns")
  func runs() throws {
    let fixture = Fixture(
      (0..<5).map { "use_backend \(["a", "b", "c", "full", "a"][$0]) if { hdr(host) h\($0) }" })
    func choice(_ host: String) -> Int? {
      fixture.context.request = Fixture.request("GET / HTTP/1.1", ["Host: \(host)"])
      if case .proxy(let index)? = fixture.backend() { return index }
      return nil
    }
    #expect(choice("h3") == 4)
    #expect(choice("x") == nil)
    let third = try #require(fixture.rules.patterns.references.first { $0.entries().map(\.key) == ["h3"] })
    try third.add("x", nil)
    #expect(choice("x") == 4)
    try third.remove("h3")
    #expect(choice("h3") == nil)
    #expect(choice("h4") == 1)
  }

  @Test("look-ups on other threads see one version or the next, never parts of both")
  func threads() throws {
    let keys = (0..<50).map { Bytes("key\($0)") }
    let reference = reference(keys.map { "\($0.string) 0\n" }.joined())
    // Prefixes are looked up in tables alone, so that a table is what may be wrong.
    let map = try map(reference, .beg)
    let isOver = Atomic<Bool>(false)
    let mixed = Atomic<Int>(0)
    final class Reader: @unchecked Sendable {
      let body: () -> Void
      init(_ body: @escaping () -> Void) { self.body = body }
    }
    var threads: [pthread_t] = []
    for _ in 0..<2 {
      let reader = Reader {
        let context = RuleContext.forReport()
        var last = 0
        while !isOver.load(ordering: .acquiring) {
          for key in keys {
            guard let text = map.find(.string(key), context)?.value.text.string, let version = Int(text)
            else {
              mixed.add(1, ordering: .relaxed)
              continue
            }
            // Versions only go up, for each reader.
            if version < last { mixed.add(1, ordering: .relaxed) }
            last = version
          }
        }
      }
      var thread = pthread_t()
      let box = Unmanaged.passRetained(reader)
      pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Reader>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, box.toOpaque())
      threads.append(thread)
    }
    for _ in 1...200 {
      let version = reference.prepare()
      for key in keys { try reference.add(key, Bytes("\(version)"), version: version) }
      try reference.commit(version)
    }
    isOver.store(true, ordering: .releasing)
    for thread in threads { pthread_join(thread, nil) }
    #expect(mixed.load(ordering: .relaxed) == 0)
    #expect(map.find(.string("key7"), context)?.value.text.string == "200")
  }
}
