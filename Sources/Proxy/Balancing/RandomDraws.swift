/// `balance random(n)`: draws n servers by weight and takes the least loaded of them.
struct RandomDraws: BalancingAlgorithm {
  private let draws: Int
  private var generator: SplitMix
  private var candidates: [Candidate] = []
  private var cumulative: [Int] = []
  private var served: [Int] = []

  init(draws: Int, seed: UInt64) {
    self.draws = max(1, draws)
    generator = SplitMix(state: seed)
  }

  mutating func rebuild(_ candidates: [Candidate]) {
    self.candidates = candidates
    var sum = 0
    cumulative = candidates.map {
      sum += max(1, $0.weight)
      return sum
    }
    let highest = candidates.map(\.index).max() ?? -1
    while served.count <= highest { served.append(0) }
  }

  mutating func pick(hash: UInt32?, isFull: (Int) -> Bool) -> Int? {
    guard let total = cumulative.last else { return nil }
    var best: Int?
    for _ in 0..<draws {
      let point = Int(generator.next() % UInt64(total))
      let candidate = candidates[lowerBound(point)]
      if isFull(candidate.index) { continue }
      if let known = best, load(candidate.index) >= load(known) { continue }
      best = candidate.index
    }
    return best ?? candidates.first { !isFull($0.index) }?.index
  }

  mutating func loadChanged(index: Int, served count: Int) {
    while served.count <= index { served.append(0) }
    served[index] = count
  }

  private func load(_ index: Int) -> Int { served[index] }

  /// The first candidate whose cumulative weight lies above `point`.
  private func lowerBound(_ point: Int) -> Int {
    var low = 0
    var high = cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > point { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// A small pseudo-random generator for choices that need no secrecy.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
