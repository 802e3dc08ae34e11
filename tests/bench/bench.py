#!/usr/bin/env python3
"""netc and what a user could pick instead, side by side: markdown tables on standard output.

usage: bench.py [NETC]           (`make bench`)

Environment: NETS, TRAIN (nets to infer with and to train; empty: none), BATCH, THREADS (lists; else 1 on all cores, 1 on
one core, 32 on all cores, and for training what the nets' texts usually take), PEERS, TRAIN_PEERS (as the peers' runner
names them; empty: none), ROUNDS, TIME (seconds a round for each). PEER_RUNNER is a program that times peers as
../shared/bench/run.py does; without one netc stands alone. Nothing else should run meanwhile.

Times are medians in milliseconds. The floor is the sum over layers of the longer of direct arithmetic at this machine's
measured peak and bytes at its measured rate (netc profile): Winograd can go below it.
"""
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NETC = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(ROOT, "build", "netc")
RUNNER = os.environ.get("PEER_RUNNER", os.path.join(ROOT, "..", "shared", "bench", "run.py"))
CALLED = {"row_lstm": "lstm", "resnet18_cifar": "cifar18", "mobilenet_v2": "mobilenet"}  # by the runner
BATCHES = {"mnist": 64, "resnet18_cifar": 128}  # of training; else 32
PACKAGES = ["torch", "onnxruntime", "openvino", "MNN", "ncnn"]


def words(name, standard):
    return os.environ.get(name, standard).replace(",", " ").split()


NETS = words("NETS", "mnist row_lstm alexnet resnet18 resnet50 googlenet mobilenet_v2 vgg16")
TRAIN = words("TRAIN", "mnist resnet18_cifar row_lstm alexnet")
PEERS = words("PEERS", "onnxruntime openvino mnn compile ncnn")
TRAIN_PEERS = words("TRAIN_PEERS", "train-torch train-compile")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
TIME = float(os.environ.get("TIME", "2"))
CORES = len(os.sched_getaffinity(0))


def settings():
    """(batch, threads) of inference."""
    if "BATCH" not in os.environ and "THREADS" not in os.environ:
        return [(1, CORES)] + ([(1, 1)] if CORES > 1 else []) + [(32, CORES)]
    batches = [int(b) for b in words("BATCH", "1")]
    return [(b, t) for b in batches for t in [int(t) for t in words("THREADS", str(CORES))]]


def script(train):
    return os.path.join(HERE, "train.sh" if train else "netc.sh")


def environment():
    return dict(os.environ, NETC=NETC)


def alone(net, batch, threads, train):
    """netc without peers."""
    got = []
    for _ in range(ROUNDS):
        done = subprocess.run(["sh", script(train), net, str(batch), str(threads), str(TIME)], env=environment(),
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            got.append(json.loads(done.stdout.strip().splitlines()[-1])["median_ms"])
    return {"netc": statistics.median(got) if got else None}


def side_by_side(net, batch, threads, train, peers):
    own = "sh " + shlex.quote(script(train)) + " {net} {batch} {threads} {seconds}"
    command = [sys.executable, RUNNER, "--peers", ",".join(peers), "--nets", CALLED.get(net, net), "--batch", str(batch),
               "--threads", str(threads), "--rounds", str(ROUNDS), "--seconds", str(TIME), "--also", "netc=" + own]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or len(lines) < 2:
        sys.exit(f"bench: {RUNNER} timed nothing")
    names, cells = lines[-2].split()[1:], re.findall(r"(?<=\s)-(?=\s|$)|[\d.]+(?= \()", lines[-1])
    return {name: None if cell == "-" else float(cell) for name, cell in zip(names, cells)}


def floor(net, batch, threads, train):
    path = os.path.join(ROOT, "examples", net + ".net")
    made = os.path.join(ROOT, "build", "bench", f"train-{net}-b{batch}-{os.environ.get('CC', 'cc')}-"
                        f"{os.environ.get('TARGET', 'any')}", "net.net")
    command = [NETC, "profile", made if train else path, "--json", "--seconds", "0", "--batch", str(batch), "--threads",
               str(threads)] + (["--train"] if train else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return sum(layer["floor_milliseconds"] for layer in json.loads(done.stdout)["layers"]) if done.returncode == 0 else None


def shown(x):
    return "-" if x is None else f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.3f}"


def ratio(x, to):
    return "-" if x is None or not to else f"{x / to:.2f}"


def row(net, batch, threads, train, peers):
    times = side_by_side(net, batch, threads, train, peers) if peers else alone(net, batch, threads, train)
    netc, least = times["netc"], floor(net, batch, threads, train)
    others = {name: ms for name, ms in times.items() if name != "netc" and ms is not None}
    best = min(others, key=others.get) if others else None
    name = f"{net}, batch {batch}" if train else net
    cells = [name, shown(netc), ratio(netc, others.get(best)), shown(least), ratio(netc, least)]
    cells += [f"**{shown(times[p])}**" if p == best else shown(times.get(p)) for p in peers]
    return "| " + " | ".join(cells) + " |"


def table(title, rows, peers):
    print(f"\n### {title}\n")
    print("| net | netc, ms | ÷ best peer | floor, ms | ÷ floor |" + "".join(f" {p} |" for p in peers))
    print("|---|" + "---|" * (4 + len(peers)), flush=True)
    for each in rows:
        print(row(*each, peers), flush=True)


def machine():
    """The processor, and whose versions these are."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            name = re.search(r"model name\s*: (.*)", info.read()).group(1)
    except (OSError, AttributeError):
        name = platform.machine()
    print(f"{name}, {CORES} cores; {subprocess.run([NETC, '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()}",
          end="")
    venv = os.environ.get("PEER_VENV", "/tmp/netc-peer-venv")
    code = ("import importlib.metadata as m\nfor p in %r:\n    try: print(p, m.version(p))\n"
            "    except m.PackageNotFoundError: pass" % PACKAGES)
    if os.path.exists(RUNNER) and os.path.exists(os.path.join(venv, "bin", "python")):
        told = subprocess.run([os.path.join(venv, "bin", "python"), "-c", code], stdout=subprocess.PIPE, text=True, check=False)
        print("".join(", " + line for line in told.stdout.strip().splitlines()), end="")
    print(f"\n\nmedians of {ROUNDS} rounds of {TIME:g} s, programs interleaved; load when it began: {os.getloadavg()[0]:.2f}")


def main():
    if not os.access(NETC, os.X_OK):
        sys.exit(f"bench: {NETC} is no program: make it first, or name one")
    here = os.path.exists(RUNNER)
    if not here:
        print(f"bench: {RUNNER} is not here: netc stands alone", file=sys.stderr)
    machine()
    cores = {1: "one core"}
    for batch, threads in settings() if NETS else []:
        on = cores.get(threads, f"{threads} cores")
        table(f"batch {batch}, {on}", [(net, batch, threads, False) for net in NETS], PEERS if here else [])
    for threads in [int(t) for t in words("THREADS", str(CORES))] if TRAIN else []:
        rows = [(net, b, threads, True) for net in TRAIN for b in [int(x) for x in words("BATCH", str(BATCHES.get(net, 32)))]]
        table(f"a training step, {cores.get(threads, f'{threads} cores')}", rows, TRAIN_PEERS if here else [])


main()
