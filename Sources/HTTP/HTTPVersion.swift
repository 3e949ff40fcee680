/// HTTP/1.0, 1.1 or 2 as major and minor digits.
public struct HTTPVersion: Hashable, Comparable, Sendable {
  public var major: UInt8
  public var minor: UInt8
  @inlinable public init(_ major: UInt8, _ minor: UInt8) {
    self.major = major
    self.minor = minor
  }
  public static let http10 = HTTPVersion(1, 0)
  public static let http11 = HTTPVersion(1, 1)
  public static let http20 = HTTPVersion(2, 0)
  @inlinable
  public static func < (a: HTTPVersion, b: HTTPVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}
