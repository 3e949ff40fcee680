import Base

/// `source <addr>[:<port>] [usesrc ...] [interface <name>]` of proxies and servers.
enum SourceLine {
  static func parse(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) -> SourceSettings {
    let word = try arguments.requiredOption("source", "<addr>[:<port>[-<port>]]")
    let syntax = try AddressSyntax(
      context.expandVariables(word.text), at: word.location, keyword: "source", rules: [.portRange])
    guard let ip = syntax.address(context.io) else {
      throw Refusal("'source' : invalid address: '\(word.text)'", at: word.location)
    }
    var source = SourceSettings(address: .ip(ip, port: syntax.ports?.lowerBound ?? 0))
    source.ports = syntax.ports
    while let option = arguments.peek {
      switch option.text {
      case "interface":
        arguments.next()
        source.interface = try arguments.requiredOption("interface", "<name>").text
      case "usesrc":
        arguments.next()
        source.foreign = try foreign(
          try arguments.requiredOption("usesrc", "<addr> | client | clientip | hdr_ip(<name>)"), context)
      default: return source
      }
    }
    return source
  }

  /// What stands behind `usesrc`.
  private static func foreign(_ word: Word, _ context: LoadContext) throws(Refusal) -> SourceSettings.Foreign {
    switch word.text {
    case "client": return .client
    case "clientip": return .clientAddress
    default: break
    }
    let text = context.expandVariables(word.text)
    if text.hasPrefix("hdr_ip("), text.hasSuffix(")") {
      let parts = text.dropFirst("hdr_ip(".count).dropLast().split(separator: ",", omittingEmptySubsequences: false)
      let occurrence = parts.count == 2 ? Int(parts[1]) : parts.count == 1 ? -1 : nil
      guard let name = parts.first, !name.isEmpty, let occurrence, occurrence != 0, (-10...10).contains(occurrence)
      else {
        throw Refusal(
          "usesrc hdr_ip(name,num) does not support '\(text)'", at: word.location,
          expected: "hdr_ip(<name>[,<occurrence>]), with an occurrence from -10 to 10")
      }
      return .header(Bytes(String(name)), occurrence: occurrence)
    }
    let syntax = try AddressSyntax(text, at: word.location, keyword: "usesrc", rules: [])
    guard let ip = syntax.address(context.io) else {
      throw Refusal(
        "'usesrc' : invalid address: '\(word.text)'", at: word.location,
        expected: "client, clientip, hdr_ip(<name>) or an address")
    }
    return .address(.ip(ip, port: syntax.ports?.lowerBound ?? 0))
  }
}
