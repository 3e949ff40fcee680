import COpenSSL

/// The list of signed certificate timestamps that a context's certificate is sent with to clients that ask (RFC 6962
/// section 3.3.1); owns the octets that the library points to.
final class SignedTimestamps: @unchecked Sendable {
  private let octets: UnsafeMutableBufferPointer<UInt8>
  private static let type = UInt32(TLSEXT_TYPE_signed_certificate_timestamp)

  init(_ list: [UInt8], in context: OpaquePointer) {
    octets = .allocate(capacity: list.count)
    _ = octets.initialize(from: list)
    let flags = UInt32(SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO | SSL_EXT_TLS1_3_CERTIFICATE)
    _ = SSL_CTX_add_custom_ext(
      context, SignedTimestamps.type, flags, SignedTimestamps.send, nil, Unmanaged.passUnretained(self).toOpaque(),
      SignedTimestamps.take, nil)
  }

  deinit { octets.deallocate() }

  private static let send:
    @convention(c) (
      OpaquePointer?, UInt32, UInt32, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<Int>?,
      OpaquePointer?, Int, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?
    ) -> Int32 = { _, _, context, out, length, _, place, _, owner in
      // Of the chain only the certificate itself has timestamps.
      guard let out, let length, let owner, context & UInt32(SSL_EXT_TLS1_3_CERTIFICATE) == 0 || place == 0 else {
        return 0
      }
      let octets = Unmanaged<SignedTimestamps>.fromOpaque(owner).takeUnretainedValue().octets
      out.pointee = UnsafePointer(octets.baseAddress)
      length.pointee = octets.count
      return 1
    }

  private static let take:
    @convention(c) (
      OpaquePointer?, UInt32, UInt32, UnsafePointer<UInt8>?, Int, OpaquePointer?, Int, UnsafeMutablePointer<Int32>?,
      UnsafeMutableRawPointer?
    ) -> Int32 = { _, _, _, _, _, _, _, _, _ in 1 }
}
