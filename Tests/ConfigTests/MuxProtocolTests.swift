import Base
import Config
import Testing

@Suite("proto and check-proto")
struct MuxProtocolTests {
  static let lines: [(String, String?)] = [
    ("mode http\n  server s 127.0.0.1:80 proto h2", nil),
    ("mode http\n  server s 127.0.0.1:80 proto h1 ws h2", nil),
    ("mode tcp\n  server s 127.0.0.1:80 proto none", nil),
    ("mode http\n  option httpchk\n  server s 127.0.0.1:80 check check-proto h2", nil),
    ("mode tcp\n  server s 127.0.0.1:80 check check-proto none", nil),
    ("mode tcp\n  option httpchk\n  server s 127.0.0.1:80 check check-proto h2", nil),
    ("mode http\n  server s 127.0.0.1:80 proto h4", "'proto' :  unknown MUX protocol 'h4'"),
    ("mode http\n  server s 127.0.0.1:80 proto fcgi", "'proto fcgi' is not supported yet."),
    ("mode http\n  server s 127.0.0.1:80 ws h3", "'ws' : unknown keyword 'h3'; did you mean 'h1' maybe ?"),
    ("mode tcp\n  server s 127.0.0.1:80 proto h2", "MUX protocol 'h2' is not usable for server 's'"),
    ("mode http\n  server s 127.0.0.1:80 proto none", "MUX protocol 'none' is not usable for server 's'"),
    (
      "mode http\n  server s 127.0.0.1:80 check check-proto h2",
      "server 's' uses an incompatible MUX protocol for the selected check type"
    ),
    (
      "mode http\n  option httpchk\n  server s 127.0.0.1:80 check check-proto none",
      "server 's' uses an incompatible MUX protocol for the selected check type"
    ),
  ]

  @Test("a protocol must fit the mode and the kind of check", arguments: lines)
  func fits(_ lines: String, _ message: String?) {
    let errors = Loading.errors("backend b\n  \(lines)\n")
    if let message {
      #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
    } else {
      #expect(errors == [])
    }
  }
}
