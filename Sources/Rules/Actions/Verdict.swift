public import Base

/// How the evaluation of a rule set ended.
public enum Verdict: Sendable {
  /// The rules are exhausted, or one of them allowed the stream.
  case next
  /// Answer with `reply`, or with the proxy's own page for `status` when there is none.
  case deny(status: Int, Reply?)
  /// The same after the tarpit timeout.
  case tarpit(status: Int, Reply?)
  /// A final answer that is no refusal: `return`, `redirect`, `auth`.
  case reply(Reply)
  /// Close without an answer.
  case reject
  /// Vanish without a FIN or RST towards the client.
  case silentDrop
  /// Content rules wait for more octets, `wait_end` or the inspection delay; resume at the index given back.
  case needMoreData
  /// `wait-for-body`: resume when the body is complete, `atLeast` octets are there (0: all of it), or time is over.
  case waitForBody(timeout: Timespan, atLeast: Int)
  case waitForHandshake
  /// `pause`: resume after so long.
  case pause(Timespan)
  /// `do-resolve`: resume when the owner has given the query its address, or knows that there is none.
  case resolve(NameQuery)
  /// `use-service`.
  case service(String)
  /// `cache-use`, with the index of the section; evaluation goes on when the cache has nothing.
  case serveFromCache(Int, allowsHints: Bool)
  /// `cache-store`; evaluation goes on.
  case storeInCache(Int)
  /// `tcp-response content close`.
  case close
  /// `switch-mode http`: the connection carries HTTP from here on, with `proto` in that version. A stream of HTTP goes
  /// on as after `accept`.
  case switchToHTTP(proto: String?)
  /// A rewrite did not fit into the message's buffer (`strict-mode`).
  case rewriteFailed
  /// `expect-proxy layer4` (false) and `expect-netscaler-cip layer4` (true).
  case expectProxy(netscaler: Bool)

  /// The rule is asked again when the rules go on.
  var isRepeated: Bool {
    switch self {
    case .needMoreData, .waitForHandshake: true
    default: false
    }
  }

  /// The rules go on later.
  var waits: Bool {
    switch self {
    case .needMoreData, .waitForBody, .waitForHandshake, .resolve: true
    default: false
    }
  }
}
