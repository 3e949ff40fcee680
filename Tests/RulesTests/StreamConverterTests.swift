import Base
import Config
import HTTP
import Testing

@testable import Rules

@Suite("Converters that look around")
struct StreamConverterTests {
  @Test(
    "values",
    arguments: [
      ("str(front),fe_exists", "1"), ("str(back),fe_exists", "0"), ("str(x),debug(p)", "x"),
      ("src,rfc7239_nn", "10.1.2.3"), ("str(a),rfc7239_nn", "_a"), ("src_is_local", "0"),
      ("bool(true),when(normal)", "1"),
      ("str(x),when(error)", ""), ("str(x),when(!error)", "x"), ("str(x),when(stopping)", ""),
      ("str(x),when(acl,TRUE)", "x"), ("str(x),when(!acl,TRUE)", ""),
      ("str('Sun, 06 Nov 1994 08:49:37 GMT'),date", "784111777"),
    ])
  func values(expression: String, value: String) { #expect(evaluated(expression) == value, "\(expression)") }

  @Test("a condition that is none is refused, with the one that was probably meant")
  func refusals() {
    let fixture = Fixture(["http-request set-header X %[str(x),when(errors)]"])
    #expect(fixture.messages.first?.contains("unknown condition 'errors'") == true)
  }
}
