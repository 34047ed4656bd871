"""Worlds that a map adopts: random settings of a log bucket, its sources and a trail, met by a map that somebody wrote and by the one that
`logmap import` makes of them.

Nothing that existed gets weaker, shorter, narrower or lost, unless it is refused, and every source and trail whose logs arrive goes on
delivering: where it does so today, for S3 writes there for about an hour, and where the map has it. What the scripts refuse, the
checks of Terraform and of stacks refuse, too; where a check passes, what its target would set is judged like what a script has done.
"""
import json
import random
import re
import subprocess

from botocore.exceptions import ClientError

from . import delivery, trails
from .attacks import Attack, is_write
from .refusals import ABORT, ACCOUNT, REGION, mfa_delete, notifies, put_rules, replicated, s3
from .report import clean_env, expect
from .scripts import tail

LOGS, SOURCES = "acme-old-logs", ("acme-web", "acme-data", "acme-app")
FORMATS = {"simple": None, "partitioned-event-time": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
           "partitioned-delivery-time": {"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}}}
ARN = f"arn:aws:s3:::{LOGS}"
# the ids of the rules that logmap writes
OUR_RULE = re.compile("(access-logs|cloudtrail|all-logs)(-[0-9]+)?")


class Scene:
    """One world, by its seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        pick, chance = self.random.choice, lambda p: self.random.random() < p
        self.logging = {}
        for name in (*SOURCES, "acme-other"):
            if chance(0.65):
                prefix = pick(["s3-access/", "s3-access/", "", "logs", f"{name}/", f"logs/{name}/", "web/", "/x/"])
                self.logging[name] = "acme-elsewhere" if chance(0.08) else LOGS, prefix, pick(list(FORMATS))
        self.trail = pick([None, None, {}, {"S3KeyPrefix": "ct"}, {"IsMultiRegionTrail": False}])
        self.statements = self.policy(pick, chance)
        self.acl = chance(0.12)
        self.rules = self.lifecycle(pick, chance)
        self.tags = pick([None, None, {"team": "web"}, {"team": "web", "owner": "security"}])
        self.versioning = pick([None, "Enabled", "Enabled", "Suspended"])
        self.kms, self.payer, self.lock = chance(0.05), chance(0.05), chance(0.04)
        self.mfa, self.replication, self.notifications = chance(0.05), chance(0.15), chance(0.2)
        self.objects = [key for key in ("s3-access/2020-01-01-00-00-00-0", "logs/x", f"AWSLogs/{ACCOUNT}/x", "web/y", "other") if chance(0.4)]

    def policy(self, pick, chance):
        grant = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}
        mine = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        out = []
        if chance(0.7):
            out.append({"Sid": "S3ServerAccessLogsPolicy", **grant, "Resource": f"{ARN}/*", "Condition": mine})
        else:
            for name, (target, prefix, _) in self.logging.items():
                if target == LOGS and chance(0.85):
                    out.append({**grant, "Resource": f"{ARN}/{prefix}*", "Condition": {**mine, "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{name}"}}})
        if self.trail is not None:
            common = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
            source = {"aws:SourceArn": trails.ARN}
            prefix = self.trail.get("S3KeyPrefix", "") and "ct/"
            out += [{**common, "Action": "s3:GetBucketAcl", "Resource": ARN, "Condition": {"StringEquals": source}},
                    {**common, "Action": "s3:PutObject", "Resource": f"{ARN}/{prefix}AWSLogs/{ACCOUNT}/*",
                     "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}}}]
        if chance(0.25):
            out.append({"Sid": "Readers", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "s3:GetObject", "Resource": f"{ARN}/*"})
        if chance(0.3):
            out.append({"Sid": "AllowSSLRequestsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [ARN, f"{ARN}/*"],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
        if chance(0.1):
            out.append({"Sid": "NoDeletes", "Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/ops"}, "Action": "s3:DeleteObject", "Resource": f"{ARN}/*"})
        return out

    def lifecycle(self, pick, chance):
        days = lambda: pick([30, 365, 400, 2557, 3650])
        if chance(0.3):
            return []
        if chance(0.4):
            expire, old = days(), pick([None, 30, 365])
            noncurrent = {"NoncurrentVersionExpiration": {"NoncurrentDays": old}} if old else {}
            return [{"ID": "access-logs", "Filter": {"Prefix": "s3-access/"}, "Expiration": {"Days": expire}, **noncurrent, **ABORT}]
        rules = [{"ID": "all", "Filter": {"Prefix": ""}, "Expiration": {"Days": days()}}] if chance(0.6) else []
        if chance(0.4):
            rules.append({"ID": "glacier", "Filter": {"Prefix": pick(["", "s3-access/", "AWSLogs/"])}, "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}]})
        if chance(0.4):
            rules.append({"ID": "elb", "Filter": {"Prefix": "elb/"}, "Expiration": {"Days": days()}})
        return rules

    def map(self):
        """What somebody may write who does not know all that is there."""
        pick, chance = self.random.choice, lambda p: self.random.random() < p
        log_bucket = {"adopt": True, "name": LOGS}
        if chance(0.5):
            log_bucket["retention"] = {"expire_after_days": pick([400, 2557, "never"]), "noncurrent_expire_after_days": pick([30, 365, "never"])}
        elif chance(0.3):
            log_bucket["lifecycle"] = "external"
        for key, value, p in (("tags", {"owner": "security"}, 0.3), ("versioning", False, 0.1), ("policy_scope", "account", 0.2), ("prefix", "" if self.trail is None else "all/", 0.2), ("key_format", "simple", 0.2)):
            if chance(p):
                log_bucket[key] = value
        buckets = []
        for name in SOURCES:
            said = {"name": name}
            if name in self.logging and chance(0.5):
                _, said["exact_prefix"], said["key_format"] = self.logging[name]
            buckets.append(said)
        region = {"log_bucket": log_bucket, "buckets": buckets}
        made = {"version": 1, "organization": {"name": "acme"}, "accounts": {"prod": {"id": ACCOUNT, "regions": {REGION: region}}}}
        if self.trail is not None and chance(0.8):
            made["trails"] = {"audit": {"home_region": REGION, "adopt": True} | ({"prefix": "ct"} if self.trail.get("S3KeyPrefix") and chance(0.7) else {})}
        return json.dumps(made)

    def set(self, stage):
        """Makes it, beside what the stage has made."""
        client = s3(stage)
        for name in (*SOURCES, "acme-other", "acme-elsewhere"):
            try:
                stage.world.create_bucket(ACCOUNT, REGION, name)
            except ClientError:
                pass
        if self.lock:
            client.delete_bucket(Bucket=LOGS)
            client.create_bucket(Bucket=LOGS, ObjectLockEnabledForBucket=True, CreateBucketConfiguration={"LocationConstraint": REGION})
        if self.statements:
            client.put_bucket_policy(Bucket=LOGS, Policy=json.dumps({"Version": "2012-10-17", "Statement": self.statements}))
        if self.acl and not self.lock:
            client.put_bucket_ownership_controls(Bucket=LOGS, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
            client.put_bucket_acl(Bucket=LOGS, ACL="log-delivery-write")
        if self.rules:
            put_rules(stage, *self.rules)
        if self.tags:
            client.put_bucket_tagging(Bucket=LOGS, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in self.tags.items()]})
        if self.versioning and not self.lock:
            client.put_bucket_versioning(Bucket=LOGS, VersioningConfiguration={"Status": self.versioning})
        if self.kms:
            client.put_bucket_encryption(Bucket=LOGS, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
        if self.payer:
            client.put_bucket_request_payment(Bucket=LOGS, RequestPaymentConfiguration={"Payer": "Requester"})
        for key in self.objects:
            client.put_object(Bucket=LOGS, Key=key, Body=b"x")
        for name, (target, prefix, form) in self.logging.items():
            enabled = {"TargetBucket": target, "TargetPrefix": prefix}
            if FORMATS[form]:
                enabled["TargetObjectKeyFormat"] = FORMATS[form]
            client.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": enabled})
        if self.trail is not None:
            cloudtrail = stage.world.client("cloudtrail", ACCOUNT, REGION)
            cloudtrail.create_trail(**{"Name": "audit", "S3BucketName": LOGS, "IsMultiRegionTrail": True, "EnableLogFileValidation": True, **self.trail})
            cloudtrail.start_logging(Name="audit")
        if self.replication:
            replicated(stage)
        if self.notifications:
            notifies(stage)
        if self.mfa:
            mfa_delete(stage)


def answers(stage, world, folder):
    """The world as the AWS CLI prints it, in files; their names."""
    mine = {name: bucket for name, bucket in world["buckets"].items() if bucket["account"] == ACCOUNT}
    files = {"buckets.json": {"Buckets": [{"Name": name, "BucketRegion": bucket["region"]} for name, bucket in sorted(mine.items())]}}
    for name, bucket in mine.items():
        files[f"{name}.logging.json"] = {"LoggingEnabled": bucket["logging"]} if bucket["logging"] else {}
    logs = mine[LOGS]
    files[f"{LOGS}.lifecycle.json"] = {"Rules": logs["lifecycle"] or []}
    if logs["policy"]:
        files[f"{LOGS}.policy.json"] = {"Policy": json.dumps(logs["policy"])}
    if logs["tags"]:
        files[f"{LOGS}.tagging.json"] = {"TagSet": logs["tags"]}
    if logs["lock"]:
        files[f"{LOGS}.object-lock.json"] = {"ObjectLockConfiguration": logs["lock"]}
    if logs["encryption"]:
        files[f"{LOGS}.encryption.json"] = {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": logs["encryption"]}}]}}
    files[f"{LOGS}.request-payment.json"] = {"Payer": logs["payer"]}
    found = stage.world.client("cloudtrail", ACCOUNT, REGION).describe_trails(includeShadowTrails=False)["trailList"]
    if found:
        files["trails.json"] = {"trailList": found}
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, default=str))
    return sorted(files)


# ---------------------------------------------------------------------------------------------------- what is weaker

def days(rule, action):
    held = rule.get(action) or {}
    return held.get("Days", held.get("NoncurrentDays", float("inf")))


def kept(rules, key, action):
    """Days for which the object of that key, or its old versions, are kept."""
    mine = [rule for rule in rules or [] if rule["Status"] == "Enabled" and key.startswith((rule.get("Filter") or {}).get("Prefix") or "")]
    return min([days(rule, action) for rule in mine], default=float("inf"))


def by_acl(bucket):
    return bucket["ownership"] != "BucketOwnerEnforced" and any(str(grant["Grantee"].get("URI")).endswith("LogDelivery") for grant in bucket["acl"])


def arrives(name, logging, source, buckets):
    """Does a log of this source arrive, logging as given?"""
    found = delivery.access_log(name, {**source, "logging": logging}, buckets)
    # that others may write too is no matter of this one
    lost = [text for text in found if "also lets" not in text]
    return not lost or by_acl(buckets.get(logging["TargetBucket"], source)) and all("refuses its log" in text for text in lost)


def statements(bucket):
    plain = lambda one: json.dumps({key: value for key, value in one.items() if key != "Sid"}, sort_keys=True)
    return {plain(one) for one in (bucket["policy"] or {}).get("Statement", [])
            if not set(one.get("Principal", {}) if isinstance(one.get("Principal"), dict) else {}) == {"Service"} and "aws:SecureTransport" not in json.dumps(one)}


def weaker(was, now):
    """What has got weaker, shorter, narrower or lost, a line each."""
    out = []
    before, after = was["buckets"][LOGS], now["buckets"][LOGS]
    for name, bucket in was["buckets"].items():
        if bucket["logging"] and arrives(name, bucket["logging"], bucket, was["buckets"]):
            if not arrives(name, bucket["logging"], bucket, now["buckets"]):
                out.append(f"{name}: its logs under {bucket['logging']['TargetPrefix']!r} do not arrive any more")
            there = now["buckets"][name]["logging"]
            if not there or not arrives(name, there, bucket, now["buckets"]):
                out.append(f"{name}: it does not log any more: {there}")
            elif there["TargetBucket"] != bucket["logging"]["TargetBucket"]:
                out.append(f"{name}: it logs to {there['TargetBucket']} instead of {bucket['logging']['TargetBucket']}")
    for arn, trail in was["trails"].items():
        if not delivery.trail_objects(arn, trail, was["buckets"], "") and delivery.trail_objects(arn, trail, now["buckets"], ""):
            out.append(f"{arn}: its files do not arrive any more where they did")
        there = now["trails"].get(arn) or {}
        for key in ("bucket", "prefix", "kms", "log_group", "topic", "insights"):
            if there.get(key) != trail[key]:
                out.append(f"{arn}: {key} is {there.get(key)} instead of {trail[key]}")
        if any(trail[key] and not there.get(key) for key in ("multi_region", "validation", "logging")):
            out.append(f"{arn}: it records less")
    out += [f"the statement is gone: {text}" for text in sorted(statements(before) - statements(after))]
    keys = [key for key in before["objects"] if key in before["objects"]]
    for key in keys:
        for action in ("Expiration", "NoncurrentVersionExpiration") if was["versioned"] else ("Expiration",):
            if kept(after["lifecycle"], key, action) < kept(before["lifecycle"], key, action):
                out.append(f"{key} is kept for {kept(after['lifecycle'], key, action)} instead of {kept(before['lifecycle'], key, action)} days ({action})")
    plain = lambda rules: {json.dumps(rule, sort_keys=True) for rule in rules or [] if not OUR_RULE.fullmatch(rule["ID"])}
    out += [f"the rule is gone: {text}" for text in sorted(plain(before["lifecycle"]) - plain(after["lifecycle"]))]
    tagged = lambda bucket: {(tag["Key"], tag["Value"]) for tag in bucket["tags"] or []}
    names = {key for key, _ in tagged(after)}
    out += [f"the tag is gone: {key}" for key, _ in sorted(tagged(before)) if key not in names]
    for key in ("lock", "replication", "notifications", "payer", "encryption"):
        if before[key] != after[key] and (key, before[key]) != ("encryption", None):
            out.append(f"{key} is {after[key]} instead of {before[key]}")
    if after["acl"] != before["acl"]:
        out.append("the ACL is another one")
    if before["versioning"] == "Enabled" != after["versioning"] and not was["says_unversioned"]:
        out.append("versioning is off")
    return out


def set_alone(world, text):
    """The world as a target would leave it that sets all lifecycle rules and tags or none, where a script has left it so."""
    log_bucket = json.loads(text) if text.startswith("{") else {}
    log_bucket = log_bucket and log_bucket["accounts"]["prod"]["regions"][REGION]["log_bucket"]
    bucket = dict(world["buckets"][LOGS])
    external = log_bucket.get("lifecycle") == "external" if log_bucket else "lifecycle: external" in text
    if not external:
        bucket["lifecycle"] = [rule for rule in bucket["lifecycle"] or [] if OUR_RULE.fullmatch(rule["ID"])]
    wanted = log_bucket.get("tags") if log_bucket else None
    if wanted:
        bucket["tags"] = [{"Key": key, "Value": value} for key, value in wanted.items()]
    return {**world, "buckets": {**world["buckets"], LOGS: bucket}}


# ---------------------------------------------------------------------------------------------------- one world

class Counts:
    def __init__(self):
        self.worlds = self.taken = self.refused = self.imports = self.import_taken = self.no_import = self.checks_passed = 0
        self.reasons = {}

    def __str__(self):
        return (f"{self.worlds} worlds: by hand {self.taken} taken over, {self.refused} refused; imported {self.imports}, {self.import_taken} taken over, "
                f"{self.no_import} without an adoption; checks of Terraform and stacks passed {self.checks_passed}")


def meet(stage, scene, text, counts, what, faults, imported=False):
    """The scripts and the checks of one map meet the world. True if it was taken over."""
    attack = Attack(stage, *stage.scripts()[0], scene=scene.set)
    attack.set_scene()
    was = {**attack.before, "versioned": scene.versioning is not None or scene.lock or scene.mfa or scene.replication, "says_unversioned": '"versioning": false' in text}
    checks = {}
    for target, path in (("terraform", "terraform/prod/preflight.sh"), ("stack", f"cloudformation/prod/{REGION}-preflight.sh")):
        check = Attack(stage, attack.account, stage.tree / path)
        check.home, check.before = attack.home, attack.before
        checks[target] = check.run()
        if any(map(is_write, checks[target].calls)):
            faults.append(f"{what}: the check of {target} writes")
        if checks[target].returncode not in (0, 1):
            faults.append(f"{what}: the check of {target} exits {checks[target].returncode}\n{tail(checks[target].stdout)}")
    done = attack.run()
    now = stage.snapshot()
    if done.returncode == 1:
        if attack.before != now:
            faults.append(f"{what}: refused, and something was changed")
        for target, check in checks.items():
            if check.returncode == 0:
                faults.append(f"{what}: the script refuses, and the check of {target} does not:\n{tail(done.stdout)}")
        counts.reasons.setdefault(what.split(",")[0], []).append(done.stdout)
        return False
    if done.returncode != 0:
        faults.append(f"{what}: the script exits {done.returncode}\n{tail(done.stdout)}\n{stage.mock.refused[-2:]}")
        return False
    faults += [f"{what}: {line}\n{tail(done.stdout)}" for line in weaker(was, now)]
    if imported:
        same = lambda world: {name: bucket["logging"] for name, bucket in world["buckets"].items() if bucket["logging"]}
        before, after = same(attack.before), same(now)
        faults += [f"{what}: {name} logs as {after.get(name)} instead of {logging}" for name, logging in before.items() if after.get(name) != logging and logging["TargetBucket"] == LOGS]
    for target, check in checks.items():
        if check.returncode == 0:
            counts.checks_passed += 1
            faults += [f"{what}: {target} after its check: {line}\n{tail(check.stdout)}" for line in weaker(was, set_alone(now, text))]
    again = attack.run()
    if again.returncode or any(map(is_write, again.calls)):
        faults.append(f"{what}: the second run exits {again.returncode} and writes {[call for call in again.calls if is_write(call)][:2]}")
    return True


def world(bench, seed, counts, faults):
    scene = Scene(seed)
    counts.worlds += 1
    text = scene.map()
    stage = bench.stage_from(text)
    if meet(stage, scene, text, counts, f"seed {seed}", faults):
        counts.taken += 1
    else:
        counts.refused += 1
    # the map that import makes of the world
    stage.set_scene()
    scene.set(stage)
    folder = bench.new_folder() / "answers"
    files = answers(stage, stage.snapshot(), folder)
    done = subprocess.run([bench.args.logmap, "import", *files, "--account", f"prod={ACCOUNT}", "--organization", "acme"], cwd=folder, env=clean_env(), capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        faults.append(f"seed {seed}: import exits {done.returncode}\n{tail(done.stderr)}")
        return
    if "adopt: true, name: " + LOGS not in done.stdout and f"name: {LOGS}" not in done.stdout or done.returncode == 1:
        counts.no_import += 1  # said with a reason, such as SSE-KMS or Object Lock, or an error
        return
    counts.imports += 1
    before = len(faults)
    stage = bench.stage_from(done.stdout)
    if meet(stage, scene, done.stdout, counts, f"seed {seed}, imported", faults, imported=True):
        counts.import_taken += 1
    elif not (scene.acl or scene.mfa or any(target != LOGS for target, _, _ in scene.logging.values())):
        # what import has seen, its map says; an ACL, MFA delete and a target elsewhere it can't
        faults.append(f"seed {seed}, imported: refused\n{tail(counts.reasons['seed %d' % seed][-1])}\n{done.stdout}")
    if len(faults) > before:
        faults.append(f"(the imported map of seed {seed})\n{done.stdout}\n{done.stderr}")


def check(report, bench, seeds):
    if report.wants("adopted"):
        with report.check(f"adopted/{seeds[0]:03}"):
            counts, faults = Counts(), []
            for seed in seeds:
                world(bench, seed, counts, faults)
            print(f"        {counts}")
            expect(not faults, "\n".join(faults[:20]))
