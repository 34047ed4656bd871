"""Rollback of a world that has moved on: others changed an adopted bucket, or the map changed before the way back.

What others have changed since stays, and so does the backup; what an earlier map set is known again by a later script.
"""
import json
import re
import subprocess

from .attacks import Attack
from .refusals import ACCOUNT, MAP, REGION, old_world, s3
from .report import expect
from .scripts import same

BUCKET = {"Bucket": "acme-old-logs"}
LATER = {"Sid": "AuditorsLater", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::acme-old-logs/*"}


def others(attack):
    attack.set_scene()
    client = s3(attack.stage)
    client.put_bucket_tagging(**BUCKET, Tagging={"TagSet": [{"Key": "owner", "Value": "web"}]})
    attack.run_well()
    applied = json.loads(client.get_bucket_policy(**BUCKET)["Policy"])
    changed = {**applied, "Statement": [*applied["Statement"], LATER]}
    client.put_bucket_policy(**BUCKET, Policy=json.dumps(changed))
    client.put_bucket_tagging(**BUCKET, Tagging={"TagSet": [{"Key": "owner", "Value": "security"}, {"Key": "later", "Value": "yes"}]})
    lifecycle = {"Rules": [{"ID": "later", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 9}}]}
    client.put_bucket_lifecycle_configuration(**BUCKET, LifecycleConfiguration=lifecycle)
    said = attack.run_well("--rollback").stdout
    expect(json.loads(client.get_bucket_policy(**BUCKET)["Policy"]) == changed, f"--rollback overwrites a policy that others have changed\n{said}")
    rules = client.get_bucket_lifecycle_configuration(**BUCKET)["Rules"]
    expect([rule["ID"] for rule in rules] == ["later"], f"--rollback overwrites a lifecycle that others have changed\n{said}")
    tags = {tag["Key"]: tag["Value"] for tag in client.get_bucket_tagging(**BUCKET)["TagSet"]}
    expect(tags == {"owner": "web", "later": "yes"}, f"--rollback leaves the tags {tags}")
    expect("the policy of acme-old-logs, which others" in said and "stays in" in said, f"--rollback does not say what it keeps\n{said}")
    left = {path.name.removesuffix(".set").rpartition(".")[0] for path in attack.backup.rglob("*") if path.is_file() and "rolled-back" not in str(path)}
    expect(left == {"bucket.acme-old-logs"}, f"the backup that stays is that of {left}")
    client.put_bucket_policy(**BUCKET, Policy=json.dumps(applied))
    client.delete_bucket_lifecycle(**BUCKET)
    client.put_bucket_tagging(**BUCKET, Tagging={"TagSet": [{"Key": "owner", "Value": "web"}]})
    attack.run_well("--rollback")
    now, was = attack.stage.snapshot(), attack.before
    for bucket in (now["buckets"]["acme-old-logs"], was["buckets"]["acme-old-logs"]):
        bucket["versioning"], bucket["tags"] = None, None  # never on has no way back; the tags came after the scene
    same(was, now, "once what others changed is mended, --rollback does not end at the world before")


def settings(attack):
    """What others have set since stays, setting by setting."""
    attack.scene = old_world
    attack.set_scene()
    client, cloudtrail = s3(attack.stage), attack.stage.world.client("cloudtrail", ACCOUNT, REGION)
    attack.run_well("--force")
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse"}}]}
    open_block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
    client.put_bucket_encryption(**BUCKET, ServerSideEncryptionConfiguration=kms)
    client.put_public_access_block(**BUCKET, PublicAccessBlockConfiguration=open_block)
    cloudtrail.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True, "DataResources": []}])
    said = attack.run_well("--rollback").stdout
    for text in ("the encryption of acme-old-logs", "the public access block of acme-old-logs", "the event selectors of the trail audit"):
        expect(f"kept: {text}, which others have changed since" in said, f"--rollback does not keep {text}\n{said}")
    now = attack.stage.snapshot()
    bucket, trail = now["buckets"]["acme-old-logs"], next(iter(now["trails"].values()))
    expect(bucket["encryption"] == "aws:kms:dsse" and bucket["public_access_block"] == open_block, f"--rollback overwrites {bucket}")
    expect(trail["selectors"][0]["ReadWriteType"] == "ReadOnly", f"--rollback overwrites {trail['selectors']}")
    attack.scene = None


def another_map(attack, later):
    """Applied with one map, rolled back with the script of the next one, and the other way round."""
    for first, second in ((attack.script, later), (later, attack.script)):
        attack.set_scene()
        attack.script = first
        attack.run_well()
        attack.script = second
        said = attack.run_well("--rollback").stdout
        expect("kept: " not in said, f"what another map's script set is taken for others' work\n{said}")
        now = attack.stage.snapshot()
        now["buckets"]["acme-old-logs"]["versioning"] = attack.before["buckets"]["acme-old-logs"]["versioning"]
        same(attack.before, now, "rolled back by another map's script it is not the world before")


def stub_python(attack):
    """A python3 that is on PATH and does not run, as on a new Mac."""
    attack.set_scene()
    bin_folder = attack.home / "bin"
    bin_folder.mkdir()
    (bin_folder / "python3").write_text("#!/bin/sh\necho 'no developer tools' >&2\nexit 1\n")
    (bin_folder / "python3").chmod(0o755)
    done = attack.run(PATH=f"{bin_folder}:{attack.stage.environment(attack.account)['PATH']}")
    expect(done.returncode == 5 and "does not run" in done.stdout and not done.calls, f"exits {done.returncode}\n{done.stdout}")


def cdpath(stage):
    """With CDPATH set, `cd` prints where it goes."""
    text = (stage.tree / "aws-cli" / "run-all.sh").read_text()
    (stage.folder / "aws-cli").mkdir()
    (stage.folder / "aws-cli" / "run-all.sh").write_text(re.sub(r"^scripts=\(\n.*?^\)", "scripts=('one.sh')", text, flags=re.M | re.S))
    (stage.folder / "aws-cli" / "one.sh").write_text("#!/bin/sh\necho ran\n")
    (stage.folder / "aws-cli" / "one.sh").chmod(0o755)
    done = subprocess.run(["bash", "aws-cli/run-all.sh"], cwd=stage.folder, env={"PATH": "/usr/bin:/bin", "CDPATH": ".:/"}, capture_output=True, text=True)
    expect(done.returncode == 0 and "ran" in done.stdout, f"exits {done.returncode}\n{done.stdout}{done.stderr}")


def check(report, make_stage, name="rollback_after_changes"):
    """`make_stage(text)` generates a map's tree and sets its stage."""
    parts = ("others", "settings", "another-map", "stub-python", "cdpath")
    if not any(report.wants(f"{name}/{part}") for part in parts):
        return
    stage, later = make_stage(MAP), make_stage(MAP.replace('"data/"', '"data2/"').replace("security", "platform"))
    attack = Attack(stage, *stage.scripts()[0])
    for part, case in zip(parts, (lambda: others(attack), lambda: settings(attack), lambda: another_map(attack, later.scripts()[0][1]), lambda: stub_python(attack), lambda: cdpath(stage))):
        if report.wants(f"{name}/{part}"):
            with report.check(f"{name}/{part}"):
                case()
