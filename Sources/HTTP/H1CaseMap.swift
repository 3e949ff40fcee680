public import Base

/// Spellings of field names for peers that mind letter case (`h1-case-adjust`).
public struct H1CaseMap: Sendable {
  private let spellings: [Bytes: Bytes]

  /// - Parameter spellings: the spelling to send for each lower-case name; pairs that differ in more
  ///   than letter case are left out.
  public init(_ spellings: [Bytes: Bytes]) {
    self.spellings = spellings.filter { $0.key.equalsIgnoringCase($0.value) }
  }

  public var isEmpty: Bool { spellings.isEmpty }

  func spelling(of name: Bytes) -> Bytes? { spellings[name] }
}
