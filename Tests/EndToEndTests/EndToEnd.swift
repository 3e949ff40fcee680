import Testing

/// The built program with real clients before it and real servers behind it.
///
/// One test at a time: two cores are enough, and no test's timing depends on another's load. Every wait within a
/// test has its own bound; the time limit is for what the bounds have missed.
@Suite(.serialized, .timeLimit(.minutes(3)))
enum EndToEnd {
  /// The everyday timeouts of a site, for tests that are about something else.
  static let defaults = """
    defaults
      mode http
      timeout connect 5s
      timeout client 20s
      timeout server 20s

    """
}
