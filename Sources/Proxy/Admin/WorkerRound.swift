import Base
import NetIO

/// Asks all workers for something, one after the other, each on its own thread.
///
/// `ask` is called again with the same worker and the next number as long as it says that there is more, so that
/// a long list does not hold up what else the worker does.
final class WorkerRound<Value>: @unchecked Sendable {
  private let workers: [Worker]
  private let ask: (Worker, Int, inout Value) -> Bool
  private let finish: (Value) -> Void
  private var value: Value
  private var worker = 0
  private var step = 0

  init(
    _ gateway: Gateway, _ start: Value, ask: @escaping (_ worker: Worker, _ step: Int, inout Value) -> Bool,
    finish: @escaping (Value) -> Void
  ) {
    workers = gateway.workers
    value = start
    self.ask = ask
    self.finish = finish
  }

  /// Goes on; `finish` is called on the first worker's thread.
  func next() {
    guard worker < workers.count else {
      workers.first?.loop.enqueue { [self] in finish(value) }
      return
    }
    let current = workers[worker]
    current.loop.enqueue { [self] in
      if ask(current, step, &value) {
        step += 1
      } else {
        worker += 1
        step = 0
      }
      next()
    }
  }
}

extension CommandAnswer {
  /// The text that `ask` gathers from all workers, made of what it gathered by `render`.
  static func gathered<Value>(
    _ gateway: Gateway, _ start: Value, _ ask: @escaping (_ worker: Worker, _ step: Int, inout Value) -> Bool,
    render: @escaping (Value) -> String
  ) -> CommandAnswer {
    .later { reply in
      WorkerRound(gateway, start, ask: ask) { reply(.lines(render($0))) }.next()
    }
  }
}
