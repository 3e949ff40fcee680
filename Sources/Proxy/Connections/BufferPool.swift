import Base

/// One worker's spare buffers: a connection borrows one while octets wait in it and gives it back after.
///
/// There are two sizes, the usual one and that of bulk transfers. The pool keeps a bounded number of each and frees
/// what has not been needed lately, so memory follows the load down again. The first buffers are permanent, since
/// every step of a request passes one on: of those only the memory is freed.
final class BufferPool {
  let bufferSize: Int
  /// Octets that a bulk transfer reads at once.
  static let bulkSize = 256 * 1024
  private var usual: Shelf
  private var bulk = Shelf(size: BufferPool.bulkSize, limit: 16, mostPermanent: 16)

  init(bufferSize: Int, limit: Int = 1024) {
    self.bufferSize = bufferSize
    usual = Shelf(size: bufferSize, limit: limit, mostPermanent: 256)
  }

  func take() -> ByteBuffer { usual.take() }

  func takeBulk() -> ByteBuffer { bulk.take() }

  /// Takes a buffer back. One that has grown to another size loses its memory.
  func give(_ buffer: consuming ByteBuffer) {
    if buffer.capacity == BufferPool.bulkSize {
      bulk.give(buffer)
    } else if buffer.capacity <= 2 * bufferSize {
      usual.give(buffer)
    } else {
      usual.empty(buffer)
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
  /// Permanent buffers without memory.
  private var hollow: ByteBuffer?
  private(set) var count = 0
  private var permanent = 0
  private let size: Int
  private let limit: Int
  private let mostPermanent: Int

  init(size: Int, limit: Int, mostPermanent: Int) {
    self.size = size
    self.limit = limit
    self.mostPermanent = mostPermanent
  }

  mutating func take() -> ByteBuffer {
    if let buffer = first.take() {
      first = buffer.next.take()
      count &-= 1
      return buffer
    }
    if let buffer = hollow.take() {
      hollow = buffer.next.take()
      buffer.reserve(capacity: size)
      return buffer
    }
    let isPermanent = permanent < mostPermanent
    if isPermanent { permanent &+= 1 }
    return ByteBuffer(capacity: size, isPermanent: isPermanent)
  }

  mutating func give(_ buffer: consuming ByteBuffer) {
    guard count < limit else { return empty(buffer) }
    buffer.removeAll()
    buffer.next = first.take()
    first = buffer
    count &+= 1
  }

  /// Frees the memory of a buffer that is not in use.
  mutating func empty(_ buffer: ByteBuffer) {
    buffer.release()
    guard buffer.isPermanent else { return }
    buffer.next = hollow.take()
    hollow = buffer
  }

  /// Frees half of them, unless there are few.
  mutating func shrink(beyond kept: Int) {
    guard count > kept else { return }
    for _ in 0..<((count + 1) / 2) {
      guard let buffer = first.take() else { return }
      first = buffer.next.take()
      count &-= 1
      empty(buffer)
    }
  }
}
