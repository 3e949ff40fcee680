#!/usr/bin/env python3
"""Runs random rules through a reference HAProxy and through the gateway, and compares what comes of them.

    differential.py --gateway BIN [--reference haproxy] [--seed 1] [--cases 10000] [--report FILE]

A case is one generated expression, condition, log format or set of rewriting rules; each is run with several
generated requests. Both programs get the same configuration (many cases in one process), the same requests on
one connection each, and are compared by: which lines they refuse, the responses, the log lines. README.md beside
this file lists the differences that have an explanation; `explained` below recognises them.
"""
import argparse, os, re, shutil, socket, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from generator import FILES, Generator, word

REQUESTS = 4


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def header(log_port):
    return ["global", "  expose-experimental-directives", "  tune.bufsize 131072", "  tune.http.maxhdr 2000", "  tune.http.logurilen 4096",
            f"  log 127.0.0.1:{log_port} len 65535 format raw local0", "defaults", "  mode http", "  log global", "  option httplog",
            "  option http-buffer-request", "  timeout client 10s", "  timeout server 10s", "  timeout connect 5s",
            "  timeout tarpit 10ms", ""]


def fixed(port):
    return ["frontend fe", f"  bind 127.0.0.1:{port}", "  http-request set-var(txn.s1) str(alpha)",
            "  http-request set-var(txn.s2) str(www)", "  http-request set-var(txn.n1) int(3)",
            "  http-request set-var(txn.n2) int(-2)"]


class Batch:
    """One configuration: `lines` of (text, case number or None)."""

    def __init__(self, kind, generator, count):
        self.kind = kind
        self.cases = []
        g = generator
        if kind == "expression":
            for n in range(count):
                text, type_ = g.expression()
                show = "var(txn.v%d),hex" % n if type_ in ("str", "bin") else "var(txn.v%d)" % n
                self.cases.append((text, [f"  http-request set-var(txn.v{n}) {word(text)}",
                                          f"  http-after-response set-header x-r{n} %[{show}]"]))
        elif kind == "condition":
            for n in range(count):
                text = g.condition()
                self.cases.append((text, [f"  http-request set-var(txn.v{n}) int(1) {text}",
                                          f"  http-after-response set-header x-r{n} %[var(txn.v{n})]"]))
        elif kind == "format":
            for n in range(count):
                text = g.format()
                self.cases.append((text, [f"frontend f{n}", "  bind 127.0.0.1:@PORT%d@" % n, f"  log-format {word('c%d ' % n + text)}",
                                          "  http-request set-var(txn.s1) str(alpha)", "  http-request set-var(txn.n1) int(3)",
                                          "  http-request capture req.hdr(x-a) len 20",
                                          "  http-request return status 200 hdr x-f ok"]))
        else:
            for n in range(count):
                rules = [g.rewrite() for _ in range(g.r.randint(1, 4))]
                lines = [f"backend b{n}"]
                for rule in rules:
                    lines.append("  http-request " + rule + (" " + g.condition() if g.r.random() < 0.2 else ""))
                if g.r.random() < 0.35:
                    verdict = g.verdict()
                    lines.append("  http-request " + verdict + " " + g.condition())
                lines.append("  http-request return status 200 hdr x-m %[method,hex] hdr x-u %[url,hex] hdr x-h %[req.hdrs,hex] "
                             "hdr x-s %[var(txn.s1)]")
                self.cases.append(("; ".join(line.strip()[13:] for line in lines[1:-1]), lines))

    def render(self, port, log_port, ports, directory, dropped=()):
        lines, owner = header(log_port), {}
        if self.kind in ("expression", "condition"):
            lines += fixed(port)
            for n, (_, own) in enumerate(self.cases):
                for text in own:
                    if n not in dropped:
                        lines.append(text)
                        owner[len(lines)] = n
            lines.append("  http-request return status 200 content-type text/plain string ok")
        elif self.kind == "format":
            for n, (_, own) in enumerate(self.cases):
                if n in dropped:
                    continue
                for text in own:
                    lines.append(text.replace("@PORT%d@" % n, str(ports[n])))
                    owner[len(lines)] = n
        else:
            lines += fixed(port) + ["  use_backend b%[req.hdr(x-case)]"]
            for n, (_, own) in enumerate(self.cases):
                for text in own:
                    if n not in dropped:
                        lines.append(text)
                        owner[len(lines)] = n
        text = "\n".join(lines) + "\n"
        for name in FILES:
            text = text.replace(name, os.path.join(directory, name.strip("@").lower()))
        return text, owner


class Program:
    def __init__(self, name, binary, directory):
        self.name, self.binary, self.directory = name, binary, directory
        self.process = None

    def refused(self, path, owner):
        """The cases whose lines the program refuses."""
        result = subprocess.run([self.binary, "-c", "-f", path], capture_output=True, text=True, errors="replace")
        bad = {}
        for line in result.stderr.splitlines():
            m = re.search(r"\[%s:(\d+)\]" % re.escape(path), line)
            if m and "[ALERT]" in line and int(m.group(1)) in owner:
                bad.setdefault(owner[int(m.group(1))], line)
        return bad, result

    def start(self, path):
        self.process = subprocess.Popen([self.binary, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process.stderr.close()


class Client:
    def __init__(self, port):
        self.port = port
        self.socket = None
        self.buffer = b""

    def send(self, data, is_head):
        for attempt in range(40):
            try:
                if not self.socket:
                    self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                    self.buffer = b""
                self.socket.sendall(data)
                return self.receive(is_head)
            except (ConnectionRefusedError, BrokenPipeError):
                self.socket = None
                time.sleep(0.05)
            except (ConnectionResetError, TimeoutError) as error:
                self.close()
                return ("closed", "", b"")
        return ("unreachable", "", b"")

    def receive(self, is_head):
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(1 << 20)
            if not more:
                self.close()
                return ("closed", "", self.buffer)
            self.buffer += more
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        length = re.search(rb"content-length: *(\d+)", head, re.I)
        length = int(length.group(1)) if length and not is_head else 0
        while len(self.buffer) < length:
            more = self.socket.recv(1 << 20)
            if not more:
                break
            self.buffer += more
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        lines = head.decode("latin-1").split("\r\n")
        if re.search(r"\nconnection: *close", head.decode("latin-1"), re.I):
            self.close()
        return (lines[0], sorted(lines[1:]), body)

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.buffer = None, b""


# Differences that are meant to be: a name (a heading of README.md) and what recognises a case by its text.
EXPLAINED = [
    ("dates before 1970 and after 9999", r"(http_date|utime|ltime)"),
    ("padding in base64 for URLs is octets", r"ub64dec"),
    ("blanks in targets are encoded", r"(set|replace)-(path|pathq|query|uri) .*(req\.hdr|url_dec|\\\\|%\[)"),
    ("the request's buffer is gone when logs are written", r"^(?!.*http-request).*%\S*\[req\.proto_http"),
    ("normalizers with an optional argument and a condition",
     r"normalize-uri (percent-to-uppercase|percent-decode-unreserved|path-strip-dotdot) (if|unless)"),
]


def explanation(text, ours, newer):
    if newer is not None and newer == ours:
        return "a newer HAProxy does the same"
    for name, pattern in EXPLAINED:
        if re.search(pattern, text):
            return name
    return None


class Run:
    def __init__(self, options):
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="differential-")
        for name, text in FILES.items():
            with open(os.path.join(self.directory, name.strip("@").lower()), "w") as f:
                f.write(text)
        self.generator = Generator(options.seed)
        self.reference = Program("reference", options.reference, self.directory)
        self.gateway = Program("gateway", options.gateway, self.directory)
        self.programs = [self.reference, self.gateway]
        if options.newer:
            self.programs.append(Program("newer", options.newer, self.directory))
        self.done = self.checks = self.refused = 0
        self.reasons = {}
        self.differences = []

    def differ(self, kind, case, request, ours, theirs, newer=None):
        reason = explanation(case, ours, newer)
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            return
        self.differences.append((kind, case, request, ours, theirs))

    def write(self, batch, dropped):
        """The configuration of both, which differ in their ports only."""
        paths = []
        for program in self.programs:
            program.port = free_port()
            program.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            program.log.bind(("127.0.0.1", 0))
            program.log.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            program.ports = [free_port() for _ in batch.cases] if batch.kind == "format" else []
            text, owner = batch.render(program.port, program.log.getsockname()[1], program.ports, self.directory, dropped)
            path = os.path.join(self.directory, program.name + ".cfg")
            with open(path, "w") as f:
                f.write(text)
            paths.append((program, path, owner))
        return paths

    def refuses_alone(self, batch, n, program):
        """Some mistakes keep HAProxy from telling of others: the case by itself decides."""
        others = {m for m in range(len(batch.cases)) if m != n}
        ports = [free_port() for _ in batch.cases] if batch.kind == "format" else []
        text, owner = batch.render(free_port(), 9, ports, self.directory, others)
        path = os.path.join(self.directory, "alone.cfg")
        with open(path, "w") as f:
            f.write(text)
        return program.refused(path, owner)[1].returncode != 0

    def batch(self, kind, count):
        batch = Batch(kind, self.generator, count)
        dropped = set()
        for _ in range(8):
            paths = self.write(batch, dropped)
            verdicts = []
            for program, path, owner in paths:
                bad, result = program.refused(path, owner)
                verdicts.append((bad, result))
            theirs, ours = verdicts[0][0], verdicts[1][0]
            newer = verdicts[2][0] if len(verdicts) > 2 else None
            for n in set(theirs) ^ set(ours):
                if self.refuses_alone(batch, n, self.gateway if n in theirs else self.reference):
                    continue
                say = lambda bad: "refused" if n in bad else "accepted"
                if say(ours) == "refused" and not (newer is not None and n in newer):
                    self.differ("refusal", batch.cases[n][0], b"", ours[n], "accepted")
                else:
                    self.differ("refusal", batch.cases[n][0], theirs.get(n, "").encode(), say(ours), say(theirs),
                                say(newer) if newer is not None else None)
            bad = set().union(*[v[0] for v in verdicts])
            if not bad:
                break
            self.refused += len(bad)
            dropped |= bad
            for program, _, _ in paths:
                program.log.close()
        for (program, _, _), (_, result) in zip(paths, verdicts):
            if result.returncode != 0:
                print("refused as a whole by", program.name, result.stderr[-2000:], file=sys.stderr)
                return
        live = [n for n in range(len(batch.cases)) if n not in dropped]
        requests = [self.generator.request() for _ in range(REQUESTS)]
        answers = []
        for program, path, _ in paths:
            program.start(path)
        try:
            for program, path, _ in paths:
                answers.append(self.talk(program, batch, live, requests))
        finally:
            for program, _, _ in paths:
                program.stop()
                program.log.close()
        self.done += len(live)
        self.compare(batch, live, requests, *answers)
        if self.options.keep and self.differences:
            shutil.copy(paths[1][1], self.options.keep)

    def talk(self, program, batch, live, requests):
        client = Client(program.port)
        out = {}
        if batch.kind in ("expression", "condition"):
            for i, (head, body, method) in enumerate(requests):
                out[i] = client.send(head + b"\r\n" + body, method == "HEAD")
        elif batch.kind == "format":
            for n in live:
                own = Client(program.ports[n])
                for i, (head, body, method) in enumerate(requests):
                    own.send(head + b"\r\n" + body, method == "HEAD")
                    program.log.settimeout(10)
                    # A line that came too late for its own case is passed over.
                    line = "no line"
                    try:
                        while not line.startswith("c%d " % n):
                            line = program.log.recv(1 << 16).decode("latin-1")
                    except TimeoutError:
                        line = "no line"
                    out[n, i] = line.replace(":%d" % program.ports[n], ":PORT").replace(str(program.ports[n]), "PORT").replace("%X" % program.ports[n], "PORT")
                own.close()
        else:
            for n in live:
                for i, (head, body, method) in enumerate(requests):
                    out[n, i] = client.send(head + b"X-Case: %d\r\n\r\n" % n + body, method == "HEAD")
        client.close()
        return out

    def compare(self, batch, live, requests, theirs, ours, newer=None):
        for i, (head, body, method) in enumerate(requests):
            if batch.kind in ("expression", "condition"):
                self.compare_headers(batch, live, head + body, theirs[i], ours[i], newer[i] if newer else None)
                continue
            for n in live:
                self.checks += 1
                if theirs[n, i] != ours[n, i]:
                    self.differ(batch.kind, batch.cases[n][0], head + body, ours[n, i], theirs[n, i],
                                newer[n, i] if newer else None)

    def compare_headers(self, batch, live, request, theirs, ours, newer):
        if theirs[0] != ours[0] or theirs[2] != ours[2]:
            self.differ(batch.kind, "the response as a whole", request, (ours[0], ours[2]), (theirs[0], theirs[2]),
                        newer and (newer[0], newer[2]))
            return
        sides = [dict(h.split(":", 1) for h in side[1]) if side and side[1] else None for side in (theirs, ours, newer)]
        for n in live:
            self.checks += 1
            a, b, c = ((side or {}).get("x-r%d" % n, "").strip() for side in sides)
            if a != b:
                self.differ(batch.kind, batch.cases[n][0], request, b, a, c if sides[2] else None)

    def all(self):
        kinds = [("expression", 100), ("condition", 100), ("expression", 100), ("rewrite", 60), ("format", 40)]
        position = 0
        while self.done < self.options.cases:
            kind, count = kinds[position % len(kinds)]
            if self.options.only and kind != self.options.only:
                position += 1
                continue
            self.batch(kind, count)
            position += 1
        shutil.rmtree(self.directory)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gateway", required=True)
    p.add_argument("--reference", default="haproxy")
    p.add_argument("--newer", help="a newer HAProxy: differences in which it sides with the gateway are explained")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--cases", type=int, default=10000)
    p.add_argument("--only", help="expression, condition, rewrite or format")
    p.add_argument("--keep", help="keep the last configuration with a difference here")
    p.add_argument("--most", type=int, default=40, help="differences to print")
    options = p.parse_args()
    run = Run(options)
    run.all()
    for kind, case, request, ours, theirs in run.differences[:options.most]:
        print(f"--- {kind}: {case}")
        if request:
            print("    request:", request)
        print("    gateway:  ", repr(ours)[:1500])
        print("    reference:", repr(theirs)[:1500])
    print(f"seed {options.seed}: {run.done} cases, {run.checks} comparisons, {run.refused} refused by both or one, "
          f"{len(run.differences)} differences without explanation")
    for reason, count in sorted(run.reasons.items()):
        print(f"  explained, {count} times: {reason}")
    return 1 if run.differences else 0


if __name__ == "__main__":
    sys.exit(main())
