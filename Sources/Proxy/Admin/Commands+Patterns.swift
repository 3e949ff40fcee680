import Base
import Rules

extension Commands {
  /// Maps and ACLs at run time.
  static let patterns: [Command] =
    [PatternKind.map, .acl].flatMap { kind -> [Command] in
      let word = kind.word
      return [
        Command(
          "show \(word)", "[@<ver>] [\(word)]", level: .admin,
          "report available \(word)s or dump one's contents"
        ) {
          show($0, kind)
        },
        Command(
          "get \(word)", "<\(word)> <value>", level: .admin, "report the keys and values matching a sample"
        ) {
          get($0, kind)
        },
        Command(
          "add \(word)", kind.addUsage, level: .admin,
          "add \(word) entries (payload supported instead of key/val)"
        ) {
          add($0, kind)
        },
        Command(
          "del \(word)", "<\(word)> [<key>|#<ref>]", level: .admin, "delete \(word) entries matching <key>"
        ) {
          delete($0, kind)
        },
        Command("clear \(word)", "[@<ver>] <\(word)>", level: .admin, "clear the contents of this \(word)") {
          clear($0, kind)
        },
        Command(
          "prepare \(word)", "<\(word)>", level: .admin,
          "prepare a new version for atomic \(word) replacement"
        ) {
          call in
          with(call, kind, call.argument(0)) { .info("New version created: \($0.prepare())") }
        },
        Command(
          "commit \(word)", "@<ver> <\(word)>", level: .admin, "commit the specified version of the \(word)"
        ) {
          commit($0, kind)
        },
      ]
    } + [
      Command("set map", "<map> [<key>|#<ref>] <value>", level: .admin, "modify a map entry") { set($0) }
    ]

  enum PatternKind {
    case map, acl

    var word: String { self == .map ? "map" : "acl" }
    var title: String { self == .map ? "map" : "ACL" }
    var addUsage: String { self == .map ? "[@<ver>] <map> <key> <val>" : "[@<ver>] <acl> <pattern>" }
    var unknown: CommandAnswer { .error("Unknown \(title) identifier. Please use #<id> or <file>.") }

    func uses(_ reference: PatternReference) -> Bool { self == .map ? reference.isMap : reference.isACL }
  }

  private static func with(
    _ call: CommandCall, _ kind: PatternKind, _ name: String, anyUse: Bool = false,
    _ body: (PatternReference) -> CommandAnswer
  ) -> CommandAnswer {
    guard let reference = call.runtime.rules.patterns.reference(name), anyUse || kind.uses(reference) else {
      return kind.unknown
    }
    return body(reference)
  }

  /// The arguments without `@<ver>` before them, and that version.
  private static func versioned(_ call: CommandCall) -> (version: UInt32?, arguments: [String]) {
    let arguments = Array(call.arguments)
    guard let first = arguments.first, first.hasPrefix("@") else { return (nil, arguments) }
    let digits = first.dropFirst().prefix { $0.isASCII && $0.isNumber }
    return (UInt32(digits) ?? 0, Array(arguments.dropFirst()))
  }

  private static func failure(_ error: PatternReference.Failure, _ kind: PatternKind) -> CommandAnswer {
    switch error {
    case .notFound: .error("Key not found.")
    case .unknownVersion: .error("Version number in the future, please use 'prepare \(kind.word)' before.")
    case .invalid(let text): .error("\(text).")
    }
  }

  // MARK: Looking

  private static func show(_ call: CommandCall, _ kind: PatternKind) -> CommandAnswer {
    let (version, arguments) = versioned(call)
    guard let name = arguments.first else {
      if version != nil { return kind.unknown }
      let references = call.runtime.rules.patterns.references.filter(kind.uses)
      return .lines("# id (file) description\n" + references.map(\.summary).joined())
    }
    return with(call, kind, name) { reference in
      var entries = reference.entries(version: version)[...]
      return .pieces {
        var out: [UInt8] = []
        while out.count < 16 * 1024, let entry = entries.popFirst() {
          out.append("0x\(String(entry.id, radix: 16)) ")
          out.append(entry.key)
          if let value = entry.value {
            out.append(ASCII.space)
            out.append(value)
          }
          out.append(ASCII.lf)
        }
        return out.isEmpty ? nil : out
      }
    }
  }

  private static func get(_ call: CommandCall, _ kind: PatternKind) -> CommandAnswer {
    guard !call.argument(0).isEmpty, !call.argument(1).isEmpty else {
      return .error("Missing \(kind.title) identifier and/or key.")
    }
    return with(call, kind, call.argument(0), anyUse: true) {
      .lines($0.reports(on: Bytes(call.argument(1)), isMap: kind == .map))
    }
  }

  // MARK: Changing

  private static func add(_ call: CommandCall, _ kind: PatternKind) -> CommandAnswer {
    let (version, arguments) = versioned(call)
    func argument(_ index: Int) -> String { index < arguments.count ? arguments[index] : "" }
    if kind == .map {
      guard !argument(0).isEmpty, call.payload != nil || !argument(1).isEmpty && !argument(2).isEmpty else {
        return .error(
          "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload"
        )
      }
    } else if argument(0).isEmpty || argument(1).isEmpty && call.payload == nil {
      return .error("'add acl' expects two parameters: ACL identifier and pattern.")
    }
    return with(call, kind, argument(0), anyUse: true) { reference in
      if kind == .acl, reference.hasValues {
        return .error(
          "This ACL is shared with a map containing samples. You must use the command 'add map' to add values."
        )
      }
      do throws(PatternReference.Failure) {
        guard let payload = call.payload else {
          try reference.add(Bytes(argument(1)), kind == .map ? Bytes(argument(2)) : nil, version: version)
          return .done
        }
        for line in lines(payload) {
          var end = 0
          while end < line.count, !ASCII.isBlank(line[end]) { end += 1 }
          let value = line.dropFirst(end).trimmed
          if kind == .map, value.isEmpty {
            return .error("Missing value for key '\(line.prefix(end).string)'.")
          }
          try reference.add(line.prefix(end), kind == .map ? value : nil, version: version)
        }
        return .done
      } catch {
        return failure(error, kind)
      }
    }
  }

  private static func lines(_ payload: Bytes) -> [Bytes] {
    var lines: [Bytes] = []
    var start = 0
    while start < payload.count {
      let end = payload.firstIndex(of: ASCII.lf, from: start) ?? payload.count
      if end > start { lines.append(payload[start..<end]) }
      start = end + 1
    }
    return lines
  }

  /// `#0x...`: an entry by its id; nil for a key.
  private static func entryID(_ text: String) -> UInt64?? {
    guard text.hasPrefix("#0x") else { return .none }
    return .some(UInt64(text.dropFirst(3), radix: 16))
  }

  private static func delete(_ call: CommandCall, _ kind: PatternKind) -> CommandAnswer {
    let key = call.argument(1)
    guard !call.argument(0).isEmpty, !key.isEmpty else {
      return .error("This command expects two parameters: \(kind.title) identifier and key.")
    }
    return with(call, kind, call.argument(0)) { reference in
      do throws(PatternReference.Failure) {
        if let id = entryID(key) {
          guard let id else { return .error("Malformed identifier. Please use #<id> or <file>.") }
          try reference.remove(id: id)
        } else {
          try reference.remove(Bytes(key))
        }
        return .done
      } catch {
        return failure(error, kind)
      }
    }
  }

  private static func set(_ call: CommandCall) -> CommandAnswer {
    let key = call.argument(1)
    guard !call.argument(0).isEmpty, !key.isEmpty, !call.argument(2).isEmpty else {
      return .error("'set map' expects three parameters: map identifier, key and value.")
    }
    let value = Bytes(call.argument(2))
    return with(call, .map, call.argument(0), anyUse: true) { reference in
      do throws(PatternReference.Failure) {
        if let id = entryID(key) {
          guard let id else { return .error("Malformed identifier. Please use #<id> or <file>.") }
          try reference.set(id: id, value)
        } else {
          try reference.set(Bytes(key), value)
        }
        return .done
      } catch {
        if case .notFound = error { return .error("entry not found.") }
        return failure(error, .map)
      }
    }
  }

  private static func clear(_ call: CommandCall, _ kind: PatternKind) -> CommandAnswer {
    let (version, arguments) = versioned(call)
    guard let name = arguments.first else { return .error("Missing \(kind.title) identifier.") }
    return with(call, kind, name) {
      $0.clear(version: version)
      return .done
    }
  }

  private static func commit(_ call: CommandCall, _ kind: PatternKind) -> CommandAnswer {
    let (version, arguments) = versioned(call)
    guard let version else { return .error("Missing version number.") }
    guard let name = arguments.first else { return .error("Missing \(kind.title) identifier.") }
    return with(call, kind, name) { reference in
      do throws(PatternReference.Failure) {
        try reference.commit(version)
        return .done
      } catch {
        return .error("Version number out of range.")
      }
    }
  }
}
