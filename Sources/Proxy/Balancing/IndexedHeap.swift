/// A binary min-heap of server indices whose keys can be changed in place.
///
/// Ties go to the lower index, so equal servers are taken in the order of the configuration.
struct IndexedHeap {
  private var order: [Int] = []
  /// By index: the place in `order`, -1 when absent.
  private var position: [Int] = []
  private var keys: [Int] = []

  var isEmpty: Bool { order.isEmpty }
  var first: Int? { order.first }

  func key(of index: Int) -> Int? { contains(index) ? keys[index] : nil }

  private func contains(_ index: Int) -> Bool { index < position.count && position[index] >= 0 }

  mutating func removeAll() {
    order.removeAll(keepingCapacity: true)
    position.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
  }

  mutating func insert(_ index: Int, key: Int) {
    if contains(index) {
      update(index, key: key)
      return
    }
    while position.count <= index {
      position.append(-1)
      keys.append(0)
    }
    keys[index] = key
    position[index] = order.count
    order.append(index)
    siftUp(order.count - 1)
  }

  mutating func update(_ index: Int, key: Int) {
    guard contains(index) else { return }
    keys[index] = key
    siftUp(position[index])
    siftDown(position[index])
  }

  /// The first index in key order that `accepts`; the heap is left as it was.
  func first(where accepts: (Int) -> Bool) -> Int? {
    guard let top = order.first else { return nil }
    if accepts(top) { return top }
    // The exceptional path: walk the others in key order.
    return order.dropFirst().sorted(by: precedes).first(where: accepts)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    keys[a] != keys[b] ? keys[a] < keys[b] : a < b
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(order[child], order[parent]) else { return }
      exchange(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      let left = 2 * parent + 1
      if left < order.count, precedes(order[left], order[least]) { least = left }
      if left + 1 < order.count, precedes(order[left + 1], order[least]) { least = left + 1 }
      if least == parent { return }
      exchange(parent, least)
      parent = least
    }
  }

  private mutating func exchange(_ a: Int, _ b: Int) {
    order.swapAt(a, b)
    position[order[a]] = a
    position[order[b]] = b
  }
}
