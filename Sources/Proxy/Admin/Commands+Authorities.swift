import Base
import TLS

extension Commands {
  /// `ca-file` and `crl-file` while the process runs.
  static let authorities: [Command] =
    AuthorityKind.both.flatMap { kind in
      [
        Command(
          "show ssl \(kind.word)", "[*][<\(kind.file)>[:<index>]]", level: .restricted,
          "display the SSL \(kind.title) files used in memory"
        ) {
          AuthorityCommands(kind, $0).show()
        },
        Command(
          "new ssl \(kind.word)", "<\(kind.file)>", level: .admin,
          "create a new \(kind.title) file to be used in a crt-list"
        ) {
          AuthorityCommands(kind, $0).create()
        },
        Command("set ssl \(kind.word)", "<\(kind.file)> <payload>", level: .admin, "replace a \(kind.title) file") {
          AuthorityCommands(kind, $0).set(adds: false)
        },
        Command("commit ssl \(kind.word)", "<\(kind.file)>", level: .admin, "commit a \(kind.title) file") {
          AuthorityCommands(kind, $0).commit()
        },
        Command(
          "abort ssl \(kind.word)", "<\(kind.file)>", level: .admin, "abort a transaction for a \(kind.title) file"
        ) {
          AuthorityCommands(kind, $0).abort()
        },
        Command("del ssl \(kind.word)", "<\(kind.file)>", level: .admin, "delete an unused \(kind.title) file") {
          AuthorityCommands(kind, $0).delete()
        },
      ]
    } + [
      Command("add ssl ca-file", "<cafile> <payload>", level: .admin, "add a certificate into the CA file") {
        AuthorityCommands(.authorities, $0).set(adds: true)
      }
    ]
}

private enum AuthorityKind: Sendable {
  case authorities, revocations
  static let both = [AuthorityKind.authorities, .revocations]

  var word: String { self == .authorities ? "ca-file" : "crl-file" }
  var file: String { self == .authorities ? "cafile" : "crlfile" }
  var title: String { self == .authorities ? "CA" : "CRL" }
}

/// One command about authorities or revocation lists. The texts are HAProxy's.
private struct AuthorityCommands {
  let kind: AuthorityKind
  let name: String
  let payload: Bytes?
  let store: CertificateStore

  init(_ kind: AuthorityKind, _ call: CommandCall) {
    self.kind = kind
    name = call.argument(0)
    payload = call.payload
    store = call.runtime.certificates
  }

  private var change: AuthorityFile? {
    get { kind == .authorities ? store.authorityChange : store.revocationChange }
    nonmutating set {
      if kind == .authorities { store.authorityChange = newValue } else { store.revocationChange = newValue }
    }
  }

  private func isOfKind(_ file: AuthorityFile) -> Bool { file.isRevocation == (kind == .revocations) }

  /// What a name means: as it is, or relative to `ca-base`.
  private var known: AuthorityFile? {
    let file = store.files.authorities[name] ?? store.files.authorities[store.files.paths.authority(name)]
    return file.flatMap { isOfKind($0) ? $0 : nil }
  }

  private func label(_ file: AuthorityFile) -> String {
    kind == .authorities ? "\(file.path) - \(file.certificates.count) certificate(s)\n" : "\(file.path)\n"
  }

  func show() -> CommandAnswer {
    if name.isEmpty {
      var text = change.map { "# transaction\n*\(label($0))" } ?? ""
      text += "# filename\n"
      for file in store.files.authorities.values.sorted(by: { $0.path < $1.path }) where isOfKind(file) {
        text += label(file)
      }
      return .lines(text)
    }
    var wanted = name
    var index: Int?
    if let colon = wanted.lastIndex(of: ":"), let number = Int(wanted[wanted.index(after: colon)...]) {
      index = number
      wanted = String(wanted[..<colon])
    }
    let isChange = wanted.hasPrefix("*")
    let file = isChange ? change.flatMap { $0.path == wanted.dropFirst() ? $0 : nil } : look(wanted)
    guard let file else { return .error("Can't display the \(kind.title) file : Not found!") }
    return .lines(report(file, index, isChange))
  }

  private func look(_ path: String) -> AuthorityFile? {
    let file = store.files.authorities[path] ?? store.files.authorities[store.files.paths.authority(path)]
    return file.flatMap { isOfKind($0) ? $0 : nil }
  }

  private func report(_ file: AuthorityFile, _ index: Int?, _ isChange: Bool) -> String {
    let count = kind == .authorities ? file.certificates.count : file.revocationLists.count
    if count == 0 { return "" }
    let status = isChange ? "Unused" : store.isUsed(.authority(file.path)) ? "Used" : "Unused"
    var text = "Filename: \(isChange ? "*" : "")\(file.path)\nStatus: \(status)\n"
    for number in 1...count where index == nil || index == number {
      if kind == .authorities {
        text += " \nCertificate #\(number):\n" + file.certificates[number - 1].report
      } else {
        text += " \nCertificate Revocation List #\(number):\n" + file.revocationLists[number - 1].report
      }
    }
    return text
  }

  func create() -> CommandAnswer {
    if name.isEmpty { return .error("'new ssl \(kind.word)' expects a filename") }
    if store.files.authorities[name] != nil { return .error("\(kind.title) file '\(name)' already exists!") }
    do throws(TLSError) {
      let file = AuthorityFile(empty: name, isRevocation: kind == .revocations)
      try store.edit { files throws(TLSError) in files.put(file) }
    } catch { return .error("\(error)") }
    return .message("New \(kind.title) file created '\(name)'!", severity: 5)
  }

  func set(adds: Bool) -> CommandAnswer {
    guard !name.isEmpty, let payload else {
      return .error("'\(adds ? "add" : "set") ssl \(kind.word)' expects a filename and \(kind.title)s as a payload")
    }
    func failure(_ text: String) -> CommandAnswer { .error("\(text)\nCan't update \(name)!") }
    guard let old = known else {
      return failure("Can't replace a \(kind.title) file which is not referenced by the configuration!")
    }
    if let change, change.path != old.path {
      return failure("The ongoing transaction is about '\(change.path)' but you are trying to set '\(old.path)'")
    }
    let isNew = change == nil
    do throws(TLSError) {
      let file = try AuthorityFile(old.path, pem: payload.array, beside: adds ? change ?? old : nil)
      guard kind == .authorities ? !file.certificates.isEmpty : !file.revocationLists.isEmpty else {
        return failure("Invalid payload")
      }
      change = file
    } catch {
      return failure("Invalid payload")
    }
    return .message("transaction \(isNew ? "created" : "updated") for \(kind.title) \(old.path)!", severity: 5)
  }

  func commit() -> CommandAnswer {
    if name.isEmpty { return .error("'commit ssl \(kind.word)' expects a filename") }
    guard let change else { return .error("No ongoing transaction! !\nCan't commit \(name)!") }
    guard change.path == name || change.path == store.files.paths.authority(name) else {
      return .error(
        "The ongoing transaction is about '\(change.path)' but you are trying to set '\(name)'\nCan't commit \(name)!")
    }
    do throws(TLSError) {
      let made = try store.change(.authority(change.path)) { files throws(TLSError) in files.put(change) }
      self.change = nil
      return Commands.done(change.path, made)
    } catch {
      return .error("Committing \(change.path)\n\(error)\nFailed!")
    }
  }

  func abort() -> CommandAnswer {
    if name.isEmpty { return .error("'abort ssl \(kind.word)' expects a filename") }
    guard let change else { return .error("No ongoing transaction!") }
    guard change.path == name || change.path == store.files.paths.authority(name) else {
      return .error(
        "The ongoing transaction is about '\(change.path)' but you are trying to abort a transaction for '\(name)'")
    }
    self.change = nil
    // HAProxy says the same of all files.
    return .message("Transaction aborted for certificate '\(change.path)'!", severity: 5)
  }

  func delete() -> CommandAnswer {
    if name.isEmpty { return .error("'del ssl \(kind.word)' expects a \(kind.title) file name") }
    let failure = "Can't remove the \(kind.title) file: \(kind.title) file '\(name)'"
    guard let file = known else { return .error("\(failure) doesn't exist!") }
    if store.isUsed(.authority(file.path)) { return .error("\(failure) in use, can't be deleted!") }
    do throws(TLSError) {
      try store.edit { files throws(TLSError) in files.removeAuthority(file.path) }
    } catch { return .error("\(error)") }
    return .message("\(kind.title) file '\(name)' deleted!", severity: 5)
  }
}
