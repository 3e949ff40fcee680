import Config

/// How many octets may pass now, or how long none may.
public enum BandwidthGrant: Equatable, Sendable {
  case octets(Int)
  case wait(milliseconds: Int)
}

extension FrequencyCounter {
  /// Takes up to `wanted` octets from what `limit` octets a period still allow `users` who share it, and counts them.
  ///
  /// Within a period octets are spread evenly: who is ahead of the clock waits until it has caught up. No fewer than
  /// `minimum` octets pass at once, unless fewer are wanted. `unit` is how many octets the counter counts as one.
  mutating func grant(
    _ wanted: Int, limit: Int, period: UInt32, users: Int, minimum: Int, unit: Int, now: UInt32
  ) -> BandwidthGrant {
    let limit = Swift.max(1, limit)
    let span = Swift.max(1, Int(period))
    let users = Swift.max(1, users)
    let unit = Swift.max(1, unit)
    func time(for octets: Int) -> BandwidthGrant {
      let (product, overflow) = octets.multipliedReportingOverflow(by: span)
      let (total, tooMany) = product.multipliedReportingOverflow(by: users)
      return .wait(milliseconds: overflow || tooMany ? span : Swift.min(Swift.max(1, total / limit), 3_600_000))
    }
    let elapsed = Int(Int32(bitPattern: now &- start))
    if current > 0, elapsed >= 0, elapsed < span {
      let used = Int(current) * unit
      let allowed = limit.multipliedReportingOverflow(by: elapsed).partialValue / span
      if used > allowed { return time(for: used - allowed + minimum) }
    }
    let left = Swift.max(0, limit - Int(rate(period: UInt32(span), now: now)) * unit)
    let share = (left + users - 1) / users
    var octets = Swift.min(wanted, share)
    if octets < Swift.min(wanted, minimum) { octets = Swift.min(wanted, minimum) }
    if octets <= 0 { return time(for: Swift.max(1, Swift.min(wanted, limit / 16))) }
    add(UInt32(clamping: (octets + unit - 1) / unit), period: UInt32(span), now: now)
    return .octets(octets)
  }
}

extension StickEntry {
  /// The same with the rate of `type` of an entry that is shared by all who hold it.
  func grant(_ type: StickDataType, _ wanted: Int, limit: Int, minimum: Int) -> BandwidthGrant {
    guard var counter = counter(type) else { return .octets(wanted) }
    let result = counter.grant(
      wanted, limit: limit, period: period(of: type), users: Int(holders), minimum: minimum,
      unit: Int(byteRateFactor), now: UInt32(truncatingIfNeeded: now))
    setCounter(type, 0, counter)
    return result
  }
}
