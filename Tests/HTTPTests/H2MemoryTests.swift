import Glibc
import Testing

@testable import HTTP

@Suite("memory of HTTP/2 sessions")
struct H2MemoryTests {
  @Test("the frame buffer of a session has pages of its own, whatever is smaller or larger has not")
  func kinds() throws {
    for (size, wanted) in [
      (1, false), (16_383, false), (16_384, true), (16_394, true), (20_480, true), (20_481, false),
    ] {
      let block = try #require(H2Memory.allocate(size))
      #expect(H2Memory.isOfPages(block) == wanted, "\(size)")
      memset(block, 0xAA, size)
      H2Memory.release(block)
    }
  }

  @Test("blocks of the allocator never look like pages, and cleared ones are clear")
  func apart() throws {
    var blocks: [UnsafeMutableRawPointer] = []
    for size in 1...6_000 {
      let block = try #require(size % 2 == 0 ? H2Memory.allocateZeroed(1, size) : H2Memory.allocate(size))
      #expect(!H2Memory.isOfPages(block))
      if size % 2 == 0 {
        let octets = UnsafeRawBufferPointer(start: block, count: size)
        #expect(octets.allSatisfy { $0 == 0 })
      }
      memset(block, 0xAA, size)
      blocks.append(block)
    }
    for block in blocks { H2Memory.release(block) }
  }

  @Test("a block keeps its content when it grows past what pages hold")
  func growth() throws {
    var block = try #require(H2Memory.resize(nil, to: 100))
    memset(block, 1, 100)
    for size in [200, 4_096, 16_394, 20_480, 60_000, 300_000] {
      block = try #require(H2Memory.resize(block, to: size))
      #expect(UnsafeRawBufferPointer(start: block, count: 100).allSatisfy { $0 == 1 })
      memset(block, 1, size)
    }
    H2Memory.release(block)
    var pages = try #require(H2Memory.allocate(16_394))
    memset(pages, 7, 16_394)
    pages = try #require(H2Memory.resize(pages, to: 40_000))
    #expect(!H2Memory.isOfPages(pages))
    #expect(UnsafeRawBufferPointer(start: pages, count: 16_394).allSatisfy { $0 == 7 })
    H2Memory.release(pages)
  }

  @Test("a product that overflows is no memory")
  func overflow() {
    #expect(H2Memory.allocateZeroed(.max, 2) == nil)
  }
}
