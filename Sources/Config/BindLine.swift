import Base

/// `bind` lines and `stats socket` lines: addresses, then options.
enum BindLine {
  static func parse(
    _ arguments: inout Arguments, _ context: LoadContext, isStatsSocket: Bool = false
  ) throws(Refusal) -> BindSettings {
    let address = try arguments.required("[addr]:port[,...]")
    var settings = BindSettings(location: address.location)
    settings.addressText = address.text
    try addresses(address, &settings, context, arguments.keyword, isStatsSocket: isStatsSocket)
    while let word = arguments.next() {
      guard let keyword = BindKeywords.table[word.text] else {
        throw unknown(word, arguments.keyword)
      }
      try keyword.parse(&settings, &arguments, context)
    }
    if settings.isTLS { settings.tlsDefaults = context.configuration.global.bindTLS }
    if settings.generateCertificates, settings.signer == nil {
      throw Refusal("'generate-certificates' needs 'ca-sign-file'.", at: address.location)
    }
    return settings
  }

  private static func unknown(_ word: Word, _ keyword: String) -> Refusal {
    let suggestion = BindKeywords.table.suggestion(for: word.text, in: .proxy)
    let hint = suggestion.map { "; did you mean '\($0)' maybe ?" } ?? ""
    return Refusal(
      "'\(keyword)' : unknown keyword '\(word.text)'\(hint)", at: word.location,
      expected: "an option of '\(keyword)'", suggestion: suggestion)
  }

  private static func addresses(
    _ word: Word, _ settings: inout BindSettings, _ context: LoadContext, _ keyword: String,
    isStatsSocket: Bool
  ) throws(Refusal) {
    let prefix = context.configuration.global.unixBind.prefix
    for piece in word.commaSeparated {
      let text = context.expandVariables(piece.string)
      let syntax = try AddressSyntax(
        text, at: word.location, keyword: keyword, rules: [.portRequired, .portRange])
      switch syntax.host {
      case .unix(let path): settings.addresses.append(.unix(isStatsSocket ? path : prefix + path))
      case .abstract(let name, let isPadded):
        settings.addresses.append(.abstract(name, isPadded: isPadded))
      case .descriptor(let number): settings.addresses.append(.descriptor(number))
      case .unspecified, .literal, .name:
        guard let ports = syntax.ports else { continue }
        guard let ip = syntax.address(context.io) else {
          throw Refusal(
            "'\(keyword)' : invalid address: '\(syntax.hostText)' in '\(text)'", at: word.location,
            expected: "an address of this machine or a name that resolves to one")
        }
        if ports.lowerBound == 0, !isStatsSocket, ports.upperBound != 0 {
          throw Refusal("'\(keyword)' : invalid port range in '\(text)'.", at: word.location)
        }
        settings.addresses.append(.ip(ip, ports: ports))
      }
    }
  }
}
