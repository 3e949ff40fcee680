#!/usr/bin/env python3
"""CPU per request with 10, 1,000 and 10,000 rules, and the time that a long configuration takes to load.

    rules.py --gateway BIN [--haproxy haproxy] [--seconds 3]

The request asks for the host that the last rule names. Forms: `use_backend b if { hdr(host) -i x }`, named ACLs,
`path_beg`, an ACL file, a map. The load test counts CPU seconds of `-c` for 100,000 lines. Needs wrk.
"""
import argparse, os, re, resource, shutil, socket, subprocess, sys, tempfile, time

SIZES = [10, 1000, 10000]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def host(n):
    return f"host{n}.example.com"


def forms(directory, count):
    with open(os.path.join(directory, "hosts"), "w") as f:
        f.writelines(host(n) + "\n" for n in range(count))
    with open(os.path.join(directory, "map"), "w") as f:
        f.writelines(f"{host(n)} b{n % 2}\n" for n in range(count))
    return {
        "use_backend, anonymous": [f"use_backend b{n % 2} if {{ hdr(host) -i {host(n)} }}" for n in range(count)],
        "use_backend, named ACLs": [f"acl a{n} hdr(host) -i {host(n)}" for n in range(count)]
        + [f"use_backend b{n % 2} if a{n}" for n in range(count)],
        "path_beg": [f"use_backend b{n % 2} if {{ path_beg /app{n}/ }}" for n in range(count)],
        "ACL file": [f"use_backend b1 if {{ hdr(host) -i -f {directory}/hosts }}"],
        "map": [f"use_backend %[req.hdr(host),lower,map({directory}/map,b0)]"],
    }


def configuration(lines, port):
    text = ["global", "  nbthread 1", "defaults", "  mode http", "  timeout client 5s", "  timeout server 5s",
            "  timeout connect 5s", "frontend f", f"  bind 127.0.0.1:{port}"] + ["  " + line for line in lines]
    text += ["  default_backend b0"]
    for n in (0, 1):
        text += [f"backend b{n}", "  http-request return status 200 content-type text/plain string ok"]
    return "\n".join(text) + "\n"


def cpu(pid):
    """Nanoseconds that the threads of a process have run."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def measure(binary, lines, count, seconds, directory):
    port = free_port()
    path = os.path.join(directory, "bench.cfg")
    with open(path, "w") as f:
        f.write(configuration(lines, port))
    process = subprocess.Popen([binary, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        url = f"http://127.0.0.1:{port}/app{count - 1}/x"
        load = ["wrk", "-t1", "-c16", "-H", f"Host: {host(count - 1)}", url]
        subprocess.run(load + ["-d1s"], capture_output=True)
        before = cpu(process.pid)
        out = subprocess.run(load + [f"-d{seconds}s"], capture_output=True, text=True).stdout
        spent = cpu(process.pid) - before
        requests = int(re.search(r"(\d+) requests in", out).group(1))
        return spent / max(1, requests)
    finally:
        process.terminate()
        process.wait()


def long_configuration():
    lines = ["global", "  maxconn 1000", "defaults", "  mode http", "  timeout client 5s", "  timeout server 5s",
             "  timeout connect 5s", "frontend f", f"  bind 127.0.0.1:{free_port()}"]
    lines += [f"  acl h{n} hdr(host) -i {host(n)}" for n in range(10000)]
    lines += [f"  use_backend b{n} if h{n}" for n in range(9000)] + ["  default_backend b0"]
    for n in range(9000):
        lines += [f"backend b{n}", "  balance roundrobin", "  option httpchk GET /health",
                  f"  http-request set-header X-Backend b{n}", "  http-request deny if { path_beg /private }",
                  "  timeout queue 3s", f"  server s1 127.0.0.1:{10000 + n} maxconn 50 weight 10",
                  f"  server s2 127.0.0.1:{10000 + n} backup", "  cookie SRV insert indirect nocache"]
    return "\n".join(lines) + "\n"


def load(binary, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([binary, "-c", "-f", path], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        sys.exit(result.stderr.decode(errors="replace")[-2000:])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gateway", required=True)
    p.add_argument("--haproxy", default=shutil.which("haproxy"))
    p.add_argument("--seconds", type=int, default=3)
    p.add_argument("--rounds", type=int, default=3, help="of the load test; the least counts")
    p.add_argument("--only", choices=["rules", "load"])
    options = p.parse_args()
    programs = [("gateway", options.gateway)] + ([("haproxy", options.haproxy)] if options.haproxy else [])
    directory = tempfile.mkdtemp(prefix="rules-")
    if options.only != "load":
        print(f"{'microseconds of CPU a request':32}" + "".join(f"{n:>10}" for n in SIZES) + "     last/first")
        for name, binary in programs:
            for form in forms(directory, 10):
                row = [measure(binary, forms(directory, n)[form], n, options.seconds, directory) / 1000 for n in SIZES]
                print(f"{name + ': ' + form:32}" + "".join(f"{v:10.1f}" for v in row) + f"{row[-1] / row[0]:11.2f}", flush=True)
    if options.only != "rules":
        path = os.path.join(directory, "long.cfg")
        with open(path, "w") as f:
            f.write(long_configuration())
        for name, binary in programs:
            best = min(load(binary, path) for _ in range(options.rounds))
            print(f"{name}: 100,000 lines loaded in {best:.2f} s of CPU", flush=True)
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
