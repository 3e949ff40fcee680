import Base

/// The answer to `get map` and `get acl`: how a text is compared, and with what result.
enum PatternReport {
  static func text(
    _ method: MatchMethod, isFolded: Bool, isMap: Bool,
    find: (RuleContext) -> (key: Bytes, value: Bytes?, type: String)?
  ) -> String {
    let found = find(RuleContext.forReport())
    var line = "type=\(method.rawValue), case=\(isFolded ? "insensitive" : "sensitive")"
    line += isMap ? ", found=" : ", match="
    guard let found else { return line + "no\n" }
    let isTree = [.str, .bin, .ip, .beg].contains(method)
    line += "yes, idx=\(isTree ? "tree" : "list"), \(isMap ? "key" : "pattern")=\"\(found.key.string)\""
    if isMap {
      if let value = found.value {
        line += ", value=\"\(value.string)\", type=\"\(found.type)\""
      } else {
        line += ", value=none"
      }
    }
    return line + "\n"
  }

  static func sample(_ text: Bytes, for method: MatchMethod) -> Sample? {
    Sample.string(text).cast(to: method == .len ? .string : method.expects)
  }

  static func typeName(_ type: SampleType) -> String {
    switch type {
    case .int: "sint"
    case .address, .ipv4: "ipv4"
    default: "str"
    }
  }
}

extension RuleContext {
  /// A context without a request, for comparing a text with patterns.
  static func forReport() -> RuleContext {
    let never = Now(instant: Instant(microseconds: 0), wall: WallTime(microseconds: 0))
    let facts = ConnectionFacts(source: .none, destination: .none, accepted: never)
    return RuleContext(connection: facts, environment: GlobalVariables.StartEnvironment(), now: never)
  }
}
