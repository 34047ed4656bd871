"""troposphere: one stack for each account and Region, as its users write it.  `python stacks_troposphere.py MAP.json OUT [sources]`

Each has the log bucket with ownership, public access block, encryption, versioning and lifecycle, and its policy with the
exact sources; with `sources` also the custom resource of each source, as logmap's stacks have.
"""
import json
import sys
from pathlib import Path

from troposphere import Parameter, Ref, Template, s3
from troposphere.cloudformation import AWSCustomObject


class AccessLogging(AWSCustomObject):
    resource_type = "Custom::AccessLogging"
    props = {"ServiceToken": (str, True), "Source": (str, True), "Target": (str, True), "Prefix": (str, True), "KeyFormat": (str, True)}


def stack(account, region, sources, set_sources):
    template, name = Template(), f"acme-logs-{account}-{region}"
    bucket = template.add_resource(s3.Bucket(
        "LogBucket",
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        BucketName=name,
        OwnershipControls=s3.OwnershipControls(Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True),
        BucketEncryption=s3.BucketEncryption(ServerSideEncryptionConfiguration=[s3.ServerSideEncryptionRule(
            ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256"))]),
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=[s3.LifecycleRule(
            Id="access-logs", Status="Enabled", Prefix="s3-access/", ExpirationInDays=400,
            NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=30),
            AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(DaysAfterInitiation=7))]),
    ))
    template.add_resource(s3.BucketPolicy("LogBucketPolicy", Bucket=Ref(bucket), PolicyDocument={
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AccessLogs", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{name}/s3-access/*",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": [f"arn:aws:s3:::{source}" for source in sources]},
                },
            },
            {
                "Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }))
    if set_sources:
        function = template.add_parameter(Parameter("SetAccessLogging", Type="String"))
        for number, source in enumerate(sources):
            template.add_resource(AccessLogging(
                f"Logging{number}", DependsOn="LogBucketPolicy", ServiceToken=Ref(function),
                Source=source, Target=name, Prefix="s3-access/", KeyFormat="partitioned-event-time"))
    return template.to_json()


def main():
    accounts, out = json.loads(Path(sys.argv[1]).read_text())["accounts"], Path(sys.argv[2])
    for key, account in accounts.items():
        (out / key).mkdir(parents=True)
        for region, place in account["regions"].items():
            (out / key / f"{region}.json").write_text(stack(account["id"], region, place["buckets"], sys.argv[3:] == ["sources"]))


main()
