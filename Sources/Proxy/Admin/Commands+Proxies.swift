import Base
import Config
import Synchronization

extension Commands {
  /// Frontends: whether they accept.
  static let proxies: [Command] = [
    Command("disable frontend", "<frontend>", level: .admin, "temporarily disable specific frontend") {
      call in
      withFrontend(call) { frontend in
        if frontend.isShutDown.load(ordering: .relaxed) {
          return .error("Frontend was previously shut down, cannot disable.")
        }
        guard !frontend.isPaused.exchange(true, ordering: .relaxed) else {
          return .error("All sockets are already disabled.")
        }
        call.gateway.onEachWorker { $0.setAccepting(frontend, false) }
        return .done
      }
    },
    Command("publish backend", "<backend>", level: .restricted, "mark backend as ready for traffic") { call in
      setPublished(call, true)
    },
    Command("unpublish backend", "<backend>", level: .restricted, "remove backend from the choice of others") { call in
      setPublished(call, false)
    },
    Command("enable frontend", "<frontend>", level: .admin, "re-enable specific frontend") { call in
      withFrontend(call) { frontend in
        if frontend.isShutDown.load(ordering: .relaxed) {
          return .error("Frontend was previously shut down, cannot enable.")
        }
        guard frontend.isPaused.exchange(false, ordering: .relaxed) else {
          return .error("All sockets are already enabled.")
        }
        call.gateway.onEachWorker { $0.setAccepting(frontend, true) }
        return .done
      }
    },
    Command("shutdown frontend", "<frontend>", level: .admin, "stop a specific frontend") { call in
      withFrontend(call) { frontend in
        guard !frontend.isShutDown.exchange(true, ordering: .relaxed) else {
          return .error("Frontend was already shut down.")
        }
        call.gateway.onEachWorker { $0.stopAccepting(frontend) }
        return .done
      }
    },
  ]

  private static func setPublished(_ call: CommandCall, _ published: Bool) -> CommandAnswer {
    guard let backend = call.runtime.backendsByName[Bytes(call.argument(0))] else {
      let isDisabled = call.runtime.configuration.proxies.contains {
        $0.hasBackend && $0.isDisabled && $0.name == call.argument(0)
      }
      return .error(isDisabled ? "No effect on a disabled backend." : "No such backend.")
    }
    backend.isUnpublished.store(!published, ordering: .relaxed)
    return .info(published ? "Backend published." : "Backend unpublished.")
  }
}
