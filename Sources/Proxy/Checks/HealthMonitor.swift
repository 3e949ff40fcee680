import Base
/// Follows the health of all servers.
final class HealthMonitor: Sendable {
  func observe(_ event: ObservedEvent, _ server: Server, _ backend: Backend, at now: Now) {}
}
