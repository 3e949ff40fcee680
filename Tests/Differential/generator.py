"""Random configuration lines and requests, all out of one seeded generator.

Everything is chosen so that HAProxy 2.6 takes most of it; what it refuses is compared as a verdict too.
"""
import random

WORDS = ["alpha", "Beta", "GAMMA", "a", "", "foo.bar", "one,two,three", "x=1&y=2", "10.0.0.1", "2001:db8::1",
         "12345", "-7", "0x1f", "a b c", "/path/to/file.html", "{\"k\":\"v\",\"n\":3,\"b\":true,\"o\":{\"p\":[1,2]}}",
         "dGVzdA==", "dGVzdA", "%41%42+c%zz", "www.Example.COM:8080", "tab\tin", "q\"uote", "back\\slash",
         "en-US,en;q=0.8,fr;q=0.5", "1.5", "999999999999", "9223372036854775807", "aaa", "key:value;k2:v2",
         "..", "a/b//c", "Mon, 01 Jan 2024 10:00:00 GMT"]
NAMES = ["host", "x-a", "x-b", "x-num", "x-ip", "x-list", "x-json", "x-b64", "x-url", "x-empty", "cookie",
         "user-agent", "x-dup", "x-missing", "accept-language", "authorization", "content-type", "X-A"]
PARAMS = ["a", "b", "c", "id", "q", "missing", "A", "empty"]
COOKIES = ["sid", "lang", "t", "nope"]
DELIMS = [",", ".", "/", ";", ":", "-", " ", "=", "&", "a", "e", ",."]


def quote(text):
    """An argument of a fetch or converter as it is written between parentheses."""
    plain = all(c.isalnum() or c in "._/-:=+%@*^$[]?<>|~" for c in text) and text
    if plain:
        return text
    return "'" + text.replace("'", "") + "'"


def word(text):
    """One word of a line: double quotes with what is special escaped."""
    if text and all(c.isalnum() or c in "._/-:=+%@*?<>|~,()[]^!&;" for c in text) and not text.startswith("-"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, seq):
        return self.r.choice(seq)

    # Expressions

    def fetch(self):
        """(text, type)"""
        r = self.r
        name = self.pick(NAMES)
        occ = self.pick(["", "", ",1", ",2", ",-1", ",-2", ",5"])
        return self.pick([
            lambda: (f"req.hdr({name}{occ})", "str"),
            lambda: (f"req.fhdr({name}{occ})", "str"),
            lambda: (f"hdr({name})", "str"),
            lambda: (f"req.hdr_cnt({name})", "int"),
            lambda: (f"req.fhdr_cnt({name})", "int"),
            lambda: (f"req.hdr_val({name}{occ})", "int"),
            lambda: (f"req.hdr_ip({name}{occ})", "ip"),
            lambda: (f"req.hdr_names({quote(self.pick(DELIMS))})", "str"),
            lambda: ("path", "str"), lambda: ("url", "str"), lambda: ("query", "str"),
            lambda: ("pathq", "str"), lambda: ("base", "str"), lambda: ("baseq", "str"),
            lambda: ("base32", "int"), lambda: ("url32", "int"), lambda: ("method", "meth"),
            lambda: ("req.ver", "str"), lambda: ("url_port", "int"), lambda: ("url_ip", "ip"),
            lambda: (f"url_param({self.pick(PARAMS)})", "str"),
            lambda: (f"urlp_val({self.pick(PARAMS)})", "int"),
            lambda: (f"req.cook({self.pick(COOKIES)})", "str"),
            lambda: (f"req.cook_cnt({self.pick(COOKIES)})", "int"),
            lambda: (f"req.cook_val({self.pick(COOKIES)})", "int"),
            lambda: (f"int({self.pick([0, 1, -1, 7, 255, 65536, 4294967295, -9223372036854775808])})", "int"),
            lambda: (f"bool({self.pick(['true', 'false', '1', '0'])})", "bool"),
            lambda: (f"str({quote(self.pick(WORDS))})", "str"),
            lambda: (f"bin({r.getrandbits(8 * r.randint(1, 9)):x})".replace("(", "(0" if r.random() < 0 else "("), "bin"),
            lambda: (f"ipv4({r.randint(0, 255)}.{r.randint(0, 255)}.1.{r.randint(0, 255)})", "ip"),
            lambda: ("ipv6(2001:db8::%x)" % r.getrandbits(16), "ip6"),
            lambda: ("req.body", "bin"), lambda: ("req.body_len", "int"), lambda: ("req.body_size", "int"),
            lambda: (f"req.body_param({self.pick(PARAMS)})", "str"),
            lambda: ("src", "ip"), lambda: ("dst", "ip"), lambda: ("fe_name", "str"), lambda: ("http_first_req", "bool"),
            lambda: ("req.proto_http", "bool"), lambda: ("always_true", "bool"), lambda: ("ssl_fc", "bool"),
            lambda: ("http_auth_user", "str"), lambda: ("http_auth_pass", "str"), lambda: ("http_auth_type", "str"),
            lambda: (f"var(txn.{self.pick(['s1', 's2', 'n1', 'n2', 'none'])})", "any"),
            lambda: ("req.hdrs", "bin") if r.random() < 0.3 else ("path", "str"),
            lambda: ("capture.req.uri", "str"), lambda: ("capture.req.method", "str"), lambda: ("capture.req.ver", "str"),
        ])()

    def number(self):
        return self.pick(["0", "1", "2", "3", "7", "-1", "-3", "10", "255", "1000", "4294967296", "txn.n1", "txn.n2"])

    def converter(self, kind):
        """(text, type) of a converter that takes `kind`; None when the chain shall end."""
        r = self.r
        text = [
            lambda: ("lower", "str"), lambda: ("upper", "str"), lambda: ("length", "int"),
            lambda: (f"field({self.pick([1, 2, 3, -1, -2])},{quote(self.pick(DELIMS))}{self.pick(['', ',1', ',2', ',0'])})", "str"),
            lambda: (f"word({self.pick([1, 2, 3, -1, -2])},{quote(self.pick(DELIMS))}{self.pick(['', ',1', ',2', ',0'])})", "str"),
            lambda: (f"ltrim({quote(self.pick(['/', 'a', ' ', 'abc', '/.']))})", "str"),
            lambda: (f"rtrim({quote(self.pick(['/', 'a', ' ', 'abc', 'l']))})", "str"),
            lambda: (f"regsub({quote(self.pick(['a', '[aeiou]', '^/', 'o+', '.', '(.)(.)', '[^a-z]+', 'l$']))},"
                     f"{quote(self.pick(['', 'X', 'yy', '-']))}{self.pick(['', ',g', ',i', ',gi'])})", "str"),
            lambda: (f"concat({quote(self.pick(['<', '', '-']))},{self.pick(['txn.s1', 'txn.none', ''])},{quote(self.pick(['>', '']))})", "str"),
            lambda: ("url_dec", "str"), lambda: ("url_dec(1)", "str"), lambda: ("url_enc", "str"),
            lambda: ("b64dec", "bin"), lambda: ("ub64dec", "bin"), lambda: ("hex2i", "int"),
            lambda: (f"strcmp({self.pick(['txn.s1', 'txn.s2'])})", "int"),
            lambda: (f"json({self.pick(['', 'ascii', 'utf8', 'utf8s', 'utf8p', 'utf8ps'])})", "str"),
            lambda: (f"json_query('{self.pick(['$.k', '$.n', '$.b', '$.o.p', '$.o', '$.zz', '$.o.p[1]'])}'{self.pick(['', chr(44) + 'int'])})", "str"),
            lambda: (f"map({MAP})", "str"), lambda: (f"map_beg({MAP},none)", "str"), lambda: (f"map_sub({MAP})", "str"),
            lambda: (f"map_end({MAP},d)", "str"), lambda: (f"map_dom({MAP})", "str"), lambda: (f"map_dir({MAP})", "str"),
            lambda: ("host_only", "str"), lambda: ("port_only", "int"),
            lambda: ("cut_crlf", "str"), lambda: (f"language(en;fr;de{self.pick(['', ',xx'])})", "str"),
        ]
        binary = [
            lambda: ("hex", "str"), lambda: ("base64", "str"), lambda: ("ub64enc", "str"), lambda: ("crc32", "int"),
            lambda: ("crc32(1)", "int"), lambda: ("crc32c", "int"), lambda: ("djb2", "int"), lambda: ("sdbm(1)", "int"),
            lambda: ("wt6", "int"), lambda: ("wt6(1)", "int"), lambda: ("xxh32", "int"), lambda: ("xxh64(5)", "int"),
            lambda: ("xxh3", "int"), lambda: ("xxh3(9)", "int"),
            lambda: ("sha1", "bin"), lambda: ("sha2(384)", "bin"), lambda: ("digest(md5)", "bin"),
            lambda: ("hmac(sha256,a2V5)", "bin"),
            lambda: (f"bytes({r.randint(0, 6)}{self.pick(['', ',1', ',3', ',90'])})", "bin"),
            lambda: (f"be2dec({quote(self.pick([':', '', '--']))},{r.randint(1, 8)}{self.pick(['', ',1'])})", "str"),
            lambda: (f"be2hex({quote(self.pick([':', '']))},{r.randint(1, 5)}{self.pick(['', ',1'])})", "str"),
        ]
        integer = [
            lambda: (f"add({self.number()})", "int"), lambda: (f"sub({self.number()})", "int"),
            lambda: (f"mul({self.number()})", "int"), lambda: (f"div({self.number()})", "int"),
            lambda: (f"mod({self.number()})", "int"), lambda: (f"and({self.number()})", "int"),
            lambda: (f"or({self.number()})", "int"), lambda: (f"xor({self.number()})", "int"),
            lambda: ("cpl", "int"), lambda: ("neg", "int"), lambda: ("bool", "bool"), lambda: ("not", "bool"),
            lambda: ("odd", "bool"), lambda: ("even", "bool"), lambda: ("htonl", "bin"),
            lambda: ("http_date", "str"), lambda: ("http_date(3600)", "str"), lambda: ("utime(%Y-%m-%d)", "str"),
            lambda: (f"map_int({NUMBERS})", "str"),
        ]
        address = [lambda: (f"ipmask({r.randint(0, 32)},{r.randint(0, 128)})", "ip"), lambda: (f"map_ip({ADDRESSES})", "str")]
        choices = {
            "str": text + binary + integer[:6] + address[:1], "bin": binary + text[:4], "int": integer + text[:3],
            "bool": integer[:9] + [lambda: ("iif(yes,no)", "str")], "meth": text[:4] + binary[:1],
            "ip": address + text[:4] + binary[:2], "ip6": address + text[:4], "any": text + binary + integer,
        }[kind]
        return self.pick(choices)()

    def expression(self):
        text, kind = self.fetch()
        for _ in range(self.pick([0, 0, 1, 1, 1, 2, 2, 3, 4])):
            more, kind = self.converter(kind)
            text += "," + more
        return text, kind

    # Conditions

    def condition(self):
        parts = []
        for _ in range(self.pick([1, 1, 1, 2, 2, 3])):
            negation = self.pick(["", "", "!"])
            parts.append(f"{negation}{{ {self.criterion()} }}")
            parts.append(self.pick(["", "", "||"]))
        while parts and parts[-1] in ("", "||"):
            parts.pop()
        return f"{self.pick(['if', 'if', 'unless'])} " + " ".join(p for p in parts if p)

    def patterns(self, seq, most=3):
        return " ".join(word(self.pick(seq)) for _ in range(self.r.randint(1, most)))

    def criterion(self):
        r = self.r
        texts = [w for w in WORDS if w and "\t" not in w]
        flag = self.pick(["", "", "-i "])
        form = r.randrange(9)
        if form == 0:
            name, _ = self.pick([("path", 0), ("hdr(host)", 0), ("url", 0), ("hdr(x-a)", 0), ("base", 0), ("urlp(a)", 0), ("cook(sid)", 0)])
            head, _, tail = name.partition("(")
            suffix = self.pick(["_beg", "_end", "_sub", "_dir", "_dom"])
            return f"{head}{suffix}{'(' + tail if tail else ''} {flag}-- {self.patterns(texts + ['/path', 'www', 'exa', 'html', 'foo', 'a'])}"
        if form == 1:
            expression, kind = self.expression()
            method = self.pick(["str", "beg", "end", "sub", "dom", "dir"])
            return f"{expression} {flag}-m {method} -- {self.patterns(texts)}"
        if form == 2:
            expression, kind = self.expression()
            return f"{expression} -m found"
        if form == 3:
            expression, kind = self.pick([("req.hdr_val(x-num)", "int"), ("req.body_len", "int"), ("urlp_val(id)", "int"),
                                          ("path,length", "int"), ("req.hdr_cnt(x-dup)", "int"), ("hdr(x-list),length", "int")])
            test = self.pick([f"{self.pick(['eq', 'gt', 'ge', 'lt', 'le'])} {r.randint(-3, 30)}", f"{r.randint(0, 9)}:{r.randint(9, 60)}",
                              f"{r.randint(0, 20)}", ":5", "7:", "1 2 3 12345"])
            return f"{expression} {test}"
        if form == 4:
            expression, _ = self.pick([("src", "ip"), ("req.hdr_ip(x-ip)", "ip"), ("hdr_ip(x-ip,1)", "ip"), ("ipv4(10.1.2.3)", "ip")])
            return f"{expression} {self.pick(['10.0.0.0/8', '127.0.0.1', '0.0.0.0/0', '192.168.0.0/16 10.0.0.1', '2001:db8::/32', '::/0', '10.0.0.0/255.0.0.0'])}"
        if form == 5:
            pattern = self.pick(["^/", "[0-9]+", "^[a-z]+$", "\\.html$", "(foo|bar)", "a.*b", "^$", "x{2,3}", "[^a-z]", "^/path/(.*)", "(?i)WWW"])
            expression, kind = self.pick([("path", 0), ("hdr(host)", 0), ("url", 0), ("hdr(x-a)", 0), ("req.fhdr(x-list)", 0)])
            return f"{expression} {flag}-m reg {word(pattern)}"
        if form == 6:
            return self.pick(["METH_GET", "HTTP_1.1", "TRUE", "method GET", "method POST PUT", "always_false", "http_first_req",
                              "req.proto_http", "bool(true)", "int(3)"]) if False else self.pick(
                ["method GET", "method POST PUT", "always_false", "http_first_req", "bool(true)", "int(3)", "req.ver 1.1"])
        if form == 7:
            expression, _ = self.pick([("path", 0), ("hdr(x-a)", 0), ("hdr(host)", 0), ("urlp(a)", 0)])
            return f"{expression} -m len {self.pick(['0', '3', '1:5', 'gt 4', 'le 20'])}"
        expression, _ = self.pick([("hdr(x-b64),b64dec", 0), ("bin(616263)", 0), ("req.body", 0)])
        return f"{expression} -m bin {self.pick(['616263', '74657374', '00', '61 62'])}"

    # Log formats

    def format(self):
        parts = []
        for _ in range(self.r.randint(1, 5)):
            flags = self.pick(["", "", "", "{+Q}", "{+E}", "{+X}", "{+Q,+E}", "{-Q}"])
            if self.r.random() < 0.45:
                parts.append("%" + flags + self.pick(["HM", "HP", "HQ", "HU", "HV", "HPO", "r", "ST", "b", "s", "f", "ft", "ci", "fi", "fp",
                                                      "bi", "si", "tsc", "CC", "CS", "hr", "hs", "hrl", "hsl", "rc", "sc", "bc"]))
            else:
                expression, kind = self.expression()
                if "]" in expression:
                    continue
                parts.append("%" + flags + "[" + expression + "]")
            parts.append(self.pick([" ", "|", " - ", "", "%%", "  ", ":"]))
        return "".join(parts) or "%r"

    # Rewrites

    def value(self):
        return word(self.pick(["plain", "%[path]", "a%[req.hdr(x-a)]b", "%[method]-%[query]", "%[url,lower]", "/new%[path]", "%[src]", "x"]))

    def rewrite(self):
        r = self.r
        name = self.pick(["x-a", "x-b", "x-dup", "x-list", "x-new", "host", "cookie"])
        regex = word(self.pick(["a", "^/path(.*)", "(.*)", "[0-9]+", "o", "^(.*)/([^/]*)$", "two", ","]))
        to = word(self.pick(["X", "\\1", "/p\\1", "[\\1-\\2]", "q", "%[method]\\0", "z"]))
        return self.pick([
            lambda: f"set-header {name} {self.value()}", lambda: f"add-header {name} {self.value()}",
            lambda: f"del-header {name}", lambda: f"del-header {self.pick(['x-', 'dup', 'list', 'a'])} -m {self.pick(['beg', 'end', 'sub', 'str'])}",
            lambda: f"replace-header {name} {regex} {to}", lambda: f"replace-value {name} {regex} {to}",
            lambda: f"set-path /p%[path]", lambda: f"set-path {self.value()}", lambda: f"set-pathq {self.value()}",
            lambda: f"set-query {self.value()}", lambda: f"set-uri /u%[url]", lambda: f"set-method {self.pick(['GET', 'POST', 'FOO'])}",
            lambda: f"replace-path {regex} {to}", lambda: f"replace-pathq {regex} {to}", lambda: f"replace-uri {regex} {to}",
            lambda: "normalize-uri path-merge-slashes", lambda: "normalize-uri path-strip-dotdot", lambda: "normalize-uri path-strip-dotdot full",
            lambda: "normalize-uri path-strip-dot", lambda: "normalize-uri percent-to-uppercase", lambda: "normalize-uri percent-decode-unreserved",
            lambda: "normalize-uri query-sort-by-name", lambda: "normalize-uri fragment-strip", lambda: "normalize-uri fragment-encode",
            lambda: f"set-var(txn.s1) {self.expression()[0]}", lambda: "unset-var(txn.s1)",
            lambda: f"set-var-fmt(txn.s2) {word(self.format())}" if False else f"set-var(txn.n1) int({r.randint(0, 9)})",
        ])()

    def verdict(self):
        return self.pick([
            "deny", "deny deny_status 429", "deny status 404 content-type text/plain string nope hdr x-why %[path]",
            "return status 201 content-type text/plain lf-string %[method]:%[path]", "return status 204", "tarpit",
            "redirect location /there", "redirect prefix https://other.example code 301", "redirect scheme https code 308",
            "redirect prefix /p drop-query append-slash", "redirect location /q?%[query] code 303 set-cookie a=b",
            "allow", "auth realm here", "reject",
        ]).replace("tarpit", "deny")

    # Requests

    def request(self):
        r = self.r
        path = self.pick(["/", "/path/to/file.html", "/a//b/../c/./d", "/path", "/%41%2f%7e", "/foo.bar/baz", "/x;p=1", "/.", "/../..",
                          "/path/", "/EXAMPLE", "/a%zz", "/very/long" + "/seg" * 12])
        query = self.pick(["", "", "?a=1&b=two&c=", "?id=42&A=upper", "?a=x&a=y;b=z", "?q=%20+&empty=", "?", "?b=2&a=1&b=1&", "?a"])
        method = self.pick(["GET", "GET", "GET", "POST", "PUT", "HEAD" if r.random() < 0.2 else "DELETE", "OPTIONS"])
        head = [f"{method} {path}{query} HTTP/1.1"]
        head.append("Host: " + self.pick(["www.example.com", "WWW.Example.com:8080", "10.1.2.3", "[2001:db8::1]:80", "a.b.c.d.e", "localhost:80"]))
        body = b""
        if method in ("POST", "PUT"):
            body = self.pick([b"a=1&b=2&id=77", b"", b"abc", b'{"k":"v","n":3}', b"test", b"x" * 300])
            head.append(f"Content-Length: {len(body)}")
        for name in ["X-A", "X-B", "X-Num", "X-IP", "X-List", "X-JSON", "X-B64", "X-URL", "User-Agent", "Accept-Language"]:
            if r.random() < 0.3:
                continue
            value = {
                "X-Num": ["12", "-5", "abc", "12abc", "99999999999999999999", "+3", " 7"],
                "X-IP": ["10.0.0.1", "192.168.1.77", "2001:db8::5", "not", "10.0.0.1, 1.2.3.4", "300.1.1.1", "10.0.0.1:80"],
                "X-List": ["one, two,three", "a;b,c", "\"x,y\",z", ",,", "single"],
                "X-JSON": [w for w in WORDS if w.startswith("{")] + ['{"k":[1,2,"x"],"n":-4.5}', "{bad"],
                "X-B64": ["YWJj", "dGVzdA==", "!!!", "YWJjZA", "AAEC"],
                "X-URL": ["%41%42+c", "a%2Fb?x+y", "%zz", "plain"],
                "Accept-Language": ["en-US,en;q=0.8,fr;q=0.5", "fr", "de;q=0.1, en;q=0", "*"],
            }.get(name, [w for w in WORDS if "\t" not in w])
            head.append(f"{name}: {self.pick(value)}")
        if r.random() < 0.4:
            head += ["X-Dup: first", "X-Dup: second, third"]
        if r.random() < 0.3:
            head.append("X-Empty:")
        if r.random() < 0.5:
            head.append("Cookie: " + self.pick(["sid=abc; lang=en", "sid=1", "t=5; t=6; sid=\"q\"", "lang; sid=", "a=b;sid=77;c=d"]))
        if r.random() < 0.3:
            head.append("Authorization: " + self.pick(["Basic dXNlcjpwYXNz", "Bearer tok", "Basic !!!", "Basic dXNlcg=="]))
        return ("\r\n".join(head) + "\r\n").encode("latin-1"), body, method


MAP = "@MAP@"
NUMBERS = "@NUMBERS@"
ADDRESSES = "@ADDRESSES@"
FILES = {
    "@MAP@": "alpha first\nBeta second\n/path third\nwww fourth\n.com fifth\nexample.com sixth\nfile.html seventh\na eighth\nfoo.bar ninth\n",
    "@NUMBERS@": "0 zero\n1:5 few\n7 seven\n12:99 many\n",
    "@ADDRESSES@": "10.0.0.0/8 ten\n127.0.0.1 local\n2001:db8::/32 doc\n192.168.0.0/16 private\n",
}
