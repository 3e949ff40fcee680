import Base

/// `set-map`, `del-map`, `add-acl`, `del-acl`: rules that change maps and pattern lists.
enum PatternActions {
  static let table: [ActionEntry] = [
    ActionEntry("set-map", .http, "(<map-name>) <key fmt> <value fmt>") { parser throws(RuleError) in
      let reference = try reference(parser)
      let key = try parser.format("a key")
      let value = try parser.format("a value")
      return { context in
        let key = Bytes(key.rendered(context))
        let value = Bytes(value.rendered(context))
        // A value that the map cannot take changes nothing.
        try? reference()?.set(key, value, adding: true)
        return nil
      }
    },
    change("del-map", .http) { try? $0.remove($1) },
    change("add-acl", [.httpRequest, .httpResponse]) { try? $0.addOnce($1) },
    change("del-acl", .http) { try? $0.remove($1) },
  ]

  private static func change(
    _ name: String, _ places: RulePlaces, _ body: @escaping @Sendable (PatternReference, Bytes) -> Void
  ) -> ActionEntry {
    ActionEntry(name, places, "(<file-name>) <key fmt>") { parser throws(RuleError) in
      let reference = try reference(parser)
      let key = try parser.format("a key")
      return { context in
        let key = Bytes(key.rendered(context))
        if let reference = reference() { body(reference, key) }
        return nil
      }
    }
  }

  /// The reference that is named; it may be declared by a later line, and one that is not is left alone.
  private static func reference(_ parser: ActionParser) throws(RuleError) -> @Sendable () -> PatternReference? {
    var name = try parser.argument().string
    if name.hasPrefix("opt@") { name.removeFirst(4) } else if name.hasPrefix("file@") { name.removeFirst(5) }
    let registry = parser.scope.shared.patterns
    return { [name] in registry.reference(name) }
  }
}
