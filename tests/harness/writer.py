"""The file writer, put under stress: killed before each system call that changes the disk, on a full disk, in a read-only folder, with
obstacles in its way, beside another logmap, and with a hundred thousand files.

What must hold: the tree is wholly the old one or the new one, or the lock has a journal, and then `--check` and the next run say
so; files that are not logmap's are untouched; and the next run, also with another map, ends with the bytes of an undisturbed one.
Kills are made by strace, which stops the process on entering the call of a given number; disks are tmpfs in a mount namespace.
"""
import contextlib
import fcntl
import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .report import Failure, ToolMissing, clean_env, expect
from .tools import find_tool

LOCK = "logmap.lock.json"
CHANGING = ("mkdir", "mkdirat", "openat", "write", "fsync", "fdatasync", "ftruncate", "chmod", "fchmod", "fchmodat", "rename", "renameat", "renameat2",
            "link", "linkat", "unlink", "unlinkat", "rmdir", "flock")
NOT_OURS = {"notes.md": "mine\n", "terraform/prod/prod.auto.tfvars": "mine = true\n", "mine/policies/a.json": "{}\n", "athena/.keep": ""}

HEAD = "version: 1\norganization: { name: acme }\naccounts:\n"


def account(key, number, **regions):
    """A line of a map: an account and its Regions, each with sources."""
    places = ", ".join(f"{region.replace('_', '-')}: {{ buckets: [{', '.join(buckets)}] }}" for region, buckets in regions.items())
    return f'  {key}: {{ id: "{number:012}", regions: {{ {places} }} }}\n'


# from one to the next: files that change, come and go, folders that come beside others, two at once, and go, and a log bucket that retires
MAPS = {
    "old": HEAD + account("prod", 1, us_east_1=["web"], eu_west_1=["eu-data"]) + account("gone", 2, us_east_1=["old-data"]),
    "new": HEAD + account("prod", 1, us_east_1=["web", "more"]) + account("come", 3, eu_west_1=["fresh"]) + account("too", 4, eu_west_1=["fresh-too"]),
    "third": HEAD + account("prod", 1, us_east_1=["web", "other"], eu_central_1=["eu-data"]),
}


class Bench:
    """logmap, a folder to work in, and the trees that undisturbed runs make."""

    def __init__(self, logmap, folder):
        self.logmap, self.folder, self.clean, self.worlds, self.count = Path(logmap), folder, {}, {}, 0
        self.targets = ["--target", "policies,terraform,athena"]  # small files, and folders in folders
        for name, text in MAPS.items():
            (folder / f"{name}.yaml").write_text(text)

    def command(self, name, out, *flags):
        # one name for all maps, as in real life: the name is in every header
        home = self.folder / name
        if not home.exists():
            home.mkdir()
            (home / "logmap.yaml").write_text((self.folder / f"{name}.yaml").read_text())
        return [self.logmap, "generate", home / "logmap.yaml", "--out", out, *self.targets, *flags]

    def run(self, name, out, *flags, under=()):
        return subprocess.run([*under, *self.command(name, out, *flags)], env=clean_env(), capture_output=True, text=True)

    def well(self, name, out, *flags):
        done = self.run(name, out, *flags)
        expect(done.returncode == 0, f"generate {name} exits {done.returncode}\n{done.stdout[-500:]}{done.stderr[-1500:]}")
        return done

    def after(self, *names):
        """The tree that these maps leave, one after the other."""
        if names not in self.clean:
            out = self.world(*names)
            self.clean[names] = tree(out)
            shutil.rmtree(out)
        return self.clean[names]

    def world(self, *names):
        """A fresh folder with files of the user's, brought to these maps one after the other; made once, and copied after that."""
        self.count += 1
        out = self.folder / f"out-{self.count}"
        if names in self.worlds:
            return Path(shutil.copytree(self.worlds[names], out))
        for path, text in NOT_OURS.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(text)
        for name in names:
            self.well(name, out)
        self.worlds[names] = Path(shutil.copytree(out, self.folder / f"world-{self.count}"))
        return out

    def judge(self, out, before, name):
        """What must hold after a disturbed run of map `name` over the tree of `before`; gives the maps that the tree now stands for."""
        now, old, new = tree(out), self.after(*before), self.after(*before, name)
        for path, text in NOT_OURS.items():
            expect(now.pop(path, None) == text.encode(), f"{path} was touched")
        lock = json.loads(now.get(LOCK, b"{}"))
        said = self.run(name, out, "--check")
        if "journal" in lock:
            for path, text in now.items():
                expect(path == LOCK or text in (old.get(path), new.get(path)), f"{path} has neither its old content nor its new one")
            expect(said.returncode == 1 and "was interrupted" in said.stderr, f"--check does not say that a run was interrupted: {said.stderr[-300:]}")
            return before
        files = lambda one: {path: text for path, text in one.items() if text is not None and path not in NOT_OURS}
        ends = [maps for maps, whole in ((before, old), ((*before, name), new)) if files(now) == files(whole)]
        expect(ends, f"a tree that is neither the old one nor the new one, and the lock does not say so: {differing(files(now), files(new))}")
        expect("was interrupted" not in said.stderr, "--check speaks of an interruption, and there is none")
        return ends[-1]

    def mend(self, out, before, name, interrupted=None):
        """The next run ends where it would have without the disturbance, to the byte and the folder."""
        done = self.well(name, out)
        if interrupted is not None:
            expect(("was interrupted" in done.stderr) == interrupted, f"the next run says {done.stderr[-300:]!r}, interrupted: {interrupted}")
        now, wanted = tree(out), self.after(*before, name) if before[-1:] != (name,) else self.after(*before)
        expect(now == wanted, f"the next run does not mend it: {differing(now, wanted)}")
        self.well(name, out, "--check")


def tree(out):
    """{path: content}, None for a folder; what a killed run staged is not part of it."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        if name.parts[0].startswith((".logmap-stage-", ".logmap-lock-")):
            continue
        found[str(name)] = None if path.is_dir() and not path.is_symlink() else os.readlink(path) if path.is_symlink() else path.read_bytes()
    return found


def leftovers(out):
    return [path.name for path in out.iterdir() if path.name.startswith(".logmap-")]


def differing(one, other):
    return sorted(path for path in {**one, **other} if one.get(path, "none") != other.get(path, "none"))[:8]


# ---- kills

def strace(*more):
    return [find_tool("strace"), "-f", "-qq", *more]


def calls(bench, before, name):
    """[(call, number)]: every call of a run that changes the disk, as strace counts them: by name, for each thread."""
    out, log = bench.world(*before), bench.folder / "calls"
    done = bench.run(name, out, under=strace("-e", f"trace={','.join('?' + call for call in CHANGING)}", "-o", log))
    expect(done.returncode == 0, f"strace can't run logmap\n{done.stderr[-1000:]}")
    found, seen = {}, {}
    for line in log.read_text().splitlines():
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if match and match[2] in CHANGING:
            thread, call = match[1], match[2]
            seen[thread, call] = seen.get((thread, call), 0) + 1
            if call != "openat" or "O_CREAT" in match[3]:
                found[call, seen[thread, call]] = None
    shutil.rmtree(out)
    return list(found)


def kill(bench, out, name, call, number):
    """A run that is killed on entering that call; it may end before it comes there."""
    return bench.run(name, out, under=strace("-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")).returncode


def one_in(stride, found):
    """Of these calls one in `stride`, and the first of each kind."""
    first = {call: point for point in reversed(found) for call in point[:1]}
    return [point for number, point in enumerate(found) if number % stride == 0 or point == first[point[0]]]


def kills(bench, before, name, stride):
    """Killed before every call that changes the disk: mended by the same map, and by going back to the one before."""
    count, journals, apart = 0, 0, 0
    folders = lambda maps: {path for path, text in bench.after(*maps).items() if text is None} if maps else set()
    come = folders((*before, name)) - folders(before) if before else set()
    for number, (call, at) in enumerate(one_in(stride, calls(bench, before, name))):
        out = bench.world(*before)
        killed = kill(bench, out, name, call, at) in (-9, 137)
        try:
            at_now = bench.judge(out, before, name)
            journal = "journal" in json.loads((out / LOCK).read_text()) if (out / LOCK).exists() else False
            journals += journal
            apart += 0 < sum((out / path).exists() for path in come) < len(come)
            back = before[-1] if before and number % 2 else name
            bench.mend(out, at_now, back, journal)
            expect(not leftovers(out), f"left behind: {leftovers(out)}")
        except Failure as failure:
            raise Failure(f"killed before {call} number {at} of {' → '.join([*before, name])}: {failure}") from None
        shutil.rmtree(out)
        count += killed
    expect(journals > 5 // stride, f"only {journals} kills left a journal: the kills do not hit the writing")
    expect(apart or len(come) < 2, f"no kill between the new folders {sorted(come)}: they do not come one by one")
    return count


def double_kills(bench, rng, samples):
    """Killed, then killed again with another map, then run with that map."""
    first, count = calls(bench, ("old",), "new"), 0
    late = [point for point in first if point[0] in ("rename", "unlink", "rmdir")] or first
    second = [point for point in calls(bench, ("old", "new"), "third") if point[0] in ("rename", "unlink", "rmdir")]
    for one, two in ((rng.choice(late), rng.choice(second)) for _ in range(samples)):
        out = bench.world("old")
        try:
            kill(bench, out, "new", *one)
            now = bench.judge(out, ("old",), "new")
            count += kill(bench, out, "third", *two) in (-9, 137)
            lock = json.loads((out / LOCK).read_text())
            ends = now if "journal" in lock or lock == json.loads(bench.after(*now)[LOCK]) else (*now, "third")
            bench.mend(out, ends, "third")
        except Failure as failure:
            raise Failure(f"killed before {one}, then before {two}: {failure}") from None
        shutil.rmtree(out)
    return count


# ---- obstacles

def obstacles(bench):
    """Whatever stands where a file should go is named and kept, and the tree stays the old one."""
    def file_to_folder(out):
        path = out / "policies" / "acme-logs-000000000001-us-east-1.json"
        path.unlink()
        path.mkdir()
        (path / "mine").write_text("mine")

    def folder_to_file(out):
        shutil.rmtree(out / "policies")
        (out / "policies").write_text("mine")

    def link_to_file(out):
        path = out / "policies" / "acme-logs-000000000001-us-east-1.json"
        path.unlink()
        path.symlink_to(bench.folder / "outside" / "file")

    def link_to_folder(out):
        shutil.rmtree(out / "policies")
        (out / "policies").symlink_to(bench.folder / "outside")

    def link_to_deeper_folder(out):
        shutil.rmtree(out / "terraform" / "prod")
        (out / "terraform" / "prod").symlink_to(bench.folder / "outside")

    def link_to_no_folder(out):
        shutil.rmtree(out / "policies")
        (out / "policies").symlink_to(bench.folder / "nowhere")

    def link_to_nothing(out):
        path = out / "policies" / "acme-logs-000000000001-us-east-1.json"
        path.unlink()
        path.symlink_to(bench.folder / "nowhere")

    def lock_to_folder(out):
        (out / LOCK).unlink()
        (out / LOCK).mkdir()

    outside = bench.folder / "outside"
    outside.mkdir()
    (outside / "file").write_text("outside")
    for spoil, code, said in ((file_to_folder, 1, "policies/acme-logs-000000000001-us-east-1.json is there and logmap did not write it"),
                              (folder_to_file, 1, "policies is there and logmap did not write it"), (link_to_file, 3, "is a symbolic link"),
                              (link_to_folder, 3, "is a symbolic link"), (link_to_deeper_folder, 3, "is a symbolic link"),
                              (link_to_no_folder, 3, "is a symbolic link"), (link_to_nothing, 3, "is a symbolic link"), (lock_to_folder, 3, LOCK)):
        for name in ("new", "old"):
            out = bench.world("old")
            spoil(out)
            before, checked = tree(out), bench.run(name, out, "--check")
            expect(checked.returncode in (1, 3) and tree(out) == before, f"{spoil.__name__}: --check exits {checked.returncode}")
            for flags in ((), ("--force",)):
                done = bench.run(name, out, *flags)
                what = f"{spoil.__name__}, {name} {flags}"
                expect(done.returncode == code and said in done.stderr, f"{what}: exits {done.returncode} and says {done.stderr[-400:]}")
                expect(tree(out) == before and not leftovers(out), f"{what}: something was changed: {differing(tree(out), before)}{leftovers(out)}")
            expect(tree(outside) == {"file": b"outside"}, f"{spoil.__name__}: something outside was changed")
            shutil.rmtree(out)
    out = bench.world("old")  # what is no longer wanted and is not ours any more stays
    shutil.rmtree(out / "terraform" / "gone")
    (out / "terraform" / "gone").symlink_to(outside)
    (out / ".logmap-stage-left").symlink_to(outside)
    bench.well("new", out)
    expect((out / "terraform" / "gone").is_symlink() and tree(outside) == {"file": b"outside"}, "something was removed through a link")
    taken = bench.folder / "taken"
    taken.write_text("mine")
    done = bench.run("old", taken)
    expect(done.returncode == 3 and taken.read_text() == "mine", f"a file for --out: exits {done.returncode}")


def beside(bench, rng, rounds):
    """Two and more logmaps on one folder: each waits for the other, and the tree is wholly the last one's."""
    out = bench.world("old")
    hold = os.open(out, os.O_RDONLY)
    fcntl.flock(hold, fcntl.LOCK_EX)
    waiting = subprocess.Popen(bench.command("new", out), env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = waiting.stderr.readline()
    expect("waiting for another logmap" in said, f"a second logmap says {said!r}")
    expect({p: t for p, t in tree(out).items()} == bench.after("old"), "a second logmap did not wait")
    os.close(hold)
    waiting.communicate()
    expect(waiting.returncode == 0 and tree(out) == bench.after("old", "new"), "the one that waited did not write")
    for _ in range(rounds):
        names = [rng.choice(("old", "new", "third")) for _ in range(rng.choice((2, 2, 3)))]
        out = bench.world(*rng.choice(((), ("old",), ("third",))))
        runs = [subprocess.Popen(bench.command(name, out, "--quiet"), env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for name in names]
        for name, run in zip(names, runs):
            _, said = run.communicate()
            expect(run.returncode == 0, f"{names} at once: {name} exits {run.returncode}\n{said[-800:]}")
        checks = [name for name in names if bench.run(name, out, "--check").returncode == 0]
        expect(checks and not leftovers(out), f"{names} at once: the tree is of none of them")
        shutil.rmtree(out)


# ---- disks

def namespace():
    """The command that starts another in a mount namespace of its own."""
    unshare = find_tool("unshare")
    ways = [[unshare, "--mount"]] if os.geteuid() == 0 else [[unshare, "--map-root-user", "--mount"], ["sudo", "-n", unshare, "--mount"]]
    for way in ways:
        if subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return way
    raise ToolMissing("a mount namespace (unshare --mount)")


def in_namespace(bench, kind):
    """Runs `disks` or `read_only` of this file where it may mount."""
    folder = bench.folder / f"mounted-{kind}"
    folder.mkdir()
    done = subprocess.run([*namespace(), sys.executable, "-B", "-m", "harness.writer", kind, bench.logmap, folder], cwd=Path(__file__).parents[1],
                          env=clean_env(), capture_output=True, text=True)
    expect(done.returncode == 0, (done.stdout + done.stderr)[-2000:])
    return done.stdout.strip()


@contextlib.contextmanager
def mounted(path, *options):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def full_disk(bench):
    """Room for one page more each time, and one file more, until the run goes through: each failure leaves the old tree or a journal."""
    failures = 0
    for before, name in (((), "old"), (("old",), "new")):
        for limit in ("size", "nr_inodes"):
            for room in range(0, 400):
                with mounted(bench.folder / "disk", "-t", "tmpfs", "-o", "size=8m,nr_inodes=2000", "tmpfs") as disk:
                    out = bench.world(*before)
                    shutil.copytree(out, disk / "out", symlinks=True)
                    shutil.rmtree(out)
                    out, usage = disk / "out", os.statvfs(disk)
                    used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize // 1024 if limit == "size" else usage.f_files - usage.f_ffree
                    step = 4 * room if limit == "size" else room
                    subprocess.run(["mount", "-o", f"remount,{limit}={used + step}{'k' if limit == 'size' else ''}", disk], check=True)
                    done = bench.run(name, out)
                    subprocess.run(["mount", "-o", "remount,size=8m,nr_inodes=2000", disk], check=True)
                    now = bench.judge(out, before, name)
                    if done.returncode == 0:
                        expect(now == (*before, name), "a run that says it is done has not written")
                        break
                    failures += 1
                    expect(done.returncode == 3 and "No space left on device" in done.stderr, f"a full disk: exits {done.returncode}\n{done.stderr[-400:]}")
                    bench.mend(out, now, name)
            else:
                raise Failure("the run never goes through")
    expect(failures > 40, f"only {failures} full disks")
    print(f"{failures} full disks")


def read_only(bench):
    """Nothing can be written: said in words, nothing changed; `--check` reads."""
    out = bench.world("old")
    disk = bench.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "--bind", out, disk], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
    for name, code in (("new", 3), ("old", 3)):
        done = bench.run(name, disk)
        expect(done.returncode == code and "Read-only file system" in done.stderr and str(disk) in done.stderr, f"exits {done.returncode}: {done.stderr[-400:]}")
        expect(bench.run(name, disk, "--check").returncode == int(name != "old"), f"--check {name} does not read")
    done = bench.run("new", disk / "below" / "out")
    expect(done.returncode == 3 and "Read-only file system" in done.stderr, f"exits {done.returncode}: {done.stderr[-400:]}")
    subprocess.run(["umount", disk], check=True)
    expect(tree(out) == bench.after("old") and not leftovers(out), "something was changed")


# ---- many files

def many(bench, files, rng):
    """A tree of that many files: written, killed at some renames, mended, and pruned to a small one."""
    accounts = max(files // 32, 1)  # with eight Regions an account has about 32 files
    regions = "us_east_1 us_east_2 us_west_1 us_west_2 eu_west_1 eu_west_2 eu_central_1 sa_east_1".split()
    for name, suffix in (("many", "a"), ("more", "b")):
        lines = (account(f"a{n}", n, **{region: [f"{suffix}-{n}-{at}"] for at, region in enumerate(regions)}) for n in range(1, accounts + 1))
        (bench.folder / f"{name}.yaml").write_text(HEAD + "".join(lines))
    start, out = time.monotonic(), bench.world()
    bench.well("many", out)
    wrote = time.monotonic() - start
    made = sum(text is not None for text in bench.after("many").values()) - len(NOT_OURS)
    expect(made > 0.9 * files, f"only {made} files")
    for _ in range(3):
        expect(kill(bench, out, "more", "rename", rng.randrange(2, made // 8)) in (-9, 137), "the run was not killed")
        bench.judge(out, ("many",), "more")
    bench.mend(out, ("many",), "more", True)
    bench.mend(out, ("many", "more"), "old")
    return made, wrote


# ---- the job

def check(report, logmap, new_folder, tier):
    if not report.wants("writer"):
        return
    rng = random.Random(20)
    bench = Bench(logmap, new_folder())
    survived = 0
    for title, before, name in (("first", (), "old"), ("update", ("old",), "new"), ("prune", ("old", "new"), "third")):
        with report.check(f"writer/kills/{title}"):
            count = kills(bench, before, name, tier.kills)
            survived += count
            print(f"        {count} kills survived")
    with report.check("writer/kills/twice"):
        count = double_kills(bench, rng, tier.double_kills)
        survived += count
        expect(count > tier.double_kills // 2, f"only {count} second kills")
    with report.check("writer/kills/count"):
        expect(survived >= 300 // tier.kills, f"only {survived} kills")
        print(f"        {survived} kills survived")
    with report.check("writer/obstacles"):
        obstacles(bench)
    with report.check("writer/beside"):
        beside(bench, rng, 25)
    for kind in ("full-disk", "read-only"):
        with report.check(f"writer/{kind}"):
            print(f"        {in_namespace(bench, kind)}")
    with report.check("writer/many"):
        made, wrote = many(bench, int(os.environ.get("WRITER_FILES", "600")), rng)
        print(f"        {made} files, the first time in {wrote:.1f}s")


if __name__ == "__main__":
    {"full-disk": full_disk, "read-only": read_only}[sys.argv[1]](Bench(sys.argv[2], Path(sys.argv[3])))
