/// Where the fields that decide about framing and connection stand in a head.
///
/// Collected while the field lines are scanned, so that the common head is not searched again.
struct FieldFacts {
  /// Index of the first field line of a kind, or -1; and how many there are.
  struct Seen {
    private var index: Int16 = -1
    private var number: Int16 = 0
    var first: Int { Int(index) }
    var count: Int { Int(number) }
    mutating func add(_ at: Int) {
      if number == 0 { index = Int16(truncatingIfNeeded: at) }
      number &+= 1
    }
  }
  var host = Seen()
  var contentLength = Seen()
  var transferEncoding = Seen()
  var connection = Seen()
  var upgrade = Seen()
  var expect = Seen()

  @inline(__always)
  mutating func note(_ name: UnsafeRawPointer, _ length: Int, index: Int) {
    let first = name.load(as: UInt8.self) | 0x20
    switch (length, first) {
    case (4, 0x68): if Octets.equalsFolded(name, length, "host") { host.add(index) }
    case (6, 0x65): if Octets.equalsFolded(name, length, "expect") { expect.add(index) }
    case (7, 0x75): if Octets.equalsFolded(name, length, "upgrade") { upgrade.add(index) }
    case (10, 0x63): if Octets.equalsFolded(name, length, "connection") { connection.add(index) }
    case (14, 0x63): if Octets.equalsFolded(name, length, "content-length") { contentLength.add(index) }
    case (17, 0x74):
      if Octets.equalsFolded(name, length, "transfer-encoding") { transferEncoding.add(index) }
    default: break
    }
  }
}

/// What the Connection fields of a message ask for.
struct ConnectionOptions {
  var close = false
  var keepAlive = false
  var upgrade = false
  /// Other names are listed: fields to remove.
  var others = false

  /// Reads one Connection value; false when it is not a list of tokens.
  mutating func add(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let base = value.baseAddress else { return true }
    var i = 0
    while i < value.count {
      let c = value[i]
      if c == 0x2C || c == 0x20 || c == 0x09 {
        i &+= 1
        continue
      }
      let end = Octets.firstNonToken(base, from: i, to: value.count)
      if end == i { return false }
      if Octets.equalsFolded(base + i, end - i, "close") {
        close = true
      } else if Octets.equalsFolded(base + i, end - i, "keep-alive") {
        keepAlive = true
      } else if Octets.equalsFolded(base + i, end - i, "upgrade") {
        upgrade = true
      } else {
        others = true
      }
      i = end
    }
    return true
  }
}
