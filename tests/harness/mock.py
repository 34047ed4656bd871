"""A mock AWS: moto's server in this process, with AWS's rules put back where moto is more lenient or wrong.

Takes nothing but requests on a loopback port; gives `Mock.url`, `Mock.refused` (what it refused and why) and
`Mock.reset()`; `save` and `restore` keep a world for later.  Access key AKIAACCT<account id> IS that account; roles are assumed as moto does it.  Each patch below
says what AWS does; it is written for the pinned moto only.
"""
import copy
import io
import json
import os
import re
import threading
import urllib.parse

os.environ.update(MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS="false", AWS_ACCESS_KEY_ID="mock", AWS_SECRET_ACCESS_KEY="mock")

import moto.cloudtrail.models as cloudtrail
import moto.config.models as config
import moto.events.models as events
import moto.iam.models as iam
import moto.s3.models as s3
import moto.s3.responses as s3_responses
import moto.sns.models as sns
import moto.ssm.models as ssm
import moto.sts.responses as sts
import xmltodict
from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError
from moto.core.model_instances import reset_model_data
from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.utilities.utils import get_partition
from werkzeug.serving import WSGIRequestHandler, make_server

from . import evaluate as policies, mock_beside, mock_listing, mock_replication, mock_stacks, mock_vended
from .evaluate import CLOUDTRAIL, POLICY_LIMIT, Request, evaluate, listed

KEY = "AKIAACCT"
SERVICES = {"s3": s3.s3_backends, "cloudtrail": cloudtrail.cloudtrail_backends, "sns": sns.sns_backends, "ssm": ssm.ssm_backends,
            "events": events.events_backends, "config": config.config_backends, "cloudformation": mock_stacks.BACKENDS, "logs": mock_vended.BACKENDS}
REASONS = {400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 409: "Conflict"}
refused = []


class Refusal(Exception):
    """An S3 error answer."""

    def __init__(self, status, code, message, **elements):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.elements = status, code, message, elements

    def body(self):
        elements = {"Code": self.code, "Message": self.message, **self.elements, "RequestId": "MOCK"}
        return xmltodict.unparse({"Error": elements}).encode()


def malformed():
    return Refusal(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")


def find(name):
    """The bucket of that name, whoever owns it."""
    partition, account = s3.s3_backends.bucket_accounts.get(name, (None, None))
    return s3.s3_backends[account][partition].buckets.get(name) if account else None


moto_describe_config_rules = config.ConfigBackend.describe_config_rules


def describe_config_rules(self, *args):
    """AWS's answer has no more than its model says; moto adds what it keeps beside."""
    answer = moto_describe_config_rules(self, *args)
    known = ("ConfigRuleName", "ConfigRuleArn", "ConfigRuleId", "Description", "Scope", "Source", "InputParameters", "MaximumExecutionFrequency",
             "ConfigRuleState", "CreatedBy", "EvaluationModes")
    return {**answer, "ConfigRules": [{key: value for key, value in rule.items() if key in known} for rule in answer["ConfigRules"]]}


config.ConfigBackend.describe_config_rules = describe_config_rules

# -------------------------------------------------------------------------------------------------- accounts

moto_account = iam.get_account_id_from
moto_identity = sts.TokenResponse.get_caller_identity


def account_of(key):
    return key.removeprefix(KEY) if re.fullmatch(KEY + r"\d{12}", key or "") else moto_account(key)


def get_caller_identity(self):
    if not (self.access_key or "").startswith(KEY):
        return moto_identity(self)
    account = account_of(self.access_key)
    arn = f"arn:{get_partition(self.region)}:iam::{account}:user/harness"
    return ActionResult({"Account": account, "UserId": "AIDA" + account, "Arn": arn})


# --------------------------------------------------------------------------------------------------- buckets

moto_bucket_init = s3.FakeBucket.__init__


def bucket_init(self, *args, **kwargs):
    """Since April 2023 a new bucket enforces its owner, encrypts with SSE-S3 and blocks public access."""
    moto_bucket_init(self, *args, **kwargs)
    self.ownership_rule = "BucketOwnerEnforced"
    self.encryption = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}
    self.public_access_block = s3.PublicAccessBlock("true", "true", "true", "true")


wanted_tags, moto_create_bucket = {}, s3.S3Backend.create_bucket


def create_bucket(self, bucket_name, *args, **kwargs):
    """moto forgets tags that come with the request."""
    made = moto_create_bucket(self, bucket_name, *args, **kwargs)
    if tags := wanted_tags.pop(bucket_name, None):
        self.put_bucket_tagging(bucket_name, {tag["Key"]: tag.get("Value") or "" for tag in tags})
    return made


def check_create(name, bucket, account, headers, body=b""):
    valid = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) and ".." not in name and not re.fullmatch(r"[\d.]+", name)
    if not valid or name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(("-s3alias", "--ol-s3", "--x-s3")):
        raise Refusal(400, "InvalidBucketName", "The specified bucket is not valid.", BucketName=name)
    if bucket is not None and bucket.account_id != account:
        raise Refusal(409, "BucketAlreadyExists", "The requested bucket name is not available.", BucketName=name)
    if headers("x-amz-acl", "private") != "private" and headers("x-amz-object-ownership", "BucketOwnerEnforced") == "BucketOwnerEnforced":
        raise Refusal(400, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
    asked = (xmltodict.parse(body)["CreateBucketConfiguration"] or {}) if body else {}
    wanted_tags[name] = listed((asked.get("Tags") or {}).get("Tag"))


def check_logging(source, wanted):
    """PutBucketLogging looks at the target's existence, owner and Region, and NOT at its policy: no grant is silence."""
    target = find(wanted.get("TargetBucket"))
    if target is None or (target.account_id, target.partition) != (source.account_id, source.partition):
        why = "does not exist" if target is None else "and the bucket to be logged must have the same owner"
        raise Refusal(400, "InvalidTargetBucketForLogging", f"The target bucket for logging {why}", TargetBucket=wanted.get("TargetBucket"))
    if target.region_name != source.region_name:  # AWS sends the code with two t
        raise Refusal(403, "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed.",
                      SourceBucketLocation=source.region_name, TargetBucketLocation=target.region_name)
    if wanted.get("TargetGrants") and target.ownership_rule == "BucketOwnerEnforced":
        raise Refusal(400, "InvalidBucketAclWithObjectOwnership", "The target bucket enforces its owner: TargetGrants are not allowed")
    form = wanted.get("TargetObjectKeyFormat") or {}
    date = (form.get("PartitionedPrefix") or {}).get("PartitionDateSource", "EventTime")
    if "TargetPrefix" not in wanted or len(form) > 1 or date not in ("EventTime", "DeliveryTime"):
        raise malformed()


def set_logging(self, wanted, backend=None):
    """moto would look at the policy here (and crash on a Principal of "*" before the grant); AWS does not."""
    self.logging = wanted or {}


moto_get_logging = s3_responses.S3Response.get_bucket_logging


def get_bucket_logging(self):
    """moto forgets the key format."""
    status, headers, body = moto_get_logging(self)
    form = (self.backend.get_bucket_logging(self.bucket_name) or {}).get("TargetObjectKeyFormat")
    if form:
        if "PartitionedPrefix" in form and not (form["PartitionedPrefix"] or {}).get("PartitionDateSource"):
            form = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
        xml = xmltodict.unparse({"TargetObjectKeyFormat": form}, full_document=False)
        body = (body.decode() if isinstance(body, bytes) else body).replace("</LoggingEnabled>", xml + "</LoggingEnabled>")
        headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return status, headers, body


# ------------------------------------------------------------------------------------ a bucket's subresources

def check_policy(bucket, body):
    text = body.decode("utf-8", "replace")
    problem = policies.lint(text, bucket.name, bucket.partition)
    if problem:
        raise Refusal(400, "MalformedPolicy", problem)
    if (size := policies.minified_size(text)) > POLICY_LIMIT:
        raise Refusal(400, "PolicyTooLarge", f"Policy exceeds the maximum allowed document size ({size} bytes)")
    block = bucket.public_access_block
    if block is not None and str(block.block_public_policy).lower() == "true" and policies.is_public(text):
        raise Refusal(403, "AccessDenied", "public policies are blocked by the BlockPublicPolicy setting")


def check_lifecycle(bucket, body):
    rules = listed((xmltodict.parse(body)["LifecycleConfiguration"] or {}).get("Rule"))
    ids = [rule.get("ID") for rule in rules]
    if len(ids) != len(set(ids)):
        raise Refusal(400, "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    actions = {"Expiration", "Transition", "NoncurrentVersionExpiration", "NoncurrentVersionTransition", "AbortIncompleteMultipartUpload"}
    for rule in rules:
        if rule.get("Status") not in ("Enabled", "Disabled") or ("Filter" in rule) == ("Prefix" in rule):
            raise malformed()
        if not actions & set(rule):
            raise Refusal(400, "InvalidRequest", "At least one action needs to be specified in a rule.")
        expires = int((rule.get("Expiration") or {}).get("Days", 0)) or None
        for step in listed(rule.get("Transition")):
            days = int(step.get("Days", 0))
            if step["StorageClass"] in ("STANDARD_IA", "ONEZONE_IA") and days < 30:
                raise Refusal(400, "InvalidArgument", "'Days' in Transition action must be greater than or equal to 30")
            if expires is not None and expires <= days:
                raise Refusal(400, "InvalidArgument", "'Days' in the Expiration action must be greater than 'Days' in the Transition action")


moto_set_lifecycle, moto_get_lifecycle = s3.FakeBucket.set_lifecycle, s3_responses.S3Response.get_bucket_lifecycle


def set_lifecycle(self, rules):
    moto_set_lifecycle(self, rules)
    self.lifecycle_sizes = {rule["ID"]: size for rule in rules if (size := ((rule.get("Filter") or {}).get("And") or {}).get("ObjectSizeGreaterThan"))}


def get_bucket_lifecycle(self):
    """moto forgets sizes."""
    status, headers, body = moto_get_lifecycle(self)
    for ident, size in getattr(self.backend.get_bucket(self.bucket_name), "lifecycle_sizes", {}).items():
        rules = body.split("<Rule>")
        body = "<Rule>".join(rule.replace("<And>", f"<And><ObjectSizeGreaterThan>{size}</ObjectSizeGreaterThan>") if f"<ID>{ident}</ID>" in rule else rule for rule in rules)
    return status, headers, body


def check_encryption(bucket, body):
    rules = listed((xmltodict.parse(body)["ServerSideEncryptionConfiguration"] or {}).get("Rule"))
    if len(rules) != 1 or rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise malformed()


def check_put_logging(bucket, body):
    wanted = (xmltodict.parse(body)["BucketLoggingStatus"] or {}).get("LoggingEnabled")
    if wanted:
        check_logging(bucket, wanted)


def check_ownership(bucket, body):
    """A bucket whose ACL gives rights to others can't enforce its owner."""
    others = [grant for grant in bucket.acl.grants for grantee in grant.grantees if grantee.uri] if bucket.acl else []
    if others and b"BucketOwnerEnforced" in body:
        raise Refusal(400, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")


def check_acl(bucket, body):
    if bucket.ownership_rule == "BucketOwnerEnforced":
        raise Refusal(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")


def check_replication(bucket, body):
    if found := mock_replication.problem(bucket, body):
        raise Refusal(400, *found)


PUT = {"replication": check_replication, "policy": check_policy, "lifecycle": check_lifecycle, "encryption": check_encryption, "logging": check_put_logging, "acl": check_acl,
       "ownershipControls": check_ownership}


# ------------------------------------------------------------------------------------------------ CloudTrail

def trail_error(code, message):
    refused.append(f"{code}: {message}")
    return JsonRESTError(code, message)


def trail_requests(arn, account, partition, bucket, prefix):
    """What CloudTrail asks of a bucket: the ACL check and one write."""
    base = f"arn:{partition}:s3:::{bucket}"
    return [Request.of_service(CLOUDTRAIL, "s3:GetBucketAcl", base, arn, account),
            Request.of_service(CLOUDTRAIL, "s3:PutObject", f"{base}/{prefix + '/' if prefix else ''}AWSLogs/{account}/CloudTrail/x",
                               arn, account, **{"s3:x-amz-acl": "bucket-owner-full-control"})]


def check_trail(trail, bucket_name, prefix):
    """Unlike PutBucketLogging, CreateTrail and UpdateTrail do look at the bucket's policy."""
    bucket = find(bucket_name)
    if bucket is None:
        raise trail_error("S3BucketDoesNotExistException", f"S3 bucket {bucket_name} does not exist!")
    if prefix and (prefix.startswith("/") or prefix.endswith("/") or "AWSLogs/" in prefix + "/" or len(prefix) > 200):
        raise trail_error("InvalidS3PrefixException", f"S3 prefix {prefix} is not valid")
    for request in trail_requests(trail.arn, trail.account_id, trail.partition, bucket_name, prefix):
        verdict, why = evaluate(bucket.policy, request)
        if verdict != "allow":
            raise trail_error("InsufficientS3BucketPolicyException",
                              f"Incorrect S3 bucket policy is detected for bucket: {bucket_name} ({request.action}: {why})")


def put_event_selectors(self, basic, advanced):
    """One kind replaces the other; moto keeps advanced selectors beside new basic ones."""
    self.event_selectors, self.advanced_event_selectors = (basic or [], []) if basic else ([], advanced or [])


moto_description = cloudtrail.Trail.description


def description(self, *args, **kwargs):
    """moto says of every trail that it has no Insights."""
    return {**moto_description(self, *args, **kwargs), "HasInsightSelectors": bool(self.insight_selectors)}


def put_insight_selectors(self, selectors):
    """AWS replaces them; moto adds them up."""
    self.insight_selectors = selectors


moto_insight_selectors, moto_topic_arn = cloudtrail.Trail.get_insight_selectors, cloudtrail.Trail.topic_arn.fget


def get_insight_selectors(self):
    """Without Insights AWS has no answer; moto has an empty one."""
    if not self.insight_selectors:
        raise trail_error("InsightNotEnabledException", f"Trail {self.arn} does not have Insights enabled.")
    return moto_insight_selectors(self)


def topic_arn(self):
    """The name of a topic may be its ARN; moto takes it for a name."""
    return self.sns_topic_name if (self.sns_topic_name or "").startswith("arn:") else moto_topic_arn(self)


moto_create_trail, moto_update_trail = cloudtrail.CloudTrailBackend.create_trail, cloudtrail.Trail.update


def create_trail(self, name, *args, **kwargs):
    present = [t for region in cloudtrail.cloudtrail_backends[self.account_id].values() for t in region.trails.values()
               if t.is_multi_region or t.region_name == self.region_name]
    if name in [t.trail_name for t in present]:
        raise trail_error("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {self.account_id}")
    if len(present) >= 5:
        raise trail_error("MaximumNumberOfTrailsExceededException", f"User: {self.account_id} already has 5 trails in {self.region_name}.")
    return moto_create_trail(self, name, *args, **kwargs)


def update_trail(self, s3_bucket_name, s3_key_prefix, *args, **kwargs):
    prefix = self.s3_key_prefix if s3_key_prefix is None else s3_key_prefix
    check_trail(self, s3_bucket_name or self.bucket_name, prefix)
    return moto_update_trail(self, s3_bucket_name, s3_key_prefix, *args, **kwargs)


def copy_parameters(self, memo):
    """moto's own dictionary of parameters can't be copied as others can."""
    made = type(self)(self.account_id, self.region_name)
    made.__dict__.update(copy.deepcopy(self.__dict__, memo))
    dict.update(made, copy.deepcopy(dict(self), memo))
    return made


moto_subscribe, moto_unsubscribe = sns.SNSBackend.subscribe, sns.SNSBackend.unsubscribe


def subscribe(self, topic_arn, *args, **kwargs):
    """moto does not count the subscriptions of a topic."""
    made = moto_subscribe(self, topic_arn, *args, **kwargs)
    self.topics[topic_arn].subscriptions_confimed += 1
    return made


def unsubscribe(self, subscription_arn):
    self.topics[self.subscriptions[subscription_arn].topic.arn].subscriptions_confimed -= 1
    return moto_unsubscribe(self, subscription_arn)


def patch():
    sns.SNSBackend.subscribe, sns.SNSBackend.unsubscribe = subscribe, unsubscribe
    ssm.ParameterDict.__deepcopy__ = copy_parameters
    iam.get_account_id_from = account_of
    sts.TokenResponse.get_caller_identity = get_caller_identity
    s3.FakeBucket.__init__ = bucket_init
    s3.FakeBucket.set_logging = set_logging
    s3.S3Backend.create_bucket = create_bucket
    # moto applies a Deny for "*" without its conditions, and writes access logs of its own
    s3.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
    s3.S3Backend.log_incoming_request = lambda self, request, bucket_name: None
    s3_responses.S3Response.get_bucket_logging = get_bucket_logging
    s3.FakeBucket.set_lifecycle, s3_responses.S3Response.get_bucket_lifecycle = set_lifecycle, get_bucket_lifecycle
    mock_stacks.install()
    mock_beside.install()
    mock_replication.install()
    mock_vended.install()
    s3_responses.S3Response.all_buckets = mock_listing.all_buckets
    s3.S3Backend.list_object_versions = mock_listing.list_object_versions
    cloudtrail.Trail.check_bucket_exists = lambda self: check_trail(self, self.bucket_name, self.s3_key_prefix)
    cloudtrail.Trail.update = update_trail
    cloudtrail.Trail.put_event_selectors = put_event_selectors
    cloudtrail.Trail.description, cloudtrail.Trail.put_insight_selectors = description, put_insight_selectors
    cloudtrail.Trail.get_insight_selectors, cloudtrail.Trail.topic_arn = get_insight_selectors, property(topic_arn)
    cloudtrail.CloudTrailBackend.create_trail = create_trail
    # moto takes only names here; AWS takes ARNs too, and says which trail it did not find
    cloudtrail.CloudTrailBackend.start_logging = lambda self, name: self.get_trail(name).start_logging()
    cloudtrail.CloudTrailBackend.stop_logging = lambda self, name: self.get_trail(name).stop_logging()
    cloudtrail.CloudTrailBackend.delete_trail = lambda self, name: self.trails.pop(self.get_trail(name).trail_name)


# ---------------------------------------------------------------------------------------------------- server

def asked(environ):
    """The operation of a request in AWS's query form, as SNS has it; nothing for other forms."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return ""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return dict(urllib.parse.parse_qsl(body.decode())).get("Action", "")


S3_READS = ("logging", "policy", "encryption", "object-lock", "requestPayment", "ownershipControls", "publicAccessBlock", "versioning", "lifecycle",
            "tagging", "acl", "location", "list-type", "replication")


class Gate:
    """Looks at each S3 request before moto does, and refuses what AWS would refuse."""

    def __init__(self, app):
        self.app, self.lock = app, threading.Lock()
        self.changes, self.fail_at = 0, None  # how many changes were asked for; the number of the one to refuse
        self.fault = None  # says of a (service, operation) whether it is refused, and how
        self.log = None  # (service, operation, path) of each request, if somebody wants them
        self.recorder = None  # is given each request whole
        self.state = object()  # another one after each change: as long as it is the same, so is the world

    def __call__(self, environ, start):
        signed = re.search(r"Credential=([^/]+)/\d+/([^/]+)/(s3|cloudtrail|sns|ssm|events|config|logs)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        if signed and self.is_change(environ):
            self.changes, self.state = self.changes + 1, object()
            if self.changes == self.fail_at:
                return self.deny(environ, start)
        service = re.search(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<name>[a-z0-9]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", "")) if self.log is not None or self.fault else None
        if self.log is not None and service:
            self.log.append((service["name"], self.operation(environ), environ["PATH_INFO"]))
        if self.recorder:
            self.record(environ)
        if self.fault and service and self.fault.hits(service["name"], self.operation(environ), service["region"]):
            return self.refuse(environ, start, *self.fault.answer)
        if not signed or signed[3] != "s3":
            return self.app(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            with self.lock:
                self.admit(environ, body, account_of(signed[1]), signed[2])
        except Refusal as refusal:
            refused.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}: {refusal}")
            answer = b"" if environ["REQUEST_METHOD"] == "HEAD" else refusal.body()
            start(f"{refusal.status} {REASONS[refusal.status]}", [("Content-Type", "application/xml"), ("Content-Length", str(len(answer)))])
            return [answer]
        if "requestPayment" in environ.get("QUERY_STRING", "") and (bucket := find(environ["PATH_INFO"].strip("/"))):
            return self.payment(environ, start, bucket, body)
        return self.app(environ, start)

    def record(self, environ):
        signed = re.search(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[a-z0-9]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        if not signed:
            return
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = dict(urllib.parse.parse_qsl(body.decode())) if asked(environ) else {}
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        with self.lock:
            self.recorder({
                "service": signed["service"], "region": signed["region"], "account": account_of(signed["key"]), "agent": environ.get("HTTP_USER_AGENT", ""),
                "operation": target or form.get("Action", ""), "asked": json.loads(body) if target else form, "method": environ["REQUEST_METHOD"],
                "path": environ["PATH_INFO"], "query": environ.get("QUERY_STRING", ""), "body": body,
                "headers": lambda name: environ.get("HTTP_" + name.upper().replace("-", "_"))})

    @staticmethod
    def payment(environ, start, bucket, body):
        """moto does not know who pays."""
        if environ["REQUEST_METHOD"] == "PUT":
            bucket.payer, answer = xmltodict.parse(body)["RequestPaymentConfiguration"]["Payer"], b""
        else:
            answer = xmltodict.unparse({"RequestPaymentConfiguration": {"Payer": getattr(bucket, "payer", "BucketOwner")}}).encode()
        start("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(answer)))])
        return [answer]

    @staticmethod
    def operation(environ):
        """The operation of a request; of S3 as far as reads go, else its method."""
        if operation := environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or asked(environ):
            return operation
        name, method = environ["PATH_INFO"].strip("/"), environ["REQUEST_METHOD"].title()
        queries = {part.split("=")[0] for part in environ.get("QUERY_STRING", "").split("&")} - {"x-id"}
        return f"{method}:{'/'.join(sorted(queries & set(S3_READS))) or ('bucket' if name else 'list')}"

    @staticmethod
    def is_change(environ):
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or asked(environ)
        if operation:
            return not operation.startswith(("Get", "Describe", "List"))
        return environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE")

    @staticmethod
    def refuse(environ, start, status, code, message):
        """The answer of a service that refuses, in its own form."""
        if "HTTP_X_AMZ_TARGET" in environ:
            answer, kind = json.dumps({"__type": code, "message": message}).encode(), "application/x-amz-json-1.1"
        elif asked(environ):
            answer, kind = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode(), "text/xml"
        else:
            answer, kind = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), "application/xml"
        answer = b"" if environ["REQUEST_METHOD"] == "HEAD" else answer
        start(f"{status} Refused", [("Content-Type", kind), ("Content-Length", str(len(answer)))])
        return [answer]

    @staticmethod
    def deny(environ, start):
        """An answer that the CLI does not try again."""
        if "HTTP_X_AMZ_TARGET" in environ:
            answer, kind = b'{"__type": "AccessDeniedException", "message": "injected"}', "application/x-amz-json-1.1"
        else:
            answer, kind = Refusal(403, "AccessDenied", "injected").body(), "application/xml"
            if asked(environ):
                answer = b"<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>injected</Message></Error></ErrorResponse>"
        refused.append(f"injected into {environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start("403 Forbidden", [("Content-Type", kind), ("Content-Length", str(len(answer)))])
        return [answer]

    @staticmethod
    def admit(environ, body, account, region):
        method, (name, _, key) = environ["REQUEST_METHOD"], environ["PATH_INFO"].lstrip("/").partition("/")
        queries = {part.split("=")[0] for part in environ.get("QUERY_STRING", "").split("&")} - {"", "x-id"}
        headers = lambda header, default=None: environ.get("HTTP_" + header.upper().replace("-", "_"), default)
        bucket = find(name)
        if not name:
            return
        if method == "PUT" and not key and not queries:
            return check_create(name, bucket, account, headers, body)
        if bucket is None:
            return
        if headers("x-amz-expected-bucket-owner", bucket.account_id) != bucket.account_id:
            raise Refusal(403, "AccessDenied", "Access Denied (another owner was expected)")
        if bucket.partition != get_partition(region):
            raise Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        if bucket.account_id != account:
            raise Refusal(403, "AccessDenied", f"Access Denied (the bucket is not {account}'s)")
        if method == "PUT" and not key:
            for query in queries & set(PUT):
                PUT[query](bucket, body)
            for query in sorted(queries):
                if problem := mock_beside.problem(bucket, query):
                    raise Refusal(403, "AccessDenied", problem)


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass

    def log(self, level, message, *args):
        """What goes wrong in moto itself is shown with the check that met it."""
        refused.append("the mock broke: " + (message % args).strip().splitlines()[-1])


class Mock:
    """The server on a free loopback port; one for the whole run, `reset` between cases."""

    def __init__(self):
        patch()
        self.gate = Gate(DomainDispatcherApplication(create_backend_app))
        self.server = make_server("127.0.0.1", 0, self.gate, threaded=True, request_handler=Quiet)
        self.url, self.refused = f"http://127.0.0.1:{self.server.server_port}", refused
        os.environ["MOTO_PORT"] = str(self.server.server_port)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def fail(self, number):
        """Refuses the change with that number, counted from now; None refuses none."""
        self.gate.changes, self.gate.fail_at = 0, number

    def reset(self):
        self.fail(None)
        self.gate.state = object()
        BackendDict.reset()
        reset_model_data()
        s3.s3_backends.bucket_accounts.clear()
        refused.clear()

    def mfa_delete(self, bucket):
        find(bucket).mfa_delete = True
        self.gate.state = object()

    def stack_status(self, account, region, name, status):
        mock_stacks.fail(account, region, name, status)
        self.gate.state = object()

    def save(self):
        """Everything there is in these services, for `restore`."""
        state = {(service, account, region): one.__dict__ for service, backends in SERVICES.items() for account, regions in backends.items()
                 for region, one in regions.items()}
        # of IAM the roles alone: each account has all policies of AWS
        roles = {(account, partition): {name: role.__dict__ for name, role in one.roles.items()}
                 for account, partitions in iam.iam_backends.items() for partition, one in partitions.items() if one.roles}
        made = {place: {name: type(iam.iam_backends[place[0]][place[1]].roles[name]) for name in found} for place, found in roles.items()}
        return self.gate.state, copy.deepcopy((state, s3.s3_backends.bucket_accounts)), copy.deepcopy(roles), made

    def restore(self, saved):
        """The world as it was saved, and nothing else."""
        self.reset()
        self.gate.state, (state, accounts) = saved[0], copy.deepcopy(saved[1])
        for (account, partition), roles in copy.deepcopy(saved[2]).items():
            for name, fields in roles.items():
                role = saved[3][account, partition][name].__new__(saved[3][account, partition][name])
                role.__dict__.update(fields)
                iam.iam_backends[account][partition].roles[name] = role
        for (service, account, region), fields in state.items():
            SERVICES[service][account][region].__dict__.update(fields)
        s3.s3_backends.bucket_accounts.update(accounts)
