import Config
import Rules

/// `-dK`: what each layer knows.
enum KeywordDump {
  static func text(_ classes: [String]) -> String {
    if classes == ["markdown"] { return KeywordReference.text }
    return Config.KeywordListing.text(
      classes: classes,
      others: [
        .init("acl", "ACL keywords", Rules.KeywordListing.aclKeywords),
        .init("act", "action keywords", Rules.KeywordListing.actions),
        .init("cnv", "sample converter functions", Rules.KeywordListing.converters),
        .init("smp", "sample fetch functions", Rules.KeywordListing.fetches),
      ])
  }
}
