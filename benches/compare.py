#!/usr/bin/env python3
"""What whole runs cost: `logmap` on maps of up to a million sources, the limits of the machine, and other generators.

    benches/compare.py [--logmap target/release/logmap] [--quick] [--only WORD]... [--folder FOLDER]

Each command is a process of its own, from start to end: wall time, CPU time (user and system, all its threads), peak of
resident memory, and the files and bytes that it wrote. The commands of a table take turns, so that what else the machine does
touches all of them; the figures are medians. The tables are Markdown and say what machine they were measured on.

  grid, one   maps of 1,000 to 1,000,000 sources: accounts with 4 Regions of 25 sources each, and one account with all in
              one Region. The limits are `wc -l` of the map and `cp -r` of the tree that all targets together give.
  peers       5,000 and 40,000 sources (50 accounts of 4 Regions, 200 of 8), 25 sources in each: a stack, or for cdktn a
              module, with the log bucket, its settings and its policy; some also set each source. A peer reads the same names
              from JSON and is written as its users write it, in `benches/peers/`. It stands beside what logmap makes of the
              same; logmap also reads and checks the map, proves each policy and writes a lock.

--quick leaves out what takes longer than some seconds; --only takes tables by name; --folder is where all is written: by default on
the disk of the build, while one in memory (/dev/shm) shows the programs alone, `cp -r` too. Peers come from PyPI and npm into
target/peers, at the versions below. Ten minutes on two cores, without the installation of the peers, and 10 GB of disk.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "target" / "peers"
PROGRAMS = ROOT / "benches" / "peers"
PYPI = ["troposphere==4.11.1", "jsonnet==0.22.0"]
NPM = {"cdk": ["aws-cdk-lib@2.276.0", "constructs@10.4.2"], "cdktn": ["cdktn@0.24.0", "@cdktn/provider-aws@24.1.0", "constructs@10.4.2"]}
REGIONS = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "us-west-2", "eu-north-1", "ap-northeast-1", "ca-central-1"]
TARGETS = ["policies", "terraform", "cloudformation", "aws-cli", "athena"]
MILLION = 1_000_000
# A process starts with the peak of the one that it is forked from, so a command is started by a small one (8 MB).
WATCH = """
import os, sys, time
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass
class Cost:
    """One run: seconds and bytes."""

    wall: float
    cpu: float
    memory: float


@dataclass
class Row:
    """A command, what has to be away before it runs, and what it leaves."""

    name: str
    command: list
    makes: Path = None
    env: dict = None
    expect: int = 0

    def prepare(self):
        """Moves what an earlier run made out of the way."""
        if self.makes and self.makes.exists():
            self.makes.rename(tempfile.mkdtemp(prefix="before-", dir=self.makes.parent))

    def run(self, log):
        """The command's cost; what it says goes to a file and is shown if it fails."""
        self.prepare()
        with open(log, "w+b") as output:
            watched = [sys.executable, "-ISc", WATCH, *map(str, self.command)]
            env = {**os.environ, **(self.env or {})}
            process = subprocess.run(watched, stdout=subprocess.PIPE, stderr=output, env=env, check=False, text=True)
            if process.returncode != self.expect:
                output.seek(0)
                sys.exit(f"{self.name} ended with {process.returncode}: {output.read(4000).decode(errors='replace')}")
        wall, cpu, memory = map(float, process.stdout.split())
        return Cost(wall, cpu, memory)

    def written(self):
        """Files and bytes below what it makes."""
        if not self.makes:
            return None
        sizes = [os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(self.makes) for name in names]
        return len(sizes), sum(sizes)


def organisation(accounts, regions, sources):
    """Account key → (id, Region → names); names are made as people make them."""
    def names(key, region):
        return [f"acme-{key}-{region}-app-{bucket:03}" for bucket in range(sources)]

    keys = [f"team-{account:05}" for account in range(accounts)]
    return {key: (f"{100000000000 + 7 * at}", {region: names(key, region) for region in REGIONS[:regions]}) for at, key in enumerate(keys)}


def grid(sources):
    """Accounts with 4 Regions of 25 sources."""
    return organisation(sources // 100, 4, 25)


def one(sources):
    """One account with all its sources in one Region: a hundred for each of its teams."""
    return {"prod": ("111122223333", {"us-east-1": [f"acme-team-{at // 100:05}-app-{at % 100:03}" for at in range(sources)]})}


def as_map(accounts, *more):
    lines = ["version: 1", "organization: { name: acme }", *more, "accounts:"]
    for key, (id, regions) in accounts.items():
        lines += [f"  {key}:", f'    id: "{id}"', "    regions:"]
        for region, names in regions.items():
            lines += [f"      {region}:", "        buckets:", *(f"          - {name}" for name in names)]
    return "\n".join(lines) + "\n"


def as_json(accounts):
    written = {key: {"id": id, "regions": {region: {"buckets": names} for region, names in regions.items()}} for key, (id, regions) in accounts.items()}
    return json.dumps({"accounts": written})


def measure(rows, repetitions, folder):
    """Each row's median cost and what it wrote; the rows take turns."""
    costs, written = {row.name: [] for row in rows}, {}
    for repetition in range(repetitions):
        for row in rows:
            costs[row.name].append(row.run(folder / "log"))
            if not repetition:
                written[row.name] = row.written()
    median = lambda name, what: statistics.median(getattr(cost, what) for cost in costs[name])  # noqa: E731
    return {row.name: (Cost(median(row.name, "wall"), median(row.name, "cpu"), median(row.name, "memory")), written[row.name]) for row in rows}


def seconds(value):
    return f"{value:.2f} s" if value >= 0.995 else f"{1000 * value:.0f} ms"


def megabytes(value):
    return f"{value / 1e6:,.0f} MB" if value >= 9.95e6 else f"{value / 1e6:.1f} MB"


def line(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def head(*cells):
    print()
    line(*cells)
    line(*(["---"] + ["--:"] * (len(cells) - 1)))


def cells(cost, written):
    files, size = written or (0, 0)
    return [seconds(cost.wall), seconds(cost.cpu), megabytes(cost.memory), f"{files:,}" if files else "", megabytes(size) if files else ""]


def scale(name, shape, args, folder):
    """The table of one shape of map."""
    sizes = [1_000, 10_000] if args.quick else [1_000, 10_000, 100_000, MILLION]
    found = {}
    head(f"`{name}`", "wall", "CPU", "memory", "files", "written", "× limit")
    for size in sizes:
        place = folder / f"{name}-{size}"
        place.mkdir()
        path, out = place / "logmap.yaml", place / "out"
        path.write_text(as_map(shape(size)))
        logmap = lambda title, *words, **more: Row(title, [args.logmap, *words], **more)  # noqa: E731
        rows = [
            Row("`wc -l`", ["wc", "-l", path]),
            logmap("`validate`", "validate", "-q", path),
        ]
        # a million sources are many gigabytes: one target stands for the rest
        for target in TARGETS if size < MILLION else ["policies"]:
            rows.append(logmap(f"`--target {target}`", "generate", "-q", path, "--target", target, "--out", place / target, makes=place / target))
        if size < MILLION:
            rows += [
                logmap("`generate`", "generate", "-q", path, "--out", out, makes=out),
                logmap("`generate`, nothing new", "generate", "-q", path, "--out", out),
                logmap("`generate --check`", "generate", "-q", path, "--check", "--out", out),
                logmap("`generate`, one account", "generate", "-q", path, "--out", place / "single", "--account", next(iter(shape(size))), makes=place / "single"),
                Row("`cp -r`", ["cp", "-r", out, place / "copy"], makes=place / "copy"),
            ]
        results = measure(rows, 5 if size <= 10_000 else 3, place)
        for row in rows:
            limit = "`cp -r`" if row.makes or "generate" in row.name else "`wc -l`"
            ratio = results[row.name][0].wall / results[limit][0].wall if limit in results and limit != row.name else None
            line(f"{size:,}: {row.name}", *cells(*results[row.name]), f"{ratio:.1f} × {limit}" if ratio else "")
        found[size] = results
    largest = sizes[-1]
    head(f"`{name}`: ten times the sources", "CPU", "memory")
    for size, next_size in zip(sizes, sizes[1:]):
        for row in found[size].keys() & found[next_size].keys() - {"`wc -l`", "`cp -r`"}:
            small, large = found[size][row][0], found[next_size][row][0]
            line(f"{size:,} → {next_size:,}: {row}", f"{large.cpu / small.cpu:.1f} ×", f"{large.memory / small.memory:.1f} ×")
    grown = found[largest]["`validate`"][0].memory - found[sizes[0]]["`validate`"][0].memory
    print(f"\nmemory of `validate`: {grown / (largest - sizes[0]):.0f} bytes a source")


def installed(folder, *command):
    """A folder below target/peers that a package manager fills once for each list of versions."""
    place = PEERS / folder
    stamp, wanted = place / "installed", " ".join(map(str, command))
    if not (stamp.exists() and stamp.read_text() == wanted):
        place.mkdir(parents=True, exist_ok=True)
        print(f"installing {wanted}", file=sys.stderr)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        stamp.write_text(wanted)
    return place


def python():
    program = PEERS / "venv" / "bin" / "python"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS / "venv"], check=True)
    installed("venv", program, "-m", "pip", "install", "-q", *PYPI)
    return program


def node(name):
    """What a program needs beside `node`: where its packages are."""
    place = installed(name, "npm", "install", "--silent", "--no-audit", "--no-fund", "--legacy-peer-deps", "--prefix", PEERS / name, *NPM[name])
    return {"NODE_PATH": str(place / "node_modules")}


def peers(args, folder):
    """logmap and the peers on the same workloads; slow ones on the smaller one only."""
    for accounts, regions, repetitions in [(50, 4, 3)] if args.quick else [(50, 4, 3), (200, 8, 3)]:
        small = regions == 4
        place = folder / f"peers-{accounts}"
        place.mkdir()
        known = organisation(accounts, regions, 25)
        (place / "logmap.yaml").write_text(as_map(known))
        (place / "stacks.yaml").write_text(as_map(known, "render: { cloudformation: { stack_sets: false } }"))
        (place / "alone.yaml").write_text(as_map(known, "render: { cloudformation: { stack_sets: false, source_logging: outputs-only } }"))
        (place / "map.json").write_text(as_json(known))

        def peer(title, program, *words, env=None):
            out = place / title.replace(" ", "-").replace("`", "")
            runner = "node" if program.endswith(".js") else python()
            return Row(title, [runner, PROGRAMS / program, place / "map.json", out, *words], makes=out, env=env)

        def logmap(title, *words, map="logmap.yaml"):
            out = place / title.replace(" ", "-").replace("`", "")
            return Row(title, [args.logmap, "generate", "-q", place / map, "--out", out, *words], makes=out)

        def copy(row):
            out = place / f"copy-{row.makes.name}"
            return Row(f"`cp -r` of what {row.name} writes", ["cp", "-r", row.makes, out], makes=out)

        alone, stacks, modules = "logmap, log buckets alone", "logmap, with the sources", "logmap, modules with the sources"
        rows = [
            logmap(alone, "--target", "cloudformation", map="alone.yaml"),
            logmap(stacks, "--target", "cloudformation", map="stacks.yaml"),
            logmap("logmap, stacks and StackSets", "--target", "cloudformation"),
            logmap(modules, "--target", "terraform"),
            logmap("logmap, all targets"),
            peer("troposphere", "stacks_troposphere.py"),
            peer("troposphere, with the sources", "stacks_troposphere.py", "sources"),
            peer("aws-cdk-lib, validation off", "stacks_cdk.js", env={**node("cdk"), "CDK_VALIDATION": "false"}),
        ]
        if small:
            rows += [
                peer("aws-cdk-lib", "stacks_cdk.js", env=node("cdk")),
                peer("jsonnet", "stacks_jsonnet.py"),
                peer("cdktn, with the sources", "modules_cdktn.js", env=node("cdktn")),
            ]
        # the limits: what is written, written by a program that only writes
        rows += [copy(row) for row in rows if row.name in (alone, "troposphere")]
        results = measure(rows, repetitions, place)
        head(f"{accounts * regions * 25:,} sources in {accounts * regions:,} places", "wall", "CPU", "memory", "files", "written", "× logmap's wall", "× its CPU")
        for row in rows:
            beside = modules if row.name.startswith("cdktn") else stacks if row.name.endswith("sources") else alone
            ours, theirs = results[beside][0], results[row.name][0]
            same = row.name.startswith("logmap")
            ratios = ["", ""] if same else [f"{theirs.wall / ours.wall:.1f} ×", f"{theirs.cpu / ours.cpu:.1f} ×"]
            line(row.name, *cells(*results[row.name]), *ratios)


def machine():
    info = Path("/proc/cpuinfo")
    models = [entry.split(":", 1)[1].strip() for entry in info.read_text().splitlines() if entry.startswith("model name")] if info.exists() else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logmap", type=Path, default=ROOT / "target" / "release" / "logmap")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=["grid", "one", "peers"])
    parser.add_argument("--folder", type=Path, default=ROOT / "target")
    args = parser.parse_args()
    args.logmap = args.logmap.resolve()
    tables = {
        "grid": lambda folder: scale("grid", grid, args, folder),
        "one": lambda folder: scale("one", one, args, folder),
        "peers": lambda folder: peers(args, folder),
    }
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {subprocess.run([args.logmap, '--version'], capture_output=True, text=True, check=True).stdout.strip()}")
    # nothing is removed before the end, as file systems are slow after it
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for name, table in tables.items():
            if not args.only or name in args.only:
                table(Path(folder))


if __name__ == "__main__":
    main()
