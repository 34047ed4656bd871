"""Guardrails by another evaluator than logmap's own: who tampers is refused, the deployer and the services get on, and each policy has
the form and the length that AWS takes, for a hundred sources as for a hundred thousand.

What counts as tampering is written down here by hand, not taken from the policies.
"""
import json
import random
import re

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
