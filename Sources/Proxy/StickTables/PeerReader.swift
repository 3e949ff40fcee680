import Base

/// Cuts what a peer sends into lines, then messages. Nothing is longer than `bound`.
struct PeerReader {
  enum Item: Equatable {
    case needMore
    case line(String)
    case message(class: UInt8, type: UInt8, body: [UInt8])
    case tooLong
  }

  /// Octets of a message's body, and of a line.
  static let bound = 16_384
  private static let longestLine = 256

  private var waiting: [UInt8] = []
  private var start = 0

  mutating func feed(_ octets: UnsafeRawBufferPointer) {
    if start > 0, start == waiting.count || start > PeerReader.bound {
      waiting.removeFirst(start)
      start = 0
    }
    waiting.append(contentsOf: octets)
  }

  mutating func line() -> Item {
    guard let end = waiting[start...].firstIndex(of: ASCII.lf) else {
      return waiting.count - start > PeerReader.longestLine ? .tooLong : .needMore
    }
    let line = String(decoding: waiting[start..<end], as: UTF8.self)
    start = end + 1
    return line.utf8.count > PeerReader.longestLine ? .tooLong : .line(line)
  }

  mutating func message() -> Item {
    guard waiting.count - start >= 2 else { return .needMore }
    let (kind, type) = (waiting[start], waiting[start + 1])
    if type < 0x80 {
      start += 2
      return .message(class: kind, type: type, body: [])
    }
    var cursor = PeerCursor(Array(waiting[(start + 2)..<Swift.min(waiting.count, start + 12)]))
    guard let length = cursor.integer() else { return waiting.count - start >= 12 ? .tooLong : .needMore }
    guard length <= UInt64(PeerReader.bound) else { return .tooLong }
    let from = start + 2 + cursor.index
    guard waiting.count - from >= Int(length) else { return .needMore }
    start = from + Int(length)
    return .message(class: kind, type: type, body: Array(waiting[from..<start]))
  }
}
