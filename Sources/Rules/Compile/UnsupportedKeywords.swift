/// Keywords of the language that are known and do not work yet, with what they wait for.
enum UnsupportedKeywords {
  static func reason(fetch name: String) -> String? {
    if ["spoe.", "fcgi.", "internal.", "lua."].contains(where: name.hasPrefix) {
      return "sample fetch '\(name)' is not supported yet"
    }
    return name == "51d.all" ? "sample fetch '\(name)' is not supported yet" : nil
  }

  static func reason(converter name: String) -> String? {
    if name.hasPrefix("lua.") { return "converter '\(name)' is not supported yet" }
    return ["protobuf", "ungrpc", "language", "51d.single", "da-csv-conv"].contains(name)
      ? "converter '\(name)' is not supported yet" : nil
  }
}
