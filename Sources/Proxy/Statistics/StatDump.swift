import Base

/// Writes the rows of `show stat` in pieces.
struct StatDump {
  private let format: StatFormat
  private var walk: StatWalk
  private var hasBegun = false
  private var isFirst = true
  private var isOver = false

  /// About how many octets a piece has.
  static let pieceSize = 16 * 1024

  init(
    _ runtime: Runtime, _ format: StatFormat, _ options: StatOptions, _ selection: StatSelection,
    now: WallTime
  ) {
    self.format = format
    walk = StatWalk(runtime, options, selection, now: now)
  }

  /// The next piece; nil after the end.
  mutating func next() -> [UInt8]? {
    if isOver { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(StatDump.pieceSize + 4096)
    if !hasBegun {
      format.begin(&out)
      hasBegun = true
    }
    while out.count < StatDump.pieceSize {
      guard let event = walk.next() else {
        format.end(&out)
        isOver = true
        break
      }
      guard case .row(let row) = event else { continue }
      format.append(row, isFirst: isFirst, describes: walk.options.describes, to: &out)
      isFirst = false
    }
    return out
  }
}

extension StatOptions {
  /// `up` hides servers that are down or in maintenance, `no-maint` only the latter.
  func isHidden(_ state: ServerState) -> Bool {
    if hidesMaintenance || hidesDown, state.isInMaintenance { return true }
    return hidesDown && !state.isRunning
  }
}
