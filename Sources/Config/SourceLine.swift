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
        source.useSource = try arguments.requiredOption(
          "usesrc", "<addr> | client | clientip | hdr_ip(<name>)"
        ).text
      default: return source
      }
    }
    return source
  }
}
