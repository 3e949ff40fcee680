/// A word in the brackets of a line of a `crt-list` (manual chapter 5.1, `crt-list`).
struct CertificateListOption: Sendable {
  /// Returns what is wrong with the value; nil when nothing is.
  typealias Apply = @Sendable (_ value: String, inout TLSPolicy, CertificatePaths) -> String?

  let name: String
  let takesValue: Bool
  let apply: Apply

  private init(_ name: String, takesValue: Bool, _ apply: @escaping Apply) {
    self.name = name
    self.takesValue = takesValue
    self.apply = apply
  }

  private static func flag(_ name: String, _ set: @escaping @Sendable (inout TLSPolicy) -> Void) -> Self {
    Self(name, takesValue: false) { _, policy, _ in
      set(&policy)
      return nil
    }
  }

  private static func text(
    _ name: String, _ set: @escaping @Sendable (inout TLSPolicy, String, CertificatePaths) -> Void
  ) -> Self {
    Self(name, takesValue: true) { value, policy, paths in
      set(&policy, value, paths)
      return nil
    }
  }

  static let table: [CertificateListOption] = [
    flag("no-alpn") { $0.alpn = [] },
    // Early data is refused, with it or without.
    flag("allow-0rtt") { _ in },
    flag("no-ca-names") { $0.hidesAuthorities = true },
    text("alpn") { policy, value, _ in policy.alpn = value.split(separator: ",").map(String.init) },
    // As on `bind` lines, where both say that they mean nothing here.
    text("npn") { _, _, _ in }, text("ktls") { _, _, _ in },
    text("ca-file") { policy, value, paths in policy.caFile = paths.authority(value) },
    text("ca-verify-file") { policy, value, paths in policy.caVerifyFile = paths.authority(value) },
    text("crl-file") { policy, value, paths in policy.crlFile = paths.authority(value) },
    text("ciphers") { policy, value, _ in policy.ciphers = value },
    text("ciphersuites") { policy, value, _ in policy.ciphersuites = value },
    text("curves") { policy, value, _ in policy.curves = value },
    text("ecdhe") { policy, value, _ in policy.curves = value },
    text("sigalgs") { policy, value, _ in policy.signatureAlgorithms = value },
    text("client-sigalgs") { policy, value, _ in policy.clientSignatureAlgorithms = value },
    version("ssl-min-ver") { $0.minimumVersion = $1 },
    version("ssl-max-ver") { $0.maximumVersion = $1 },
    Self("verify", takesValue: true) { value, policy, _ in
      switch value {
      case "none": policy.verification = .none
      case "optional": policy.verification = .optional
      case "required": policy.verification = .required
      default: return "unknown verification '\(value)'"
      }
      return nil
    },
    errors("ca-ignore-err") { $0.ignoredCAErrors = $1 },
    errors("crt-ignore-err") { $0.ignoredCertificateErrors = $1 },
    // It is the certificate's, not the policy's: `CertificateList.Entry.ocspUpdate`.
    Self("ocsp-update", takesValue: true) { value, _, _ in
      value == "on" || value == "off" ? nil : "'ocsp-update' is 'on' or 'off'"
    },
  ]

  private static func version(
    _ name: String, _ set: @escaping @Sendable (inout TLSPolicy, TLSVersion) -> Void
  ) -> Self {
    Self(name, takesValue: true) { value, policy, _ in
      // Versions that no library speaks any more mean the lowest there is.
      guard let version = value == "SSLv3" ? .tls10 : TLSVersion(keyword: value) else {
        return "unknown version '\(value)'"
      }
      set(&policy, version)
      return nil
    }
  }

  private static func errors(
    _ name: String, _ set: @escaping @Sendable (inout TLSPolicy, IgnoredErrors) -> Void
  ) -> Self {
    Self(name, takesValue: true) { value, policy, _ in
      guard let errors = IgnoredErrors(value) else { return "unknown errors '\(value)'" }
      set(&policy, errors)
      return nil
    }
  }
}
