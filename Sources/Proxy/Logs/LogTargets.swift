import Base
import Config
import Glibc
import Rules
import Synchronization

/// The `log` lines that apply to one proxy or to the process: takes finished messages and sends them.
///
/// Sending never blocks: what a full socket does not take is counted as dropped. Shared by all workers.
final class LogTargets: Sendable {
  private let targets: [Target]
  private let fields: SyslogFields
  /// Messages that a target did not take.
  let dropped = Atomic<Int>(0)

  /// A class, since copies of all that it holds would cost more than a message.
  private final class Target: Sendable {
    let level: Int
    let minimumLevel: Int
    let facility: Int
    let maxLength: Int
    let format: LogTarget.Format?
    let sink: any LogSink
    let sampler: LogSampler?
    let profile: LogProfile?

    init(_ line: LogTarget, _ sink: any LogSink, _ profile: LogProfile?) {
      level = line.level
      minimumLevel = line.minimumLevel
      facility = line.facility
      maxLength = Swift.min(line.maxLength ?? sink.maxLength ?? 1024, sink.maxLength ?? .max)
      format = line.format ?? sink.format
      self.sink = sink
      sampler = LogSampler(line)
      self.profile = profile
    }

    /// Whether a message of this level is for the target; counts it for `sample`.
    func wants(_ level: Int) -> Bool { level <= self.level && sampler?.selects() ?? true }

    func priority(_ level: Int, facility: Int? = nil) -> Int {
      (facility ?? self.facility) * 8 + Swift.max(level, minimumLevel)
    }
  }

  /// The stream or connection that a message is about, for profiles that make another one of it.
  struct Subject {
    let context: RuleContext
    let origin: LogOrigin
    /// A `do-log` action's own profile.
    var profile: LogProfile?
  }

  static let none = LogTargets([], channels: LogChannels(), tag: "haproxy", hostName: nil)

  init(
    _ lines: [LogTarget], channels: LogChannels, tag: Bytes, hostName: Bytes?, profiles: [String: LogProfile] = [:]
  ) {
    targets = lines.compactMap { line in
      guard let sink = channels.sink(for: line.destination) else { return nil }
      return Target(line, sink, line.profile.flatMap { profiles[$0.text] })
    }
    var fields = SyslogFields()
    fields.tag = tag
    fields.hostName = hostName ?? .empty
    fields.process = LogTargets.processID
    self.fields = fields
  }

  private static let processID = Bytes(String(getpid()))

  var isEmpty: Bool { targets.isEmpty }
  /// Whether any of the lines has a `profile`.
  var hasProfiles: Bool { targets.contains { $0.profile != nil } }

  /// Sends `message` at `level` (0...7) to every target that wants it.
  func send(level: Int, _ message: [UInt8], at time: WallTime) {
    var memory = Memory()
    for target in targets where target.wants(level) {
      send(message, target.priority(level), time, fields, [], to: target, &memory)
    }
  }

  func send(level: Int, _ text: String, at time: WallTime) { send(level: level, Array(text.utf8), at: time) }

  /// Sends the line of a stream or connection, in its context's memory.
  func send(
    level: Int, _ message: [UInt8], at time: WallTime, structuredData: [UInt8], about subject: Subject
  ) {
    var memory = Memory()
    swap(&memory.line, &subject.context.logLine)
    swap(&memory.dates, &subject.context.dates)
    for target in targets where target.wants(level) {
      if let profile = subject.profile ?? target.profile {
        send(message, target.priority(level), time, structuredData, to: target, subject, profile, &memory)
      } else {
        send(message, target.priority(level), time, fields, structuredData, to: target, &memory)
      }
    }
    swap(&memory.line, &subject.context.logLine)
    swap(&memory.dates, &subject.context.dates)
  }

  /// Passes a received message on, with the fields that it came with (`log-forward`).
  func forward(_ message: SyslogMessage, _ fields: SyslogFields, at time: WallTime) {
    let text = message.text.array
    var memory = Memory()
    for target in targets where target.wants(message.level) {
      let priority = target.priority(message.level, facility: message.facility)
      send(text, priority, time, fields, [], to: target, &memory)
    }
  }

  /// What one message after the other is written in.
  private struct Memory {
    var line: [UInt8] = []
    var dates = DateCache()
  }

  /// As `profile` wants it for this step: not at all, or with another text.
  private func send(
    _ message: [UInt8], _ priority: Int, _ time: WallTime, _ structuredData: [UInt8], to target: Target,
    _ subject: Subject, _ profile: LogProfile, _ memory: inout Memory
  ) {
    var message = message
    var structuredData = structuredData
    if let step = profile.step(for: subject.origin) {
      if step.isDropped { return }
      if let format = step.format { message = format.rendered(subject.context) }
      if let format = step.structuredData { structuredData = format.rendered(subject.context) }
    }
    var fields = fields
    if let tag = profile.tag { fields.tag = tag }
    send(message, priority, time, fields, structuredData, to: target, &memory)
  }

  private func send(
    _ message: [UInt8], _ priority: Int, _ time: WallTime, _ fields: borrowing SyslogFields,
    _ structuredData: [UInt8], to target: Target, _ memory: inout Memory
  ) {
    // A received message may bring a line end of its own.
    var length = message.count
    while length > 0, message[length - 1] == ASCII.lf || message[length - 1] == 0 { length -= 1 }
    if length == 0 { return }
    memory.line.removeAll(keepingCapacity: true)
    SyslogHeader.write(
      target.format ?? fields.naturalFormat, priority: priority, time: time, fields, structuredData: structuredData,
      &memory.dates, into: &memory.line)
    let start = memory.line.count
    message.withUnsafeBufferPointer {
      memory.line.append(contentsOf: UnsafeBufferPointer(rebasing: $0[..<length]))
    }
    // Room is left for the line feed.
    let excess = memory.line.count - target.maxLength + 1
    if excess > 0 { memory.line.removeLast(excess) }
    if !target.sink.take(&memory.line, textAt: Swift.min(start, memory.line.count)) {
      dropped.add(1, ordering: .relaxed)
    }
  }
}

/// `log ... sample <ranges>:<size>`.
private final class LogSampler: Sendable {
  private let ranges: [ClosedRange<Int>]
  private let size: Int
  private let position = Atomic<Int>(0)

  init?(_ line: LogTarget) {
    guard line.sampleSize > 0 else { return nil }
    ranges = line.sampleRanges
    size = line.sampleSize
  }

  func selects() -> Bool {
    let n = position.add(1, ordering: .relaxed).oldValue % size + 1
    return ranges.contains { $0.contains(n) }
  }
}
