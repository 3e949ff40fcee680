import Base

/// One worker's spare buffers: a connection borrows one while octets wait in it and gives it back after.
///
/// The pool keeps a bounded number of buffers of the usual size; larger ones, which bulk transfers grow,
/// are freed when they come back, so memory follows the load down again.
final class BufferPool {
  let bufferSize: Int
  /// The first of the spare buffers, each of which holds the next.
  private var spare: ByteBuffer?
  private var count = 0
  private let limit: Int

  init(bufferSize: Int, limit: Int = 1024) {
    self.bufferSize = bufferSize
    self.limit = limit
  }

  func take() -> ByteBuffer {
    guard let buffer = spare.take() else { return ByteBuffer(capacity: bufferSize) }
    spare = buffer.next.take()
    count &-= 1
    return buffer
  }

  func give(_ buffer: consuming ByteBuffer) {
    guard count < limit, buffer.capacity <= 2 * bufferSize else { return }
    buffer.removeAll()
    buffer.next = spare.take()
    spare = buffer
    count &+= 1
  }

  /// Frees what has not been needed lately.
  func shrink() {
    guard count > 8 else { return }
    for _ in 0..<(count / 2) { _ = take() }
  }
}
