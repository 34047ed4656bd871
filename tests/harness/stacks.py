"""A small CloudFormation: deploys one template into the mock through its public API, so that S3's and CloudTrail's own
rules judge it.  Inline Python Lambdas behind custom resources really run (in a child process).

Knows the resource types that logmap writes.  Where a template states no dependency the order is reversed on purpose,
so that a missing DependsOn shows.  Types in INERT are taken as given; any other type fails.
"""
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import yaml

from . import monitoring
from .mock import KEY
from .report import Failure, clean_env, expect
from .world import partition_of

INERT = {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Logs::LogGroup"}
RESPONSE_LIMIT = 4096
CFNRESPONSE = """
import json, urllib.request
SUCCESS, FAILED = "SUCCESS", "FAILED"
def send(event, context, status, data, physicalResourceId=None, noEcho=False, reason=None):
    body = {"Status": status, "Reason": reason or "see the log", "PhysicalResourceId": physicalResourceId or context.log_stream_name, "Data": data,
            "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"]}
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT"))
"""
LAMBDA = """
import json, sys, types
job = json.load(sys.stdin)
sys.modules["cfnresponse"] = module = types.ModuleType("cfnresponse")
exec(job["cfnresponse"], module.__dict__)
context = types.SimpleNamespace(log_stream_name="stream", log_group_name="group", aws_request_id="1", function_name="function",
                                invoked_function_arn="arn", get_remaining_time_in_millis=lambda: 60000)
scope = {"__name__": "index"}
exec(compile(job["code"], "index.py", "exec"), scope)
scope[job["handler"].partition(".")[2]](job["event"], context)
"""


def delivery_source(logs, properties):
    logs.put_delivery_source(name=properties["Name"], resourceArn=properties["ResourceArn"], logType=properties["LogType"])
    return properties["Name"]


def delivery_destination(logs, properties):
    name = properties["Name"]
    logs.put_delivery_destination(name=name, outputFormat=properties["OutputFormat"],
                                  deliveryDestinationConfiguration={"destinationResourceArn": properties["DestinationResourceArn"]})
    if policy := properties.get("DeliveryDestinationPolicy"):
        logs.put_delivery_destination_policy(deliveryDestinationName=policy["DeliveryDestinationName"],
                                             deliveryDestinationPolicy=as_json(policy["DeliveryDestinationPolicy"]))
    return name


def delivery(logs, properties):
    made = logs.create_delivery(deliverySourceName=properties["DeliverySourceName"], deliveryDestinationArn=properties["DeliveryDestinationArn"])
    return made["delivery"]["id"]


DELIVERIES = {"AWS::Logs::DeliverySource": delivery_source, "AWS::Logs::DeliveryDestination": delivery_destination, "AWS::Logs::Delivery": delivery}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def short_tag(loader, suffix, node):
    value = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: lambda n: loader.construct_sequence(n, deep=True),
             yaml.MappingNode: lambda n: loader.construct_mapping(n, deep=True)}[type(node)](node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_tag)
Loader.yaml_implicit_resolvers = {  # a date stays text, as in CloudFormation
    first: [(tag, regex) for tag, regex in pairs if not tag.endswith("timestamp")] for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class NotInMap(Failure):
    """Fn::FindInMap of a key that is not there: CloudFormation refuses the template."""


class Answers:
    """Takes what custom resources send to their ResponseURL."""

    def __init__(self):
        answers = self.received = []

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self):
                answers.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/answer"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def one(self, what):
        expect(len(self.received) == 1, f"{what}: {len(self.received)} answers to CloudFormation instead of one")
        raw = self.received.pop()
        expect(len(raw) <= RESPONSE_LIMIT, f"{what}: answers {len(raw)} bytes, CloudFormation takes {RESPONSE_LIMIT}")
        answer = json.loads(raw)
        expect(answer["Status"] == "SUCCESS", f"{what}: {answer.get('Reason')}")
        expect(answer.get("PhysicalResourceId"), f"{what}: no PhysicalResourceId")
        return answer


class Stack:
    def __init__(self, world, answers, path, account, region):
        self.world, self.answers, self.path, self.account, self.region = world, answers, path, account, region
        template = yaml.load(path.read_text(), Loader)
        self.resources, self.rules = template["Resources"], template.get("Rules") or {}
        self.conditions, self.mappings = template.get("Conditions") or {}, template.get("Mappings") or {}
        self.values = {  # what Ref gives
            "AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": partition_of(region), "AWS::StackName": path.stem,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{path.stem}/1", "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": None,
            **{name: parameter.get("Default") for name, parameter in (template.get("Parameters") or {}).items()}}
        self.attributes = {}  # (resource, attribute): value
        self.physical = {}

    # ---- the template's functions

    def resolve(self, value):
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                expect(argument in self.values, f"Ref to {argument}, which is not there yet: a DependsOn is missing, or it is unknown")
                return self.values[argument]
            if name == "Condition" and isinstance(argument, str):
                return self.resolve(self.conditions[argument])
            if name.startswith("Fn::"):
                return self.function(name.removeprefix("Fn::"), argument)
        return {key: item for key, item in ((key, self.resolve(item)) for key, item in value.items()) if item is not None}

    def function(self, name, argument):
        if name == "If":
            return self.resolve(argument[1 if self.resolve(self.conditions[argument[0]]) else 2])
        if name == "GetAtt":
            return self.attribute(*argument)
        if name == "Sub":
            text, own = argument if isinstance(argument, list) else (argument, {})
            return re.sub(r"\$\{([^}]*)\}", lambda match: self.substitute(match[1], self.resolve(own)), text)
        values = self.resolve(argument)
        if name == "Join":
            return values[0].join(values[1])
        if name == "FindInMap":
            table, first, second = values
            if second not in self.mappings[table].get(first, {}):
                raise NotInMap(f"the mapping {table} has no {first}, {second}")
            return self.mappings[table][first][second]
        if name == "Split":
            return values[1].split(values[0])
        if name == "Select":
            return values[1][int(values[0])]
        if name == "Equals":
            return str(values[0]) == str(values[1])
        if name == "Contains":
            return values[1] in values[0]
        if name in ("And", "Or", "Not"):
            return {"And": all, "Or": any, "Not": lambda each: not each[0]}[name](values)
        raise ValueError(f"Fn::{name} is not known here")

    def substitute(self, name, own):
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in own:
            return str(own[name])
        return str(self.attribute(*name.split(".", 1)) if "." in name else self.resolve({"Ref": name}))

    def attribute(self, resource, name):
        kind = self.resources[resource]["Type"]
        if name == "Arn" and kind in INERT and (resource, name) not in self.attributes:  # known from the name on, like every ARN
            return f"arn:{partition_of(self.region)}:{kind.split('::')[1].lower()}:{self.region}:{self.account}:{resource}"
        expect((resource, name) in self.attributes, f"GetAtt of {resource}.{name}, which is not there yet or not known")
        return self.attributes[resource, name]

    def refusals(self):
        """Why the template's own rules or conditions (which are always evaluated) stop it in this account and Region."""
        try:
            for condition in self.conditions.values():
                self.resolve(condition)
        except NotInMap as missing:
            return [str(missing)]
        return [assertion.get("AssertDescription", name) for name, rule in self.rules.items() for assertion in rule["Assertions"]
                if not self.resolve(assertion["Assert"])]

    # ---- creating

    def needs(self, name):
        """The resources that must be there before this one."""
        text = json.dumps(self.resources[name])
        named = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r'"Fn::GetAtt": \["(\w+)"', text)) | set(re.findall(r"\$\{(\w+)[.}]", text))
        depends = self.resources[name].get("DependsOn") or []
        return ((named | set([depends] if isinstance(depends, str) else depends)) & set(self.resources)) - {name}

    def deploy(self):
        refused = self.refusals()
        expect(not refused, f"{self.path.name} refuses {self.account}/{self.region}: {refused}")
        waiting = {name: self.needs(name) for name, resource in self.resources.items()
                   if "Condition" not in resource or self.resolve({"Condition": resource["Condition"]})}
        waiting = {name: needs & set(waiting) for name, needs in waiting.items()}
        while waiting:
            ready = [name for name, needs in waiting.items() if not needs & set(waiting)]
            expect(ready, f"{self.path.name}: the resources {sorted(waiting)} need each other")
            name = ready[-1]
            del waiting[name]
            self.create(name, self.resources[name])

    def create(self, name, resource):
        kind, properties = resource["Type"], self.resolve(resource.get("Properties") or {})
        self.values[name] = name
        if kind == "AWS::S3::Bucket":
            self.values[name] = self.bucket(name, resource, properties)
        elif kind == "AWS::IAM::Role" and str(properties.get("RoleName", "")).startswith("logmap-replication-"):  # S3 looks at one that copies; the function's is not played
            iam = self.client("iam")
            trust = as_json(properties["AssumeRolePolicyDocument"])
            if properties["RoleName"] not in {one["RoleName"] for one in iam.list_roles()["Roles"]}:
                iam.create_role(RoleName=properties["RoleName"], AssumeRolePolicyDocument=trust, Description=properties["Description"])
            for policy in properties["Policies"]:
                iam.put_role_policy(RoleName=properties["RoleName"], PolicyName=policy["PolicyName"], PolicyDocument=as_json(policy["PolicyDocument"]))
            self.attributes[name, "Arn"] = f"arn:{partition_of(self.region)}:iam::{self.account}:role/{properties['RoleName']}"
        elif kind == "AWS::S3::BucketPolicy":
            self.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=as_json(properties["PolicyDocument"]))
        elif kind == "AWS::CloudTrail::Trail":
            self.values[name] = self.trail(name, properties)
        elif kind in DELIVERIES:
            self.values[name] = DELIVERIES[kind](self.client("logs"), properties)
        elif kind in monitoring.MAKERS:
            self.values[name] = monitoring.MAKERS[kind](self.client, properties)
        elif kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
            answer = self.invoke(name, "Create", properties)
            self.values[name] = self.physical[name] = answer["PhysicalResourceId"]
            self.attributes |= {(name, key): value for key, value in (answer.get("Data") or {}).items()}
        else:
            expect(kind in INERT, f"{name}: the type {kind} is not known here")

    def client(self, service):
        return self.world.client(service, self.account, self.region)

    def bucket(self, logical, resource, properties):
        expect(resource.get("DeletionPolicy", "").startswith("Retain"), f"{logical}: a log bucket without DeletionPolicy: Retain")
        s3, mapping = self.client("s3"), dict(properties)
        name = mapping.pop("BucketName", None) or f"{mapping.pop('BucketNamePrefix')}-{self.account}-{self.region}-an"
        mapping.pop("BucketNamespace", None)
        locked = mapping.pop("ObjectLockEnabled", False)
        if name not in {entry["Name"] for entry in s3.list_buckets()["Buckets"]}:  # else it is a resource import
            where = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
            s3.create_bucket(Bucket=name, **where, **({"ObjectLockEnabledForBucket": True} if locked else {}))
        for key, value in mapping.items():
            if key == "PublicAccessBlockConfiguration":
                s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=value)
            elif key == "OwnershipControls":
                s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=value)
            elif key == "VersioningConfiguration":
                s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=value)
            elif key == "BucketEncryption":
                rules = [{"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]} for rule in value["ServerSideEncryptionConfiguration"]]
                s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
            elif key == "LoggingConfiguration":
                logging = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value["LogFilePrefix"]}
                if "TargetObjectKeyFormat" in value:
                    logging["TargetObjectKeyFormat"] = value["TargetObjectKeyFormat"]
                s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": logging})
            elif key == "LifecycleConfiguration":
                s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": list(map(lifecycle, value["Rules"]))})
            elif key == "Tags":
                s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": value})
            elif key == "ObjectLockConfiguration":
                s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=value)
            elif key == "ReplicationConfiguration":
                rules = [{**{key: item for key, item in rule.items() if key != "Id"}, "ID": rule["Id"]} for rule in value["Rules"]]
                s3.put_bucket_replication(Bucket=name, ReplicationConfiguration={"Role": value["Role"], "Rules": rules})
            else:
                raise ValueError(f"{logical}: the property {key} is not known here")
        self.attributes[logical, "Arn"] = f"arn:{partition_of(self.region)}:s3:::{name}"
        return name

    def trail(self, logical, properties):
        cloudtrail, own = self.client("cloudtrail"), dict(properties)
        logging, tags, selectors = own.pop("IsLogging"), own.pop("Tags", []), own.pop("AdvancedEventSelectors", None)
        insights = own.pop("InsightSelectors", None)
        renamed = {"TrailName": "Name", "KMSKeyId": "KmsKeyId"}
        made = cloudtrail.create_trail(**{renamed.get(key, key): value for key, value in own.items()}, TagsList=tags)
        if selectors:
            cloudtrail.put_event_selectors(TrailName=made["TrailARN"], AdvancedEventSelectors=selectors)
        if insights:
            cloudtrail.put_insight_selectors(TrailName=made["TrailARN"], InsightSelectors=insights)
        if logging:
            cloudtrail.start_logging(Name=made["TrailARN"])
        self.attributes[logical, "Arn"] = made["TrailARN"]
        return made["Name"]

    # ---- custom resources

    def invoke(self, name, request, properties, **more):
        """Runs the Lambda behind ServiceToken as CloudFormation would."""
        function = next((self.resources[other] for other in self.resources if self.resources[other]["Type"] == "AWS::Lambda::Function"
                         and self.attribute(other, "Arn") == properties["ServiceToken"]), None)
        expect(function, f"{name}: no function of this template is its ServiceToken")
        function = self.resolve(function["Properties"])
        event = {"RequestType": request, "ResponseURL": self.answers.url, "StackId": self.values["AWS::StackId"], "RequestId": "1",
                 "LogicalResourceId": name, "ResourceType": self.resources[name]["Type"], "ResourceProperties": texts(properties), **more}
        env = clean_env(AWS_ENDPOINT_URL=self.world.url, AWS_ACCESS_KEY_ID=KEY + self.account, AWS_SECRET_ACCESS_KEY="x", AWS_REGION=self.region,
                        AWS_DEFAULT_REGION=self.region, **function.get("Environment", {}).get("Variables", {}))
        job = {"cfnresponse": CFNRESPONSE, "code": function["Code"]["ZipFile"], "handler": function["Handler"], "event": event}
        expect(len(job["code"].encode()) <= 4 * 1024 * 1024, f"{name}: the inline code is too long")
        done = subprocess.run([sys.executable, "-c", LAMBDA], input=json.dumps(job), env=env, capture_output=True, text=True, timeout=120)
        expect(done.returncode == 0, f"{name}: the Lambda fails on {request}\n{done.stderr[-2000:]}")
        return self.answers.one(f"{name} on {request}")

    def customs(self):
        for name, physical in self.physical.items():
            yield name, physical, self.resolve(self.resources[name]["Properties"])

    def update(self):
        """The same properties again, as when only something else in the template changed."""
        for name, physical, properties in self.customs():
            answer = self.invoke(name, "Update", properties, PhysicalResourceId=physical, OldResourceProperties=texts(properties))
            expect(answer["PhysicalResourceId"] == physical, f"{name}: an update without a change replaces the resource")

    def delete(self):
        for name, physical, properties in self.customs():
            self.invoke(name, "Delete", properties, PhysicalResourceId=physical)


def as_json(policy):
    return policy if isinstance(policy, str) else json.dumps(policy)


def texts(value):
    """CloudFormation hands every scalar to a custom resource as text."""
    if isinstance(value, dict):
        return {key: texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [texts(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def lifecycle(rule):
    """A rule of AWS::S3::Bucket in the words of the S3 API."""
    rule, out = dict(rule), {}
    out["ID"], out["Status"], out["Filter"] = rule.pop("Id"), rule.pop("Status"), {"Prefix": rule.pop("Prefix", "")}
    if "ObjectSizeGreaterThan" in rule:
        out["Filter"] = {"And": {**out["Filter"], "ObjectSizeGreaterThan": int(rule.pop("ObjectSizeGreaterThan"))}}
    if "ExpirationInDays" in rule:
        out["Expiration"] = {"Days": int(rule.pop("ExpirationInDays"))}
    if "Transitions" in rule:
        out["Transitions"] = [{"Days": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]} for step in rule.pop("Transitions")]
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            out[key] = {name: int(value) for name, value in rule.pop(key).items()}
    expect(not rule, f"lifecycle rule {out['ID']}: {sorted(rule)} is not known here")
    return out
