"""Disturbs the generated scripts: calls that fail, scripts that are killed, and the way back.

A script that was disturbed must leave no source that logs where it can't, and run again it must end where an undisturbed
run ends.  `--rollback` must end at the world before, interrupted or not.
"""
import json
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import delivery
from .report import clean_env, expect
from .scripts import TIME_LIMIT, same, tail

READS = ("get-", "head-", "list-", "describe-", "wait", "assume-role")
FAULTS = ("throttle", "twice", "denied", "network", "lost", "kill before", "kill after")
NO_MATTER = ("throttle", "twice")  # the script itself gets over these


def no_matter(do, call):
    """Whether the script gets over it by itself. Without the right to list buckets it asks for each by its name."""
    return do in NO_MATTER or (do, call[1]) == ("denied", "list-buckets")


def is_write(call):
    return not call[1].startswith(READS)


class Attack:
    """One script, run in a scene of its own, with a backup folder of its own."""

    def __init__(self, stage, account, script, earlier=(), scene=None, flags=()):
        self.stage, self.account, self.script, self.earlier, self.scene, self.flags = stage, account, script, earlier, scene, flags
        self.calls = stage.folder / "calls"

        self.ready = None  # (scene, its world), once it has been set

    def set_scene(self):
        """The world before; made once, and put back after that."""
        if self.ready is None or self.ready[0] is not self.scene:
            self.stage.set_scene()
            if self.scene:
                self.scene(self.stage)
            for account, script in self.earlier:
                self.stage.run_well(account, script)
            self.before = self.stage.snapshot()
            self.ready = self.scene, self.stage.mock.save()
        self.stage.mock.restore(self.ready[1])
        self.home = Path(tempfile.mkdtemp(dir=self.stage.folder))

    @property
    def backup(self):
        return self.home / "backup"

    def keep(self):
        """The world and the backup as they are, for `back_to`."""
        copy = Path(tempfile.mkdtemp(dir=self.stage.folder)) / "backup"
        if self.backup.exists():
            shutil.copytree(self.backup, copy)
        return self.stage.mock.save(), copy

    def back_to(self, kept):
        world, copy = kept
        self.stage.mock.restore(world)
        self.home = Path(tempfile.mkdtemp(dir=self.stage.folder))
        if copy.exists():
            shutil.copytree(copy, self.backup)

    def state(self):
        """All that the next run can see: the world, and the backup."""
        files = {str(path.relative_to(self.backup)): path.read_bytes() for path in sorted(self.backup.rglob("*"))
                 if path.is_file() and path.parent.suffix != ".running"}  # whose turn it was says nothing to the next
        return repr((self.stage.snapshot(), files))

    def run(self, *flags, at=None, do=None, **extra):
        """One run: its result, with `calls` as the list of what it asked the AWS CLI to do."""
        self.calls.unlink(missing_ok=True)
        # one read after the other, so that a call of some number is always the same
        env = {**self.stage.environment(self.account), "HARNESS_CALLS": str(self.calls), "LOGMAP_BACKUP_DIR": str(self.backup), "LOGMAP_READS_AT_ONCE": "1", **extra}
        if at:
            env |= {"HARNESS_AT": str(at), "HARNESS_DO": do}
        done = subprocess.run(["bash", self.script, *flags], cwd=self.home, env={key: value for key, value in env.items() if value is not None},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT,
                              start_new_session=True)
        done.calls = [json.loads(line) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []
        return done

    def run_well(self, *flags, **extra):
        done = self.run(*flags, **extra)
        expect(done.returncode == 0, f"{self.script.name} {' '.join(flags)} exits {done.returncode}\n{tail(done.stdout)}\n{self.stage.mock.refused[-2:]}")
        return done

    def untouched(self):
        return not self.backup.exists()

    def sound(self, what):
        """Nothing logs, and no trail delivers, where it would be refused; a trail that is not started yet is fine, and so is
        what is as it was before (by ACLs, which `delivery` does not judge)."""
        problems = lambda world: [text for text in delivery.problems(world, (), (), self.stage.map.organization) if not text.endswith("is not logging")]
        now = self.stage.snapshot()
        target = lambda world, name: world["buckets"].get(name, {}).get("logging") or [world["trails"].get(name, {}).get(key) for key in ("bucket", "prefix")]
        as_before = [name for name in [*self.before["buckets"], *self.before["trails"]] if target(now, name) == target(self.before, name)
                     and any(text.startswith(f"{name}: ") for text in problems(self.before))]
        found = [text for text in problems(now) if not text.startswith(tuple(f"{name}: " for name in as_before))]
        expect(not found, f"{what}\n" + "\n".join(found[:5]))


class Disturbed:
    """Runs that are disturbed once, each from the same state on, and what the runs after them come to.

    Two disturbances that leave the same world and the same backup are followed up once: the next run sees no more than these.
    """

    def __init__(self, attack, flags, calls, end, follow):
        """`end` is where an undisturbed run ends; `follow` gives (flags, where a run with them must end) for the runs after."""
        self.attack, self.flags, self.calls, self.end, self.follow = attack, flags, calls, end, follow
        self.start = attack.keep()
        self.seen, self.failed, self.killed, self.followed = set(), 0, 0, 0

    def every(self):
        return [(number, do) for number in range(1, len(self.calls) + 1) for do in FAULTS]

    def one(self, number, do):
        attack, call = self.attack, self.calls[number - 1]
        what = f"{attack.script.name} {' '.join(self.flags)}, call {number} ({' '.join(call[:2])}), {do}"
        attack.back_to(self.start)
        done = attack.run(*self.flags, at=number, do=do)
        self.killed, self.failed = self.killed + do.startswith("kill"), self.failed + (not do.startswith("kill"))
        if no_matter(do, call):
            expect(done.returncode == 0, f"{what}: exits {done.returncode}\n{tail(done.stdout)}")
            return same(self.end, attack.stage.snapshot(), what)
        fails = (4,) if (call[0], do) == ("sts", "denied") else (1, 3)
        expect(done.returncode in ((-9,) if do.startswith("kill") else fails), f"{what}: exits {done.returncode}\n{tail(done.stdout)}")
        state = attack.state()
        if state in self.seen:
            return None
        self.seen.add(state)
        attack.sound(what)
        left = attack.keep()
        for flags, end in self.follow:
            if "--rollback" in flags and attack.untouched():
                same(end, attack.stage.snapshot(), f"{what}: it has changed something and has no backup")
                continue
            attack.run_well(*flags)
            self.followed += 1
            same(end, attack.stage.snapshot(), f"{what}: `{' '.join(flags) or 'apply'}` after it does not end where it should")
            attack.back_to(left)
        return None

    def one_in(self, stride):
        """Of calls and faults one in `stride`: each fault at another call than the one before it, and each fault somewhere."""
        tries = [(number, do) for number, do in self.every() if (number + FAULTS.index(do)) % stride == 0]
        missing = set(FAULTS) - {do for _, do in tries}
        return tries + [(1 + FAULTS.index(do) % len(self.calls), do) for do in FAULTS if do in missing]

    def all(self, sample=None, stride=1, seed=7):
        """Every way, or `sample` of them by a fixed seed, or one in `stride`."""
        tries = self.every()
        for number, do in random.Random(seed).sample(tries, min(sample, len(tries))) if sample else self.one_in(stride):
            self.one(number, do)
        return f"{len(self.calls)} calls: {self.failed} failed and {self.killed} killed of {len(tries)} ways, {self.followed} runs after them"


def disturb(attack):
    """Runs that apply: run again they end where they should, and rolled back at the world before."""
    attack.set_scene()
    start = attack.keep()
    calls = attack.run_well(*attack.flags).calls
    applied = attack.stage.snapshot()
    attack.back_to(start)
    return Disturbed(attack, attack.flags, calls, applied, [(attack.flags, applied), (("--rollback",), attack.before)])


def faults(attack, sample=None, stride=1):
    """All calls with all faults, or a sample."""
    return disturb(attack).all(sample, stride)


def rollback(attack, sample=None, stride=1):
    """Back to the world before and forth again, and the same by a rollback that is disturbed at each of its calls."""
    attack.set_scene()
    done = attack.run("--rollback")
    expect(done.returncode == 1 and "there is no backup" in done.stdout, f"--rollback without a backup exits {done.returncode}\n{tail(done.stdout)}")
    attack.run_well(*attack.flags)
    applied, start = attack.stage.snapshot(), attack.keep()
    said = attack.run_well("--rollback", "--dry-run").stdout
    same(applied, attack.stage.snapshot(), "--rollback --dry-run changed something")
    back = attack.run_well("--rollback")
    would = [line.removeprefix("would: ").removesuffix(", if it is empty").removesuffix(", if nothing is delivered to it") for line in said.splitlines() if line.startswith("would: ")]
    did = [line.removesuffix(" and which is empty") for line in back.stdout.splitlines() if line[:2] in ("~ ", "- ")]
    expect(would == did, f"--rollback --dry-run says {would}\nand --rollback does {did}")
    same(attack.before, attack.stage.snapshot(), "--rollback does not end at the world before")
    attack.run_well(*attack.flags)
    same(applied, attack.stage.snapshot(), "after a rollback the script does not end where it should")
    attack.run_well("--rollback")
    same(attack.before, attack.stage.snapshot(), "a second rollback does not end at the world before")
    attack.back_to(start)
    return Disturbed(attack, ("--rollback",), back.calls, attack.before, [(("--rollback",), attack.before), (attack.flags, applied)]).all(sample, stride)


def kept(attack):
    """What a rollback must leave alone: objects, and buckets that somebody still needs."""
    attack.set_scene()
    attack.run_well(*attack.flags)
    world, region = attack.stage.world, attack.script.stem
    s3 = world.client("s3", attack.account.id, region)
    source, (_, _) = next(item for item in attack.stage.map.sources.items() if item[1] == (attack.account.id, region))
    name = s3.get_bucket_logging(Bucket=source)["LoggingEnabled"]["TargetBucket"]
    changed = {"LoggingEnabled": {"TargetBucket": name, "TargetPrefix": "changed-since/"}}
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus=changed)
    done = attack.run_well("--rollback")
    now = attack.stage.snapshot()["buckets"]
    expect(now[source]["logging"] == changed["LoggingEnabled"], "--rollback overwrites logging that others have changed")
    expect(name in now, "--rollback deletes a log bucket that a source logs to")
    expect(done.stdout.count("kept: ") >= 2, f"--rollback does not say what it keeps\n{done.stdout}")
    attack.set_scene()
    attack.run_well(*attack.flags)
    s3.put_object(Bucket=name, Key="s3-access/log", Body=b"x")
    done = attack.run_well("--rollback")
    now = attack.stage.snapshot()["buckets"]
    expect(now[name]["objects"] == ["s3-access/log"] and "holds objects" in done.stdout, f"--rollback does not keep a log bucket with objects\n{done.stdout}")
    attack.run_well(*attack.flags)
    attack.run_well("--rollback")
    same({"buckets": now, "trails": {}}, {**attack.stage.snapshot(), "trails": {}}, "applied again and rolled back it is not the same")


def smallest(stage):
    """The script with a trail and the fewest lines of plan."""
    found = [(len(script.read_text()), account, script) for account, script in stage.scripts()]
    return min(found, key=lambda one: one[0])[1:]


PARTS = {"faults": lambda attack, stride: f"apply, {faults(attack, stride=stride)}",
         "rollback": lambda attack, stride: f"--rollback, {rollback(attack, stride=stride)}", "kept": lambda attack, _: kept(attack)}


def every_call(report, name, part, make_stage, stride):
    """One part of all that can be done to a map's first script with a trail, or one in `stride`; `make_stage()` sets the stage."""
    if not report.wants(f"{name}/attack-{part}"):
        return
    stage = make_stage()
    account, script = next(((a, s) for a, s in stage.scripts() if "trail/" in s.read_text()), smallest(stage))
    with report.check(f"{name}/attack-{part}"):
        if figures := PARTS[part](Attack(stage, account, script), stride):
            print(f"        {figures}")


def check(report, name, stage, samples):
    """A sample on one script of a map: so many ways to disturb applying, and so many of rolling back."""
    with report.check(f"{name}/attack-sample"):
        found = stage.scripts()
        index = random.Random(len(found)).randrange(len(found))
        attack = Attack(stage, *found[index], earlier=found[:index])
        print(f"        apply, {faults(attack, sample=samples[0])}; --rollback, {rollback(attack, sample=samples[1])}")
