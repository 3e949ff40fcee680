import Base

extension OptionKeywords {
  /// Options that choose the log line.
  static let formats: [Keyword<ProxySettings>] = [
    Keyword("httplog", in: .proxy, "[clf]", "HTTP's log line.", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      let clf = arguments.take("clf")
      try arguments.end()
      setStyle(clf ? .clf : .http, &settings, arguments, context)
    },
    Keyword("tcplog", in: .proxy, "[clf]", "TCP's log line.", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      if let clf = arguments.peek, clf.text == "clf" {
        throw Refusal.notSupported("'option tcplog clf'", clf)
      }
      try arguments.end()
      setStyle(.tcp, &settings, arguments, context)
    },
    Keyword("httpslog", in: .proxy, "", "HTTP's log line with TLS.", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      try arguments.end()
      setStyle(.https, &settings, arguments, context)
    },
  ]

  private static func setStyle(
    _ style: LogStyle, _ settings: inout ProxySettings, _ arguments: Arguments, _ context: LoadContext
  ) {
    if settings.kind == .backend {
      context.diagnostics.warning(
        "backend '\(settings.name)' : '\(arguments.keyword)' directive is ignored in backends.",
        at: arguments.keywordLocation)
      return
    }
    settings.logStyle = context.prefix == .none ? style : nil
    settings.logStyleLocation = arguments.keywordLocation
  }

  /// Options that choose how servers are probed.
  static let checks: [Keyword<ProxySettings>] = [
    check("httpchk", "[<method>] [<uri>] [<version>]") { arguments, context throws(Refusal) in
      try http(&arguments, context)
    },
    check("tcp-check", "") { _, _ throws(Refusal) in .tcp },
    check("ldap-check", "") { _, _ throws(Refusal) in .ldap },
    check("redis-check", "") { _, _ throws(Refusal) in .redis },
    check("ssl-hello-chk", "") { _, _ throws(Refusal) in .tlsHello },
    check("spop-check", "") { _, _ throws(Refusal) in .spop },
    check("external-check", "") { _, _ throws(Refusal) in .external },
    check("smtpchk", "[<hello> <domain>]") { arguments, _ throws(Refusal) in
      guard let hello = arguments.next(), let domain = arguments.next() else {
        return .smtp(greeting: "HELO localhost")
      }
      guard hello.text == "HELO" || hello.text == "EHLO" else { return .smtp(greeting: "HELO localhost") }
      return .smtp(greeting: Bytes(hello.bytes.array + [ASCII.space] + domain.bytes.array))
    },
    check("mysql-check", "[user <user> [post-41|pre-41|post-80]]") { arguments, _ throws(Refusal) in
      guard let word = arguments.next() else { return .mysql(user: nil, .post41) }
      guard word.text == "user" else {
        throw Refusal.unknownArgument(word, of: "option mysql-check", among: ["user"])
      }
      let user = try arguments.required("a user name").bytes
      guard let version = arguments.next() else { return .mysql(user: user, .post41) }
      guard let login = MySQLLogin(rawValue: version.text) else {
        throw Refusal.unknownArgument(
          version, of: "option mysql-check", among: MySQLLogin.allCases.map(\.rawValue))
      }
      return .mysql(user: user, login)
    },
    check("pgsql-check", "user <user>") { arguments, _ throws(Refusal) in
      let word = try arguments.required("'user'")
      guard word.text == "user" else {
        throw Refusal.unknownArgument(word, of: "option pgsql-check", among: ["user"])
      }
      return .pgsql(user: try arguments.required("a user name").bytes)
    },
  ]

  private static func check(
    _ name: String, _ grammar: String,
    _ kind: @escaping @Sendable (inout Arguments, LoadContext) throws(Refusal) -> CheckSettings.Kind
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: .back, grammar, "How servers are probed.", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      if context.prefix != .none {
        settings.check = CheckSettings()
        return
      }
      settings.check.kind = try kind(&arguments, context)
      settings.check.location = arguments.keywordLocation
      try arguments.end()
    }
  }

  /// `option httpchk`: one word is the URI; headers may hide behind the version, as they did up to 2.6.
  private static func http(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal)
    -> CheckSettings.Kind
  {
    let words = arguments.rest()
    switch words.count {
    case 0: return .http(method: "OPTIONS", uri: "/", version: "HTTP/1.0", headers: "")
    case 1: return .http(method: "OPTIONS", uri: words[0].bytes, version: "HTTP/1.0", headers: "")
    case 2: return .http(method: words[0].bytes, uri: words[1].bytes, version: "HTTP/1.0", headers: "")
    default: break
    }
    // Blanks in unquoted headers split the version into words: they belong together again.
    var tail: [UInt8] = []
    for word in words.dropFirst(2) {
      if !tail.isEmpty { tail.append(ASCII.space) }
      tail.append(word.bytes)
    }
    let whole = Bytes(tail)
    let end = (0..<whole.count).first { whole[$0] == ASCII.cr || whole[$0] == ASCII.lf } ?? whole.count
    let headers = whole[end..<whole.count]
    if !headers.isEmpty {
      let lines = headers.string.split(whereSeparator: \.isNewline).map { line -> String in
        let parts = line.split(separator: ":", maxSplits: 1)
        let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
        return "hdr \(parts.first ?? "") \(Quoting.quoted(String(value)))"
      }
      context.diagnostics.advice(
        "headers behind the version of 'option httpchk' are refused since 2.9; 'http-check send' takes them.",
        at: words[2].location,
        replacement: "option httpchk\nhttp-check send meth \(words[0].text) uri \(Quoting.quoted(words[1].text)) ver "
          + "\(whole[0..<end].string) " + lines.joined(separator: " "))
    }
    return .http(
      method: words[0].bytes, uri: words[1].bytes, version: whole[0..<end].trimmed, headers: headers)
  }
}

/// Writing words so that they read back as they are.
enum Quoting {
  static func quoted(_ text: String) -> String {
    let plain =
      !text.isEmpty
      && text.utf8.allSatisfy { c in
        c > 0x20 && c != UInt8(ascii: "\"") && c != UInt8(ascii: "'") && c != UInt8(ascii: "\\")
          && c != UInt8(ascii: "#") && c != UInt8(ascii: "$")
      }
    if plain { return text }
    var result = "\""
    for c in text.unicodeScalars {
      switch c {
      case "\"", "\\", "$": result += "\\\(c)"
      case "\r": result += "\\r"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(c)
      }
    }
    return result + "\""
  }
}
