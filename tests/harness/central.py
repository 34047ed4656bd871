"""A central copy: the scripts bring the archive, the roles and the replications about, twice alike, and take them back.

What S3 does then is played: for each log bucket that is copied the role's policy must let it read there and write to the archive, the key's
statement must let it encrypt, and the archive's policy must let it in; nobody else may.
"""
import json
from pathlib import Path

import moto.iam.models as iam

from .evaluate import Request, evaluate, glob, holds, listed
from .mock import find
from .report import expect
from .scripts import same, settled, tail

MAP = Path(__file__).resolve().parents[2] / "tests" / "maps" / "central.yaml"
ARCHIVE = "acme-central-logs-444455556666"
COPIED = {"acme-logs-111122223333-us-east-1": ("111122223333", "us-east-1"), "acme-logs-111122223333-eu-central-1": ("111122223333", "eu-central-1"),
          "acme-logs-222233334444-us-east-1": ("222233334444", "us-east-1"), "acme-logs-444455556666-eu-west-1": ("444455556666", "eu-west-1"),
          "acme-trails-444455556666-us-east-1": ("444455556666", "us-east-1")}
LEFT = ["acme-old-logs", "acme-logs-555566667777-us-east-1", ARCHIVE]
SOURCE_KEY = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
COPY_KEY = "arn:aws:kms:us-west-2:444455556666:key/99999999-12ab-34cd-56ef-1234567890ab"


def role_of(account, name):
    return next((one for one in iam.iam_backends[account]["aws"].roles.values() if one.name == name), None)


def may(document, action, resource, **context):
    """Does an identity policy allow it?"""
    for one in document["Statement"]:
        conditions = [(operator, wanted, context.get(key)) for operator, keys in one.get("Condition", {}).items() for key, wanted in keys.items()]
        if action in listed(one["Action"]) and any(glob(pattern, resource) for pattern in listed(one["Resource"])) and all(holds(*each) for each in conditions):
            return one["Effect"] == "Allow"
    return False


def request(role, action="s3:ReplicateObject", key="any/key", secure="true", bucket=ARCHIVE):
    return Request(role, action, f"arn:aws:s3:::{bucket}/{key}", {
        "aws:PrincipalArn": role, "aws:PrincipalAccount": role.split(":")[4], "aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:SecureTransport": secure,
        "aws:PrincipalIsAWSService": "false"})


def copies(stage):
    """Plays S3: every log bucket of the map is copied, by policies as they are there, and no others are."""
    archive = find(ARCHIVE)
    expect(archive is not None and archive.versioning_status == "Enabled", "the archive is not there, or has no versioning")
    for name, (account, region) in COPIED.items():
        found = getattr(find(name), "replication", None)
        expect(found, f"{name} is not replicated")
        [rule] = found["Rule"]
        expect(rule["Destination"]["Bucket"] == f"arn:aws:s3:::{ARCHIVE}" and rule["Status"] == "Enabled", f"{name}: {rule}")
        expect(rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"] == COPY_KEY, f"{name}: no key for copies")
        expect(rule["DeleteMarkerReplication"]["Status"] == "Disabled", f"{name}: delete markers are copied")
        arn = f"arn:aws:iam::{account}:role/logmap-replication-{region}"
        expect(found["Role"] == arn, f"{name}: {found['Role']}")
        role = role_of(account, arn.rpartition("/")[2])
        trusted = role.assume_role_policy_document
        trusted = json.loads(trusted) if isinstance(trusted, str) else trusted
        expect([one["Principal"] for one in trusted["Statement"]] == [{"Service": "s3.amazonaws.com"}], f"{arn} trusts {trusted}")
        policy = role.policies["copy-logs"]
        policy = json.loads(policy) if isinstance(policy, str) else policy
        source = f"arn:aws:s3:::{name}"
        reads = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
        if getattr(find(name), "object_lock_enabled", False):
            reads += ["s3:GetObjectRetention", "s3:GetObjectLegalHold"]
        for action, resource in [("s3:GetReplicationConfiguration", source), ("s3:ListBucket", source), *((action, f"{source}/x") for action in reads),
                                 ("s3:ReplicateObject", f"arn:aws:s3:::{ARCHIVE}/x"), ("s3:ReplicateTags", f"arn:aws:s3:::{ARCHIVE}/x")]:
            expect(may(policy, action, resource), f"{arn} may not {action} {resource}")
        for action, resource in [("s3:ReplicateDelete", f"arn:aws:s3:::{ARCHIVE}/x"), ("s3:ReplicateObject", "arn:aws:s3:::another/x"),
                                 ("s3:GetObjectVersionForReplication", "arn:aws:s3:::another/x"), ("s3:PutObject", f"arn:aws:s3:::{ARCHIVE}/x")]:
            expect(not may(policy, action, resource), f"{arn} may {action} {resource}")
        expect(may(policy, "kms:Encrypt", COPY_KEY, **{"kms:ViaService": "s3.us-west-2.amazonaws.com"}), f"{arn} can't encrypt copies")
        expect(not may(policy, "kms:Encrypt", COPY_KEY, **{"kms:ViaService": "ebs.us-west-2.amazonaws.com"}), f"{arn} encrypts for others")
        if name.startswith("acme-trails"):
            expect(may(policy, "kms:Decrypt", SOURCE_KEY, **{"kms:ViaService": "s3.us-east-1.amazonaws.com"}), f"{arn} can't decrypt the trail")
        verdict, why = evaluate(archive.policy, request(arn))
        expect(verdict == "allow", f"the archive refuses {arn}: {why}")
        for what, near in {"another role": request(arn + "-x"), "a stranger": request(arn.replace(account, "999900001111")),
                           "a deletion": request(arn, "s3:ReplicateDelete"), "a write": request(arn, "s3:PutObject"), "no TLS": request(arn, secure="false"),
                           "a team that is left out": request("arn:aws:iam::555566667777:role/logmap-replication-us-east-1")}.items():
            expect(evaluate(archive.policy, near)[0] != "allow", f"the archive lets in {what} beside {arn}")
    for name in LEFT:
        expect(not getattr(find(name), "replication", None), f"{name} is replicated")


def keys(tree):
    """The statements for the owners of the keys."""
    for file, action, region in (("_central", "kms:Encrypt", "us-west-2"), ("audit", "kms:Decrypt", "us-east-1")):
        policy = json.loads((tree / "policies" / "kms" / f"{file}.json").read_text())
        role = "arn:aws:iam::444455556666:role/logmap-replication-us-east-1"
        asked = Request(role, action, "*", {"aws:PrincipalArn": role, "kms:ViaService": f"s3.{region}.amazonaws.com"})
        expect(evaluate(policy, asked)[0] == "allow", f"{file}: the key lets no copies through")
        asked.context["kms:ViaService"] = "ebs.amazonaws.com"
        expect(evaluate(policy, asked)[0] != "allow", f"{file}: the key is for every service")


def check(report, stage_from):
    if not any(report.wants(f"copied/{part}") for part in ("scripts", "foreign", "rollback")):
        return
    stage = None
    with report.check("copied/scripts"):
        stage = stage_from(MAP.read_text())
        stage.set_scene()
        before = stage.snapshot()
        keys(stage.tree)
        member = next((account, script) for account, script in stage.scripts() if script.parent.name == "prod" and script.stem == "us-east-1")
        done = stage.run(*member)
        expect(done.returncode == 3 and "apply the account 'log-archive' first" in done.stdout, f"without the archive it exits {done.returncode}\n{tail(done.stdout)}")
        stage.run_all()
        copies(stage)
        settled(stage)
    if stage is None:
        return
    with report.check("copied/foreign"):
        bucket = find("acme-logs-111122223333-us-east-1")
        ours = bucket.replication
        bucket.replication = {**ours, "Rule": [{**ours["Rule"][0], "ID": "by-hand"}]}
        done = stage.run(*member)
        expect(done.returncode == 1 and "is replicated already, by rules that logmap did not make" in done.stdout, f"exits {done.returncode}\n{tail(done.stdout)}")
        expect(stage.run(*member, "--verify").returncode == 1, "--verify does not see it")
        bucket.replication = ours
    with report.check("copied/rollback"):
        for account, script in reversed(stage.scripts()):
            stage.run_well(account, script, "--rollback")
        same(before, stage.snapshot(), "--rollback does not end at the world before")
        left = [one.name for account in stage.map.ids for one in iam.iam_backends[account]["aws"].roles.values()]
        expect(not left, f"roles are left: {left}")
