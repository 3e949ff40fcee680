import Base

/// Messages of peers: no octets may trap, and what comes in pieces is what comes whole.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let octets = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let cut = Int(data[0]) % octets.count
  let whole = messages([octets])
  precondition(messages([Array(octets[..<cut]), Array(octets[cut...])]) == whole)
  var definition: PeerTableDefinition?
  var texts: [Bytes?] = []
  for case .message(_, let type, let body) in whole {
    if type == PeerWire.Table.define.rawValue { definition = PeerTableDefinition(body) ?? definition }
    guard let kind = PeerWire.Table(rawValue: type), let definition else { continue }
    _ = PeerUpdate(body, kind, definition, &texts)
  }
  return 0
}

private func messages(_ pieces: [[UInt8]]) -> [PeerReader.Item] {
  var reader = PeerReader()
  var items: [PeerReader.Item] = []
  for piece in pieces {
    piece.withUnsafeBytes { reader.feed($0) }
    while true {
      let item = reader.message()
      if item == .needMore { break }
      items.append(item)
      if item == .tooLong { return items }
    }
  }
  return items
}
