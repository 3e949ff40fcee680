import Base
import Config
import Synchronization

extension Commands {
  /// Frontends: whether they accept; backends: whether they are chosen, and what their cookies are made of.
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
    Command(
      "add backend", "<backend> from <defaults>", level: .admin, "add a backend with the settings of a defaults section"
    ) { call in
      answer(DynamicBackends(runtime: call.runtime).add(Array(call.arguments), at: call.now))
    },
    Command("del backend", "<backend>", level: .admin, "delete an unpublished backend without servers") { call in
      guard call.arguments.count <= 1 else { return .error("Usage: del backend <name>.") }
      return answer(DynamicBackends(runtime: call.runtime).remove(call.argument(0)))
    },
    Command("publish backend", "<backend>", level: .admin, "mark backend as ready for traffic") { call in
      setPublished(call, true)
    },
    Command("unpublish backend", "<backend>", level: .admin, "remove backend from the choice of others") { call in
      setPublished(call, false)
    },
    Command(
      "enable dynamic-cookie backend", "<bk>", level: .admin, "enable dynamic cookies on a specific backend"
    ) { call in
      setDynamicCookies(call, true)
    },
    Command(
      "disable dynamic-cookie backend", "<bk>", level: .admin, "disable dynamic cookies on a specific backend"
    ) { call in
      setDynamicCookies(call, false)
    },
    Command(
      "set dynamic-cookie-key backend", "<bk> <k>", level: .admin, "change a backend secret key for dynamic cookies"
    ) { call in
      withBackend(call) { backend in
        let key = call.argument(1)
        guard !key.isEmpty else { return .error("String value expected.") }
        backend.dynamicCookies.withLock { $0.key = Bytes(key) }
        return .done
      }
    },
    Command("show defaults", "", "list all proxies defaults sections") { call in
      .lines(call.runtime.configuration.namedDefaults.map { "\($0.name)\n" }.joined())
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

  private static func answer(_ outcome: DynamicBackends.Outcome) -> CommandAnswer {
    switch outcome {
    case .done(let text): .info(text)
    case .problem(let text): .error(text)
    }
  }

  private static func withBackend(_ call: CommandCall, _ body: (Backend) -> CommandAnswer) -> CommandAnswer {
    let name = call.argument(0)
    guard !name.isEmpty else { return .error("A backend name is expected.") }
    guard let backend = call.runtime.backend(name) else { return .error("No such backend.") }
    guard backend.settings.mode != .log else { return .error("Not available.") }
    return body(backend)
  }

  private static func setDynamicCookies(_ call: CommandCall, _ isEnabled: Bool) -> CommandAnswer {
    withBackend(call) { backend in
      backend.dynamicCookies.withLock { $0.isEnabled = isEnabled }
      return .done
    }
  }

  private static func setPublished(_ call: CommandCall, _ published: Bool) -> CommandAnswer {
    guard let backend = call.runtime.backend(named: Bytes(call.argument(0))) else {
      let isDisabled = call.runtime.configuration.proxies.contains {
        $0.hasBackend && $0.isDisabled && $0.name == call.argument(0)
      }
      return .error(isDisabled ? "No effect on a disabled backend." : "No such backend.")
    }
    if backend.settings.isDisabled { return .error("No effect on a disabled backend.") }
    backend.isUnpublished.store(!published, ordering: .relaxed)
    return .info(published ? "Backend published." : "Backend unpublished.")
  }
}
