import Base

extension ErrorFileReference {
  /// Statuses that have an error message to replace.
  static let statuses: Set<Int> = [
    200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
  ]

  static func status(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) -> Int {
    let word = try arguments.required("a status")
    guard let status = Int(word.text), (100...599).contains(status) else {
      throw Refusal(
        "'\(arguments.keyword)' : '\(word.text)' is no status.", at: word.location, expected: "a status")
    }
    if !statuses.contains(status) {
      context.diagnostics.warning(
        "status code \(status) not handled by '\(arguments.keyword)', error customization will be ignored.",
        at: word.location)
    }
    return status
  }

  /// `errorfile <status> <file>`.
  static func file(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) -> ErrorFileReference {
    let status = try status(&arguments, context)
    var path = try arguments.required("a file")
    try arguments.end()
    path.resolve(context)
    if case .failure(let reason) = context.io.read(path.text) {
      throw Refusal(
        "'\(arguments.keyword)' : error opening file '\(path.text)' : \(reason).", at: path.location,
        expected: "a file with a whole HTTP response")
    }
    return .file(status: status, path: path)
  }
}

extension Word {
  /// Makes a path absolute as `default-path` says.
  mutating func resolve(_ context: LoadContext) {
    guard context.pathBase.mode != .current else { return }
    self = Word(Bytes(context.pathBase.resolve(text, file: location.file)), at: location)
  }
}

extension ProxyKeywords {
  static let errors: [Keyword<ProxySettings>] = [
    Keyword("errorfile", in: .proxy, "<status> <file>", "The message of an error.") {
      settings, arguments, context throws(Refusal) in
      settings.errorFiles.append(try ErrorFileReference.file(&arguments, context))
    },
    Keyword("errorfiles", in: .proxy, "<section> [<status>...]", "Messages of an http-errors section.") {
      settings, arguments, context throws(Refusal) in
      let section = try arguments.required("the name of an 'http-errors' section")
      var statuses: [Int] = []
      while !arguments.isAtEnd { statuses.append(try ErrorFileReference.status(&arguments, context)) }
      settings.errorFiles.append(.section(section, statuses: statuses))
    },
    errorLocation("errorloc", code: 302),
    errorLocation("errorloc302", code: 302),
    errorLocation("errorloc303", code: 303),
    Keyword("http-error", in: .proxy, "status <status> ...", "The answer to an error.") {
      settings, arguments, context throws(Refusal) in
      var probe = arguments
      guard probe.take("status") else {
        throw Refusal(
          "'http-error' expects 'status' first.", at: arguments.endLocation, expected: "status <status>")
      }
      _ = try ErrorFileReference.status(&probe, context)
      settings.errorFiles.append(.reply(arguments.line))
    },
  ]

  private static func errorLocation(_ name: String, code: Int) -> Keyword<ProxySettings> {
    Keyword(name, in: .proxy, "<status> <url>", "A redirect in place of an error.") {
      settings, arguments, context throws(Refusal) in
      let status = try ErrorFileReference.status(&arguments, context)
      let url = try arguments.required("a URL").bytes
      try arguments.end()
      settings.errorFiles.append(.location(status: status, code: code, url: url))
    }
  }
}
