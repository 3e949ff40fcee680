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

  private struct Target: Sendable {
    let settings: LogTarget
    let maxLength: Int
    let format: LogTarget.Format?
    let sink: any LogSink
    let sampler: LogSampler?
    let profile: LogProfile?
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
      return Target(
        settings: line, maxLength: Swift.min(line.maxLength ?? sink.maxLength ?? 1024, sink.maxLength ?? .max),
        format: line.format ?? sink.format, sink: sink, sampler: LogSampler(line),
        profile: line.profile.flatMap { profiles[$0.text] })
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
  func send(
    level: Int, _ message: [UInt8], at time: WallTime, structuredData: [UInt8] = [], about subject: Subject? = nil
  ) {
    for target in targets where level <= target.settings.level {
      if let sampler = target.sampler, !sampler.selects() { continue }
      let priority = target.settings.facility * 8 + Swift.max(level, target.settings.minimumLevel)
      if let subject, let profile = subject.profile ?? target.profile {
        send(message, priority, time, structuredData, to: target, subject, profile)
      } else {
        send(message, priority, time, fields, structuredData, to: target)
      }
    }
  }

  func send(level: Int, _ text: String, at time: WallTime) { send(level: level, Array(text.utf8), at: time) }

  /// Passes a received message on, with the fields that it came with (`log-forward`).
  func forward(_ message: SyslogMessage, _ fields: SyslogFields, at time: WallTime) {
    let text = message.text.array
    for target in targets where message.level <= target.settings.level {
      if let sampler = target.sampler, !sampler.selects() { continue }
      let priority =
        (message.facility ?? target.settings.facility) * 8 + Swift.max(message.level, target.settings.minimumLevel)
      send(text, priority, time, fields, [], to: target)
    }
  }

  /// As `profile` wants it for this step: not at all, or with another text.
  private func send(
    _ message: [UInt8], _ priority: Int, _ time: WallTime, _ structuredData: [UInt8], to target: Target,
    _ subject: Subject, _ profile: LogProfile
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
    send(message, priority, time, fields, structuredData, to: target)
  }

  private func send(
    _ message: [UInt8], _ priority: Int, _ time: WallTime, _ fields: borrowing SyslogFields,
    _ structuredData: [UInt8], to target: Target
  ) {
    // A received message may bring a line end of its own.
    var length = message.count
    while length > 0, message[length - 1] == ASCII.lf || message[length - 1] == 0 { length -= 1 }
    if length == 0 { return }
    var line: [UInt8] = []
    line.reserveCapacity(message.count + 64)
    SyslogHeader.write(
      target.format ?? fields.naturalFormat, priority: priority, time: time, fields, structuredData: structuredData,
      into: &line)
    let start = line.count
    line.append(contentsOf: message[..<length])
    // Room is left for the line feed.
    if line.count > target.maxLength - 1 { line.removeLast(line.count - target.maxLength + 1) }
    if !target.sink.take(&line, textAt: Swift.min(start, line.count)) { dropped.add(1, ordering: .relaxed) }
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
