"""What is published and watched: reads parameters, topics, rules of EventBridge and of AWS Config, in one form for all targets.

What is monitored is an entry of {"ACCOUNT/REGION/KIND/NAME": {...}} with the kinds parameter, topic, rule and config.  `of_world` reads
the mock, `of_script` a script's table, `of_template` a template's resources and `of_plan` a Terraform plan; what they do not know is
a failure.  `check_alerts` asks moto's matcher of event patterns which rule hears of which call.
"""
import json
import re

from botocore.exceptions import ClientError
from moto.events.models import EventPattern

from .report import expect
from .world import partition_of

MANAGED = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_LOGGING_ENABLED"}
# as the S3 user guide ("Amazon S3 CloudTrail events") and the CloudTrail API reference name them
ON_SOURCES = ("PutBucketLogging", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketEncryption", "DeleteBucketEncryption", "PutBucketOwnershipControls",
              "DeleteBucketOwnershipControls", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock", "PutBucketVersioning", "PutBucketAcl", "DeleteBucket")
ON_LOG_BUCKETS = (*ON_SOURCES, "PutBucketLifecycle", "DeleteBucketLifecycle", "PutBucketObjectLockConfiguration", "PutBucketRequestPayment")
ON_COPIES = ("PutBucketReplication", "DeleteBucketReplication")
ON_OBJECTS = ("DeleteObject", "DeleteObjects")
ON_ACCOUNTS = ("PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock")
# the parameter that names the rule
ON_RULES = {"PutRule": "name", "DeleteRule": "name", "DisableRule": "name", "PutTargets": "rule", "RemoveTargets": "rule"}
ON_TOPICS = {"DeleteTopic": "topicArn", "SetTopicAttributes": "topicArn", "AddPermission": "topicArn", "RemovePermission": "topicArn",
             "PutDataProtectionPolicy": "resourceArn", "Unsubscribe": "subscriptionArn", "SetSubscriptionAttributes": "subscriptionArn"}
ON_KEYS = ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy", "RevokeGrant", "DeleteImportedKeyMaterial")
ON_ALIASES = ("UpdateAlias", "DeleteAlias")
ON_DELIVERIES = ("DeleteDelivery", "DeleteDeliverySource", "DeleteDeliveryDestination", "DeleteDeliveryDestinationPolicy", "PutDeliveryDestination",
                 "PutDeliveryDestinationPolicy", "UpdateDeliveryConfiguration")
ON_TRAILS = ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
HARMLESS = ("GetBucketLogging", "PutBucketTagging", "PutBucketNotification", "CreateBucket", "PutObject")


def target(each):
    """Id, ARN, role, and what it gets instead of the event."""
    return each["Id"], each["Arn"], each.get("RoleArn") or "", json.dumps(each.get("InputTransformer") or {}, sort_keys=True)


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
                             "targets": sorted(map(target, targets))}


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
            want.pop("Description", None)
        elif kind == "topic":
            expect(name == topic_arn, f"the topic is {name}, and rules publish to {topic_arn}")
            name, each = name.rpartition(":")[2], {"policy": policy_of({"Statement": want.pop("Statement")})}
            expect(want == {"Version": "2012-10-17"}, f"a topic's policy has more: {want}")
            want = {}
        elif kind == "rule":
            own = [want.pop("Bus")] if "Bus" in want else []
            targets = [{"Id": "logmap-alerts", "Arn": topic_arn, "InputTransformer": want.pop("InputTransformer", {})}, *own]
            each = {"pattern": want.pop("EventPattern"), "state": want.pop("State"), "description": want.pop("Description"), "targets": sorted(map(target, targets))}
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
            "targets": sorted(map(target, each.pop("Targets")))}
        expect(not each, f"a rule has more: {each}")
    for each in properties("AWS::Config::ConfigRule"):
        found[key(account, region, "config", each.pop("ConfigRuleName"))] = {
            "target": each.pop("InputParameters"), "source": each.pop("Source"), "scope": each.pop("Scope")["ComplianceResourceTypes"],
            "description": each.pop("Description")}
        expect(not each, f"a Config rule has more: {each}")
    expect(all(one == tags[0] for one in tags), f"what is watched has other tags than what watches: {tags}")
    return found


# ------------------------------------------------------------------------------------------------------- Terraform

def transformer(values):
    made = [{"InputPathsMap": each["input_paths"], "InputTemplate": each["input_template"]} for each in values.get("input_transformer") or []]
    return json.dumps(made[0] if made else {}, sort_keys=True)


def of_plan(resources, account):
    found, policies, targets = {}, {}, {}
    for kind, values in resources:
        if kind == "aws_sns_topic_policy":
            policies[values["arn"]] = policy_of(values["policy"])
        elif kind == "aws_cloudwatch_event_target":
            targets.setdefault((values["region"], values["rule"]), []).append((values["target_id"], values["arn"], values.get("role_arn") or "", transformer(values)))
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
        "detail": {"eventVersion": "1.11", "userIdentity": {"type": "AssumedRole", "accountId": account, "arn": f"arn:{partition_of(region)}:sts::{account}:assumed-role/admin/nina"},
                   "eventID": "1338bf78-9583-4f79-ad29-82b689b50d32", "eventTime": "2026-10-05T12:00:00Z",
                   "eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": region, "sourceIPAddress": "192.0.2.1",
                   "requestParameters": parameters, "responseElements": None, "readOnly": name.startswith("Get"), "eventType": "AwsApiCall",
                   "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management"}}


def spread(value):
    """The same with lists of objects as objects of lists, which is how EventBridge matches them and moto does not."""
    if isinstance(value, dict):
        return {name: spread(each) for name, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return {name: [each[name] for each in value if name in each] for name in sorted({name for each in value for name in each})}
    return value


def other_calls(account, region, rules, topic):
    """(service, call, parameters, more of the event, how many rules of the endings `rules` hear of it) of what may be watched beside logging."""
    stem = next(name for name in rules if name.endswith("-topic") or name.endswith("-public-access") or "-log-buckets" in name or "-sources" in name)
    stem = stem.partition("-topic")[0].partition("-public-access")[0].partition("-log-buckets")[0].partition("-sources")[0]
    has = lambda ending: f"{stem}-{ending}" in rules
    for what, parameter in ON_RULES.items():
        for name in rules:
            yield "events", what, {parameter: name}, {}, has("rules")
        yield "events", what, {parameter: "somebody-elses"}, {}, 0
        yield "events", what, {"description": f"{stem}-sources-1"}, {}, 0
    for what in ("DescribeRule", "EnableRule", "ListTargetsByRule"):
        yield "events", what, {"name": f"{stem}-rules"}, {}, 0
    subscription = lambda of: f"{of}:1338bf78-9583-4f79-ad29-82b689b50d32"
    for what, parameter in ON_TOPICS.items():
        for of, wanted in ((topic, has("topic")), (f"{topic}-others", 0), (topic.replace(account, "000000000001"), 0)):
            yield "sns", what, {parameter: subscription(of) if parameter == "subscriptionArn" else of}, {}, wanted
    for what in ("Subscribe", "TagResource", "GetTopicAttributes"):
        yield "sns", what, {"topicArn": topic}, {}, 0
    for what in ON_ACCOUNTS:
        yield "s3", what, {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}, {}, has("public-access")
    for what in ON_DELIVERIES:
        yield "logs", what, {"id": "abc", "name": "web"}, {}, has("deliveries")
    for what in ("CreateDelivery", "PutLogEvents", "DeleteLogGroup"):
        yield "logs", what, {"name": "web"}, {}, 0


def key_calls(keys):
    """The same of keys, {ARN: True if it is watched here}."""
    for key, watched in keys.items():
        resource, seen = key.split(":", 5)[5], {"resources": [{"accountId": key.split(":")[4], "type": "AWS::KMS::Key", "ARN": key}]}
        if resource.startswith("alias/"):
            # the name is all that an event has, and another place may have one of the same name
            watched = any(each and name.endswith(f":{resource}") for name, each in keys.items())
            for what in ON_ALIASES:
                yield "kms", what, {"aliasName": resource, "targetKeyId": "another"}, {}, watched
            continue
        for what in ON_KEYS:
            yield "kms", what, {"keyId": resource.partition("/")[2]}, seen, watched
            yield "kms", what, {"keyId": key}, seen, watched
            # as one that is refused may look
            yield "kms", what, {"keyId": key}, {"errorCode": "AccessDenied"}, watched
            yield "kms", what, {"keyId": "alias/x"}, seen, watched
            yield "kms", what, {"keyId": "00000000-0000-0000-0000-000000000000"}, {"resources": [{"ARN": key[:-1] + "0"}]}, 0
        for what in ("Decrypt", "GenerateDataKey", "EnableKey", "DescribeKey"):
            yield "kms", what, {"keyId": key}, seen, 0


def published(message, event):
    """What EventBridge makes of an event by an input transformer: each line is a string in quotes, a value that is not there is left out, and
    values are not escaped (EventBridge user guide, "Amazon EventBridge input transformation").  None: this is no text."""
    def value(path):
        found = event
        for name in path.removeprefix("$.").split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return "" if found is None else str(found)
    template = re.sub("<([A-Za-z0-9_-]+)>", lambda found: value(message["InputPathsMap"][found[1]]), message["InputTemplate"])
    try:
        return [json.loads(line) for line in template.split("\n")]
    except ValueError:
        return None


def excepted(pattern):
    """(roles, users) whose calls a pattern leaves out."""
    roles, users = [], []
    for choice in pattern.get("$or", []):
        identity = choice["detail"].get("userIdentity", {})
        for found, into in ((identity.get("arn"), users), (identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn"), roles)):
            for each in found or []:
                into += each.get("anything-but", [])
    return roles, users


def check_exceptions(name, pattern, event):
    """Calls of excepted principals are heard if they are refused; calls of all others are heard."""
    roles, users = excepted(json.loads(pattern._raw_pattern))
    session = lambda arn: {"type": "AssumedRole", "arn": arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/me",
                           "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}, "attributes": {}}}
    user = lambda arn: {"type": "IAMUser", "arn": arn}
    left_out = [*map(session, roles), *map(user, users)]
    others = [session(f"{arn}{more}") for arn in roles for more in ("-2", "/x")] + [session(arn.replace("::", "::9", 1)) for arn in roles]
    others += [user(f"{arn}2") for arn in users] + [user(arn.replace(":role/", ":user/")) for arn in roles]
    others += [{"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, {"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}]
    for identity, wanted in [(each, False) for each in left_out] + [(each, True) for each in others]:
        for error in ({}, {"errorCode": "AccessDenied"}):
            seen = {**event, "detail": {**event["detail"], "userIdentity": identity, **error}}
            heard = pattern.matches_event(seen)
            expect(heard == (wanted or bool(error)), f"{name}: a call of {identity}, {error or 'not refused'}, is {'heard' if heard else 'not heard'}")


def check_message(name, message, event):
    """An alert says who did what on what, where and when, and whether it was refused."""
    expect(len(message["InputTemplate"]) <= 8192 and len(message["InputPathsMap"]) <= 100, f"{name}: the message is too large")
    unused = [each for each in message["InputPathsMap"] if f"<{each}>" not in message["InputTemplate"]]
    expect(not unused, f"{name}: the message does not use {unused}")
    detail, on = event["detail"], [str(each) for each in (event["detail"]["requestParameters"] or {}).values() if isinstance(each, str)]
    for more in ({}, {"errorCode": "AccessDenied"}, {"userIdentity": {"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}}):
        seen = {**event, "detail": {**detail, **more}}
        lines = published(message, seen)
        expect(lines is not None and all(isinstance(line, str) for line in lines), f"{name}: EventBridge makes no text of {message['InputTemplate']}")
        said = "\n".join(lines)
        wanted = [detail["eventName"], detail["eventTime"], detail["sourceIPAddress"], event["account"], event["region"], more.get("errorCode", ""),
                  seen["detail"]["userIdentity"].get("arn") or seen["detail"]["userIdentity"].get("invokedBy", "")]
        expect(all(each in said for each in wanted), f"{name}: {wanted} is not all in {said!r}")
        expect(not on or any(each in said for each in on), f"{name}: {on} is not in {said!r}")


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

        def heard(service, what, parameters, more):
            event = call(service, what, account, region, parameters)
            event["detail"] = spread({**event["detail"], **more})
            return [name for name, pattern in patterns.items() if pattern.matches_event(event)]
        asked = [("s3", what, {"bucketName": bucket, "Host": "s3.amazonaws.com"}, 1) for bucket in here("buckets") for what in ON_LOG_BUCKETS]
        asked += [("s3", what, {"bucketName": bucket, "Host": "s3.amazonaws.com"}, 1) for bucket in here("sources") for what in ON_SOURCES]
        asked += [("s3", what, {"bucketName": bucket}, 0) for bucket in here("buckets") + here("sources") for what in HARMLESS]
        asked += [("s3", "PutBucketLifecycle", {"bucketName": bucket}, 0) for bucket in here("sources")]
        asked += [("cloudtrail", what, {"name": "any"}, bool(here("trails"))) for what in ON_TRAILS]
        asked += [("cloudtrail", what, {"name": "any"}, 0) for what in ("StartLogging", "CreateTrail", "DescribeTrails")]
        if not any("anything-but" in json.dumps(rule["pattern"]) for rule in own.values()):
            asked += [("s3", what, {"bucketName": "somebody-elses"}, 0) for what in ON_LOG_BUCKETS]
        short = sorted(name.rpartition("/")[2] for name in own)
        copies = any("PutBucketReplication" in json.dumps(rule["pattern"]) for rule in own.values())
        asked += [("s3", what, {"bucketName": bucket}, copies) for bucket in here("buckets") for what in ON_COPIES]
        asked += [("s3", what, {"bucketName": bucket}, 0) for bucket in here("sources") for what in ON_COPIES]
        objects = any(name.endswith("-log-objects") for name in short)
        asked += [("s3", what, {"bucketName": bucket, "key": "x"}, objects) for bucket in here("buckets") for what in ON_OBJECTS]
        asked += [("s3", what, {"bucketName": bucket, "key": "x"}, 0) for bucket in here("sources") for what in ON_OBJECTS]
        asked = [(service, what, parameters, {}, wanted) for service, what, parameters, wanted in asked]
        topic = next(name for name in model["monitoring"] if name.startswith(f"{account}/{region}/topic/")).rpartition("/")[2]
        asked += other_calls(account, region, short, f"arn:{partition_of(region)}:sns:{region}:{account}:{topic}")
        watched = any("-keys-" in name for place in model["monitoring"] for name in (place.rpartition("/")[2],))
        keys = sorted({each["kms"] for each in model["trails"].values() if each.get("kms")})
        asked += key_calls({key: watched and key.split(":")[3:5] == [region, account] for key in keys})
        for service, what, parameters, more, wanted in asked:
            found = heard(service, what, parameters, more)
            expect(len(found) == wanted, f"{account}/{region}: {what} of {parameters}, {more}, is heard by {found}")
            for name in found:
                if "errorCode" not in more:
                    event = call(service, what, account, region, parameters)
                    check_exceptions(name, patterns[name], {**event, "detail": spread({**event["detail"], **more})})
                for message in (one[3] for one in own[name]["targets"] if one[0] == "logmap-alerts"):
                    if message != "{}":
                        check_message(name, json.loads(message), call(service, what, account, region, parameters))
