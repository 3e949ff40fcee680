/// `balance roundrobin` and `static-rr`: each server in turn, in proportion to its weight.
///
/// Stride scheduling: a server's next turn lies `scale / weight` after its last, and the earliest turn is
/// served; equal weights give the order of the configuration. O(log n) a request.
struct RoundRobin: BalancingAlgorithm {
  private static let scale = 1 << 20
  private var turns = IndexedHeap()
  private var strides: [Int] = []

  mutating func rebuild(_ candidates: [Candidate]) {
    // Who stays keeps its turn, so that a change elsewhere does not restart the cycle.
    let base = turns.first.flatMap { turns.key(of: $0) } ?? 0
    var kept: [Int: Int] = [:]
    for candidate in candidates { kept[candidate.index] = turns.key(of: candidate.index) }
    turns.removeAll()
    for candidate in candidates {
      while strides.count <= candidate.index { strides.append(RoundRobin.scale) }
      strides[candidate.index] = RoundRobin.scale / max(1, candidate.weight)
      turns.insert(candidate.index, key: max(kept[candidate.index] ?? base, base))
    }
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? {
    guard let index = turns.first(where: { !isFull($0) }) else { return nil }
    let last = turns.key(of: index) ?? 0
    turns.update(index, key: last &+ strides[index])
    return index
  }
}
