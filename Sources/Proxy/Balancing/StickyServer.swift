/// `balance sticky`: one server for everything, as long as it is usable; one that comes back waits behind the others.
struct StickyServer: BalancingAlgorithm {
  private var order: [Int] = []

  mutating func rebuild(_ candidates: [Candidate]) {
    let usable = candidates.map(\.index)
    order.removeAll { !usable.contains($0) }
    order += usable.filter { !order.contains($0) }
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? { order.first { !isFull($0) } }
}
