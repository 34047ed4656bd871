"""Runs the generated AWS CLI scripts with the real AWS CLI against the mock.

A Stage is one map's world: its source buckets, one bystander that nothing may touch, and the generated tree.
`check` is what every tree must pass; selftest.py shows that each part of it can fail.
"""
import json
import random
import re
import subprocess
from dataclasses import replace

from . import delivery, monitoring, reviewed
from .mock import KEY
from .report import Failure, clean_env, expect
from .tools import find_tool
from .world import partition_of

CALLER = "999988887777"  # where people log in when a role is to be assumed from there
TIME_LIMIT = 300


class Stage:
    def __init__(self, mock, shim, world, region_map, tree, folder):
        self.mock, self.shim, self.world, self.map, self.tree, self.folder = mock, shim, world, region_map, tree, folder
        self.scene = self.applied = self.deployed = None  # what the scripts, and the templates, left behind
        self.order = json.loads((tree / "logmap.lock.json").read_text())["apply_order"]
        self.config = folder / "aws-config"
        self.config.write_text("".join(
            f"[profile {account.profile}]\naws_access_key_id = {KEY}{account.id}\naws_secret_access_key = x\n"
            for account in region_map.accounts.values() if account.profile))
        self.others = {f"bystander-{min(region_map.ids)}": (min(region_map.ids), min(region_map.regions))}

    def set_scene(self):
        """The world before: what the map says exists, and one bucket it does not speak of. Made once, and put back after that."""
        if self.scene:
            return self.mock.restore(self.scene)
        self.mock.reset()
        existing = {**self.map.sources, **self.map.external, **self.map.adopted, **self.others}
        for name, (account, region) in existing.items():
            self.world.create_bucket(account, region, name)
        for account, region, topic in self.map.topics:
            self.world.client("sns", account, region).create_topic(Name=topic)
        if self.map.config_rule:
            monitoring.record(self.world, self.map.ids, self.map.regions)
        self.before, self.scene = self.snapshot(), self.mock.save()
        return None

    def snapshot(self):
        found = self.world.snapshot(self.map.ids, self.map.regions)
        watched = lambda accounts, regions: monitoring.of_world(self.world, accounts, regions)
        seen = self.world.once("monitoring", watched, self.map.ids, self.map.regions) if self.map.monitored else {}
        beside = {f"{account}/{region}/topic/{name}" for account, region, name in self.map.topics}  # a trail's, which exist
        return {**found, "monitoring": {key: value for key, value in seen.items() if key not in beside}}

    def scripts(self):
        """[(account, script)] in the order in which the lock says to apply accounts, and run-all.sh their Regions."""
        all_of_them = self.tree / "aws-cli" / "run-all.sh"
        named = re.findall(r"^  '(.*)'$", all_of_them.read_text(), re.M) if all_of_them.exists() else []
        place = lambda path: named.index(f"{path.parent.name}/{path.name}") if named else 0
        found = [(self.map.accounts[key], path) for key in self.order for path in sorted(region_scripts(self.tree / "aws-cli", key), key=lambda path: (place(path), path))]
        expect(found, "there is no script")
        return found

    def environment(self, account):
        """The caller's credentials: none beside a profile, those of the caller's own account beside a role."""
        key = {} if account.profile else {"AWS_ACCESS_KEY_ID": KEY + (CALLER if account.role else account.id), "AWS_SECRET_ACCESS_KEY": "x"}
        env = clean_env(AWS_ENDPOINT_URL=self.mock.url, AWS_CONFIG_FILE=str(self.config), HOME=str(self.folder), TMPDIR=str(self.folder), **key)
        return {**env, "PATH": f"{self.shim.bin}:{env['PATH']}"}

    def run(self, account, script, *flags):
        return subprocess.run(["bash", script, *flags], cwd=self.folder, env=self.environment(account), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT)

    def run_well(self, account, script, *flags):
        done = self.run(account, script, *flags)
        if done.returncode:
            said = "".join(f"\nrefused: {line}" for line in self.mock.refused[-3:])
            raise Failure(f"{script.relative_to(self.tree)} {' '.join(flags)} exits {done.returncode}\n{tail(done.stdout)}{said}")
        return done.stdout

    def run_all(self, *flags):
        return [self.run_well(account, script, *flags) for account, script in self.scripts()]

    def delivers(self, sources=None):
        """Every source's and trail's objects arrive, by the policy as reviewed, and nothing else has changed."""
        now = self.snapshot()
        found = delivery.problems(now, self.map.sources if sources is None else sources, self.map.trails, self.map.organization)
        found += reviewed.differences(now, self.tree)
        for name, was in self.before["buckets"].items():
            may_change = {"logging"} if name in self.map.sources else set(was) if name in self.map.adopted else set()
            changed = [key for key in was if key not in may_change and was[key] != now["buckets"].get(name, {}).get(key)]
            found += [f"{name}: {key} was changed" for key in changed]
        expect(not found, "\n".join(found[:20]))
        return now


def region_scripts(folder, accounts):
    """Paths of the scripts of Regions: an account may be called as the folder of the library is."""
    return sorted(path for path in folder.glob(f"{accounts}/*.sh") if path.parent / path.name != folder / "lib" / "logmap.sh")


def tail(text, lines=12):
    return "\n".join(text.splitlines()[-lines:])


def kind_of_script(path):
    """Scripts of one kind differ in their data only: those of Regions, those of a runbook's steps, and those of one name."""
    if path.parent.parent.name == "aws-cli" and path in region_scripts(path.parent.parent, path.parent.name):
        return "region"
    return re.sub(r"^\d.*", "step", path.name)


linted = set()


def lint(tree):
    """`bash -n` and shellcheck on every script of the tree, once on those of the same bytes; and together with the library that it
    reads, which is long, one of each kind."""
    paths = sorted(tree.rglob("*.sh"))
    expect(paths, "there is no script")
    for path in paths:
        done = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
    library = frozenset(path.read_bytes() for path in paths if path.name in ("logmap.sh", "library.sh"))
    reads = [path for path in paths if re.search(r"(?m)^\s*\. ", path.read_text())]
    for follow, some in (((), {path.read_bytes(): path for path in paths}), (("--external-sources",), {(library, kind_of_script(path)): path for path in reads})):
        fresh = [path for key, path in some.items() if key not in linted]
        for start in range(0, len(fresh), 50):
            done = subprocess.run([find_tool("shellcheck"), "--norc", *follow, *fresh[start:start + 50]], env=clean_env(), capture_output=True, text=True)
            expect(done.returncode == 0, done.stdout + done.stderr)
        linted.update(some)


def same(one, other, what):
    """Two snapshots must be equal; names what is not."""
    differing = [f"{name}: {key}" for kind in ("buckets", "trails", "monitoring") for name in {**one.get(kind, {}), **other.get(kind, {})}
                 for key in {**one.get(kind, {}).get(name, {}), **other.get(kind, {}).get(name, {})}
                 if one.get(kind, {}).get(name, {}).get(key) != other.get(kind, {}).get(name, {}).get(key)]
    expect(not differing, f"{what}\n" + "\n".join(sorted(differing)[:20]))


def settled(stage):
    """What has been applied is there: a second run changes nothing, and --verify finds nothing."""
    for said in stage.run_all():
        expect(": 0 changes made" in said, f"the second run changes something\n{tail(said)}")
    stage.run_all("--verify")


def check(report, name, stage, sample=None, also=None):
    with report.check(f"{name}/lint"):
        lint(stage.tree)
    with report.check(f"{name}/dry-run"):
        stage.set_scene()
        stage.run_all("--dry-run")
        same(stage.before, stage.snapshot(), "--dry-run changed something")
    applied = None
    with report.check(f"{name}/delivery"):
        stage.set_scene()
        stage.run_all()
        applied = stage.applied = stage.delivers()
    if applied is None:
        return
    with report.check(f"{name}/again"):
        stage.run_all()
        same(applied, stage.snapshot(), "the second run changed something")
    if also:
        with report.check(f"{name}/live"):
            also(stage)
    with report.check(f"{name}/verify"):
        stage.run_all("--verify")
        same(applied, stage.snapshot(), "--verify changed something")
    with report.check(f"{name}/verify-finds-drift"):
        drift(stage, applied)
    if bare := [(a, s) for a, s in stage.scripts() if not (a.profile or a.role)]:
        with report.check(f"{name}/wrong-account"):
            wrong_account(stage, applied, *bare[0])
    with report.check(f"{name}/foreign-policy"):
        foreign(stage, applied)
    with report.check(f"{name}/faults"):
        faults(stage, applied, sample)
    if one_caller(stage.map.accounts.values()):
        with report.check(f"{name}/run-all"):
            stage.set_scene()
            stage.run_well(next(iter(stage.map.accounts.values())), stage.tree / "aws-cli" / "run-all.sh")
            same(applied, stage.snapshot(), "run-all.sh does not do what the scripts do")


def faults(stage, applied, sample=None):
    """Each change in turn is refused, in the script with the fewest (or in `sample` of all, by a fixed seed): the script
    must stop with an error, and run again it must end where it would have without."""
    counts, worlds = [], []  # how many changes each script makes, and the world before it
    stage.set_scene()
    for account, script in stage.scripts():
        worlds.append(stage.mock.save())
        stage.mock.fail(None)
        stage.run_well(account, script)
        counts.append(stage.mock.gate.changes)
    smallest = min((count, index) for index, count in enumerate(counts) if count)[1]
    tries = [(index, number) for index, count in enumerate(counts) for number in range(1, count + 1) if sample or index == smallest]
    for index, number in random.Random(7).sample(tries, min(sample, len(tries))) if sample else tries:
        stage.mock.restore(worlds[index])
        account, script = stage.scripts()[index]
        stage.mock.fail(number)
        done = stage.run(account, script)
        expect(done.returncode != 0, f"{script.name} exits 0 although its change {number} was refused ({stage.mock.refused[-1:]})\n{tail(done.stdout)}")
        stage.mock.fail(None)
        for again in stage.scripts()[index:]:
            stage.run_well(*again)
        same(applied, stage.snapshot(), f"after a fault in change {number} of {script.name} a second run does not end where it should")


def one_caller(accounts):
    """Whether one set of credentials can run every script: each account by its profile, or each by its role."""
    return len(accounts) == 1 or all(a.profile for a in accounts) or all(a.role and not a.profile for a in accounts)


def a_log_bucket(stage, applied):
    """(account, script, name) of the first log bucket."""
    return next((account, script, name) for account, script in stage.scripts() for name, bucket in applied["buckets"].items()
                if (bucket["account"], bucket["region"]) == (account.id, script.stem) and bucket["policy"])


def foreign(stage, applied):
    """A statement that is not ours stops a script, which shows it; --force replaces it, and keeps a copy."""
    account, script, name = a_log_bucket(stage, applied)
    s3, policy = stage.world.client("s3", account.id, script.stem), applied["buckets"][name]["policy"]
    partition = partition_of(script.stem)
    found = {"Sid": "ForeignStatement", "Effect": "Allow", "Principal": {"AWS": f"arn:{partition}:iam::{account.id}:root"},
             "Action": "s3:GetObject", "Resource": f"arn:{partition}:s3:::{name}/*"}
    text = json.dumps({**policy, "Statement": [*policy["Statement"], found]})
    s3.put_bucket_policy(Bucket=name, Policy=text)
    done = stage.run(account, script)
    now = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    expect(now == json.loads(text), f"{script.name} overwrites a statement on {name} that it does not know")
    expect(done.returncode != 0 and "ForeignStatement" in done.stdout, f"{script.name} does not say which statement stands in its way\n{tail(done.stdout)}")
    stage.run_well(account, script, "--force")
    same(applied, stage.snapshot(), "--force does not end where it should")
    copies = [path for path in stage.folder.rglob("*") if path.is_file() and b"ForeignStatement" in path.read_bytes()]
    expect(copies, f"{script.name} --force leaves no copy of what it replaced")


def drift(stage, applied):
    """--verify must fail when a log bucket has lost its policy."""
    account, script, name = a_log_bucket(stage, applied)
    stage.world.client("s3", account.id, script.stem).delete_bucket_policy(Bucket=name)
    done = stage.run(account, script, "--verify")
    expect(done.returncode != 0, f"{script.name} --verify exits 0 although {name} has no policy")
    stage.run_well(account, script)
    same(applied, stage.snapshot(), "running again did not repair the policy")


def wrong_account(stage, applied, account, script):
    """With another account's credentials a script must stop before it does anything."""
    done = stage.run(replace(account, id=CALLER), script)
    expect(done.returncode != 0, f"{script.name} runs in account {CALLER}")
    same(applied, stage.snapshot(), "a script changed something in another account")
