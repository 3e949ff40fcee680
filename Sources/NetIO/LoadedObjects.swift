internal import CLinux

/// The program or a library of it, as it stands in memory.
public struct LoadedObject: Sendable {
  /// The file's path; empty for the program itself.
  public let name: String
  /// The addresses from the first to the end of its segments.
  public let range: Range<UInt>

  /// All that the dynamic linker knows of, the program first.
  public static func all() -> [LoadedObject] {
    withUnsafeTemporaryAllocation(of: gh_loaded_object.self, capacity: 128) { room in
      let count = Int(gh_loaded_objects(room.baseAddress, Int32(room.count)))
      return room[0..<count].map {
        LoadedObject(name: $0.name.map { String(cString: $0) } ?? "", range: UInt($0.start)..<UInt($0.end))
      }
    }
  }
}
