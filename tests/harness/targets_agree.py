"""One meaning in all targets: reads each target back into one model and compares the models.

A model is {"buckets": {name: {...}}, "sources": {name: {...}}, "trails": {arn: {...}}} in the words of this module.  The
readers are of this module alone and know just what logmap writes; what they do not know is a failure:
  of_world(snapshot)          what the mock holds after the scripts ran
  of_scripts(tree, map)       the tables in the scripts, as bash reads them
  of_templates(tree, map)     the CloudFormation templates, as YAML 1.1 reads them
  of_stack_sets(tree)         the StackSet templates, for each account in them
  of_plan(plan, account)      a Terraform plan as JSON
"""
import json
import subprocess

import yaml

from . import glue, monitoring
from .report import Failure, clean_env, expect
from .scripts import region_scripts
from .terraform import first, resources, roots
from .world import partition_of

BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
PROTECTED = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy")


def empty():
    return {"buckets": {}, "sources": {}, "trails": {}, "roles": {}, "monitoring": {}, "deliveries": {}}


def merge(model, other):
    for kind in model:
        twice = set(model[kind]) & set(other[kind])
        expect(not twice, f"read twice: {sorted(twice)}")
        model[kind] |= other[kind]
    return model


def differences(one, other, names, kinds=("buckets", "sources", "trails", "roles", "monitoring", "deliveries"), ignore=()):
    """Each thing that is not the same in the two models, with both values."""
    for kind in kinds:
        for name in sorted({**one[kind], **other[kind]}):
            a, b = one[kind].get(name), other[kind].get(name)
            if a is None or b is None:
                yield f"{kind[:-1]} {name}: only in {names[a is None]}"
                continue
            for key in sorted({**a, **b}):
                if key in a and key in b and key not in ignore and a[key] != b[key]:
                    yield f"{kind[:-1]} {name}, {key}: {a[key]!r} in {names[0]}, {b[key]!r} in {names[1]}"


def same(one, other, names, **how):
    found = list(differences(one, other, names, **how))
    expect(not found, "\n".join(found[:20]))


def key_format(logging):
    """`event`, `delivery` or `simple`, from the S3 API's TargetObjectKeyFormat."""
    form = logging.get("TargetObjectKeyFormat") or {}
    if "PartitionedPrefix" not in form:
        return "simple"
    return {"EventTime": "event", "DeliveryTime": "delivery"}[(form["PartitionedPrefix"] or {}).get("PartitionDateSource", "EventTime")]


def number(value):
    return None if value is None else int(value)


def api_rules(rules):
    """Lifecycle rules as the S3 API writes them, by id."""
    found = {}
    for rule in rules or []:
        rule = dict(rule)
        expect(rule.pop("Status") == "Enabled", f"the lifecycle rule {rule['ID']} is off")
        scope = rule.pop("Filter")
        scope = scope.get("And") or scope
        expect(set(scope) <= {"Prefix", "ObjectSizeGreaterThan"}, f"the lifecycle rule {rule['ID']} has the filter {scope}")
        found[rule.pop("ID")] = {
            "prefix": scope.get("Prefix", ""), "larger": number(scope.get("ObjectSizeGreaterThan")), "expire": rule.pop("Expiration", {}).get("Days"),
            "noncurrent": rule.pop("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
            "abort": rule.pop("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
            "transitions": [(step["Days"], step["StorageClass"]) for step in rule.pop("Transitions", [])]}
        expect(not rule, f"a lifecycle rule has more: {rule}")
    return found


def copy_of(replication):
    """A replication as the S3 API writes it, without the role."""
    (rule,) = replication["Rules"]
    rule, to = dict(rule), dict(rule["Destination"])
    found = {"id": rule.pop("ID"), "priority": rule.pop("Priority"), "prefix": rule.pop("Filter")["Prefix"], "status": rule.pop("Status"),
             "deletions": rule.pop("DeleteMarkerReplication")["Status"], "to": to.pop("Bucket"), "key": (to.pop("EncryptionConfiguration", None) or {}).get("ReplicaKmsKeyID"),
             "encrypted": ((rule.pop("SourceSelectionCriteria", None) or {}).get("SseKmsEncryptedObjects") or {}).get("Status")}
    expect(not to and rule == {"Destination": rule["Destination"]}, f"a replication has more: {rule}")
    return found


def role_of(name, trust, policy_name, policy, what):
    """A role that copies."""
    read = lambda document: json.loads(document) if isinstance(document, str) else document
    return {"name": name, "trust": read(trust), "policies": {policy_name: read(policy)}, "what": what}


def destination_of(name, arn, form, policy, tags):
    """An archive as a destination of deliveries."""
    return {"name": name, "arn": arn, "form": form, "policy": policy, "tags": tags}


def delivery_of(name, arn, to, tags, log_type="S3_SERVER_ACCESS_LOGS"):
    """A delivery source and its delivery."""
    return {"name": name, "arn": arn, "to": to, "tags": tags, "type": log_type}


def selectors(advanced, field="Field"):
    """Advanced event selectors: name and what each field must be.  None: management events, the default."""
    if not advanced:
        return None
    out = []
    for selector in advanced:
        fields = {}
        for each in selector["FieldSelectors"]:
            fields[each[field]] = {key: sorted(value) for key, value in each.items() if key != field and value}
        out.append((selector.get("Name"), fields))
    return sorted(out, key=lambda each: each[0])


# ------------------------------------------------------------------------------------------------------- the mock

def of_world(snapshot, log_buckets):
    """`log_buckets` are the names that count; the other buckets count as far as they log."""
    model = empty()
    for name, bucket in snapshot["buckets"].items():
        place = {"account": bucket["account"], "region": bucket["region"]}
        if bucket["logging"]:
            logging = bucket["logging"]
            model["sources"][name] = {**place, "target": logging["TargetBucket"], "prefix": logging.get("TargetPrefix") or "", "format": key_format(logging)}
        if name not in log_buckets:
            continue
        lock = ((bucket["lock"] or {}).get("Rule") or {}).get("DefaultRetention")
        model["buckets"][name] = {
            **place, "policy": bucket["policy"], "encryption": bucket["encryption"], "ownership": bucket["ownership"],
            "block": sorted(key for key in BLOCKS if (bucket["public_access_block"] or {}).get(key)),
            # a bucket that never had versions is for a log bucket what one with suspended versions is
            "versioning": bucket["versioning"] or "Suspended", "lock": (lock["Mode"], lock["Days"]) if lock else None,
            "copied": copy_of(bucket["replication"]) if bucket["replication"] else None,
            "lifecycle": api_rules(bucket["lifecycle"]), "tags": {tag["Key"]: tag["Value"] for tag in bucket["tags"] or []}}
    model["monitoring"] = snapshot.get("monitoring", {})
    for arn, trail in snapshot["trails"].items():
        advanced = [each for each in trail["selectors"] or [] if "FieldSelectors" in each]
        basic = [each for each in trail["selectors"] or [] if "FieldSelectors" not in each]
        expect(all(each.get("IncludeManagementEvents", True) and not each.get("DataResources") for each in basic), f"{arn}: {basic}")
        model["trails"][arn] = {
            **{key: trail[key] for key in ("account", "region", "name", "bucket", "prefix", "validation", "multi_region", "organization", "logging")},
            "kms": trail["kms"] or "", "tags": {tag["Key"]: tag["Value"] for tag in trail["tags"]}, "global": trail["global"], "selectors": selectors(advanced),
            "feeds": feeds(trail["log_group"], trail["log_role"], trail["topic"], trail["insights"])}
    return model


def feeds(log_group, role, topic, insights):
    """What a trail feeds beside its bucket. A topic of its own place has its name in some targets and its ARN in others."""
    kinds = sorted(one if isinstance(one, str) else one["InsightType"] for one in insights or [])
    return log_group or "", role or "", (topic or "").rpartition(":")[2], kinds


# ---------------------------------------------------------------------------------------------------- the scripts

SHOW = """
show() { printf '%s\\0' "$#" "$@"; }
printf '%s\\0' "$ACCOUNT" "$REGION" "$PROFILE" "$ROLE"
each_bucket show; printf 'end\\0'
each_source show; printf 'end\\0'
each_trail show; printf 'end\\0'
each_monitor show; printf 'end\\0'
role_of_copies show; printf 'end\\0'
each_copy show; printf 'end\\0'
destination_of_deliveries show; printf 'end\\0'
each_delivery show; printf 'end\\0'
printf '%s\\0' "$DELIVER_TO"
printf '%s\\0' "${TOPIC_ARN:-}" "${TAGS:-}"
"""


def tables(script):
    """What bash makes of the words of a script: (account, Region, profile, role, topic), buckets, sources, trails, monitoring."""
    text = script.read_text()
    expect(text.endswith('\nmain "$@"\n'), f"{script.name} does not end by calling main")
    done = subprocess.run(["bash", "--norc", "-c", text[:text.rindex("main")] + SHOW, script], env=clean_env(), cwd=script.parent, capture_output=True)
    expect(done.returncode == 0 and not done.stderr, f"{script.name}: {done.stderr.decode()}")
    words = iter(done.stdout.decode().split("\0"))
    head, rows = [next(words) for _ in range(4)], []
    for _ in range(8):
        rows.append([])
        while (count := next(words)) != "end":
            rows[-1].append([next(words) for _ in range(int(count))])
    rows.append(next(words))
    return [*head, next(words), json.loads(next(words) or "{}")], *rows


def of_scripts(tree, region_map):
    """The model, and {(account, Region): (profile, role)}.  External sources are left out, as in every target."""
    model, callers = empty(), {}
    for path in region_scripts(tree / "aws-cli", "*"):
        (account, region, profile, role, topic, tags), buckets, sources, trails, watched, roles, copied, destinations, delivered, deliver_to = tables(path)
        expect((account, region) == (region_map.accounts[path.parent.name].id, path.stem), f"{path}: is for {account}/{region}")
        callers[account, region] = profile, role
        place = {"account": account, "region": region}
        for name, origin, namespace, _, versioning, policy, lifecycle, own_tags, lock in buckets:
            lock = json.loads(lock)["Rule"]["DefaultRetention"] if lock else None
            model["buckets"][name] = {
                **place, "adopted": origin == "adopt", "regional": namespace == "account-regional", "versioning": versioning, "policy": json.loads(policy),
                "lifecycle": api_rules(json.loads(lifecycle)["Rules"]), "tags": json.loads(own_tags), "lock": (lock["Mode"], lock["Days"]) if lock else None, "copied": None}
        for name, replication, _ in copied:
            expect(json.loads(replication)["Role"] == roles[0][1], f"{path}: {name} is copied with another role")
            model["buckets"][name]["copied"] = copy_of(json.loads(replication))
        for name, arn, trust, policy_name, policy, what in roles:
            expect(arn == f"arn:{partition_of(region)}:iam::{account}:role/{name}", f"{path}: {arn}")
            model["roles"][f"{account}/{region}/role"] = role_of(name, trust, policy_name, policy, what)
        for name, arn, form, policy in destinations:
            model["deliveries"][f"{account}/{region}/to"] = destination_of(name, arn, form, json.loads(policy) if policy else None, tags)
        for name, bucket, arn in delivered:
            expect(arn == f"arn:{partition_of(region)}:s3:::{bucket}", f"{path}: {arn} of {bucket}")
            model["deliveries"][f"{account}/{region}/{bucket}"] = delivery_of(name, arn, deliver_to, tags)
        model["monitoring"] |= monitoring.of_script(account, region, watched, topic)
        for name, by, logging in sources:
            logging = json.loads(logging)["LoggingEnabled"]
            if by == "managed":
                model["sources"][name] = {**place, "target": logging["TargetBucket"], "prefix": logging["TargetPrefix"], "format": key_format(logging)}
        for name, origin, arn, settings, advanced, _ in trails:
            settings = json.loads(settings)
            model["trails"][arn] = {
                **place, "tags": {} if origin == "adopt" else tags, "name": name, "adopted": origin == "adopt", "bucket": settings["S3BucketName"], "prefix": settings["S3KeyPrefix"], "kms": settings["KmsKeyId"],
                "validation": settings["LogFileValidationEnabled"], "multi_region": settings["IsMultiRegionTrail"],
                "organization": settings["IsOrganizationTrail"], "global": settings["IncludeGlobalServiceEvents"],
                "selectors": selectors(json.loads(advanced)) if advanced else None,
                "feeds": feeds(settings.get("CloudWatchLogsLogGroupArn"), settings.get("CloudWatchLogsRoleArn"), settings.get("SnsTopicName"), settings.get("InsightSelectors"))}
    return model, callers


# -------------------------------------------------------------------------------------------------- CloudFormation

class Template:
    """One template in one account and Region."""

    def __init__(self, path, account, region):
        # no short tags are written, so YAML's own loader must do
        self.path, self.template, self.account, self.region = path, yaml.safe_load(path.read_text()), account, region
        self.conditions = {name: self.resolve(value) for name, value in self.template["Conditions"].items()}
        self.resources = {name: each for name, each in self.template["Resources"].items() if self.conditions.get(each.get("Condition"), True)}

    def resolve(self, value):
        """The functions that logmap writes.  Anything else that CloudFormation would take for a function is a failure."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            expect(not (isinstance(value, str) and "{{resolve:" in value), f"{self.path.name}: CloudFormation would resolve {value!r}")
            return value
        if len(value) == 1 and (next(iter(value)) in ("Ref", "Condition") or next(iter(value)).startswith("Fn::")):
            (function, argument), = value.items()
            if function == "Ref" and argument == "AWS::Region":
                return self.region
            if function == "Ref" and argument == "AWS::AccountId":
                return self.account
            if function == "Ref" and self.template["Resources"][argument]["Type"] == "AWS::S3::Bucket":
                return self.template["Resources"][argument]["Properties"]["BucketName"]
            if function == "Ref" and self.template["Resources"][argument]["Type"] == "AWS::Logs::DeliverySource":
                return self.template["Resources"][argument]["Properties"]["Name"]
            if function == "Ref" and self.template["Resources"][argument]["Type"] == "AWS::SNS::Topic":
                name = self.template["Resources"][argument]["Properties"]["TopicName"]
                return f"arn:{partition_of(self.region)}:sns:{self.region}:{self.account}:{name}"
            if function == "Fn::FindInMap":
                table, *keys = self.resolve(argument)
                return self.template["Mappings"][table][keys[0]][keys[1]]
            if function == "Fn::Equals":
                one, other = self.resolve(argument)
                return one == other
            if function == "Fn::GetAtt" and argument[1] == "Arn":
                return {"arn of": argument[0]}
            raise Failure(f"{self.path.name}: {value} is not what logmap writes")
        return {key: self.resolve(item) for key, item in value.items()}

    def properties(self, kind):
        for name, resource in self.resources.items():
            if resource["Type"] == kind:
                if kind in PROTECTED:
                    kept = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
                    # the second one deletes what a first deployment that fails has made, as long as it is empty
                    expect(kept in (("Retain", "Retain"), ("RetainExceptOnCreate", "Retain")), f"{self.path.name}: {name} would be deleted with its stack: {kept}")
                yield self.resolve(resource["Properties"])

    def model(self):
        model, place = empty(), {"account": self.account, "region": self.region}
        for bucket in self.properties("AWS::S3::Bucket"):
            expect(isinstance(bucket["BucketName"], str), f"{self.path.name}: a bucket without a literal name")
            if logging := bucket.pop("LoggingConfiguration", None):  # the trails' own bucket
                model["sources"][bucket["BucketName"]] = {
                    **place, "target": logging.pop("DestinationBucketName"), "prefix": logging.pop("LogFilePrefix"), "format": key_format(logging)}
            model["buckets"][bucket["BucketName"]] = {**place, **bucket_of(bucket)}
        for role in [one["Properties"] for one in self.resources.values() if one["Type"] == "AWS::IAM::Role"]:
            if str(role.get("RoleName", "")).startswith("logmap-replication-"):  # the function's is not compared
                (policy,) = role["Policies"]
                model["roles"][f"{self.account}/{self.region}/role"] = role_of(
                    role["RoleName"], role["AssumeRolePolicyDocument"], policy["PolicyName"], policy["PolicyDocument"], role["Description"])
        for policy in self.properties("AWS::S3::BucketPolicy"):
            model["buckets"][policy["Bucket"]]["policy"] = policy["PolicyDocument"]
        for trail in self.properties("AWS::CloudTrail::Trail"):
            arn, own = trail_of(trail, self.account, self.region)
            model["trails"][arn] = {**place, **own}
        tags_of = lambda one: {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
        for one in self.properties("AWS::Logs::DeliveryDestination"):
            policy = one.get("DeliveryDestinationPolicy") or {"DeliveryDestinationName": one["Name"]}
            expect(policy["DeliveryDestinationName"] == one["Name"], f"{self.path.name}: the policy of another destination")
            model["deliveries"][f"{self.account}/{self.region}/to"] = destination_of(
                one["Name"], one["DestinationResourceArn"], one["OutputFormat"], policy.get("DeliveryDestinationPolicy"), tags_of(one))
        to = {one["DeliverySourceName"]: one for one in self.properties("AWS::Logs::Delivery")}
        for one in self.properties("AWS::Logs::DeliverySource"):
            delivery = to.pop(one["Name"])
            expect(tags_of(delivery) == tags_of(one), f"{self.path.name}: tags of {one['Name']}")
            model["deliveries"][f"{self.account}/{self.region}/{one['ResourceArn'].rpartition(':')[2]}"] = delivery_of(
                one["Name"], one["ResourceArn"], delivery["DeliveryDestinationArn"], tags_of(one), one["LogType"])
        expect(not to, f"{self.path.name}: deliveries without a source: {to}")
        model["monitoring"] = monitoring.of_template(self.account, self.region, self.properties)
        for source in self.properties("Custom::AccessLogging"):
            expect(source.pop("ServiceToken") == {"arn of": "SetAccessLogging"}, f"{self.path.name}: {source} has another function")
            expect(source.pop("ServiceTimeout") == 900, f"{self.path.name}: {source} has another timeout")
            model["sources"][source.pop("Source")] = {
                **place, "target": source.pop("Target"), "prefix": source.pop("Prefix"),
                "format": {"partitioned-event-time": "event", "partitioned-delivery-time": "delivery", "simple": "simple"}[source.pop("KeyFormat")]}
            expect(not source, f"{self.path.name}: a source has more: {source}")
        return model

    def published(self):
        """The sources in the outputs: those that logmap does not set, too."""
        outputs = [each for name, each in self.template["Outputs"].items() if name.startswith("Sources") and self.conditions[each["Condition"]]]
        return {name for each in outputs for name in each["Value"].split(",")}


def bucket_of(bucket):
    bucket = dict(bucket)
    del bucket["BucketName"]
    (encryption,), (ownership,) = bucket.pop("BucketEncryption")["ServerSideEncryptionConfiguration"], bucket.pop("OwnershipControls")["Rules"]
    lock = bucket.pop("ObjectLockConfiguration", None)
    expect(bool(lock) == bucket.pop("ObjectLockEnabled", False), "Object Lock is configured and not enabled, or enabled and not configured")
    found = {
        "regional": bucket.pop("BucketNamespace", "global") == "account-regional", "encryption": encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
        "ownership": ownership["ObjectOwnership"], "block": sorted(key for key, on in bucket.pop("PublicAccessBlockConfiguration").items() if on is True),
        "versioning": bucket.pop("VersioningConfiguration")["Status"], "tags": {tag["Key"]: tag["Value"] for tag in bucket.pop("Tags", [])}, "lifecycle": {},
        "lock": (lock["Rule"]["DefaultRetention"]["Mode"], lock["Rule"]["DefaultRetention"]["Days"]) if lock else None,
        "copied": of_stack(bucket.pop("ReplicationConfiguration", None))}
    for rule in bucket.pop("LifecycleConfiguration")["Rules"]:
        rule = dict(rule)
        expect(rule.pop("Status") == "Enabled", f"the lifecycle rule {rule['Id']} is off")
        found["lifecycle"][rule.pop("Id")] = {
            "prefix": rule.pop("Prefix", ""), "larger": number(rule.pop("ObjectSizeGreaterThan", None)), "expire": rule.pop("ExpirationInDays", None),
            "noncurrent": rule.pop("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
            "abort": rule.pop("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
            "transitions": [(step["TransitionInDays"], step["StorageClass"]) for step in rule.pop("Transitions", [])]}
        expect(not rule, f"a lifecycle rule has more: {rule}")
    expect(not bucket, f"a bucket has more: {bucket}")
    return found


def of_stack(replication):
    """What a template's bucket is copied by."""
    if not replication:
        return None
    (rule,) = replication["Rules"]
    return copy_of({"Rules": [{**{key: value for key, value in rule.items() if key != "Id"}, "ID": rule["Id"]}]})


def trail_of(trail, account, region):
    trail, partition = dict(trail), "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    name = trail.pop("TrailName")
    found = {
        "name": name, "tags": {tag["Key"]: tag["Value"] for tag in trail.pop("Tags", [])}, "bucket": trail.pop("S3BucketName"), "prefix": trail.pop("S3KeyPrefix", ""), "kms": trail.pop("KMSKeyId", ""),
        "validation": trail.pop("EnableLogFileValidation"), "multi_region": trail.pop("IsMultiRegionTrail"),
        "organization": trail.pop("IsOrganizationTrail"), "global": trail.pop("IncludeGlobalServiceEvents"), "logging": trail.pop("IsLogging"),
        "selectors": selectors(trail.pop("AdvancedEventSelectors", None)),
        "feeds": feeds(trail.pop("CloudWatchLogsLogGroupArn", ""), trail.pop("CloudWatchLogsRoleArn", ""), trail.pop("SnsTopicName", ""), trail.pop("InsightSelectors", []))}
    expect(not trail, f"a trail has more: {trail}")
    return f"arn:{partition}:cloudtrail:{region}:{account}:trail/{name}", found


def of_templates(tree, region_map):
    """The model, and the sources that the outputs name."""
    model, published, adopted = empty(), set(), set()
    for path in sorted((tree / "cloudformation").glob("*/*.yaml")):
        if path.parent.name == "stacksets" or "-athena" in path.stem:
            continue
        region = path.stem.partition("-sources-")[0]
        template = Template(path, region_map.accounts[path.parent.name].id, region)
        merge(model, template.model())
        published |= template.published()
    for path in sorted((tree / "cloudformation").glob("*/*.import.json")):
        listed = json.loads(path.read_text())
        adopted |= {each["ResourceIdentifier"]["BucketName"] for each in listed if each["ResourceType"] == "AWS::S3::Bucket"}
        place = region_map.accounts[path.parent.name].id, path.name.partition(".")[0]
        adopted |= {(*place, each["ResourceIdentifier"]["TrailName"]) for each in listed if each["ResourceType"] == "AWS::CloudTrail::Trail"}
    for name, bucket in model["buckets"].items():
        bucket["adopted"] = name in adopted
    for trail in model["trails"].values():
        trail["adopted"] = (trail["account"], trail["region"], trail["name"]) in adopted
    return model, published


def of_stack_sets(tree):
    """{(account, Region): model} of every account in a StackSet template."""
    found = {}
    for path in sorted((tree / "cloudformation" / "stacksets").glob("*.yaml")):
        (table,) = yaml.safe_load(path.read_text())["Mappings"].values()
        for region, accounts in table.items():
            for account in accounts:
                expect((account, region) not in found, f"{account}/{region} is in two StackSet templates")
                found[account, region] = Template(path, account, region).model()
    return found


# ------------------------------------------------------------------------------------------------------- Terraform

def of_plan(plan, account):
    """The model, and {source: (bucket, prefix, Region)} of the module's output."""
    model, found = empty(), list(resources(plan))
    imports = [change for change in plan["resource_changes"] if change["change"].get("importing")]
    imported = {change["change"]["after"]["bucket"] for change in imports if change["type"] == "aws_s3_bucket"}
    imported |= {change["change"]["after"]["arn"] for change in imports if change["type"] == "aws_cloudtrail"}
    for kind, values in found:
        if kind == "aws_s3_bucket":
            expect(values["force_destroy"] is False, f"{values['bucket']}: force_destroy")
            model["buckets"][values["bucket"]] = {
                "account": account, "region": values["region"], "tags": values.get("tags_all") or {}, "adopted": values["bucket"] in imported,
                "regional": values.get("bucket_namespace") == "account-regional", "lock": None, "lifecycle": {}, "copied": None}
    inline = {values["role"]: values for kind, values in found if kind == "aws_iam_role_policy"}
    for kind, values in found:
        if kind == "aws_iam_role":
            region, policy = values["name"].removeprefix("logmap-replication-"), inline[values["name"]]
            model["roles"][f"{account}/{region}/role"] = role_of(values["name"], values["assume_role_policy"], policy["name"], policy["policy"], values["description"])
    of_kind = lambda name: [values for kind, values in found if kind == f"aws_cloudwatch_log_delivery{name}"]
    tags_of = lambda values: values.get("tags_all") or {}
    allowed = {(one["region"], one["delivery_destination_name"]): json.loads(one["delivery_destination_policy"]) for one in of_kind("_destination_policy")}
    for one in of_kind("_destination"):
        arn = first(one, "delivery_destination_configuration", "destination_resource_arn")
        model["deliveries"][f"{account}/{one['region']}/to"] = destination_of(one["name"], arn, one["output_format"], allowed.pop((one["region"], one["name"]), None), tags_of(one))
    expect(not allowed, f"policies of no destination: {allowed}")
    to = {(one["region"], one["delivery_source_name"]): one for one in of_kind("")}
    for one in of_kind("_source"):
        delivery = to.pop((one["region"], one["name"]))
        expect(tags_of(delivery) == tags_of(one), f"tags of {one['name']}")
        model["deliveries"][f"{account}/{one['region']}/{one['resource_arn'].rpartition(':')[2]}"] = delivery_of(
            one["name"], one["resource_arn"], delivery["delivery_destination_arn"], tags_of(one), one["log_type"])
    expect(not to, f"deliveries without a source: {list(to)}")
    for kind, values in found:
        bucket = model["buckets"].get(values.get("bucket"))
        if kind == "aws_s3_bucket" or not kind.startswith(("aws_s3", "aws_cloudtrail")):
            continue
        if kind == "aws_s3_bucket_logging":
            form = first(values, "target_object_key_format") or {}
            date = first(form, "partitioned_prefix", "partition_date_source")
            model["sources"][values["bucket"]] = {
                "account": account, "region": values["region"], "target": values["target_bucket"], "prefix": values["target_prefix"],
                "format": {"EventTime": "event", "DeliveryTime": "delivery", None: "simple"}[date]}
            continue
        if kind == "aws_cloudtrail":
            model["trails"][values["arn"]] = {
                "account": account, "region": values["region"], "name": values["name"], "adopted": values["arn"] in imported, "tags": values.get("tags_all") or {}, "bucket": values["s3_bucket_name"],
                "prefix": values["s3_key_prefix"] or "", "kms": values["kms_key_id"] or "", "validation": values["enable_log_file_validation"],
                "multi_region": values["is_multi_region_trail"], "organization": values["is_organization_trail"],
                "global": values["include_global_service_events"], "logging": values["enable_logging"], "selectors": hcl_selectors(values),
                "feeds": feeds(values.get("cloud_watch_logs_group_arn"), values.get("cloud_watch_logs_role_arn"), values.get("sns_topic_name"),
                               [one["insight_type"] for one in values.get("insight_selector") or []])}
            continue
        expect(bucket, f"{kind} of {values.get('bucket')}, which is no log bucket of this module")
        expect(values["region"] == bucket["region"], f"{kind} of {values['bucket']} is in {values['region']}")
        bucket |= SETTINGS[kind](values)
    model["monitoring"] = monitoring.of_plan(found, account)
    output = plan["planned_values"].get("outputs", {})["access_log_destinations"].get("value") or {}
    return model, {source: (each["bucket"], each["prefix"], each["region"]) for source, each in output.items()}


def hcl_rules(values):
    return {rule["id"]: {
        "prefix": first(rule, "filter", "prefix") or first(rule, "filter", "and", "prefix") or "",
        "larger": first(rule, "filter", "object_size_greater_than") or first(rule, "filter", "and", "object_size_greater_than"),
        "expire": first(rule, "expiration", "days"),
        "noncurrent": first(rule, "noncurrent_version_expiration", "noncurrent_days"),
        "abort": first(rule, "abort_incomplete_multipart_upload", "days_after_initiation"),
        "transitions": [(step["days"], step["storage_class"]) for step in rule["transition"]]} for rule in values["rule"] if rule["status"] == "Enabled"}


def hcl_selectors(values):
    words = {"equals": "Equals", "not_equals": "NotEquals", "starts_with": "StartsWith", "not_starts_with": "NotStartsWith"}
    advanced = [{"Name": each["name"], "FieldSelectors": [
        {"Field": field["field"], **{words.get(key, key): value for key, value in field.items() if key != "field" and value}}
        for field in each["field_selector"]]} for each in values.get("advanced_event_selector") or []]
    return selectors(advanced)


SETTINGS = {
    "aws_s3_bucket_policy": lambda values: {"policy": json.loads(values["policy"])},
    "aws_s3_bucket_ownership_controls": lambda values: {"ownership": first(values, "rule", "object_ownership")},
    "aws_s3_bucket_versioning": lambda values: {"versioning": first(values, "versioning_configuration", "status")},
    "aws_s3_bucket_public_access_block": lambda values: {"block": sorted(
        key for key in BLOCKS if values["".join("_" + c.lower() if c.isupper() else c for c in key).lstrip("_")] is True)},
    "aws_s3_bucket_server_side_encryption_configuration": lambda values: {
        "encryption": first(values, "rule", "apply_server_side_encryption_by_default", "sse_algorithm")},
    "aws_s3_bucket_lifecycle_configuration": lambda values: {"lifecycle": hcl_rules(values)},
    "aws_s3_bucket_object_lock_configuration": lambda values: {
        "lock": (first(values, "rule", "default_retention", "mode"), first(values, "rule", "default_retention", "days"))},
    "aws_s3_bucket_replication_configuration": lambda values: {"copied": {
        "id": first(values, "rule", "id"), "priority": first(values, "rule", "priority"), "prefix": first(values, "rule", "filter").get("prefix") or "",
        "status": first(values, "rule", "status"), "deletions": first(values, "rule", "delete_marker_replication", "status"),
        "to": first(values, "rule", "destination", "bucket"), "key": first(values, "rule", "destination", "encryption_configuration", "replica_kms_key_id"),
        "encrypted": first(values, "rule", "source_selection_criteria", "sse_kms_encrypted_objects", "status")}},
}


# ------------------------------------------------------------------------------------------------------ the checks

def compare_texts(tree, region_map):
    """The targets that are read without running anything: scripts, templates, StackSets, reviewed policies, the map itself."""
    scripts, callers = of_scripts(tree, region_map)
    templates, published = of_templates(tree, region_map)
    kinds = ("buckets", "trails", "roles", "monitoring", "deliveries") + (("sources",) if region_map.stack_sets_logging else ())
    same(scripts, templates, ("the scripts", "CloudFormation"), kinds=kinds)
    own = set(scripts["sources"]) & set(scripts["buckets"])  # the trails' own buckets, which log, too
    for name in own:
        expect(not any(each["target"] == name for each in scripts["sources"].values()), f"{name} logs, and takes access logs")
    expect(region_map.stack_sets_logging or set(templates["sources"]) <= own, "CloudFormation sets logging, although the map says outputs-only")
    expect(published - own == set(region_map.sources) | set(region_map.external), "the outputs of CloudFormation do not name the map's sources")
    places = {name: (each["account"], each["region"]) for name, each in scripts["sources"].items() if name not in own}
    expect(places == region_map.sources, f"the sources are not the map's: {sorted(set(places.items()) ^ set(region_map.sources.items()))}")
    trails = {(each["account"], each["region"], each["name"]) for each in scripts["trails"].values()}
    expect(trails == region_map.trails, f"the trails are not the map's: {sorted(trails ^ region_map.trails)}")
    reviewed = {path.stem: json.loads(path.read_text()) for path in (tree / "policies").glob("*.json")}
    expect(reviewed == {name: bucket["policy"] for name, bucket in scripts["buckets"].items()}, "policies/ is not what the scripts apply")
    for (account, region), model in of_stack_sets(tree).items():
        here = lambda name, each: (each.get("account"), each.get("region")) == (account, region) or name.startswith(f"{account}/{region}/")
        part = {kind: {name: {key: value for key, value in each.items() if key != "adopted"} for name, each in templates[kind].items()
                       if here(name, each)} for kind in templates}
        same(part, model, ("the stack", f"the StackSet template for {account}/{region}"))
    topics = {f"{region_map.accounts[path.parent.name].id}/{path.stem}": json.loads(path.read_text()) for path in (tree / "policies").glob("sns/*/*.json")}
    published = {name.rpartition("/topic/")[0]: each["policy"] for name, each in scripts["monitoring"].items() if "/topic/" in name}
    expect({place: monitoring.policy_of(policy) for place, policy in topics.items()} == published, "policies/sns/ is not what the scripts apply")
    return scripts, callers, templates


def plans(core, tree, region_map, work):
    """The model of all modules; they are planned by Terraform's own core.  Also [(account, plan)]."""
    model, published, seen = empty(), {}, []
    for key, account in region_map.accounts.items():
        if (work / key).exists():
            plan = core.plan(work / key)
            own, output = of_plan(plan, account.id)
            merge(model, own)
            published |= output
            seen.append((account, plan))
    return model, published, seen


def compare_plan(planned, published, scripts, templates, region_map):
    same(scripts, planned, ("the scripts", "Terraform"))
    kinds = ("buckets", "trails", "roles", "monitoring", "deliveries") + (("sources",) if region_map.stack_sets_logging else ())
    same(templates, planned, ("CloudFormation", "Terraform"), kinds=kinds)
    own = set(scripts["sources"]) & set(scripts["buckets"])
    expect(set(published) - own == set(region_map.sources) | set(region_map.external), "Terraform's output does not name the map's sources")
    for name, each in planned["sources"].items():
        expect(published[name] == (each["target"], each["prefix"], each["region"]), f"Terraform's output is wrong about {name}: {published[name]}")


def compare_world(snapshot, scripts, templates, region_map, applied="scripts"):
    """What is there after the scripts, or the stacks, is what both say."""
    world = of_world(snapshot, scripts["buckets"])
    for name in region_map.external:
        world["sources"].pop(name, None)
    kinds = ("buckets", "trails", "monitoring") + (("sources",) if region_map.stack_sets_logging or applied == "scripts" else ())
    same(world, scripts, (f"the mock after the {applied}", "the scripts' tables"), kinds=kinds)
    same(world, templates, (f"the mock after the {applied}", "CloudFormation"), kinds=("buckets", "trails", "monitoring"))


def check(report, name, stage, core, folder):
    """All of a stage's targets mean the same."""
    texts = planned = None
    with report.check(f"{name}/texts"):
        texts = compare_texts(stage.tree, stage.map)
    if not texts:
        return
    scripts, callers, templates = texts
    if scripts["monitoring"]:
        with report.check(f"{name}/alerts"):
            monitoring.check_alerts(scripts, {**stage.map.sources, **stage.map.external})
    with report.check(f"{name}/terraform"):
        work = folder / "targets_agree"
        roots(stage.tree, work)
        planned, published, seen = plans(core(), stage.tree, stage.map, work)
        compare_plan(planned, published, scripts, templates, stage.map)
        for account, plan in seen:
            same_caller(plan, account, callers)
    if stage.map.glue and planned:
        glue.check(report, f"{name}/glue", stage, lambda: seen)
    with report.check(f"{name}/scripts"):
        if stage.applied is None:
            stage.set_scene()
            stage.run_all()
        compare_world(stage.applied or stage.snapshot(), scripts, templates, stage.map)
    if stage.deployed:
        with report.check(f"{name}/stacks"):
            compare_world(stage.deployed, scripts, templates, stage.map, "stacks")


def same_caller(plan, account, callers):
    """Profile and role of Terraform's providers are those of the scripts."""
    for provider in plan["configuration"]["provider_config"].values():
        expressions = provider.get("expressions", {})
        if not expressions and plan["configuration"]["root_module"].get("module_calls"):
            continue  # what modules ask for, without saying anything of it
        # one that is not there is what a pipeline gives: nothing
        profile = expressions.get("profile", {}).get("constant_value", "")
        if "profile" in expressions and not profile:
            profile = plan["configuration"]["root_module"]["variables"]["profile"]["default"]
        role = "".join(each.get("role_arn", {}).get("constant_value", "") for each in expressions.get("assume_role", []))
        for place, caller in callers.items():
            expect(place[0] != account.id or caller == (profile, role), f"{place} has {caller} in the script and {(profile, role)} in Terraform")
