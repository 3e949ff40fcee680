import Base
import Config

extension CompileScope {
  /// The map of a file, or of a `virt@` name, as a converter looks it up.
  func map(_ path: String, _ method: MatchMethod, _ output: SampleType) throws(RuleError) -> MapView {
    let reference = try patterns(path, isMap: true)
    let key = "\(method.rawValue) \(output.rawValue) \(reference.name)"
    if let known = shared.maps[key] { return known }
    let view = try MapView(reference, method, output, shared.patterns)
    shared.maps[key] = view
    return view
  }

  /// The entries of a file: one reference however many rules name it. `opt@` need not exist, `virt@` does not.
  func patterns(_ path: String, isMap: Bool) throws(RuleError) -> PatternReference {
    var name = path
    var isOptional = false
    let isVirtual = name.hasPrefix("virt@")
    if name.hasPrefix("opt@") {
      isOptional = true
      name.removeFirst(4)
    } else if name.hasPrefix("file@") {
      name.removeFirst(5)
    }
    let place = "by \(isMap ? "map" : "acl") at file '\(lineAtHand.file)' line \(lineAtHand.line)"
    let reference = try shared.patterns.named(name) { () throws(RuleError) in
      var source = PatternReference.Source.loaded
      if !isVirtual, !isOptional || shared.readFile(name) != nil {
        source = .file(try shared.file(name, kind: isMap ? "map" : "pattern"), isMap: isMap)
      }
      return PatternReference(
        name: name, description: "pattern loaded from file '\(path)' used \(place)", source: source,
        place: lineAtHand)
    }
    reference.use(isMap: isMap)
    return reference
  }
}
