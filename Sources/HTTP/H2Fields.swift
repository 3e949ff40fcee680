import Base
import CNghttp2

/// Heads as the library's name and value pairs.
enum H2Fields {
  /// Gives the pairs of a head, which point into it, without connection-specific fields; a status first
  /// when there is one.
  static func withPairs<R>(
    of head: MessageHead, status: Int?, _ body: (UnsafePointer<nghttp2_nv>, Int) -> R
  ) -> R {
    let digits = status.map { status -> [UInt8] in
      let n = Swift.min(Swift.max(status, 100), 999)
      return [n / 100, n / 10 % 10, n % 10].map { UInt8(truncatingIfNeeded: 0x30 + $0) }
    }
    let statusName = Array(":status".utf8)
    return head.withText { text in
      withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: head.fields.count + 1) { pairs in
        statusName.withUnsafeBufferPointer { statusName in
          (digits ?? []).withUnsafeBufferPointer { digits in
            var count = 0
            if status != nil {
              pairs[0] = pair(UnsafeRawBufferPointer(statusName), UnsafeRawBufferPointer(digits))
              count = 1
            }
            let isInterim = (status ?? 200) < 200 || status == 204
            if let base = text.baseAddress {
              for f in head.fields {
                guard Int(f.name) + Int(f.nameLength) <= text.count,
                  Int(f.value) + Int(f.valueLength) <= text.count
                else { continue }
                let name = UnsafeRawBufferPointer(start: base + Int(f.name), count: Int(f.nameLength))
                switch HopField.kind(base + Int(f.name), name.count) {
                case .endToEnd: break
                case .framing where name.count == 14 && !isInterim: break
                default: continue
                }
                pairs[count] = pair(
                  name, UnsafeRawBufferPointer(start: base + Int(f.value), count: Int(f.valueLength)))
                count += 1
              }
            }
            guard let start = pairs.baseAddress else {
              return body(UnsafePointer(bitPattern: 8).unsafelyUnwrapped, 0)
            }
            return body(UnsafePointer(start), count)
          }
        }
      }
    }
  }

  private static func pair(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> nghttp2_nv {
    nghttp2_nv(
      name: UnsafeMutablePointer(mutating: name.baseAddress?.assumingMemoryBound(to: UInt8.self)),
      value: UnsafeMutablePointer(mutating: value.baseAddress?.assumingMemoryBound(to: UInt8.self)),
      namelen: name.count, valuelen: value.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
  }
}
