import Base
import Config
import HTTP

/// `option forwardfor` or `option originalto` of one proxy, ready for requests.
final class ForwardedAddress: Sendable {
  let name: FieldName
  let ifNone: Bool
  private let exceptions: [Subnet]

  /// nil without the option.
  init?(_ option: ForwardFor?) {
    guard let option else { return nil }
    name = FieldName(option.headerName)
    ifNone = option.ifNone
    exceptions = option.except.compactMap { Subnet($0) }
  }

  /// `except`
  func excludes(_ address: IPAddress) -> Bool {
    !exceptions.isEmpty && exceptions.contains { $0.contains(address) }
  }
}
