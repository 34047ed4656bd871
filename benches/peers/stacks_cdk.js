// aws-cdk-lib: one stack for each account and Region, as its users write it.  `node stacks_cdk.js MAP.json OUT`
// Each has the log bucket and its policy with the exact sources. CDK_VALIDATION=false switches template validation off.
"use strict";
const fs = require("fs");
const { App, Duration, RemovalPolicy, Stack, aws_iam: iam, aws_s3: s3 } = require("aws-cdk-lib");

const [, , map, outdir] = process.argv;
const app = new App({ outdir });
for (const [key, account] of Object.entries(JSON.parse(fs.readFileSync(map, "utf8")).accounts)) {
  for (const [region, place] of Object.entries(account.regions)) {
    const stack = new Stack(app, `${key}-${region}`, { env: { account: account.id, region } });
    const bucket = new s3.Bucket(stack, "LogBucket", {
      bucketName: `acme-logs-${account.id}-${region}`,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{
        id: "access-logs",
        prefix: "s3-access/",
        expiration: Duration.days(400),
        noncurrentVersionExpiration: Duration.days(30),
        abortIncompleteMultipartUploadAfter: Duration.days(7),
      }],
    });
    bucket.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal("logging.s3.amazonaws.com")],
      actions: ["s3:PutObject"],
      resources: [bucket.arnForObjects("s3-access/*")],
      conditions: {
        StringEquals: { "aws:SourceAccount": account.id },
        ArnLike: { "aws:SourceArn": place.buckets.map((name) => `arn:aws:s3:::${name}`) },
      },
    }));
  }
}
app.synth();
