"""From one map to another by the runbook's own scripts, with the real AWS CLI against the mock.

The world of the old map is built by its generated scripts.  Then the steps run in order, each stopped after every single
change and started again, some killed, each repeated, some rolled back.  After every run `delivery.py` says whether each source's
and trail's objects would arrive somewhere legal.  What people do (make buckets again, set external sources) and what AWS does
(deliver) happens here.  At the end the world must equal a fresh build of the new map plus the old log buckets.
Terraform's core walks the stages of the same runbooks in the stand-in provider's state: no log bucket may go.
"""
import datetime
import json
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import moto.s3.models as s3

from . import delivery, maps, mock_listing
from .attacks import is_write
from .report import clean_env, expect
from .scripts import Stage, lint, tail

TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS.parent / "examples" / "move"
MAPS = {"old": "old.yaml", "new": "logmap.yaml"}
AGO = datetime.timedelta(hours=30)


class Move:
    """One runbook in one world."""

    def __init__(self, bench, pair):
        self.bench, self.folder, self.mock, self.world, self.pair = bench, bench.new_folder(), bench.mock, bench.world, pair
        self.counts = {"steps": 0, "interrupted": 0, "repeated": 0, "rolled back": 0, "invariants": 0}
        self.stages = {side: bench.stage_from((pair / name).read_text()) for side, name in MAPS.items()}
        self.old, self.new = self.stages["old"].map, self.stages["new"].map
        self.book = self.folder / "runbook"
        done = subprocess.run([bench.args.logmap, "runbook", pair / "old.yaml", pair / "logmap.yaml", "--out", self.book, "-q"], env=clean_env(), capture_output=True, text=True)
        expect(done.returncode == 0, done.stdout + done.stderr)
        self.steps = sorted((self.book / "steps").glob("*.sh"))
        expect(len(self.steps) > 3, "a runbook without steps")
        self.evidence, self.window = self.folder / "evidence", set()
        self.came = set()
        # a stage that has the accounts, places and sources of both maps
        both = replace(self.new, accounts={account.id: account for account in [*self.old.accounts.values(), *self.new.accounts.values()]}, trails=self.old.trails | self.new.trails,
                       sources={**self.old.sources, **self.new.sources}, external={**self.old.external, **self.new.external},
                       adopted={**self.old.adopted, **self.new.adopted})
        self.stage = Stage(bench.mock, bench.shim, bench.world, both, self.stages["new"].tree, self.folder)

    def account(self, step):
        number = re.search(r"^# account: (\d{12})$", step.read_text(), re.M).group(1)
        return next(account for account in self.stage.map.accounts.values() if account.id == number)

    def run(self, step, *flags, fail=None, kill=None, path=None):
        """One run of a step; then the invariant.  `fail`: the change of that number is refused.  `kill`: after that call.  `path`: before others."""
        account, calls = self.account(step), self.folder / "calls"
        calls.unlink(missing_ok=True)
        env = {**self.stage.environment(account), "LOGMAP_EVIDENCE_DIR": str(self.evidence), "LOGMAP_BACKUP_DIR": str(self.folder / "backup"),
               "HARNESS_CALLS": str(calls)}
        env |= {"HARNESS_AT": str(kill), "HARNESS_DO": "kill after"} if kill else {}
        env |= {"PATH": f"{path}:{env['PATH']}"} if path else {}
        self.mock.fail(fail)
        done = subprocess.run(["bash", step, *flags], cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, start_new_session=True)
        done.changes = self.mock.gate.changes
        self.mock.fail(None)
        done.calls = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
        if done.changes:
            self.legal(f"{step.stem} {' '.join(flags)} fail={fail} kill={kill}\n{tail(done.stdout)}")
        return done

    def well(self, step, *flags):
        done = self.run(step, *flags)
        expect(done.returncode == 0, f"{step.stem} {' '.join(flags)} exits {done.returncode}\n{tail(done.stdout)}\n{self.mock.refused[-2:]}")
        return done

    def legal(self, what):
        """Every source and trail of both maps has a destination that takes its objects, but for those in their window."""
        self.counts["invariants"] += 1
        now = self.stage.snapshot()
        must = (self.old.sources.keys() | self.old.external.keys()) & (self.new.sources.keys() | self.new.external.keys())
        found = delivery.problems(now, sorted(must - self.window), self.old.trails & self.new.trails, self.new.organization)
        expect(not found, f"after {what}\n" + "\n".join(found[:8]))
        lost = [name for name in self.log_buckets if name not in now["buckets"]]
        expect(not lost, f"after {what}\nlog buckets are gone: {lost}")
        return now

    # ---- what is not the runbook's

    def owners_move(self, step):
        for name, region, _ in re.findall(r"^  recreated '([^']*)' '([^']*)' '(\d*)'$", step.read_text(), re.M):
            (old_account, old_region), (account, new_region) = self.old.sources[name], self.new.sources[name]
            expect(old_region == region, f"{name} is said to be in {region}")
            self.window.add(name)
            self.world.client("s3", old_account, old_region).delete_bucket(Bucket=name)
            self.world.create_bucket(account, new_region, name)

    def owners_set(self, before=False):
        """Other code gives its sources the destinations that the steps name, or those before them."""
        for words in self.rows("source_bucket"):
            name, by, new, old = words
            if by == "external":
                place = self.old.external.get(name) if before else self.new.external.get(name, self.old.external.get(name))
                if place:
                    self.world.client("s3", *place).put_bucket_logging(Bucket=name, BucketLoggingStatus=json.loads(old if before else new))

    def rows(self, function, only=None):
        """The arguments of each call of a function in any step, or in one."""
        for step in [only] if only else self.steps:
            if "-verify-" not in step.stem:
                for line in step.read_text().splitlines():
                    if line.startswith(f"  {function} "):
                        yield shlex.split(line)[1:]

    def deliver(self):
        """One log object of each source where AWS would write it."""
        for name, bucket in self.stage.snapshot()["buckets"].items():
            if bucket["logging"]:
                client = self.world.client("s3", bucket["account"], bucket["region"])
                client.put_object(Bucket=bucket["logging"]["TargetBucket"], Key=self.today(delivery.access_log_key(name, bucket)), Body=b"x")

    @staticmethod
    def today(key):
        now = datetime.datetime.now(datetime.timezone.utc)
        return key.replace("2026/01/02", now.strftime("%Y/%m/%d")).replace("2026-01-02", now.strftime("%Y-%m-%d"))

    def arrive(self, step):
        """What lay at the new destinations before the switch has not arrived after it."""
        self.deliver()
        self.age_objects(2 * AGO)
        done = self.run(step)
        expect(done.returncode == 1 and "waits: nothing from" in done.stdout, f"{step.stem} takes old objects for new ones\n{tail(done.stdout)}")
        self.deliver()

    def a_day_passes(self):
        """Records and objects get older."""
        past = datetime.datetime.now(datetime.timezone.utc) - AGO
        for record in self.evidence.glob("*.done"):
            record.write_text(past.strftime("%Y-%m-%dT%H:%M:%SZ\n"))
        self.age_objects(AGO)

    def expire(self, step):
        """What lies under an old prefix keeps its rule, wherever it lies among the new map's logs; these, and delete markers, do not."""
        for bucket, prefix, _, *live in self.rows("emptied", step):
            place = self.stage.snapshot()["buckets"][bucket]
            client = self.world.client("s3", place["account"], place["region"])
            for under in live:
                # more than a page, and what comes behind the beginnings of everything that AWS writes
                for name in [*(f"{number:02}" for number in range(2 * mock_listing.PAGE_OF_VERSIONS)), "~~", "~\u00e9"]:
                    client.put_object(Bucket=bucket, Key=under + name, Body=b"x")
            client.put_object(Bucket=bucket, Key=prefix + "left", Body=b"x")
            self.waits_for(step, f"s3://{bucket}/{prefix}", "the old map's logs")
            for entry in client.list_object_versions(Bucket=bucket, Prefix=prefix)["Versions"]:
                if not entry["Key"].startswith(tuple(live)):
                    client.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
            # '0' comes right behind the slash
            for key in [f"{prefix}!", *(under[:-1] + "0" for under in live)] if live else [prefix + "x"]:
                version = client.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"]
                self.waits_for(step, f"s3://{bucket}/{prefix}", key)
                client.delete_object(Bucket=bucket, Key=key)
                self.waits_for(step, f"s3://{bucket}/{prefix}", f"a noncurrent version of {key}")
                client.delete_object(Bucket=bucket, Key=key, VersionId=version)
            done = self.run(step, "--dry-run")
            expect(done.returncode == 0, f"{step.stem} waits for the new map's logs, or for delete markers ({done.returncode})\n{tail(done.stdout)}")
            broken = self.bench.new_folder()
            for answer in ("", "{}", "<html>", "null"):
                (broken / "aws").write_text(f"#!/bin/sh\ncase $2 in list-object-versions) printf %s '{answer}' ;; *) exec '{shutil.which('aws', path=self.stage.environment(self.account(step))['PATH'])}' \"$@\" ;; esac\n")
                (broken / "aws").chmod(0o755)
                done = self.run(step, path=broken)
                expect(done.returncode == 3 and not done.changes and "can't be told from the answer" in done.stdout, f"{step.stem} takes the answer {answer!r} for an empty list ({done.returncode})\n{tail(done.stdout)}")

    def waits_for(self, step, where, what):
        done = self.run(step)
        expect(done.returncode == 1 and not done.changes and f"{where} still holds logs" in done.stdout, f"{step.stem} does not wait for {what} ({done.returncode})\n{tail(done.stdout)}")

    @staticmethod
    def age_objects(ago):
        past = datetime.datetime.now(datetime.timezone.utc) - ago
        for partitions in s3.s3_backends.values():
            for backend in partitions.values():
                for bucket in backend.buckets.values():
                    for key in bucket.keys.values():
                        key.last_modified = past.replace(tzinfo=None)

    # ---- the walk

    def prepare(self):
        fresh = self.stages["new"]
        fresh.set_scene()
        fresh.run_all()
        self.fresh = fresh.snapshot()
        old = self.stages["old"]
        old.set_scene()
        for name, place in {**self.new.sources, **self.new.external, **self.new.adopted}.items():
            if name not in {**self.old.sources, **self.old.external, **self.old.adopted} and name not in self.world.snapshot(self.old.ids, self.old.regions)["buckets"]:
                self.world.create_bucket(*place, name)
        old.run_all()
        self.owners_set(before=True)
        self.log_buckets = [name for name, bucket in self.stage.snapshot()["buckets"].items() if bucket["policy"]]
        self.deliver()
        self.a_day_passes()
        self.legal("the old map's scripts")

    def walk(self, exhaustive):
        self.prepare()
        for number, step in enumerate(self.steps):
            work = step.stem.split("-")[1]
            status = self.run(step, "--status")
            looks = work in ("recreate", "verify", "drain")
            if work != "retire" and work not in self.came:
                expect(status.returncode == 1, f"{step.stem} is said to be done before it was taken ({status.returncode})\n{tail(status.stdout)}")
            if looks and (work == "recreate" or work not in self.came):
                done = self.run(step)
                expect(done.returncode == 1 and "waits: " in done.stdout, f"{step.stem} has nothing to wait for\n{tail(done.stdout)}")
                {"recreate": lambda: self.owners_move(step), "verify": lambda: self.arrive(step), "drain": self.a_day_passes}[work]()
                self.came.add(work)  # to all places at once
            elif work in ("switch", "release") and (self.old.external or self.new.external):
                done = self.run(step)
                if done.returncode == 1 and "waits: " in done.stdout:
                    self.owners_set()
            if work == "retire":
                self.expire(step)
            if not looks:
                self.interrupt(step, exhaustive)
            self.well(step)
            if work == "switch":
                self.window -= set(re.findall(r"^  source_bucket '([^']*)'", step.read_text(), re.M))
            again = self.run(step)
            expect(again.returncode == 0 and again.changes == 0, f"{step.stem} is not done by being done\n{tail(again.stdout)}")
            self.counts["steps"] += 1
            self.counts["repeated"] += 1
            if work in ("grant", "switch", "narrow") and exhaustive:
                self.roll_back(step)
        self.end()

    def interrupt(self, step, exhaustive):
        """Stopped after each of its changes, and killed once right after a change."""
        planned = self.run(step, "--dry-run")
        expect(planned.returncode == 0 and planned.changes == 0, f"{step.stem} --dry-run exits {planned.returncode}\n{tail(planned.stdout)}")
        wanted = planned.stdout.count("would: ")
        if wanted > 1:
            killed = self.run(step, kill=len(planned.calls) + 1)
            expect(killed.returncode != 0 and is_write(killed.calls[-1]), f"{step.stem} was not killed after a change: {killed.calls[-1:]}")
            self.counts["interrupted"] += 1
        for _ in range(wanted if exhaustive else 1):
            stopped = self.run(step, fail=2)
            if stopped.returncode == 0:
                break
            expect(stopped.returncode == 3, f"{step.stem} exits {stopped.returncode} where a change was refused\n{tail(stopped.stdout)}")
            self.counts["interrupted"] += 1

    def made_again(self, step):
        """What was just made again elsewhere did not log before."""
        return {name for name, _, _, old in self.rows("source_bucket", step) if old == "{}"} if "-switch-" in step.stem else set()

    def roll_back(self, step):
        window = set(self.window)
        self.window |= self.made_again(step)
        self.well(step, "--rollback")
        done = self.well(step)
        expect(done.changes, f"{step.stem} --rollback changed nothing")
        self.window = window
        self.counts["rolled back"] += 1

    def end(self):
        now = self.legal("the last step")
        for name, wanted in self.fresh["buckets"].items():
            found = now["buckets"].get(name)
            expect(found, f"{name} of the new map is missing")
            for key in wanted.keys() - {"objects", "tags"}:
                if not (key == "logging" and name in self.new.external):
                    expect(found[key] == wanted[key], f"{name}: {key} is {found[key]}, and {wanted[key]} in a fresh build")
            tags = [tag for tag in wanted["tags"] or [] if tag not in (found["tags"] or [])]
            expect(not tags, f"{name}: tags {tags} are missing")
        expect(now["trails"] == self.fresh["trails"], f"trails: {now['trails']}\nfresh: {self.fresh['trails']}")
        gone = [name for name in self.log_buckets if name not in self.fresh["buckets"]]
        for name in gone:
            bucket = now["buckets"][name]
            expect("Service" not in json.dumps(bucket["policy"]), f"{name} still lets services in")
            expect(bucket["lifecycle"], f"{name} has no lifecycle")
        for name in self.old.sources.keys() - self.new.sources.keys() - self.new.external.keys():
            expect(not now["buckets"][name]["logging"], f"{name} left the map and still logs")
        if len(self.stage.map.accounts) == 1:  # with several, each step needs other credentials
            env = {**self.stage.environment(self.account(self.steps[0])), "LOGMAP_EVIDENCE_DIR": str(self.evidence), "LOGMAP_BACKUP_DIR": str(self.folder / "backup")}
            run = lambda name, *args: subprocess.run(["bash", self.book / name, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder)
            for name, args, code, said in [("status.sh", (), 0, f"{len(self.steps)} of {len(self.steps)} steps are done"),
                                           ("status.sh", ("--rollback",), 0, f"possible  {self.steps[-1].stem}"), ("run-phase.sh", ("narrow",), 0, "phase narrow: 1 steps"),
                                           ("run-phase.sh", ("create",), 2, "no phase create"), ("run-phase.sh", (), 2, "run-phase.sh PHASE")]:
                done = run(name, *args)
                expect(done.returncode == code and said in done.stdout, f"{name} {args} exits {done.returncode}\n{done.stdout}")

        for step in self.steps if len(self.stage.map.accounts) > 1 else ():
            expect(self.run(step, "--status").returncode == 0, f"{step.stem} is not said to be done at the end")

    def wrong_hands(self):
        """Steps taken before their turn, and rolled back under later ones: refused, or harmless, which `run` looks at."""
        self.prepare()
        early = refused = taken_back = 0
        for step in reversed(self.steps[1:]):
            done = self.run(step)
            expect(done.returncode in (0, 1), f"{step.stem} before its turn exits {done.returncode}\n{tail(done.stdout)}")
            expect(done.returncode == 0 or not done.changes, f"{step.stem} refuses and changes something\n{tail(done.stdout)}")
            early += done.returncode == 1
            if done.changes:
                self.well(step, "--rollback")
        for number, step in enumerate(self.steps):
            work = step.stem.split("-")[1]
            for wait in {"recreate": [lambda: self.owners_move(step)], "verify": [self.deliver], "drain": [self.a_day_passes]}.get(work, []):
                wait()
            done = self.run(step)
            if done.returncode == 1 and "waits: " in done.stdout:
                self.owners_set()
                self.well(step)
            if work == "switch":
                self.window -= set(re.findall(r"^  source_bucket '([^']*)'", step.read_text(), re.M))
            follows = self.steps[number + 1].stem.split("-")[1] if number + 1 < len(self.steps) else ""
            if work not in ("switch", "release", "narrow", "retire") or work == follows:
                continue
            for earlier in self.steps[:number]:
                window = set(self.window)
                self.window |= self.made_again(earlier)
                back = self.run(earlier, "--rollback")
                expect(back.returncode in (0, 1), f"{earlier.stem} --rollback under {step.stem} exits {back.returncode}\n{tail(back.stdout)}")
                expect(back.returncode == 0 or not back.changes, f"{earlier.stem} --rollback refuses and changes something\n{tail(back.stdout)}")
                refused, taken_back = refused + back.returncode, taken_back + (back.changes > 0)
                if back.changes:
                    self.owners_set()
                    self.well(earlier)
                self.window = window
        expect(early and refused, f"{early} steps refused before their turn, {refused} rollbacks")
        return f"{early} steps refused before their turn, {refused} rollbacks refused and {taken_back} harmless under later steps"

    def refusals(self):
        """What a step must refuse: another account's credentials, a state that neither map knows, a step out of its order."""
        self.prepare()
        first, narrow = self.steps[0], next(step for step in self.steps if "-narrow-" in step.stem)
        done = self.run(narrow)
        expect(done.returncode == 1 and "there is no record" in done.stdout and done.changes == 0, f"{narrow.stem} runs first\n{tail(done.stdout)}")
        stranger = replace(self.account(first), id="999988887777", profile=None, role=None)
        own, self.account = self.account, lambda step: stranger
        done = self.run(first)
        self.account = own
        expect(done.returncode == 4 and "these credentials are of account" in done.stdout and done.changes == 0, tail(done.stdout))
        grant = next(step for step in self.steps if "-grant-" in step.stem)
        name = re.search(r"^  bucket '([^']*)'", grant.read_text(), re.M).group(1)
        client = self.world.client("s3", self.account(grant).id, self.stage.snapshot()["buckets"][name]["region"])
        policy = json.loads(client.get_bucket_policy(Bucket=name)["Policy"])
        foreign = {"Sid": "ForeignStatement", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account(grant).id}:root"},
                   "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        client.put_bucket_policy(Bucket=name, Policy=json.dumps({**policy, "Statement": [*policy["Statement"], foreign]}))
        done = self.run(grant)
        expect(done.returncode == 1 and "ForeignStatement" in done.stdout and done.changes == 0, f"{grant.stem} overwrites what it does not know\n{tail(done.stdout)}")
        client.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        for step in self.steps[:self.steps.index(grant) + 1]:
            self.well(step)
        switch = next(step for step in self.steps if "-switch-" in step.stem and re.search(r"source_bucket '[^']*' 'managed' '[^']*' '\{\"", step.read_text()))
        source = re.search(r"source_bucket '([^']*)' 'managed' '[^']*' '\{\"", switch.read_text()).group(1)
        client = self.world.client("s3", *self.old.sources[source])
        status = client.get_bucket_logging(Bucket=source)["LoggingEnabled"]
        client.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": {**status, "TargetPrefix": status["TargetPrefix"] + "elsewhere/"}})
        done = self.run(switch)
        expect(done.returncode == 1 and source in done.stdout and done.changes == 0, f"{switch.stem} overwrites a destination that it does not know\n{tail(done.stdout)}")


def only_forgets(plan):
    """No log bucket and no setting of one is deleted or replaced."""
    for change in plan.get("resource_changes", []):
        actions = change["change"]["actions"]
        if change["type"].startswith("aws_s3_bucket") and change["type"] != "aws_s3_bucket_logging":
            expect("delete" not in actions, f"{change['address']} is to be {'replaced' if 'create' in actions else 'deleted'}")


class Modules:
    """The root modules of an organisation, applied stage after stage."""

    def __init__(self, core, folder):
        self.core, self.root, self.applied = core, folder / "modules", 0
        self.root.mkdir()

    def apply(self, source, key, target=None):
        """Puts the files of a module into place, plans, looks, applies; a second plan has nothing to do."""
        module = self.root / (target or key)
        module.mkdir(exist_ok=True)
        for old in module.iterdir():
            if old.suffix == ".tf" or old.name == "policies":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(source / key, module, dirs_exist_ok=True)
        plan = self.core.plan(module, again=(module / ".terraform").exists())
        only_forgets(plan)
        self.core.run(module, "apply", "-no-color", "plan")
        rest = [c["address"] for c in self.core.plan(module, again=True).get("resource_changes", []) if c["change"]["actions"] != ["no-op"]]
        expect(not rest, f"{key}: a second plan changes {rest}")
        self.applied += 1
        return plan

    def buckets(self):
        """Every log bucket that some state holds."""
        found = set()
        for module in self.root.iterdir():
            state = self.core.run(module, "state", "list").split()
            found |= {address for address in state if address.startswith("aws_s3_bucket.")}
        return found


def terraform(logmap, core, pair, book, folder):
    """The stages by Terraform's core: nothing is destroyed or replaced, and the end is the new map's own output."""
    modules = Modules(core, folder)
    out = folder / "out"
    generate = lambda side: subprocess.run([logmap, "generate", pair / MAPS[side], "--out", out, "-q"], env=clean_env(), check=True, capture_output=True)
    generate("old")
    order = json.loads((out / "logmap.lock.json").read_text())["apply_order"]
    for key in order:
        modules.apply(out / "terraform", key)
    before = modules.buckets()
    text = (book / "RUNBOOK.md").read_text()
    for new, old in re.findall(r'mkdir -p "\$\{MODULES:\?\}/(\S+)\.new".*?rm -f "\$\{MODULES:\?\}/(\S+)"/\*\.tf', text, re.S):
        hand = book / "stages" / "0-hand-over" / "terraform"
        plan = modules.apply(hand, new, f"{new}.new")
        actions = {tuple(c["change"]["actions"]) for c in plan.get("resource_changes", [])}
        expect(all("create" not in found and "delete" not in found for found in actions), f"handing over makes or deletes: {actions}")
        plan = modules.apply(hand, old)
        expect({tuple(c["change"]["actions"]) for c in plan["resource_changes"]} == {("forget",)}, "the old module does more than forget")
        (modules.root / old).rename(modules.root / f"{old}.old")
        (modules.root / f"{new}.new").rename(modules.root / new)
        expect(modules.buckets() == before, "a log bucket got lost when it was handed over")
    for module, address in re.findall(r"^terraform -chdir=\"\$\{MODULES:\?\}/(\S+)\" state rm '(.*)'$", text, re.M):
        modules.core.run(modules.root / module, "state", "rm", address)
    for stage in ("1-grant", "2-switch", "3-narrow", "4-forget"):
        found = re.findall(rf"cp -R stages/{stage}/terraform/(\S+)/\. ", text)
        for key in found:
            modules.apply(book / "stages" / stage / "terraform", key)
        expect(stage == "4-forget" or before <= modules.buckets(), f"{stage} loses log buckets: {before - modules.buckets()}")
    shutil.rmtree(out)
    generate("new")
    for key in json.loads((out / "logmap.lock.json").read_text())["apply_order"]:
        plan = modules.apply(out / "terraform", key)
        changed = [c["address"] for c in plan.get("resource_changes", []) if c["change"]["actions"] != ["no-op"]]
        expect(not changed, f"the new map's own module still changes {changed}")
    return modules.applied


def pairs():
    """Folders with an old map and a new one; the example is walked with every step interrupted at every change."""
    return [EXAMPLE, *sorted(path for path in (TESTS / "pairs").iterdir() if path.is_dir())]


def check(report, bench, pair, part):
    """One part of what must hold for a pair of maps."""
    name = f"moves/{pair.name}/{part}"
    if not report.wants(name):
        return
    with report.check(name):
        move = Move(bench, pair)
        if part == "walk":
            lint(move.book)
            move.walk(exhaustive=pair == EXAMPLE)
            print("        " + ", ".join(f"{count} {what}" for what, count in move.counts.items()), flush=True)
        elif part == "refusals":
            move.refusals()
        elif part == "wrong-hands":
            print("        " + move.wrong_hands(), flush=True)
        else:
            applied = terraform(bench.args.logmap, bench.core(), pair, move.book, bench.new_folder())
            print(f"        {applied} modules applied", flush=True)
