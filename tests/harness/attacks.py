"""Disturbs the generated scripts: calls that fail, scripts that are killed, and the way back.

A script that was disturbed must leave no source that logs where it can't, and run again it must end where an undisturbed
run ends.  `--rollback` must end at the world before, interrupted or not.
"""
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

from . import delivery
from .report import clean_env, expect
from .scripts import TIME_LIMIT, same, tail

READS = ("get-", "head-", "list-", "describe-", "wait", "assume-role")
FAULTS = ("throttle", "denied", "network", "kill before", "kill after")


def is_write(call):
    return not call[1].startswith(READS)


class Attack:
    """One script, run in a scene of its own, with a backup folder of its own."""

    def __init__(self, stage, account, script, earlier=(), scene=None, flags=()):
        self.stage, self.account, self.script, self.earlier, self.scene, self.flags = stage, account, script, earlier, scene, flags
        self.calls = stage.folder / "calls"

    def set_scene(self):
        self.stage.set_scene()
        self.home = Path(tempfile.mkdtemp(dir=self.stage.folder))
        if self.scene:
            self.scene(self.stage)
        for account, script in self.earlier:
            self.stage.run_well(account, script)
        self.before = self.stage.snapshot()

    def run(self, *flags, at=None, do=None, **extra):
        """One run: its result, with `calls` as the list of what it asked the AWS CLI to do."""
        self.calls.unlink(missing_ok=True)
        env = {**self.stage.environment(self.account), "HARNESS_CALLS": str(self.calls), "LOGMAP_BACKUP_DIR": str(self.home / "backup"), **extra}
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
        return not (self.home / "backup").exists()

    def sound(self, what):
        """Nothing logs, and no trail delivers, where it would be refused; a trail that is not started yet is fine."""
        found = [text for text in delivery.problems(self.stage.snapshot(), (), (), self.stage.map.organization) if not text.endswith("is not logging")]
        expect(not found, f"{what}\n" + "\n".join(found[:5]))


def disturb(attack, number, do, applied):
    """One disturbed run and, where it left anything behind, one undisturbed run after it."""
    what = f"{attack.script.name}, call {number}, {do}"
    attack.set_scene()
    done = attack.run(*attack.flags, at=number, do=do)
    if do == "throttle":
        expect(done.returncode == 0, f"{what}: exits {done.returncode}\n{tail(done.stdout)}")
        return same(applied, attack.stage.snapshot(), what)
    expect(done.returncode == -9 if do.startswith("kill") else done.returncode in (1, 3), f"{what}: exits {done.returncode}\n{tail(done.stdout)}")
    now = attack.stage.snapshot()
    if now == attack.before and attack.untouched():
        return None  # the next run is the first one again
    attack.sound(what)
    attack.run_well(*attack.flags)
    return same(applied, attack.stage.snapshot(), f"{what}: run again it does not end where it should")


def faults(attack, sample=None, seed=7):
    """A sample of all calls with all faults; 0 is all of them, None the three worst for each write and one for each read."""
    attack.set_scene()
    calls = attack.run_well(*attack.flags).calls
    applied = attack.stage.snapshot()
    tries = [(number, do) for number in range(1, len(calls) + 1) for do in FAULTS]
    if sample is None:
        few = {number: ("throttle", "denied", "kill after") if is_write(call) else (("throttle", "network")[number % 2],) for number, call in enumerate(calls, 1)}
        tries = [(number, do) for number, do in tries if do in few[number]]
    elif sample:
        tries = random.Random(seed).sample(tries, min(sample, len(tries)))
    for number, do in tries:
        disturb(attack, number, do, applied)
    return f"{len(tries)} of {len(calls)} calls x {len(FAULTS)} faults"


def rollback(attack, sample=None, seed=7):
    """Back to the world before: after a whole run, after interrupted ones, and by interrupted rollbacks; then forth again."""
    attack.set_scene()
    done = attack.run("--rollback")
    expect(done.returncode == 1 and "there is no backup" in done.stdout, f"--rollback without a backup exits {done.returncode}\n{tail(done.stdout)}")
    calls = attack.run_well(*attack.flags).calls
    applied = attack.stage.snapshot()
    said = attack.run_well("--rollback", "--dry-run").stdout
    same(applied, attack.stage.snapshot(), "--rollback --dry-run changed something")
    back = attack.run_well("--rollback")
    would = [line.removeprefix("would: ").removesuffix(", if it is empty") for line in said.splitlines() if line.startswith("would: ")]
    did = [line.removesuffix(" and which is empty") for line in back.stdout.splitlines() if line[:2] in ("~ ", "- ")]
    expect(would == did, f"--rollback --dry-run says {would}\nand --rollback does {did}")
    same(attack.before, attack.stage.snapshot(), "--rollback does not end at the world before")
    attack.run_well(*attack.flags)
    same(applied, attack.stage.snapshot(), "after a rollback the script does not end where it should")
    attack.run_well("--rollback")
    same(attack.before, attack.stage.snapshot(), "a second rollback does not end at the world before")
    writes = [number for number, call in enumerate(calls, 1) if is_write(call)]
    tries = [("apply", number, do) for number in writes for do in ("kill before", "kill after", "denied")]
    tries += [("rollback", number, do) for number, call in enumerate(back.calls, 1) if is_write(call) for do in ("kill before", "kill after", "network")]
    for which, number, do in random.Random(seed).sample(tries, min(sample, len(tries))) if sample else tries:
        what = f"{attack.script.name}: {which}, call {number}, {do}"
        attack.set_scene()
        at = {"at": number, "do": do}
        attack.run(*attack.flags, **(at if which == "apply" else {}))
        if which == "rollback":
            done = attack.run("--rollback", **at)
            expect(done.returncode in (-9, 3), f"{what}: exits {done.returncode}\n{tail(done.stdout)}")
        if which == "rollback" or not attack.untouched():
            attack.run_well("--rollback")
        same(attack.before, attack.stage.snapshot(), f"{what}: a rollback after it does not end at the world before")


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


def check(report, name, stage, exhaustive):
    """On one map: all of it for its first script with a trail, or a sample."""
    account, script = next(((a, s) for a, s in stage.scripts() if "trail/" in s.read_text()), smallest(stage))
    if exhaustive:
        attack = Attack(stage, account, script)
        with report.check(f"{name}/attack-faults"):
            print(f"        {faults(attack, sample=None)}")
        with report.check(f"{name}/attack-rollback"):
            rollback(attack, sample=12)
        with report.check(f"{name}/attack-kept"):
            kept(attack)
    else:
        with report.check(f"{name}/attack-sample"):
            found = stage.scripts()
            index = random.Random(len(found)).randrange(len(found))
            attack = Attack(stage, *found[index], earlier=found[:index])
            faults(attack, sample=3)
            rollback(attack, sample=1)
