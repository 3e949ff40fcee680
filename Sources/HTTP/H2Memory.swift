import CNghttp2
import Glibc

/// Where the library's memory comes from: the allocator's, but for the frame buffer of each session.
///
/// A session keeps a buffer of 16 KiB for the frame that it is writing, of which heads and frames without a payload
/// touch the first page. As pages of its own the rest is never resident, and all of it goes back to the kernel with the
/// connection. Blocks say by their address what they are: those of pages begin on a page, those of the allocator do not.
enum H2Memory {
  /// What a block of pages has room for, in octets.
  static let blockSize = 20_480
  /// Requests from here to `blockSize` get pages.
  static let threshold = 16_384

  static func withFunctions<R>(_ body: (UnsafeMutablePointer<nghttp2_mem>) -> R) -> R {
    var functions = nghttp2_mem(
      mem_user_data: nil,
      malloc: { size, _ in H2Memory.allocate(size) },
      free: { block, _ in H2Memory.release(block) },
      calloc: { count, size, _ in H2Memory.allocateZeroed(count, size) },
      realloc: { block, size, _ in H2Memory.resize(block, to: size) })
    return body(&functions)
  }

  static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    size >= threshold && size <= blockSize ? pages() ?? apart(malloc(size), size) : apart(malloc(size), size)
  }

  static func allocateZeroed(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    let (total, overflows) = count.multipliedReportingOverflow(by: size)
    return overflows ? nil : apart(calloc(count, size), total)
  }

  static func resize(_ block: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
    guard let block else { return allocate(size) }
    guard isOfPages(block) else { return apart(realloc(block, size), size) }
    if size <= blockSize { return block }
    guard let larger = apart(malloc(size), size) else { return nil }
    memcpy(larger, block, blockSize)
    munmap(block, blockSize)
    return larger
  }

  static func release(_ block: UnsafeMutableRawPointer?) {
    guard let block else { return }
    if isOfPages(block) { munmap(block, blockSize) } else { free(block) }
  }

  static func isOfPages(_ block: UnsafeMutableRawPointer) -> Bool { UInt(bitPattern: block) & 4095 == 0 }

  private static func pages() -> UnsafeMutableRawPointer? {
    let block = mmap(nil, blockSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return block == MAP_FAILED ? nil : block
  }

  /// The block, or one with its content elsewhere if it happens to begin on a page.
  private static func apart(_ block: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
    guard let block, isOfPages(block) else { return block }
    // Held until another place has been given.
    defer { free(block) }
    guard let other = malloc(size) else { return nil }
    return apart(memcpy(other, block, size), size)
  }
}
