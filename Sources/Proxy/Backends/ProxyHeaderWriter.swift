import Base
import Config
import NetIO
import Rules

/// The PROXY header that `send-proxy` and `send-proxy-v2` put before a server connection.
enum ProxyHeaderWriter {
  static func header(_ version: ProxyVersion, _ stream: Stream, _ server: Server) -> [UInt8] {
    let settings = server.settings
    let facts = stream.context.connection
    let (source, destination) = (stream.context.source, stream.context.destination)
    switch version {
    case .v1: return ProxyProtocol.encodeV1(source: source, destination: destination)
    case .v2:
      var tlvs: [ProxyProtocol.TLV] = []
      let wanted = Set(settings.proxyV2Options)
      if wanted.contains("authority"), let name = facts.tls?.serverName {
        tlvs.append(ProxyProtocol.TLV(ProxyProtocol.TLV.authority, name))
      }
      for tlv in server.expressions.tlvs {
        tlvs.append(ProxyProtocol.TLV(tlv.type, Bytes(tlv.value?.rendered(stream.context) ?? [])))
      }
      if wanted.contains("unique-id"), !stream.context.log.uniqueID.isEmpty {
        tlvs.append(ProxyProtocol.TLV(ProxyProtocol.TLV.uniqueID, stream.context.log.uniqueID))
      }
      if let tls = facts.tls, !wanted.isDisjoint(with: ["ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key"]) {
        tlvs.append(sslTLV(tls, wanted))
      }
      return ProxyProtocol.encodeV2(
        source: source, destination: destination, tlvs: tlvs, checksum: wanted.contains("crc32c"))
    }
  }

  private static func sslTLV(_ tls: TLSFacts, _ wanted: Set<String>) -> ProxyProtocol.TLV {
    var inner = [ProxyProtocol.TLV(ProxyProtocol.TLV.sslVersion, tls.version)]
    if wanted.contains("cert-cn"), let name = tls.clientCertificate?.subject.first(where: { $0.name == "CN" })?.value {
      inner.append(ProxyProtocol.TLV(ProxyProtocol.TLV.sslCN, name))
    }
    if wanted.contains("ssl-cipher") { inner.append(ProxyProtocol.TLV(ProxyProtocol.TLV.sslCipher, tls.cipher)) }
    if wanted.contains("cert-sig"), let name = tls.localCertificate?.signatureAlgorithm {
      inner.append(ProxyProtocol.TLV(ProxyProtocol.TLV.sslSignatureAlgorithm, name))
    }
    if wanted.contains("cert-key"), let name = tls.localCertificate?.keyAlgorithm {
      inner.append(ProxyProtocol.TLV(ProxyProtocol.TLV.sslKeyAlgorithm, name))
    }
    let hasCertificate = tls.hasClientCertificate
    return ProxyProtocol.sslTLV(
      hasCertificate: hasCertificate, verifyResult: UInt32(truncatingIfNeeded: tls.verifyResult), inner: inner)
  }
}
