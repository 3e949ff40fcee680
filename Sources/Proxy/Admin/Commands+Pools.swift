import Base
import Config
import NetIO

extension Commands {
  /// What workers keep for the next who needs it.
  static let pools: [Command] = [
    Command("show pools", "[match <pfx>]", "report information about the memory pools usage") {
      call in
      let words = Array(call.arguments)
      guard words.isEmpty || words.count == 2 && words[0] == "match" else {
        return .error("Unexpected argument: only 'match <pfx>' is known.")
      }
      let prefix = words.last ?? ""
      return .gathered(
        call.gateway, PoolReport(),
        { worker, _, report in
          report.add(worker)
          return false
        }, render: { $0.text(call.runtime.global.bufferSize, prefix) })
    }
  ]
}

/// The pools of all workers together. Buffers leave their pool with those who borrow them and are counted there only
/// while they are spare; streams and pipes are counted in use, too.
struct PoolReport {
  private var buffers = 0
  private var bulkBuffers = 0
  private var streams = (used: 0, spare: 0)
  private var pipes = (used: 0, spare: 0)
  private var workers = 0

  /// Called on the worker's own thread.
  mutating func add(_ worker: Worker) {
    let spare = worker.buffers.spare
    buffers += spare.usual
    bulkBuffers += spare.bulk
    streams.used += worker.streams.count
    streams.spare += worker.spareStorageCount
    pipes.used += worker.pipes.used
    pipes.spare += worker.pipes.spareCount
    workers += 1
  }

  /// - Parameter prefix: only pools whose names begin so are shown.
  func text(_ bufferSize: Int, _ prefix: String) -> String {
    var out = "Dumping pools usage. Spare memory is given back while it is not needed.\n"
    func add(_ name: String, _ line: String) {
      if name.utf8.starts(with: prefix.utf8) { out += "  - Pool \(name) \(line), \(workers) users\n" }
    }
    add("buffer", "(\(bufferSize) bytes) : \(buffers) spare (\(buffers * bufferSize) bytes)")
    add(
      "bulk_buffer",
      "(\(BufferPool.bulkSize) bytes) : \(bulkBuffers) spare (\(bulkBuffers * BufferPool.bulkSize) bytes)")
    add("stream", ": \(streams.used + streams.spare) allocated, \(streams.used) used")
    add("pipe", ": \(pipes.used + pipes.spare) allocated, \(pipes.used) used")
    return out
  }
}
