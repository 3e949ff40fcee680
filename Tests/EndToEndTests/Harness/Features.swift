/// Parts that the tests wait for.
enum Features {
  static let checks = true
  static let statistics = true
}
