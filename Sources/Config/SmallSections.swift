import Base

/// `userlist <name>` (manual chapter 12.2).
final class UserlistSection: Section {
  static let keywords = ["group", "user"]

  private var list: Userlist

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "userlist")
    if let earlier = context.configuration.userlists.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate("userlist '\(name.text)' already exists.", name, earlier.location)
    }
    list = Userlist(name: name.text, location: name.location)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "user": try user(&arguments)
    case "group": try group(&arguments)
    default:
      throw Refusal.unknownKeyword(line.words[0], section: "userlist", among: UserlistSection.keywords)
    }
  }

  private func user(_ arguments: inout Arguments) throws(Refusal) {
    let name = try arguments.required("a user name")
    var user = Userlist.User(name: name.bytes, password: Bytes.empty, isClear: true)
    while let word = arguments.next() {
      switch word.text {
      case "password", "insecure-password":
        user.password = try arguments.required("a password").bytes
        user.isClear = word.text == "insecure-password"
      case "groups":
        user.groups = try arguments.required("a list of groups").commaSeparated
      default:
        throw Refusal.unknownArgument(word, of: "user", among: ["password", "insecure-password", "groups"])
      }
    }
    if list.users.contains(where: { $0.name == user.name }) {
      throw Refusal("user '\(name.text)' already exists in this userlist.", at: name.location)
    }
    list.users.append(user)
  }

  private func group(_ arguments: inout Arguments) throws(Refusal) {
    let name = try arguments.required("a group name")
    if list.groups.contains(where: { $0.name == name.bytes }) {
      throw Refusal("group '\(name.text)' already exists in this userlist.", at: name.location)
    }
    var users: [Bytes] = []
    while let word = arguments.next() {
      guard word.text == "users" else { throw Refusal.unknownArgument(word, of: "group", among: ["users"]) }
      users = try arguments.required("a list of users").commaSeparated
    }
    list.groups.append((name.bytes, users))
  }

  func finish(_ context: LoadContext) {
    let groups = Set(list.groups.map(\.name))
    for user in list.users {
      for group in user.groups where !groups.contains(group) {
        context.diagnostics.error(
          "userlist '\(list.name)': no such group '\(group)' specified in user '\(user.name)'",
          at: list.location)
      }
    }
    let users = Set(list.users.map(\.name))
    for (name, members) in list.groups {
      for member in members where !users.contains(member) {
        context.diagnostics.error(
          "userlist '\(list.name)': no such user '\(member)' specified in group '\(name)'", at: list.location)
      }
    }
    context.configuration.userlists.append(list)
  }
}

/// `http-errors <name>` (manual chapter 12.4).
final class HTTPErrorsParser: Section {
  private var section: HTTPErrorsSection

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "http-errors")
    if let earlier = context.configuration.httpErrors.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate("http-errors section '\(name.text)' already exists.", name, earlier.location)
    }
    section = HTTPErrorsSection(name: name.text, location: name.location)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "errorfile": section.files.append(try ErrorFileReference.file(&arguments, context))
    default: throw Refusal.unknownKeyword(line.words[0], section: "http-errors", among: ["errorfile"])
    }
  }

  func finish(_ context: LoadContext) { context.configuration.httpErrors.append(section) }
}

/// `crt-store [<name>]` (manual chapter 12.7).
final class CertificateStoreSection: Section {
  static let keywords = ["crt-base", "key-base", "load"]

  private var store: CertificateStore

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = arguments.next()
    try arguments.end()
    store = CertificateStore(name: name?.text ?? "", location: arguments.keywordLocation)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "crt-base": store.certificateBase = try arguments.required("a directory").text
    case "key-base": store.keyBase = try arguments.required("a directory").text
    case "load": store.loads.append(try CertificateLoad(line, store, context))
    default:
      throw Refusal.unknownKeyword(
        line.words[0], section: "crt-store", among: CertificateStoreSection.keywords)
    }
  }

  func finish(_ context: LoadContext) { context.configuration.certificateStores.append(store) }
}
