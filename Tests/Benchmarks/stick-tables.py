#!/usr/bin/env python3
"""What stick tables cost, beside the HAProxy of this machine, in one run.

    Tests/Benchmarks/stick-tables.py [--rounds N] [--seconds S] [--threads 1,2] [--entries N]
                                     [--gatehouse PATH] [--haproxy PATH] [--only cost|instructions|memory]

cost:   CPU per request with 0, 1 and 3 tracked counters (a source address, a path and a header), for requests that go
        on to a server (a Gatehouse that answers by itself) and for those that the proxy answers by itself, which is
        the least that a request can be. Needs wrk.
instructions: the same in user instructions a request, which other work on the machine does not touch: two runs of
        different length under valgrind's callgrind, so that the start counts for nothing. Needs valgrind.
memory: a table is filled with a million sources through http-request rules (`hdr` as the key), then left to expire:
        octets an entry beyond its key and data, time to fill and to expire, and what is given back. Needs nothing but
        Python. For each proxy it takes the time to fill (a minute at most) and --expire, which must be longer.
"""
import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"{process.args[0]} does not listen")


def cpu_time(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024


RULES = [
    [],
    ["http-request track-sc0 src table t0"],
    ["http-request track-sc0 src table t0", "http-request track-sc1 path table t1",
     "http-request track-sc2 req.hdr(user-agent) table t2"],
]


def configuration(port, rules, threads, origin=None):
    lines = ["global", f"  nbthread {threads}", "  maxconn 2000", "defaults", "  mode http", "  timeout client 30s",
             "  timeout server 30s", "  timeout connect 5s", "frontend f", f"  bind 127.0.0.1:{port}"]
    lines += ["  " + rule for rule in rules]
    if origin:
        lines += ["  default_backend o", "backend o", f"  server s 127.0.0.1:{origin}"]
    else:
        lines += ["  http-request return status 200 content-type text/plain string hello"]
    lines += ["backend t0", "  stick-table type ip size 100k expire 5m store http_req_rate(10s),conn_cur",
              "backend t1", "  stick-table type string len 64 size 100k expire 5m store http_req_rate(10s)",
              "backend t2", "  stick-table type string len 128 size 100k expire 5m store http_req_cnt,bytes_out_cnt"]
    return "\n".join(lines) + "\n"


class Runs:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.proxies = {"gatehouse": args.gatehouse}
        if args.haproxy:
            self.proxies["haproxy"] = args.haproxy

    def start(self, name, text, port):
        file = os.path.join(self.folder, f"{name}.cfg")
        with open(file, "w") as f:
            f.write(text)
        process = subprocess.Popen([self.proxies[name], "-db", "-f", file], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        wait_for(port, process)
        return process

    def load(self, process, port):
        before = cpu_time(process.pid)
        out = subprocess.run(
            ["wrk", "-t", "1", "-c", "32", "-d", f"{self.args.seconds}s", f"http://127.0.0.1:{port}/path"],
            capture_output=True, text=True, check=True).stdout
        requests = int(re.search(r"(\d+) requests in", out)[1])
        return (cpu_time(process.pid) - before) / max(1, requests)

    def cost(self):
        print(f"CPU per request, medians of {self.args.rounds} rounds\n")
        print("| answered by | threads | counters | " + " | ".join(f"{name} (us)" for name in self.proxies)
              + " | each adds | ratio |")
        print("|---|---|---|" + "---|" * (len(self.proxies) + 2))
        port = free_port()
        origin = self.start("gatehouse", configuration(port, [], 1), port)
        for by, via in (("a server", port), ("the proxy", None)):
            self.cost_of(by, via)
        origin.terminate()
        origin.wait()

    def cost_of(self, by, origin):
        for threads in self.args.threads:
            running = []
            for name in self.proxies:
                for count, rules in zip((0, 1, 3), RULES):
                    port = free_port()
                    text = configuration(port, rules, threads, origin)
                    running.append((name, count, port, self.start(name, text, port)))
            figures = {}
            for round_number in range(self.args.rounds + 1):
                for name, count, port, process in running:
                    figure = self.load(process, port)
                    if round_number:
                        figures.setdefault((name, count), []).append(figure / 1000)
            for _, _, _, process in running:
                process.terminate()
                process.wait()
            median = {key: statistics.median(values) for key, values in figures.items()}
            for count in (0, 1, 3):
                added = " / ".join(
                    f"{100 * (median[name, count] / median[name, 0] - 1):+.1f} %" for name in self.proxies)
                ratio = f"{median['gatehouse', count] / median['haproxy', count]:.2f}" if self.args.haproxy else ""
                print(f"| {by} | {threads} | {count} | " + " | ".join(f"{median[name, count]:.2f}" for name in self.proxies)
                      + f" | {added} | {ratio} |", flush=True)

    def instructions(self):
        print("\nUser instructions per request, one thread\n")
        print("| counters | " + " | ".join(f"{name} | adds" for name in self.proxies) + " |")
        print("|---|" + "---|---|" * len(self.proxies))
        figures = {(name, count): self.counted(name, rules)
                   for name in self.proxies for count, rules in zip((0, 1, 3), RULES)}
        for count in (0, 1, 3):
            print(f"| {count} | " + " | ".join(
                f"{figures[name, count]:.0f} | {figures[name, count] - figures[name, 0]:+.0f}"
                for name in self.proxies) + " |", flush=True)

    def counted(self, name, rules, short=200, long=4200):
        return (self.total(name, rules, long) - self.total(name, rules, short)) / (long - short)

    def total(self, name, rules, requests):
        """All instructions of a process that serves so many requests over one connection."""
        port = free_port()
        file, out = (os.path.join(self.folder, f"{name}.{end}") for end in ("cfg", "callgrind"))
        with open(file, "w") as f:
            f.write(configuration(port, rules, 1))
        process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", self.proxies[name], "-db", "-f", file],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(port, process, 90)
        with socket.create_connection(("127.0.0.1", port)) as s:
            for _ in range(requests):
                s.sendall(b"GET /path HTTP/1.1\r\nHost: a\r\nUser-Agent: probe/1.0\r\n\r\n")
                got = b""
                while b"hello" not in got:
                    got += s.recv(65536)
        process.terminate()
        process.wait()
        with open(out) as f:
            return int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M)[1])

    def memory(self):
        entries = self.args.entries
        key, data = 4, 12 + 4
        print(f"\n{entries} entries of `type ip ... store http_req_rate(10s),http_req_cnt`"
              f" (key {key} octets, data {data})\n")
        print("| | octets an entry | beyond key and data | filled in (s) | CPU an entry (us) | expired in (s)"
              " | CPU an entry (us) | after expiry: octets an entry |")
        print("|---|---|---|---|---|---|---|---|")
        for name in self.proxies:
            port = free_port()
            stats = os.path.join(self.folder, f"{name}.sock")
            text = (f"global\n  stats socket {stats} level admin\n  nbthread 2\ndefaults\n  mode http\n"
                    "  timeout client 60s\n  timeout server 60s\n  timeout connect 5s\n"
                    f"frontend f\n  bind 127.0.0.1:{port}\n"
                    "  http-request track-sc0 hdr_ip(x-key) table t\n  http-request return status 200\n"
                    f"backend t\n  stick-table type ip size {entries * 2} expire {self.args.expire}s"
                    " store http_req_rate(10s),http_req_cnt\n")
            process = self.start(name, text, port)
            self.fill(port, 0, 1000)
            idle, cpu = resident(process.pid), cpu_time(process.pid)
            began = time.monotonic()
            self.fill(port, 1000, entries)
            filled = time.monotonic()
            full, spent = resident(process.pid), cpu_time(process.pid) - cpu
            used = self.used(stats)
            gone, expiry = self.expired(stats, process.pid, filled)
            empty = resident(process.pid)
            process.terminate()
            process.wait()
            an_entry = (full - idle) / used
            print(f"| {name} | {an_entry:.0f} | {an_entry - key - data:.0f} | {filled - began:.1f} |"
                  f" {spent / used / 1000:.2f} | {gone:.1f} | {expiry / used / 1000:.2f} |"
                  f" {(empty - idle) / used:.0f} |", flush=True)

    def expired(self, stats, pid, filled):
        """Seconds from when the last entry was due until none was left, and the CPU that going took.

        Entries go as they came, so most are gone by then. Looked at rarely: looking makes Gatehouse sweep.
        """
        due = filled + self.args.expire
        cpu = cpu_time(pid)
        time.sleep(max(0.0, due - time.monotonic()))
        limit = time.monotonic() + self.args.expire
        while self.used(stats) > 0:
            if time.monotonic() > limit:
                print(f"{self.used(stats)} entries were left", flush=True)
                break
            time.sleep(0.1)
        return time.monotonic() - due, cpu_time(pid) - cpu

    @staticmethod
    def used(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b"show table\n")
            text = b""
            while part := s.recv(65536):
                text += part
        return int(re.search(rb"used:(\d+)", text)[1])

    @staticmethod
    def fill(port, first, last):
        """One request for each address, many on their way at once over one connection."""
        with socket.create_connection(("127.0.0.1", port)) as s:
            batch = 64
            for start in range(first, last, batch):
                numbers = range(start, min(start + batch, last))
                s.sendall("".join(
                    f"GET / HTTP/1.1\r\nHost: a\r\nX-Key: 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\r\n\r\n"
                    for n in numbers).encode())
                got = b""
                while got.count(b"\r\n\r\n") < len(numbers):
                    part = s.recv(262144)
                    if not part:
                        raise SystemExit("the proxy closed its connection")
                    got += part


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--expire", type=int, default=60)
    parser.add_argument("--only", choices=("cost", "instructions", "memory"))
    parser.add_argument("--gatehouse", default=os.path.join(ROOT, ".build/release/gatehouse"))
    parser.add_argument("--haproxy", default=shutil.which("haproxy"))
    args = parser.parse_args()
    args.threads = [int(n) for n in args.threads.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(args, folder)
        if args.only in (None, "cost"):
            runs.cost()
        if args.only == "instructions" or args.only is None and shutil.which("valgrind"):
            runs.instructions()
        if args.only in (None, "memory"):
            runs.memory()


if __name__ == "__main__":
    main()
