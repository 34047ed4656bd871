"""The preflight check of stacks: what a stack would fail on or overwrite, and what it must not stop at.

The worlds are those that the scripts meet in refusals.py, and some in which there are stacks: moto's CloudFormation has them, with the
log bucket and its policy in them, as templates of their own here (custom resources need a Lambda).
"""
import json

from . import refusals
from .attacks import Attack, is_write
from .refusals import ACCOUNT, REGION, console_grant, logs_elsewhere, refused, s3
from .report import expect
from .scripts import same, tail
from .stacks import Loader, yaml
from .tier import some

NEW = f"""
version: 1
organization: {{ name: acme }}
accounts: {{ prod: {{ id: "{ACCOUNT}", regions: {{ {REGION}: {{ buckets: [acme-web, acme-data] }} }} }} }}
trails: {{ audit: {{ home_region: {REGION} }} }}
monitoring: {{ tamper_alerts: {{ sns_topic_name: acme-alerts }} }}
publish: {{ ssm_parameter: /acme/logs }}
"""
LOGS = f"acme-logs-{ACCOUNT}-{REGION}"


def make(stage, *resources, name="logmap"):
    """A stack with these kinds of resources of the Region's template, each as far as it is the bucket's and its policy's."""
    template = yaml.load((stage.tree / "cloudformation" / "prod" / f"{REGION}.yaml").read_text(), Loader)["Resources"]
    made = {}
    for logical, resource in template.items():
        if resource["Type"] in resources and resource["Type"] == "AWS::S3::Bucket":
            made[logical] = {"Type": resource["Type"], "DeletionPolicy": "Retain", "Properties": {"BucketName": resource["Properties"]["BucketName"]}}
        elif resource["Type"] in resources:
            policy = resource["Properties"]
            made[logical] = {"Type": resource["Type"], "DeletionPolicy": "Retain", "DependsOn": policy["Bucket"]["Ref"], "Properties": policy}
    body = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": made})
    cloudformation(stage).create_stack(StackName=name, TemplateBody=body)


def cloudformation(stage):
    return stage.world.client("cloudformation", ACCOUNT, REGION)


def is_there(stage):
    stage.world.create_bucket(ACCOUNT, REGION, LOGS)


def deployed(stage, name="logmap"):
    make(stage, "AWS::S3::Bucket", "AWS::S3::BucketPolicy", name=name)


def deleted_by_hand(stage):
    deployed(stage)
    s3(stage).delete_bucket_policy(Bucket=LOGS)
    s3(stage).delete_bucket(Bucket=LOGS)


def other_prefix(stage):
    is_there(stage)
    s3(stage).put_bucket_logging(Bucket="acme-web", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": LOGS, "TargetPrefix": "web/"}})


def moves(stage):
    """As an earlier map had it: the bucket, its grant and the source's logging."""
    other_prefix(stage)
    grant = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{LOGS}/web/*",
             "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    s3(stage).put_bucket_policy(Bucket=LOGS, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "LogmapAccessLogs", **grant}]}))


MOVES = f"the source bucket acme-web logs to {LOGS} under `web/` today, where the policy of the plan does not let it write"


def trail(stage):
    stage.world.create_bucket(ACCOUNT, REGION, "acme-elsewhere")
    arn, who = "arn:aws:s3:::acme-elsewhere", {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    s3(stage).put_bucket_policy(Bucket="acme-elsewhere", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {**who, "Action": "s3:GetBucketAcl", "Resource": arn}, {**who, "Action": "s3:PutObject", "Resource": arn + "/*"}]}))
    stage.world.client("cloudtrail", ACCOUNT, REGION).create_trail(Name="audit", S3BucketName="acme-elsewhere")


def rolled_back(stage):
    """As an earlier template left it: the stack in ROLLBACK_COMPLETE, and its bucket."""
    deployed(stage)
    stage.mock.stack_status(ACCOUNT, REGION, "logmap", "ROLLBACK_COMPLETE")


# where the map creates the log bucket: what is there, how, what is said
NEW_CASES = [
    ("a log bucket that is there", is_there, f"the log bucket {LOGS} is there already, and the stack logmap, which would create it, does not have it: delete it if it is empty"),
    ("a log bucket of another stack", lambda stage: deployed(stage, "old-logs"), f"the log bucket {LOGS} belongs to the stack old-logs, and not to logmap"),
    ("a log bucket that was deleted", deleted_by_hand, f"the log bucket {LOGS} was deleted, and the stack logmap, which has made it, would not notice"),
    ("a log bucket in another Region", lambda stage: stage.world.create_bucket(ACCOUNT, "us-east-1", LOGS), f"the log bucket {LOGS} is in us-east-1, not in {REGION}"),
    ("a log bucket of another account", lambda stage: stage.world.create_bucket("444455556666", REGION, LOGS), f"the name {LOGS} is taken by another account"),
    ("a source that logs elsewhere", logs_elsewhere, "the source bucket acme-web logs to acme-elsewhere under `` (simple) already, which the stack did not set, so it would fail there: turn that off"),
    ("a source with another prefix", other_prefix, f"the source bucket acme-web logs to {LOGS} under `web/` (simple) already, which the stack did not set, so it would fail there: write its `prefix`"),
    ("a source that moves to another prefix", moves, MOVES),
    ("a trail of that name", trail, f"the trail audit is there already (arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit)"),
    ("a topic of that name", lambda stage: stage.world.client("sns", ACCOUNT, REGION).create_topic(Name="acme-alerts"), "there is a topic acme-alerts already"),
    ("a parameter of that name", lambda stage: stage.world.client("ssm", ACCOUNT, REGION).put_parameter(Name="/acme/logs", Value="x", Type="String"), "there is a parameter /acme/logs already"),
    ("a stack that was rolled back", rolled_back, "the stack logmap is in ROLLBACK_COMPLETE and can only be deleted: `aws cloudformation delete-stack --region eu-west-1 --stack-name logmap`"),
]
NEW_FINE = [
    ("nothing", lambda stage: None, ()),
    ("the stack", deployed, ()),
    ("the stack under another name", lambda stage: deployed(stage, "mine"), ("--stack-name", "mine")),
]


def bare(stage):
    """Not adopted by the map yet: no policy."""


# where the map adopts it
ADOPTED_CASES = [
    ("no policy to import", bare, "the log bucket acme-old-logs has no policy, and the import takes one: set the plan's first, with `aws s3api put-bucket-policy"),
    ("a bucket of another stack", lambda stage: (remake(stage), deployed(stage, "old-logs")), "the log bucket acme-old-logs belongs to the stack old-logs, and not to logmap"),
    ("a stack without its policy", lambda stage: (remake(stage), make(stage, "AWS::S3::Bucket"), console_grant(stage)), "the stack logmap has the log bucket acme-old-logs and not its policy"),
]
ADOPTED_FINE = [
    ("a policy", console_grant, "next: import acme-old-logs into the stack logmap"),
    ("the plan's policy", lambda stage: s3(stage).put_bucket_policy(Bucket="acme-old-logs", Policy=(stage.tree / "policies" / "acme-old-logs.json").read_text()), "next: import acme-old-logs"),
    ("the stack", lambda stage: (remake(stage), deployed(stage)), "nothing that the map does not know"),
]


def remake(stage):
    """moto makes what a stack has, and does not import."""
    s3(stage).delete_bucket(Bucket="acme-old-logs")


def preflight(stage):
    return stage.tree / "cloudformation" / "prod" / f"{REGION}-preflight.sh"


def passes(attack, flags, text, what):
    done = attack.run_well(*flags)
    expect(text in done.stdout, f"{what}: it does not say `{text}`\n{tail(done.stdout)}")
    expect(not any(map(is_write, done.calls)), f"{what}: it writes")
    same(attack.before, attack.stage.snapshot(), f"{what}: something was changed")


def new_bucket(stage):
    attack = Attack(stage, stage.map.accounts["prod"], preflight(stage))
    for what, attack.scene, text in NEW_CASES:
        attack.set_scene()
        refused(attack, (), attack.run(), text, what)
    terraform = Attack(stage, stage.map.accounts["prod"], stage.tree / "terraform" / "prod" / "preflight.sh", scene=moves)
    terraform.set_scene()
    refused(terraform, (), terraform.run(), MOVES, "Terraform, a source that moves to another prefix")
    for what, attack.scene, flags in NEW_FINE:
        attack.set_scene()
        passes(attack, flags, "nothing that the map does not know", what)


def adopted(stage, one_in):
    attack = Attack(stage, stage.map.accounts["prod"], preflight(stage))
    for what, attack.scene, text in ADOPTED_CASES:
        attack.set_scene()
        refused(attack, (), attack.run(), text, what)
    for what, attack.scene, text in ADOPTED_FINE:
        attack.set_scene()
        passes(attack, (), text, what)
    # what stops the scripts, stops it too
    trails = ("trail delivers elsewhere", "a trail of others", "everything at once")
    for what, attack.scene, text, *_ in some([case for case in refusals.CASES if case[0] not in trails] + refusals.STANDING, one_in):
        attack.set_scene()
        refused(attack, (), attack.run(), text, what)


def check(report, make_stage, tier):
    for part, text, run in (("new", NEW, new_bucket), ("adopted", refusals.MAP, lambda stage: adopted(stage, tier.worlds))):
        if report.wants(f"stack_refusals/{part}"):
            with report.check(f"stack_refusals/{part}"):
                run(make_stage(text))
