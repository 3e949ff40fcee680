import Base
import Config

/// The checks of protocols that HAProxy knows: sequences of the same steps that `tcp-check` lines make.
extension CheckCompiler {
  mutating func addBuiltIn() throws(RuleError) {
    switch proxy.check.kind {
    case .redis: try addRedis()
    case .tlsHello: try addTLSHello()
    case .smtp(let greeting): try addSMTP(greeting)
    case .pgsql(let user): try addPostgreSQL(user)
    case .mysql(let user, let login): addMySQL(user, login)
    case .ldap: try addLDAP()
    case .spop: addSPOP()
    case .connection, .http, .tcp, .external: break
    }
  }

  private mutating func send(_ octets: [UInt8]) { add(.send(.fixed(Bytes(octets)))) }

  private mutating func add(_ action: CheckStep.Action) {
    steps.append(CheckStep(number: steps.count + 1, action: action))
  }

  private mutating func expect(_ words: String...) throws(RuleError) {
    let list = words.map { Word($0, at: proxy.check.location) }
    var line = CheckWords(list[...], scope: scope)
    add(.expect(try expectation(&line, isHTTP: false)))
  }

  private mutating func expect(_ dialect: CheckExpectation.Dialect) {
    add(.expect(CheckExpectation(.custom(dialect))))
  }

  /// Servers of these protocols log a reset as an error.
  private mutating func connectPolitely() {
    var connection = CheckConnection()
    connection.usesServerSettings = true
    connection.lingers = true
    add(.connect(connection))
  }

  private mutating func addRedis() throws(RuleError) {
    send(Array("*1\r\n$4\r\nPING\r\n".utf8))
    try expect(
      "string", "+PONG\r\n", "error-status", "L7STS", "on-error", "%[res.payload(0,0),cut_crlf]",
      "on-success",
      "Redis server is ok")
  }

  private mutating func addTLSHello() throws(RuleError) {
    add(.send(.tlsHello))
    try expect(
      "rbinary", "^1[56]", "min-recv", "5", "ok-status", "L6OK", "error-status", "L6RSP", "tout-status",
      "L6TOUT")
  }

  private mutating func addSMTP(_ greeting: Bytes) throws(RuleError) {
    connectPolitely()
    try expect(
      "rstring", "^[0-9]{3}[ \r]", "min-recv", "4", "error-status", "L7RSP", "on-error",
      "%[res.payload(0,0),cut_crlf]")
    try expect(
      "rstring", "^2[0-9]{2}[ \r]", "min-recv", "4", "error-status", "L7STS", "on-error",
      "%[res.payload(4,0),ltrim(' '),cut_crlf]", "status-code", "res.payload(0,3)")
    send(greeting.array + [ASCII.cr, ASCII.lf])
    try expect(
      "rstring", "^(2[0-9]{2}-[^\r]*\r\n)*2[0-9]{2}[ \r]", "error-status", "L7STS", "on-error",
      "%[res.payload(4,0),ltrim(' '),cut_crlf]", "on-success", "%[res.payload(4,0),ltrim(' '),cut_crlf]",
      "status-code", "res.payload(0,3)")
    send(Array("QUIT\r\n".utf8))
    try expect(
      "rstring", "^2[0-9]{2}[- \r]", "min-recv", "4", "error-status", "L7STS", "on-error",
      "%[res.payload(4,0),ltrim(' '),cut_crlf]", "on-success", "%[res.payload(4,0),ltrim(' '),cut_crlf]",
      "status-code", "res.payload(0,3)")
  }

  /// A start-up message of protocol 3.0 with the user alone; any request for authentication is an answer.
  private mutating func addPostgreSQL(_ user: Bytes) throws(RuleError) {
    connectPolitely()
    let length = UInt32(truncatingIfNeeded: user.count + 15)
    var packet: [UInt8] = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32($0))) }
    packet += [0, 3, 0, 0] + Array("user".utf8) + [0] + user.array + [0, 0]
    send(packet)
    try expect("!rstring", "^E", "min-recv", "5", "error-status", "L7RSP", "on-error", "%[res.payload(6,0)]")
    try expect(
      "rbinary", "^52000000[A-Z0-9]{2}000000(00|02|03|04|05|06|07|09|0A)", "min-recv", "9", "error-status",
      "L7STS",
      "on-success", "PostgreSQL server is ok", "on-error", "PostgreSQL unknown error")
  }

  /// Without a user the server's greeting is all; with one, a login without password and COM_QUIT at once.
  private mutating func addMySQL(_ user: Bytes?, _ login: MySQLLogin) {
    connectPolitely()
    guard let user else { return expect(.mysqlGreeting) }
    var body: [UInt8] = []
    if login != .pre41 {
      let plugins: UInt8 = login == .post80 ? 0x08 : 0
      body += [0x00, 0x82, plugins, 0x00, 0x00, 0x80, 0x00, 0x01, 0x21] + [UInt8](repeating: 0, count: 23)
    } else {
      body += [0x00, 0x80, 0x00, 0x00, 0x01]
    }
    body += user.array + [0, 0]
    if login == .post80 { body += Array("mysql_native_password".utf8) + [0] }
    let length = UInt32(truncatingIfNeeded: body.count)
    let header = (0..<3).map { UInt8(truncatingIfNeeded: length >> (8 * UInt32($0))) } + [1]
    send(header + body + [1, 0, 0, 0, 1])
    expect(.mysqlGreeting)
    expect(.mysqlResult)
  }

  /// HAPROXY-HELLO of SPOP 2.0, which says that it is a check; the agent greets and hangs up.
  private mutating func addSPOP() {
    // Type HAPROXY-HELLO, the flag FIN, and stream and frame 0.
    var frame: [UInt8] = [1, 0, 0, 0, 1, 0, 0]
    func put(_ text: String) { frame += [UInt8(truncatingIfNeeded: text.utf8.count)] + Array(text.utf8) }
    put("supported-versions")
    frame.append(8)
    put("2.0")
    put("max-frame-size")
    frame += [3, 0xFC, 0xF0, 0x06]
    put("capabilities")
    frame += [8, 0]
    put("healthcheck")
    frame.append(0x11)
    send([0, 0, 0, UInt8(truncatingIfNeeded: frame.count)] + frame)
    expect(.spop)
  }

  /// An anonymous bind of LDAPv3.
  private mutating func addLDAP() throws(RuleError) {
    send([0x30, 0x0C, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00])
    try expect("rbinary", "^30", "min-recv", "14", "on-error", "Not LDAPv3 protocol")
    expect(.ldap)
  }
}
