import Base

/// What can only be judged when all files are read.
struct Validation {
  let context: LoadContext

  init(_ context: LoadContext) { self.context = context }

  func run() {}
}
