import Config
import Proxy
import Rules
import TLS

/// `-dK`: what each layer knows, in the shape of HAProxy's listing.
enum KeywordDump {
  static func text(_ classes: [String]) -> String {
    if classes == ["markdown"] { return KeywordReference.text }
    return Config.KeywordListing.text(
      classes: classes, actions: Rules.KeywordListing.actions, listOptions: CertificateList.optionWords,
      others: [
        .init("acl", "ACL keywords", Rules.KeywordListing.aclKeywords),
        .init("cli", "CLI keywords", CommandListing.lines),
        .init("cnv", "sample converter functions", Rules.KeywordListing.converters),
        .init("flt", "filter names", Config.KeywordListing.filters),
        .init("smp", "sample fetch functions", Rules.KeywordListing.fetches),
        .init("svc", "service names", Rules.KeywordListing.services),
      ])
  }
}
