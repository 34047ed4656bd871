"""The Terraform checks on themselves: a hand-written good module plans and delivers, each mutant of it fails."""
import json
import re

from . import maps, terraform
from .report import Failure, Silent, expect
from .tier import some

MAP = """
version: 1
accounts:
  prod:
    id: "111122223333"
    role: logmap-deployer
    regions:
      eu-west-1: { buckets: [acme-web] }
      us-east-1: { log_bucket: { adopt: true, name: acme-old-logs }, buckets: [acme-us] }
trails: {}
"""
MODULE = """terraform {
  required_version = ">= 1.7"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.37, < 7.0"
    }
  }
  backend "s3" {
    bucket = "acme-state"
  }
}

provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
  assume_role {
    role_arn = "arn:aws:iam::111122223333:role/logmap-deployer"
  }
}

resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
  region = "eu-west-1"
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  region = "eu-west-1"
  policy = file("acme-logs.json")
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  region = "eu-west-1"
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = "acme-web"
  region        = "eu-west-1"
  target_bucket = aws_s3_bucket_policy.logs.bucket
  target_prefix = "s3-access/"
  target_object_key_format {
    partitioned_prefix {
      partition_date_source = "EventTime"
    }
  }
}

import {
  to = aws_s3_bucket.old
  id = "acme-old-logs@us-east-1"
}

resource "aws_s3_bucket" "old" {
  bucket = "acme-old-logs"
  region = "us-east-1"
}

resource "aws_s3_bucket_policy" "old" {
  bucket = aws_s3_bucket.old.id
  region = "us-east-1"
  policy = file("acme-old-logs.json")
}

resource "aws_s3_bucket_logging" "us" {
  bucket        = "acme-us"
  region        = "us-east-1"
  target_bucket = aws_s3_bucket_policy.old.bucket
  target_prefix = "s3-access/"
}
"""
MUTANTS = [
    ("not formatted", r"bucket = \"acme-logs\"", 'bucket =   "acme-logs"', "fmt"),
    ("unknown argument", r'  target_prefix = "s3-access/"\n  target', '  target_prefix = "s3-access/"\n  target_path   = "x"\n  target', "target_path"),
    ("value outside the list", "EventTime", "EventDate", "expected partition_date_source to be one of"),
    ("Region is missing", r'bucket        = "acme-us"\n  region        = "us-east-1"', 'bucket        = "acme-us"', "goes to eu-west-1"),
    ("target in another Region", r"aws_s3_bucket_policy.old.bucket", "aws_s3_bucket_policy.logs.bucket", "logs to acme-logs in 111122223333/eu-west-1"),
    ("import of another bucket", "acme-old-logs@us-east-1", "acme-other-logs@us-east-1", "destroy the imported resource"),
    ("import in another Region", "acme-old-logs@us-east-1", "acme-old-logs", "destroy the imported resource"),
    ("no import", r"import \{.*?\}\n", "", "adopted buckets are imported"),
    ("SSE-KMS", "AES256", "aws:kms", "access logs need SSE-S3"),
    ("any account", r'region              = ("eu-west-1")\n  allowed_account_ids = .*?\n', 'region = "eu-west-1"\n', "allows the accounts None"),
    ("no role", r"  assume_role \{.*?  \}\n", "", "does not assume logmap-deployer"),
    ("provider 5 with region", ">= 6.37, < 7.0", "~> 5.90", "region can't be configured"),
]


def policy(bucket):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/s3-access/*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]})


def write_tree(folder, pattern="", replacement=""):
    module, policies = folder / "tree" / "terraform" / "prod", folder / "tree" / "policies"
    module.mkdir(parents=True)
    policies.mkdir()
    text = re.sub(pattern, lambda _: replacement, MODULE, count=1, flags=re.S) if pattern else MODULE
    expect(not pattern or text != MODULE, f"the mutation {pattern} does nothing")
    (module / "main.tf").write_text(text)
    for bucket in ("acme-logs", "acme-old-logs"):
        (policies / f"{bucket}.json").write_text(policy(bucket))
        (module / f"{bucket}.json").write_text(policy(bucket))
    (folder / "logmap.yaml").write_text(MAP)
    return folder / "tree"


def check(report, core, new_folder, one_in):
    for name, pattern, replacement, reason in [("good", "", "", None), *some(MUTANTS, one_in)]:
        title = f"selftest/terraform {'mutant: ' if reason else ''}{name}"
        if not report.wants(title):
            continue
        with report.check(title):
            folder = new_folder()
            tree = write_tree(folder, pattern, replacement)
            try:
                terraform.check(Silent(), "", core, maps.read(folder / "logmap.yaml"), tree, folder)
            except Failure as failure:
                expect(reason and reason in re.sub(r"[\s│]+", " ", str(failure)), f"failed, but not because of `{reason}`:\n{failure}")
            else:
                expect(reason is None, f"passed, although it should fail with `{reason}`")
