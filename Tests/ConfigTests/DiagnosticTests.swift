import Config
import Testing

@Suite("Diagnostics")
struct DiagnosticTests {
  @Test(
    "errors say what HAProxy says",
    arguments: [
      ("global\n foo bar\n", "2: unknown keyword 'foo' in 'global' section"),
      ("global\n maxconn abc\n", "2: cannot parse 'maxconn' value 'abc', an integer is expected."),
      ("global\n daemon foo\n", "2: 'daemon' cannot handle unexpected argument 'foo'."),
      (
        "frontend f\n bind :80\n defult_backend x\n",
        "3: unknown keyword 'defult_backend' in 'frontend' section; did you mean 'default_backend' maybe ?"
      ),
      (
        "backend b\n server s 1.2.3.4:80 chek\n",
        "2: 'server b/s' : unknown keyword 'chek'; did you mean 'check' maybe ?"
      ),
      (
        "defaults d\n mode http\ndefaults d\n mode tcp\nlisten l from d\n bind :80\n",
        "5: ambiguous defaults section name 'd' exists at least at t.cfg:1 and t.cfg:3."
      ),
      ("defaults\n bind :80\n", "2: 'bind' not allowed in 'defaults' section."),
      ("defaults\n acl a src 1.1.1.1\n", "2: 'acl' not allowed in anonymous 'defaults' section."),
      (
        "frontend f\n bind :80\nfrontend f\n bind :81\n",
        "3: frontend 'f' has the same name as frontend 'f' declared at t.cfg:1."
      ),
      (
        "backend b\n server s 1.1.1.1:1\n server s 1.1.1.1:1\n",
        "3: 'server b/s' : another server named 's' was already defined at line 2, please use a distinct name."
      ),
      (
        "backend b\n server s 1.1.1.1:1 id 7\n server t 1.1.1.1:1 id 7\n",
        "3: 'server b/t' : 'id' : custom id 7 already used at t.cfg:2 ('server s')."
      ),
      (
        "frontend f\n bind :80\n server s 1.1.1.1:1\n",
        "3: 'server' not allowed because frontend 'f' has no backend capability."
      ),
      (
        "frontend f\n bind :80\n default_backend no\n",
        "3: Proxy 'f': unable to find required default_backend: 'no'."
      ),
      (
        "backend b\n timeout server 99d\n",
        "2: timer overflow in argument '99d' to 'timeout server' (maximum value is 2147483647 ms or ~24.8 days)."
      ),
      ("global\n user nobody-here\n", "2: cannot find user id for 'nobody-here'"),
      (
        "fcgi-app r\n",
        "1: section 'fcgi-app' is not supported: FastCGI is not spoken; put a server that does in between."
      ),
      (
        "resolvers r\n nameserver a 1.1.1.1:53\n nameserver a 1.1.1.2:53\n",
        "3: nameserver 'a' has same name as another nameserver (declared at t.cfg:2)."
      ),
      (
        "resolvers r\n nameserver a 1.1.1.1\nbackend b\n server s x:1 resolvers q init-addr none\n",
        "4: backend 'b', server 's': unable to find required resolvers 'q'"
      ),
      ("userlist u\n group g users x\n", "1: userlist 'u': no such user 'x' specified in group 'g'"),
      ("backend b\n guid a!\n", "2: 'guid': invalid character '!'"),
      (
        "backend b\n no mode http\n",
        "2: negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, insecure-fork-wanted and numa-cpu-mapping."
      ),
      (
        "listen l\n bind :80 ssl\n",
        "2: Proxy 'l': no SSL certificate specified for bind ':80' at [t.cfg:2] (use 'crt')."
      ),
      (
        "backend b\n errorfile 503 /none\n",
        "2: 'errorfile' : error opening file '/none' : No such file or directory."
      ),
    ] as [(String, String)])
  func errors(text: String, message: String) { #expect(Loading.errors(text) == [message]) }

  @Test(
    "warnings of old and misplaced words",
    arguments: [
      (
        "backend b\n bind :80\n", "2: 'bind' ignored because backend 'b' has no frontend capability.",
        nil
      ),
      (
        "backend b\n redispatch\n", "2: 'redispatch' is gone since 2.1: it is an option.", "option redispatch"
      ),
      (
        "backend b\n contimeout 5000\n",
        "2: the 'contimeout' directive is gone since 2.1 in favor of 'timeout connect'.",
        "timeout connect 5000"
      ),
      (
        "listen l 127.0.0.1:80\n mode tcp\n",
        "1: addresses on the line of 'listen' are gone since 1.9; use a 'bind' line.", "bind 127.0.0.1:80"
      ),
      (
        "frontend f\n bind :80\n clitimeout 5s\n",
        "3: the 'clitimeout' directive is gone since 2.1 in favor of 'timeout client'.", "timeout client 5s"
      ),
      (
        "backend b\n srvtimeout 5000\n",
        "2: the 'srvtimeout' directive is gone since 2.1 in favor of 'timeout server'.", "timeout server 5000"
      ),
      (
        "backend b\n option forceclose\n",
        "2: 'option forceclose' is gone since 2.0: 'option httpclose' does the same.", "option httpclose"
      ),
      (
        "frontend f\n bind :80\n mode http\n monitor-net 10.0.0.0/8\n", "4: 'monitor-net' is gone since 2.1.",
        "http-request return status 200 if { src 10.0.0.0/8 }"
      ),
      (
        "global\n nbproc 4\n", "2: 'nbproc' is gone since 2.5: 4 thread(s) of one process are used in its place.",
        "nbthread 4"
      ),
      (
        "backend b\n appsession SID len 32 timeout 1h\n",
        "2: 'appsession' is gone since 1.6; it runs as a stick table.",
        """
        stick-table type string len 32 size 1m expire 3600000ms
        stick store-response res.cook(SID)
        stick match req.cook(SID)
        stick match urlp(SID,;)
        """
      ),
      (
        "backend b\n option httpchk GET /up HTTP/1.1\\r\\nHost:\\ www\n",
        "2: headers behind the version of 'option httpchk' are refused since 2.9; 'http-check send' takes them.",
        "option httpchk\nhttp-check send meth GET uri /up ver HTTP/1.1 hdr Host www"
      ),
      (
        "listen l\n bind :80\n log global\n option httplog\n",
        "4: 'option httplog' not usable with proxy 'l' (needs 'mode http'). Falling back to 'option tcplog'.",
        nil
      ),
    ] as [(String, String, String?)])
  func warnings(text: String, message: String, replacement: String?) {
    let loaded = Loading.load(text)
    #expect(!loaded.diagnostics.hasErrors)
    #expect(Loading.messages(loaded, .warning) == [message])
    #expect(loaded.diagnostics.all.first { $0.replacement != nil }?.replacement == replacement)
  }

  @Test("all errors of a file are reported in one run")
  func severalErrors() {
    #expect(Loading.errors("global\n foo\n bar\nfrontend f\n bind :x\n baz\n").count == 4)
  }

  @Test("the printed form underlines the word and adds what helps")
  func printed() {
    let loaded = Loading.load("backend b\n  server s 1.2.3.4:80 chek # comment\n")
    var report = ConfigurationReport(loaded, files: ["t.cfg"])
    report.printer.processID = 42
    report.quiet = true
    #expect(
      report.check().errors == """
        [ALERT]    (42) : config : [t.cfg:2] : 'server b/s' : unknown keyword 'chek'; did you mean 'check' maybe ?
          2 |   server s 1.2.3.4:80 chek # comment
            |                       ^^^^
          expected: an option of 'server'
          did you mean: check
        [ALERT]    (42) : config : Error(s) found in configuration file : t.cfg
        [ALERT]    (42) : config : Fatal errors found in configuration.

        """)
  }

  @Test("JSON has one object a line")
  func json() {
    let loaded = Loading.load("global\n maxcon \"1\"\n")
    var report = ConfigurationReport(loaded, files: ["t.cfg"])
    report.printer.style = .json
    #expect(
      report.check().errors
        == #"{"severity":"alert","file":"t.cfg","line":2,"column":2,"length":6,"message":"unknown keyword 'maxcon' in "#
        + #"'global' section; did you mean 'maxconn' maybe ?","suggestion":"maxconn"}"# + "\n")
  }

  @Test("exit codes and last words of -c")
  func endings() {
    let good = Loading.load("defaults\n timeout client 1s\nfrontend f\n bind :80\n")
    #expect(ConfigurationReport(good, files: []).check().output == "Configuration file is valid\n")
    #expect(ConfigurationReport(good, files: []).check().status == 0)
    let idle = Loading.load("backend b\n")
    #expect(ConfigurationReport(idle, files: []).check().status == 0)
    var strict = ConfigurationReport(Loading.load("listen l\n bind :80\n"), files: [])
    strict.warningsAreFatal = true
    #expect(strict.check().status == 1)
  }

  @Test("advice that HAProxy does not give is not fatal under -dW")
  func advice() {
    let loaded = Loading.load(
      "defaults\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nlisten l\n bind :80\n server s 127.0.0.1:1 ssl\n"
    )
    var report = ConfigurationReport(loaded, files: [])
    report.warningsAreFatal = true
    #expect(report.check().status == 0)
  }
}
