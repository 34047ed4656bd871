// cdktn: one Terraform module (as JSON) for each account, as its users write it.  `node modules_cdktn.js MAP.json OUT`
// Each has, for each Region, the log bucket and its policy with the exact sources, and the logging of each source.
"use strict";
const fs = require("fs");
const { App, TerraformStack } = require("cdktn");
const aws = (name) => require(`@cdktn/provider-aws/lib/${name}`);
const { AwsProvider } = aws("provider");
const { S3Bucket } = aws("s3-bucket");
const { S3BucketOwnershipControls } = aws("s3-bucket-ownership-controls");
const { S3BucketPublicAccessBlock } = aws("s3-bucket-public-access-block");
const { S3BucketServerSideEncryptionConfigurationA } = aws("s3-bucket-server-side-encryption-configuration");
const { S3BucketVersioningA } = aws("s3-bucket-versioning");
const { S3BucketLifecycleConfiguration } = aws("s3-bucket-lifecycle-configuration");
const { S3BucketPolicy } = aws("s3-bucket-policy");
const { S3BucketLoggingA } = aws("s3-bucket-logging");

const [, , map, outdir] = process.argv;
const app = new App({ outdir });
for (const [key, account] of Object.entries(JSON.parse(fs.readFileSync(map, "utf8")).accounts)) {
  const stack = new TerraformStack(app, key);
  new AwsProvider(stack, "aws", { allowedAccountIds: [account.id] });
  for (const [region, place] of Object.entries(account.regions)) {
    const name = `acme-logs-${account.id}-${region}`;
    const { bucket } = new S3Bucket(stack, `bucket-${region}`, { region, bucket: name, lifecycle: { preventDestroy: true } });
    new S3BucketOwnershipControls(stack, `ownership-${region}`, { region, bucket, rule: { objectOwnership: "BucketOwnerEnforced" } });
    new S3BucketPublicAccessBlock(stack, `public-${region}`, {
      region, bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true,
    });
    new S3BucketServerSideEncryptionConfigurationA(stack, `encryption-${region}`, {
      region, bucket, rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    });
    new S3BucketVersioningA(stack, `versioning-${region}`, { region, bucket, versioningConfiguration: { status: "Enabled" } });
    new S3BucketLifecycleConfiguration(stack, `lifecycle-${region}`, {
      region, bucket,
      rule: [{
        id: "access-logs",
        status: "Enabled",
        filter: [{ prefix: "s3-access/" }],
        expiration: [{ days: 400 }],
        noncurrentVersionExpiration: [{ noncurrentDays: 30 }],
        abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
      }],
    });
    const policy = new S3BucketPolicy(stack, `policy-${region}`, {
      region, bucket,
      policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AccessLogs", Effect: "Allow", Principal: { Service: "logging.s3.amazonaws.com" }, Action: "s3:PutObject",
            Resource: `arn:aws:s3:::${name}/s3-access/*`,
            Condition: {
              StringEquals: { "aws:SourceAccount": account.id },
              ArnLike: { "aws:SourceArn": place.buckets.map((source) => `arn:aws:s3:::${source}`) },
            },
          },
          {
            Sid: "DenyInsecureTransport", Effect: "Deny", Principal: "*", Action: "s3:*",
            Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`], Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      }),
    });
    for (const source of place.buckets) {
      new S3BucketLoggingA(stack, `logging-${region}-${source}`, {
        region, bucket: source, targetBucket: policy.bucket, targetPrefix: "s3-access/",
        targetObjectKeyFormat: { partitionedPrefix: { partitionDateSource: "EventTime" } },
      });
    }
  }
}
app.synth();
