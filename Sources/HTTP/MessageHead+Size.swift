import Base

extension MessageHead {
  /// The size of the head on an HTTP/1 connection: start line, field lines and the empty line. What HTTP/2 streams
  /// count in place of octets on the wire, which compression makes incomparable.
  public var byteCount: Int {
    var sum = status == 0 ? method.count + target.count + 12 : reason.count + 15
    for index in 0..<count { sum += name(at: index).count + value(at: index).count + 4 }
    return sum + 2
  }
}
