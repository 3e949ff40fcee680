internal import CLinux

/// Gives memory that was freed back to the system, which the allocator does by itself only at its end.
public func releaseFreeMemory() { gh_malloc_trim() }
