/// A plain decoder of DEFLATE (RFC 1951), for the tests of the encoder. Nil for anything that is not well formed.
struct Inflater {
  private let input: [UInt8]
  private var position = 0
  private var out: [UInt8] = []

  static func inflate(_ input: [UInt8]) -> [UInt8]? {
    var inflater = Inflater(input)
    return inflater.run() ? inflater.out : nil
  }

  private init(_ input: [UInt8]) { self.input = input }

  private mutating func bits(_ count: Int) -> Int {
    var value = 0
    for i in 0..<count {
      guard position / 8 < input.count else { return -1 }
      value |= Int(input[position / 8] >> UInt8(position % 8) & 1) << i
      position += 1
    }
    return value
  }

  private mutating func run() -> Bool {
    var isLast = false
    while !isLast {
      isLast = bits(1) == 1
      switch bits(2) {
      case 0:
        position = (position + 7) / 8 * 8
        let length = bits(16)
        guard length >= 0, bits(16) == length ^ 0xFFFF else { return false }
        for _ in 0..<length { out.append(UInt8(truncatingIfNeeded: bits(8))) }
      case 1: guard fixedBlock() else { return false }
      default: return false
      }
    }
    return (position + 7) / 8 == input.count
  }

  /// The codes of fixed blocks are read bit by bit, the first bit on top.
  private mutating func symbol() -> Int {
    var code = 0
    for length in 1...9 {
      code = code << 1 | bits(1)
      switch (length, code) {
      case (7, 0...23): return 256 + code
      case (8, 0x30...0xBF): return code - 0x30
      case (8, 0xC0...0xC7): return 280 + code - 0xC0
      case (9, 0x190...0x1FF): return 144 + code - 0x190
      default: continue
      }
    }
    return -1
  }

  private mutating func fixedBlock() -> Bool {
    while true {
      let value = symbol()
      if value == 256 { return true }
      guard (0...285).contains(value) else { return false }
      if value < 256 {
        out.append(UInt8(value))
        continue
      }
      let length = length(value)
      var code = 0
      for _ in 0..<5 { code = code << 1 | bits(1) }
      let extra = max(0, code / 2 - 1)
      let distance = (code < 2 ? code + 1 : (2 + code % 2) << extra + 1) + bits(extra)
      guard code < 30, distance <= out.count else { return false }
      for _ in 0..<length { out.append(out[out.count - distance]) }
    }
  }

  private mutating func length(_ symbol: Int) -> Int {
    if symbol == 285 { return 258 }
    let n = symbol - 257
    if n < 8 { return n + 3 }
    let extra = n / 4 - 1
    return (4 + n % 4) << extra + 3 + bits(extra)
  }
}
