import Base
import HTTP
import NetIO
import Rules

/// `filter bwlim-*`: hands on no more octets than its limit allows, and wakes the stream when more may pass.
final class BandwidthSink: BodyFilter, TimerOwner {
  /// Octets that pass at once, whatever the limit.
  private static let batch = 16384

  let meter: BandwidthMeter
  private let next: any BodySink
  private let loop: EventLoop
  private let timer = Timer()
  private let wake: () -> Void
  /// Octets that were granted and that the next sink did not take.
  private var credit = 0
  /// Nothing may pass now.
  private(set) var isHolding = false
  private var heldUntil = Instant.distantFuture

  init(_ meter: BandwidthMeter, into next: any BodySink, _ loop: EventLoop, wake: @escaping () -> Void) {
    self.meter = meter
    self.next = next
    self.loop = loop
    self.wake = wake
  }

  var isDone: Bool { (next as? any BodyFilter)?.isDone ?? true }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if bytes.isEmpty { return 0 }
    let now = loop.now.instant
    if isHolding, now < heldUntil { return 0 }
    isHolding = false
    if credit == 0 {
      switch meter.grant(Swift.min(bytes.count, BandwidthSink.batch), now: now) {
      case .octets(let n): credit = n
      case .wait(let milliseconds):
        isHolding = true
        heldUntil = now + .milliseconds(Int64(milliseconds))
        loop.timers.set(timer, to: heldUntil, owner: self)
        return 0
      }
    }
    let taken = next.writeBody(UnsafeRawBufferPointer(rebasing: bytes.prefix(credit)))
    credit -= taken
    return taken
  }

  func timerFired(_ timer: Timer) { wake() }
  func endBody(trailers: MessageHead?) { next.endBody(trailers: trailers) }
  func flushBody() { next.flushBody() }

  func cancel() { loop.timers.cancel(timer) }
}

extension Stream {
  /// Puts limits on the way to the client: those that compression stands before, or those before it.
  func limitResponse(behindCompression: Bool) {
    for meter in meters(isIncoming: false) where meter.limit.isBehindCompression == behindCompression {
      let filters = filters()
      if filters.limitedResponse.contains(where: { $0.meter === meter }) { continue }
      let sink = sink(meter, into: clientSink)
      filters.limitedResponse.append(sink)
      filters.response = sink
    }
  }

  /// The same on the way to the server.
  func limitRequest(to end: ServerEndpoint, behindCompression: Bool) {
    for meter in meters(isIncoming: true) where meter.limit.isBehindCompression == behindCompression {
      let filters = filters()
      if filters.limitedRequest.contains(where: { $0.meter === meter }) { continue }
      let sink = sink(meter, into: serverSink(end))
      filters.limitedRequest.append(sink)
      filters.request = sink
    }
  }

  /// For what rules have switched on once the request was on its way.
  func limitRequest(to end: ServerEndpoint) {
    limitRequest(to: end, behindCompression: true)
    limitRequest(to: end, behindCompression: false)
  }

  /// Both ways of a connection in TCP mode.
  func limitTunnel(to end: ServerEndpoint) {
    if context.bandwidth.isEmpty { return }
    limitRequest(to: end)
    limitResponse(behindCompression: true)
    limitResponse(behindCompression: false)
  }

  /// From the last in the order of filters, which stands nearest to the receiver.
  private func meters(isIncoming: Bool) -> [BandwidthMeter] {
    if context.bandwidth.isEmpty { return [] }
    return context.bandwidth.filter { $0.limit.isIncoming == isIncoming }.sorted {
      ($0.isOfBackend ? 1 : 0, $0.limit.position) > ($1.isOfBackend ? 1 : 0, $1.limit.position)
    }
  }

  private func sink(_ meter: BandwidthMeter, into next: any BodySink) -> BandwidthSink {
    BandwidthSink(meter, into: next, worker.loop) { [self] in
      if phase != .finished { advance() }
    }
  }
}
