import Synchronization

/// A stream that waits for a free slot on a server.
///
/// Any worker may free the slot; `wake` then posts to the worker that owns the stream.
final class PendingSession: @unchecked Sendable {
  /// Set under the backend's lock only.
  var server: Server?
  var position = 0
  let priority: QueuePriority
  let isCancelled = Atomic<Bool>(false)
  private let post: @Sendable (Server) -> Void

  /// `post` runs on whatever thread frees the slot and must hand over to the stream's own loop.
  init(priority: QueuePriority, post: @escaping @Sendable (Server) -> Void) {
    self.priority = priority
    self.post = post
  }

  func wake(_ server: Server) { post(server) }
}

/// Whose turn it is: the lower class first, within a class who came first.
struct QueuePriority: Comparable {
  /// `set-priority-class`.
  var classNumber = 0
  /// When the stream came in milliseconds, and `set-priority-offset` added.
  var time: Int64 = 0

  static func < (a: QueuePriority, b: QueuePriority) -> Bool {
    a.classNumber != b.classNumber ? a.classNumber < b.classNumber : a.time < b.time
  }
}

/// Ordered by priority. Without priorities that is first in, first out; other places, and removal from the middle,
/// cost linear time and are rare.
struct SessionQueue {
  private var items: [PendingSession] = []
  private var head = 0

  var count: Int { items.count - head }
  var first: PendingSession? { head < items.count ? items[head] : nil }

  mutating func append(_ item: PendingSession) {
    var low = items.count
    if low > head, item.priority < items[low - 1].priority {
      low = head
      var high = items.count
      while low < high {
        let middle = (low + high) / 2
        if item.priority < items[middle].priority { high = middle } else { low = middle + 1 }
      }
    }
    items.insert(item, at: low)
  }

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
