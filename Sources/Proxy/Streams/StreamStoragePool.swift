/// One worker's spare storages of streams.
///
/// The first are permanent and stay for good; those that a crowd needs beyond them are freed when it has gone.
struct StreamStoragePool {
  private var permanent: [StreamStorage] = []
  private var others: [StreamStorage] = []
  private var permanentCount = 0

  /// Storages that stay: as many streams as a busy worker has at once, a megabyte.
  private static let mostPermanent = 256
  /// As many streams as may begin and end between two rounds of maintenance without making their storage anew.
  private static let limit = 4096

  var count: Int { permanent.count + others.count }

  mutating func take() -> StreamStorage? { permanent.popLast() ?? others.popLast() }

  /// Whether one that is made now is to be permanent.
  mutating func addsPermanent() -> Bool {
    guard permanentCount < StreamStoragePool.mostPermanent else { return false }
    permanentCount += 1
    return true
  }

  /// False when there are enough.
  mutating func give(_ storage: StreamStorage) -> Bool {
    if storage.isPermanent {
      permanent.append(storage)
    } else {
      guard others.count < StreamStoragePool.limit else { return false }
      others.append(storage)
    }
    return true
  }

  /// Half of those that may go, unless there are few.
  mutating func shrink() -> [StreamStorage] {
    guard others.count > 8 else { return [] }
    let leaving = Array(others.suffix(others.count / 2))
    others.removeLast(leaving.count)
    return leaving
  }
}
