"""What the generated scripts must refuse, what `--verify` must find, and whose credentials they use.

One map with an adopted log bucket; each case breaks one thing in the world.  A refusal exits 1, names the thing, and makes no
call that writes; with --force, where that is allowed, the script goes through, keeps what it replaced, and can be undone.
"""
import json
import re
import shutil
import subprocess
import sys

from . import attacks, maps, trails
from .attacks import Attack, is_write
from .mock import KEY
from .report import expect
from .scripts import CALLER, same, tail
from .tier import some

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
MAP = f"""
version: 1
organization: {{ name: acme }}
defaults: {{ log_bucket: {{ tags: {{ owner: security }} }} }}
accounts:
  prod:
    id: "{ACCOUNT}"
    role: deployer
    regions:
      {REGION}:
        log_bucket: {{ adopt: true, name: acme-old-logs }}
        buckets: [acme-web, {{ name: acme-data, prefix: "data/" }}, {{ name: acme-legacy, logging: external }}]
trails:
  audit: {{ coverage: multi-region, home_region: {REGION}, s3_data_events: true }}
"""
HOSTILE = r'''
version: 1
organization: { name: acme }
accounts:
  prod:
    id: "111122223333"
    regions:
      eu-west-1:
        log_bucket:
          tags: { "a b": "-x = +y/:@_.", owner: "file://x", "file:///etc/hostname": "fileb://x", "-k": "--v", "@k": "@/etc/hostname", "https://k": "https://127.0.0.1/" }
          extra_statements:
            - { Sid: Reader, Effect: Allow, Principal: { AWS: "111122223333" }, Action: "s3:GetObject", Resource: "{log_bucket_arn}/${aws:username}/'\"`touch PWNED`\\*" }
        buckets:
          - { name: acme-q, prefix: "it's/'; touch PWNED; '/" }
          - { name: acme-w, prefix: "\"$(touch PWNED)\"`touch PWNED`/" }
          - { name: acme-u, prefix: "журнал ünï/ \\n\\\\ !! #%/" }
          - { name: acme-e, prefix: "EOF\\/PYTHON/--flag/&|<>/" }
          - { name: acme-d, prefix: "-n/" }
          - { name: acme-f, prefix: "fileb:///etc/hostname/" }
          - { name: acme-h, prefix: "https://127.0.0.1/x/" }
          - { name: acme-at, prefix: "@/etc/hostname/" }
          - { name: acme-home, prefix: "~/x/" }
trails:
  audit: { coverage: multi-region, home_region: eu-west-1, prefix: "file://etc/it's" }
'''


def s3(stage, account=ACCOUNT, region=REGION):
    return stage.world.client("s3", account, region)


def old_world(stage):
    """Everything that an adoption can find, with settings that are none of the plan's."""
    stage.world.create_bucket(ACCOUNT, REGION, "acme-elsewhere")
    client = s3(stage)
    arn = "arn:aws:s3:::acme-elsewhere"
    trail = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    client.put_bucket_policy(Bucket="acme-elsewhere", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {**trail, "Action": "s3:GetBucketAcl", "Resource": arn}, {**trail, "Action": "s3:PutObject", "Resource": arn + "/*"},
        {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject", "Resource": arn + "/*"}]}))
    client.put_bucket_logging(Bucket="acme-web", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "acme-elsewhere", "TargetPrefix": "web/"}})
    client.put_bucket_logging(Bucket="acme-data", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "acme-old-logs", "TargetPrefix": "old/"}})
    name = {"Bucket": "acme-old-logs"}
    client.delete_public_access_block(**name)
    client.put_bucket_ownership_controls(**name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    client.put_bucket_acl(**name, ACL="log-delivery-write")
    foreign_policy(stage)
    client.put_bucket_lifecycle_configuration(**name, LifecycleConfiguration={"Rules": [
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 7}}]})
    client.put_bucket_tagging(**name, Tagging={"TagSet": [{"Key": "team", "Value": "web & 'co'"}]})
    kms(stage)
    payer(stage)
    client.put_bucket_versioning(**name, VersioningConfiguration={"Status": "Suspended"})
    cloudtrail = stage.world.client("cloudtrail", ACCOUNT, REGION)
    cloudtrail.create_trail(Name="audit", S3BucketName="acme-elsewhere", S3KeyPrefix="t")
    cloudtrail.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}])


def foreign_policy(stage, bucket="acme-old-logs", sid="ForeignStatement"):
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "s3:GetObject",
                 "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3(stage).put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def kms(stage):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3(stage).put_bucket_encryption(Bucket="acme-old-logs", ServerSideEncryptionConfiguration={"Rules": [rule]})


def payer(stage):
    s3(stage).put_bucket_request_payment(Bucket="acme-old-logs", RequestPaymentConfiguration={"Payer": "Requester"})


def acl(stage):
    s3(stage).put_bucket_ownership_controls(Bucket="acme-old-logs", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3(stage).put_bucket_acl(Bucket="acme-old-logs", ACL="log-delivery-write")


def remade(name, account=ACCOUNT, region=REGION, **settings):
    """The bucket, but in another account or Region, or with Object Lock; without either it is gone."""
    def make(stage):
        s3(stage).delete_bucket(Bucket=name)
        if (account, region) != (ACCOUNT, REGION) or settings:
            where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3(stage, account, region).create_bucket(Bucket=name, **where, **settings)
    return make


def logs_elsewhere(stage):
    stage.world.create_bucket(ACCOUNT, REGION, "acme-elsewhere")
    s3(stage).put_bucket_logging(Bucket="acme-web", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "acme-elsewhere", "TargetPrefix": ""}})


def delivers_elsewhere(stage):
    old_world(stage)
    for name in ("acme-web", "acme-data"):
        s3(stage).put_bucket_logging(Bucket=name, BucketLoggingStatus={})
    remade("acme-old-logs")(stage)
    stage.world.create_bucket(ACCOUNT, REGION, "acme-old-logs")


def put_rules(stage, *rules):
    s3(stage).put_bucket_lifecycle_configuration(Bucket="acme-old-logs", LifecycleConfiguration={"Rules": [{"Status": "Enabled", **rule} for rule in rules]})


def versioned(stage):
    s3(stage).put_bucket_versioning(Bucket="acme-old-logs", VersioningConfiguration={"Status": "Enabled"})


SEVEN_YEARS = {"ID": "keep-7-years", "Filter": {"Prefix": ""}, "Expiration": {"Days": 2557}}
# the form in which logmap writes a rule, which may yet be another map's
ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
OURS = [{"ID": "access-logs", "Filter": {"Prefix": "data/"}, **ABORT}, {"ID": "access-logs-2", "Filter": {"Prefix": "s3-access/"}, **ABORT},
        {"ID": "cloudtrail", "Filter": {"Prefix": "AWSLogs/"}, **ABORT}]


def our_rules(days, noncurrent):
    return [{**rule, "Expiration": {"Days": days}, "NoncurrentVersionExpiration": {"NoncurrentDays": noncurrent}} for rule in OURS]


def holds_logs(stage):
    s3(stage).put_object(Bucket="acme-old-logs", Key="s3-access/2020-01-01-00-00-00-0", Body=b"log")


def console_grant(stage, resource="*", **condition):
    """The statement of the console and of AWS's documentation, for every bucket of the account."""
    statement = {"Sid": "S3ServerAccessLogsPolicy", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
                 "Resource": f"arn:aws:s3:::acme-old-logs/{resource}", "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, **condition}}
    s3(stage).put_bucket_policy(Bucket="acme-old-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def insecure_denied(stage):
    arn = "arn:aws:s3:::acme-old-logs"
    statement = {"Sid": "AllowSSLRequestsOnly", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": [arn, arn + "/*"],
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3(stage).put_bucket_policy(Bucket="acme-old-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def logs_here(stage, name, prefix):
    if name not in ("acme-web", "acme-data"):
        stage.world.create_bucket(ACCOUNT, REGION, name)
    s3(stage).put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "acme-old-logs", "TargetPrefix": prefix}})


def mfa_delete(stage):
    versioned(stage)
    stage.mock.mfa_delete("acme-old-logs")


def replicated(stage):
    stage.world.create_bucket(ACCOUNT, "us-east-1", "acme-copy")
    s3(stage, region="us-east-1").put_bucket_versioning(Bucket="acme-copy", VersioningConfiguration={"Status": "Enabled"})
    versioned(stage)
    stage.world.client("iam", ACCOUNT, REGION).create_role(RoleName="copy", AssumeRolePolicyDocument="{}")
    s3(stage).put_bucket_replication(Bucket="acme-old-logs", ReplicationConfiguration={"Role": f"arn:aws:iam::{ACCOUNT}:role/copy", "Rules": [
        {"ID": "copy", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"}, "Destination": {"Bucket": "arn:aws:s3:::acme-copy"}}]})


def notifies(stage):
    topic = stage.world.client("sns", ACCOUNT, REGION).create_topic(Name="acme-new-logs")["TopicArn"]
    s3(stage).put_bucket_notification_configuration(Bucket="acme-old-logs", NotificationConfiguration={
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}], "EventBridgeConfiguration": {}})


def both(*scenes):
    return lambda stage: [scene(stage) for scene in scenes]


# what stands on an adopted bucket and must not be lost: what, how, what the script and the preflight must say
STANDING = [
    ("a longer retention of others", lambda stage: put_rules(stage, SEVEN_YEARS), "keeps objects below `s3-access/` for 2557 days, and the plan for 400 days"),
    ("a longer retention below the prefix", lambda stage: put_rules(stage, *our_rules(400, 30)[:2], {**our_rules(400, 30)[2], "Expiration": {"Days": 3650}}),
     "keeps objects below `AWSLogs/` for 3650 days, and the plan for 400 days: to keep it so, write `retention: { expire_after_days: 3650, noncurrent_expire_after_days: 30 }`"),
    ("old versions that are kept", both(versioned, lambda stage: put_rules(stage, *our_rules(400, 365))),
     "keeps old versions below `data/` for 365 days, and the plan for 30 days: to keep it so, write `retention: { expire_after_days: 400, noncurrent_expire_after_days: 365 }`"),
    ("logs without an expiry", holds_logs, "keeps objects below `s3-access/` for ever, and the plan for 400 days: to keep it so, write `retention: { expire_after_days: never, "),
    ("logs that only move", lambda stage: put_rules(stage, {"ID": "glacier", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}]}),
     "keeps objects below `s3-access/` for ever, and the plan for 400 days: to keep it so, write `lifecycle: external`"),
    ("a rule for other objects", lambda stage: put_rules(stage, {"ID": "elb", "Filter": {"Prefix": "elb/"}, "Expiration": {"Days": 30}}), "has rules that logmap did not write: [{"),
    ("a rule with a name of ours", lambda stage: put_rules(stage, {"ID": "cloudtrail", "Filter": {"Prefix": "AWSLogs/"}, "Expiration": {"Days": 30}}), "has rules that logmap did not write: [{"),
    ("a bucket that logs there", both(console_grant, lambda stage: logs_here(stage, "acme-other", "other/")),
     "the bucket acme-other logs to acme-old-logs under `other/`, and the policy of the plan does not let it: write `{ name: acme-other, prefix: \"other/\", logging: external }`"),
    ("a bucket that logs there by its name", both(lambda stage: console_grant(stage, "other/*", ArnLike={"aws:SourceArn": "arn:aws:s3:::acme-oth*"}), lambda stage: logs_here(stage, "acme-other", "other/")),
     "the bucket acme-other logs to acme-old-logs under `other/`"),
    ("a bucket that logs there by the ACL", both(acl, lambda stage: logs_here(stage, "acme-other", "other/")), "the bucket acme-other logs to acme-old-logs under `other/`"),
    ("a source with another prefix", both(console_grant, lambda stage: logs_here(stage, "acme-web", "web/")),
     "the source bucket acme-web logs to acme-old-logs under `web/` today, where the policy of the plan does not let it write"),
]
# with these --force is tried too, and the way back
FORCED = ("a longer retention of others", "a bucket that logs there")
# what may stay or go without a word of the map, and what is said
HARMLESS = [
    ("no lifecycle and no logs", both(versioned), ""),
    ("a shorter retention of ours", lambda stage: put_rules(stage, *our_rules(300, 20)), ""),
    ("a rule that others have added", lambda stage: put_rules(stage, *our_rules(400, 30), {"ID": "org", "Filter": {"Prefix": "elb/"}, "Expiration": {"Days": 9}}),
     "kept: the lifecycle rule `org` of acme-old-logs"),
    ("the console's grant, by which nobody logs", console_grant, ""),
    ("the console's grant for a source", lambda stage: console_grant(stage, "s3-access/*", ArnLike={"aws:SourceArn": "arn:aws:s3:::acme-web"}), ""),
    ("the denial of requests without TLS", insecure_denied, ""),
    ("a bucket that logs there in vain", lambda stage: logs_here(stage, "acme-other", "other/"), ""),
    ("a replication", replicated, "kept: the replication to arn:aws:s3:::acme-copy of acme-old-logs"),
    ("notifications", notifies, f"kept: the notifications to EventBridge, arn:aws:sns:{REGION}:{ACCOUNT}:acme-new-logs of acme-old-logs"),
    ("a source with its prefix", both(console_grant, lambda stage: logs_here(stage, "acme-data", "data/")), ""),
]


def standing(attack, preflight, one_in=1):
    """Adopting a bucket loses no log: what keeps logs longer, and whoever logs there, stands in the way until the map says it. One
    in `one_in` of the worlds is tried."""
    checked = Attack(attack.stage, attack.account, preflight)
    for what, attack.scene, text in some(STANDING, one_in):
        attack.set_scene()
        refused(attack, (), attack.run(), text, what)
        checked.home, checked.before = attack.home, attack.before
        refused(checked, (), checked.run(), text, f"preflight, {what}")
        if what not in FORCED:
            continue
        attack.run_well("--force")
        if "acme-other" in text:  # the word was given, and what it has cost is not forgotten
            done = attack.run("--verify")
            expect(done.returncode == 1 and "differs: the bucket acme-other logs to acme-old-logs" in done.stdout, f"{what}: --verify forgets who lost its grant\n{tail(done.stdout)}")
        attack.run_well("--rollback")
        back(attack, f"{what}: --rollback after --force does not end at the world before")
    for what, attack.scene, text in some(HARMLESS, one_in):
        attack.set_scene()
        rules = kept_rules(attack.before)
        done = attack.run_well()
        expect(text in done.stdout, f"{what}: it does not say `{text}`\n{tail(done.stdout)}")
        expect(set(rules) <= set(kept_rules(attack.stage.snapshot())), f"{what}: a rule of others was removed")
        expect(not any(map(is_write, attack.run_well().calls)), f"{what}: the second run writes")
        attack.run_well("--rollback")
        back(attack, f"{what}: --rollback does not end at the world before")


def kept_rules(world):
    ours = {rule["ID"] for rule in OURS}
    return sorted(json.dumps(rule, sort_keys=True) for rule in (world["buckets"]["acme-old-logs"]["lifecycle"] or []) if rule["ID"] not in ours)


def back(attack, what):
    now, was = attack.stage.snapshot(), attack.before
    for bucket in (now["buckets"]["acme-old-logs"], was["buckets"]["acme-old-logs"]):
        bucket["versioning"] = bucket["versioning"] or "Suspended"  # there is no way back to never
    same(was, now, what)


# what, how, what the script must say, whether --force goes through
CASES = [
    ("foreign statement", foreign_policy, "ForeignStatement", True),
    ("foreign statement with a name like ours", lambda stage: foreign_policy(stage, sid="LogmapForeign"), "LogmapForeign", True),
    ("SSE-KMS", kms, "aws:kms", True),
    ("Requester Pays", payer, "Requester Pays", True),
    ("ACL grants", acl, "the ACL of acme-old-logs gives", True),
    ("source logs elsewhere", logs_elsewhere, "acme-web logs to acme-elsewhere", True),
    ("trail delivers elsewhere", delivers_elsewhere, "audit delivers to acme-elsewhere", True),
    ("a trail of others", delivers_elsewhere, '"EventSelectors": "of its own"', True),
    ("everything at once", old_world, "refused, see the 9 reasons above", True),
    ("Object Lock", remade("acme-old-logs", ObjectLockEnabledForBucket=True), "acme-old-logs has Object Lock", False),
    ("MFA delete", mfa_delete, "acme-old-logs has MFA delete, under which S3 takes no lifecycle rules: write `lifecycle: external`", False),
    ("log bucket in another Region", remade("acme-old-logs", region="us-east-1"), "acme-old-logs is in us-east-1", False),
    ("log bucket of another account", remade("acme-old-logs", account=OTHER), "acme-old-logs is taken by another account", False),
    ("adopted bucket is missing", remade("acme-old-logs"), "acme-old-logs is to be adopted", False),
    ("source is missing", remade("acme-web"), "acme-web does not exist", False),
    ("source in another Region", remade("acme-web", region="us-east-1"), "acme-web is in us-east-1", False),
    ("source of another account", remade("acme-web", account=OTHER), "acme-web belongs to another account", False),
]


def refused(attack, flags, done, text, what, code=1):
    expect(done.returncode == code, f"{what}: {' '.join(flags) or 'apply'} exits {done.returncode}\n{tail(done.stdout)}")
    expect(text in done.stdout, f"{what}: it does not say `{text}`\n{tail(done.stdout)}")
    expect(not any(map(is_write, done.calls)), f"{what}: it writes {[call for call in done.calls if is_write(call)][:2]}")
    same(attack.before, attack.stage.snapshot(), f"{what}: something was changed")
    expect(attack.untouched(), f"{what}: there is a backup although nothing was changed")


def refusals(attack, preflight, one_in):
    for what, breaks, text, forcible in some(CASES, one_in):
        attack.scene = breaks
        attack.set_scene()
        for flags in ((), ("--dry-run",)) if forcible else ((), ("--force",)):
            refused(attack, flags, attack.run(*flags), text, what)
        if what not in ("trail delivers elsewhere", "a trail of others", "everything at once"):  # of trails it says what to look at
            check_preflight = Attack(attack.stage, attack.account, preflight)
            check_preflight.home, check_preflight.before = attack.home, attack.before
            refused(check_preflight, (), check_preflight.run(), text, f"preflight, {what}")
        if forcible:
            attack.run_well("--force")
            attack.run_well("--verify")
            attack.sound(f"{what}, forced")
            copies = "".join(path.read_text() for path in attack.home.glob("backup/*/*.forced-1/*"))
            expect(re.search("Foreign|aws:kms|Requester|LogDelivery|acme-elsewhere", copies), f"{what}: --force keeps no copy of what it replaces")
            attack.run_well("--rollback")
            back(attack, f"{what}: --rollback after --force does not end at the world before")


def tools(attack):
    """No python3, no aws, or an aws that is too old: nothing is asked of AWS."""
    attack.scene = None
    attack.set_scene()
    bin_folder = attack.home / "bin"
    bin_folder.mkdir()
    for name in ("bash", "mktemp", "rm", "mkdir", "cat", "sed", "head", "basename", "dirname"):
        (bin_folder / name).symlink_to(shutil.which(name))
    refused(attack, (), attack.run(PATH=str(bin_folder)), "the AWS CLI (aws) is not on PATH", "no aws", 5)
    (bin_folder / "aws").write_text("#!/bin/sh\necho '{\"Bucket\": \"\"}'\n")
    (bin_folder / "aws").chmod(0o755)
    refused(attack, (), attack.run(PATH=str(bin_folder)), "python3 is not on PATH", "no python3", 5)
    (bin_folder / "python3").symlink_to(sys.executable)  # not what is on PATH: that may be a script that needs more tools
    refused(attack, (), attack.run(PATH=str(bin_folder)), "does not know partitioned log keys", "an old aws", 5)
    for flags, code in ((("--help",), 0), (("--wrong",), 2), (("--verify", "--rollback"), 2), (("--verify", "--force"), 2), (("extra",), 2)):
        done = attack.run(*flags)
        expect(done.returncode == code and "usage:" in done.stdout and not done.calls, f"{flags}: exits {done.returncode}\n{done.stdout}")


def library(attack):
    """The library is found from wherever a script is called; without it, or with a part of it or another one, nothing is asked of AWS."""
    attack.scene = None
    attack.set_scene()
    home, script = attack.home, attack.script
    folder = home / "a copy's $(touch PWNED) folder"  # the folder aws-cli/ is all that has to be copied
    shutil.copytree(attack.stage.tree / "aws-cli", folder)
    copy = folder / script.parent.name / script.name
    (home / "links").mkdir()
    (home / "link.sh").symlink_to(copy)
    (home / "links" / "again.sh").symlink_to("../link.sh")
    (home / "to-folder").symlink_to(copy.parent)
    for called in (copy, copy.relative_to(home), home / "link.sh", "links/again.sh", "to-folder/" + script.name):
        attack.script = called
        done = attack.run("--dry-run", CDPATH=f".:{folder}", LIBRARY="x", LIBRARY_INTERFACE="1")
        expect(done.returncode == 0 and "changes would be made" in done.stdout, f"{called}: exits {done.returncode}\n{done.stdout}")
    expect(not (home / "PWNED").exists(), "the name of a folder was run")
    attack.script, lib = copy, folder / "lib"
    text = (lib / "logmap.sh").read_text()
    for what, change, says in (
            ("half a library", lambda: (lib / "logmap.sh").write_text(text[:text.rindex("\nLIBRARY_INTERFACE=")]), "its interface is unknown, and "),
            ("another library", lambda: (lib / "logmap.sh").write_text(re.sub(r"^LIBRARY_INTERFACE=.*", "LIBRARY_INTERFACE=99", text, flags=re.M)), "its interface is 99, and "),
            ("no helper", lambda: (lib / "helper.py").unlink(), "helper.py is not there: copy the folder aws-cli/ as a whole"),
            ("no library", lambda: shutil.rmtree(lib), "logmap.sh is not there: copy the folder aws-cli/ as a whole")):
        change()
        for flags in ((), ("--force",), ("--rollback",), ("--help",)):
            done = attack.run(*flags, LIBRARY_INTERFACE="1")
            lines = done.stdout.splitlines()
            expect(done.returncode == 5 and not done.calls and len(lines) == 1 and says in lines[0] and "Nothing was changed" in lines[0],
                   f"{what} {flags}: exits {done.returncode}\n{done.stdout}")
        if lib.exists():
            (lib / "logmap.sh").write_text(text)
    same(attack.before, attack.stage.snapshot(), "without its library a script changes something")
    attack.script = script


def credentials(attack):
    """The environment before the profile; the role only from another account, and the account is checked after it."""
    attack.scene = None
    attack.set_scene()
    role = lambda done: any(call[:2] == ["sts", "assume-role"] for call in done.calls)
    expect(role(attack.run_well("--dry-run")), "the role is not assumed from another account")
    expect(not role(attack.run_well("--dry-run", AWS_ACCESS_KEY_ID=KEY + ACCOUNT)), "the role is assumed although the caller is in the account")
    text = attack.script.read_text()
    attack.script.write_text(re.sub(r"^ROLE=.*", f"ROLE='arn:aws:iam::{OTHER}:role/deployer'", text, flags=re.M))
    refused(attack, (), attack.run(), f"these credentials are of account {OTHER}", "the role is another account's", 4)
    attack.script.write_text(re.sub(r"^ROLE=.*", "ROLE=''", text, flags=re.M))
    refused(attack, (), attack.run(), f"these credentials are of account {CALLER}", "wrong account", 4)
    attack.script.write_text(re.sub(r"^PROFILE=.*", "PROFILE='acme-prod'", re.sub(r"^ROLE=.*", "ROLE=''", text, flags=re.M), flags=re.M))
    attack.stage.config.write_text(f"[profile acme-prod]\naws_access_key_id = {KEY}{ACCOUNT}\naws_secret_access_key = x\n")
    refused(attack, (), attack.run(), f"these credentials are of account {CALLER}", "the profile wins over the environment", 4)
    refused(attack, (), attack.run(), "profile acme-prod was not used, because AWS_ACCESS_KEY_ID is set", "why the profile was not used", 4)
    attack.run_well("--dry-run", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    attack.script.write_text(re.sub(r"^ROLE=.*", "ROLE=''", text, flags=re.M))
    nobody = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    refused(attack, ("--verify",), attack.run("--verify", **nobody), "redentials", "no credentials", 4)
    refused(attack, ("--verify",), attack.run("--verify", AWS_ENDPOINT_URL="http://127.0.0.1:9"), "Could not connect", "no network", 3)
    attack.script.write_text(text)


def dry_run(attack):
    """What --dry-run says is what is then done, line by line."""
    for attack.scene, flags in ((None, ()), (old_world, ("--force",))):
        attack.set_scene()
        said = attack.run_well("--dry-run", *flags)
        expect(not any(map(is_write, said.calls)), "--dry-run writes")
        did = attack.run_well(*flags)
        kept = any("--transition-default-minimum-object-size" in call for call in did.calls)
        expect(kept == (attack.scene is old_world), "a lifecycle that was there keeps the size below which objects stay, and only that one")
        lines = [[line.removeprefix("would: ") for line in done.stdout.splitlines() if line.removeprefix("would: ")[:2] in ("+ ", "~ ")] for done in (said, did)]
        expect(lines[0] == lines[1] and len(lines[0]) > 4, f"--dry-run says {lines[0]}\nand then is done {lines[1]}")


def turns(attack):
    """One run at a time changes something; one that was killed leaves nothing in the way."""
    attack.scene = None
    attack.set_scene()
    running = attack.backup / ACCOUNT / f"{REGION}.running"
    running.mkdir(parents=True)
    other = attack.home / "other.sh"
    other.write_text("read -r line\n")
    process = subprocess.Popen(["bash", other], stdin=subprocess.PIPE)
    for left, what in ((f"{process.pid}\n", f"(process {process.pid}) is at work"), ("", "has just begun"), ("x y\n", "has just begun")):
        (running / "process").write_text(left)
        done = attack.run()
        expect(done.returncode == 1 and what in done.stdout and not any(map(is_write, done.calls)), f"two at once: exits {done.returncode}\n{tail(done.stdout)}")
        same(attack.before, attack.stage.snapshot(), "two at once: something was changed")
        expect(running.is_dir(), "the other's turn was taken away")
        attack.run_well("--dry-run")
    process.communicate(b"\n")
    (running / "process").write_text(f"{process.pid}\n")
    attack.run_well()
    expect(not running.exists(), "the turn is kept")
    (running.mkdir(), (running / "process").write_text("1\n"))  # a number that somebody else has now
    attack.run_well("--rollback")
    same(attack.before, attack.stage.snapshot(), "--rollback does not end at the world before")


def forgotten_statement(attack):
    """A statement that a script has set, and that the map does not have any more, is no stranger's."""
    attack.scene = None
    attack.set_scene()
    attack.run_well()
    applied, text = attack.stage.snapshot(), attack.script.read_text()
    more = attack.script.parent / "more.sh"
    statement = {"Sid": "Reader", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-old-logs/*"}
    wider = text.replace('"Statement":[', '"Statement":[' + json.dumps(statement) + ",", 1)
    expect(wider != text, "there is no policy in the script")
    more.write_text(wider)
    own, attack.script = attack.script, more
    attack.run_well()
    attack.script = own
    expect(attack.stage.snapshot() != applied, "the statement was not set")
    attack.run_well()
    same(applied, attack.stage.snapshot(), "the statement is still there")


def windows(attack):
    """As in Git Bash: what Python prints ends with carriage returns, and so does what the AWS CLI prints; and as the AWS CLI 2 tells errors
    where a setting asks for JSON."""
    attack.scene = old_world
    attack.set_scene()
    attack.run_well("--force")
    wanted = attack.stage.snapshot()
    attack.set_scene()
    bin_folder, real = attack.home / "bin", attack.stage.shim.bin
    bin_folder.mkdir()
    # calls run beside each other: each has a file of its own for its error
    (bin_folder / "aws").write_text(f"""#!/bin/bash
'{real}/aws' "$@" 2>"$0.$$.error" | sed 's/$/\r/'
code=${{PIPESTATUS[0]}}
if [ "${{AWS_CLI_ERROR_FORMAT:-enhanced}}" = legacy ]; then sed 's/$/\r/' "$0.$$.error" >&2; else echo '{{"Code": "see the manual"}}' >&2; fi
exit "$code"
""")
    (bin_folder / "crlf.py").write_text("import sys\nsys.stdout.reconfigure(newline='\\r\\n')\ndel sys.argv[0]\n"
                                        "exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'))\n")
    (bin_folder / "python3").write_text(f"""#!/bin/bash
if [ "$5" = -c ]; then exec '{sys.executable}' "$@"; fi
exec '{sys.executable}' "${{@:1:4}}" '{bin_folder}/crlf.py' "${{@:5}}"
""")
    (bin_folder / "cygpath").write_text('#!/bin/sh\necho "$2"\n')
    for program in bin_folder.iterdir():
        program.chmod(0o755)
    path = f"{bin_folder}:{attack.stage.environment(attack.account)['PATH']}"
    attack.run_well("--force", PATH=path, AWS_CLI_ERROR_FORMAT="json")
    same(wanted, attack.stage.snapshot(), "with carriage returns a script ends elsewhere")
    attack.run_well("--verify", PATH=path, AWS_CLI_ERROR_FORMAT="json")
    # what starts Python may end its lines so, whatever the program asks for
    (bin_folder / "python3").write_text(f"#!/bin/bash\nset -o pipefail\n'{sys.executable}' \"$@\" | sed 's/$/\\r/'\n")
    attack.run_well("--verify", PATH=path, AWS_CLI_ERROR_FORMAT="json")
    attack.run_well("--rollback", PATH=path, AWS_CLI_ERROR_FORMAT="json")


# what --verify must see: operation of S3 or CloudTrail, its arguments, and what the line must say
LOGS, TRAIL = {"Bucket": "acme-old-logs"}, {"Name": "audit"}
DRIFT = [
    ("put_bucket_versioning", {**LOGS, "VersioningConfiguration": {"Status": "Suspended"}}, "versioning"),
    ("put_bucket_ownership_controls", {**LOGS, "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}, "ownership"),
    ("put_public_access_block", {**LOGS, "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True}}, "public access block"),
    ("delete_bucket_lifecycle", LOGS, "lifecycle"),
    ("delete_bucket_tagging", LOGS, "tags"),
    ("delete_bucket_policy", LOGS, "bucket policy"),
    ("put_bucket_logging", {"Bucket": "acme-web", "BucketLoggingStatus": {}}, "acme-web: logging"),
    ("put_bucket_logging", {"Bucket": "acme-web", "BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "acme-old-logs", "TargetPrefix": "x/"}}}, "acme-web: logging"),
    ("stop_logging", TRAIL, "audit: start logging"),
    ("update_trail", {**TRAIL, "EnableLogFileValidation": False}, "audit: settings"),
    ("put_event_selectors", {"TrailName": "audit", "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]}, "audit: event selectors"),
    ("delete_trail", TRAIL, "missing: trail audit"),
]


def verify(attack, one_in):
    attack.scene = None
    attack.set_scene()
    attack.run_well()
    applied = attack.stage.snapshot()
    drifts = [(getattr(attack.stage.world.client("s3" if "Bucket" in kwargs else "cloudtrail", ACCOUNT, REGION), operation), kwargs, text)
              for operation, kwargs, text in DRIFT]
    drifts += [(lambda **_: kms(attack.stage), {}, "aws:kms"), (lambda **_: payer(attack.stage), {}, "Requester"), (lambda **_: foreign_policy(attack.stage), {}, "ForeignStatement")]
    for change, kwargs, text in some(drifts, one_in):
        change(**kwargs)
        now = attack.stage.snapshot()
        done = attack.run("--verify")
        said = [line for line in done.stdout.splitlines() if line.startswith(("differs: ", "missing: ")) and text in line]
        expect(done.returncode == 1 and said, f"--verify does not find {kwargs or text}\n{tail(done.stdout)}")
        expect(not any(map(is_write, done.calls)), "--verify writes")
        same(now, attack.stage.snapshot(), "--verify changes something")
        attack.run_well("--force")
        same(applied, attack.stage.snapshot(), f"{text}: the script does not mend it")


def run_all(attack):
    """Order, stop, go on, reverse, and accounts that can't be reached: with stand-ins for the scripts."""
    folder = attack.stage.folder / "all"
    shutil.copytree(attack.stage.tree / "aws-cli", folder)
    text = (folder / "run-all.sh").read_text()
    # account a is reached in vain, and b-a, whose name ends like it, is another one
    codes = {"b/one": 0, "a/two": 4, "b-a/three": 3, "a/four": 0, "c/five": 1}
    scripts = "".join(f"  '{name}.sh'\n" for name in codes)
    (folder / "run-all.sh").write_text(re.sub(r"^scripts=\(\n.*?^\)", f"scripts=(\n{scripts})", text, flags=re.M | re.S))
    for name, code in codes.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.sh").write_text(f'#!/bin/sh\necho "ran {name} $*"\nexit {code}\n')
        (folder / f"{name}.sh").chmod(0o755)
    all_but_four = "b/one a/two b-a/three c/five"
    for flags, code, order in (
            ((), 3, "b/one a/two b-a/three"), (("--verify",), 4, all_but_four), (("--dry-run",), 4, all_but_four), (("--keep-going",), 4, all_but_four),
            (("--keep-going", "--force"), 4, all_but_four), (("--rollback",), 1, "c/five"), (("--rollback", "--keep-going"), 4, "c/five a/four b-a/three a/two b/one")):
        done = subprocess.run(["bash", folder / "run-all.sh", *flags], capture_output=True, text=True)
        ran = re.findall(r"^ran (\S+) (.*)$", done.stdout, re.M)
        expect(done.returncode == code and " ".join(name for name, _ in ran) == order, f"run-all.sh {flags} exits {done.returncode}\n{done.stdout}{done.stderr}")
        expect(all(given == " ".join(flag for flag in flags if flag != "--keep-going") for _, given in ran), "run-all.sh does not pass its flags on")
        if "c/five" in order and code == 4:
            expect("not reached: a (" in done.stderr and "b-a/three.sh" in done.stderr.partition("failed:")[2], f"run-all.sh {flags} does not say what is missing\n{done.stderr}")
    done = subprocess.run(["bash", folder / "run-all.sh", "--help"], capture_output=True, text=True)
    expect(done.returncode == 0 and "--keep-going" in done.stdout and "left out" in done.stdout, done.stdout)


def hostile(stage):
    """No value of the map is run or read as anything else: what is there is what the plan says."""
    attack = Attack(stage, *stage.scripts()[0])
    attack.set_scene()
    attack.run_well()
    now = stage.delivers()
    expect(not list(stage.folder.rglob("PWNED")), "a value of the map was run")
    wanted = {bucket["name"]: bucket["prefix"] for bucket in maps.yaml.safe_load(HOSTILE)["accounts"]["prod"]["regions"][REGION]["buckets"]}
    found = {name: now["buckets"][name]["logging"]["TargetPrefix"] for name in wanted}
    expect(found == wanted, f"the prefixes are {found}")
    region = maps.yaml.safe_load(HOSTILE)["accounts"]["prod"]["regions"][REGION]
    found = {tag["Key"]: tag["Value"] for tag in now["buckets"][f"acme-logs-{ACCOUNT}-{REGION}"]["tags"]}
    expect(found == region["log_bucket"]["tags"], f"the tags are {found}")
    attack.run_well("--verify")
    expect(not any(map(is_write, attack.run_well().calls)), "the second run writes")
    attack.run_well("--rollback")
    same(attack.before, stage.snapshot(), "--rollback does not end at the world before")


def parts(tier):
    """{part: what it does to the script of MAP}, each in a world of its own."""
    return {
        "refusals": lambda attack: refusals(attack, attack.stage.tree / "terraform" / "prod" / "preflight.sh", tier.worlds),
        "standing": lambda attack: standing(attack, attack.stage.tree / "terraform" / "prod" / "preflight.sh", tier.worlds),
        "tools": tools,
        "library": library,
        "credentials": credentials,
        "turns": turns,
        "forgotten-statement": forgotten_statement,
        "windows": windows,
        "dry-run": dry_run,
        "verify": lambda attack: verify(attack, tier.worlds),
        "run-all": run_all,
        "adopted": lambda attack: attacks.rollback(Attack(attack.stage, attack.account, attack.script, scene=old_world, flags=("--force",)), sample=tier.adopted),
        "hostile": lambda attack: hostile(attack.stage),
        **{f"trails-{name}": lambda attack, text=text: trails.check(attack, text, tier.worlds) for name, text in trails.MAPS.items()},
    }


def check(report, make_stage, part, run):
    """`make_stage(text)` generates a map's tree and sets its stage."""
    if report.wants(f"attacks/{part}"):
        with report.check(f"attacks/{part}"):
            stage = make_stage(trails.MAPS.get(part.removeprefix("trails-"), HOSTILE if part == "hostile" else MAP))
            run(Attack(stage, *stage.scripts()[0]))
