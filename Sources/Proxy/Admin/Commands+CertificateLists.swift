import Base
import Config
import TLS

extension Commands {
  /// `crt-list` files while the process runs.
  static let certificateLists: [Command] = [
    Command(
      "show ssl crt-list", "[-n] [<list>]", level: .admin,
      "show the list of crt-lists or the content of a crt-list file"
    ) {
      showList($0)
    },
    Command(
      "add ssl crt-list", "<list> <cert> [opts]*", level: .admin,
      "add to crt-list file <list> a line <cert> or a payload"
    ) {
      addToList($0)
    },
    Command("del ssl crt-list", "<list> <cert[:line]>", level: .admin, "delete a line <cert> from crt-list file <list>")
    {
      deleteFromList($0)
    },
  ]

  /// A directory may be named with slashes at its end.
  private static func listName(_ text: String) -> String {
    var name = Substring(text)
    while name.count > 1, name.last == "/" { name = name.dropLast() }
    return String(name)
  }

  private static func showList(_ call: CommandCall) -> CommandAnswer {
    let store = call.runtime.certificates
    let withNumbers = call.argument(0) == "-n"
    let name = listName(call.argument(withNumbers ? 1 : 0))
    if name.isEmpty { return .lines(store.files.lists.keys.sorted().map { "\($0)\n" }.joined()) }
    guard let list = store.files.lists[name] else { return .error("didn't find the specified filename") }
    return .lines(
      "# \(name)\n" + list.entries.map { "\($0.text(withNumber: withNumbers))\n" }.joined())
  }

  private static func addToList(_ call: CommandCall) -> CommandAnswer {
    let store = call.runtime.certificates
    let name = listName(call.argument(0))
    guard !name.isEmpty, call.payload != nil || !call.argument(1).isEmpty else {
      return .error("'add ssl crtlist' expects a filename and a certificate name")
    }
    let failure = "Can't edit the crt-list: "
    guard var list = store.files.lists[name] else { return .error("\(failure)crt-list '\(name)' does not exist!") }
    let lines = (call.payload?.string ?? call.arguments.dropFirst().joined(separator: " ")).split(separator: "\n")
    let line = lines.first.map(String.init) ?? ""
    if lines.count > 1 { return .error("\(failure)one line at a time") }
    let number = (list.entries.map(\.line).max() ?? 0) + 1
    do throws(TLSError) {
      guard let entry = try CertificateList.Entry(Substring(line), number, store.files.paths) else {
        return .error("\(failure)the line is empty")
      }
      guard let bundle = store.files.bundles[entry.path] else {
        return .error("\(failure)certificate '\(entry.path)' does not exist!")
      }
      if bundle.isEmpty { return .error("\(failure)certificate '\(entry.path)' is empty!") }
      list.entries.append(entry)
      let changed = list
      let isNew = !store.isUsed(.certificate(entry.path))
      let made = try store.change(.list(name)) { files throws(TLSError) in
        if isNew { files.setOCSPUpdate(of: entry.path, entry.ocspUpdate ?? files.updatesOCSP) }
        files.put(changed, at: name)
      }
      call.gateway.ocsp.look()
      return .lines(
        "Inserting certificate '\(entry.path)' in crt-list '\(name)'\(String(repeating: ".", count: made))\nSuccess!\n")
    } catch {
      return .error("\(failure)\(error)")
    }
  }

  private static func deleteFromList(_ call: CommandCall) -> CommandAnswer {
    let store = call.runtime.certificates
    let name = listName(call.argument(0))
    guard !name.isEmpty, !call.argument(1).isEmpty else {
      return .error("'del ssl crtlist' expects a filename and a certificate name")
    }
    var path = call.argument(1)
    var number: Int?
    if let colon = path.lastIndex(of: ":"), let line = Int(path[path.index(after: colon)...]) {
      number = line
      path = String(path[..<colon])
    }
    let failure = "Can't delete the entry: "
    guard var list = store.files.lists[name] else { return .error("\(failure)crt-list '\(name)' does not exist!") }
    guard let bundle = store.files.bundles[path] ?? store.files.bundles[store.files.paths.certificate(path)] else {
      return .error("\(failure)certificate '\(path)' does not exist!")
    }
    guard let index = list.entries.firstIndex(where: { $0.path == bundle.path && (number == nil || $0.line == number) })
    else { return .error("\(failure)certificate '\(path)' can't be found in crt-list '\(name)'!") }
    let users = store.listeners(using: .list(name)).filter { listener in
      listener.with { $0.impliedDefaults.contains { $0 === bundle } } ?? false
    }
    // The default goes only with its last entry.
    if !users.isEmpty, list.entries.firstIndex(where: { $0.path == bundle.path }) == index {
      let places = users.map { "\t- \($0.place.file):\($0.place.line)\n" }.joined()
      return .error(
        "\(failure)certificate '\(bundle.path)' cannot be deleted, it is used as default certificate by the following frontends:\n\(places)"
      )
    }
    list.entries.remove(at: index)
    let changed = list
    do throws(TLSError) {
      _ = try store.change(.list(name)) { files throws(TLSError) in files.put(changed, at: name) }
    } catch {
      return .error("\(failure)\(error)")
    }
    call.gateway.ocsp.look()
    return .message("Entry '\(bundle.path)' deleted in crtlist '\(name)'!", severity: 5)
  }
}
