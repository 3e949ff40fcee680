import Base
import Config

/// Users and groups of a `userlist`; immutable, shared by all workers.
final class CompiledUserlist: Sendable {
  private let users: [Bytes: Config.Userlist.User]
  private let groupsOfUser: [Bytes: Set<Bytes>]
  let name: String
  /// Whether a password is given as a crypt(3) hash.
  let hasHashes: Bool

  init(_ list: Config.Userlist) {
    name = list.name
    hasHashes = list.users.contains { !$0.isClear }
    var users: [Bytes: Config.Userlist.User] = [:]
    var groups: [Bytes: Set<Bytes>] = [:]
    for user in list.users where users[user.name] == nil {
      users[user.name] = user
      groups[user.name] = Set(user.groups)
    }
    for group in list.groups {
      for user in group.users { groups[user, default: []].insert(group.name) }
    }
    self.users = users
    groupsOfUser = groups
  }

  /// Whether the password is this user's.
  func accepts(user name: Bytes, password: Bytes) -> Bool {
    guard let user = users[name] else { return false }
    if user.isClear { return SecureCompare.equal(user.password, password) }
    return PasswordHash.verify(password, user.password)
  }

  func groups(of user: Bytes) -> Set<Bytes> { groupsOfUser[user] ?? [] }
}

enum SecureCompare {
  /// Equality that takes the same time wherever the first difference is.
  static func equal(_ a: Bytes, _ b: Bytes) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in 0..<a.count { difference |= a[i] ^ b[i] }
    return difference == 0
  }
}
