import Base

/// The lines of a `global` section (manual chapter 3).
final class GlobalSection: Section {
  init(_ arguments: Arguments) throws(Refusal) { try arguments.end() }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    if let keyword = GlobalKeywords.table[line.keyword] {
      if context.prefix != .none, !keyword.takesPrefix {
        throw Refusal("'\(keyword.name)' cannot be negated.", at: line.words[0].location)
      }
      // The settings are moved out while the keyword runs, so that it may look at the context.
      var settings = context.configuration.global
      context.configuration.global = GlobalSettings()
      defer { context.configuration.global = settings }
      return try keyword.parse(&settings, &arguments, context)
    }
    if line.keyword.hasPrefix("tune.lua.") || line.keyword.hasPrefix("lua-") {
      throw Refusal("'\(line.keyword)' is not supported yet.", at: line.words[0].location)
    }
    throw Refusal.unknownKeyword(
      line.words[0], section: "global",
      suggestion: GlobalKeywords.table.suggestion(for: line.keyword, in: .global))
  }

  func finish(_ context: LoadContext) {}
}

/// All keywords of the `global` section.
public enum GlobalKeywords {
  public static let table = KeywordTable<GlobalSettings>(
    process, checks, hints, splicing, alwaysSo, names, environment, logging, tls, serverTLS, tuning, http2,
    sockets, refused, statistics)
}

extension Keyword where Target == GlobalSettings {
  /// A keyword of `global` with one word for an argument.
  static func word(
    _ name: String, _ grammar: String, _ help: String,
    set: @escaping @Sendable (inout GlobalSettings, Word) -> Void
  ) -> Keyword {
    Keyword(name, in: .global, grammar, help) { settings, arguments, _ throws(Refusal) in
      let word = try arguments.required(grammar)
      try arguments.end()
      set(&settings, word)
    }
  }

  /// A keyword of `global` with a number for an argument.
  static func number(
    _ name: String, _ help: String, in range: ClosedRange<Int> = 0...Int(Int32.max),
    set: @escaping @Sendable (inout GlobalSettings, Int) -> Void
  ) -> Keyword {
    Keyword(name, in: .global, "<number>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.integer(in: range)
      try arguments.end()
      set(&settings, value)
    }
  }

  static func flag(
    _ name: String, _ help: String, set: @escaping @Sendable (inout GlobalSettings, Bool) -> Void
  ) -> Keyword {
    Keyword(name, in: .global, "", help, takesPrefix: true) { settings, arguments, context throws(Refusal) in
      try arguments.end()
      set(&settings, context.prefix != .no)
    }
  }

  static func time(
    _ name: String, _ help: String, unit: Timespan = .milliseconds(1),
    set: @escaping @Sendable (inout GlobalSettings, Timespan) -> Void
  ) -> Keyword {
    Keyword(name, in: .global, "<time>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.time(unit: unit)
      try arguments.end()
      set(&settings, value)
    }
  }
}
