/// Keywords of the language that are known and do not work yet, with what they wait for.
enum UnsupportedKeywords {
  static func reason(fetch name: String) -> String? {
    if ["spoe.", "fcgi.", "internal.", "lua."].contains(where: name.hasPrefix) {
      return "sample fetch '\(name)' is not supported yet"
    }
    return others.contains(name) ? "sample fetch '\(name)' is not supported yet" : nil
  }

  static func reason(converter name: String) -> String? {
    if ["lua.", "tcp.", "eth.", "ip.", "jwt_decrypt"].contains(
      where: name.hasPrefix)
    {
      return "converter '\(name)' is not supported yet"
    }
    return ["protobuf", "ungrpc", "language", "51d.single", "da-csv-conv"].contains(name)
      ? "converter '\(name)' is not supported yet" : nil
  }

  private static let others: Set<String> = [
    "fc_saved_syn", "distcc_body", "distcc_param", "fs.debug_str", "bs.debug_str",
    "term_events", "cpu_calls",
    "cpu_ns_avg",
    "cpu_ns_tot", "lat_ns_avg", "lat_ns_tot", "srv_iweight", "dump_all_vars", "51d.all", "stopping",
  ]
}
