"""The calls to AWS that a script makes, counted: no more than it needs.

Each source's logging must be read (there is no call for many), so a run that changes nothing makes a call for each source, ten for each
log bucket, three for each trail, one that lists all buckets with their Regions, and one that says whose credentials these are. A first
run makes one call more for each thing that it changes. Without the list (an old CLI, or no right to it) there is one more for each bucket.
"""
import collections
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

from .report import clean_env, expect
from .scripts import same, tail

MAP = """\
version: 1
organization: {{ name: acme }}
accounts:
  prod:
    id: "111122223333"
    regions:
      us-east-1: {{ buckets: [{sources}] }}
trails:
  audit: {{ home_region: us-east-1 }}
"""
SETTINGS = ("policy", "encryption", "request-payment", "object-lock-configuration", "ownership-controls", "lifecycle-configuration", "versioning",
            "tagging", "acl")


class Counted:
    """One script of one Region, whose calls are noted."""

    def __init__(self, stage):
        self.stage, self.notes = stage, stage.folder / "calls"
        [(self.account, self.script)] = stage.scripts()

    def run(self, *flags, code=0, **more):
        """What the script called: {operation: number}."""
        self.notes.unlink(missing_ok=True)
        env = {**self.stage.environment(self.account), "HARNESS_CALLS": str(self.notes), **more}
        done = subprocess.run(["bash", self.script, *flags], cwd=self.stage.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        expect(done.returncode == code, f"{self.script.name} {' '.join(flags)} exits {done.returncode}\n{tail(done.stdout + done.stderr)}")
        calls = [json.loads(line) for line in self.notes.read_text().splitlines()] if self.notes.exists() else []
        twice = [what for what, number in collections.Counter(json.dumps(call) for call in calls).items() if number > 1]
        expect(not twice, f"asked more than once: {twice[:5]}")
        self.said = done.stdout + done.stderr
        return collections.Counter(call[1] for call in calls)


def reads(sources, listed=True):
    """What a run must read once everything is in place: one log bucket and one trail."""
    needed = {"get-caller-identity": 1, "get-bucket-logging": sources, "get-trail": 1, "get-trail-status": 1, "get-event-selectors": 1,
              "get-public-access-block": 1, **{f"get-bucket-{what}" if what != "object-lock-configuration" else f"get-{what}": 1 for what in SETTINGS}}
    return collections.Counter({**needed, **({"list-buckets": 1} if listed else {"get-bucket-location": sources + 1})})


def differs(found, wanted):
    return {name: (found[name], wanted[name]) for name in sorted({*found, *wanted}) if found[name] != wanted[name]}


def check(report, stage_from):
    if not report.wants("calls"):
        return
    sources = int(os.environ.get("CALLS_SOURCES", "30"))  # more than a page of the mock's list
    stage = stage_from(MAP.format(sources=", ".join(f"source-{number}" for number in range(sources))))
    stage.set_scene()
    counted = Counted(stage)
    with report.check("calls/first run"):
        found = counted.run()
        # the log bucket is not in the list, and the trail is not there: both are asked for by name
        needed = collections.Counter({"get-caller-identity": 1, "list-buckets": 1, "get-bucket-location": 1, "get-bucket-logging": sources, "get-trail": 1,
                                      "create-bucket": 1, "wait": 1, "put-bucket-policy": 1, "put-bucket-ownership-controls": 1, "put-public-access-block": 1,
                                      "put-bucket-encryption": 1, "put-bucket-versioning": 1, "put-bucket-lifecycle-configuration": 1,
                                      "put-bucket-logging": sources, "create-trail": 1, "start-logging": 1})
        expect(not differs(found, needed), f"calls made and needed: {differs(found, needed)}")
        print(f"        {sum(found.values())} calls for {sources} sources")
        applied = stage.delivers()
    for flags in ((), ("--verify",), ("--dry-run",)):
        with report.check(f"calls/again {' '.join(flags)}".strip()):
            found = counted.run(*flags)
            expect(not differs(found, reads(sources)), f"calls made and needed: {differs(found, reads(sources))}")
            print(f"        {sum(found.values())} calls for {sources} sources")
    with report.check("calls/no right to list"):
        found, number = counted.run(HARNESS_AT="2", HARNESS_DO="denied"), reads(sources, listed=False) + collections.Counter({"list-buckets": 1})
        expect(not differs(found, number), f"calls made and needed: {differs(found, number)}")
    with report.check("calls/old CLI"):
        old = stage.folder / "old-cli"
        old.mkdir()
        (old / "aws").write_text(f"""#!/bin/sh
case "$*" in
  *list-buckets*--generate-cli-skeleton*) echo '{{}}' ;;
  *list-buckets*) echo 'Unknown options: --bucket-region' >&2; exit 252 ;;
  *) exec '{stage.shim.bin}/aws' "$@" ;;
esac
""")
        (old / "aws").chmod(0o755)
        found = counted.run(PATH=f"{old}:{stage.environment(counted.account)['PATH']}")
        expect(not differs(found, reads(sources, listed=False)), f"calls made and needed: {differs(found, reads(sources, listed=False))}")
    with report.check("calls/said in words"):
        same(applied, stage.snapshot(), "a run that needed no change made one")
        spoil(stage, counted)
    at_once(report, stage, counted)


def at_once(report, stage, counted):
    """Many are read at once: as many as is allowed, and what is said is the same as of one after the other."""
    with report.check("calls/at once"):
        slow, seen = stage.folder / "slow", stage.folder / "seen"
        slow.mkdir()
        (slow / "aws").write_text(f"""#!/bin/sh
case "$*" in
  *get-bucket-logging*)
    mkdir -p '{seen}'; : >'{seen}'/$$; ls '{seen}' | wc -l >>'{seen}.most'; {shutil.which("sleep")} 0.4
    '{stage.shim.bin}/aws' "$@"; code=$?; rm '{seen}'/$$; exit $code ;;
  *) exec '{stage.shim.bin}/aws' "$@" ;;
esac
""")
        (slow / "aws").chmod(0o755)
        said = {}
        for number in ("1", "3", "8"):
            Path(f"{seen}.most").unlink(missing_ok=True)
            counted.run(code=1, PATH=f"{slow}:{stage.environment(counted.account)['PATH']}", LOGMAP_READS_AT_ONCE=number)
            most, said[number] = max(int(line) for line in Path(f"{seen}.most").read_text().split()), counted.said
            expect(1 + (number != "1") <= most <= int(number), f"{most} read at once where {number} may")
        expect(len(set(said.values())) == 1, f"more is said where more are read at once\n{said['1']}\nand\n{said['8']}")
        for number in ("0", "x", "100"):
            counted.run(code=2, LOGMAP_READS_AT_ONCE=number)
    with report.check("calls/one read fails"):
        before, path = stage.snapshot(), f"{slow}:{stage.environment(counted.account)['PATH']}"
        for answer, number in itertools.product(("Could not connect to the endpoint URL", "An error occurred (InternalThing) when calling the operation: no"), ("1", "8")):
            (slow / "aws").write_text(f"""#!/bin/sh
case "$*" in
  *get-bucket-logging*source-17*) echo '{answer}' >&2; exit 255 ;;
  *) exec '{stage.shim.bin}/aws' "$@" ;;
esac
""")
            found = counted.run(code=3, PATH=path, LOGMAP_READS_AT_ONCE=number)
            expect(f"error: aws s3api get-bucket-logging failed for source-17:\n  {answer}" in counted.said, f"it does not say which\n{tail(counted.said)}")
            expect(not any(name.startswith("put-") for name in found), f"it changes something: {found}")
        same(before, stage.snapshot(), "something was changed")


def spoil(stage, counted):
    """What the list does not show is asked for by name, and said."""
    s3 = stage.world.client("s3", counted.account.id, "us-east-1")
    for name in ("source-1", "source-2", "source-3"):
        s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={})
        s3.delete_bucket(Bucket=name)
    stage.world.create_bucket(counted.account.id, "eu-west-1", "source-2")
    stage.world.create_bucket("999900001111", "us-east-1", "source-3")
    found = counted.run(code=1)
    expect(found["get-bucket-location"] == 3, f"{found['get-bucket-location']} buckets were asked for by name")
    for words in ("source-1 does not exist", "source-2 is in eu-west-1, not in us-east-1", "source-3 belongs to another account"):
        expect(words in counted.said, f"it does not say that {words}\n{tail(counted.said)}")
