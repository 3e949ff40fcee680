import Base

/// What the parsers of a run share: the outside world, what is being built, and what is being said.
public final class LoadContext {
  /// `no option ...`, `default option ...` or neither.
  public enum Prefix: Sendable { case none, no, byDefault }

  public let io: ConfigurationIO
  public let diagnostics = Diagnostics()
  public internal(set) var configuration = Configuration()
  /// The environment as `setenv` and its kin left it.
  public var environment: [String: String]
  /// The texts of the files read so far, for showing lines in diagnostics.
  public internal(set) var sources: [String: [UInt8]] = [:]

  /// The prefix of the line being parsed.
  public internal(set) var prefix = Prefix.none
  public internal(set) var file = ""
  public internal(set) var line = 0
  /// The name of the current section as `.SECTION` gives it.
  var sectionName = ""
  var pathBase = PathBase()

  var defaultsByName: [String: ProxySettings] = [:]
  /// Earlier places of names that more than one `defaults` section bears.
  var ambiguousDefaults: [String: SourceLocation] = [:]
  /// The settings that a proxy without `from` starts with.
  var currentDefaults: ProxySettings?
  var frontendsByName: [String: Int] = [:]
  var backendsByName: [String: Int] = [:]
  var proxyIDs = Set<Int>()
  var resolved: [String: IPAddress?] = [:]
  /// `-dr`: servers whose name does not resolve start without an address.
  var ignoresUnresolvable = false

  /// Options that `server` lines may not have here.
  var refusedServerOptions: Set<String> = []
  /// A line that the runtime API gave: there is no configuration around it.
  var isRuntime: Bool { !refusedServerOptions.isEmpty }

  init(io: ConfigurationIO, environment: [String: String]) {
    self.io = io
    self.environment = environment
  }

  var scope: VariableScope {
    VariableScope(environment: environment, file: file, line: line, section: sectionName)
  }

  /// The current line as a place.
  public var here: SourceLocation { SourceLocation(file: file, line: line) }

  /// Addresses may name variables without quotes: `$NAME` and `${NAME}`; an unknown one is empty.
  func expandVariables(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var result = ""
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      var name = rest[rest.index(after: dollar)...]
      let isBraced = name.hasPrefix("{")
      if isBraced { name = name.dropFirst() }
      let end = name.firstIndex { !$0.isASCII || !($0.isLetter || $0.isNumber || $0 == "_") } ?? name.endIndex
      let isClosed = !isBraced || (end < name.endIndex && name[end] == "}")
      if isClosed, end > name.startIndex {
        result += environment[String(name[..<end])] ?? ""
        rest = isBraced ? name[name.index(after: end)...] : name[end...]
      } else {
        result += "$"
        rest = rest[rest.index(after: dollar)...]
      }
    }
    return result + rest
  }
}

/// `default-path` (manual chapter 3): what relative paths in the files are relative to.
struct PathBase {
  enum Mode: String, CaseIterable { case current, config, parent, origin }
  var mode = Mode.current
  var origin = ""

  /// `path` as the process must open it.
  func resolve(_ path: String, file: String) -> String {
    guard !path.hasPrefix("/"), mode != .current else { return path }
    let directory = PathBase.directory(of: file)
    switch mode {
    case .current: return path
    case .config: return PathBase.join(directory, path)
    case .parent: return PathBase.join(PathBase.join(directory, ".."), path)
    case .origin: return PathBase.join(origin, path)
    }
  }

  static func directory(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }

  private static func join(_ base: String, _ path: String) -> String {
    base.isEmpty || base == "." ? path : base + "/" + path
  }
}
