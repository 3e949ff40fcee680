internal import CLinux

/// What the allocator has from the system, and how much of it is in use, in octets (mallinfo2(3)).
public func allocatedMemory() -> (reserved: Int, used: Int) {
  let info = gh_mallinfo()
  let mapped = Int(clamping: info.hblkhd)
  return (Int(clamping: info.arena) + mapped, Int(clamping: info.uordblks) + mapped)
}
