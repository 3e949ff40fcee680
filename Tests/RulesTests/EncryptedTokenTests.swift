import Base
import Config
import Testing

@testable import Rules

@Suite("Encrypted tokens")
struct EncryptedTokenTests {
  private let decryption = TokenDecryption(GlobalSettings())

  @Test("each algorithm is opened with its key, and with no other", arguments: SampleTokens.all)
  func algorithms(_ sample: SampleTokens.Case) throws {
    let key = try #require(TokenKey(json: Bytes(sample.key)))
    var global = GlobalSettings()
    global.tokenAlgorithms = [sample.algorithm]
    global.tokenEncryptions = [sample.encryption]
    #expect(TokenDecryption(global).open(Bytes(sample.token), key)?.string == "May keep a secret")
    for other in SampleTokens.all where other.key != sample.key {
      guard let wrong = TokenKey(json: Bytes(other.key)) else { continue }
      #expect(TokenDecryption(global).open(Bytes(sample.token), wrong) == nil)
    }
    global.tokenAlgorithms = []
    #expect(TokenDecryption(global).open(Bytes(sample.token), key) == nil)
  }

  @Test("RSA1_5 must be allowed by name")
  func weak() throws {
    let sample = try #require(SampleTokens.all.first { $0.algorithm == "RSA1_5" })
    let key = try #require(TokenKey(json: Bytes(sample.key)))
    #expect(decryption.open(Bytes(sample.token), key) == nil)
  }

  @Test("a token that is cut or changed anywhere says nothing", arguments: ["dir", "A128GCMKW", "ECDH-ES+A128KW"])
  func damage(algorithm: String) throws {
    let sample = try #require(SampleTokens.all.first { $0.algorithm == algorithm })
    let key = try #require(TokenKey(json: Bytes(sample.key)))
    let octets = Array(sample.token.utf8)
    for length in 0..<octets.count { #expect(decryption.open(Bytes(octets, in: 0..<length), key) == nil) }
    for at in stride(from: 0, to: octets.count, by: 7) where octets[at] != 0x2E {
      var changed = octets
      changed[at] = 0x2E
      #expect(decryption.open(Bytes(changed), key) == nil)
    }
  }

  @Test(
    "keys that are none are refused",
    arguments: [
      "", "{}", "{\"kty\":\"oct\"}", "{\"kty\":\"oct\",\"k\":\"a\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-1\",\"x\":\"\",\"y\":\"\"}",
      "{\"kty\":\"OKP\"}",
    ])
  func keys(text: String) { #expect(TokenKey(json: Bytes(text)) == nil) }

  @Test(
    "arguments are checked when the rules are read",
    arguments: [
      ("str(x),jwt_decrypt_secret(***)", "failed to parse secret"),
      ("str(x),jwt_decrypt_jwk({})", "Missing key type"),
      ("str(x),jwt_decrypt_jwk('{\"kty\":\"OKP\"}')", "Unmanaged key type"),
      ("str(x),jwt_decrypt_jwk('{\"kty\":\"RSA\"}')", "Failed to parse RSA JWK"),
      ("str(x),jwt_decrypt_cert(site.pem)", "unknown certificate site.pem"),
      ("str(x),jwt_verify_cert(HS256,site.pem)", "HMAC-signed tokens can't be processed"),
    ])
  func arguments(expression: String, message: String) {
    #expect(evaluated(expression)?.contains(message) == true, "\(evaluated(expression) ?? "none")")
  }

  @Test("the key derivation is that of RFC 7518, appendix C")
  func derivation() throws {
    let shared: [UInt8] = [
      158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128, 106, 72,
      246, 218, 167, 121, 140, 254, 144, 196,
    ]
    let key = TokenDecryption.derive(Bytes(shared), 16, name: "A128GCM", from: "Alice", to: "Bob")
    #expect(String(decoding: Base64.encode(key, forURLs: true), as: UTF8.self) == "VqqN6vgjbSBcIijNcacQGg")
  }
}
