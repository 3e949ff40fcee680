import Synchronization

/// Keeps what was replaced until nobody can look at it any more.
public final class Retirement: Sendable {
  private let keeper = Mutex<(@Sendable (any AnyObject & Sendable) -> Void)?>(nil)
  /// What was replaced before anybody said what to do with it.
  private let kept = Mutex<[any AnyObject & Sendable]>([])

  public init() {}

  /// Readers hold nothing while they look; what they may still look at is given to `keep`, which must hold it until
  /// every thread that reads has been seen outside of a look.
  public func setKeeper(_ keep: @escaping @Sendable (any AnyObject & Sendable) -> Void) {
    keeper.withLock { $0 = keep }
    kept.withLock { $0 = [] }
  }

  func retire(_ object: any AnyObject & Sendable) {
    if let keep = keeper.withLock({ $0 }) { return keep(object) }
    kept.withLock { $0.append(object) }
  }
}

/// The newest form of something that is replaced while others look at it; they pay one load.
public final class Published<Value: AnyObject & Sendable>: Sendable {
  /// The address of a retained value; 0 for none.
  private let address: Atomic<UInt>
  private let retirement: Retirement

  public init(_ value: Value?, _ retirement: Retirement) {
    self.retirement = retirement
    address = Atomic(value.map(Published.retain) ?? 0)
  }

  deinit { Published.value(at: address.load(ordering: .acquiring))?.release() }

  private static func retain(_ value: Value) -> UInt {
    UInt(bitPattern: Unmanaged.passRetained(value).toOpaque())
  }

  @inline(__always)
  private static func value(at address: UInt) -> Unmanaged<Value>? {
    UnsafeRawPointer(bitPattern: address).map { Unmanaged<Value>.fromOpaque($0) }
  }

  /// Looks at the newest value, without keeping it.
  @inline(__always)
  public func read<R>(_ body: (Value) -> R) -> R? {
    Published.value(at: address.load(ordering: .acquiring))?._withUnsafeGuaranteedRef(body)
  }

  public func publish(_ value: Value) {
    let old = address.exchange(Published.retain(value), ordering: .acquiringAndReleasing)
    if let old = Published.value(at: old) { retirement.retire(old.takeRetainedValue()) }
  }
}
