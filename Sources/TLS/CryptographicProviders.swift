import COpenSSL

/// Names of the providers that the TLS library has loaded (provider(7)), in its order.
public func cryptographicProviders() -> [String] {
  var names: [String] = []
  withUnsafeMutablePointer(to: &names) { names in
    _ = OSSL_PROVIDER_do_all(
      nil,
      { provider, names in
        guard let provider, let name = OSSL_PROVIDER_get0_name(provider) else { return 1 }
        names?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
        return 1
      }, names)
  }
  return names
}
