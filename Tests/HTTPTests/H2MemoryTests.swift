import Base
import Glibc
import Testing

@testable import HTTP

@Suite("memory of HTTP/2 sessions")
struct H2MemoryTests {
  private func given(_ block: UnsafeMutableRawPointer?) throws -> UnsafeMutableRawPointer { try #require(block) }

  @Test("the frame buffer of a session has pages of its own, whatever is smaller or larger or second has not")
  func frame() throws {
    for (size, wanted) in [
      (1, false), (16_383, false), (16_384, true), (16_394, true), (20_480, true), (20_481, false),
    ] {
      var memory = H2Memory()
      let block = try given(memory.allocate(size))
      #expect((memory.frame == block) == wanted, "\(size)")
      memset(block, 0xAA, size)
      let second = try given(memory.allocate(size))
      #expect(memory.frame != second)
      memory.release(second)
      memory.release(block)
      #expect(memory.frame == nil)
    }
  }

  @Test("the table of streams has a page of its own, and all cleared blocks are clear")
  func table() throws {
    var memory = H2Memory()
    for (count, size) in [(1, 4095), (256, 16), (256, 16), (512, 16)] {
      let block = try given(memory.allocateZeroed(count, size))
      #expect(UnsafeRawBufferPointer(start: block, count: count * size).allSatisfy { $0 == 0 })
      memset(block, 0xAA, count * size)
      memory.release(block)
    }
    #expect(memory.allocateZeroed(.max, 2) == nil)
  }

  @Test("a block keeps its content when it grows past what pages hold")
  func growth() throws {
    var memory = H2Memory()
    var block = try given(memory.resize(nil, to: 100))
    memset(block, 1, 100)
    for size in [200, 4_096, 16_394, 20_480, 60_000, 300_000] {
      block = try given(memory.resize(block, to: size))
      #expect(UnsafeRawBufferPointer(start: block, count: 100).allSatisfy { $0 == 1 })
      memset(block, 1, size)
    }
    memory.release(block)
    var pages = try given(memory.resize(nil, to: 16_394))
    #expect(memory.frame == pages)
    memset(pages, 7, 16_394)
    pages = try given(memory.resize(pages, to: 40_000))
    #expect(memory.frame == nil)
    #expect(UnsafeRawBufferPointer(start: pages, count: 16_394).allSatisfy { $0 == 7 })
    memory.release(pages)
  }

  @Test("a session at rest gives up its frame buffer, and its table when no stream is in it")
  func rest() throws {
    var memory = H2Memory()
    let frame = try given(memory.allocate(16_394))
    let table = try given(memory.allocateZeroed(256, 16))
    memset(frame, 7, 16_394)
    table.storeBytes(of: 5, toByteOffset: 4000, as: UInt64.self)
    memory.rest()
    #expect(frame.load(as: UInt8.self) == 0)
    #expect(table.load(fromByteOffset: 4000, as: UInt64.self) == 5)
    table.storeBytes(of: 0, toByteOffset: 4000, as: UInt64.self)
    memory.rest()
    var resident: UInt8 = 1
    #expect(mincore(table, 4096, &resident) == 0)
    memory.release(frame)
    memory.release(table)
  }

  @Test("a session goes on after a rest, with what its HPACK tables have")
  func restingSession() {
    let pair = H2Pair()
    for round in 0..<3 {
      let id = pair.client.request(H2Client.get + [("x-round", "same")])
      pair.session.rest()
      pair.run()
      #expect(pair.recorder.requests[id]?.head.lines == ["host: h", "x-round: same"])
      #expect(pair.client.answers[id]?.body == Array("ok".utf8), "\(round)")
      pair.session.rest()
    }
    #expect(pair.outcome == .open)
  }
}
