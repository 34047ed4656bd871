//! Scanners' demands that do not fit what is generated, and why: the one table of Checkov's, Trivy's, cfn-nag's and cfn-guard's
//! checks that generated code suppresses.
//!
//! A demand is here only where AWS forbids what it asks for, where it does not fit a log bucket, or where the region map has decided
//! otherwise. Takes a resource type and what is so about that resource; gives the ids with their reasons, for the templates of HCL
//! and as the `Metadata` of CloudFormation. The ids are those of Checkov 3.3, trivy-checks of August 2026 (the form with `AVD-` is
//! an alias there, and the id of releases before), cfn-nag 0.8 and the AWS Guard rules registry 1.0.

use crate::plan::{LogBucket, Placement, Trail};
use serde::Serialize;
use serde_json::{Map, Value, json};
use {Only::*, Scanner::*};

/// A scanner of infrastructure code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanner {
    /// Checkov, for HCL and CloudFormation.
    Checkov,
    /// Trivy, for HCL and CloudFormation.
    Trivy,
    /// cfn-nag, for CloudFormation.
    CfnNag,
    /// cfn-guard with the rules of the AWS Guard rules registry, for CloudFormation.
    CfnGuard,
}

/// What must be so about a resource for a suppression to be there: none is unless it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    /// Every resource of the type.
    Always,
    /// A log bucket that takes access logs.
    AccessLogs,
    /// A log bucket that takes trails only.
    TrailsAlone,
    /// A log bucket that does not log itself.
    Silent,
    /// The same, and it takes trails.
    SilentTrails,
    /// The trails' own bucket, which logs to the one that takes access logs.
    Logs,
    /// A log bucket whose versioning the map turns off.
    Unversioned,
    /// A bucket of trails without Object Lock.
    Unlocked,
    /// A log bucket whose policy denies requests without TLS.
    Tls,
    /// A log bucket for which the map turns that deny off.
    NoTls,
    /// A trail without a KMS key.
    NoKey,
    /// A trail of one Region.
    OneRegion,
    /// A trail without digest files.
    Unvalidated,
    /// A trail without a log group.
    NoGroup,
    /// A trail without a topic.
    NoTopic,
}

/// A suppression: the id of a check, and why it does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Skip {
    /// Id of the check.
    pub id: &'static str,
    /// Why it does not fit, a sentence without full stop.
    pub reason: &'static str,
}

const NO_LOGGING: &str = "A log bucket does not log: each log object delivered would be logged, and so on";
const NO_KMS: &str = "S3 delivers access logs under SSE-S3 only, not to a bucket with a KMS key";
const TRAILS_KEY: &str = "A trail brings the KMS key that the region map names for it; the bucket needs none";
const STAYS: &str = "Logs stay in the Region and account that they come from";
const NOTHING_WAITS: &str = "Nothing waits for single log objects; a notification for each would only cost";
const UNVERSIONED: &str = "The region map turns versioning off for this bucket";
const NO_LOCK: &str = "S3 delivers no access logs to a bucket with Object Lock";
const UNLOCKED: &str = "The region map asks for no Object Lock on this bucket of trails";
const NO_ACLS: &str = "ACLs are off (BucketOwnerEnforced), so there is no AccessControl that could be public";
const TLS: &str = "The policy denies requests without TLS; the rule knows that value as a boolean only, IAM writes a string";
const NO_TLS: &str = "The region map turns the deny of requests without TLS off";
const ABORTS: &str = "Each rule aborts uploads under its own prefix, and nothing writes under another";
const NO_LOG_GROUP: &str = "The trail is kept in S3; a second copy in a log group is not this map's business";
const NO_KEY: &str = "The region map names no KMS key for this trail";
const ONE_REGION: &str = "Each mapped Region has a trail of its own";
const UNVALIDATED: &str = "The region map turns the validation of log files off for this trail";
const DATA_EVENTS: &str = "The region map says which trail records data events, and log buckets must be left out of them";
const ONLY_ERRORS: &str = "It holds the function's own messages for 30 days, and no data of any bucket";
const RARELY: &str = "It runs only while a stack changes, and a reserve is refused where an account has no concurrency to spare";
const ANSWERS: &str = "It answers CloudFormation whatever happens, and CloudFormation reports what failed";
const PUBLIC_API: &str = "It calls S3's public API and nothing in a VPC";
const NO_TRACE: &str = "It makes two calls and says what failed; a trace would add nothing";
const OWN_LOG_GROUP: &str = "This template makes its log group, so it needs no right to make one";
const OWN_ROLE: &str = "The role has one purpose, and what it may do belongs to it alone";
const NO_SECRET: &str = "The name of a bucket is no secret, and CloudFormation resolves plain strings only";
const NO_TOPIC_KEY: &str = "EventBridge can't publish to a topic under the key of SNS itself, and the region map names no other";
const BEFORE_IMPORT: &str = "It only takes the bucket into the stack as it is; the deploy that follows sets this";
const WITH_SOURCES: &str = "Its logging is set below with that of the sources, by a for_each that the scanner does not follow";

const RESULTS_GO: &str = "It holds results of queries for some days; every query can be asked again";
const RESULTS_LOGGED: &str =
    "It holds results of queries, and CloudTrail records who asks; its own requests are no log that anybody keeps";

/// Resource type, when, scanner, id of the check, reason.
type Row = (&'static str, Only, Scanner, &'static str, &'static str);

const TABLE: &[Row] = &[
    ("aws_s3_bucket", Silent, Checkov, "CKV_AWS_18", NO_LOGGING),
    ("aws_s3_bucket", Logs, Checkov, "CKV_AWS_18", WITH_SOURCES),
    ("aws_s3_bucket", Silent, Trivy, "AVD-AWS-0089", NO_LOGGING),
    ("aws_s3_bucket", SilentTrails, Trivy, "AVD-AWS-0163", NO_LOGGING),
    ("aws_s3_bucket", AccessLogs, Checkov, "CKV_AWS_145", NO_KMS),
    ("aws_s3_bucket", TrailsAlone, Checkov, "CKV_AWS_145", TRAILS_KEY),
    ("aws_s3_bucket", AccessLogs, Trivy, "AVD-AWS-0132", NO_KMS),
    ("aws_s3_bucket", TrailsAlone, Trivy, "AVD-AWS-0132", TRAILS_KEY),
    ("aws_s3_bucket", Always, Checkov, "CKV_AWS_144", STAYS),
    ("aws_s3_bucket", Always, Checkov, "CKV2_AWS_62", NOTHING_WAITS),
    ("aws_s3_bucket", Unversioned, Checkov, "CKV_AWS_21", UNVERSIONED),
    // Trivy reports these where the setting is made
    ("aws_s3_bucket_server_side_encryption_configuration", AccessLogs, Trivy, "AVD-AWS-0132", NO_KMS),
    ("aws_s3_bucket_server_side_encryption_configuration", TrailsAlone, Trivy, "AVD-AWS-0132", TRAILS_KEY),
    ("aws_s3_bucket_versioning", Unversioned, Trivy, "AVD-AWS-0090", UNVERSIONED),
    ("aws_s3_bucket_lifecycle_configuration", Always, Checkov, "CKV_AWS_300", ABORTS),
    ("aws_cloudtrail", NoGroup, Checkov, "CKV2_AWS_10", NO_LOG_GROUP),
    ("aws_cloudtrail", NoGroup, Trivy, "AVD-AWS-0162", NO_LOG_GROUP),
    ("aws_cloudtrail", NoTopic, Checkov, "CKV_AWS_252", NOTHING_WAITS),
    ("aws_cloudtrail", NoKey, Checkov, "CKV_AWS_35", NO_KEY),
    ("aws_cloudtrail", NoKey, Trivy, "AVD-AWS-0015", NO_KEY),
    ("aws_cloudtrail", OneRegion, Checkov, "CKV_AWS_67", ONE_REGION),
    ("aws_cloudtrail", OneRegion, Trivy, "AVD-AWS-0014", ONE_REGION),
    ("aws_cloudtrail", Unvalidated, Checkov, "CKV_AWS_36", UNVALIDATED),
    ("aws_cloudtrail", Unvalidated, Trivy, "AVD-AWS-0016", UNVALIDATED),
    ("aws_ssm_parameter", Always, Checkov, "CKV2_AWS_34", NO_SECRET),
    ("aws_sns_topic", Always, Checkov, "CKV_AWS_26", NO_TOPIC_KEY),
    ("aws_sns_topic", Always, Trivy, "AVD-AWS-0095", NO_TOPIC_KEY),
    ("AWS::SNS::Topic", Always, Checkov, "CKV_AWS_26", NO_TOPIC_KEY),
    ("AWS::SNS::Topic", Always, Trivy, "AVD-AWS-0095", NO_TOPIC_KEY),
    ("AWS::SNS::Topic", Always, CfnNag, "W47", NO_TOPIC_KEY),
    ("AWS::SNS::Topic", Always, CfnGuard, "SNS_ENCRYPTED_KMS", NO_TOPIC_KEY),
    ("AWS::S3::Bucket", Silent, Checkov, "CKV_AWS_18", NO_LOGGING),
    ("AWS::S3::Bucket", Silent, Trivy, "AVD-AWS-0089", NO_LOGGING),
    ("AWS::S3::Bucket", SilentTrails, Trivy, "AVD-AWS-0163", NO_LOGGING),
    ("AWS::S3::Bucket", Silent, CfnNag, "W35", NO_LOGGING),
    ("AWS::S3::Bucket", Silent, CfnGuard, "S3_BUCKET_LOGGING_ENABLED", NO_LOGGING),
    ("AWS::S3::Bucket", AccessLogs, Trivy, "AVD-AWS-0132", NO_KMS),
    ("AWS::S3::Bucket", TrailsAlone, Trivy, "AVD-AWS-0132", TRAILS_KEY),
    ("AWS::S3::Bucket", Always, CfnGuard, "S3_BUCKET_REPLICATION_ENABLED", STAYS),
    ("AWS::S3::Bucket", AccessLogs, CfnGuard, "S3_BUCKET_DEFAULT_LOCK_ENABLED", NO_LOCK),
    ("AWS::S3::Bucket", Unlocked, CfnGuard, "S3_BUCKET_DEFAULT_LOCK_ENABLED", UNLOCKED),
    ("AWS::S3::Bucket", Unversioned, Checkov, "CKV_AWS_21", UNVERSIONED),
    ("AWS::S3::Bucket", Unversioned, Trivy, "AVD-AWS-0090", UNVERSIONED),
    ("AWS::S3::Bucket", Unversioned, CfnGuard, "S3_BUCKET_VERSIONING_ENABLED", UNVERSIONED),
    ("AWS::S3::Bucket", Always, CfnGuard, "S3_BUCKET_NO_PUBLIC_RW_ACL", NO_ACLS),
    ("AWS::S3::BucketPolicy", Tls, CfnGuard, "S3_BUCKET_SSL_REQUESTS_ONLY", TLS),
    ("AWS::S3::BucketPolicy", NoTls, CfnGuard, "S3_BUCKET_SSL_REQUESTS_ONLY", NO_TLS),
    ("AWS::CloudTrail::Trail", NoGroup, Trivy, "AVD-AWS-0162", NO_LOG_GROUP),
    ("AWS::CloudTrail::Trail", NoGroup, CfnGuard, "CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED", NO_LOG_GROUP),
    ("AWS::CloudTrail::Trail", Always, CfnGuard, "CLOUDTRAIL_S3_DATAEVENTS_ENABLED", DATA_EVENTS),
    ("AWS::CloudTrail::Trail", NoKey, Checkov, "CKV_AWS_35", NO_KEY),
    ("AWS::CloudTrail::Trail", NoKey, Trivy, "AVD-AWS-0015", NO_KEY),
    ("AWS::CloudTrail::Trail", NoKey, CfnGuard, "CLOUD_TRAIL_ENCRYPTION_ENABLED", NO_KEY),
    ("AWS::CloudTrail::Trail", OneRegion, Checkov, "CKV_AWS_67", ONE_REGION),
    ("AWS::CloudTrail::Trail", OneRegion, Trivy, "AVD-AWS-0014", ONE_REGION),
    ("AWS::CloudTrail::Trail", OneRegion, CfnGuard, "MULTI_REGION_CLOUD_TRAIL_ENABLED", ONE_REGION),
    ("AWS::CloudTrail::Trail", Unvalidated, Checkov, "CKV_AWS_36", UNVALIDATED),
    ("AWS::CloudTrail::Trail", Unvalidated, Trivy, "AVD-AWS-0016", UNVALIDATED),
    ("AWS::CloudTrail::Trail", Unvalidated, CfnGuard, "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", UNVALIDATED),
    ("AWS::Logs::LogGroup", Always, Checkov, "CKV_AWS_158", ONLY_ERRORS),
    ("AWS::Logs::LogGroup", Always, Trivy, "AVD-AWS-0017", ONLY_ERRORS),
    ("AWS::Logs::LogGroup", Always, CfnNag, "W84", ONLY_ERRORS),
    ("AWS::Logs::LogGroup", Always, CfnGuard, "CLOUDWATCH_LOG_GROUP_ENCRYPTED", ONLY_ERRORS),
    ("AWS::IAM::Role", Always, CfnGuard, "IAM_NO_INLINE_POLICY_CHECK", OWN_ROLE),
    ("AWS::Lambda::Function", Always, Checkov, "CKV_AWS_115", RARELY),
    ("AWS::Lambda::Function", Always, CfnNag, "W92", RARELY),
    ("AWS::Lambda::Function", Always, CfnGuard, "LAMBDA_CONCURRENCY_CHECK", RARELY),
    ("AWS::Lambda::Function", Always, Checkov, "CKV_AWS_116", ANSWERS),
    ("AWS::Lambda::Function", Always, CfnGuard, "LAMBDA_DLQ_CHECK", ANSWERS),
    ("AWS::Lambda::Function", Always, Checkov, "CKV_AWS_117", PUBLIC_API),
    ("AWS::Lambda::Function", Always, CfnNag, "W89", PUBLIC_API),
    ("AWS::Lambda::Function", Always, CfnGuard, "LAMBDA_INSIDE_VPC", PUBLIC_API),
    ("AWS::Lambda::Function", Always, Trivy, "AVD-AWS-0066", NO_TRACE),
    ("AWS::Lambda::Function", Always, CfnNag, "W58", OWN_LOG_GROUP),
    (RESULTS_OF_TERRAFORM, Always, Checkov, "CKV_AWS_18", RESULTS_LOGGED),
    (RESULTS_OF_TERRAFORM, Always, Checkov, "CKV_AWS_21", RESULTS_GO),
    (RESULTS_OF_TERRAFORM, Always, Checkov, "CKV_AWS_144", RESULTS_GO),
    (RESULTS_OF_TERRAFORM, Always, Checkov, "CKV_AWS_145", RESULTS_GO),
    (RESULTS_OF_TERRAFORM, Always, Checkov, "CKV2_AWS_62", NOTHING_WAITS),
    (RESULTS_OF_TERRAFORM, Always, Trivy, "AVD-AWS-0089", RESULTS_LOGGED),
    (RESULTS_OF_TERRAFORM, Always, Trivy, "AVD-AWS-0090", RESULTS_GO),
    (RESULTS_OF_TERRAFORM, Always, Trivy, "AVD-AWS-0132", RESULTS_GO),
    (RESULTS, Always, Trivy, "AVD-AWS-0132", RESULTS_GO),
    (RESULTS_OF_STACKS, Always, Checkov, "CKV_AWS_18", RESULTS_LOGGED),
    (RESULTS_OF_STACKS, Always, Checkov, "CKV_AWS_21", RESULTS_GO),
    (RESULTS_OF_STACKS, Always, CfnNag, "W35", RESULTS_LOGGED),
    (RESULTS_OF_STACKS, Always, CfnGuard, "S3_BUCKET_LOGGING_ENABLED", RESULTS_LOGGED),
    (RESULTS_OF_STACKS, Always, CfnGuard, "S3_BUCKET_REPLICATION_ENABLED", RESULTS_GO),
    (RESULTS_OF_STACKS, Always, CfnGuard, "S3_BUCKET_DEFAULT_LOCK_ENABLED", RESULTS_GO),
    (RESULTS_OF_STACKS, Always, CfnGuard, "S3_BUCKET_VERSIONING_ENABLED", RESULTS_GO),
    (RESULTS_OF_STACKS, Always, CfnGuard, "S3_DEFAULT_ENCRYPTION_KMS", RESULTS_GO),
    (RESULTS_OF_STACKS, Always, CfnGuard, "S3_BUCKET_NO_PUBLIC_RW_ACL", NO_ACLS),
    (RESULTS_POLICY, Always, CfnGuard, "S3_BUCKET_SSL_REQUESTS_ONLY", TLS),
    (IMPORTED_BUCKET, Silent, Checkov, "CKV_AWS_18", NO_LOGGING),
    (IMPORTED_BUCKET, Logs, Checkov, "CKV_AWS_18", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Silent, CfnNag, "W35", NO_LOGGING),
    (IMPORTED_BUCKET, Logs, CfnNag, "W35", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Silent, CfnGuard, "S3_BUCKET_LOGGING_ENABLED", NO_LOGGING),
    (IMPORTED_BUCKET, Logs, CfnGuard, "S3_BUCKET_LOGGING_ENABLED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_REPLICATION_ENABLED", STAYS),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_NO_PUBLIC_RW_ACL", NO_ACLS),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_DEFAULT_LOCK_ENABLED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_DEFAULT_ENCRYPTION_KMS", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_VERSIONING_ENABLED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_PUBLIC_READ_PROHIBITED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_PUBLIC_WRITE_PROHIBITED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnGuard, "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, CfnNag, "W41", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, Checkov, "CKV_AWS_21", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, Checkov, "CKV_AWS_53", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, Checkov, "CKV_AWS_54", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, Checkov, "CKV_AWS_55", BEFORE_IMPORT),
    (IMPORTED_BUCKET, Always, Checkov, "CKV_AWS_56", BEFORE_IMPORT),
];

/// The bucket in the template of a resource import, which has nothing but its name.
pub(crate) const IMPORTED_BUCKET: &str = "AWS::S3::Bucket, imported";

/// The bucket for results of queries in Terraform.
pub(crate) const RESULTS_OF_TERRAFORM: &str = "aws_s3_bucket, results";
/// Its encryption.
pub(crate) const RESULTS: &str = "aws_s3_bucket_server_side_encryption_configuration, results";
/// The same bucket in a stack.
pub(crate) const RESULTS_OF_STACKS: &str = "AWS::S3::Bucket, results";
/// Its policy there.
pub(crate) const RESULTS_POLICY: &str = "AWS::S3::BucketPolicy, results";

/// What is so about a log bucket.
pub(crate) fn of_bucket(bucket: &LogBucket, placement: &Placement) -> Vec<Only> {
    let logs = placement.logging_of(bucket).is_some_and(|source| source.managed);
    let only = [
        (bucket.takes_access_logs, AccessLogs),
        (!bucket.takes_access_logs, TrailsAlone),
        (!logs, Silent),
        (!logs && (bucket.takes_trails || bucket.takes_copies), SilentTrails),
        (logs, Logs),
        (!bucket.versioning, Unversioned),
        (bucket.basis.deny_insecure_transport, Tls),
        (!bucket.basis.deny_insecure_transport, NoTls),
        (!bucket.takes_access_logs && bucket.object_lock.is_none(), Unlocked),
    ];
    holding(&only)
}

/// What is so about a trail.
pub(crate) fn of_trail(trail: &Trail) -> Vec<Only> {
    let only = [
        (trail.kms_key_arn.is_none(), NoKey),
        (!trail.multi_region, OneRegion),
        (!trail.log_file_validation, Unvalidated),
        (trail.log_group.is_none(), NoGroup),
        (trail.topic.is_none(), NoTopic),
    ];
    holding(&only)
}

fn holding(all: &[(bool, Only)]) -> Vec<Only> {
    all.iter().filter(|(holds, _)| *holds).map(|(_, only)| *only).collect()
}

/// One scanner's suppressions on a resource.
pub(crate) fn skips(scanner: Scanner, resource: &str, so: &[Only]) -> Vec<Skip> {
    TABLE
        .iter()
        .filter(|(kind, only, by, _, _)| *kind == resource && *by == scanner && (*only == Always || so.contains(only)))
        .map(|(_, _, _, id, reason)| Skip { id, reason })
        .collect()
}

/// The `Metadata` of a CloudFormation resource: what Checkov, cfn-nag and cfn-guard read. cfn-guard takes no reasons, so those that
/// nothing else carries stand beside its list.
pub(crate) fn metadata(resource: &str, so: &[Only]) -> Value {
    let of = |scanner| skips(scanner, resource, so);
    let mut found = Map::new();
    let checkov: Vec<Value> = of(Checkov).iter().map(|skip| json!({ "id": skip.id, "comment": skip.reason })).collect();
    if !checkov.is_empty() {
        found.insert("checkov".to_owned(), json!({ "skip": checkov }));
    }
    let nag: Vec<Value> = of(CfnNag).iter().map(|skip| json!({ "id": skip.id, "reason": skip.reason })).collect();
    if !nag.is_empty() {
        found.insert("cfn_nag".to_owned(), json!({ "rules_to_suppress": nag }));
    }
    let guard = of(CfnGuard);
    if !guard.is_empty() {
        let said: Vec<&str> = of(Checkov).iter().chain(&of(CfnNag)).map(|skip| skip.reason).collect();
        let unsaid = guard.iter().filter(|skip| !said.contains(&skip.reason));
        let reasons: Map<String, Value> = unsaid.map(|skip| (skip.id.to_owned(), json!(skip.reason))).collect();
        let ids: Vec<&str> = guard.iter().map(|skip| skip.id).collect();
        let mut entry = json!({ "SuppressedRules": ids });
        if !reasons.is_empty() {
            entry["Reasons"] = Value::Object(reasons);
        }
        found.insert("guard".to_owned(), entry);
    }
    Value::Object(found)
}
