import CNghttp2
import Glibc

/// The memory of one session: the allocator's, but for two blocks.
///
/// A session keeps a buffer of 16 KiB for the frame that it is writing, of which heads and frames without a payload
/// touch the first page, and a table of its streams, which is all zeroes while there are none. As pages of their own
/// they need not be resident: what was never touched is not, and `rest` gives back what an idle session has no use for.
struct H2Memory {
  private(set) var frame: UnsafeMutableRawPointer?
  private(set) var table: UnsafeMutableRawPointer?

  /// What the frame buffer has room for, in octets; it is the one block of `frameThreshold` to that many.
  static let frameSize = 20_480
  static let frameThreshold = 16_384
  /// The size of the table, which is the first cleared block of just that many octets.
  static let tableSize = 4096

  mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    guard size >= Self.frameThreshold, size <= Self.frameSize, frame == nil else { return malloc(size) }
    frame = Self.pages(Self.frameSize)
    return frame ?? malloc(size)
  }

  mutating func allocateZeroed(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    let (total, overflows) = count.multipliedReportingOverflow(by: size)
    guard !overflows else { return nil }
    guard total == Self.tableSize, table == nil else { return calloc(count, size) }
    table = Self.pages(Self.tableSize)
    return table ?? calloc(count, size)
  }

  mutating func resize(_ block: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
    guard let block else { return allocate(size) }
    let held = block == frame ? Self.frameSize : block == table ? Self.tableSize : 0
    guard held > 0 else { return realloc(block, size) }
    if size <= held { return block }
    guard let larger = malloc(size) else { return nil }
    memcpy(larger, block, held)
    release(block)
    return larger
  }

  mutating func release(_ block: UnsafeMutableRawPointer?) {
    guard let block else { return }
    if block == frame {
      munmap(block, Self.frameSize)
      frame = nil
    } else if block == table {
      munmap(block, Self.tableSize)
      table = nil
    } else {
      free(block)
    }
  }

  /// Gives the pages back, which are zeroes when they are touched again: of a session that has nothing to send, and the
  /// table only where it is all zeroes already.
  func rest() {
    if let frame { madvise(frame, Self.frameSize, MADV_DONTNEED) }
    guard let table else { return }
    let words = UnsafeRawBufferPointer(start: table, count: Self.tableSize).bindMemory(to: UInt64.self)
    if words.allSatisfy({ $0 == 0 }) { madvise(table, Self.tableSize, MADV_DONTNEED) }
  }

  private static func pages(_ size: Int) -> UnsafeMutableRawPointer? {
    let block = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return block == MAP_FAILED ? nil : block
  }

  /// The functions by which the library manages `memory`, which must outlive its session.
  static func functions(_ memory: UnsafeMutablePointer<H2Memory>) -> nghttp2_mem {
    nghttp2_mem(
      mem_user_data: UnsafeMutableRawPointer(memory),
      malloc: { size, memory in H2Memory.of(memory)?.pointee.allocate(size) },
      free: { block, memory in H2Memory.of(memory)?.pointee.release(block) },
      calloc: { count, size, memory in H2Memory.of(memory)?.pointee.allocateZeroed(count, size) },
      realloc: { block, size, memory in H2Memory.of(memory)?.pointee.resize(block, to: size) })
  }

  @inline(__always)
  private static func of(_ memory: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<H2Memory>? {
    memory?.assumingMemoryBound(to: H2Memory.self)
  }
}
