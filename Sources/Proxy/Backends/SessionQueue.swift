import Synchronization

/// A stream that waits for a free slot on a server.
///
/// Any worker may free the slot; `wake` then posts to the worker that owns the stream.
final class PendingSession: @unchecked Sendable {
  /// Set under the backend's lock only.
  var server: Server?
  var position = 0
  let isCancelled = Atomic<Bool>(false)
  private let post: @Sendable (Server) -> Void

  /// `post` runs on whatever thread frees the slot and must hand over to the stream's own loop.
  init(post: @escaping @Sendable (Server) -> Void) { self.post = post }

  func wake(_ server: Server) { post(server) }
}

/// First in, first out; removal from the middle is linear and rare.
struct SessionQueue {
  private var items: [PendingSession] = []
  private var head = 0

  var count: Int { items.count - head }

  mutating func append(_ item: PendingSession) { items.append(item) }

  mutating func popFirst() -> PendingSession? {
    guard head < items.count else { return nil }
    let item = items[head]
    head += 1
    if head > 64, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    } else if head == items.count {
      items.removeAll(keepingCapacity: true)
      head = 0
    }
    return item
  }

  mutating func remove(_ item: PendingSession) -> Bool {
    guard let i = items[head...].firstIndex(where: { $0 === item }) else { return false }
    items.remove(at: i)
    return true
  }
}
