import Base
import HTTP

/// A response that was kept, or only the links of one; immutable, shared by all workers.
final class CacheEntry: Sendable {
  let fields: [(name: FieldName, value: Bytes)]
  let reason: Bytes
  let body: [UInt8]
  /// Seconds since 1970: when it was stored, and until when it is fresh.
  let stored: Int64
  let expires: Int64
  /// The value of Age that it came with.
  let age: Int64
  let lastModified: Int64
  let entityTag: Bytes?
  let vary: VaryKey?
  /// Values of Link that a 103 may announce.
  let hints: [Bytes]
  /// The body is gone, or was never kept.
  let isStripped: Bool

  init(_ draft: CacheDraft, body: [UInt8], now: Int64, isStripped: Bool = false) {
    fields = isStripped ? [] : draft.fields
    reason = draft.reason
    self.body = body
    stored = now
    expires = now &+ draft.lifetime
    age = draft.age
    lastModified = draft.lastModified ?? now
    entityTag = draft.entityTag
    vary = draft.vary
    hints = draft.hints
    self.isStripped = isStripped
  }

  /// What is left of `entry` when its room is needed.
  init(strippingBodyOf entry: CacheEntry) {
    fields = []
    reason = .empty
    body = []
    stored = entry.stored
    expires = entry.expires
    age = entry.age
    lastModified = entry.lastModified
    entityTag = nil
    vary = nil
    hints = entry.hints
    isStripped = true
  }

  /// What it counts for in `total-max-size`: HAProxy's blocks of 1 KiB.
  var size: Int {
    var sum = body.count + 256
    for field in fields { sum += field.name.bytes.count + field.value.count + 8 }
    for hint in hints { sum += hint.count + 8 }
    return (sum + 1023) & ~1023
  }
}

/// A response on its way into the cache: everything but its body.
struct CacheDraft {
  var key: Bytes
  var fields: [(name: FieldName, value: Bytes)] = []
  var reason = Bytes.empty
  /// Seconds that it may be served.
  var lifetime: Int64 = 0
  var age: Int64 = 0
  var lastModified: Int64?
  var entityTag: Bytes?
  var vary: VaryKey?
  var hints: [Bytes] = []
}
