import Base

/// Takes the lines of a `healthcheck` section (manual chapter 12.9): a check that server lines refer to by name.
///
/// It is kept as a backend that has nothing but a check.
final class HealthCheckSection: Section {
  private var settings: ProxySettings
  private var sawType = false
  private static let types = [
    "tcp-check", "httpchk", "ssl-hello-chk", "smtpchk", "pgsql-check", "redis-check", "mysql-check",
    "ldap-check", "spop-check",
  ]

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "healthcheck")
    if let earlier = context.configuration.healthChecks.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate("healthcheck section '\(name.text)' already exists.", name, earlier.location)
    }
    settings = ProxySettings(kind: .backend, name: name.text, location: name.location)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    switch line.keyword {
    case "type":
      guard line.words.count > 1 else {
        throw Refusal(
          "'type' expects a type of check.", at: line.location, expected: HealthCheckSection.types.oneOf)
      }
      let type = line.words[1]
      guard HealthCheckSection.types.contains(type.text), let keyword = OptionKeywords.table[type.text] else {
        throw Refusal.unknownArgument(type, of: "type", among: HealthCheckSection.types)
      }
      var arguments = Arguments(line, keywordWords: 2)
      try keyword.parse(&settings, &arguments, context)
      sawType = true
    case "http-check", "tcp-check": settings.checkRules.append(line)
    default:
      throw Refusal.unknownKeyword(
        line.words[0], section: "healthcheck", among: ["type", "http-check", "tcp-check"])
    }
  }

  func finish(_ context: LoadContext) {
    if !sawType {
      context.diagnostics.error(
        "healthcheck section '\(settings.name)' has no 'type'.", at: settings.location)
    }
    context.configuration.healthChecks.append(Boxed(settings))
  }
}
