import Base
import Config

extension CheckCompiler {
  /// `connect [default] [addr a] [port p] [ssl] [sni n] [alpn l] [send-proxy] [via-socks4] [linger] [comment c]`.
  func connection(_ words: inout CheckWords) throws(RuleError) -> CheckConnection {
    var connection = CheckConnection()
    while let word = words.next() {
      switch word.text {
      case "default": connection.usesServerSettings = true
      case "addr":
        let text = try words.value(of: "addr", "<ipv4|ipv6>").string
        connection.address = try CheckCompiler.address(text)
      case "port":
        guard let value = words.peek else {
          throw RuleError("'port' expects a port number or a sample expression as argument")
        }
        if let number = Int(value.text) {
          guard (1...65535).contains(number) else {
            throw RuleError(
              "expects a valid TCP port (from range 1 to 65535) or a sample expression, got \(value.text)")
          }
          connection.port = UInt16(number)
          _ = words.next()
        } else {
          connection.portExpression = try words.expression(of: "port")
        }
      case "proto":
        let name = try words.value(of: "proto", "a MUX protocol").string
        let known = proxy.check.isHTTP ? ["h1", "h2"] : ["none"]
        guard known.contains(name) else {
          throw RuleError(
            "'proto' : not valid MUX protocol '\(name)'.", suggestion: Suggestions.nearest(name, known),
            expected: known.joined(separator: " or "))
        }
        connection.proto = name
      case "comment": words.comment = try words.value(of: "comment")
      case "send-proxy": connection.sendsProxy = true
      case "via-socks4": connection.viaSocks = true
      case "linger": connection.lingers = true
      case "ssl": connection.isTLS = true
      case "sni": connection.serverName = try words.value(of: "sni")
      case "alpn":
        connection.alpn = try words.value(of: "alpn").string.split(separator: ",").map(String.init)
      default:
        let known = [
          "comment", "port", "addr", "send-proxy", "ssl", "sni", "alpn", "via-socks4", "linger", "default",
        ]
        throw RuleError(
          "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger', 'default' but got '\(word.text)' as argument",
          suggestion: Suggestions.nearest(word.text, known))
      }
    }
    return connection
  }

  /// A literal with an optional port, or a path.
  static func address(_ text: String) throws(RuleError) -> SocketAddress {
    if text.hasPrefix("unix@") { return .unix(String(text.dropFirst(5))) }
    if text.hasPrefix("abns@") { return .abstract(String(text.dropFirst(5)), isPadded: true) }
    if text.hasPrefix("abnsz@") { return .abstract(String(text.dropFirst(6)), isPadded: false) }
    if text.hasPrefix("/") { return .unix(text) }
    if let ip = IPAddress(text) { return .ip(ip, port: 0) }
    if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) {
      var host = String(text[..<colon])
      if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
      if let ip = IPAddress(host) { return .ip(ip, port: port) }
    }
    throw RuleError("'addr' : '\(text)' is no address", expected: "an IPv4 or IPv6 address")
  }

  /// `send`, `send-lf`, `send-binary`, `send-binary-lf` of tcp-check.
  func message(_ name: String, _ words: inout CheckWords) throws(RuleError) -> CheckMessage {
    let what = name.hasPrefix("send-binary") ? "a binary string" : "a string"
    let text = try words.value(of: name, what)
    while let word = words.next() {
      guard word.text == "comment" else {
        throw RuleError("expects 'comment' but got '\(word.text)' as argument")
      }
      words.comment = try words.value(of: "comment")
    }
    switch name {
    case "send": return .fixed(text)
    case "send-binary": return .fixed(try CheckWords.octets(text))
    case "send-lf": return .format(try CheckWords.format(text, scope))
    default: return .binaryFormat(try CheckWords.format(text, scope))
    }
  }

  /// `http-check send`.
  func request(_ words: inout CheckWords) throws(RuleError) -> CheckRequest {
    var request = CheckRequest()
    while let word = words.next() {
      switch word.text {
      case "meth":
        request.method = try words.value(of: "meth")
        request.saysMethod = true
      case "uri":
        request.target = try words.value(of: "uri")
        request.targetFormat = nil
        request.saysTarget = true
      case "uri-lf":
        request.targetFormat = try words.format(of: "uri-lf")
        request.saysTarget = true
      case "ver":
        request.version = try words.value(of: "ver")
        request.saysVersion = true
      case "hdr": try field(&words, &request)
      case "body":
        request.body = try words.value(of: "body")
        request.bodyFormat = nil
      case "body-lf": request.bodyFormat = try words.format(of: "body-lf")
      case "comment": words.comment = try words.value(of: "comment")
      default:
        throw RuleError(
          "expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '\(word.text)' as argument",
          suggestion: Suggestions.nearest(
            word.text, ["comment", "meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf"]))
      }
    }
    return request
  }

  private func field(_ words: inout CheckWords, _ request: inout CheckRequest) throws(RuleError) {
    guard let name = words.next(), let value = words.next() else {
      throw RuleError("'hdr' expects <name> and <value> as arguments")
    }
    if name.bytes.equalsIgnoringCase("host"),
      request.fields.contains(where: { $0.name.equalsIgnoringCase("host") })
    {
      throw RuleError("'\(name.text)' header already defined")
    }
    // The framing is ours.
    if name.bytes.equalsIgnoringCase("content-length") || name.bytes.equalsIgnoringCase("transfer-encoding") {
      return
    }
    request.fields.append((name.bytes, try CheckWords.format(value.bytes, scope)))
  }

  /// `set-var(<name>) <expr>`, `set-var-fmt(<name>) <fmt>`, `unset-var(<name>)`.
  func variable(_ word: String, _ words: inout CheckWords) throws(RuleError) -> CheckVariableChange {
    guard let open = word.firstIndex(of: "("), word.hasSuffix(")") else {
      throw RuleError("'\(word)' expects a variable's name in parentheses", expected: "set-var(check.<name>)")
    }
    let name = String(word[word.index(after: open)...].dropLast())
    let action = word[..<open]
    let variable = try scope.shared.variables.variable(Bytes(name))
    guard variable.scope == .check || variable.scope == .proc || variable.scope == .sess else {
      throw RuleError("variable '\(name)' is not available here", expected: "the scope 'check' or 'proc'")
    }
    switch action {
    case "set-var":
      var text: [UInt8] = []
      while let next = words.next() {
        if !text.isEmpty { text.append(ASCII.space) }
        text.append(next.bytes)
      }
      guard !text.isEmpty else { throw RuleError("'set-var' expects an expression") }
      let expression = try ExpressionParser.parse(Bytes(text), scope: scope)
      return CheckVariableChange(variable: variable, expression: expression, format: nil)
    case "set-var-fmt":
      return CheckVariableChange(
        variable: variable, expression: nil, format: try words.format(of: "set-var-fmt"))
    case "unset-var": return CheckVariableChange(variable: variable, expression: nil, format: nil)
    default:
      throw RuleError(
        "unknown action '\(action)'",
        suggestion: Suggestions.nearest(String(action), CheckCompiler.tcpActions))
    }
  }
}
