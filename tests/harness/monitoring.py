"""What is published and watched: reads parameters, topics, rules of EventBridge and of AWS Config, in one form for all targets.

What is monitored is an entry of {"ACCOUNT/REGION/KIND/NAME": {...}} with the kinds parameter, topic, rule and config.  `of_world` reads
the mock, `of_script` a script's table, `of_template` a template's resources and `of_plan` a Terraform plan; what they do not know is
a failure.  `check_alerts` asks moto's matcher of event patterns which rule hears of which call.
"""
import json

from botocore.exceptions import ClientError
from moto.events.models import EventPattern

from .report import expect
from .world import partition_of

MANAGED = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_LOGGING_ENABLED"}
# as the S3 user guide ("Amazon S3 CloudTrail events") and the CloudTrail API reference name them
ON_SOURCES = ("PutBucketLogging", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketEncryption", "DeleteBucketEncryption", "PutBucketOwnershipControls",
              "DeleteBucketOwnershipControls", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock", "PutBucketVersioning", "PutBucketAcl", "DeleteBucket")
ON_LOG_BUCKETS = (*ON_SOURCES, "PutBucketLifecycle", "DeleteBucketLifecycle", "PutBucketObjectLockConfiguration", "PutBucketRequestPayment")
ON_TRAILS = ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
HARMLESS = ("GetBucketLogging", "PutBucketTagging", "PutBucketNotification", "CreateBucket", "PutObject")


def key(account, region, kind, name):
    return f"{account}/{region}/{kind}/{name}"


def policy_of(document):
    """Statements by their Sids."""
    document = json.loads(document) if isinstance(document, str) else document
    return {statement["Sid"]: statement for statement in document["Statement"]}


# ------------------------------------------------------------------------------------------------------- the mock

def record(world, accounts, regions):
    """AWS Config records, without which it takes no rule."""
    for account in sorted(accounts):
        for region in sorted(regions):
            world.client("config", account, region).put_configuration_recorder(ConfigurationRecorder={
                "name": "default", "roleARN": f"arn:{partition_of(region)}:iam::{account}:role/config", "recordingGroup": {"allSupported": True}})


def of_world(world, accounts, regions):
    found = {}
    for account in sorted(accounts):
        for region in sorted(regions):
            for kind, reader in READERS.items():
                found |= {key(account, region, kind, name): each for name, each in reader(lambda service: world.client(service, account, region))}
    return found


def parameters(client):
    ssm = client("ssm")
    for each in ssm.describe_parameters()["Parameters"]:
        value = ssm.get_parameter(Name=each["Name"])["Parameter"]
        yield each["Name"], {"type": value["Type"], "value": value["Value"]}


def topics(client):
    sns = client("sns")
    for each in sns.list_topics()["Topics"]:
        attributes = sns.get_topic_attributes(TopicArn=each["TopicArn"])["Attributes"]
        yield each["TopicArn"].rpartition(":")[2], {"policy": policy_of(attributes["Policy"])}


def rules(client):
    events = client("events")
    for each in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=each["Name"])["Targets"]
        yield each["Name"], {"pattern": json.loads(each["EventPattern"]), "state": each["State"], "description": each.get("Description", ""),
                             "targets": sorted((target["Id"], target["Arn"]) for target in targets)}


def config_rules(client):
    try:
        found = client("config").describe_config_rules()["ConfigRules"]
    except ClientError:  # where AWS Config is not
        return
    for each in found:
        yield each["ConfigRuleName"], {"target": json.loads(each["InputParameters"]), "source": {name: each["Source"][name] for name in MANAGED},
                                       "scope": each["Scope"]["ComplianceResourceTypes"], "description": each.get("Description", "")}


READERS = {"parameter": parameters, "topic": topics, "rule": rules, "config": config_rules}


# ---------------------------------------------------------------------------------------- deploying resources

def make_parameter(client, properties):
    tags = [{"Key": key, "Value": value} for key, value in properties.pop("Tags", {}).items()]
    client("ssm").put_parameter(**properties, Tags=tags)
    return properties["Name"]


def make_topic(client, properties):
    return client("sns").create_topic(Name=properties["TopicName"], Tags=properties.get("Tags", []))["TopicArn"]


def make_topic_policy(client, properties):
    for arn in properties["Topics"]:
        client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"]))


def make_rule(client, properties):
    targets = properties.pop("Targets")
    client("events").put_rule(**{**properties, "EventPattern": json.dumps(properties["EventPattern"])})
    failed = client("events").put_targets(Rule=properties["Name"], Targets=targets)
    expect(not failed["FailedEntryCount"], f"a target is refused: {failed}")
    return properties["Name"]


def make_config_rule(client, properties):
    client("config").put_config_rule(ConfigRule={**properties, "InputParameters": json.dumps(properties["InputParameters"])})
    return properties["ConfigRuleName"]


MAKERS = {"AWS::SSM::Parameter": make_parameter, "AWS::SNS::Topic": make_topic, "AWS::SNS::TopicPolicy": make_topic_policy,
          "AWS::Events::Rule": make_rule, "AWS::Config::ConfigRule": make_config_rule}


# -------------------------------------------------------------------------------------------- scripts and templates

def of_script(account, region, rows, topic_arn):
    found = {}
    for kind, name, want in rows:
        want = json.loads(want)
        if kind == "parameter":
            each = {"type": want.pop("Type"), "value": want.pop("Value")}
        elif kind == "topic":
            expect(name == topic_arn, f"the topic is {name}, and rules publish to {topic_arn}")
            name, each = name.rpartition(":")[2], {"policy": policy_of({"Statement": want.pop("Statement")})}
            expect(want == {"Version": "2012-10-17"}, f"a topic's policy has more: {want}")
            want = {}
        elif kind == "rule":
            each = {"pattern": want.pop("EventPattern"), "state": want.pop("State"), "description": want.pop("Description"), "targets": [("logmap-alerts", topic_arn)]}
        else:
            expect(kind == "config" and want.pop("ConfigRuleName") == name, f"{kind} {name} is not known here")
            each = {"target": want.pop("InputParameters"), "source": want.pop("Source"), "scope": want.pop("Scope")["ComplianceResourceTypes"],
                    "description": want.pop("Description")}
        expect(not want, f"{kind} {name} has more: {want}")
        found[key(account, region, kind, name)] = each
    return found


def tag_map(tags):
    return {tag["Key"]: tag["Value"] for tag in tags}


def of_template(account, region, properties):
    """`properties(type)` gives the resolved properties of each resource of a type."""
    found, arn, tags = {}, lambda name: f"arn:{partition_of(region)}:sns:{region}:{account}:{name}", []
    for each in properties("AWS::SSM::Parameter"):
        expect(each.pop("Description"), "a parameter without a description")
        tags.append(each.pop("Tags", {}))
        found[key(account, region, "parameter", each.pop("Name"))] = {"type": each.pop("Type"), "value": each.pop("Value")}
        expect(not each, f"a parameter has more: {each}")
    topics = [(each.pop("TopicName"), tags.append(tag_map(each.pop("Tags", []))))[0] for each in properties("AWS::SNS::Topic") if set(each) <= {"TopicName", "Tags"}]
    for name, each in zip(topics, properties("AWS::SNS::TopicPolicy"), strict=True):
        expect(each["Topics"] == [arn(name)], f"the policy is of {each['Topics']}, not of {name}")
        found[key(account, region, "topic", name)] = {"policy": policy_of(each["PolicyDocument"])}
    for each in properties("AWS::Events::Rule"):
        tags.append(tag_map(each.pop("Tags", [])))
        found[key(account, region, "rule", each.pop("Name"))] = {
            "pattern": each.pop("EventPattern"), "state": each.pop("State"), "description": each.pop("Description"),
            "targets": sorted((target["Id"], target["Arn"]) for target in each.pop("Targets"))}
        expect(not each, f"a rule has more: {each}")
    for each in properties("AWS::Config::ConfigRule"):
        found[key(account, region, "config", each.pop("ConfigRuleName"))] = {
            "target": each.pop("InputParameters"), "source": each.pop("Source"), "scope": each.pop("Scope")["ComplianceResourceTypes"],
            "description": each.pop("Description")}
        expect(not each, f"a Config rule has more: {each}")
    expect(all(one == tags[0] for one in tags), f"what is watched has other tags than what watches: {tags}")
    return found


# ------------------------------------------------------------------------------------------------------- Terraform

def of_plan(resources, account):
    found, policies, targets = {}, {}, {}
    for kind, values in resources:
        if kind == "aws_sns_topic_policy":
            policies[values["arn"]] = policy_of(values["policy"])
        elif kind == "aws_cloudwatch_event_target":
            targets.setdefault((values["region"], values["rule"]), []).append((values["target_id"], values["arn"]))
    for kind, values in resources:
        if kind == "aws_ssm_parameter":
            found[key(account, values["region"], "parameter", values["name"])] = {"type": values["type"], "value": values["value"]}
        elif kind == "aws_sns_topic":
            found[key(account, values["region"], "topic", values["name"])] = {"policy": policies.pop(values["arn"])}
        elif kind == "aws_cloudwatch_event_rule":
            found[key(account, values["region"], "rule", values["name"])] = {
                "pattern": json.loads(values["event_pattern"]), "state": values["state"] or "ENABLED", "description": values["description"],
                "targets": sorted(targets.pop((values["region"], values["name"])))}
        elif kind == "aws_config_config_rule":
            (source,), (scope,) = values["source"], values["scope"]
            found[key(account, values["region"], "config", values["name"])] = {
                "target": json.loads(values["input_parameters"]), "source": {"Owner": source["owner"], "SourceIdentifier": source["source_identifier"]},
                "scope": sorted(scope["compliance_resource_types"]), "description": values["description"]}
    expect(not policies and not targets, f"policies and targets of nothing: {sorted(policies)}, {sorted(targets)}")
    return found


# ---------------------------------------------------------------------------------------------------------- alerts

def call(service, name, account, region, parameters):
    """An event as EventBridge gives it on from CloudTrail."""
    return {
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "AWS API Call via CloudTrail", "source": f"aws.{service}",
        "account": account, "time": "2026-10-05T12:00:00Z", "region": region, "resources": [],
        "detail": {"eventVersion": "1.11", "userIdentity": {"type": "AssumedRole", "accountId": account}, "eventTime": "2026-10-05T12:00:00Z",
                   "eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": region, "sourceIPAddress": "192.0.2.1",
                   "requestParameters": parameters, "responseElements": None, "readOnly": name.startswith("Get"), "eventType": "AwsApiCall",
                   "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management"}}


def check_alerts(model, sources):
    """Each call that changes something meets just one rule of its account and Region; no other call meets any."""
    # external ones are watched too
    model = {**model, "sources": {name: {"account": account, "region": region} for name, (account, region) in sources.items()}}
    places = {tuple(name.split("/")[:2]) for name in model["monitoring"] if "/topic/" in name}
    for account, region in sorted(places):
        here = lambda things: sorted(name for name, each in model[things].items() if (each["account"], each["region"]) == (account, region))
        own = {name: each for name, each in model["monitoring"].items() if name.startswith(f"{account}/{region}/rule/")}
        for name, rule in own.items():
            size = len(json.dumps(rule["pattern"], separators=(",", ":")))
            expect(size <= 2048, f"the pattern of {name} has {size} characters")
            expect(len(name.rpartition("/")[2]) <= 64, f"the name of {name} is too long")
        patterns = {name: EventPattern.load(json.dumps(rule["pattern"])) for name, rule in own.items()}

        def heard(service, what, parameters):
            event = call(service, what, account, region, parameters)
            return [name for name, pattern in patterns.items() if pattern.matches_event(event)]
        asked = [("s3", what, {"bucketName": bucket, "Host": "s3.amazonaws.com"}, 1) for bucket in here("buckets") for what in ON_LOG_BUCKETS]
        asked += [("s3", what, {"bucketName": bucket, "Host": "s3.amazonaws.com"}, 1) for bucket in here("sources") for what in ON_SOURCES]
        asked += [("s3", what, {"bucketName": bucket}, 0) for bucket in here("buckets") + here("sources") for what in HARMLESS]
        asked += [("s3", "PutBucketLifecycle", {"bucketName": bucket}, 0) for bucket in here("sources")]
        asked += [("cloudtrail", what, {"name": "any"}, bool(here("trails"))) for what in ON_TRAILS]
        asked += [("cloudtrail", what, {"name": "any"}, 0) for what in ("StartLogging", "CreateTrail", "DescribeTrails")]
        if not any("anything-but" in json.dumps(rule["pattern"]) for rule in own.values()):
            asked += [("s3", what, {"bucketName": "somebody-elses"}, 0) for what in ON_LOG_BUCKETS]
        for service, what, parameters, wanted in asked:
            found = heard(service, what, parameters)
            expect(len(found) == wanted, f"{account}/{region}: {what} of {parameters} is heard by {found}")
