import Base

/// The arguments of `log` lines (manual chapter 3.1 and 4.2).
enum LogLine {
  static let facilities = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp",
    "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
  ]
  static let levels = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

  static func parse(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) -> LogTarget {
    let word = try arguments.required("a target address")
    var target = LogTarget(destination: try destination(word, context), location: word.location)
    while let option = arguments.peek {
      switch option.text {
      case "len":
        arguments.next()
        target.maxLength = try arguments.integer(in: 80...65535)
      case "format":
        arguments.next()
        target.format = try format(&arguments)
      case "sample":
        arguments.next()
        try sample(&arguments, &target)
      case "profile":
        arguments.next()
        target.profile = try arguments.required("the name of a 'log-profile' section")
      default:
        try facilityAndLevels(&arguments, &target)
        try arguments.end()
        return target
      }
    }
    throw Refusal(
      "'log' expects <address> and <facility> (and optionally <level> and <minlevel>) as arguments.",
      at: arguments.endLocation, expected: "a facility: \(facilities.oneOf)")
  }

  static func format(_ arguments: inout Arguments) throws(Refusal) -> LogTarget.Format {
    let name = try arguments.required("a log format")
    if let format = LogTarget.Format(rawValue: name.text) { return format }
    throw Refusal.unknownArgument(name, of: "log format", among: LogTarget.Format.allCases.map(\.rawValue))
  }

  private static func destination(_ word: Word, _ context: LoadContext) throws(Refusal)
    -> LogTarget.Destination
  {
    switch word.text {
    case "stdout": return .descriptor(1)
    case "stderr": return .descriptor(2)
    default: break
    }
    if word.text.hasPrefix("ring@") { return .ring(String(word.text.dropFirst(5))) }
    if word.text.hasPrefix("backend@") { return .backend(String(word.text.dropFirst(8))) }
    let address = try AddressSyntax(
      context.expandVariables(word.text), at: word.location, keyword: "log", rules: [.datagram])
    switch address.host {
    case .unix(let path): return .unixDatagram(path)
    case .abstract(let name, let isPadded):
      return .unixDatagram(SocketAddress.abstractPath(name, isPadded: isPadded))
    case .descriptor(let number): return .descriptor(number)
    case .unspecified: return .udp(host: "127.0.0.1", port: address.ports?.lowerBound ?? 514)
    case .literal, .name:
      let port = address.ports?.lowerBound ?? 514
      return address.transport == .stream
        ? .stream(host: address.hostText, port: port) : .udp(host: address.hostText, port: port)
    }
  }

  private static func facilityAndLevels(
    _ arguments: inout Arguments, _ target: inout LogTarget
  ) throws(Refusal) {
    let facility = try arguments.required("a facility")
    guard let number = facilities.firstIndex(of: facility.text) else {
      throw Refusal(
        "unknown log facility '\(facility.text)'.", at: facility.location, expected: facilities.oneOf,
        suggestion: Nearest.word(to: facility.text, among: facilities))
    }
    target.facility = number
    if let level = arguments.next() { target.level = try self.level(level) }
    if let level = arguments.next() { target.minimumLevel = try self.level(level) }
  }

  static func level(_ word: Word) throws(Refusal) -> Int {
    if let number = levels.firstIndex(of: word.text) { return number }
    throw Refusal(
      "unknown optional log level '\(word.text)'.", at: word.location, expected: levels.oneOf,
      suggestion: Nearest.word(to: word.text, among: levels))
  }

  private static func sample(_ arguments: inout Arguments, _ target: inout LogTarget) throws(Refusal) {
    let word = try arguments.required("<ranges>:<size>")
    let wrong = Refusal(
      "'log' : wrong sampling '\(word.text)'.", at: word.location,
      expected: "<ranges>:<size>, such as 1,3-4:5")
    let halves = word.text.split(separator: ":", omittingEmptySubsequences: false)
    guard halves.count == 2, let size = Int(halves[1]), size > 0 else { throw wrong }
    var ranges: [ClosedRange<Int>] = []
    for part in halves[0].split(separator: ",", omittingEmptySubsequences: false) {
      let bounds = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard bounds.count <= 2, let low = bounds.first ?? nil, let high = bounds.last ?? nil, low >= 1,
        low <= high, high <= size
      else { throw wrong }
      ranges.append(low...high)
    }
    let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
    for (a, b) in zip(sorted, sorted.dropFirst()) where a.overlaps(b) { throw wrong }
    target.sampleRanges = sorted
    target.sampleSize = size
  }
}
