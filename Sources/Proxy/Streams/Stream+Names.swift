import Base
import Rules

extension Stream {
  /// `do-resolve`: the rules go on behind it when the name has an address, or is known to have none.
  func resolve(_ query: NameQuery) -> Step {
    storage.phaseAfterName = phase
    phase = .waitForName
    worker.runtime.names.resolve(
      query.name, in: query.resolvers, prefersFour: query.prefersFour, for: worker
    ) { [self] address in
      guard phase == .waitForName else { return }
      query.finish(address, context)
      phase = storage.phaseAfterName
      advance()
    }
    return .wait
  }
}
