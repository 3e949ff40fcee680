import Base

extension ByteBuffer {
  /// Appends literal text; the name keeps it apart from the overload for `Bytes`, which takes literals too.
  @inline(__always)
  func put(_ text: StaticString) {
    appendGrowing(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
