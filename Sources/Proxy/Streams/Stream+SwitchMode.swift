import Base
import Config
import NetIO
import Rules

/// A TCP mode connection that turns out to carry HTTP.
extension Stream {
  /// `switch-mode http`, or a backend in HTTP mode: a session for HTTP takes over what the client has sent, and with
  /// HTTP/1 what rules of this stream have learned. The stream itself was none that counts.
  func switchToHTTP(proto: String?, for backend: Backend? = nil) -> Step {
    guard client.maySwitchToHTTP else { return reject() }
    phase = .finished
    worker.loop.timers.set(storage.timer, to: .distantFuture, owner: storage)
    worker.streamLeft(self)
    storage.stream = nil
    storage.isTunnel = false
    storage.wasSwitched = true
    storage.switchedBackend = backend
    context.request = nil
    context.payload = .empty
    context.payloadIsFinal = false
    client.switchToHTTP(proto: proto, storage)
    return .wait
  }
}
