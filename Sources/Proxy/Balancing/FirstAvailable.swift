/// `balance first`: the first server, by id, that has a free connection slot.
struct FirstAvailable: BalancingAlgorithm {
  private var order: [Int] = []

  mutating func rebuild(_ candidates: [Candidate]) {
    order = candidates.sorted { $0.id != $1.id ? $0.id < $1.id : $0.index < $1.index }.map(\.index)
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? { order.first { !isFull($0) } }
}
