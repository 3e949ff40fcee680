import Base
import Config
import Testing

@Suite("TLS versions of a line")
struct TLSVersionTests {
  typealias Version = TLSSettings.Version

  @Test(
    "no-tls lines cut the range from either end",
    arguments: [
      ("", Version.tls12, nil), ("no-tlsv12", Version.tls13, nil), ("no-tlsv13", Version.tls12, Version.tls12),
      ("no-sslv3 no-tlsv10", Version.tls12, nil), ("ssl-min-ver TLSv1.0 no-tlsv10", Version.tls11, nil),
      ("ssl-min-ver TLSv1.0 no-tlsv10 no-tlsv11", Version.tls12, nil),
      ("ssl-max-ver TLSv1.3 no-tlsv13", Version.tls12, Version.tls12),
      ("force-tlsv12", Version.tls12, Version.tls12),
    ] as [(String, Version, Version?)])
  func range(options: String, low: Version, high: Version?) throws {
    let loaded = Loading.load("frontend f\n mode http\n bind :443 ssl crt x.pem \(options)\n")
    let bind = try #require(loaded.configuration.proxies.first?.binds.first)
    let range = TLSVersionRange(bind.tls, TLSSettings())
    #expect(range.lowest == low && range.highest == high)
  }
}
