public import Base

/// A server as a state file describes it: a line of `show servers state` (management.txt chapter 9.3).
public struct SavedServerState: Sendable {
  public var address: IPAddress?
  /// 0 stopped, 1 starting, 2 running, 3 stopping.
  public var operation: Int
  /// The flags of `srv_admin_state`.
  public var administration: Int
  public var weight: Int
  public var initialWeight: Int
  /// Seconds since the last change.
  public var age: Int
  public var checkHealth: Int
  public var checkState: Int
  public var agentState: Int
  public var name: String?
  public var port: UInt16
  public var service: String?
  public var checkPort: UInt16
  public var checkAddress: IPAddress?
  public var agentAddress: IPAddress?
  public var agentPort: UInt16

  /// The words from `srv_addr` on; throws the names of those that are wrong, in HAProxy's words.
  init(_ words: [String]) throws(Problem) {
    var problem = Problem()
    func word(_ index: Int) -> String { index < words.count ? words[index] : "" }
    func number(_ index: Int, _ field: String, in range: ClosedRange<Int>) -> Int {
      if let value = Int(word(index)), range.contains(value) { return value }
      problem.text += ", invalid \(field) value '\(word(index))'"
      return 0
    }
    address = IPAddress(word(0))
    operation = number(1, "srv_op_state", in: 0...3)
    administration = number(2, "srv_admin_state", in: 0...0x7F)
    weight = number(3, "srv_uweight", in: 0...256)
    initialWeight = number(4, "srv_iweight", in: 0...256)
    age = number(5, "srv_last_time_change", in: 0...Int(Int32.max))
    _ = number(6, "srv_check_status", in: 0...255)
    _ = number(7, "srv_check_result", in: 0...4)
    checkHealth = number(8, "srv_check_health", in: 0...Int(Int32.max))
    checkState = number(9, "srv_check_state", in: 0...0x1F)
    agentState = number(10, "srv_agent_state", in: 0...0x1F)
    _ = number(11, "bk_f_forced_id", in: 0...1)
    _ = number(12, "srv_f_forced_id", in: 0...1)
    name = word(13).isEmpty || word(13) == "-" ? nil : word(13)
    port = UInt16(truncatingIfNeeded: number(14, "srv_port", in: 0...65535))
    service = word(15).hasPrefix("_") ? word(15) : nil
    checkPort = UInt16(word(17)) ?? 0
    checkAddress = IPAddress(word(18))
    agentAddress = IPAddress(word(19))
    agentPort = UInt16(word(20)) ?? 0
    if !problem.text.isEmpty { throw problem }
  }

  struct Problem: Error { var text = "" }
}

/// `server-state-file`, `load-server-state-from-file`: what servers start as after a reload.
struct ServerStateFiles {
  private let context: LoadContext
  private var files: [String: [String: [String]]] = [:]

  init(_ context: LoadContext) { self.context = context }

  /// Fits the servers of a proxy with what the file says of them.
  mutating func apply(to proxy: inout Boxed<ProxySettings>) {
    guard proxy.hasBackend, !proxy.isDisabled, let path = path(for: proxy) else { return }
    let lines = load(path, proxy)
    if lines.isEmpty { return }
    for index in proxy.servers.indices {
      let name = proxy.servers[index].name
      guard let words = lines["\(proxy.name) \(name)"] else { continue }
      do throws(SavedServerState.Problem) {
        proxy.servers[index].saved = try SavedServerState(words)
      } catch {
        context.diagnostics.advice(
          "server-state application failed for server '\(proxy.name)/\(name)'\(error.text)",
          at: proxy.servers[index].location)
      }
    }
  }

  private func path(for proxy: Boxed<ProxySettings>) -> String? {
    let global = context.configuration.global
    let name: String?
    switch proxy.loadServerStateFromFile {
    case "global": name = global.serverStateFile
    case "local": name = proxy.serverStateFileName ?? proxy.name
    default: return nil
    }
    guard let name else { return nil }
    guard let base = global.serverStateBase, !name.hasPrefix("/") else { return name }
    return base.hasSuffix("/") ? base + name : base + "/" + name
  }

  /// The words of each line behind the server's name, by `<backend> <server>`; a file is read once.
  private mutating func load(_ path: String, _ proxy: Boxed<ProxySettings>) -> [String: [String]] {
    if let known = files[path] { return known }
    var lines: [String: [String]] = [:]
    defer { files[path] = lines }
    guard case .octets(let text) = context.io.read(path) else {
      context.diagnostics.advice("cannot open server state file '\(path)'.", at: proxy.location)
      return [:]
    }
    var rows = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
    guard let version = rows.first, version == "1" else {
      context.diagnostics.advice(
        "failed to apply server state file '\(path)': unknown version.", at: proxy.location)
      return [:]
    }
    rows.removeFirst()
    for row in rows where !row.hasPrefix("#") {
      let words = row.split(separator: " ").map(String.init)
      guard words.count >= 20 else { continue }
      lines["\(words[1]) \(words[3])"] = Array(words[4...])
    }
    return lines
  }
}
