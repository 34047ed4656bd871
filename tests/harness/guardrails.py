"""Guardrails by another evaluator than logmap's own: who tampers is refused, the deployer and the services get on, and each policy has
the form and the length that AWS takes, for a hundred sources as for a hundred thousand.

What counts as tampering is written down here by hand, not taken from the policies. The rule for templates is run by cfn-guard itself.
"""
import json
import platform
import random
import re
import subprocess
import sys

from . import npm
from .evaluate import CLOUDTRAIL, LOGGING, Request, evaluate
from .report import expect

SCP, RCP = 10_240, 5_120
ORGANIZATION = "o-a1b2c3d4e5"
BUCKET_CALLS = ["DeleteBucket", "DeleteBucketPolicy", "PutBucketPolicy", "PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutBucketVersioning",
                "PutBucketOwnershipControls", "PutBucketPublicAccessBlock", "PutReplicationConfiguration", "PutBucketObjectLockConfiguration",
                "PutBucketRequestPayment", "PutBucketAcl", "PutBucketLogging"]
OBJECT_CALLS = ["DeleteObject", "PutObjectAcl", "ReplicateDelete", "DeleteObjectVersion", "BypassGovernanceRetention", "PutObjectRetention", "PutObjectLegalHold"]
MAP = """\
version: 1
organization: {{ name: acme, id: o-a1b2c3d4e5 }}
defaults: {{ log_bucket: {{ policy_scope: account }} }}
accounts:
  prod:
    id: "111122223333"
    regions:
      us-east-1: {{ buckets: [{sources}] }}
      eu-west-1: {{ buckets: [acme-eu, {{ name: acme-theirs, logging: external }}] }}
trails: {{ audit: {{ home_region: us-east-1 }} }}
monitoring: {{ tamper_alerts: {{ sns_topic_name: acme-alerts }} }}
guardrails: {{ deployer: logmap-deployer, exempt: [break-glass] }}
"""


# so many that the rule has patterns, beside names with dots
MANY = """\
version: 1
organization: {{ name: acme }}
accounts:
{accounts}guardrails: {{ deployer: logmap-deployer }}
settings: {{ targets: [guardrails] }}
"""
MEMBER = """\
  a{at:03}:
    id: "{id}"
    regions:
      us-east-1: {{ buckets: [acme-web-{at}] }}
      eu-west-1: {{ log_bucket: {{ adopt: true, name: old.logs.{at} }}, buckets: [acme-eu-{at}] }}
"""
# name of a template's target and whether the rule lets it pass, of either map
TARGETS = {"names": {"acme-logs-111122223333-us-east-1": True, "acme-logs-111122223333-eu-west-1": True, "acme-logs-111122223333-us-east-1-x": False,
                     "xacme-logs-111122223333-us-east-1": False, "acme-eu": False},
           "patterns": {"acme-logs-111100000003-us-east-1": True, "old.logs.5": True, "oldxlogsx5": False, "old.logs.5x": False,
                        "xacme-logs-111100000003-us-east-1": False, "acme-web-3": False}}


def cfn_guard():
    """The program, which AWS's plugin for the CDK has in it. Its peers, the CDK, are not needed."""
    plugin = npm.package("@cdklabs/cdk-validator-cfnguard", "0.0.62", "--legacy-peer-deps")
    system = "macos" if sys.platform == "darwin" else "ubuntu"
    return plugin / "bin" / system / ("aarch64" if platform.machine() in ("aarch64", "arm64") else "x86_64") / "cfn-guard"


def rule(tree, targets, folder):
    program, file, template = cfn_guard(), tree / "guardrails" / "logging.guard", folder / "template.json"

    def passes(*targets):
        buckets = {f"B{at}": {"Type": "AWS::S3::Bucket", "Properties": {"LoggingConfiguration": target}} for at, target in enumerate(targets)}
        template.write_text(json.dumps({"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}, **buckets}}))
        done = subprocess.run([program, "validate", "--rules", file, "--data", template], capture_output=True, text=True)
        expect(done.returncode in (0, 19), f"cfn-guard exits {done.returncode}: {done.stdout}{done.stderr}")
        expect(done.returncode == 0 or "not a log bucket of the region map" in done.stdout, f"its message: {done.stdout}")
        return done.returncode == 0
    good = {"DestinationBucketName": next(name for name, fits in targets.items() if fits), "LogFilePrefix": "x/"}
    for name, fits in targets.items():
        expect(passes({"DestinationBucketName": name}) == fits, f"{name}: passes is not {fits}")
        expect(passes(good, {"DestinationBucketName": name}) == fits, f"{name} beside one that fits: passes is not {fits}")
    # what is not judged: a name that is made by a function, and a bucket that logs nowhere
    made = {"DestinationBucketName": {"Ref": "Logs"}}
    expect(passes() and passes({"LogFilePrefix": "x/"}) and passes(made) and not passes(made, {"DestinationBucketName": "other"}), "what is not judged")


def principal(role, account="111122223333", organization=ORGANIZATION):
    return {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/{role}", "aws:PrincipalOrgID": organization, "aws:PrincipalIsAWSService": "false"}


def refused(policy, action, resource, context):
    """A service control policy has no principal; it is about whoever is in an account under it."""
    about_all = {**policy, "Statement": [{"Principal": "*", **one} for one in policy["Statement"]]}
    return evaluate(about_all, Request("somebody", action, resource, context))[0] == "deny"


def form(text, limit, principals):
    expect(len(text) <= limit, f"{len(text)} characters; AWS takes {limit}")
    policy = json.loads(text)
    expect(policy["Version"] == "2012-10-17" and policy["Statement"], "no policy")
    for one in policy["Statement"]:
        expect(one["Effect"] == "Deny" and ("Principal" in one) == principals and one.get("Principal", "*") == "*", f"{one['Sid']}: its form")
        expect(re.fullmatch("[A-Za-z0-9]+", one["Sid"]), one["Sid"])
        expect("aws:SourceOrg" not in json.dumps(one), f"{one['Sid']}: AWS does not say whether access logs carry the organization")
    return policy


def check(report, generate, new_folder):
    for count in (100, 100_000):
        name = f"guardrails/{count} sources"
        if not report.wants(name):
            continue
        with report.check(name):
            folder, number = new_folder(), random.Random(count)
            sources = [f"acme-{number.choice(['web', 'data', 'media', 'x'])}-{at:06}" for at in range(count)]
            (folder / "logmap.yaml").write_text(MAP.format(sources=", ".join(sources)))
            tree = generate(folder / "logmap.yaml", folder)
            texts = [(tree / "guardrails" / file).read_text() for file in ("scp.json", "rcp.json")]
            scp, rcp = form(texts[0], SCP, False), form(texts[1], RCP, True)
            asked = holds(scp, rcp, sources)
            print(f"        {asked} questions; {SCP - len(texts[0])} characters left in the SCP, {RCP - len(texts[1])} in the RCP")


    for naming, text in (("names", MAP.format(sources="acme-web")),
                         ("patterns", MANY.format(accounts="".join(MEMBER.format(at=at, id=111_100_000_000 + at) for at in range(260))))):
        name = f"guardrails/rule of {naming}"
        if report.wants(name):
            with report.check(name):
                folder = new_folder()
                (folder / "logmap.yaml").write_text(text)
                tree = generate(folder / "logmap.yaml", folder)
                expect(("/^" in (tree / "guardrails" / "logging.guard").read_text()) == (naming == "patterns"), "names or patterns")
                rule(tree, TARGETS[naming], folder)


def holds(scp, rcp, sources):
    asked = 0

    def ask(policy, action, resource, context, wanted):
        nonlocal asked
        asked += 1
        expect(refused(policy, action, resource, context) == wanted, f"{action} on {resource} as {context}: refused is not {wanted}")
    logs = [f"acme-logs-111122223333-{region}" for region in ("us-east-1", "eu-west-1")]
    tamperings = [(f"s3:{call}", f"arn:aws:s3:::{bucket}") for call in BUCKET_CALLS for bucket in logs]
    tamperings += [(f"s3:{call}", f"arn:aws:s3:::{bucket}/s3-access/x") for call in OBJECT_CALLS for bucket in logs]
    in_buckets = list(tamperings)
    tamperings += [("s3:PutBucketLogging", f"arn:aws:s3:::{source}") for source in [*sources[:50], *sources[-50:], "acme-eu"]]
    tamperings += [(f"cloudtrail:{call}", "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit")
                   for call in ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")]
    tamperings += [(f"events:{call}", "arn:aws:events:us-east-1:111122223333:rule/logmap-acme-log-buckets")
                   for call in ("DeleteRule", "DisableRule", "PutRule", "RemoveTargets")]
    tamperings += [(f"sns:{call}", "arn:aws:sns:eu-west-1:111122223333:acme-alerts") for call in ("DeleteTopic", "SetTopicAttributes")]
    tamperings += [(f"iam:{call}", f"arn:aws:iam::111122223333:role/{role}") for role in ("logmap-deployer", "break-glass")
                   for call in ("CreateRole", "UpdateAssumeRolePolicy", "AttachRolePolicy", "PutRolePolicy", "DeleteRole")]
    for action, resource in tamperings:
        ask(scp, action, resource, principal("Administrator"), True)
        for role in ("logmap-deployer", "break-glass"):
            ask(scp, action, resource, principal(role), False)
            ask(rcp, action, resource, principal(role), False)
    # whom no SCP is about: strangers, a role of the same name elsewhere, and requests without credentials
    for action, resource in in_buckets:
        for context in (principal("anybody", "999988887777", "o-zzzzzzzzzz"), principal("logmap-deployer", "999988887777", "o-zzzzzzzzzz"), {}):
            ask(rcp, action, resource, context, True)
    for bucket in logs:
        for service in (LOGGING, CLOUDTRAIL):
            context = {"aws:PrincipalIsAWSService": "true", "aws:SourceAccount": "111122223333"}
            for action in ("s3:PutObject", "s3:GetBucketAcl", "s3:DeleteObject"):
                ask(rcp, action, f"arn:aws:s3:::{bucket}/x", context, False)
    # what teams do with what is theirs
    for bucket in [*sources[:50], "acme-theirs"]:
        for action in ("s3:DeleteObject", "s3:PutObject", "s3:DeleteBucketPolicy"):
            ask(scp, action, f"arn:aws:s3:::{bucket}/x" if "Object" in action else f"arn:aws:s3:::{bucket}", principal("team"), False)
            ask(rcp, action, f"arn:aws:s3:::{bucket}/x", principal("guest", "999988887777", "o-zzzzzzzzzz"), False)
    ask(scp, "s3:PutBucketLogging", "arn:aws:s3:::acme-theirs", principal("team"), False)
    ask(scp, "iam:CreateRole", "arn:aws:iam::111122223333:role/team", principal("team"), False)
    ask(scp, "cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:111122223333:trail/theirs", principal("team"), False)
    return asked
