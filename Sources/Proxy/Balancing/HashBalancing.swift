/// `hash-type map-based`: the key's hash selects a place in a table that holds each server once per weight.
struct HashMapBased: BalancingAlgorithm {
  private var table: [Int] = []
  private var fallback = RoundRobin()

  mutating func rebuild(_ candidates: [Candidate]) {
    fallback.rebuild(candidates)
    let total = candidates.reduce(0) { $0 + max(1, $1.weight) }
    table = []
    table.reserveCapacity(total)
    // Servers are spread over the table as evenly as their weights allow.
    var credit = candidates.map { _ in 0 }
    for _ in 0..<total {
      var best = 0
      for (i, candidate) in candidates.enumerated() {
        credit[i] += max(1, candidate.weight)
        if credit[i] > credit[best] { best = i }
      }
      credit[best] -= total
      table.append(candidates[best].index)
    }
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? {
    guard let hash, !table.isEmpty else { return fallback.pick(hash: nil, isFull: isFull) }
    return table[Int(hash % UInt32(truncatingIfNeeded: table.count))]
  }
}

/// `hash-type consistent`: servers own points on a ring; a key goes to the nearest point, so that a server's
/// coming or going moves only its own share of the keys.
struct HashConsistent: BalancingAlgorithm {
  private var ring: [(point: UInt32, index: Int)] = []
  private var fallback = RoundRobin()

  mutating func rebuild(_ candidates: [Candidate]) {
    fallback.rebuild(candidates)
    ring = []
    for candidate in candidates {
      for node in 0..<(max(1, candidate.weight) * 16) {
        let key = UInt32(truncatingIfNeeded: candidate.id &* 4096 &+ node)
        ring.append((Hashing.avalanche(key), candidate.index))
      }
    }
    ring.sort { $0.point != $1.point ? $0.point < $1.point : $0.index < $1.index }
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? {
    guard let hash, !ring.isEmpty else { return fallback.pick(hash: nil, isFull: isFull) }
    var low = 0
    var high = ring.count
    while low < high {
      let middle = (low + high) / 2
      if ring[middle].point < hash { low = middle + 1 } else { high = middle }
    }
    let next = low == ring.count ? 0 : low
    let previous = (next + ring.count - 1) % ring.count
    let ahead = ring[next].point &- hash
    let behind = hash &- ring[previous].point
    var place = behind <= ahead ? previous : next
    let wanted = ring[place].index
    // A server that is not to be used leaves its keys to the next on the ring.
    for _ in 0..<ring.count {
      if !isFull(ring[place].index) { return ring[place].index }
      place = place + 1 == ring.count ? 0 : place + 1
    }
    return wanted
  }
}
