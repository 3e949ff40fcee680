import Base
import CNghttp2

/// Heads as the library's name and value pairs.
enum H2Fields {
  private static let statusName: StaticString = ":status"

  /// Gives the pairs of a head, which point into it, without connection-specific fields; a status first
  /// when there is one.
  static func withPairs<R>(
    of head: MessageHead, status: Int?, _ body: (UnsafePointer<nghttp2_nv>, Int) -> R
  ) -> R {
    let n = Swift.min(Swift.max(status ?? 100, 100), 999)
    let digits = (digit(n / 100), digit(n / 10 % 10), digit(n % 10))
    return Swift.withUnsafeBytes(of: digits) { digits in
      head.withText { text in
        withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: head.fields.count + 1) { pairs in
          var count = 0
          if status != nil {
            let name = UnsafeRawBufferPointer(start: statusName.utf8Start, count: statusName.utf8CodeUnitCount)
            pairs[0] = pair(name, digits)
            count = 1
          }
          addFields(of: head, text, isBodiless: status != nil && (n < 200 || n == 204), to: pairs, &count)
          guard let start = pairs.baseAddress else {
            return body(UnsafePointer(bitPattern: 8).unsafelyUnwrapped, 0)
          }
          return body(UnsafePointer(start), count)
        }
      }
    }
  }

  private static func digit(_ n: Int) -> UInt8 { UInt8(truncatingIfNeeded: 0x30 + n) }

  private static func addFields(
    of head: MessageHead, _ text: UnsafeRawBufferPointer, isBodiless: Bool,
    to pairs: UnsafeMutableBufferPointer<nghttp2_nv>, _ count: inout Int
  ) {
    guard let base = text.baseAddress else { return }
    for f in head.fields where head.isInside(f) {
      let name = UnsafeRawBufferPointer(start: base + Int(f.name), count: Int(f.nameLength))
      switch HopField.kind(base + Int(f.name), name.count) {
      case .endToEnd: break
      case .framing where name.count == 14 && !isBodiless: break
      default: continue
      }
      pairs[count] = pair(
        name, UnsafeRawBufferPointer(start: base + Int(f.value), count: Int(f.valueLength)))
      count += 1
    }
  }

  static func pair(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> nghttp2_nv {
    nghttp2_nv(
      name: UnsafeMutablePointer(mutating: name.baseAddress?.assumingMemoryBound(to: UInt8.self)),
      value: UnsafeMutablePointer(mutating: value.baseAddress?.assumingMemoryBound(to: UInt8.self)),
      namelen: name.count, valuelen: value.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
  }
}
