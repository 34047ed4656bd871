"""What the scripts do where something of the name is there already that they are to publish or to watch.

One small map; each case breaks one thing in the world, as in refusals.py: what logmap did not make is refused and shown, --force replaces it
and --rollback puts it back; what is wrong is found by --verify; what others have come to use stays.
"""
import json
import re
import shutil

from . import attacks
from .attacks import Attack, is_write
from .refusals import refused
from .report import expect
from .scripts import same, tail

ACCOUNT, REGION = "111122223333", "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
LOGGING, PARAMETER, RULE, CONFIG = "/logs/logging", "/logs/bucket", "logmap-acme-sources-1", "logmap-acme-access-logging"
MAP = f"""
version: 1
organization: {{ name: acme }}
accounts:
  prod: {{ id: "{ACCOUNT}", regions: {{ {REGION}: {{ buckets: [acme-web] }} }} }}
monitoring: {{ config_rule: true, tamper_alerts: {{ sns_topic_name: alerts, also: [alarm, public-access], message: text }} }}
publish: {{ ssm_parameter: {PARAMETER}, ssm_logging_parameter: {LOGGING} }}
"""
TAGGING = f"""{MAP}
trails: {{ audit: {{ home_region: {REGION} }} }}
tags: {{ owner: security, cost: "1" }}
"""


def client(stage, service):
    return stage.world.client(service, ACCOUNT, REGION)


def foreign_parameter(stage, kind="String"):
    client(stage, "ssm").put_parameter(Name=PARAMETER, Type=kind, Value="somebody-elses")


def foreign_topic(stage):
    client(stage, "sns").create_topic(Name="alerts")
    statement = {"Sid": "Foreign", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sns:Publish", "Resource": TOPIC}
    client(stage, "sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def foreign_rule(stage):
    client(stage, "events").put_rule(Name=RULE, EventPattern='{"source":["aws.ec2"]}', State="DISABLED", Description="Foreign")
    client(stage, "events").put_targets(Rule=RULE, Targets=[{"Id": "theirs", "Arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:other"}])


def foreign_config(stage):
    client(stage, "config").put_config_rule(ConfigRule={
        "ConfigRuleName": CONFIG, "Description": "Foreign", "InputParameters": "{}", "Scope": {"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
        "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}})


def no_recorder(stage):
    client(stage, "config").delete_configuration_recorder(ConfigurationRecorderName="default")


# what, how, what the script must say, whether --force goes through
CASES = [
    ("foreign parameter", foreign_parameter, "somebody-elses", True),
    ("parameter of another type", lambda stage: foreign_parameter(stage, "StringList"), "is there as a StringList", False),
    ("foreign topic", foreign_topic, '"Foreign"', True),
    ("foreign rule", foreign_rule, "there is a rule logmap-acme-sources-1 that logmap did not make", True),
    ("foreign Config rule", foreign_config, "S3_BUCKET_VERSIONING_ENABLED", True),
    ("no recorder", no_recorder, "AWS Config has no recorder in eu-west-1", False),
]


def refusals(attack):
    for what, breaks, text, forcible in CASES:
        attack.scene = breaks
        attack.set_scene()
        for flags in ((), ("--dry-run",)) if forcible else ((), ("--force",)):
            refused(attack, flags, attack.run(*flags), text, what)
        if forcible:
            attack.run_well("--force")
            attack.run_well("--verify")
            copies = "".join(path.read_text() for path in attack.home.glob("backup/*/*.forced-1/*"))
            expect(re.search("Foreign|somebody-elses", copies), f"{what}: --force keeps no copy of what it replaces")
            attack.run_well("--rollback")
            same(attack.before, attack.stage.snapshot(), f"{what}: --rollback after --force does not end at the world before")


# what --verify must see: service, operation, arguments, and what the line must say
DRIFT = [
    ("ssm", "delete_parameter", {"Name": PARAMETER}, f"parameter {PARAMETER}"),
    ("ssm", "delete_parameter", {"Name": LOGGING}, f"parameter {LOGGING}"),
    ("sns", "set_topic_attributes", {"TopicArn": TOPIC, "AttributeName": "Policy", "AttributeValue": '{"Version":"2012-10-17","Statement":[]}'}, "topic alerts: policy"),
    ("events", "disable_rule", {"Name": RULE}, f"rule {RULE}"),
    ("events", "put_targets", {"Rule": RULE, "Targets": [{"Id": "logmap-alerts", "Arn": TOPIC}]}, f"rule {RULE}: publishes to alerts"),
    ("events", "put_targets", {"Rule": RULE, "Targets": [{"Id": "logmap-alerts", "Arn": TOPIC, "InputPath": "$.detail"}]}, f"rule {RULE}: publishes to alerts"),
    ("events", "remove_targets", {"Rule": RULE, "Ids": ["logmap-alerts"]}, f"rule {RULE}: publishes to alerts"),
    ("events", "put_rule", {"Name": RULE, "EventPattern": '{"source":["aws.s3"]}', "State": "ENABLED", "Description": "logmap: x"}, f"rule {RULE}"),
    ("config", "delete_config_rule", {"ConfigRuleName": CONFIG}, f"AWS Config rule {CONFIG}"),
]


def verify(attack):
    attack.scene = None
    attack.set_scene()
    attack.run_well()
    applied = attack.stage.snapshot()
    for service, operation, arguments, text in DRIFT:
        getattr(client(attack.stage, service), operation)(**arguments)
        now = attack.stage.snapshot()
        done = attack.run("--verify")
        said = [line for line in done.stdout.splitlines() if line.startswith(("differs: ", "missing: ")) and text in line]
        expect(done.returncode == 1 and said, f"--verify does not find {operation} {arguments}\n{tail(done.stdout)}")
        expect(not any(map(is_write, done.calls)), "--verify writes")
        same(now, attack.stage.snapshot(), "--verify changes something")
        attack.run_well()
        same(applied, attack.stage.snapshot(), f"{text}: the script does not mend it")


def kept(attack):
    """What others have come to use stays, and a later rollback ends it once they are gone."""
    attack.scene = None
    attack.set_scene()
    attack.run_well()
    subscription = client(attack.stage, "sns").subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="security@example.com", ReturnSubscriptionArn=True)["SubscriptionArn"]
    client(attack.stage, "events").put_targets(Rule=RULE, Targets=[{"Id": "theirs", "Arn": TOPIC}])
    client(attack.stage, "ssm").put_parameter(Name=PARAMETER, Type="String", Value="changed-since", Overwrite=True)
    done = attack.run_well("--rollback")
    now = attack.stage.snapshot()["monitoring"]
    left = sorted(name.split("/", 2)[2] for name in now)
    expect(left == [f"parameter/{PARAMETER}", f"rule/{RULE}", "topic/alerts"], f"--rollback leaves {left}\n{done.stdout}")
    expect(done.stdout.count("kept: ") == 3, f"--rollback does not say what it keeps\n{done.stdout}")
    client(attack.stage, "sns").unsubscribe(SubscriptionArn=subscription)
    client(attack.stage, "events").remove_targets(Rule=RULE, Ids=["theirs"])
    client(attack.stage, "ssm").put_parameter(Name=PARAMETER, Type="String", Value=f"acme-logs-{ACCOUNT}-{REGION}", Overwrite=True)
    attack.run_well("--rollback")
    same(attack.before, attack.stage.snapshot(), "a second rollback does not end at the world before")


TAGGED = {"team": "web", "owner": "before"}


def tags(attack, things):
    """{thing: its tags}."""
    plain = lambda found: {tag["Key"]: tag["Value"] for tag in found}
    stage = attack.stage
    read = {
        "trail": lambda arn: client(stage, "cloudtrail").list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"],
        "parameter": lambda arn: client(stage, "ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=PARAMETER)["TagList"],
        "topic": lambda arn: client(stage, "sns").list_tags_for_resource(ResourceArn=arn)["Tags"],
        "rule": lambda arn: client(stage, "events").list_tags_for_resource(ResourceARN=arn)["Tags"],
        "config": lambda arn: client(stage, "config").list_tags_for_resource(ResourceArn=arn)["Tags"],
    }
    return {kind: plain(read[kind](arn)) for kind, arn in things.items()}


def tag(attack, kind, arn, wanted):
    listed = [{"Key": key, "Value": value} for key, value in wanted.items()]
    {
        "trail": lambda: client(attack.stage, "cloudtrail").add_tags(ResourceId=arn, TagsList=listed),
        "parameter": lambda: client(attack.stage, "ssm").add_tags_to_resource(ResourceType="Parameter", ResourceId=arn, Tags=listed),
        "topic": lambda: client(attack.stage, "sns").tag_resource(ResourceArn=arn, Tags=listed),
        "rule": lambda: client(attack.stage, "events").tag_resource(ResourceARN=arn, Tags=listed),
        "config": lambda: client(attack.stage, "config").tag_resource(ResourceArn=arn, Tags=listed),
    }[kind]()


def tagged(attack):
    """What was there before gets its tags back: those that it had, without those that it did not, and with others' of since."""
    attack.scene = None
    attack.set_scene()
    attack.run_well()
    # all of it, as if others had made it, with tags of their own
    shutil.rmtree(attack.backup)
    config = client(attack.stage, "config").describe_config_rules(ConfigRuleNames=[CONFIG])["ConfigRules"][0]["ConfigRuleArn"]
    things = {"trail": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit", "parameter": PARAMETER, "topic": TOPIC,
              "rule": client(attack.stage, "events").describe_rule(Name=RULE)["Arn"], "config": config}
    for kind, arn in things.items():
        expect(tags(attack, {kind: arn})[kind] == {"owner": "security", "cost": "1"}, f"what is made has other tags: {kind}")
        tag(attack, kind, arn, TAGGED)
    client(attack.stage, "cloudtrail").remove_tags(ResourceId=things["trail"], TagsList=[{"Key": "cost"}])
    client(attack.stage, "ssm").remove_tags_from_resource(ResourceType="Parameter", ResourceId=PARAMETER, TagKeys=["cost"])
    client(attack.stage, "sns").untag_resource(ResourceArn=TOPIC, TagKeys=["cost"])
    client(attack.stage, "events").untag_resource(ResourceARN=things["rule"], TagKeys=["cost"])
    client(attack.stage, "config").untag_resource(ResourceArn=config, TagKeys=["cost"])
    before = tags(attack, things)
    expect(all(one == TAGGED for one in before.values()), f"the scene is not set: {before}")
    attack.run_well()
    expect(all(one == {**TAGGED, "owner": "security", "cost": "1"} for one in tags(attack, things).values()), f"they are tagged {tags(attack, things)}")
    for kind, arn in things.items():
        tag(attack, kind, arn, {"since": "others"})
    tag(attack, "topic", TOPIC, {"cost": "9"})
    planned = attack.run_well("--rollback", "--dry-run")
    expect(not any(map(is_write, planned.calls)) and planned.stdout.count("tags") == 9, f"--rollback --dry-run\n{planned.stdout}")
    attack.run_well("--rollback")
    wanted = {kind: {**TAGGED, "since": "others", **({"cost": "9"} if kind == "topic" else {})} for kind in things}
    expect(tags(attack, things) == wanted, f"--rollback leaves the tags {tags(attack, things)}")


def faults(attack, samples):
    print(f"        apply, {attacks.faults(attack, sample=samples[0])}; --rollback, {attacks.rollback(attack, sample=samples[1])}")


def parts(samples):
    """{part: what it does to the script of MAP}; `samples` are so many ways to disturb applying and rolling back."""
    return {"refusals": refusals, "verify": verify, "kept": kept, "tags": tagged, "faults": lambda attack: faults(attack, samples)}


def check(report, make_stage, part, run):
    if report.wants(f"watching/{part}"):
        with report.check(f"watching/{part}"):
            stage = make_stage(TAGGING if part == "tags" else MAP)
            run(Attack(stage, *stage.scripts()[0]))
