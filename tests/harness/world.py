"""What an AWS account looks like: makes the buckets a case starts from, and reads everything back.

`snapshot` goes through the public API only, and once for each state of the mock.  Its shape is what delivery.py judges:
  {"buckets": {name: {account, region, policy, encryption, logging, ...}}, "trails": {arn: {...}}}
"""
import copy
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .mock import KEY

# one Region of each partition is enough to list that partition's buckets
HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def partition_of(region):
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


class World:
    def __init__(self, mock):
        self.mock, self.url, self.clients = mock, mock.url, {}
        self.seen = {}  # what was read, by what was asked for and the state in which the mock was
        self.config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})

    def client(self, service, account, region):
        key = (service, account, region)
        if key not in self.clients:
            self.clients[key] = boto3.client(service, region, endpoint_url=self.url, config=self.config,
                                             aws_access_key_id=KEY + account, aws_secret_access_key="x")
        return self.clients[key]

    def create_bucket(self, account, region, name):
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.client("s3", account, region).create_bucket(Bucket=name, **where)

    def snapshot(self, accounts, regions):
        """Every bucket and trail of the accounts; trails are looked for in `regions`."""
        return self.once("world", self.read, accounts, regions)

    def once(self, what, read, accounts, regions):
        """What `read` finds, which is read only if the mock has changed since."""
        at = what, tuple(sorted(accounts)), tuple(sorted(regions)), self.mock.gate.state
        if at not in self.seen:
            if len(self.seen) > 200:
                self.seen.clear()
            self.seen[at] = read(accounts, regions)
        return copy.deepcopy(self.seen[at])

    def read(self, accounts, regions):
        found = {"buckets": {}, "trails": {}}
        for account in sorted(accounts):
            for partition in sorted({partition_of(region) for region in regions} | {"aws"}):
                home = self.client("s3", account, HOMES[partition])
                for bucket in home.list_buckets()["Buckets"]:
                    region = home.get_bucket_location(Bucket=bucket["Name"])["LocationConstraint"] or "us-east-1"
                    found["buckets"][bucket["Name"]] = self.read_bucket(account, region, bucket["Name"])
            for region in sorted(regions):
                found["trails"] |= self.read_trails(account, region)
        return found

    def read_bucket(self, account, region, name):
        s3 = self.client("s3", account, region)

        def read(operation, *path):
            try:
                value = getattr(s3, operation)(Bucket=name)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                return None
            value.pop("ResponseMetadata")
            for key in path:
                value = value.get(key) if isinstance(value, dict) else value[key]
            return value
        policy = read("get_bucket_policy", "Policy")
        return {
            "account": account,
            "region": region,
            "policy": json.loads(policy) if policy else None,
            "encryption": read("get_bucket_encryption", "ServerSideEncryptionConfiguration", "Rules", 0,
                               "ApplyServerSideEncryptionByDefault", "SSEAlgorithm"),
            "logging": read("get_bucket_logging", "LoggingEnabled"),
            "lock": read("get_object_lock_configuration", "ObjectLockConfiguration"),
            "ownership": read("get_bucket_ownership_controls", "OwnershipControls", "Rules", 0, "ObjectOwnership"),
            "public_access_block": read("get_public_access_block", "PublicAccessBlockConfiguration"),
            "lifecycle": read("get_bucket_lifecycle_configuration", "Rules"),
            # once a bucket had versioning there is no way back to never, only to suspended: the two are the same here
            "versioning": read("get_bucket_versioning", "Status") or "Suspended",
            "tags": read("get_bucket_tagging", "TagSet"),
            "replication": read("get_bucket_replication", "ReplicationConfiguration"),
            "notifications": read("get_bucket_notification_configuration"),
            "payer": read("get_bucket_request_payment", "Payer"),
            "acl": read("get_bucket_acl", "Grants"),
            "objects": [entry["Key"] for entry in read("list_objects_v2").get("Contents", [])],
        }

    def read_trails(self, account, region):
        cloudtrail, found = self.client("cloudtrail", account, region), {}
        for trail in cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]:
            arn = trail["TrailARN"]
            selectors = cloudtrail.get_event_selectors(TrailName=arn)
            found[arn] = {
                "account": account, "region": region, "name": trail["Name"], "bucket": trail["S3BucketName"],
                "prefix": trail.get("S3KeyPrefix") or "", "validation": trail.get("LogFileValidationEnabled", False),
                "global": trail.get("IncludeGlobalServiceEvents", False),
                "multi_region": trail["IsMultiRegionTrail"], "organization": trail["IsOrganizationTrail"],
                "kms": trail.get("KmsKeyId") or None, "logging": cloudtrail.get_trail_status(Name=arn)["IsLogging"],
                "selectors": selectors.get("EventSelectors") or selectors.get("AdvancedEventSelectors"),
                "log_group": trail.get("CloudWatchLogsLogGroupArn"), "topic": trail.get("SnsTopicARN"), "insights": self.read_insights(cloudtrail, arn) if trail["HasInsightSelectors"] else [], "log_role": trail.get("CloudWatchLogsRoleArn"),
                "tags": cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"],
            }
        return found

    def read_insights(self, cloudtrail, arn):
        return sorted(one["InsightType"] for one in cloudtrail.get_insight_selectors(TrailName=arn)["InsightSelectors"])
