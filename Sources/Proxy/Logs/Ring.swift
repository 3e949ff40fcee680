import Base
import Config
import Glibc
import Synchronization
import TLS

/// Where a ring's messages are sent over TCP.
struct RingTarget: Sendable {
  var address: SocketAddress
  /// A server whose address may change at run time stands in for `address`.
  var server: Server?
  var tls: ClientTLS?
  var countsOctets = false
  var connectTimeout = Timespan.seconds(5)
  /// How long messages may wait for the server to take them.
  var serverTimeout = Timespan.seconds(60)
  var currentAddress: SocketAddress { server.map { $0.state.withLock { $0.address } } ?? address }

  init(address: SocketAddress) { self.address = address }
}

/// A bounded memory of messages (a `ring` section): the oldest go when new ones come, unless a connected server
/// still waits for them; then the new ones are lost, and counted.
final class Ring: LogSink, @unchecked Sendable {
  let name: String
  let description: String
  let size: Int
  let format: LogTarget.Format?
  let maxLength: Int?
  /// Complete before the workers start.
  var servers: [RingTarget] = []
  let dropped = Atomic<Int>(0)
  private let file: BackingFile?
  private let state: Mutex<State>

  /// What a message costs beside its octets.
  static let overhead = 4

  private struct State {
    /// Messages from `first` on; those before `head` are gone.
    var messages: [[UInt8]] = []
    var head = 0
    /// The number of the oldest message.
    var first = 0
    var octets = 0
    var readers: [Int: Reader] = [:]
    var nextReader = 0
  }

  private struct Reader {
    var position: Int
    /// Messages from `position` on may not be dropped.
    var holds: Bool
    /// Called once when there is something to read.
    var wake: (@Sendable () -> Void)?
  }

  init(
    name: String, description: String, size: Int, format: LogTarget.Format?, maxLength: Int? = nil,
    file: BackingFile? = nil
  ) {
    self.name = name
    self.description = description
    self.size = size
    self.format = format
    self.maxLength = maxLength
    self.file = file
    state = Mutex(State())
  }

  convenience init(_ settings: RingSettings, defaultSize: Int) {
    let size = settings.size ?? defaultSize
    self.init(
      name: settings.name.text, description: settings.description, size: size, format: settings.format,
      maxLength: Swift.min(settings.maxLength ?? size, size),
      file: settings.backingFile.flatMap { BackingFile(path: $0.text, size: size) })
  }

  func take(_ line: inout [UInt8], textAt: Int) -> Bool {
    file?.append(line)
    let cost = line.count + Ring.overhead
    var woken: [@Sendable () -> Void] = []
    let isTaken = state.withLock { state in
      let held = state.readers.values.lazy.filter(\.holds).map(\.position).min() ?? .max
      while state.octets + cost > size, state.head < state.messages.count, state.first < held {
        Ring.dropFirst(&state)
      }
      guard state.octets + cost <= size else { return false }
      state.messages.append(line)
      state.octets += cost
      for id in state.readers.keys {
        if let wake = state.readers[id]?.wake { woken.append(wake) }
        state.readers[id]?.wake = nil
      }
      return true
    }
    for wake in woken { wake() }
    if !isTaken { dropped.add(1, ordering: .relaxed) }
    return isTaken
  }

  private static func dropFirst(_ state: inout State) {
    state.octets -= state.messages[state.head].count + overhead
    state.messages[state.head] = []
    state.head += 1
    state.first += 1
    // The emptied front is cut off when it is the larger half.
    if state.head > 64, state.head * 2 > state.messages.count {
      state.messages.removeFirst(state.head)
      state.head = 0
    }
  }

  // MARK: Readers

  /// A reader at the oldest message, or behind the newest.
  func attach(atEnd: Bool = false, holds: Bool = false) -> Int {
    state.withLock { state in
      state.nextReader += 1
      let end = state.first + state.messages.count - state.head
      state.readers[state.nextReader] = Reader(position: atEnd ? end : state.first, holds: holds, wake: nil)
      return state.nextReader
    }
  }

  func detach(_ reader: Int) { state.withLock { $0.readers[reader] = nil } }

  /// The next message for a reader, which stays the next until `advance`; nil when there is none now.
  func peek(_ reader: Int) -> [UInt8]? {
    state.withLock { state in
      guard let position = state.readers[reader]?.position else { return nil }
      let index = state.head + Swift.max(0, position - state.first)
      return index < state.messages.count ? state.messages[index] : nil
    }
  }

  /// Goes past what `peek` gave.
  func advance(_ reader: Int) {
    state.withLock { state in
      guard let position = state.readers[reader]?.position else { return }
      state.readers[reader]?.position = Swift.max(position, state.first) + 1
    }
  }

  func next(_ reader: Int) -> [UInt8]? {
    guard let message = peek(reader) else { return nil }
    advance(reader)
    return message
  }

  /// Calls `wake` once, from any thread, when there is something to read; false when there is already.
  func wait(_ reader: Int, _ wake: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      guard let position = state.readers[reader]?.position else { return true }
      guard position >= state.first + state.messages.count - state.head else { return false }
      state.readers[reader]?.wake = wake
      return true
    }
  }
}

/// `backing-file`: the newest messages as lines in a file of a fixed size, written round and round.
///
/// An older file is kept as `.bak`. HAProxy's file is an image of its memory; this one is text.
final class BackingFile: Sendable {
  private let descriptor: Int32
  private let size: Int
  private let position = Mutex(0)

  /// nil when the file cannot be made.
  init?(path: String, size: Int) {
    var information = stat()
    if stat(path, &information) == 0, information.st_size > 0 { rename(path, path + ".bak") }
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    self.size = size
    guard descriptor >= 0 else { return nil }
    if ftruncate(descriptor, off_t(size)) != 0 {
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }

  func append(_ line: [UInt8]) {
    guard line.count < size else { return }
    position.withLock { position in
      if position + line.count + 1 > size {
        // What is left at the end is of an older round.
        let rest = [UInt8](repeating: 0, count: size - position)
        _ = rest.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(position)) }
        position = 0
      }
      let ended = line + [ASCII.lf]
      _ = ended.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(position)) }
      position += ended.count
    }
  }
}
