public import Base
import Glibc

/// The outside world as the loader sees it: files, directories and host names.
///
/// The loader does nothing else to the system, so that tests and fuzzers can run it in memory.
public struct ConfigurationIO {
  public enum Reading {
    case octets([UInt8])
    /// A system error's text, such as "No such file or directory".
    case failure(String)
  }

  public var read: (_ path: String) -> Reading
  /// The names in a directory, nil when `path` is none.
  public var entries: (_ path: String) -> [String]?
  /// The first address of a host name, nil when it has none.
  public var resolve: (_ host: String) -> IPAddress?

  /// The id of a user, nil when there is no such user; all users are unknown by default.
  public var userID: (_ name: String) -> UInt32? = { _ in nil }
  public var groupID: (_ name: String) -> UInt32? = { _ in nil }

  public init(
    read: @escaping (String) -> Reading, entries: @escaping (String) -> [String]? = { _ in nil },
    resolve: @escaping (String) -> IPAddress? = { _ in nil }
  ) {
    self.read = read
    self.entries = entries
    self.resolve = resolve
  }

  /// The real system.
  public static let system: @Sendable () -> ConfigurationIO = {
    var io = ConfigurationIO(read: readSystemFile, entries: systemDirectory, resolve: systemAddress)
    io.userID = { getpwnam($0)?.pointee.pw_uid }
    io.groupID = { getgrnam($0)?.pointee.gr_gid }
    return io
  }

  /// The process' environment.
  public static func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var cursor = environ
    while let entry = cursor.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        result[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      cursor += 1
    }
    return result
  }
}

private func lastError() -> String { String(cString: strerror(errno)) }

private func readSystemFile(_ path: String) -> ConfigurationIO.Reading {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return .failure(lastError()) }
  defer { close(descriptor) }
  var octets: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65536)
  while true {
    let n = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    if n < 0 {
      if errno == EINTR { continue }
      return .failure(lastError())
    }
    if n == 0 { return .octets(octets) }
    octets.append(contentsOf: chunk[0..<n])
  }
}

private func systemDirectory(_ path: String) -> [String]? {
  guard let directory = opendir(path) else { return nil }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    names.append(
      withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  return names
}

private func systemAddress(_ host: String) -> IPAddress? {
  var hints = addrinfo()
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  var list: UnsafeMutablePointer<addrinfo>?
  guard getaddrinfo(host, nil, &hints, &list) == 0 else { return nil }
  defer { freeaddrinfo(list) }
  var cursor = list
  while let entry = cursor {
    if let address = entry.pointee.ai_addr {
      var storage = sockaddr_storage()
      let length = min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
      withUnsafeMutableBytes(of: &storage) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
      }
      if let ip = SocketAddress(storage, length: length).ip { return ip }
    }
    cursor = entry.pointee.ai_next
  }
  return nil
}
