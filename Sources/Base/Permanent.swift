/// Objects that live as long as the process, and for which the runtime counts no references.
///
/// Every reference to an object costs an atomic addition and subtraction, and the objects that all requests of all
/// threads pass (a backend, its servers, its counters) make the threads wait for each other's cache lines on top.
/// The runtime knows objects whose references it need not count: those of the program's own data, such as the
/// storage of empty arrays. This gives others the same mark. They are never freed.
public enum Permanent {
  /// What stands where others have their reference count; nil where marking does not work as it should.
  private static let mark: UInt? = {
    let empty: [UInt8] = []
    let known = word(behind: unsafeBitCast(empty, to: UnsafeMutableRawPointer.self)).pointee
    let probe = Unmanaged.passRetained(Probe())
    let count = word(behind: probe.toOpaque())
    let original = count.pointee
    count.pointee = known
    for _ in 0..<4 { _ = probe.retain() }
    let ignoresRetains = count.pointee == known
    if ignoresRetains { for _ in 0..<8 { probe.release() } }
    guard ignoresRetains, count.pointee == known else {
      count.pointee = original
      return nil
    }
    return known
  }()

  private final class Probe {}

  /// The second word of an object, behind the pointer to its type.
  private static func word(behind object: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt> {
    (object + MemoryLayout<UInt>.size).assumingMemoryBound(to: UInt.self)
  }

  /// Marks `object`, which must be known to one thread only so far.
  public static func mark(_ object: AnyObject) {
    guard let mark else { return }
    let count = word(behind: Unmanaged.passUnretained(object).toOpaque())
    // With the highest bit set the word points to a table elsewhere, or is marked already.
    if count.pointee >> (UInt.bitWidth - 1) == 0 { count.pointee = mark }
  }

  /// Marks the array behind `bytes`.
  public static func mark(_ bytes: Bytes) {
    guard let mark, !bytes.base.isEmpty else { return }
    let count = word(behind: unsafeBitCast(bytes.base, to: UnsafeMutableRawPointer.self))
    if count.pointee >> (UInt.bitWidth - 1) == 0 { count.pointee = mark }
  }
}
