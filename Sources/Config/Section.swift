import Base

/// Takes the lines of one section.
protocol Section: AnyObject {
  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal)
  /// Called once when the next section begins or the file ends.
  func finish(_ context: LoadContext)
}

/// Swallows the lines of a section that was refused, so that one mistake is reported once.
final class IgnoredSection: Section {
  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {}
  func finish(_ context: LoadContext) {}
}

/// A word that starts a section, and what its lines are given to.
struct SectionKind: Sendable {
  typealias Open = @Sendable (Arguments, LoadContext) throws(Refusal) -> any Section

  let open: Open

  static let table: [String: SectionKind] = {
    var table: [String: SectionKind] = [
      "global": SectionKind { arguments, _ throws(Refusal) in try GlobalSection(arguments) },
      "defaults": SectionKind { arguments, context throws(Refusal) in
        try ProxySection(.defaults, arguments, context)
      },
      "frontend": SectionKind { arguments, context throws(Refusal) in
        try ProxySection(.frontend, arguments, context)
      },
      "backend": SectionKind { arguments, context throws(Refusal) in
        try ProxySection(.backend, arguments, context)
      },
      "listen": SectionKind { arguments, context throws(Refusal) in
        try ProxySection(.listen, arguments, context)
      },
      "userlist": SectionKind { arguments, context throws(Refusal) in try UserlistSection(arguments, context)
      },
      "http-errors": SectionKind { arguments, context throws(Refusal) in
        try HTTPErrorsParser(arguments, context)
      },
      "cache": SectionKind { arguments, context throws(Refusal) in try CacheSection(arguments, context) },
      "crt-store": SectionKind { arguments, context throws(Refusal) in
        try CertificateStoreSection(arguments, context)
      },
      "resolvers": SectionKind { arguments, context throws(Refusal) in
        try ResolversSection(arguments, context)
      },
    ]
    table["peers"] = SectionKind { arguments, context throws(Refusal) in
      try PeersSection(arguments, context)
    }
    table["ring"] = SectionKind { arguments, context throws(Refusal) in try RingSection(arguments, context) }
    table["log-forward"] = SectionKind { arguments, context throws(Refusal) in
      try LogForwardSection(arguments, context)
    }
    table["log-profile"] = SectionKind { arguments, context throws(Refusal) in
      try LogProfileSection(arguments, context)
    }
    table["healthcheck"] = SectionKind { arguments, context throws(Refusal) in
      try HealthCheckSection(arguments, context)
    }
    for name in unsupported {
      table[name] = SectionKind { arguments, _ throws(Refusal) in
        let why = reasons[name].map { ": \($0)." } ?? " yet."
        throw Refusal("section '\(name)' is not supported\(why)", at: arguments.keywordLocation)
      }
    }
    return table
  }()

  /// What HAProxy's listing has of sections that are not a proxy's.
  static let listed: [(name: String, keywords: [String])] = [
    ("userlist", UserlistSection.keywords), ("peers", []), ("crt-store", CertificateStoreSection.keywords),
  ]

  private static let reasons = [
    "acme": "certificates are not requested by ACME; let a client such as certbot write them",
    "traces": "there are no traces of the inside; 'log-steps' and 'do-log' tell what happens to a request",
    "mailers": "mail is not sent; let what reads the log do that",
    "program": "programs are not started; let the service manager do that",
    "fcgi-app": "FastCGI is not spoken; put a server that does in between",
  ]

  /// Sections that are known and cannot work yet; a parser takes such a name's place in `table`.
  static let unsupported = [
    "mailers", "program", "fcgi-app",
    "traces",
    "acme", "dynamic-update",
  ]
}
