import Base

/// One worker's spare buffers: a connection borrows one while octets wait in it and gives it back after.
///
/// There are two sizes, the usual one and that of bulk transfers. The pool keeps a bounded number of each and frees
/// what has not been needed lately, so memory follows the load down again.
final class BufferPool {
  let bufferSize: Int
  /// Octets that a bulk transfer reads at once.
  static let bulkSize = 256 * 1024
  private var usual: Shelf
  private var bulk = Shelf(limit: 16)

  init(bufferSize: Int, limit: Int = 1024) {
    self.bufferSize = bufferSize
    usual = Shelf(limit: limit)
  }

  func take() -> ByteBuffer { usual.take() ?? ByteBuffer(capacity: bufferSize) }

  func takeBulk() -> ByteBuffer { bulk.take() ?? ByteBuffer(capacity: BufferPool.bulkSize) }

  /// Takes a buffer back. One that has grown to another size is freed.
  func give(_ buffer: consuming ByteBuffer) {
    if buffer.capacity <= 2 * bufferSize {
      usual.give(buffer)
    } else if buffer.capacity == BufferPool.bulkSize {
      bulk.give(buffer)
    }
  }

  /// Buffers that wait for a borrower, of the usual size and for bulk transfers.
  var spare: (usual: Int, bulk: Int) { (usual.count, bulk.count) }

  func shrink() {
    usual.shrink(beyond: 8)
    bulk.shrink(beyond: 1)
  }
}

/// Spare buffers of one size, each of which holds the next.
private struct Shelf {
  private var first: ByteBuffer?
  private(set) var count = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func take() -> ByteBuffer? {
    guard let buffer = first.take() else { return nil }
    first = buffer.next.take()
    count &-= 1
    return buffer
  }

  mutating func give(_ buffer: consuming ByteBuffer) {
    guard count < limit else { return }
    buffer.removeAll()
    buffer.next = first.take()
    first = buffer
    count &+= 1
  }

  /// Frees half of them, unless there are few.
  mutating func shrink(beyond kept: Int) {
    guard count > kept else { return }
    for _ in 0..<((count + 1) / 2) { _ = take() }
  }
}
