/// What the codes of health checks mean (management.txt chapter 9.1, `check_status`).
enum CheckNames {
  static func description(of code: String) -> String {
    descriptions.first { $0.code == code }?.text ?? ""
  }

  /// The number that `show servers state` has for a code.
  static func number(of code: String) -> Int {
    descriptions.first { $0.code == code }?.number ?? 0
  }

  /// The codes that a finished check can have.
  static let outcomes: [String] = descriptions.filter { $0.number >= 4 }.map(\.code)

  static func isSuccess(_ code: String) -> Bool { code.hasSuffix("OK") || code == "L7OKC" }

  private static let descriptions: [(code: String, number: Int, text: String)] = [
    ("UNK", 0, "Unknown"), ("INI", 1, "Initializing"), ("CHECKED", 2, "No status change"),
    ("HANA", 4, "Health analyze"), ("SOCKERR", 5, "Socket error"), ("L4OK", 6, "Layer4 check passed"),
    ("L4TOUT", 7, "Layer4 timeout"), ("L4CON", 8, "Layer4 connection problem"),
    ("L6OK", 9, "Layer6 check passed"), ("L6TOUT", 10, "Layer6 timeout"),
    ("L6RSP", 11, "Layer6 invalid response"), ("L7TOUT", 12, "Layer7 timeout"),
    ("L7RSP", 13, "Layer7 invalid response"), ("L7OK", 15, "Layer7 check passed"),
    ("L7OKC", 16, "Layer7 check conditionally passed"), ("L7STS", 17, "Layer7 wrong status"),
    ("PROCERR", 18, "External check error"), ("PROCTOUT", 19, "External check timeout"),
    ("PROCOK", 20, "External check passed"),
  ]
}
