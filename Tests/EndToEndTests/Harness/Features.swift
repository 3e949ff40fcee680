/// Parts that the tests wait for.
enum Features {
  static let checks = false
  static let statistics = false
}
