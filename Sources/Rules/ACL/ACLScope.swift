import Base
import Config

/// The named ACLs of a proxy; each is compiled when it is first referred to.
struct ACLScope {
  var lines: [String: [Directive]] = [:]
  var order: [String] = []
  var built: [String: ACL] = [:]
  var broken: Set<String> = []
  var used: Set<String> = []
  var pending: Set<String> = []
}

extension CompileScope {
  /// Takes the `acl` lines of the proxy in; they are compiled on demand.
  func declareACLs(_ directives: [Directive]) {
    for line in directives {
      guard line.words.count >= 3 else {
        diagnostics.error(
          "'acl' expects an ACL name and a criterion", at: line.location,
          expected: "acl <name> <criterion> [values]")
        continue
      }
      let name = line.words[1].text
      if name.lowercased() == "or" {
        diagnostics.error(
          "acl name '\(name)' will never match. 'or' is used to express a logical disjunction within a condition",
          at: line.words[1].location)
        continue
      }
      if let wrong = name.utf8.first(where: { !CompileScope.isNameOctet($0) }) {
        diagnostics.error(
          "character '\(Character(Unicode.Scalar(wrong)))' is not permitted in acl name '\(name)'",
          at: line.words[1].location)
        continue
      }
      if acls.lines[name] == nil { acls.order.append(name) }
      acls.lines[name, default: []].append(line)
    }
  }

  private static func isNameOctet(_ c: UInt8) -> Bool {
    ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x2D || c == 0x5F || c == 0x2E || c == 0x3A
  }

  /// Compiles those that nothing referred to, so that their mistakes show, and says so.
  func finishACLs() {
    for name in acls.order where acls.built[name] == nil && !acls.broken.contains(name) {
      _ = try? acl(named: name)
    }
    guard !diagnostics.hasErrors, let proxy else { return }
    for name in acls.order where !acls.used.contains(name) {
      // Those that came from a defaults section may be meant for other proxies.
      guard let place = acls.lines[name]?.first?.words[1].location, place.file == proxy.location.file,
        place.line > proxy.location.line
      else { continue }
      diagnostics.advice("acl '\(name)' is defined and never used", at: place)
    }
  }

  func acl(named name: String) throws(RuleError) -> ACL {
    if let known = acls.built[name] { return known }
    if acls.pending.contains(name) { throw RuleError("ACL '\(name)' has a recursive loop") }
    if let lines = acls.lines[name] {
      acls.pending.insert(name)
      defer { acls.pending.remove(name) }
      var expressions: [ACLExpression] = []
      let before = lineAtHand
      defer { lineAtHand = before }
      for line in lines {
        lineAtHand = line.location
        do throws(RuleError) {
          expressions.append(try ACLParser.expression(Array(line.words.dropFirst(2)), scope: self))
        } catch {
          if !acls.broken.contains(name) {
            report(error, "error detected while parsing ACL '\(name)' : ", line)
          }
        }
      }
      // A broken line was reported; the rules that use the ACL are still looked at.
      if expressions.count < lines.count { acls.broken.insert(name) }
      let acl = ACL(name: name, expressions: expressions)
      acls.built[name] = acl
      return acl
    }
    if let words = ACLKeywords.predefined[name] {
      let acl = ACL(
        name: name, expressions: [try ACLParser.expression(words.map { Word($0) }, scope: self)])
      acls.built[name] = acl
      return acl
    }
    throw RuleError(
      "no such ACL : '\(name)'",
      suggestion: Suggestions.nearest(name, acls.order)
        ?? Suggestions.nearest(name, ACLKeywords.predefined.keys))
  }

  func report(_ error: RuleError, _ prefix: String, _ line: Directive) {
    diagnostics.add(
      Diagnostic(
        .alert, at: line.place(of: error.message), (error.preamble ?? prefix) + error.message,
        expected: error.expected,
        suggestion: error.suggestion,
        replacement: error.replacement))
  }
}

extension Directive {
  /// The word that a message quotes, so that it can be underlined; the whole line when it quotes none.
  func place(of message: String) -> SourceLocation {
    let quoted = message.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map(\.element)
    let fetch = message.split(separator: "<").dropFirst().first?.split(separator: ">").first
    let words = arguments
    for name in quoted {
      if let word = words.first(where: { $0.text == name }) { return word.location }
    }
    for name in quoted + (fetch.map { [$0] } ?? []) where name.count > 1 {
      if let word = words.first(where: { $0.text.contains(name) }) { return word.location }
    }
    return location
  }
}
