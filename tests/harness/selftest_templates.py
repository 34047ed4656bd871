"""The template checks on themselves: a hand-written good stack deploys and delivers, each mutant of it fails."""
import json
import re

from . import maps, templates
from .report import Failure, Silent, expect
from .tier import some

MAP = """
version: 1
accounts:
  prod:
    id: "111122223333"
    regions:
      eu-west-1: { buckets: [acme-web, acme-data] }
trails:
  audit: { scope: account, home_region: eu-west-1 }
"""
TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Rules:
  Place:
    Assertions:
      - Assert: !Equals [!Ref "AWS::AccountId", "111122223333"]
        AssertDescription: another account
      - Assert: !Equals [!Ref "AWS::Region", eu-west-1]
        AssertDescription: another Region
Resources:
  Logs:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      BucketName: !Sub acme-logs-${AWS::AccountId}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: { SSEAlgorithm: AES256 }
      LifecycleConfiguration:
        Rules:
          - { Id: all, Status: Enabled, Prefix: "", ExpirationInDays: 400 }
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: Logs
            Effect: Allow
            Principal: { Service: logging.s3.amazonaws.com }
            Action: s3:PutObject
            Resource: !Sub "${Logs.Arn}/s3-access/*"
            Condition: { StringEquals: { "aws:SourceAccount": !Ref "AWS::AccountId" } }
          - Sid: Acl
            Effect: Allow
            Principal: { Service: cloudtrail.amazonaws.com }
            Action: s3:GetBucketAcl
            Resource: !GetAtt Logs.Arn
            Condition: { StringEquals: { "aws:SourceArn": !Sub "arn:aws:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit" } }
          - Sid: Write
            Effect: Allow
            Principal: { Service: cloudtrail.amazonaws.com }
            Action: s3:PutObject
            Resource: !Sub "${Logs.Arn}/AWSLogs/${AWS::AccountId}/*"
            Condition:
              StringEquals:
                s3:x-amz-acl: bucket-owner-full-control
                aws:SourceArn: !Sub "arn:aws:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit"
  Audit:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties:
      TrailName: audit
      S3BucketName: !Ref Logs
      IsLogging: true
      IsMultiRegionTrail: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" }
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import boto3
          import cfnresponse

          def handler(event, context):
              try:
                  properties = event["ResourceProperties"]
                  target = {"TargetBucket": properties["Target"], "TargetPrefix": properties["Prefix"]}
                  for name in properties["Sources"]:
                      status = {} if event["RequestType"] == "Delete" else {"LoggingEnabled": target}
                      boto3.client("s3").put_bucket_logging(Bucket=name, BucketLoggingStatus=status)
                  cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, "sources")
              except Exception as error:
                  cfnresponse.send(event, context, cfnresponse.FAILED, {}, "sources", reason=str(error)[:500])
  Sources:
    Type: Custom::SourceLogging
    DependsOn: Policy
    Properties:
      ServiceToken: !GetAtt Function.Arn
      Sources: [acme-web, acme-data]
      Target: !Ref Logs
      Prefix: s3-access/
"""
MUTANTS = [
    ("no rule for the account", r'      - Assert: !Equals \[!Ref "AWS::AccountId".*?account\n', "", "does not refuse"),
    ("unknown property", "TrailName: audit", "TrailName: audit\n      TrailColour: red", "TrailColour"),
    ("bucket goes with the stack", r"    DeletionPolicy: RetainExceptOnCreate", "    DeletionPolicy: Delete", "without DeletionPolicy"),
    ("trail before its policy", r"    DependsOn: Policy\n    Properties:\n      TrailName", "    Properties:\n      TrailName", "InsufficientS3BucketPolicyException"),
    ("wrong prefix", "Prefix: s3-access/", "Prefix: access/", "refuses its log"),
    ("SSE-KMS", "SSEAlgorithm: AES256", "SSEAlgorithm: aws:kms", "access logs need SSE-S3"),
    ("a source is forgotten", r"Sources: \[acme-web, acme-data\]", "Sources: [acme-web]", "acme-data: the source does not log"),
    ("the Lambda says no", r'Bucket=name, Bucket', 'Bucket="no-such-bucket", Bucket', "NoSuchBucket"),
    ("the Lambda does not answer", r"cfnresponse.send\(event, context, cfnresponse.SUCCESS", "print(event, context, cfnresponse.SUCCESS", "0 answers"),
    ("logging stays after deletion", r"\{\} if event.*?else ", "", "still logging"),
    ("an update replaces", r'\{\}, "sources"\)', '{}, "sources-" + event["RequestType"])', "replaces the resource"),
]


def write_tree(folder, pattern="", replacement=""):
    path = folder / "tree" / "cloudformation" / "prod" / "eu-west-1.yaml"
    path.parent.mkdir(parents=True)
    text = re.sub(pattern, lambda _: replacement, TEMPLATE, count=1, flags=re.S) if pattern else TEMPLATE
    expect(not pattern or text != TEMPLATE, f"the mutation {pattern} does nothing")
    path.write_text(text)
    (folder / "tree" / "logmap.lock.json").write_text(json.dumps({"apply_order": ["prod"]}))
    (folder / "logmap.yaml").write_text(MAP)
    return folder / "tree"


def check(report, stage_of, new_folder, one_in):
    for name, pattern, replacement, reason in [("good", "", "", None), *some(MUTANTS, one_in)]:
        title = f"selftest/template {'mutant: ' if reason else ''}{name}"
        if not report.wants(title):
            continue
        with report.check(title):
            folder = new_folder()
            tree = write_tree(folder, pattern, replacement)
            try:
                templates.check(Silent(), "", stage_of(maps.read(folder / "logmap.yaml"), tree, folder))
            except Failure as failure:
                expect(reason and reason in str(failure), f"failed, but not because of `{reason}`:\n{failure}")
            else:
                expect(reason is None, f"passed, although it should fail with `{reason}`")
