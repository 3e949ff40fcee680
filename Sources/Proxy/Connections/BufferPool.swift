import Base

/// One worker's spare buffers: a connection borrows one while octets wait in it and gives it back after.
///
/// The pool keeps a bounded number of buffers of the usual size; larger ones, which bulk transfers grow,
/// are freed when they come back, so memory follows the load down again.
final class BufferPool {
  let bufferSize: Int
  private var spare: [ByteBuffer] = []
  private let limit: Int

  init(bufferSize: Int, limit: Int = 128) {
    self.bufferSize = bufferSize
    self.limit = limit
  }

  func take() -> ByteBuffer {
    if let buffer = spare.popLast() { return buffer }
    return ByteBuffer(capacity: bufferSize)
  }

  func give(_ buffer: ByteBuffer) {
    guard spare.count < limit, buffer.capacity <= 2 * bufferSize else { return }
    buffer.removeAll()
    spare.append(buffer)
  }

  /// Frees what has not been needed lately.
  func shrink() { if spare.count > 8 { spare.removeLast(spare.count / 2) } }
}
