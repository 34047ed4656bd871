#!/usr/bin/env python3
"""Reads S3 logging and CloudTrail of AWS accounts into one JSON file for `logmap drift`.

Made by logmap from a region map, which stands in SCOPE below. It only reads: each call that it makes is in the list CALLS, and it
reads no object. It needs boto3, which AWS CloudShell has, and nothing of logmap. What could not be read is in the file as such.

    python3 snapshot.py --out snapshot.json
    python3 snapshot.py --role logmap-reader --external-id acme --out snapshot.json
    python3 snapshot.py --delivery --days 7 --out snapshot.json
"""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import random
import sys
import threading
import time

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    sys.exit("error: boto3 is missing: `pip install boto3`, or run this in AWS CloudShell")

FORMAT_VERSION = "1.0"
SCOPE = json.loads(@SCOPE@)

# every call that this program makes; nothing else is ever sent
CALLS = {
    "s3": ["ListBuckets", "HeadBucket", "ListObjectsV2", "GetBucketLocation", "GetBucketLogging", "GetBucketPolicy", "GetBucketEncryption",
           "GetObjectLockConfiguration", "GetBucketRequestPayment", "GetBucketOwnershipControls", "GetPublicAccessBlock",
           "GetBucketVersioning", "GetBucketLifecycleConfiguration", "GetBucketReplication", "GetBucketTagging", "GetBucketAcl"],
    "cloudtrail": ["DescribeTrails", "GetEventSelectors", "GetInsightSelectors", "GetTrailStatus"],
    "logs": ["DescribeDeliverySources", "DescribeDeliveryDestinations", "DescribeDeliveries"],
    "iam": ["GetRole", "GetRolePolicy"],
    "ssm": ["GetParameter"],
    "config": ["DescribeConfigRules"],
    "events": ["DescribeRule", "ListTargetsByRule"],
    "sns": ["GetTopicAttributes"],
    "organizations": ["ListAccounts"],
    "sts": ["GetCallerIdentity", "AssumeRole"],
}

# the readings of a log bucket: key, call, method of boto3, and the code by which AWS says that there is none
READINGS = [
    ("logging", "GetBucketLogging", "get_bucket_logging", ()),
    ("policy", "GetBucketPolicy", "get_bucket_policy", ("NoSuchBucketPolicy",)),
    ("encryption", "GetBucketEncryption", "get_bucket_encryption", ("ServerSideEncryptionConfigurationNotFoundError",)),
    ("object_lock", "GetObjectLockConfiguration", "get_object_lock_configuration", ("ObjectLockConfigurationNotFoundError",)),
    ("payer", "GetBucketRequestPayment", "get_bucket_request_payment", ()),
    ("ownership", "GetBucketOwnershipControls", "get_bucket_ownership_controls", ("OwnershipControlsNotFoundError",)),
    ("public_access", "GetPublicAccessBlock", "get_public_access_block", ("NoSuchPublicAccessBlockConfiguration",)),
    ("versioning", "GetBucketVersioning", "get_bucket_versioning", ()),
    ("lifecycle", "GetBucketLifecycleConfiguration", "get_bucket_lifecycle_configuration", ("NoSuchLifecycleConfiguration",)),
    ("replication", "GetBucketReplication", "get_bucket_replication", ("ReplicationConfigurationNotFoundError",)),
    ("tags", "GetBucketTagging", "get_bucket_tagging", ("NoSuchTagSet",)),
]
BUSY = ("SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
        "ServiceUnavailable", "InternalError", "RequestTimeout", "503", "500")
GOING = (botocore.exceptions.ConnectTimeoutError, botocore.exceptions.EndpointConnectionError, botocore.exceptions.ReadTimeoutError,
         botocore.exceptions.ConnectionClosedError, botocore.exceptions.ProxyConnectionError)
TRIES = 5
TRAIL_CALLS = 8


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value):
    """An answer as JSON has it: no metadata of the call, times in UTC."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def dumps(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def failure(call, code, message, status=None):
    found = {"error": str(code) or "Unknown", "call": call, "message": str(message)}
    if status:
        found["status"] = status
    return found


def is_failure(answer):
    return isinstance(answer, dict) and "error" in answer


class NoSession(Exception):
    """There are no credentials for an account; the argument is the failure."""


class Account:
    """One account: its clients, one for each service and Region, and the Regions that do not answer."""

    def __init__(self, session, options, id=None):
        self.session, self.options, self.id = session, options, id
        self.clients, self.lock = {}, threading.Lock()
        self.silent = collections.Counter()
        self.why, self.turns = {}, {}

    def client(self, service, region):
        with self.lock:
            if (service, region) not in self.clients:
                config = botocore.config.Config(
                    connect_timeout=3, read_timeout=self.options.timeout, max_pool_connections=max(10, self.options.jobs),
                    retries={"mode": "standard", "total_max_attempts": 1}, user_agent_extra="logmap-snapshot/" + FORMAT_VERSION,
                    s3={"us_east_1_regional_endpoint": "regional"})
                self.clients[service, region] = self.session.client(service, region_name=region, config=config)
            return self.clients[service, region]

    def unreachable(self, region):
        return self.why.get(region) if self.silent[region] >= 2 else None

    def heard(self, region):
        """A Region that answers is not silent: only two silences in a row close it."""
        with self.lock:
            if 0 < self.silent[region] < 2:
                del self.silent[region], self.why[region]

    def keep_pace(self, service, region):
        """Waits until CloudTrail takes another call: ten a second, for an account and Region."""
        if service != "cloudtrail":
            return
        with self.lock:
            turn = max(self.turns.get(region, 0.0), time.monotonic())
            self.turns[region] = turn + 1 / TRAIL_CALLS
        time.sleep(max(0.0, turn - time.monotonic()))

    def ask(self, service, region, operation, method, absent=(), again=(), **arguments):
        """AWS's answer, None if AWS says that there is none, or the failure. Tries again what may pass."""
        assert operation in CALLS[service], operation
        call = service + ":" + operation
        place = "iam" if service == "iam" else region  # its one endpoint is that of no Region
        for turn in range(TRIES):
            why = self.unreachable(place)
            if why:
                return failure(call, "Unreachable", why)
            self.keep_pace(service, region)
            try:
                answer = plain(getattr(self.client(service, region), method)(**arguments))
                self.heard(place)
                return answer
            except botocore.exceptions.ClientError as error:
                self.heard(place)
                code = error.response.get("Error", {}).get("Code", "")
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if code in absent:
                    return None
                if (code in BUSY or code in again) and turn < (1 if code in again else TRIES - 1):
                    time.sleep(random.uniform(0, min(8.0, 0.4 * 2 ** turn)) + (2 if code in again else 0))
                    continue
                return failure(call, code, error.response.get("Error", {}).get("Message", ""), status)
            except GOING as error:
                with self.lock:
                    self.silent[place] += 1
                    why = self.why.setdefault(place, type(error).__name__ + ": " + str(error).split("\n", 1)[0])
                if turn >= 1:
                    return failure(call, type(error).__name__, why)
            except (botocore.exceptions.BotoCoreError, AttributeError) as error:
                # AttributeError: this boto3 is too old to know the call
                return failure(call, type(error).__name__, error)
        return failure(call, "Unknown", "no answer")

    def pages(self, service, region, operation, method, key, **arguments):
        """All items of an answer that comes in pages, or the failure of one of them."""
        found, more = [], {}
        while True:
            answer = self.ask(service, region, operation, method, **arguments, **more)
            if is_failure(answer):
                return answer
            found += answer.get(key) or []
            token = next((name for name in ("NextToken", "nextToken") if answer.get(name)), None)
            if token is None:
                return found
            more = {token: answer[token]}


def default_region(partition):
    """The Region of the partition's global services, which every account has."""
    return {"aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1", "aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1",
            "aws-iso-e": "eu-isoe-west-1", "aws-iso-f": "us-isof-south-1", "aws-eusc": "eusc-de-east-1"}.get(partition, "us-east-1")


def session_for(account, options):
    """A session in the account, whose it is, and a Region that answers; raises NoSession if there is none."""
    profile = options.profile or account.get("profile") or None
    if profile and not options.profile and (os.environ.get("AWS_ACCESS_KEY_ID") or profile not in boto3.Session().available_profiles):
        profile = None
    role = account.get("role")
    if options.role:
        role = "arn:%s:iam::%s:role/%s" % (account["partition"], account["id"], options.role.lstrip("/"))
    config = botocore.config.Config(connect_timeout=3, read_timeout=options.timeout, retries={"mode": "standard", "total_max_attempts": 2})
    regions = sorted(account["regions"])
    if options.region:
        regions = [region for region in regions if region in options.region] or regions
    silence = None
    for region in regions or [default_region(account["partition"])]:
        call = "sts:GetCallerIdentity"
        try:
            session = boto3.Session(profile_name=profile)
            if role:
                # the Regional endpoint: its sessions are good in every Region
                call = "sts:AssumeRole"
                wanted = {"RoleArn": role, "RoleSessionName": "logmap-snapshot"}
                if options.external_id:
                    wanted["ExternalId"] = options.external_id
                keys = session.client("sts", region_name=region, config=config).assume_role(**wanted)["Credentials"]
                session = boto3.Session(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                                        aws_session_token=keys["SessionToken"])
                call = "sts:GetCallerIdentity"
            caller = plain(session.client("sts", region_name=region, config=config).get_caller_identity())
        except GOING as error:
            silence = failure(call, type(error).__name__, str(error).split("\n", 1)[0])
            continue
        except botocore.exceptions.ClientError as error:
            details = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            raise NoSession(failure(call, details.get("Code", ""), details.get("Message", ""), status))
        except botocore.exceptions.BotoCoreError as error:
            raise NoSession(failure(call, type(error).__name__, error))
        if caller.get("Account") != account["id"]:
            raise NoSession(failure(call, "WrongAccount", "the credentials are of account %s" % caller.get("Account")))
        return session, {"Account": caller["Account"], "Arn": caller.get("Arn")}, region
    raise NoSession(silence)


def list_buckets(account, home):
    """Name and Region of every bucket, and whether that is all of them."""
    found, token = {}, None
    while True:
        arguments = {"MaxBuckets": 1000}
        if token:
            arguments["ContinuationToken"] = token
        answer = account.ask("s3", home, "ListBuckets", "list_buckets", **arguments)
        if is_failure(answer) and answer["error"] == "ParamValidationError":
            answer = account.ask("s3", home, "ListBuckets", "list_buckets")
        if is_failure(answer):
            return found, answer
        for bucket in answer.get("Buckets") or []:
            found[bucket["Name"]] = bucket.get("BucketRegion")
        token = answer.get("ContinuationToken")
        if not token:
            return found, None


def region_of(account, home, name):
    answer = account.ask("s3", home, "GetBucketLocation", "get_bucket_location", Bucket=name)
    if is_failure(answer):
        return None
    return {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(answer.get("LocationConstraint"), answer.get("LocationConstraint"))


def read_logging(account, region, name):
    answer = account.ask("s3", region, "GetBucketLogging", "get_bucket_logging", again=("NoSuchBucket",), Bucket=name)
    return None if answer == {} else answer


def read_log_bucket(account, region, name, kept, options):
    """All readings of a log bucket but its logging."""
    found = {}
    for key, operation, method, absent in READINGS[1:]:
        answer = account.ask("s3", region, operation, method, absent, Bucket=name)
        found[key] = None if answer == {} else answer
    ownership = found["ownership"]
    enforced = not is_failure(ownership) and ownership is not None and any(
        rule.get("ObjectOwnership") == "BucketOwnerEnforced" for rule in ownership.get("OwnershipControls", {}).get("Rules", []))
    if not enforced:
        found["acl"] = account.ask("s3", region, "GetBucketAcl", "get_bucket_acl", Bucket=name)
    if options.redact_tags and found["tags"] and not is_failure(found["tags"]):
        for tag in found["tags"].get("TagSet", []):
            if tag.get("Key") not in kept:
                tag["Value"] = "redacted"
    return found


def months(days):
    last = datetime.datetime.now(datetime.timezone.utc).date()
    all_days = [last - datetime.timedelta(days=back) for back in range(days)]
    return sorted({(day.year, day.month) for day in all_days}), {day.isoformat() for day in all_days}


def prefixes(account, region, bucket, prefix, delimiter):
    """What lies under a prefix, up to the delimiter, or the failure."""
    found, token = [], {}
    while True:
        answer = account.ask("s3", region, "ListObjectsV2", "list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter=delimiter, **token)
        if is_failure(answer):
            return answer
        found += [item["Prefix"] for item in answer.get("CommonPrefixes") or []]
        if not answer.get("IsTruncated"):
            return found
        token = {"ContinuationToken": answer["NextContinuationToken"]}


def delivered(account, region, bucket, source, prefix, form, shared, days):
    """The days with log objects of a source under some keys: a list with a delimiter is a calendar, and no object is read."""
    found = {"source": source, "prefix": prefix, "format": form}
    if form is None and shared:
        return dict(found, shared=True, complete=False, days=[])
    root = prefix if form is None else "%s%s/%s/%s/" % (prefix, account.id, region, source)
    one = account.ask("s3", region, "ListObjectsV2", "list_objects_v2", Bucket=bucket, Prefix=root, MaxKeys=1)
    if is_failure(one):
        return dict(found, **one)
    found["ever"] = bool(one.get("Contents"))
    seen = set()
    wanted_months, wanted = months(days)
    for year, month in wanted_months if found["ever"] else []:
        if form is None:
            answer = prefixes(account, region, bucket, "%s%04d-%02d-" % (root, year, month), "-")
        else:
            answer = prefixes(account, region, bucket, "%s%04d/%02d/" % (root, year, month), "/")
        if is_failure(answer):
            return dict(found, **answer)
        for item in answer:
            day = item[len(root):].rstrip("/-").replace("/", "-")
            if day in wanted:
                seen.add(day)
    return dict(found, days=sorted(seen), complete=True)


def read_trails(account, region, scope, status_regions):
    trails = account.pages("cloudtrail", region, "DescribeTrails", "describe_trails", "trailList", includeShadowTrails=False)
    if is_failure(trails):
        return trails
    found = []
    for trail in sorted(trails, key=lambda trail: trail.get("TrailARN", "")):
        name = trail.get("TrailARN") or trail.get("Name")
        entry = {"trail": trail,
                 "selectors": account.ask("cloudtrail", region, "GetEventSelectors", "get_event_selectors", TrailName=name)}
        if trail.get("HasInsightSelectors") or name in scope.get("insights", []):
            entry["insights"] = account.ask("cloudtrail", region, "GetInsightSelectors", "get_insight_selectors",
                                            ("InsightNotEnabledException",), TrailName=name)
        places = [region]
        if trail.get("IsMultiRegionTrail"):
            places = sorted(set(places) | set(status_regions))
        entry["status"] = {place: account.ask("cloudtrail", place, "GetTrailStatus", "get_trail_status", Name=name) for place in places}
        found.append(entry)
    return found


def read_copy_role(account, region, name):
    """A role with which S3 copies: whom it trusts, what bounds it, and its policy."""
    role = account.ask("iam", region, "GetRole", "get_role", ("NoSuchEntity",), RoleName=name)
    if role is None or is_failure(role):
        return role
    policy = account.ask("iam", region, "GetRolePolicy", "get_role_policy", ("NoSuchEntity",), RoleName=name, PolicyName="copy-logs")
    if is_failure(policy):
        return policy
    return {"trust": role["Role"].get("AssumeRolePolicyDocument"), "policy": policy and policy.get("PolicyDocument"),
            "boundary": role["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")}


def read_region(account, region, scope, everything, status_regions):
    found = {"Region": region}
    if scope or everything:
        found["trails"] = read_trails(account, region, scope or {}, status_regions)
    for key, operation, method, name in [
        ("delivery_sources", "DescribeDeliverySources", "describe_delivery_sources", "deliverySources"),
        ("delivery_destinations", "DescribeDeliveryDestinations", "describe_delivery_destinations", "deliveryDestinations"),
        ("deliveries", "DescribeDeliveries", "describe_deliveries", "deliveries"),
    ]:
        found[key] = account.pages("logs", region, operation, method, name)
    scope = scope or {}
    if scope.get("copy_roles"):
        found["copy_roles"] = {name: read_copy_role(account, region, name) for name in scope["copy_roles"]}
    if scope.get("parameters"):
        found["parameters"] = {name: account.ask("ssm", region, "GetParameter", "get_parameter", ("ParameterNotFound",), Name=name)
                               for name in scope["parameters"]}
    if scope.get("config_rules"):
        found["config_rules"] = {}
        for name in scope["config_rules"]:
            answer = account.ask("config", region, "DescribeConfigRules", "describe_config_rules", ("NoSuchConfigRuleException",),
                                 ConfigRuleNames=[name])
            rules = [] if answer is None or is_failure(answer) else answer.get("ConfigRules") or []
            found["config_rules"][name] = answer if is_failure(answer) else rules[0] if rules else None
    if scope.get("event_rules"):
        found["event_rules"] = {}
        for name in scope["event_rules"]:
            rule = account.ask("events", region, "DescribeRule", "describe_rule", ("ResourceNotFoundException",), Name=name)
            if rule is not None and not is_failure(rule):
                targets = account.ask("events", region, "ListTargetsByRule", "list_targets_by_rule", Rule=name)
                rule = targets if is_failure(targets) else {"rule": rule, "targets": targets}
            found["event_rules"][name] = rule
    if scope.get("topics"):
        found["topics"] = {arn: account.ask("sns", region, "GetTopicAttributes", "get_topic_attributes", ("NotFound", "NotFoundException"),
                                            TopicArn=arn) for arn in scope["topics"]}
    return found


def read_account(scope, options, pool):
    entry = {"Id": scope["id"], "partition": scope["partition"], "taken_at": now()}
    try:
        session, caller, home = session_for(scope, options)
    except NoSession as error:
        entry.update(error.args[0])
        return entry
    entry["caller"] = caller
    account = Account(session, options, scope["id"])
    regions = {name: place for name, place in scope["regions"].items() if not options.region or name in options.region}
    listed, problem = list_buckets(account, home)
    entry["buckets_complete"] = problem is None
    if problem:
        entry["listing"] = problem
    mapped = {source["name"] for place in regions.values() for source in place["sources"]}
    own = {bucket["name"]: bucket for place in regions.values() for bucket in place["log_buckets"]}
    # what the list does not have is looked for by its name, and what it has by its Region
    unplaced = [name for name, region in listed.items() if region is None and (options.buckets == "all" or name in mapped or name in own)]
    for name, region in zip(unplaced, pool.map(lambda name: region_of(account, home, name), unplaced)):
        listed[name] = region
    place_of = {name: name_region for name_region, place in regions.items()
                for name in [bucket["name"] for bucket in place["log_buckets"]] + [source["name"] for source in place["sources"]]}
    names = {name for name in listed
             if options.buckets == "all" and (not options.region or listed[name] in options.region) or name in mapped or name in own}
    buckets = {name: {"Name": name, "BucketRegion": listed[name]} for name in names}
    for name in sorted(set(own) - set(listed)):
        answer = account.ask("s3", place_of[name], "HeadBucket", "head_bucket", Bucket=name)
        buckets[name] = {"Name": name, "BucketRegion": None, "listed": False, "head": answer}

    # one bucket of each Region first: a Region that does not answer must not keep the others waiting
    def logging(name):
        asked = now()
        return name, asked, read_logging(account, listed[name] or home, name)

    def take(names):
        for name, asked, answer in pool.map(logging, names):
            buckets[name].update(asked_at=asked, logging=answer)

    first = {}
    for name in sorted(names):
        first.setdefault(listed[name], name)
    take(sorted(first.values()))
    take(sorted(names - set(first.values())))
    targets = {bucket["logging"]["LoggingEnabled"]["TargetBucket"] for bucket in buckets.values()
               if isinstance(bucket.get("logging"), dict) and "LoggingEnabled" in bucket["logging"]}
    log_buckets = sorted((set(own) | targets) & set(listed))
    for name in set(log_buckets) - set(buckets):
        buckets[name] = {"Name": name, "BucketRegion": listed[name]}
    kept = {name: set(bucket.get("tags", [])) for name, bucket in own.items()}
    answers = pool.map(
        lambda name: read_log_bucket(account, listed[name] or home, name, kept.get(name, set()), options), log_buckets)
    for name, answer in zip(log_buckets, answers):
        buckets[name].update(answer)
        if "logging" not in buckets[name]:
            buckets[name].update(asked_at=now(), logging=read_logging(account, listed[name] or home, name))
    everything = options.buckets == "all"
    places = sorted(set(regions) | ({region for region in listed.values() if region} if everything else set()))
    if options.region:
        places = [place for place in places if place in options.region]
    found = list(pool.map(lambda place: read_region(account, place, regions.get(place), everything, sorted(regions)), places))
    entry["regions"] = [
        {"Region": region["Region"], "unreachable": account.unreachable(region["Region"])} if account.unreachable(region["Region"]) else region
        for region in found]
    if options.delivery:
        read_delivered(account, regions, buckets, listed, options, pool)
    entry["buckets"] = [buckets[name] for name in sorted(buckets)]
    return entry


def read_delivered(account, regions, buckets, listed, options, pool):
    wanted = []
    for region, place in sorted(regions.items()):
        known = {bucket["name"] for bucket in place["log_buckets"]}
        flat = collections.Counter((source["log_bucket"], source["prefix"]) for source in place["sources"] if source["format"] is None)
        for source in place["sources"]:
            bucket = source["log_bucket"]
            if listed.get(bucket) != region:
                continue
            keys = [(source["prefix"], source["format"])]
            live = (buckets.get(source["name"]) or {}).get("logging")
            live = live.get("LoggingEnabled") if isinstance(live, dict) else None
            if live and live.get("TargetBucket") in known:
                form = (live.get("TargetObjectKeyFormat") or {}).get("PartitionedPrefix")
                form = None if form is None else form.get("PartitionDateSource") or "EventTime"
                other = (live.get("TargetPrefix") or "", form)
                # flat keys of nobody's own prefix can't be told apart
                if other != keys[0] and not (form is None and source["name"] not in other[0]):
                    keys.append(other)
            for prefix, form in keys:
                shared = form is None and flat[bucket, prefix] > 1
                wanted.append((region, bucket, source["name"], prefix, form, shared))
    answers = pool.map(lambda one: delivered(account, *one, options.days), wanted)
    for (region, bucket, _, _, _, _), answer in zip(wanted, answers):
        buckets[bucket].setdefault("delivered", []).append(answer)
    for place in regions.values():
        for bucket in place["log_buckets"]:
            if bucket["name"] in listed:
                buckets[bucket["name"]].setdefault("delivered", [])


def organization_accounts(options):
    account = Account(boto3.Session(profile_name=options.profile or None), options)
    region = boto3.Session().region_name or "us-east-1"
    found = account.pages("organizations", region, "ListAccounts", "list_accounts", "Accounts")
    return found if is_failure(found) else {"Accounts": sorted(found, key=lambda one: one.get("Id", ""))}


def write(out, snapshot):
    """One bucket and one Region a line, in order: two snapshots differ in git where the accounts do."""
    order = ["Name", "BucketRegion", "listed", "asked_at", "head"] + [key for key, _, _, _ in READINGS] + ["acl", "delivered"]

    def line(entry, order):
        keys = [key for key in order if key in entry] + sorted(key for key in entry if key not in order)
        return "{" + ",".join(dumps(key) + ":" + dumps(entry[key]) for key in keys) + "}"

    lines = ["{" + dumps("logmap_snapshot") + ":" + dumps(FORMAT_VERSION) + ","]
    for key in ("taken_at", "by", "scope", "organization"):
        lines.append(dumps(key) + ":" + dumps(snapshot[key]) + ",")
    lines.append('"accounts":[')
    for at, entry in enumerate(snapshot["accounts"]):
        head = {key: value for key, value in entry.items() if key not in ("buckets", "regions")}
        text = line(head, ["Id", "partition", "taken_at", "caller", "buckets_complete", "listing", "error", "call", "status", "message"])
        text = text[:-1]
        for name, keys in (("regions", ["Region", "unreachable"]), ("buckets", order)):
            items = [line(item, keys) for item in entry.get(name, [])]
            text += ",\n" + dumps(name) + ":[" + ("\n" + ",\n".join(items) if items else "") + "]"
        lines.append(text + "}" + ("," if at + 1 < len(snapshot["accounts"]) else ""))
    lines.append("]}")
    text = "\n".join(lines) + "\n"
    if out == "-":
        sys.stdout.write(text)
        return
    # policies and tags are nobody else's concern
    temporary = out + ".new"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.replace(temporary, out)


def failures(value):
    if isinstance(value, dict):
        return (1 if "error" in value and "call" in value else 0) + sum(failures(item) for item in value.values())
    return sum(failures(item) for item in value) if isinstance(value, list) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="-", help="the file to write, readable by its owner only; - is standard output")
    parser.add_argument("--account", action="append", help="only these accounts, by key or id; may be repeated")
    parser.add_argument("--region", action="append", help="only these Regions; may be repeated")
    parser.add_argument("--organization", action="store_true", help="also the active accounts that AWS Organizations lists")
    parser.add_argument("--role", help="name of the role to assume in each account, instead of the map's")
    parser.add_argument("--external-id", help="external id for that role")
    parser.add_argument("--profile", help="profile of the caller, instead of the map's")
    parser.add_argument("--buckets", choices=["all", "mapped"], default="all", help="which buckets are asked for their logging")
    parser.add_argument("--delivery", action="store_true", help="also look for log objects: lists keys, and reads none")
    parser.add_argument("--days", type=int, default=7, help="days that are looked at with --delivery")
    parser.add_argument("--redact-tags", action="store_true", help="leave out values of tags that are not the map's")
    parser.add_argument("--jobs", type=int, default=32, help="calls under way at once")
    parser.add_argument("--timeout", type=int, default=10, help="seconds that an answer may take")
    options = parser.parse_args()
    if not 1 <= options.days <= 365 or not 1 <= options.jobs <= 256:
        parser.error("--days is 1 to 365, --jobs 1 to 256")
    scopes = [scope for scope in SCOPE["accounts"] if not options.account or scope["key"] in options.account or scope["id"] in options.account]
    organization = organization_accounts(options) if options.organization else None
    if organization and not is_failure(organization):
        known = {scope["id"] for scope in SCOPE["accounts"]} | set(SCOPE["closed"])
        for account in organization["Accounts"]:
            state = account.get("State") or account.get("Status") or "ACTIVE"
            if state == "ACTIVE" and account["Id"] not in known and not options.account:
                partition = account.get("Arn", "arn:aws").split(":")[1]
                scopes.append({"id": account["Id"], "key": account["Id"], "partition": partition, "regions": {}})
    if not scopes:
        sys.exit("error: no account is left to be read")
    taken, accounts = now(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for scope in sorted(scopes, key=lambda scope: scope["id"]):
            entry = read_account(scope, options, pool)
            accounts.append(entry)
            if is_failure(entry):
                print("account %s: %s: %s" % (scope["id"], entry["error"], entry["message"]), file=sys.stderr)
    by = next((entry["caller"] for entry in accounts if "caller" in entry), None)
    write(options.out, {
        "taken_at": taken, "by": by, "organization": organization, "accounts": accounts,
        "scope": {"accounts": [entry["Id"] for entry in accounts], "buckets": options.buckets, "regions": sorted(options.region or []),
                  "delivery_days": options.days if options.delivery else 0}})
    unread = failures(accounts) + (1 if is_failure(organization) else 0)
    count = sum(len(entry.get("buckets", [])) for entry in accounts)
    print("%d account(s), %d bucket(s) read%s" % (len(accounts), count, "; %d reading(s) failed" % unread if unread else ""), file=sys.stderr)
    return 3 if any(is_failure(entry) for entry in accounts) else 0


if __name__ == "__main__":
    sys.exit(main())
