import Base

@testable import Proxy

private let questions: [DNSQuestion] = ["www.example.test", "_http._tcp.example.test"].flatMap { text in
  DNSName(text).map { name in [.a, .aaaa, .srv].map { DNSQuestion(name: name, type: $0) } } ?? []
}

/// Answers of name servers: no octets may trap, and what is taken from them is what can be asked for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 1 else { return 0 }
  let octets = Bytes(Array(UnsafeBufferPointer(start: data + 1, count: size - 1)))
  let question = questions[Int(data[0]) % questions.count]
  if case .records(let records) = DNSAnswerParser.parse(octets.span, answering: question) {
    precondition(!records.isEmpty)
    for record in records {
      switch record {
      case .address: precondition(question.type != .srv)
      case .service(let service):
        precondition(question.type == .srv && service.target.wire.count <= DNSName.longest)
      }
    }
  }
  var position = Int(data[0])
  if let name = DNSName.read(octets.span, at: &position) {
    precondition(name.wire.count <= DNSName.longest && position <= octets.count)
  }
  return 0
}
