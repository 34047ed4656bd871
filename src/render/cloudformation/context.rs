//! The contexts of the stacks' templates: the contract between the plan and them.
//!
//! A placement's resources are rendered once, for its own stack and for the StackSet template that it is in. Logical ids
//! come from a hash of the thing's own name, so that they stay when other things come or go.

use super::{
    ids::{bucket_id, destination_id, id, policy_id, role_id, trail_id},
    import,
    monitoring::MonitoringContext,
    outputs::Output,
};
use crate::{
    aws::{ACCESS_LOG_TYPE, arn},
    plan::{
        Account, FunctionRuntime, FunctionVpc, LogBucket, ObjectLock, Placement, RenderSettings, Source, Trail, alike,
        copies::{ROLE_DESCRIPTION, RULE, trust},
        lifecycle::{self, S3Rule},
    },
    policy::Policy,
    render::{
        engine::Part,
        scanners::{Scanner, Skip, metadata, of_bucket, of_trail, skips},
    },
};
use serde::Serialize;
use serde_json::Value;

/// Contract of `cloudformation/stack.yaml`.
#[derive(Serialize)]
pub(super) struct StackContext<'a> {
    /// Comment lines for the head of the file.
    pub header: Vec<String>,
    /// The stack's description, below 1,024 bytes.
    pub description: String,
    /// Name of the lookup that fails in a wrong account or Region; AWS puts it in the error.
    pub guard: String,
    /// The Region the template is for.
    pub region: &'a str,
    /// The accounts in it: one, in a StackSet template more.
    pub placements: &'a [PlacementPart<'a>],
    /// The Lambda function, rendered; empty if no source is set from here.
    pub function: Part,
    /// The lookup of each account's subnets and security groups; empty where there is one account, or none has a VPC.
    pub vpcs: Vec<VpcContext<'a>>,
    /// True if nothing else is in the stack.
    pub needs_resource: bool,
}

/// Where the function of an account is in a VPC.
#[derive(Serialize, Clone)]
pub(super) struct VpcContext<'a> {
    /// Twelve digits.
    pub account_id: &'a str,
    /// True if it is in one.
    pub is_in_vpc: bool,
    /// Ids of subnets; `none` where it is in none.
    pub subnets: Vec<&'a str>,
    /// Ids of security groups; `none` where it is in none.
    pub security_groups: Vec<&'a str>,
}

impl<'a> VpcContext<'a> {
    pub(super) fn of(account_id: &'a str, vpc: Option<&'a FunctionVpc>) -> Self {
        // a lookup has no empty list, and nothing reads this one
        let nothing = || vec!["none"];
        VpcContext {
            account_id,
            is_in_vpc: vpc.is_some(),
            subnets: vpc.map_or_else(nothing, |vpc| vpc.subnets.iter().map(String::as_str).collect()),
            security_groups: vpc.map_or_else(nothing, |vpc| vpc.security_groups.iter().map(String::as_str).collect()),
        }
    }
}

/// What one account has in that Region, rendered: the same in its own stack and in a StackSet template.
#[derive(Serialize)]
pub(super) struct PlacementPart<'a> {
    /// Twelve digits.
    pub account_id: &'a str,
    /// The account's key in the map.
    pub account_key: &'a str,
    /// Name of the condition that holds in this account and Region.
    pub condition: String,
    /// The rendered `resources.yaml`.
    pub resources: Part,
    /// The rendered `outputs.yaml`.
    pub outputs: Part,
    /// How many outputs those are.
    #[serde(skip)]
    pub output_count: usize,
    /// True if the Lambda function is needed.
    #[serde(skip)]
    pub sets_sources: bool,
    /// Where its function is in a VPC.
    #[serde(skip)]
    pub vpc: Option<&'a FunctionVpc>,
    /// Digest of what it was rendered from.
    #[serde(skip)]
    pub digest: String,
}

/// Contract of `cloudformation/function.yaml`.
#[derive(Serialize)]
pub(super) struct FunctionContext<'a> {
    /// The code of the Lambda function.
    pub python: String,
    /// ARN of the policy that bounds its role, for `Fn::Sub`; empty for none.
    pub boundary: String,
    /// Path of its role; empty for none.
    pub role_path: String,
    /// Beginning of its name; empty for a name that CloudFormation makes.
    pub role_name_prefix: String,
    /// Where the function is in a VPC: one item for the stack of one account, more for a template with a lookup; empty for no VPC.
    pub vpcs: Vec<VpcContext<'a>>,
    /// What a function in a VPC has to be allowed.
    pub vpc_actions: &'static [&'static str],
    /// Runtime of the function.
    pub runtime: &'static str,
    /// Tags of the function, its log group and its role.
    pub tags: Vec<Tag<'a>>,
    /// Scanners' checks that don't fit the function, its log group and its role.
    pub scanners: FunctionScanners,
}

/// Scanners' checks that don't fit the custom resource, as metadata, and Trivy's.
#[derive(Serialize)]
pub(super) struct FunctionScanners {
    /// Metadata of the log group: scanners' checks that don't apply to it.
    pub logs: Value,
    /// Trivy's checks that don't apply to the log group.
    pub logs_trivy: Vec<Skip>,
    /// Metadata of the role: scanners' checks that don't apply to it.
    pub role: Value,
    /// Metadata of the function: scanners' checks that don't apply to it.
    pub function: Value,
    /// Trivy's checks that don't apply to the function.
    pub function_trivy: Vec<Skip>,
}

/// Contract of `cloudformation/resources.yaml`.
#[derive(Serialize)]
pub(super) struct PlacementContext<'a> {
    /// Name of the condition that holds in this account and Region.
    pub condition: &'a str,
    /// Log buckets.
    pub buckets: Vec<BucketContext<'a>>,
    /// The role with which S3 copies them to the archive: one or none.
    pub roles: Vec<RoleContext<'a>>,
    /// What CloudWatch Logs delivers to the archive: one or none.
    pub vended: Vec<VendedContext<'a>>,
    /// Trails.
    pub trails: Vec<TrailContext<'a>>,
    /// Tags of what is made here beside buckets.
    pub tags: Vec<Tag<'a>>,
    /// What is published and watched here; in the stack of the log buckets.
    pub monitoring: MonitoringContext<'a>,
    /// Logical id of the permission to set logging; empty if no source is set from here.
    pub permission: String,
    /// ARNs of the sources that are set from here.
    pub source_arns: Vec<String>,
    /// Logical ids of what must be there before a source is set: the grant, if it is in this stack, and the permission.
    pub needs: Vec<String>,
    /// The sources that are set from here, by destination.
    pub destinations: Vec<DestinationContext<'a>>,
}

/// Contract of `cloudformation/outputs.yaml`.
#[derive(Serialize)]
pub(super) struct OutputsContext<'a> {
    /// Name of the condition that holds in this account and Region.
    pub condition: &'a str,
    /// Outputs, at least one.
    pub outputs: &'a [Output],
}

/// A log bucket.
#[derive(Serialize)]
pub(super) struct BucketContext<'a> {
    /// Logical id of the bucket.
    pub id: String,
    /// Logical id of its policy.
    pub policy_id: String,
    /// `DeletionPolicy` of the bucket.
    pub deletion: &'static str,
    /// `DeletionPolicy` of its policy.
    pub policy_deletion: &'static str,
    /// Bucket name.
    pub name: &'a str,
    /// True if it is in the account regional namespace.
    pub account_regional: bool,
    /// `Enabled` or `Suspended`.
    pub versioning: &'static str,
    /// Default retention of Object Lock: one or none.
    pub object_lock: Vec<&'a ObjectLock>,
    /// Lifecycle rules, at least one.
    pub lifecycle: Vec<S3Rule<'a>>,
    /// Tags.
    pub tags: Vec<Tag<'a>>,
    /// Logical ids of what must be there before it, beside what it refers to.
    pub needs: Vec<String>,
    /// How it is copied to the archive: one or none.
    pub copies: Vec<CopyContext<'a>>,
    /// Its own logging: one for the trails' own bucket, or none.
    pub logging: Vec<OwnLogging<'a>>,
    /// The bucket policy.
    pub policy: &'a Policy,
    /// Scanners' checks that don't fit it, as its metadata.
    pub metadata: Value,
    /// Trivy's checks that don't apply to it.
    pub trivy: Vec<Skip>,
    /// Checks that don't fit its policy, as metadata.
    pub policy_metadata: Value,
}

/// How a log bucket is copied to the archive.
#[derive(Serialize)]
pub(super) struct CopyContext<'a> {
    /// Logical id of the role.
    pub role_id: String,
    /// Id of the rule.
    pub rule: &'static str,
    /// ARN of the archive.
    pub archive_arn: &'a str,
    /// KMS key of the copies; empty for none.
    pub kms_key_arn: &'a str,
}

/// The role with which S3 copies log buckets to the archive.
#[derive(Serialize)]
pub(super) struct RoleContext<'a> {
    /// Logical id.
    pub id: String,
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub description: &'static str,
    /// Who may assume it.
    pub trust: Value,
    /// Name of its inline policy.
    pub policy_name: &'static str,
    /// Its inline policy.
    pub policy: &'a Value,
    /// Scanners' checks that don't fit it, as its metadata.
    pub metadata: Value,
}

/// What CloudWatch Logs delivers to the archive.
#[derive(Serialize)]
pub(super) struct VendedContext<'a> {
    /// The archive as a destination, if it is of this account: one or none.
    pub destinations: Vec<DeliveryDestinationContext<'a>>,
    /// ARN of the destination of the deliveries.
    pub destination_arn: &'a str,
    /// The log type of all.
    pub log_type: &'static str,
    /// The sources whose logs are delivered.
    pub sources: Vec<VendedSourceContext<'a>>,
}

/// The archive as a destination of deliveries.
#[derive(Serialize)]
pub(super) struct DeliveryDestinationContext<'a> {
    /// Logical id.
    pub id: String,
    /// Its name.
    pub name: &'a str,
    /// ARN of the archive.
    pub bucket_arn: &'a str,
    /// `json` or `parquet`.
    pub format: &'static str,
    /// Who of other accounts may deliver: one or none.
    pub policies: Vec<&'a Value>,
    /// Logical id of the archive's policy, if that is in this stack; else empty.
    pub depends_on: String,
}

/// A source whose logs are delivered.
#[derive(Serialize)]
pub(super) struct VendedSourceContext<'a> {
    /// Logical id of the delivery source.
    pub source_id: String,
    /// Logical id of the delivery.
    pub delivery_id: String,
    /// Name of the delivery source.
    pub name: &'a str,
    /// ARN of the bucket.
    pub arn: String,
    /// Logical ids of what comes first: one delivery after the other, for CloudWatch Logs takes no two changes at a time.
    pub needs: Vec<String>,
}

impl<'a> VendedContext<'a> {
    /// Of these sources, with the destination of the Region if the log buckets are there, too.
    pub(super) fn new(account: &Account, placement: &'a Placement, with_buckets: bool, sources: &[&Source]) -> Vec<Self> {
        let Some(vended) = &placement.vended else { return Vec::new() };
        let destination = vended.destination.as_ref().filter(|_| with_buckets);
        let archive = placement.buckets.iter().find(|bucket| bucket.takes_copies);
        let mut before: Vec<String> = destination.iter().map(|_| destination_id(&vended.destination_arn)).collect();
        let mut delivered = Vec::new();
        for source in sources {
            let at = vended.sources.binary_search_by(|one| one.bucket.as_str().cmp(&source.name));
            let Some(one) = at.ok().and_then(|at| vended.sources.get(at)) else { continue };
            let own = placement.buckets.iter().find(|bucket| with_buckets && bucket.name == one.bucket);
            before.extend(own.map(bucket_id));
            let delivery_id = id("Delivery", &one.bucket);
            delivered.push(VendedSourceContext {
                source_id: id("DeliverySource", &one.bucket),
                needs: std::mem::replace(&mut before, vec![delivery_id.clone()]),
                delivery_id,
                name: &one.name,
                arn: arn::bucket(account.partition, &one.bucket),
            });
        }
        let destinations: Vec<DeliveryDestinationContext<'a>> = destination
            .into_iter()
            .map(|destination| DeliveryDestinationContext {
                id: destination_id(&vended.destination_arn),
                name: &destination.name,
                bucket_arn: &destination.bucket_arn,
                format: vended.format,
                policies: destination.policy.iter().collect(),
                depends_on: archive.map(policy_id).unwrap_or_default(),
            })
            .collect();
        if destinations.is_empty() && delivered.is_empty() {
            return Vec::new();
        }
        let destination_arn = &vended.destination_arn;
        vec![VendedContext { destinations, destination_arn, log_type: ACCESS_LOG_TYPE, sources: delivered }]
    }
}

/// How a log bucket logs itself.
#[derive(Serialize)]
pub(super) struct OwnLogging<'a> {
    /// Logical id of the bucket that takes its access logs.
    pub bucket_id: String,
    /// Logical id of that one's policy, which comes first.
    pub policy_id: String,
    /// Prefix of the keys; may be empty.
    pub prefix: &'a str,
    /// `EventTime` or `DeliveryTime`; empty for the simple key format.
    pub date_source: &'static str,
}

/// A tag.
#[derive(Serialize)]
pub(super) struct Tag<'a> {
    /// Key of the tag.
    pub key: &'a str,
    /// Value of the tag.
    pub value: &'a str,
}

/// A selector of events of the objects of log buckets.
#[derive(Serialize)]
pub(super) struct OfLogBucketsContext<'a> {
    /// Its name.
    pub title: &'static str,
    /// Names of the events; none for all that read.
    pub names: &'static [&'static str],
    /// Beginnings of the ARNs of their objects.
    pub arns: &'a [String],
}

/// A trail.
#[derive(Serialize)]
pub(super) struct TrailContext<'a> {
    /// Logical id.
    pub id: String,
    /// Logical id of the policy of its bucket, if that is in this stack; else empty.
    pub depends_on: String,
    /// Trail name.
    pub name: &'a str,
    /// Name of the bucket it delivers to.
    pub bucket: &'a str,
    /// Key prefix; may be empty.
    pub prefix: &'a str,
    /// Records all Regions.
    pub multi_region: bool,
    /// Records all accounts of the organization.
    pub organization: bool,
    /// Digest files are delivered.
    pub log_file_validation: bool,
    /// ARN of its key; may be empty.
    pub kms_key_arn: &'a str,
    /// ARN of the log group that gets its events too; may be empty.
    pub log_group: &'a str,
    /// ARN of the role that writes to it.
    pub log_role: &'a str,
    /// Name or ARN of the topic that gets a message for each file; may be empty.
    pub topic: &'a str,
    /// Insights, as CloudTrail's API names them.
    pub insights: Vec<&'static str>,
    /// Has selectors.
    pub selectors: bool,
    /// Records management events.
    pub management: bool,
    /// Value of `readOnly` of its management events, or empty for both.
    pub read_only: &'static str,
    /// Services whose management events are left out.
    pub excluded_sources: Vec<&'static str>,
    /// Records S3 data events.
    pub data_events: bool,
    /// Beginnings of object ARNs that are not recorded; may be empty.
    pub data_events_exclude: &'a [String],
    /// Selectors of events of the objects of log buckets.
    pub of_log_buckets: Vec<OfLogBucketsContext<'a>>,
    /// `DeletionPolicy`: it goes with the deployment that made it, if that is rolled back, and stays otherwise.
    pub deletion: &'static str,
    /// It existed before, and keeps its own tags.
    pub adopted: bool,
    /// Scanners' checks that don't fit it, as its metadata.
    pub metadata: Value,
    /// Trivy's checks that don't apply to it.
    pub trivy: Vec<Skip>,
}

/// Sources, one after the other, with one destination whose logging is set from here.
#[derive(Serialize)]
pub(super) struct DestinationContext<'a> {
    /// The sources.
    pub sources: Vec<SourceContext<'a>>,
    /// Name of the log bucket.
    pub target: &'a str,
    /// Key prefix; may be empty.
    pub prefix: &'a str,
    /// `partitioned-event-time`, `partitioned-delivery-time` or `simple`.
    pub key_format: &'static str,
}

/// A source whose logging is set from here.
#[derive(Serialize)]
pub(super) struct SourceContext<'a> {
    /// Logical id.
    pub id: String,
    /// Bucket name.
    pub name: &'a str,
}

/// The tags of everything that is made.
pub(super) fn tags(render: &RenderSettings) -> Vec<Tag<'_>> {
    render.tags.iter().map(|(key, value)| Tag { key, value }).collect()
}

/// What Lambda does in a VPC with the role of the function; none takes a narrower resource at creation
/// (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html>, without its rights to logs).
const VPC_ACTIONS: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

impl<'a> FunctionContext<'a> {
    pub(super) fn new(python: String, render: &'a RenderSettings, vpcs: Vec<VpcContext<'a>>) -> Self {
        let (logs, function) = ("AWS::Logs::LogGroup", "AWS::Lambda::Function");
        let scanners = FunctionScanners {
            logs: metadata(logs, &[]),
            logs_trivy: skips(Scanner::Trivy, logs, &[]),
            role: metadata("AWS::IAM::Role", &[]),
            function: metadata(function, &[]),
            function_trivy: skips(Scanner::Trivy, function, &[]),
        };
        let boundary = match render.permissions_boundary.as_str() {
            "" => String::new(),
            // the same template serves several accounts
            name => format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{name}"),
        };
        FunctionContext {
            python,
            boundary,
            role_path: render.role_path.clone(),
            role_name_prefix: render.role_name_prefix.clone(),
            vpcs,
            vpc_actions: &VPC_ACTIONS,
            runtime: render.function_runtime.unwrap_or(FunctionRuntime::Python313).word(),
            tags: tags(render),
            scanners,
        }
    }
}

impl<'a> PlacementContext<'a> {
    /// With the log buckets and trails of the placement or without, and with the sources that are to be set.
    pub(super) fn new(
        account: &Account,
        placement: &'a Placement,
        with_buckets: bool,
        set: &[&'a Source],
        condition: &'a str,
        render: &'a RenderSettings,
    ) -> Self {
        let buckets: &[LogBucket] = if with_buckets { &placement.buckets } else { &[] };
        let trails: &[Trail] = if with_buckets { &placement.trails } else { &[] };
        let permission = if set.is_empty() { String::new() } else { format!("MaySetLogging{}", account.id) };
        let grants = buckets.iter().filter(|bucket| bucket.takes_access_logs).map(policy_id);
        PlacementContext {
            condition,
            tags: tags(render),
            buckets: buckets.iter().map(|bucket| BucketContext::new(bucket, placement)).collect(),
            roles: placement
                .replication_role
                .iter()
                .filter(|_| with_buckets)
                .map(|role| RoleContext {
                    id: role_id(role),
                    name: &role.name,
                    description: ROLE_DESCRIPTION,
                    trust: trust(),
                    policy_name: role.policy_name,
                    policy: &role.policy,
                    metadata: metadata("AWS::IAM::Role", &[]),
                })
                .collect(),
            vended: Vec::new(),
            trails: trails.iter().map(|trail| TrailContext::new(trail, account, placement)).collect(),
            monitoring: if with_buckets { MonitoringContext::new(account, placement) } else { MonitoringContext::default() },
            needs: grants.chain([permission.clone()]).collect(),
            permission,
            source_arns: set.iter().map(|source| arn::bucket(account.partition, &source.name)).collect(),
            destinations: alike(set)
                .map(|sources| DestinationContext {
                    sources: sources
                        .iter()
                        .map(|source| SourceContext { id: id("Logging", &source.name), name: &source.name })
                        .collect(),
                    target: &sources[0].log_bucket,
                    prefix: &sources[0].prefix,
                    key_format: sources[0].key_format_name(),
                })
                .collect(),
        }
    }
}

/// `DeletionPolicy` of something that is imported or made. What a deployment has just made goes when that deployment is rolled back, so
/// that it can be repeated; afterwards it stays like anything else
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>).
fn deletion(imported: bool) -> &'static str {
    if imported { "Retain" } else { "RetainExceptOnCreate" }
}

impl<'a> BucketContext<'a> {
    fn new(bucket: &'a LogBucket, placement: &'a Placement) -> Self {
        let logging = placement.logging_of(bucket).filter(|source| source.managed);
        let target = placement.access_log_bucket().filter(|_| logging.is_some());
        let so = of_bucket(bucket, placement);
        let archive = placement.buckets.iter().find(|other| other.takes_copies && bucket.replication.is_some());
        let copies = bucket.replication.iter().zip(&placement.replication_role).map(|(copy, role)| CopyContext {
            role_id: role_id(role),
            rule: RULE,
            archive_arn: &copy.archive_arn,
            kms_key_arn: copy.kms_key_arn.as_deref().unwrap_or_default(),
        });
        BucketContext {
            needs: target.map(policy_id).into_iter().chain(archive.map(bucket_id)).collect(),
            copies: copies.collect(),
            id: bucket_id(bucket),
            policy_id: policy_id(bucket),
            deletion: deletion(bucket.adopt.is_some()),
            policy_deletion: deletion(import::takes_policy(bucket)),
            name: &bucket.name,
            account_regional: bucket.made_account_regional(),
            versioning: if bucket.versioning { "Enabled" } else { "Suspended" },
            object_lock: bucket.object_lock.iter().collect(),
            lifecycle: lifecycle::s3_rules(&bucket.lifecycle).collect(),
            tags: bucket.tags.iter().map(|(key, value)| Tag { key, value }).collect(),
            logging: logging
                .zip(target)
                .map(|(source, target)| OwnLogging {
                    bucket_id: bucket_id(target),
                    policy_id: policy_id(target),
                    prefix: &source.prefix,
                    date_source: source.key_format.partition_date_source().unwrap_or_default(),
                })
                .into_iter()
                .collect(),
            policy: &bucket.policy,
            metadata: metadata("AWS::S3::Bucket", &so),
            policy_metadata: metadata("AWS::S3::BucketPolicy", &so),
            trivy: skips(Scanner::Trivy, "AWS::S3::Bucket", &so),
        }
    }
}

impl<'a> TrailContext<'a> {
    fn new(trail: &'a Trail, account: &Account, placement: &Placement) -> Self {
        let here = trail.bucket_account == account.key && trail.bucket_region == placement.region;
        let bucket = placement.buckets.iter().find(|bucket| here && bucket.name == trail.bucket);
        let so = of_trail(trail);
        TrailContext {
            metadata: metadata("AWS::CloudTrail::Trail", &so),
            trivy: skips(Scanner::Trivy, "AWS::CloudTrail::Trail", &so),
            id: trail_id(trail),
            depends_on: bucket.map(policy_id).unwrap_or_default(),
            name: &trail.name,
            bucket: &trail.bucket,
            prefix: &trail.prefix,
            multi_region: trail.multi_region,
            organization: trail.organization,
            log_file_validation: trail.log_file_validation,
            kms_key_arn: trail.kms_key_arn.as_deref().unwrap_or_default(),
            log_group: trail.log_group.as_ref().map_or("", |group| &group.arn),
            log_role: trail.log_group.as_ref().map_or("", |group| &group.role_arn),
            topic: trail.topic.as_ref().map_or("", |topic| &topic.name),
            insights: trail.insights.iter().map(|insight| insight.api()).collect(),
            selectors: trail.selects(),
            management: trail.records_management(),
            read_only: trail.read_only().unwrap_or_default(),
            excluded_sources: trail.excluded_event_sources.iter().map(|source| source.word()).collect(),
            data_events: trail.data_events_exclude.is_some(),
            data_events_exclude: trail.data_events_exclude.as_deref().unwrap_or_default(),
            of_log_buckets: trail
                .log_bucket_events
                .iter()
                .map(|events| OfLogBucketsContext { title: events.title(), names: events.names(), arns: &events.arns })
                .collect(),
            deletion: deletion(trail.adopt),
            adopted: trail.adopt,
        }
    }
}
