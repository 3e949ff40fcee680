#!/usr/bin/env python3
"""CPU per request of Gatehouse beside the HAProxy and nginx of this machine, in one run.

    Tests/Benchmarks/run.py [--rounds N] [--seconds S] [--only NAME,...] [--gatehouse PATH] [--haproxy PATH]

Needs wrk, h2load (nghttp2-client), nginx (the origin, and a peer), openssl; haproxy if it shall be compared.
Every proxy gets one thread and the same work: HAProxy's configuration is Gatehouse's. All proxies of a round take
turns, so that what the machine does besides hits all alike; the figure to look at is the ratio.
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


def wait_for(port, process):
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"{process.args[0]} does not listen")


def cpu_time(pid):
    """Nanoseconds on a CPU of all threads of a process and its children."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
        with open(f"/proc/{pid}/task/{task}/children") as f:
            total += sum(cpu_time(child) for child in f.read().split())
    return total


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        text = f.read()
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        children = f.read().split()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) + sum(resident(c) for c in children)


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder, self.running = args, folder, []
        self.ports = {name: free_port() for name in ("origin",)}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def start(self, command, port):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.running.append(process)
        wait_for(port, process)
        return process

    def stop(self):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()

    NGINX = """daemon off; {processes} pid {folder}/{name}.pid; error_log {folder}/{name}.log crit; worker_processes 1;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; {body} }}
"""

    def nginx(self, name, body, port):
        text = self.NGINX.format(folder=self.folder, name=name, body=body, processes="master_process off;")
        return self.start(["nginx", "-e", self.path(name + ".log"), "-c", self.write(name + ".conf", text)], port)

    def prepare(self):
        os.makedirs(self.path("www"))
        with open(self.path("www/1m"), "wb") as f:
            f.write(os.urandom(1 << 20))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=localhost", "-keyout", self.path("key"), "-out", self.path("crt")],
            check=True, capture_output=True)
        with open(self.path("pem"), "w") as out:
            for part in ("crt", "key"):
                with open(self.path(part)) as f:
                    out.write(f.read())
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("pem"), 0o644)
        origin = self.ports["origin"]
        self.nginx(
            "origin",
            f"server {{ listen 127.0.0.1:{origin} backlog=4096; root {self.path('www')};"
            f" location = /small {{ default_type text/plain; return 200 \"{'x' * 128}\"; }} }}", origin)

    def haproxy_language(self, ports):
        return f"""global
  nbthread 1
  maxconn 2000
defaults
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
listen clear
  mode http
  bind 127.0.0.1:{ports['clear']}
  option forwardfor
  server o 127.0.0.1:{self.ports['origin']}
listen tls
  mode http
  bind 127.0.0.1:{ports['tls']} ssl crt {self.path('pem')} alpn h2,http/1.1
  option forwardfor
  server o 127.0.0.1:{self.ports['origin']}
listen tcp
  mode tcp
  bind 127.0.0.1:{ports['tcp']}
  server o 127.0.0.1:{self.ports['origin']}
"""

    def nginx_language(self, ports):
        proxy = """location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header X-Forwarded-For $remote_addr; proxy_buffering on; proxy_max_temp_file_size 0;
proxy_request_buffering off; }"""
        return (
            f"upstream o {{ server 127.0.0.1:{self.ports['origin']}; keepalive 256; keepalive_requests 1000000000; }}"
            f" server {{ listen 127.0.0.1:{ports['clear']}; {proxy} }}"
            f" server {{ listen 127.0.0.1:{ports['tls']} ssl http2; ssl_certificate {self.path('crt')};"
            f" ssl_certificate_key {self.path('key')}; {proxy} }}")

    def peers(self):
        found = []
        for name, binary in (("gatehouse", self.args.gatehouse), ("haproxy", self.args.haproxy)):
            if not binary:
                continue
            binary = os.path.abspath(binary)
            ports = {kind: free_port() for kind in ("clear", "tls", "tcp")}
            file = self.write(name + ".cfg", self.haproxy_language(ports))
            process = self.start([binary, "-db", "-f", file], ports["clear"])
            found.append((name, process.pid, ports))
        ports = {kind: free_port() for kind in ("clear", "tls")}
        process = self.nginx("peer", self.nginx_language(ports), ports["clear"])
        found.append(("nginx", process.pid, ports))
        return found

    # One run of a generator: how many requests it had answered.
    def wrk(self, scheme, port, path, connections, close=False):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{self.args.seconds}s", f"{scheme}://127.0.0.1:{port}{path}"]
        if close:
            command[1:1] = ["-H", "Connection: close"]
        text = subprocess.run(command, capture_output=True, text=True, timeout=self.args.seconds + 30).stdout
        if "Non-2xx" in text or re.search(r"Socket errors: connect [1-9]", text):
            raise SystemExit(text)
        return int(re.search(r"(\d+) requests in", text)[1])

    def h2load(self, port, path, connections, streams):
        text = subprocess.run(
            ["h2load", f"-c{connections}", f"-m{streams}", "-t1", "-D", str(self.args.seconds), "--warm-up-time", "0",
             f"https://127.0.0.1:{port}{path}"],
            capture_output=True, text=True, timeout=self.args.seconds + 30).stdout
        found = re.search(r"(\d+) succeeded, (\d+) failed", text)
        if not found or int(found[2]):
            raise SystemExit(text)
        return int(found[1])

    SCENARIOS = {
        "h1-small": ("clear", lambda b, p: b.wrk("http", p, "/small", 64)),
        "h1-close": ("clear", lambda b, p: b.wrk("http", p, "/small", 32, close=True)),
        "h1-1m": ("clear", lambda b, p: b.wrk("http", p, "/1m", 8)),
        "tls-small": ("tls", lambda b, p: b.wrk("https", p, "/small", 64)),
        "tls-1m": ("tls", lambda b, p: b.wrk("https", p, "/1m", 8)),
        "h2-1x100": ("tls", lambda b, p: b.h2load(p, "/small", 1, 100)),
        "h2-50x10": ("tls", lambda b, p: b.h2load(p, "/small", 50, 10)),
        "tcp-small": ("tcp", lambda b, p: b.wrk("http", p, "/small", 64)),
        "tcp-bulk": ("tcp", lambda b, p: b.wrk("http", p, "/1m", 8)),
    }

    def run(self):
        self.prepare()
        peers = self.peers()
        names = [name for name, _, _ in peers]
        wanted = self.args.only.split(",") if self.args.only else list(self.SCENARIOS)
        print("microseconds of CPU per request, median of", self.args.rounds, "rounds; ratio of Gatehouse to each\n")
        print("| scenario | " + " | ".join(names) + " | " + " | ".join("/ " + n for n in names[1:]) + " |")
        print("|" + "---|" * (2 * len(names)))
        for scenario in wanted:
            kind, load = self.SCENARIOS[scenario]
            figures = {name: [] for name in names}
            for _ in range(self.args.rounds):
                for name, pid, ports in peers:
                    if kind not in ports:
                        continue
                    before = cpu_time(pid)
                    requests = load(self, ports[kind])
                    figures[name].append((cpu_time(pid) - before) / max(requests, 1) / 1000)
            own = statistics.median(figures[names[0]])
            cells = [f"{statistics.median(figures[n]):.1f}" if figures[n] else "-" for n in names]
            ratios = [
                f"{own / statistics.median(figures[n]):.2f}" if figures[n] else "-" for n in names[1:]]
            print(f"| {scenario} | " + " | ".join(cells + ratios) + " |", flush=True)
        print("\nresident afterwards: " + ", ".join(f"{n} {resident(pid) // 1024} MiB" for n, pid, _ in peers))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", help="scenarios, with commas: " + ",".join(Bench.SCENARIOS))
    parser.add_argument("--gatehouse", default=os.path.join(ROOT, ".build/release/gatehouse"))
    parser.add_argument("--haproxy", default=shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"))
    args = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin"
    for tool in ("wrk", "h2load", "nginx", "openssl"):
        if not shutil.which(tool):
            raise SystemExit(f"needs {tool}: apt-get install wrk nghttp2-client nginx-light openssl")
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        bench = Bench(args, folder)
        try:
            bench.run()
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
