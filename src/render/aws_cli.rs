//! AWS CLI: one bash script for each account and Region, one that runs them all, and the preflight check for Terraform.
//!
//! Takes the plan, gives scripts. What a script does is in the template `aws-cli/library.sh`, which stands once, in `aws-cli/lib/`;
//! here the plan becomes tables of words and JSON documents, which land in the script as single-quoted words.

use super::{Context, Sink, engine::Engine};
use crate::{
    artifacts::Artifact,
    aws::arn,
    plan::{
        Account, LogBucket, Placement, RenderSettings, Source, Trail, alike,
        copies::{ROLE_DESCRIPTION, trust},
        lifecycle::{self, S3Rule},
        monitoring::{CONFIG_RULE_DESCRIPTION, LOGGING_PARAMETER_DESCRIPTION, Monitoring},
    },
    text,
};
use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

/// The templates.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    (REGION, include_str!("../../templates/aws-cli/region.sh")),
    ("aws-cli/find-library.sh", include_str!("../../templates/aws-cli/find-library.sh")),
    ("aws-cli/library.sh", include_str!("../../templates/aws-cli/library.sh")),
    ("aws-cli/monitoring.sh", include_str!("../../templates/aws-cli/monitoring.sh")),
    ("aws-cli/copies.sh", include_str!("../../templates/aws-cli/copies.sh")),
    ("aws-cli/vended.sh", include_str!("../../templates/aws-cli/vended.sh")),
    (STACK_CHECKS, include_str!("../../templates/aws-cli/stack.sh")),
    (LIBRARY, include_str!("../../templates/aws-cli/lib.sh")),
    (HELPER, include_str!("../../templates/aws-cli/helper.py")),
    ("aws-cli/lifecycle.py", include_str!("../../templates/aws-cli/lifecycle.py")),
    ("aws-cli/grants.py", include_str!("../../templates/aws-cli/grants.py")),
    ("aws-cli/trails.py", include_str!("../../templates/aws-cli/trails.py")),
    (MONITORING_HELPER, include_str!("../../templates/aws-cli/monitoring.py")),
    (RUN_ALL, include_str!("../../templates/aws-cli/run-all.sh")),
    (PREFLIGHT, include_str!("../../templates/aws-cli/preflight.sh")),
];

const REGION: &str = "aws-cli/region.sh";
const RUN_ALL: &str = "aws-cli/run-all.sh";
pub(super) const PREFLIGHT: &str = "aws-cli/preflight.sh";
pub(super) const STACK_CHECKS: &str = "aws-cli/stack.sh";

const LIBRARY: &str = "aws-cli/lib.sh";
const HELPER: &str = "aws-cli/helper.py";
const MONITORING_HELPER: &str = "aws-cli/monitoring.py";

/// What a Region's script expects of the library, as a number: raised only when scripts of before can't work with a new library,
/// or the other way round. A version or a digest would change every script with each release.
pub(super) const INTERFACE: u32 = 2;

/// About what a script has beside its sources.
const SCRIPT_BYTES: usize = 10_000;

/// How many files the library is.
pub(crate) const LIBRARY_FILES: usize = 3;

/// Whose logging the scripts set.
const MANAGED: &str = "managed";

/// Contract of `aws-cli/region.sh`.
#[derive(Debug, Serialize)]
struct ScriptContext<'a> {
    /// Header lines.
    header: Vec<String>,
    /// Key of the account.
    account_key: &'a str,
    /// Twelve digits.
    account_id: &'a str,
    /// Region name.
    region: &'a str,
    /// AWS CLI profile; empty for none.
    profile: &'a str,
    /// ARN of the role to assume; empty for none.
    role_arn: &'a str,
    /// `yes` if a source's keys are partitioned, which old CLIs can't say; else empty.
    needs_key_format: &'static str,
    /// `yes` if a bucket is to be made in the account regional namespace; else empty.
    needs_namespace: &'static str,
    /// The log buckets.
    buckets: Vec<BucketRow<'a>>,
    /// The source buckets.
    sources: Vec<SourceRows<'a>>,
    /// The trails.
    trails: Vec<TrailRow<'a>>,
    /// What is published and watched.
    monitors: Vec<MonitorRow<'a>>,
    /// The role with which S3 copies log buckets to the archive: none or one.
    roles: Vec<RoleRow<'a>>,
    /// The log buckets that are copied.
    copies: Vec<CopyRow<'a>>,
    /// What CloudWatch Logs delivers to the archive: none or one.
    vended: Vec<VendedRow<'a>>,
    /// ARN of the topic of the alerts; empty for none.
    topic_arn: &'a str,
    /// Tags of everything that is made but for log buckets, as a JSON object; empty for none.
    tags: String,
    /// The library's interface that the script was made for.
    interface: u32,
}

/// Contract of `aws-cli/lib.sh`, `aws-cli/helper.py` and `aws-cli/monitoring.py`.
#[derive(Debug, Serialize)]
struct LibraryContext {
    /// True: the helpers are files of their own, not a part of the library.
    apart: bool,
    /// True: it is the one of the checks before stacks are deployed.
    stacks: bool,
    /// What scripts expect of it.
    interface: u32,
}

/// The role with which S3 copies log buckets to the archive.
#[derive(Debug, Serialize)]
struct RoleRow<'a> {
    /// Its name.
    name: &'a str,
    /// Its ARN.
    arn: &'a str,
    /// Who may assume it, as JSON.
    trust: String,
    /// Name of its inline policy.
    policy_name: &'static str,
    /// Its inline policy, as JSON.
    policy: String,
    /// What it is for.
    description: &'static str,
}

/// A log bucket that is copied to the archive.
#[derive(Debug, Serialize)]
struct CopyRow<'a> {
    /// Bucket name.
    name: &'a str,
    /// Argument of `put-bucket-replication`.
    replication: String,
    /// Key of the account that has to be applied first, because it owns the archive; empty if it is this one.
    first: &'a str,
}

/// What CloudWatch Logs delivers to the archive.
#[derive(Debug, Serialize)]
struct VendedRow<'a> {
    /// The archive as a destination, if it is of this account: none or one.
    destinations: Vec<DestinationRow<'a>>,
    /// ARN of the destination of the deliveries.
    destination_arn: &'a str,
    /// Key of the account that has to be applied first, because it has the destination; empty if it is this one.
    first: &'a str,
    /// The sources whose logs are delivered.
    sources: Vec<VendedSourceRow<'a>>,
}

/// The archive as a destination of deliveries.
#[derive(Debug, Serialize)]
struct DestinationRow<'a> {
    /// Its name.
    name: &'a str,
    /// ARN of the archive.
    bucket_arn: &'a str,
    /// `json` or `parquet`.
    format: &'static str,
    /// Who of other accounts may deliver, as JSON; empty for nobody.
    policy: String,
}

/// A source whose logs are delivered.
#[derive(Debug, Serialize)]
struct VendedSourceRow<'a> {
    /// Name of the delivery source.
    name: &'a str,
    /// Bucket name.
    bucket: &'a str,
    /// ARN of the bucket.
    arn: String,
}

/// Something that is published or watched.
#[derive(Debug, Serialize)]
pub(super) struct MonitorRow<'a> {
    /// `parameter`, `topic`, `rule` or `config`.
    pub(super) kind: &'static str,
    /// Its name; the ARN of a topic.
    pub(super) name: &'a str,
    /// What it is to be, as JSON.
    pub(super) want: String,
}

/// A log bucket.
#[derive(Debug, Serialize)]
pub(super) struct BucketRow<'a> {
    /// Bucket name.
    pub(super) name: &'a str,
    /// `create` or `adopt`.
    pub(super) origin: &'static str,
    /// `global` or `account-regional`.
    pub(super) namespace: &'static str,
    /// `yes` or `no`.
    pub(super) takes_access_logs: &'static str,
    /// `Enabled` or `Suspended`.
    pub(super) versioning: &'static str,
    /// The bucket policy as compact JSON: the bytes that are sent.
    pub(super) policy: String,
    /// Argument of `put-bucket-lifecycle-configuration`; empty where other code sets the lifecycle rules.
    pub(super) lifecycle: String,
    /// Tags as a JSON object from key to value.
    pub(super) tags: String,
    /// Argument of `put-object-lock-configuration`; empty for none.
    pub(super) object_lock: String,
}

/// Source buckets, one after the other, that log to one destination and whose logging is set by the same hand.
#[derive(Debug, Serialize)]
pub(super) struct SourceRows<'a> {
    /// Bucket names, sorted.
    pub(super) names: Vec<&'a str>,
    /// `managed` or `external`.
    pub(super) by: &'static str,
    /// Argument of `put-bucket-logging`.
    pub(super) logging: String,
}

/// A trail.
#[derive(Debug, Serialize)]
pub(super) struct TrailRow<'a> {
    /// Name of the trail.
    pub(super) name: &'a str,
    /// `create` or `adopt`.
    pub(super) origin: &'static str,
    /// ARN of the trail, with its home Region.
    pub(super) arn: &'a str,
    /// Its settings as `get-trail` names them.
    pub(super) settings: String,
    /// Argument of `put-event-selectors --advanced-event-selectors`; empty for management events only.
    pub(super) selectors: String,
    /// Key of the account that has to be applied first, because it owns the bucket; empty if it is this one.
    pub(super) first: &'a str,
}

/// Contract of `aws-cli/run-all.sh`.
#[derive(Debug, Serialize)]
struct RunAllContext {
    /// Header lines.
    header: Vec<String>,
    /// Scripts in order, by their paths below `aws-cli/`.
    scripts: Vec<String>,
}

/// Contract of `aws-cli/preflight.sh`.
#[derive(Debug, Serialize)]
struct PreflightContext<'a> {
    /// Header lines.
    header: Vec<String>,
    /// Key of the account.
    account_key: &'a str,
    /// Twelve digits.
    account_id: &'a str,
    /// AWS CLI profile; empty for none.
    profile: &'a str,
    /// ARN of the role to assume; empty for none.
    role_arn: &'a str,
    /// A Region of the account, for the first calls.
    first_region: &'a str,
    /// True if each Region has a module of its own, in a folder of its name.
    is_called: bool,
    /// The Regions with an adopted bucket, or with sources that are set.
    placements: Vec<PreflightPlace<'a>>,
    /// The library's interface that the script was made for.
    interface: u32,
}

/// A Region where something is taken over.
#[derive(Debug, Serialize)]
struct PreflightPlace<'a> {
    /// Region name.
    region: &'a str,
    /// Its log buckets. Of those that are not adopted only the grants are looked at.
    buckets: Vec<BucketRow<'a>>,
    /// Source buckets that must exist.
    sources: Vec<SourceRows<'a>>,
    /// Trails, which may exist.
    trails: Vec<TrailRow<'a>>,
}

/// Renders the scripts of the accounts and Regions that were asked for, and their library; without filter also `run-all.sh`.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub(crate) fn render(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let engine = Engine::new(TEMPLATES, cx.overrides)?;
    for account in cx.accounts() {
        for placement in cx.placements(account) {
            let script = script(cx, account, placement);
            let rows = script.sources.iter().flat_map(|rows| rows.names.iter().map(|name| name.len() + rows.logging.len() + 20));
            engine.reserve(SCRIPT_BYTES + rows.sum::<usize>());
            let text = engine.render(REGION, &script)?;
            sink(Artifact::script(format!("aws-cli/{}", path(account, placement)), text))?;
        }
    }
    library("aws-cli", &engine, sink)?;
    // it is about all accounts, so a run for some leaves it alone
    if cx.filter.accounts.is_empty() && cx.filter.regions.is_empty() {
        let accounts = cx.plan().apply_order.iter().filter_map(|key| cx.plan().account(key));
        let scripts: Vec<String> =
            accounts.flat_map(|account| account.in_apply_order().map(|placement| path(account, placement))).collect();
        let context = RunAllContext { header: cx.header(&scripts), scripts };
        sink(Artifact::script("aws-cli/run-all.sh", engine.render(RUN_ALL, &context)?))?;
    }
    Ok(())
}

/// What the scripts of a folder share. No script works without it, so it is among the files whatever was asked for.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub(super) fn library(folder: &str, engine: &Engine, sink: &mut Sink<'_>) -> Result<()> {
    let context = LibraryContext { apart: true, stacks: folder == "cloudformation", interface: INTERFACE };
    for (file, template) in [("logmap.sh", LIBRARY), ("helper.py", HELPER), ("monitoring.py", MONITORING_HELPER)] {
        sink(Artifact::file(format!("{folder}/lib/{file}"), engine.render(template, &context)?))?;
    }
    Ok(())
}

/// Whether there is something that Terraform would take over: an adopted log bucket or trail, a source, which may log already, or the
/// name of a trail, which may be taken.
pub(super) fn takes_over(placement: &Placement) -> bool {
    placement.adopts() || !placement.trails.is_empty() || placement.sources.iter().any(|source| source.managed)
}

/// The checks to run before `terraform apply` of the accounts that take something over, and what they share.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub(crate) fn preflights(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let engine = Engine::new(TEMPLATES, cx.overrides)?;
    let mut any = false;
    for account in cx.accounts() {
        if let Some(artifact) = preflight(cx, account, &engine)? {
            sink(artifact)?;
            any = true;
        }
    }
    if any { library("terraform", &engine, sink) } else { Ok(()) }
}

/// The check of an account that takes something over; nothing for other accounts.
///
/// S3 replaces the whole setting where logging is put (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html),
/// and Terraform does not read what it creates.
///
/// # Errors
/// An overridden template fails.
fn preflight(cx: &Context<'_>, account: &Account, engine: &Engine) -> Result<Option<Artifact>> {
    let placements: Vec<PreflightPlace<'_>> = account
        .placements
        .iter()
        .filter(|placement| takes_over(placement))
        .map(|placement| PreflightPlace {
            region: &placement.region,
            buckets: placement.buckets.iter().map(taken_over_row).collect(),
            sources: managed_rows(placement),
            trails: placement.trails.iter().map(|trail| trail_row(&account.key, trail)).collect(),
        })
        .collect();
    let Some(first) = placements.first() else { return Ok(None) };
    let context = PreflightContext {
        header: cx.header(&cx.digests.account(account)),
        account_key: &account.key,
        account_id: &account.id,
        profile: account.profile.as_deref().unwrap_or_default(),
        role_arn: account.role_arn.as_deref().unwrap_or_default(),
        first_region: first.region,
        is_called: cx.plan().render.modules,
        placements,
        interface: INTERFACE,
    };
    let text = engine.render(PREFLIGHT, &context)?;
    Ok(Some(Artifact::script(format!("terraform/{}/preflight.sh", account.key), text)))
}

fn path(account: &Account, placement: &Placement) -> String {
    format!("{}/{}.sh", account.key, placement.region)
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "" }
}

/// The part of the plan that a script is made of: what its digest is taken from.
#[derive(Serialize)]
struct Slice<'a> {
    key: &'a str,
    id: &'a str,
    role_arn: &'a Option<String>,
    profile: &'a Option<String>,
    placement: String,
}

fn script<'a>(cx: &Context<'_>, account: &'a Account, placement: &'a Placement) -> ScriptContext<'a> {
    let slice = Slice {
        key: &account.key,
        id: &account.id,
        role_arn: &account.role_arn,
        profile: &account.profile,
        placement: cx.digests.placement(account, placement),
    };
    let partitioned = |source: &Source| source.managed && source.key_format.partition_date_source().is_some();
    ScriptContext {
        header: cx.header(&slice),
        account_key: &account.key,
        account_id: &account.id,
        region: &placement.region,
        profile: account.profile.as_deref().unwrap_or_default(),
        role_arn: account.role_arn.as_deref().unwrap_or_default(),
        needs_key_format: yes(placement.sources.iter().any(partitioned)),
        needs_namespace: yes(placement.buckets.iter().any(|bucket| bucket.account_regional)),
        buckets: placement.buckets.iter().map(bucket_row).collect(),
        sources: source_rows(placement),
        trails: placement.trails.iter().map(|trail| trail_row(&account.key, trail)).collect(),
        monitors: monitor_rows(&placement.monitoring),
        roles: placement
            .replication_role
            .iter()
            .map(|role| RoleRow {
                name: &role.name,
                arn: &role.arn,
                trust: text::json(&trust()),
                policy_name: role.policy_name,
                policy: text::json(&role.policy),
                description: ROLE_DESCRIPTION,
            })
            .collect(),
        copies: placement
            .buckets
            .iter()
            .filter_map(|bucket| {
                let copy = bucket.replication.as_ref()?;
                let first = if copy.archive_account == account.key { "" } else { &copy.archive_account };
                Some(CopyRow { name: &bucket.name, replication: text::json(&copy.configuration()), first })
            })
            .collect(),
        vended: placement
            .vended
            .iter()
            .map(|vended| VendedRow {
                destinations: vended
                    .destination
                    .iter()
                    .map(|destination| DestinationRow {
                        name: &destination.name,
                        bucket_arn: &destination.bucket_arn,
                        format: vended.format,
                        policy: destination.policy.as_ref().map(text::json).unwrap_or_default(),
                    })
                    .collect(),
                destination_arn: &vended.destination_arn,
                first: if vended.archive_account == account.key { "" } else { &vended.archive_account },
                sources: vended
                    .sources
                    .iter()
                    .map(|source| VendedSourceRow {
                        name: &source.name,
                        bucket: &source.bucket,
                        arn: arn::bucket(account.partition, &source.bucket),
                    })
                    .collect(),
            })
            .collect(),
        topic_arn: placement.monitoring.alerts.as_ref().map_or("", |alerts| &alerts.topic_arn),
        tags: tags(&cx.plan().render),
        interface: INTERFACE,
    }
}

/// The tags of everything that is made, as the library takes them; empty for none.
pub(super) fn tags(render: &RenderSettings) -> String {
    if render.tags.is_empty() { String::new() } else { text::json(&render.tags) }
}

/// In the order in which they are made: what publishes comes after what is published to.
pub(super) fn monitor_rows(monitoring: &Monitoring) -> Vec<MonitorRow<'_>> {
    let row = |kind, name, want: Value| MonitorRow { kind, name, want: text::json(&want) };
    let mut rows = Vec::new();
    if let Some(parameter) = &monitoring.parameter {
        rows.push(row("parameter", &parameter.name, json!({ "Type": "String", "Value": parameter.value })));
    }
    if let Some(parameter) = &monitoring.logging_parameter {
        let want = json!({ "Description": LOGGING_PARAMETER_DESCRIPTION, "Type": "String", "Value": parameter.value });
        rows.push(row("parameter", &parameter.name, want));
    }
    for alerts in monitoring.alerts.iter() {
        rows.push(MonitorRow { kind: "topic", name: &alerts.topic_arn, want: alerts.policy.to_json() });
        rows.extend(alerts.rules.iter().map(|rule| {
            let mut want = json!({ "Description": rule.description, "EventPattern": rule.pattern, "State": "ENABLED" });
            if let Some(message) = &rule.message {
                want["InputTransformer"] = message.to_value();
            }
            if let Some(bus) = &alerts.bus {
                want["Bus"] = bus.to_value();
            }
            row("rule", &rule.name, want)
        }));
    }
    if let Some(rule) = &monitoring.config_rule {
        let want = json!({
            "ConfigRuleName": rule.name,
            "Description": CONFIG_RULE_DESCRIPTION,
            "InputParameters": { "targetBucket": rule.target_bucket },
            "Scope": { "ComplianceResourceTypes": ["AWS::S3::Bucket"] },
            "Source": { "Owner": "AWS", "SourceIdentifier": "S3_BUCKET_LOGGING_ENABLED" },
        });
        rows.push(row("config", &rule.name, want));
    }
    rows
}

pub(super) fn bucket_row(bucket: &LogBucket) -> BucketRow<'_> {
    let rules: Vec<Value> = lifecycle::s3_rules(&bucket.lifecycle).map(|rule| lifecycle_rule(&rule)).collect();
    let lock = bucket.object_lock.as_ref().map(|lock| {
        text::json(
            &json!({ "ObjectLockEnabled": "Enabled", "Rule": { "DefaultRetention": { "Mode": lock.mode, "Days": lock.days } } }),
        )
    });
    BucketRow {
        name: &bucket.name,
        // one that was retired once may have been deleted since; a script sees it
        origin: if bucket.adopt.as_ref().is_some_and(|adopt| !adopt.returned) { "adopt" } else { "create" },
        namespace: if bucket.account_regional { "account-regional" } else { "global" },
        takes_access_logs: if bucket.takes_access_logs { "yes" } else { "no" },
        versioning: if bucket.versioning { "Enabled" } else { "Suspended" },
        policy: bucket.policy.to_json(),
        lifecycle: if rules.is_empty() { String::new() } else { text::json(&json!({ "Rules": rules })) },
        tags: text::json(&bucket.tags),
        object_lock: lock.unwrap_or_default(),
    }
}

/// A lifecycle rule as the S3 API takes it.
fn lifecycle_rule(rule: &S3Rule<'_>) -> Value {
    let filter = match rule.larger_than_bytes {
        0 => json!({ "Prefix": rule.prefix }),
        bytes if rule.prefix.is_empty() => json!({ "ObjectSizeGreaterThan": bytes }),
        bytes => json!({ "And": { "Prefix": rule.prefix, "ObjectSizeGreaterThan": bytes } }),
    };
    let mut json = json!({ "ID": rule.id, "Status": "Enabled", "Filter": filter });
    let mut action = |name: &str, key: &str, days: u32| {
        if days > 0 {
            json[name] = json!({ key: days });
        }
    };
    action("Expiration", "Days", rule.expire_after_days);
    action("NoncurrentVersionExpiration", "NoncurrentDays", rule.noncurrent_expire_after_days);
    action("AbortIncompleteMultipartUpload", "DaysAfterInitiation", rule.abort_upload_after_days);
    if !rule.transitions.is_empty() {
        let steps = rule.transitions.iter().map(|to| json!({ "Days": to.after_days, "StorageClass": to.storage_class }));
        json["Transitions"] = steps.collect();
    }
    json
}

/// A log bucket for a check: one that comes back is taken over like one that others made.
pub(super) fn taken_over_row(bucket: &LogBucket) -> BucketRow<'_> {
    let row = bucket_row(bucket);
    BucketRow { origin: if bucket.adopt.is_some() { "adopt" } else { row.origin }, ..row }
}

/// Those sources whose logging is set from here and that must be there before; a log bucket that is made is not.
pub(super) fn managed_rows(placement: &Placement) -> Vec<SourceRows<'_>> {
    let made = |name: &str| placement.buckets.iter().any(|bucket| bucket.name == name && bucket.adopt.is_none());
    let rows = source_rows(placement).into_iter().filter(|rows| rows.by == MANAGED);
    rows.map(|mut rows| {
        rows.names.retain(|name| !made(name));
        rows
    })
    .filter(|rows| !rows.names.is_empty())
    .collect()
}

/// The sources for the scripts, in their order: most of a placement log to one destination, whose argument is made once.
fn source_rows(placement: &Placement) -> Vec<SourceRows<'_>> {
    let runs = alike(&placement.sources).map(|run| SourceRows {
        names: run.iter().map(|source| source.name.as_str()).collect(),
        by: if run[0].managed { MANAGED } else { "external" },
        logging: logging_status(&run[0]),
    });
    runs.collect()
}

/// Argument of `put-bucket-logging` for a source.
pub(super) fn logging_status(source: &Source) -> String {
    let mut enabled = json!({ "TargetBucket": source.log_bucket, "TargetPrefix": source.prefix });
    // simple keys are the default, and old CLIs can't say them
    if let Some(by) = source.key_format.partition_date_source() {
        enabled["TargetObjectKeyFormat"] = json!({ "PartitionedPrefix": { "PartitionDateSource": by } });
    }
    text::json(&json!({ "LoggingEnabled": enabled }))
}

pub(super) fn trail_row<'a>(account: &str, trail: &'a Trail) -> TrailRow<'a> {
    let mut settings = json!({
        "S3BucketName": trail.bucket,
        "S3KeyPrefix": trail.prefix,
        "IsMultiRegionTrail": trail.multi_region,
        "IncludeGlobalServiceEvents": true,
        "LogFileValidationEnabled": trail.log_file_validation,
        "KmsKeyId": trail.kms_key_arn.as_deref().unwrap_or_default(),
        "IsOrganizationTrail": trail.organization,
    });
    // what the map says nothing of is not looked at
    if let Some(group) = &trail.log_group {
        settings["CloudWatchLogsLogGroupArn"] = json!(group.arn);
        settings["CloudWatchLogsRoleArn"] = json!(group.role_arn);
    }
    if let Some(topic) = &trail.topic {
        settings["SnsTopicName"] = json!(topic.name);
        settings["SnsTopicARN"] = json!(topic.arn);
    }
    if let Some(insights) = insights(trail) {
        settings["InsightSelectors"] = insights;
    }
    TrailRow {
        name: &trail.name,
        origin: if trail.adopt { "adopt" } else { "create" },
        arn: &trail.arn,
        settings: text::json(&settings),
        selectors: trail.selectors().as_ref().map(text::json).unwrap_or_default(),
        first: if trail.bucket_account == account { "" } else { &trail.bucket_account },
    }
}

/// The Insights of a trail, as CloudTrail's API and CloudFormation take them.
pub(super) fn insights(trail: &Trail) -> Option<Value> {
    let selectors: Vec<Value> = trail.insights.iter().map(|insight| json!({ "InsightType": insight.api() })).collect();
    (!selectors.is_empty()).then(|| Value::Array(selectors))
}
