import Base
import Config
import HTTP

extension ProxyCompiler {
  mutating func compileFormats() {
    scope.place = .logs
    switch proxy.logStyle {
    case .http?: draft.logFormat = .http
    case .tcp?: draft.logFormat = .tcp
    case .https?: draft.logFormat = .https
    case .clf?: draft.logFormat = .clf
    case .format(let line)?: draft.logFormat = logFormat(line)
    case nil: break
    }
    draft.logFormatSD = proxy.logFormatSD.flatMap(logFormat)
    draft.errorLogFormat = proxy.errorLogFormat.flatMap(logFormat)
    scope.place = [.logs, .frontendRequest]
    draft.uniqueIDFormat = proxy.uniqueIDFormat.flatMap(logFormat)
  }

  private func logFormat(_ line: Directive) -> LogFormat? {
    scope.lineAtHand = line.location
    guard line.words.count > 1 else {
      scope.diagnostics.error("'\(line.keyword)' expects a format string", at: line.location)
      return nil
    }
    if line.words.count > 2 {
      scope.diagnostics.error(
        "'\(line.keyword)' cannot handle unexpected argument '\(line.words[2].text)': quote the format or escape its blanks",
        at: line.words[2].location)
      return nil
    }
    do throws(RuleError) {
      return try LogFormatParser.log(line.words[1].bytes, scope: scope)
    } catch {
      scope.report(error, "failed to parse \(line.keyword) : ", line)
      return nil
    }
  }

  mutating func compileExpressions() {
    compileServers()
    if case .rdpCookie(let name) = proxy.balance.algorithm {
      scope.place = .useServer
      let line = Directive(words: [Word("req.rdp_cookie(\(name))")], location: proxy.balance.location)
      draft.hashExpression = expression(line.words.first, "balance rdp-cookie", line)
    }
    if let name = proxy.persistentRDPCookie, proxy.hasBackend {
      scope.place = .useServer
      let line = Directive(words: [Word("req.rdp_cookie(\(name))")], location: proxy.location)
      draft.rdpCookie = expression(line.words.first, "persist rdp-cookie", line)
    }
    if let line = proxy.forwarded {
      scope.place = .backendRequest
      do throws(RuleError) {
        draft.forwarded = try ForwardedOption(line, scope: scope)
      } catch {
        scope.report(error, "'option forwarded' : ", line)
      }
    }
    if case .logHash(let converters) = proxy.balance.algorithm {
      // The text of a message goes through the converters in place of the fetch's.
      scope.place = .configuration
      let line = Directive(words: [Word("str()," + converters)], location: proxy.balance.location)
      draft.hashExpression = expression(line.words.first, "balance log-hash", line)
    }
    if case .hash(let text) = proxy.balance.algorithm {
      scope.place = .useServer
      let line = Directive(words: [Word(text)], location: proxy.balance.location)
      draft.hashExpression = expression(line.words.first, "balance hash", line)
    }
  }

  /// `sni`, `sni-auto`, `pool-conn-name` and `set-proxy-v2-tlv-fmt`.
  private mutating func compileServers() {
    scope.place = .serverConnection
    // For servers that come at run time too.
    if proxy.mode == .http, proxy.hasBackend {
      if scope.shared.automaticSNI == nil {
        let line = Directive(words: [Word("req.hdr(host),host_only")], location: proxy.location)
        scope.shared.automaticSNI = expression(line.words.first, "sni-auto", line)
      }
      draft.automaticSNI = scope.shared.automaticSNI
    }
    for server in proxy.servers {
      var made = ServerExpressions()
      if let line = server.sni {
        made.sni = expression(line.words.last, "sni", line)
      } else if server.isTLS, server.sniAuto ?? true, let automatic = draft.automaticSNI {
        made.sni = automatic
        made.isAutomatic = true
      }
      made.connectionName = made.sni
      if let line = server.poolConnectionName {
        made.connectionName = expression(line.words.last, "pool-conn-name", line)
      }
      for line in server.setProxyTLVs {
        guard let tlv = proxyTLV(line) else { continue }
        made.tlvs.append(tlv)
      }
      if made.connectionName != nil || made.sni != nil || !made.tlvs.isEmpty {
        draft.serverExpressions[server.name] = made
      }
    }
  }

  /// `set-proxy-v2-tlv-fmt(<id>) [<fmt>]`.
  private func proxyTLV(_ line: Directive) -> (UInt8, LogFormat?)? {
    guard let name = line.words.first, let id = name.text.split(separator: "(").last?.dropLast() else { return nil }
    let number = id.hasPrefix("0x") || id.hasPrefix("0X") ? Int(id.dropFirst(2), radix: 16) : Int(id)
    do throws(RuleError) {
      guard name.text.hasSuffix(")"), let number else { throw RuleError("could not convert TLV ID") }
      guard let type = UInt8(exactly: number) else { throw RuleError("the maximum allowed TLV ID is 255") }
      guard line.words.count > 1 else { return (type, nil) }
      return (type, try LogFormatParser.plain(line.words[1].bytes, scope: scope))
    } catch {
      scope.report(error, "'\(name.text)' : ", line)
      return nil
    }
  }

  private func expression(_ word: Word?, _ what: String, _ line: Directive) -> SampleExpression? {
    guard let word else { return nil }
    do throws(RuleError) {
      return try ExpressionParser.parse(word.bytes, scope: scope)
    } catch {
      scope.report(error, "'\(what)' : ", line)
      return nil
    }
  }

  mutating func compileStatistics() {
    guard let stats = proxy.stats else { return }
    scope.place = places(.frontendRequest, .backendRequest)
    for line in stats.adminRules {
      do throws(RuleError) {
        let words = line.words.drop { $0.text != "if" && $0.text != "unless" }
        if let condition = try ConditionParser.parse(words, scope: scope, line: line) {
          draft.statsAdmin.append(condition)
        }
      } catch {
        scope.report(error, "error detected while parsing a 'stats admin' rule : ", line)
      }
    }
    scope.isStatistics = true
    defer { scope.isStatistics = false }
    var rules: [Rule] = []
    for line in stats.httpRequestRules {
      do throws(RuleError) {
        let words = line.words.drop { $0.text == "stats" || $0.text == "http-request" }
        let action = words.first?.text ?? ""
        guard ["allow", "deny", "auth"].contains(action) else {
          throw RuleError("'stats http-request' expects 'allow', 'deny' or 'auth', got '\(action)'")
        }
        rules.append(try rule(line, .httpRequest, words, scope.place))
      } catch {
        scope.report(error, "error detected while parsing a 'stats http-request' rule : ", line)
      }
    }
    draft.statsHTTPRequest = RuleSet(kind: .request, rules: rules)
  }

  /// `errorfile`, `errorloc`, `errorfiles` and `http-error`, the last of each status winning.
  mutating func compileErrorReplies() {
    for reference in proxy.errorFiles {
      do throws(RuleError) {
        switch reference {
        case .file(let status, let path):
          draft.errorReplies[status] = Reply(
            status: status, body: .errorFile(try scope.shared.file(path.text, kind: "error")))
        case .location(let status, let code, let url):
          draft.errorReplies[status] = errorLocation(code, url)
        case .section(let name, let statuses):
          try takeSection(name, statuses)
        case .reply(let line):
          scope.place = .logs.union(places(.frontendRequest, .backendRequest))
          var parser = ActionParser(
            scope: scope, place: .httpRequest, line: line, name: line.words[0], words: line.words.dropFirst())
          let (status, reply) = try ReplyParser.parse(&parser, standardStatus: 200, isRefusal: false)
          draft.errorReplies[status] = reply
        }
      } catch {
        scope.report(error, "", Directive(words: [], location: location(of: reference)))
      }
    }
  }

  private func errorLocation(_ code: Int, _ url: Bytes) -> Reply {
    let value = LogFormat(items: [LogFormatItem(content: .text(url))], globalFlags: [], escaping: .header)
    return Reply(
      kind: .redirect, status: code,
      fields: [("location", value), ("cache-control", ProxyCompiler.noCache)])
  }

  private static let noCache = LogFormat(
    items: [LogFormatItem(content: .text("no-cache"))], globalFlags: [], escaping: .header)

  private mutating func takeSection(_ name: Word, _ statuses: [Int]) throws(RuleError) {
    guard let section = scope.configuration.httpErrors.first(where: { $0.name == name.text }) else {
      throw RuleError(
        "unknown http-errors section '\(name.text)'",
        suggestion: Suggestions.nearest(name.text, scope.configuration.httpErrors.map(\.name)))
    }
    for file in section.files {
      switch file {
      case .file(let status, let path) where statuses.isEmpty || statuses.contains(status):
        draft.errorReplies[status] = Reply(
          status: status, body: .errorFile(try scope.shared.file(path.text, kind: "error")))
      case .location(let status, let code, let url) where statuses.isEmpty || statuses.contains(status):
        draft.errorReplies[status] = errorLocation(code, url)
      default: continue
      }
    }
  }

  private func location(of reference: ErrorFileReference) -> SourceLocation {
    switch reference {
    case .file(_, let path): path.location
    case .section(let name, _): name.location
    case .reply(let line): line.location
    case .location: proxy.location
    }
  }
}
