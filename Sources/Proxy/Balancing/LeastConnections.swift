/// `balance leastconn`: the server with the fewest sessions for its weight; among equals, in turn.
struct LeastConnections: BalancingAlgorithm {
  private var loads = IndexedHeap()
  private var weights: [Int] = []
  private var served: [Int] = []
  private var sequence = 0
  private var lastUse: [Int] = []

  mutating func rebuild(_ candidates: [Candidate]) {
    loads.removeAll()
    for candidate in candidates {
      grow(to: candidate.index)
      weights[candidate.index] = max(1, candidate.weight)
      loads.insert(candidate.index, key: key(candidate.index))
    }
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? {
    guard let index = loads.first(where: { !isFull($0) }) else { return nil }
    sequence = (sequence + 1) & 0xF_FFFF_FFFF
    lastUse[index] = sequence
    loads.update(index, key: key(index))
    return index
  }

  mutating func loadChanged(index: Int, served count: Int) {
    grow(to: index)
    served[index] = count
    loads.update(index, key: key(index))
  }

  /// Sessions per weight in the high bits, the time of the last use in the low ones.
  private func key(_ index: Int) -> Int {
    let load = min((served[index] + 1) * 256 / weights[index], 0x3FF_FFFF)
    return load << 36 | lastUse[index]
  }

  private mutating func grow(to index: Int) {
    while weights.count <= index {
      weights.append(1)
      served.append(0)
      lastUse.append(0)
    }
  }
}
