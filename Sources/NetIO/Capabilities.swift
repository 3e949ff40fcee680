internal import CLinux

/// Capabilities of the process (`setcap`), each a bit by its number in the kernel.
public enum Capabilities {
  /// The next change of the user leaves the permitted capabilities alone.
  public static func keepOverUserChange() { _ = gh_keep_capabilities() }

  /// Leaves the process with just these; false when the kernel does not.
  public static func set(_ mask: UInt64) -> Bool { gh_set_capabilities(mask) == 0 }

  /// Those in effect.
  public static var effective: UInt64 { gh_effective_capabilities() }
}
