//! The policy of the role that runs what is rendered for an account: scripts, Terraform's modules, CloudFormation's stacks.
//!
//! Owns which actions each of them needs, and of what. Those of the scripts are held against the calls that scripts make, both ways,
//! by tests/harness/deployer.py; those of the others are what their sources say, which are named here. A statement speaks of one kind of
//! thing for one target, and has no action that an earlier one has already. Nothing here deletes a log bucket or a log; results of queries
//! go with their bucket.

use crate::{
    aws::{
        DELIVERY_SOURCE, REPLICATION_ROLE, REPLICATION_SERVICE, arn,
        limits::{MANAGED_POLICY_CHARS, is_account_id},
        watch::EVENTS_SERVICE,
    },
    plan::{
        Account, Plan, TargetName,
        central::{Central, WORKGROUP},
        monitoring::{BusTarget, Monitoring},
    },
    text,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a statement speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// What has no resource, and what is looked for wherever it may be.
    Anywhere,
    /// Buckets of the map whose logging is set.
    Sources,
    LogBuckets,
    Trails,
    /// The role with which CloudTrail writes to a log group.
    LogRoles,
    Organization,
    OrganizationRole,
    /// The roles with which S3 copies logs.
    CopyRoles,
    /// Giving them to S3.
    CopyPass,
    /// Sources whose logs CloudWatch Logs delivers.
    Vended,
    /// Delivery sources and deliveries of the account.
    Deliveries,
    /// The same, and destinations: the one that they have is the archive's account's, and the service authorization reference says of
    /// `logs:DeleteDeliverySource` that it is of destinations, where the user guide has delivery sources.
    Delivering,
    /// Delivery destinations of the account.
    Destinations,
    /// The parameter, the Config rule, the topic and the rules that publish to it.
    Watched,
    /// Giving EventBridge the role with which it sends to the bus.
    BusPass,
    /// Databases and tables of Glue.
    Tables,
    /// The workgroup of the account that asks the logs of all, with its saved queries.
    Workgroup,
    /// The bucket for results there, and what is in it.
    Results,
    ResultObjects,
    Stacks,
    /// The function behind the custom resource of a stack.
    Function,
    FunctionLogs,
    FunctionRole,
    /// Giving that role rights: only under its permissions boundary, if the map names one.
    FunctionRights,
    FunctionPass,
}

/// Actions of one target, of one kind of thing.
type Needs = &'static [(Place, &'static [&'static str])];

/// What a run reads of a log bucket, also the checks before Terraform and CloudFormation: `read_bucket`, `read_attached` and
/// `holds_nothing` in templates/aws-cli/library.sh.
const READS_OF_LOG_BUCKETS: &[&str] = &[
    "s3:GetBucketAcl",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucketVersions",
];

/// `list_all_buckets`, `location` and `read_logging` there: who else logs to a log bucket is asked of all buckets.
const READS_OF_BUCKETS: &[&str] = &["s3:GetBucketLocation", "s3:GetBucketLogging", "s3:ListAllMyBuckets"];

/// `read_trail` there.
const READS_OF_TRAILS: &[&str] = &[
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetInsightSelectors",
    "cloudtrail:GetTrail",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:ListTags",
];

/// What all three write of a trail.
const WRITES_OF_TRAILS: &[&str] = &[
    "cloudtrail:AddTags",
    "cloudtrail:CreateTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:RemoveTags",
    "cloudtrail:StartLogging",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
];

/// What all three write of a log bucket; HeadBucket, which waiting for a new one asks, is `s3:ListBucket`.
const WRITES_OF_LOG_BUCKETS: &[&str] = &[
    "s3:CreateBucket",
    "s3:ListBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:TagResource", // tags in CreateBucket, and of a bucket whose tags decide on access
];

/// What takes the same calls whoever makes them, as do what is watched, and Object Lock; the scripts' are held against the recorded ones.
const EVERY_TARGET: Needs = &[
    (Place::Anywhere, READS_OF_BUCKETS),
    (Place::LogBuckets, READS_OF_LOG_BUCKETS),
    (Place::LogBuckets, WRITES_OF_LOG_BUCKETS),
    (Place::Trails, READS_OF_TRAILS),
    (Place::Trails, WRITES_OF_TRAILS),
    (Place::LogRoles, &["iam:PassRole"]),
    (Place::Organization, ORGANIZATION),
    (Place::OrganizationRole, ORGANIZATION_ROLE),
];

/// Held against the recorded calls. Deletions take away what a run has made: `--rollback`, though never a bucket.
const SCRIPTS: Needs = &[
    (Place::Sources, &["s3:PutBucketLogging"]),
    (Place::LogBuckets, &["s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketRequestPayment"]),
    (Place::Trails, &["cloudtrail:DeleteTrail"]),
];

/// What CloudTrail asks of who makes or changes a trail of the organization (CloudTrail user guide, "Permissions required to create and
/// modify organization trails"; the handlers of AWS::CloudTrail::Trail name the same).
const ORGANIZATION: &[&str] = &["organizations:DescribeOrganization", "organizations:ListAWSServiceAccessForOrganization"];
const ORGANIZATION_ROLE: &[&str] = &["iam:CreateServiceLinkedRole", "iam:GetRole"];

/// The scripts' part where something is published.
const SCRIPTS_PARAMETER: Needs = &[(
    Place::Watched,
    &[
        "ssm:AddTagsToResource",
        "ssm:DeleteParameter",
        "ssm:GetParameter",
        "ssm:ListTagsForResource",
        "ssm:PutParameter",
        "ssm:RemoveTagsFromResource",
    ],
)];
/// The same where there is a Config rule.
const SCRIPTS_CONFIG: Needs = &[
    (Place::Anywhere, &["config:DescribeConfigRules", "config:DescribeConfigurationRecorders"]),
    (
        Place::Watched,
        &[
            "config:DeleteConfigRule",
            "config:ListTagsForResource",
            "config:PutConfigRule",
            "config:TagResource",
            "config:UntagResource",
        ],
    ),
];
/// The same where there are alerts.
const SCRIPTS_ALERTS: Needs = &[(
    Place::Watched,
    &[
        "events:DeleteRule",
        "events:DescribeRule",
        "events:ListTagsForResource",
        "events:ListTargetsByRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        "events:TagResource",
        "events:UntagResource",
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:ListTagsForResource",
        "sns:SetTopicAttributes",
        "sns:TagResource",
        "sns:UntagResource",
    ],
)];
/// The same where there is a bus for all: PutTargets gives EventBridge the role (EventBridge user guide, "Using IAM policies for Amazon EventBridge").
const BUS: Needs = &[(Place::BusPass, &["iam:PassRole"])];
/// The same where a log bucket has Object Lock: S3 asks for it with CreateBucket, too (S3 API, "CreateBucket").
const SCRIPTS_LOCK: Needs = &[(Place::LogBuckets, &["s3:PutBucketObjectLockConfiguration"])];

/// The same where log buckets are copied to an archive (S3 user guide, "Setting up permissions for live replication": `iam:PassRole` beside
/// `s3:PutReplicationConfiguration`). S3 asks for the same action to take a replication away (S3 API, "DeleteBucketReplication").
const COPIES: Needs = &[
    (Place::LogBuckets, &["s3:GetReplicationConfiguration", "s3:PutReplicationConfiguration"]),
    (
        Place::CopyRoles,
        &[
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UpdateAssumeRolePolicy",
        ],
    ),
    (Place::CopyPass, &["iam:PassRole"]),
];
/// The same where CloudWatch Logs delivers to an archive (CloudWatch Logs user guide, "Logs sent to Amazon S3" and "Cross-account delivery
/// example"; S3 user guide, "Delivering server access logs to CloudWatch Logs").
const DELIVERS: Needs = &[
    (Place::Anywhere, &["logs:DescribeDeliveries", "logs:DescribeDeliverySources"]),
    (Place::Vended, &["s3:AllowVendedLogDeliveryForResource"]),
    (Place::Deliveries, &["logs:DeleteDelivery", "logs:PutDeliverySource"]),
    (Place::Delivering, &["logs:CreateDelivery", "logs:DeleteDeliverySource"]),
];
/// The same with tags.
const DELIVERS_TAGGED: Needs = &[(Place::Deliveries, &["logs:TagResource"])];
/// The same in the account of the archive.
const RECEIVES: Needs = &[(
    Place::Destinations,
    &[
        "logs:DeleteDeliveryDestination",
        "logs:DeleteDeliveryDestinationPolicy",
        "logs:GetDeliveryDestination",
        "logs:GetDeliveryDestinationPolicy",
        "logs:PutDeliveryDestination",
        "logs:PutDeliveryDestinationPolicy",
    ],
)];
/// The same with tags.
const RECEIVES_TAGGED: Needs = &[(Place::Destinations, &["logs:TagResource"])];
/// logs/delivery.go, delivery_source.go and delivery_destination.go; the handlers of AWS::Logs::Delivery, AWS::Logs::DeliverySource and
/// AWS::Logs::DeliveryDestination read and tag the same.
const MODULES_DELIVERS: Needs = &[
    (
        Place::Deliveries,
        &[
            "logs:GetDelivery",
            "logs:GetDeliverySource",
            "logs:ListTagsForResource",
            "logs:TagResource",
            "logs:UntagResource",
            "logs:UpdateDeliveryConfiguration",
        ],
    ),
    (Place::Delivering, &["logs:GetDeliveryDestination"]),
];
/// The same of destinations.
const MODULES_RECEIVES: Needs = &[(Place::Destinations, &["logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"])];
/// iam/role.go and iam/role_policy.go; the handlers of AWS::IAM::Role read the same.
const MODULES_COPIES: Needs = &[(
    Place::CopyRoles,
    &[
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:UntagRole",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
    ],
)];

/// Calls of the provider's resources, by their files below internal/service/ in hashicorp/terraform-provider-aws, versions 5 and 6. What it
/// has in common with the others is in s3/bucket_policy.go, bucket_ownership_controls.go, bucket_public_access_block.go,
/// bucket_versioning.go, bucket_server_side_encryption_configuration.go, bucket_lifecycle_configuration.go and cloudtrail/trail.go.
const TERRAFORM: Needs = &[
    (Place::Sources, &["s3:PutBucketLogging"]), // s3/bucket_logging.go
    (
        Place::LogBuckets,
        &[
            // s3/bucket.go: what a refresh reads of every bucket, whatever the module sets
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketCORS",
            "s3:GetBucketWebsite",
            // s3/bucket.go and, from 6.23 on, tags by the calls of S3 Control
            "s3:ListTagsForResource",
            "s3:UntagResource",
        ],
    ),
];
/// cloudtrail/trail.go: findTrailByARN.
const TERRAFORM_TRAILS: Needs = &[(Place::Anywhere, &["cloudtrail:DescribeTrails"])];
/// ssm/parameter.go: findParameterMetadataByName.
const TERRAFORM_PARAMETER: Needs = &[(Place::Anywhere, &["ssm:DescribeParameters"])];
/// glue/catalog_database.go and catalog_table.go, beside what CloudFormation calls, too.
const TERRAFORM_TABLES: Needs =
    &[(Place::Tables, &["glue:GetPartitionIndexes", "glue:GetTags", "glue:TagResource", "glue:UntagResource"])];

/// athena/workgroup.go and athena/named_query.go, beside what CloudFormation calls, too; s3/bucket.go, which empties the bucket for results
/// before it deletes it.
const TERRAFORM_CENTRAL: Needs = &[
    (Place::Workgroup, &["athena:ListTagsForResource"]),
    (
        Place::Results,
        &[
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketCORS",
            "s3:GetBucketLogging",
            "s3:GetBucketWebsite",
            "s3:ListTagsForResource",
            "s3:UntagResource",
        ],
    ),
    (Place::ResultObjects, &["s3:DeleteObject", "s3:DeleteObjectVersion"]),
];
/// AWS::Athena::WorkGroup and AWS::Athena::NamedQuery; of the bucket what all ask of a log bucket.
const CENTRAL: Needs = &[
    (
        Place::Workgroup,
        &[
            "athena:CreateNamedQuery",
            "athena:CreateWorkGroup",
            "athena:DeleteNamedQuery",
            "athena:DeleteWorkGroup",
            "athena:GetNamedQuery",
            "athena:GetWorkGroup",
            "athena:ListNamedQueries",
            "athena:TagResource",
            "athena:UntagResource",
            "athena:UpdateWorkGroup",
        ],
    ),
    (Place::Results, READS_OF_LOG_BUCKETS),
    (Place::Results, WRITES_OF_LOG_BUCKETS),
];
/// The handlers of AWS::Athena::WorkGroup try the bucket for results; those of AWS::S3::Bucket read what they read of any.
const CLOUDFORMATION_CENTRAL: Needs = &[
    (
        Place::Results,
        &[
            "s3:GetAccelerateConfiguration",
            "s3:GetAnalyticsConfiguration",
            "s3:GetBucketAbac",
            "s3:GetBucketCORS",
            "s3:GetBucketLocation",
            "s3:GetBucketLogging",
            "s3:GetBucketMetadataTableConfiguration",
            "s3:GetBucketWebsite",
            "s3:GetIntelligentTieringConfiguration",
            "s3:GetInventoryConfiguration",
            "s3:GetMetricsConfiguration",
            "s3:ListBucketMultipartUploads",
            "s3:ListTagsForResource",
            "s3:UntagResource",
        ],
    ),
    (Place::ResultObjects, &["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]),
];

/// `handlers` in the schemas of the resource types (registry of CloudFormation, 20 October 2026): those of all reads, and of the
/// properties that the templates set. The rest is what `aws cloudformation deploy`, imports and the checks before them call.
const CLOUDFORMATION: Needs = &[
    (
        Place::Stacks,
        &[
            "cloudformation:ContinueUpdateRollback",
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStackResources",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplateSummary",
            "cloudformation:ListStackResources",
        ],
    ),
    // AWS::S3::Bucket, AWS::S3::BucketPolicy
    (
        Place::LogBuckets,
        &[
            "s3:GetAccelerateConfiguration",
            "s3:GetAnalyticsConfiguration",
            "s3:GetBucketAbac",
            "s3:GetBucketCORS",
            "s3:GetBucketMetadataTableConfiguration",
            "s3:GetBucketWebsite",
            "s3:GetIntelligentTieringConfiguration",
            "s3:GetInventoryConfiguration",
            "s3:GetMetricsConfiguration",
            "s3:ListTagsForResource",
            "s3:UntagResource",
        ],
    ),
    (Place::Trails, &["cloudtrail:GetEventConfiguration"]), // AWS::CloudTrail::Trail
];
/// AWS::S3::Bucket, of the trails' own bucket, which logs like a source.
const CLOUDFORMATION_LOGGING: Needs = &[(Place::LogBuckets, &["s3:PutBucketLogging"])];
/// AWS::SSM::Parameter.
const CLOUDFORMATION_PARAMETER: Needs = &[(Place::Watched, &["ssm:GetParameters"])];
/// AWS::Config::ConfigRule.
const CLOUDFORMATION_CONFIG: Needs = &[(Place::Anywhere, &["config:DescribeComplianceByConfigRule"])];
/// AWS::SNS::Topic.
const CLOUDFORMATION_ALERTS: Needs = &[(Place::Watched, &["sns:GetDataProtectionPolicy", "sns:ListSubscriptionsByTopic"])];
/// AWS::Glue::Database and AWS::Glue::Table; nothing of Lake Formation, which governs an account of its own.
const TABLES: Needs = &[(
    Place::Tables,
    &[
        "glue:CreateDatabase",
        "glue:CreateTable",
        "glue:DeleteDatabase",
        "glue:DeleteTable",
        "glue:GetDatabase",
        "glue:GetTable",
        "glue:UpdateDatabase",
        "glue:UpdateTable",
    ],
)];
/// AWS::Lambda::Function, AWS::Logs::LogGroup, AWS::IAM::Role, AWS::IAM::Policy; CloudFormation calls the function as who deploys.
const CLOUDFORMATION_FUNCTION: Needs = &[
    (Place::Anywhere, &["logs:DescribeIndexPolicies", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies"]),
    (
        Place::Function,
        &[
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:GetFunction",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionRecursionConfig",
            "lambda:GetFunctionScalingConfig",
            "lambda:GetRuntimeManagementConfig",
            "lambda:InvokeFunction",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
    ),
    (
        Place::FunctionLogs,
        &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:GetDataProtectionPolicy",
            "logs:ListTagsForResource",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
    ),
    (
        Place::FunctionRole,
        &[
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ],
    ),
    (Place::FunctionRights, &["iam:CreateRole", "iam:PutRolePolicy"]),
    (Place::FunctionPass, &["iam:PassRole"]),
];
/// The same with a permissions boundary.
const CLOUDFORMATION_BOUNDARY: Needs = &[(Place::FunctionRights, &["iam:PutRolePermissionsBoundary"])];
/// The same in a VPC.
const CLOUDFORMATION_VPC: Needs = &[(
    Place::Anywhere,
    &["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
)];

/// How buckets are named in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// Each by its name.
    Exact,
    /// With any text in the place of a Region: what is of the account.
    Pattern,
    /// Whatever is of the account.
    Own,
}

/// How log buckets are named, and how sources.
type Namings = (Naming, Naming);

/// From the narrowest on.
const NAMINGS: [Namings; 4] =
    [(Naming::Exact, Naming::Exact), (Naming::Exact, Naming::Own), (Naming::Pattern, Naming::Own), (Naming::Own, Naming::Own)];

/// The targets that are run, with the end of their statements' Sids.
const TARGETS: [(TargetName, &str); 3] =
    [(TargetName::AwsCli, "Scripts"), (TargetName::Terraform, "Terraform"), (TargetName::CloudFormation, "CloudFormation")];

/// The policies, as JSON for people, by their names: one, or two where one would be longer than IAM takes, or would have to leave the
/// names of log buckets out. The second is for CloudFormation, beside the first.
pub(super) fn policies(plan: &Plan, account: &Account) -> Vec<(&'static str, String)> {
    let whole = |naming| document(parts(plan, account, naming).into_iter().flat_map(|(_, statements)| statements).collect());
    if let Some(one) = NAMINGS.into_iter().filter(|(buckets, _)| *buckets == Naming::Exact).map(whole).find(fits) {
        return vec![("deployer", pretty(&one))];
    }
    let part = |stacks: bool| {
        let written = |naming| {
            let parts =
                parts(plan, account, naming).into_iter().filter(|(target, _)| (*target == TargetName::CloudFormation) == stacks);
            document(parts.flat_map(|(_, statements)| statements).collect())
        };
        let narrowest = NAMINGS.into_iter().map(written).find(fits);
        pretty(&narrowest.unwrap_or_else(|| written((Naming::Own, Naming::Own))))
    };
    vec![("deployer", part(false)), ("deployer-cloudformation", part(true))]
}

/// The same for a role that is to hold in any account: no bucket is named. Of a role all inline policies count together, which these
/// stay far below.
pub(super) fn of_any_account(plan: &Plan, account: &Account) -> Vec<(&'static str, Value)> {
    let mut named = Vec::new();
    for (name, stacks) in [("deployer", false), ("deployer-cloudformation", true)] {
        let parts = parts(plan, account, (Naming::Own, Naming::Own)).into_iter();
        let wanted = parts.filter(|(target, _)| (*target == TargetName::CloudFormation) == stacks);
        let statements: Vec<Value> = wanted.flat_map(|(_, statements)| statements).collect();
        if !statements.is_empty() {
            named.push((name, document(statements)));
        }
    }
    named
}

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn fits(policy: &Value) -> bool {
    text::json(policy).len() <= MANAGED_POLICY_CHARS
}

fn pretty(policy: &Value) -> String {
    text::pretty_json(policy) + "\n"
}

/// The statements of each target that the map names.
fn parts(plan: &Plan, account: &Account, naming: Namings) -> Vec<(TargetName, Vec<Value>)> {
    let mut had: BTreeSet<(Place, &str)> = BTreeSet::new();
    let mut parts = Vec::new();
    for (target, name) in TARGETS {
        if plan.targets.as_ref().is_some_and(|targets| !targets.contains(&target)) {
            continue;
        }
        let mut by_place: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
        for (place, actions) in needs(plan, account, target).into_iter().flatten() {
            by_place.entry(*place).or_default().extend(actions.iter().filter(|action| had.insert((*place, action))));
        }
        let statement = |(place, mut actions): (Place, Vec<&str>)| {
            let (resource, condition) = scope(plan, account, place, naming).filter(|_| !actions.is_empty())?;
            actions.sort_unstable();
            let mut statement =
                json!({ "Sid": format!("{place:?}{name}"), "Effect": "Allow", "Action": actions, "Resource": resource });
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            Some(statement)
        };
        parts.push((target, by_place.into_iter().filter_map(statement).collect()));
    }
    parts
}

/// What a target needs in this account.
fn needs(plan: &Plan, account: &Account, target: TargetName) -> Vec<Needs> {
    let watches = |made: fn(&Monitoring) -> bool| account.placements.iter().any(|placement| made(&placement.monitoring));
    let parameter = watches(|made| made.parameters().next().is_some());
    let config = watches(|made| made.config_rule.is_some());
    let alerts = watches(|made| made.alerts.is_some());
    let trails = account.placements.iter().any(|placement| !placement.trails.is_empty());
    let lock = account.placements.iter().flat_map(|placement| &placement.buckets).any(|bucket| bucket.object_lock.is_some());
    let asks = asks(plan, account).is_some();
    let copies = account.placements.iter().any(|placement| placement.replication_role.is_some());
    let vended = || account.placements.iter().filter_map(|placement| placement.vended.as_ref());
    let delivers = vended().any(|vended| !vended.sources.is_empty());
    let receives = vended().any(|vended| vended.destination.is_some());
    let tagged = !plan.render.tags.is_empty();
    let shared = [
        (true, EVERY_TARGET),
        (copies, COPIES),
        (delivers, DELIVERS),
        (delivers && tagged, DELIVERS_TAGGED),
        (receives, RECEIVES),
        (receives && tagged, RECEIVES_TAGGED),
        (parameter, SCRIPTS_PARAMETER),
        (config, SCRIPTS_CONFIG),
        (alerts, SCRIPTS_ALERTS),
        (buses(account).next().is_some(), BUS),
        (lock, SCRIPTS_LOCK),
    ];
    let own: Vec<(bool, Needs)> = match target {
        TargetName::Terraform => vec![
            (true, TERRAFORM),
            (copies, MODULES_COPIES),
            (delivers, MODULES_DELIVERS),
            (receives, MODULES_RECEIVES),
            (trails, TERRAFORM_TRAILS),
            (parameter, TERRAFORM_PARAMETER),
            (plan.render.glue, TABLES),
            (plan.render.glue, TERRAFORM_TABLES),
            (asks, CENTRAL),
            (asks, TERRAFORM_CENTRAL),
        ],
        TargetName::CloudFormation => {
            let mut sources = account.placements.iter().flat_map(|placement| &placement.sources).filter(|source| source.managed);
            let own_logs = sources.clone().any(|source| source.is_log_bucket);
            let function = plan.render.custom_resource && sources.any(|source| !source.is_log_bucket);
            vec![
                (true, CLOUDFORMATION),
                (copies, MODULES_COPIES),
                (delivers, MODULES_DELIVERS),
                (receives, MODULES_RECEIVES),
                (trails, TERRAFORM_TRAILS),
                (own_logs, CLOUDFORMATION_LOGGING),
                (parameter, CLOUDFORMATION_PARAMETER),
                (config, CLOUDFORMATION_CONFIG),
                (alerts, CLOUDFORMATION_ALERTS),
                (plan.render.glue, TABLES),
                (asks, CENTRAL),
                (asks, CLOUDFORMATION_CENTRAL),
                (function, CLOUDFORMATION_FUNCTION),
                (function && !plan.render.permissions_boundary.is_empty(), CLOUDFORMATION_BOUNDARY),
                (function && account.placements.iter().any(|placement| placement.function_vpc.is_some()), CLOUDFORMATION_VPC),
            ]
        }
        _ => vec![(true, SCRIPTS)],
    };
    own.into_iter().chain(shared).filter_map(|(is_there, needs)| is_there.then_some(needs)).collect()
}

/// The account that asks the logs of all, if it is this one, or any is meant, and its tables are resources.
fn asks<'p>(plan: &'p Plan, account: &Account) -> Option<&'p Central> {
    let here = |central: &&Central| central.account.id == account.id || !is_account_id(&account.id);
    plan.central.as_ref().filter(|_| plan.render.glue).filter(here)
}

/// The resources of a statement and its condition; `None` if the account has no such thing.
fn scope(plan: &Plan, account: &Account, place: Place, (buckets, sources): Namings) -> Option<(Value, Option<Value>)> {
    let (partition, id) = (account.partition, account.id.as_str());
    let trails = || account.placements.iter().flat_map(|placement| &placement.trails);
    let regional = |service: &str, resource: &str| format!("arn:{partition}:{service}:*:{id}:{resource}");
    let passed = |to: &str| Some(json!({ "StringEquals": { "iam:PassedToService": to } }));
    let function_role = || arn::role(partition, id, &plan.render.function_role("logmap*-SetAccessLoggingRole-*"));
    let (resources, condition): (Vec<String>, Option<Value>) = match place {
        Place::Anywhere => (vec!["*".to_owned()], None),
        Place::LogBuckets => {
            let named = account
                .placements
                .iter()
                .flat_map(|placement| placement.buckets.iter().map(|bucket| (bucket.name.as_str(), placement.region.as_str())));
            return Some(of_buckets(account, named.collect(), buckets)).filter(|(resource, _)| !is_empty(resource));
        }
        Place::Sources => {
            let named = account.placements.iter().flat_map(|placement| {
                let managed = placement.sources.iter().filter(|source| source.managed);
                managed.map(|source| (source.name.as_str(), placement.region.as_str()))
            });
            return Some(of_buckets(account, named.collect(), sources)).filter(|(resource, _)| !is_empty(resource));
        }
        Place::Trails => {
            let names: BTreeSet<&str> = trails().map(|trail| trail.name.as_str()).collect();
            (names.into_iter().map(|name| regional("cloudtrail", &format!("trail/{name}"))).collect(), None)
        }
        Place::LogRoles => {
            let roles: BTreeSet<&str> = trails().filter_map(|trail| Some(trail.log_group.as_ref()?.role_arn.as_str())).collect();
            (roles.into_iter().map(str::to_owned).collect(), passed("cloudtrail.amazonaws.com"))
        }
        Place::Organization | Place::OrganizationRole if !trails().any(|trail| trail.organization) => return None,
        Place::Organization => (vec!["*".to_owned()], None),
        Place::OrganizationRole => {
            let role = "aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail";
            (vec![arn::role(partition, id, role)], None)
        }
        Place::CopyRoles => (vec![arn::role(partition, id, &format!("{REPLICATION_ROLE}*"))], None),
        Place::CopyPass => (vec![arn::role(partition, id, &format!("{REPLICATION_ROLE}*"))], passed(REPLICATION_SERVICE)),
        Place::Vended => {
            let named = account.placements.iter().flat_map(|placement| {
                let sources = placement.vended.iter().flat_map(|vended| &vended.sources);
                sources.map(|source| (source.bucket.as_str(), placement.region.as_str()))
            });
            // whether the key of `Own` comes with this action is not documented
            let (resource, _) = of_buckets(account, named.collect(), sources);
            return Some((resource, None)).filter(|(resource, _)| !is_empty(resource));
        }
        Place::Deliveries | Place::Delivering => {
            let owners = plan.archive.iter().map(|archive| archive.account_id.as_str()).chain([id]);
            let owners: BTreeSet<&str> = owners.filter(|_| place == Place::Delivering).collect();
            let destinations =
                owners.into_iter().map(|owner| arn::delivery_destination(partition, "*", owner, &format!("{DELIVERY_SOURCE}*")));
            let own = ["delivery:*".to_owned(), format!("delivery-source:{DELIVERY_SOURCE}*")];
            (own.iter().map(|resource| regional("logs", resource)).chain(destinations).collect(), None)
        }
        Place::Destinations => (vec![regional("logs", &format!("delivery-destination:{DELIVERY_SOURCE}*"))], None),
        Place::BusPass => {
            let roles: BTreeSet<&str> = buses(account).map(|bus| bus.role_arn.as_str()).collect();
            (roles.into_iter().map(str::to_owned).collect(), passed(EVENTS_SERVICE))
        }
        Place::Watched => (watched(plan, account), None),
        Place::Tables => {
            let all = asks(plan, account).map(|_| ["database/logmap", "table/logmap/*"]);
            let resources = ["catalog", "database/logmap_*", "table/logmap_*/*"].into_iter().chain(all.into_iter().flatten());
            (resources.map(|resource| regional("glue", resource)).collect(), None)
        }
        Place::Workgroup => {
            (asks(plan, account).map(|_| regional("athena", &format!("workgroup/{WORKGROUP}"))).into_iter().collect(), None)
        }
        Place::Results | Place::ResultObjects => {
            let inside = if place == Place::Results { "" } else { "/*" };
            let bucket = |central: &Central| arn::bucket(partition, &central.result_bucket) + inside;
            (asks(plan, account).map(bucket).into_iter().collect(), None)
        }
        Place::Stacks => (vec![regional("cloudformation", "stack/logmap*/*")], None),
        Place::Function => (vec![regional("lambda", "function:logmap*-SetAccessLogging-*")], None),
        Place::FunctionLogs => (vec![regional("logs", "log-group:logmap*-SetAccessLoggingLogs-*")], None),
        Place::FunctionRole => (vec![function_role()], None),
        Place::FunctionRights => {
            let boundary = &plan.render.permissions_boundary;
            let bound =
                json!({ "StringEquals": { "iam:PermissionsBoundary": format!("arn:{partition}:iam::{id}:policy/{boundary}") } });
            (vec![function_role()], (!boundary.is_empty()).then_some(bound))
        }
        Place::FunctionPass => (vec![function_role()], passed("lambda.amazonaws.com")),
    };
    (!resources.is_empty()).then(|| (one_or_all(resources), condition))
}

/// The bus of each placement that has one.
fn buses(account: &Account) -> impl Iterator<Item = &BusTarget> {
    account.placements.iter().filter_map(|one| one.monitoring.alerts.as_ref()?.bus.as_ref())
}

fn is_empty(resource: &Value) -> bool {
    resource.as_array().is_some_and(Vec::is_empty)
}

fn one_or_all(mut resources: Vec<String>) -> Value {
    if resources.len() == 1 { json!(resources.remove(0)) } else { json!(resources) }
}

/// Buckets of the account, each with its Region.
fn of_buckets(account: &Account, named: Vec<(&str, &str)>, naming: Naming) -> (Value, Option<Value>) {
    let names: BTreeSet<String> = match naming {
        _ if named.is_empty() => BTreeSet::new(),
        Naming::Exact => named.into_iter().map(|(name, _)| name.to_owned()).collect(),
        Naming::Pattern => named.into_iter().map(|(name, region)| name.replace(region, "*")).collect(),
        Naming::Own => BTreeSet::from(["*".to_owned()]),
    };
    let arns = names.iter().map(|name| arn::bucket(account.partition, name)).collect();
    let own = json!({ "StringEquals": { "s3:ResourceAccount": account.id } });
    (one_or_all(arns), (naming != Naming::Exact).then_some(own))
}

/// What is published and watched in the account, in all its Regions. AWS makes the ids of Config rules.
fn watched(plan: &Plan, account: &Account) -> Vec<String> {
    let mut resources = BTreeSet::new();
    for made in account.placements.iter().map(|placement| &placement.monitoring) {
        for (parameter, _) in made.parameters() {
            resources.insert(("ssm", format!("parameter/{}", parameter.name.trim_start_matches('/'))));
        }
        if made.config_rule.is_some() {
            resources.insert(("config", "config-rule/*".to_owned()));
        }
        if let Some(alerts) = &made.alerts {
            resources.insert(("sns", alerts.topic.clone()));
            resources.insert(("events", format!("rule/{}-*", plan.monitoring.stem())));
        }
    }
    let (partition, id) = (account.partition, &account.id);
    resources.into_iter().map(|(service, resource)| format!("arn:{partition}:{service}:*:{id}:{resource}")).collect()
}
