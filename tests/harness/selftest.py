"""The harness on itself: a hand-written good tree passes, and each mutant of it fails for the right reason.

Without this nobody would know whether a green run means good scripts or a blind harness.
"""
import json
import re

from . import delivery, maps, scripts
from .evaluate import LOGGING, Request, evaluate, lint
from .report import Failure, expect
from .tier import some

ACCOUNT, ORGANIZATION_MAP = "111122223333", """
version: 1
organization: { name: acme }
accounts:
  prod:
    id: "111122223333"
    regions:
      eu-west-1: { buckets: [acme-web, acme-data, { name: acme-legacy, logging: external }] }
trails:
  audit: { scope: account, home_region: eu-west-1 }
"""
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Sid": "TLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::acme-logs", "arn:aws:s3:::acme-logs/*"],
     "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    {"Sid": "Logs", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
     "Resource": "arn:aws:s3:::acme-logs/s3-access/*", "Condition": {
         "StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": ["arn:aws:s3:::acme-web", "arn:aws:s3:::acme-data", "arn:aws:s3:::acme-legacy"]}}},
    {"Sid": "TrailAcl", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl",
     "Resource": "arn:aws:s3:::acme-logs", "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"}}},
    {"Sid": "TrailWrite", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
     "Resource": "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*", "Condition": {"StringEquals": {
         "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"}}}]}
SCRIPT = r'''#!/usr/bin/env bash
set -euo pipefail
export AWS_DEFAULT_REGION=eu-west-1
[ "$(aws sts get-caller-identity --query Account --output text)" = 111122223333 ] || { echo "wrong account" >&2; exit 1; }
case "${1-}" in
  --dry-run) exit 0 ;;
  --verify) aws s3api get-bucket-policy --bucket acme-logs >/dev/null; exit ;;
esac
aws s3api head-bucket --bucket acme-logs >/dev/null 2>&1 ||
  aws s3api create-bucket --bucket acme-logs --create-bucket-configuration LocationConstraint=eu-west-1 >/dev/null
aws s3api put-bucket-encryption --bucket acme-logs \
  --server-side-encryption-configuration '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
aws s3api put-bucket-lifecycle-configuration --bucket acme-logs \
  --lifecycle-configuration '{"Rules":[{"ID":"all","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":400}}]}'
policy='@POLICY@'
found=$(aws s3api get-bucket-policy --bucket acme-logs --query Policy --output text 2>/dev/null) || found=
if [[ $found == *Foreign* ]]; then
  printf '%s\n' "$found" | tee backup.json
  [ "${1-}" = --force ] || exit 1
fi
aws s3api put-bucket-policy --bucket acme-logs --policy "$policy"
for source in acme-web acme-data; do
  aws s3api put-bucket-logging --bucket "$source" --expected-bucket-owner 111122223333 --bucket-logging-status \
    '{"LoggingEnabled":{"TargetBucket":"acme-logs","TargetPrefix":"s3-access/","TargetObjectKeyFormat":{"PartitionedPrefix":{"PartitionDateSource":"EventTime"}}}}'
done
aws cloudtrail get-trail --name audit >/dev/null 2>&1 ||
  aws cloudtrail create-trail --name audit --s3-bucket-name acme-logs --is-multi-region-trail --enable-log-file-validation >/dev/null
aws cloudtrail start-logging --name audit
'''
RUN_ALL = '#!/usr/bin/env bash\nset -euo pipefail\nbash "$(dirname "$0")/prod/eu-west-1.sh" "$@"\n'

# name, what to replace (a regular expression), with what, and what the failure must say
MUTANTS = [
    ("wrong source account", r'"aws:SourceAccount": "111122223333"', '"aws:SourceAccount": "444455556666"', "StringEquals aws:SourceAccount"),
    ("any source account", r'"StringEquals": {"aws:SourceAccount": "111122223333"}, "ArnLike".*?\]}', '"Bool": {"aws:SecureTransport": "true"}', "lets another account's buckets write"),
    ("a source is not granted", r', "arn:aws:s3:::acme-data"', "", "acme-data: acme-logs refuses its log"),
    ("wildcard in StringEquals", r'"ArnLike": {"aws:SourceArn": \[.*?\]}', '"StringLike": {"aws:SourceArn": "arn:aws:s3:::acme-*"}, "ArnEquals": {"aws:SourceArn": "arn:aws:s3:*:*"}', "refuses its log"),
    ("wrong prefix", r"s3-access/\*", "access/*", "is not in"),
    ("inverted TLS deny", r'"aws:SecureTransport": "false"', '"aws:SecureTransport": "true"', "TLS denies it"),
    ("deny of other organizations", r'"Bool": {"aws:SecureTransport": "false"}', '"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}', "TLS denies it"),
    ("duplicate key", r'"StringEquals": {"aws:SourceAccount"', '"StringEquals": {}, "StringEquals": {"aws:SourceAccount"', "duplicate key"),
    ("another bucket's policy", r"arn:aws:s3:::acme-logs/s3-access", "arn:aws:s3:::other-logs/s3-access", "invalid resource"),
    ("no policy", r"aws s3api put-bucket-policy.*?\n", "", "InsufficientS3BucketPolicyException"),
    ("trail of another Region", r"cloudtrail:eu-west-1:", "cloudtrail:us-east-1:", "InsufficientS3BucketPolicyException"),
    ("SSE-KMS", r'"SSEAlgorithm":"AES256"', '"SSEAlgorithm":"aws:kms"', "access logs need SSE-S3"),
    ("target in another Region", r'"TargetBucket":"acme-logs"', '"TargetBucket":"acme-logs-us"', "CrossLocationLoggingProhibitted"),
    ("target in another account", r'"TargetBucket":"acme-logs"', '"TargetBucket":"strangers-logs"', "InvalidTargetBucketForLogging"),
    ("a source is forgotten", "in acme-web acme-data", "in acme-web", "acme-data: the source does not log"),
    ("an external source is set", "in acme-web acme-data", "in acme-web acme-data acme-legacy", "acme-legacy: logging was changed"),
    ("trail does not log", r"aws cloudtrail start-logging.*?\n", "", "is not logging"),
    ("lifecycle expires too early", r'"Expiration":{"Days":400}', '"Transitions":[{"Days":7,"StorageClass":"STANDARD_IA"}],"Expiration":{"Days":400}', "greater than or equal to 30"),
    ("foreign statements are overwritten", r"\|\| exit 1", "|| :", "overwrites a statement"),
    ("no copy with --force", "tee backup.json", "cat", "leaves no copy"),
    ("errors are ignored", "set -euo pipefail", "set -u", "although its change"),
    ("half made is not mended", r"aws s3api head-bucket --bucket acme-logs .*?>/dev/null\n", 'aws s3api head-bucket --bucket acme-logs >/dev/null 2>&1 && exit 0\naws s3api create-bucket --bucket acme-logs --create-bucket-configuration LocationConstraint=eu-west-1 >/dev/null\n', "does not end where it should"),
    ("not idempotent", r"aws s3api head-bucket.*?\n", "", "BucketAlreadyOwnedByYou"),
]

BUCKET = "arn:aws:s3:::b"


def decide(condition, **context):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:Put*", "Resource": BUCKET + "/*", "Condition": condition}
    request = Request(LOGGING, "s3:PutObject", BUCKET + "/k", {f"aws:{key}": value for key, value in context.items()})
    return evaluate({"Statement": [statement]}, request)[0] == "allow"


def operators():
    """AWS's documented answers, those about absent keys above all."""
    arn = "arn:aws:cloudtrail:us-east-1:1:trail/t"
    for wanted, condition, context in [
        (True, {"StringEquals": {"aws:sourceaccount": ["1", "2"]}}, {"SourceAccount": "2"}),
        (False, {"StringEquals": {"aws:SourceAccount": "1*"}}, {"SourceAccount": "12"}),
        (True, {"StringLike": {"aws:SourceAccount": "1*"}}, {"SourceAccount": "12"}),
        (False, {"StringEquals": {"aws:SourceAccount": "1"}}, {}),
        (True, {"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, {}),
        (True, {"StringNotEquals": {"aws:SourceAccount": "1"}}, {}),
        (True, {"StringNotEqualsIfExists": {"aws:SourceAccount": "1"}}, {}),
        (False, {"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, {"SourceAccount": "2"}),
        (True, {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:1:trail/*"}}, {"SourceArn": arn}),
        (True, {"ArnEquals": {"aws:SourceArn": "arn:aws:cloudtrail:*:1:trail/?"}}, {"SourceArn": arn}),
        (False, {"ArnLike": {"aws:SourceArn": "arn:aws:*:trail/t"}}, {"SourceArn": arn}),
        (False, {"ArnNotLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:1:*"}}, {"SourceArn": arn}),
        (True, {"Null": {"aws:SourceArn": "true"}}, {}),
        (False, {"Null": {"aws:SourceArn": True}}, {"SourceArn": arn}),
        (True, {"Bool": {"aws:SecureTransport": True}}, {"SecureTransport": "true"}),
        (False, {"Bool": {"aws:SecureTransport": "false"}}, {}),
        (False, {"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": "true"}}, {"SourceAccount": "1"}),
    ]:
        expect(decide(condition, **context) == wanted, f"{condition} on {context} is not {wanted}")
    big = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": BUCKET}]})
    expect(lint(big, "b", "aws") is None, "a good policy does not lint")
    expect("JSON" in (lint(big + "// comment", "b", "aws") or "").upper(), "a comment in JSON lints")


def write_tree(folder, pattern="", replacement=""):
    tree = folder / "tree"
    (tree / "aws-cli" / "prod").mkdir(parents=True)
    (tree / "policies").mkdir()
    text = SCRIPT.replace("@POLICY@", json.dumps(POLICY))
    mutated = re.sub(pattern, lambda _: replacement, text, flags=re.S) if pattern else text
    expect(not pattern or mutated != text, f"the mutation {pattern} does nothing")
    (tree / "aws-cli" / "prod" / "eu-west-1.sh").write_text(mutated)
    (tree / "aws-cli" / "run-all.sh").write_text(RUN_ALL)
    (tree / "policies" / "acme-logs.json").write_text(json.dumps(POLICY))
    (tree / "logmap.lock.json").write_text('{"apply_order": ["prod"]}')
    (folder / "logmap.yaml").write_text(ORGANIZATION_MAP)
    return tree


def check(report, stage_of, new_folder, one_in):
    """`stage_of(region_map, tree, folder)` makes a Stage; `new_folder()` a fresh temporary folder."""
    if report.wants("selftest/operators"):
        with report.check("selftest/operators"):
            operators()
    folder = new_folder()
    if report.wants("selftest/good"):
        tree = write_tree(folder)
        scripts.check(report, "selftest/good", stage_of(maps.read(folder / "logmap.yaml"), tree, folder))
    for name, pattern, replacement, reason in some(MUTANTS, one_in):
        title = f"selftest/mutant: {name}"
        if report.wants(title):
            with report.check(title):
                folder = new_folder()
                tree = write_tree(folder, pattern, replacement)
                mutant(stage_of(maps.read(folder / "logmap.yaml"), tree, folder), reason)


def mutant(stage, reason):
    try:
        stage.others |= {"acme-logs-us": (ACCOUNT, "us-east-1"), "strangers-logs": (scripts.CALLER, "eu-west-1")}
        stage.set_scene()
        stage.run_all()
        found = delivery.problems(stage.snapshot(), stage.map.sources, stage.map.trails)
        if found:
            raise Failure("\n".join(found))
        applied = stage.delivers()
        stage.run_all()
        scripts.faults(stage, applied, sample=12)
        scripts.foreign(stage, applied)
    except Failure as failure:
        expect(reason in str(failure), f"failed, but not because of `{reason}`:\n{failure}")
    else:
        raise Failure(f"passed, although it should fail with `{reason}`")
