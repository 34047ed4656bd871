//! The file of one Region in an account's module: its log buckets, the logging of its sources, its trails.
//!
//! `RegionContext` is the contract of `terraform/region.tf`. No field is ever absent; an empty text or list means none.

use super::{Module, MonitoringContext, label, names::file_stem, trail_label};
use crate::{
    aws::{ACCESS_LOG_TYPE, arn},
    plan::{
        KeyFormat, LogBucket, Placement, Source, Trail,
        copies::{ROLE_DESCRIPTION, RULE, trust},
        lifecycle::{self, S3Rule},
        monitoring::{BUS_TARGET_ID, TARGET_ID},
        vended::Vended,
    },
    render::scanners::{Scanner, Skip, of_bucket, of_trail, skips},
    text,
};
use anyhow::{Result, bail};
use indexmap::IndexMap;
use serde::{Serialize, Serializer};

/// Contract of `terraform/region.tf`, and of `terraform/where.tf`, which it includes in each resource.
#[derive(Debug, Serialize)]
pub(crate) struct RegionContext<'a> {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// True with provider 6: resources name their Region. False with provider 5: they name the provider `region_label`.
    pub region_per_resource: bool,
    /// True in a module that a root calls: resources name neither, and what is made first waits for the check of `terraform/here.tf`.
    pub is_called: bool,
    /// Where the import blocks are of what existed before, for a comment.
    pub imports: &'static str,
    /// Region name.
    pub region: String,
    /// The Region as an identifier: label of the sources' logging, alias of the provider.
    pub region_label: String,
    /// The log buckets.
    pub buckets: Vec<Bucket<'a>>,
    /// The role with which S3 copies log buckets of the Region to the archive: none or one.
    pub roles: Vec<RoleContext<'a>>,
    /// The log buckets that are copied.
    pub copies: Vec<Copy<'a>>,
    /// What CloudWatch Logs delivers to the archive: none or one.
    pub vended: Vec<VendedContext<'a>>,
    /// All sources, by key format and by who sets their logging.
    pub groups: Vec<Group<'a>>,
    /// The groups whose logging is set here.
    pub logged: Vec<Logged>,
    /// True if `logged` has more than one key format.
    pub mixed: bool,
    /// Address of the setting that is made last of the trails' own bucket, where that logs, too: none or one.
    pub own: Vec<String>,
    /// Label of the bucket that the sources log to; empty without sources.
    pub target_label: String,
    /// Resource type of the setting of that bucket that is made last.
    pub target_last: &'static str,
    /// The trails whose home is here.
    pub trails: Vec<TrailContext>,
    /// What is published and watched here.
    pub monitoring: MonitoringContext,
    /// Id of the target of each rule.
    pub target_id: &'static str,
    /// Id of the other one, if there is a bus for the alerts of all.
    pub bus_target_id: &'static str,
}

/// A selector of events of the objects of log buckets.
#[derive(Debug, Serialize)]
pub(crate) struct OfLogBucketsContext {
    /// Its name.
    pub title: &'static str,
    /// Names of the events; none for all that read.
    pub names: Vec<&'static str>,
    /// Beginnings of the ARNs of their objects.
    pub arns: Vec<String>,
}

/// The role with which S3 copies log buckets of a Region to the archive.
#[derive(Debug, Serialize)]
pub(crate) struct RoleContext<'a> {
    /// Resource label of the role and its policy.
    pub label: String,
    /// Name of the role.
    pub name: &'a str,
    /// What it is for.
    pub description: &'static str,
    /// Who may assume it, as JSON.
    pub trust: String,
    /// Name of its inline policy.
    pub policy_name: &'static str,
    /// Its inline policy, as JSON.
    pub policy: String,
    /// Tags by key.
    pub tags: IndexMap<String, String>,
}

/// A log bucket that is copied to the archive.
#[derive(Debug, Serialize)]
pub(crate) struct Copy<'a> {
    /// Label of the bucket.
    pub label: String,
    /// Resource type of the setting of it that is made last.
    pub last: String,
    /// Id of the rule.
    pub id: &'static str,
    /// ARN of the archive.
    pub archive_arn: &'a str,
    /// KMS key of the copies; empty for none.
    pub kms_key_arn: &'a str,
    /// Address of the archive's versioning, if it is in this module; else empty.
    pub archive: String,
    /// Key of the archive's account, if that is another one; else empty.
    pub first: &'a str,
}

/// What CloudWatch Logs delivers from a Region to the archive.
#[derive(Debug, Serialize)]
pub(crate) struct VendedContext<'a> {
    /// The archive as a destination, if it is of this account: none or one.
    pub destinations: Vec<DestinationContext<'a>>,
    /// ARN of the destination of the deliveries.
    pub destination_arn: &'a str,
    /// Key of the archive's account, if that is another one; else empty.
    pub first: &'a str,
    /// The log type of all.
    pub log_type: &'static str,
    /// The sources whose logs are delivered.
    pub sources: Vec<VendedSourceContext<'a>>,
    /// Tags by key.
    pub tags: IndexMap<String, String>,
}

/// The archive as a destination of deliveries.
#[derive(Debug, Serialize)]
pub(crate) struct DestinationContext<'a> {
    /// Its name.
    pub name: &'a str,
    /// Name of the archive.
    pub bucket: &'a str,
    /// ARN of the archive.
    pub bucket_arn: &'a str,
    /// `json` or `parquet`.
    pub format: &'static str,
    /// Who of other accounts may deliver, as JSON; empty for nobody.
    pub policy: String,
    /// Address of the archive's policy, if it is in this module; else empty.
    pub archive: String,
}

/// A source whose logs are delivered.
#[derive(Debug, Serialize)]
pub(crate) struct VendedSourceContext<'a> {
    /// Resource label of the bucket.
    pub label: String,
    /// Name of the delivery source.
    pub name: &'a str,
    /// ARN of the bucket.
    pub arn: String,
    /// Addresses that come first.
    pub before: Vec<String>,
}

/// A log bucket.
#[derive(Debug, Serialize)]
pub(crate) struct Bucket<'a> {
    /// Resource label of the bucket and all its settings.
    pub label: String,
    /// Bucket name.
    pub name: String,
    /// What it takes, for a comment.
    pub takes: &'static str,
    /// True if it existed before.
    pub adopted: bool,
    /// True if it is made in the account regional namespace.
    pub account_regional: bool,
    /// Tags by key.
    pub tags: IndexMap<String, String>,
    /// True: enabled. False: suspended.
    pub versioning: bool,
    /// True if it has Object Lock.
    pub object_lock: bool,
    /// Retention mode; empty without Object Lock.
    pub object_lock_mode: String,
    /// Days of retention; 0 without Object Lock.
    pub object_lock_days: u32,
    /// Path of the policy below the module, harmless in a string of any language.
    pub policy_file: String,
    /// Lifecycle rules; none where other code sets them.
    pub rules: Vec<S3Rule<'a>>,
    /// Resource type of the setting that is made last.
    pub last: &'static str,
    /// Checkov's checks that don't fit the bucket.
    pub checkov: Vec<Skip>,
    /// Checkov's checks that don't fit its lifecycle.
    pub checkov_lifecycle: Vec<Skip>,
    /// Trivy's checks that don't fit the bucket.
    pub trivy: Vec<Skip>,
    /// Trivy's checks that don't fit its encryption.
    pub trivy_encryption: Vec<Skip>,
    /// Trivy's checks that don't fit its versioning.
    pub trivy_versioning: Vec<Skip>,
}

/// Sources with the same key format whose logging is set by the same hand.
#[derive(Debug, Serialize)]
pub(crate) struct Group<'a> {
    /// The local value that holds them, an identifier.
    pub local: String,
    /// Label of the bucket that they log to.
    pub bucket_label: String,
    /// False: other code sets their logging.
    pub managed: bool,
    /// `EventTime` or `DeliveryTime`; empty for the simple key format.
    pub date_source: &'static str,
    /// How keys are laid out, for a comment.
    pub layout: String,
    /// Source bucket → prefix.
    #[serde(serialize_with = "prefixes")]
    pub prefixes: Vec<&'a Source>,
}

/// A group whose logging is set here.
#[derive(Debug, Serialize)]
pub(crate) struct Logged {
    /// The local value that holds it, an identifier.
    pub local: String,
    /// `EventTime` or `DeliveryTime`; empty for the simple key format.
    pub date_source: &'static str,
}

fn prefixes<S: Serializer>(sources: &[&Source], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sources.iter().map(|source| (&source.name, &*source.prefix)))
}

/// A trail.
#[derive(Debug, Serialize)]
pub(crate) struct TrailContext {
    /// Resource label.
    pub label: String,
    /// Trail name.
    pub name: String,
    /// What it records, for a comment.
    pub about: &'static str,
    /// Name of the bucket it delivers to.
    pub bucket: String,
    /// Label of that bucket; empty if it is another account's.
    pub bucket_label: String,
    /// Key prefix; may be empty.
    pub prefix: String,
    /// KMS key, or empty.
    pub kms_key_arn: String,
    /// True if digest files are delivered.
    pub log_file_validation: bool,
    /// True if it records all Regions.
    pub multi_region: bool,
    /// True if it records all accounts of the organization.
    pub organization: bool,
    /// ARN of the log group that gets its events too, or empty.
    pub log_group: String,
    /// ARN of the role that writes to it.
    pub log_role: String,
    /// Name or ARN of the topic that gets a message for each file, or empty.
    pub topic: String,
    /// Insights, as CloudTrail's API names them.
    pub insights: Vec<&'static str>,
    /// True if it has selectors.
    pub selectors: bool,
    /// True if it records management events.
    pub management: bool,
    /// Value of `readOnly` of its management events, or empty for both.
    pub read_only: &'static str,
    /// Services whose management events are left out.
    pub excluded_sources: Vec<&'static str>,
    /// True if it records S3 data events.
    pub data_events: bool,
    /// Beginnings of object ARNs that are left out of the data events.
    pub exclude: Vec<String>,
    /// Selectors of events of the objects of log buckets.
    pub of_log_buckets: Vec<OfLogBucketsContext>,
    /// True if it existed before.
    pub adopted: bool,
    /// Tags; none for one that existed before, which keeps its own.
    pub tags: IndexMap<String, String>,
    /// Arguments that stay as they are on an adopted trail.
    pub kept: Vec<&'static str>,
    /// Checkov's checks that don't fit.
    pub checkov: Vec<Skip>,
    /// Trivy's checks that don't fit.
    pub trivy: Vec<Skip>,
}

/// The arguments of `aws_cloudtrail` that stay as they are on an adopted trail: what the map says nothing of. Its selectors replace all
/// others, so those stay only where it has none.
fn kept(trail: &Trail) -> Vec<&'static str> {
    let arguments: [(&[&str], bool); 5] = [
        (&["cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn"], trail.log_group.is_some()),
        (&["sns_topic_name"], trail.topic.is_some()),
        (&["insight_selector"], !trail.insights.is_empty()),
        (&["tags", "tags_all"], false),
        (&["event_selector", "advanced_event_selector"], trail.selects()),
    ];
    arguments.into_iter().filter(|(_, said)| !said).flat_map(|(names, _)| names.iter().copied()).collect()
}

impl Module<'_> {
    pub(super) fn region<'a>(&self, placement: &'a Placement) -> Result<RegionContext<'a>> {
        let groups = groups(placement)?;
        let logged = |group: &Group<'_>| Logged { local: group.local.clone(), date_source: group.date_source };
        let logged: Vec<Logged> = groups.iter().filter(|group| group.managed).map(logged).collect();
        Ok(RegionContext {
            header: self.header.clone(),
            region_per_resource: self.region_per_resource(),
            is_called: self.is_called(),
            imports: if self.is_called() { "import blocks of the root" } else { "imports.tf" },
            region: placement.region.clone(),
            region_label: label(&placement.region),
            buckets: placement.buckets.iter().map(|found| bucket(found, placement)).collect(),
            roles: placement
                .replication_role
                .iter()
                .map(|role| RoleContext {
                    label: label(&role.name),
                    name: &role.name,
                    description: ROLE_DESCRIPTION,
                    trust: text::json(&trust()),
                    policy_name: role.policy_name,
                    policy: text::json(&role.policy),
                    tags: self.cx.plan().render.tags.clone(),
                })
                .collect(),
            copies: placement.buckets.iter().filter_map(|bucket| self.copy(bucket, placement)).collect(),
            vended: placement.vended.iter().map(|vended| self.vended(vended, placement)).collect(),
            mixed: logged.len() > 1,
            target_last: placement.access_log_bucket().map(last).unwrap_or_default(),
            own: placement
                .buckets
                .iter()
                .filter(|bucket| placement.logging_of(bucket).is_some_and(|source| source.managed))
                .map(|bucket| format!("{}.{}", last(bucket), label(&bucket.name)))
                .collect(),
            target_label: groups.first().map(|group| group.bucket_label.clone()).unwrap_or_default(),
            groups,
            logged,
            trails: placement.trails.iter().map(|trail| self.trail(trail, placement)).collect(),
            monitoring: MonitoringContext::new(placement, &self.cx.plan().render.tags),
            target_id: TARGET_ID,
            bus_target_id: BUS_TARGET_ID,
        })
    }

    /// How a log bucket is copied. An archive of the same module is waited for; another account's, or another module's, has to be there.
    fn copy<'a>(&self, bucket: &'a LogBucket, placement: &'a Placement) -> Option<Copy<'a>> {
        let copy = bucket.replication.as_ref()?;
        let in_module = |other: &&Placement| !self.is_called() || other.region == placement.region;
        let archive = self.account.placements.iter().filter(in_module).flat_map(|other| &other.buckets);
        let archive = archive.into_iter().find(|other| other.takes_copies);
        Some(Copy {
            label: label(&bucket.name),
            last: match &bucket.object_lock {
                Some(_) => format!("aws_s3_bucket_object_lock_configuration.{}", label(&bucket.name)),
                None => format!("{}.{}", last(bucket), label(&bucket.name)),
            },
            id: RULE,
            archive_arn: &copy.archive_arn,
            kms_key_arn: copy.kms_key_arn.as_deref().unwrap_or_default(),
            archive: archive.map_or_else(String::new, |archive| format!("aws_s3_bucket_versioning.{}", label(&archive.name))),
            first: if copy.archive_account == self.account.key { "" } else { &copy.archive_account },
        })
    }

    /// What is delivered from a Region. An archive of the same module is waited for; another account's, or another module's, has to be there.
    fn vended<'a>(&self, vended: &'a Vended, placement: &'a Placement) -> VendedContext<'a> {
        let in_module = |other: &&Placement| !self.is_called() || other.region == placement.region;
        let archive = self.account.placements.iter().filter(in_module).flat_map(|other| &other.buckets);
        let archive = archive.into_iter().find(|other| other.takes_copies);
        let region = label(&placement.region);
        let destination = vended.destination.as_ref();
        // a bucket that is made here, too, and what names the destination by its ARN come behind
        let mut before = match destination {
            Some(destination) => {
                let policy = if destination.policy.is_some() { "_policy" } else { "" };
                vec![format!("aws_cloudwatch_log_delivery_destination{policy}.{region}")]
            }
            None if self.is_called() => vec!["data.aws_caller_identity.here".to_owned(), "data.aws_region.here".to_owned()],
            None => Vec::new(),
        };
        let mut sources = Vec::new();
        for source in &vended.sources {
            let own = label(&source.bucket);
            if placement.buckets.iter().any(|bucket| bucket.name == source.bucket) {
                before.push(format!("aws_s3_bucket.{own}"));
            }
            let next = vec![format!("aws_cloudwatch_log_delivery.{own}")];
            sources.push(VendedSourceContext {
                name: &source.name,
                arn: arn::bucket(self.account.partition, &source.bucket),
                before: std::mem::replace(&mut before, next),
                label: own,
            });
        }
        VendedContext {
            destinations: destination
                .iter()
                .map(|destination| DestinationContext {
                    name: &destination.name,
                    bucket: arn::parse(&destination.bucket_arn).map_or("", |arn| arn.resource),
                    bucket_arn: &destination.bucket_arn,
                    format: vended.format,
                    policy: destination.policy.as_ref().map(text::json).unwrap_or_default(),
                    archive: archive.map_or_else(String::new, |archive| format!("aws_s3_bucket_policy.{}", label(&archive.name))),
                })
                .collect(),
            destination_arn: &vended.destination_arn,
            first: if vended.archive_account == self.account.key { "" } else { &vended.archive_account },
            log_type: ACCESS_LOG_TYPE,
            sources,
            tags: self.cx.plan().render.tags.clone(),
        }
    }

    fn trail(&self, trail: &Trail, placement: &Placement) -> TrailContext {
        let region = placement.region.as_str();
        let of_module = |name: &str| !self.is_called() || placement.buckets.iter().any(|bucket| bucket.name == name);
        let here = trail.bucket_account == self.account.key && of_module(&trail.bucket);
        let so = of_trail(trail);
        TrailContext {
            label: trail_label(&trail.name, region),
            name: trail.name.clone(),
            about: match (trail.organization, trail.multi_region) {
                (true, true) => "All Regions of all accounts of the organization.",
                (true, false) => "This Region, in all accounts of the organization.",
                (false, true) => "All Regions of this account.",
                (false, false) => "This Region of this account.",
            },
            bucket: trail.bucket.clone(),
            bucket_label: if here { label(&trail.bucket) } else { String::new() },
            prefix: trail.prefix.clone(),
            kms_key_arn: trail.kms_key_arn.clone().unwrap_or_default(),
            log_file_validation: trail.log_file_validation,
            multi_region: trail.multi_region,
            organization: trail.organization,
            log_group: trail.log_group.as_ref().map_or_else(String::new, |group| group.arn.clone()),
            log_role: trail.log_group.as_ref().map_or_else(String::new, |group| group.role_arn.clone()),
            topic: trail.topic.as_ref().map_or_else(String::new, |topic| topic.name.clone()),
            insights: trail.insights.iter().map(|insight| insight.api()).collect(),
            selectors: trail.selects(),
            management: trail.records_management(),
            read_only: trail.read_only().unwrap_or_default(),
            excluded_sources: trail.excluded_event_sources.iter().map(|source| source.word()).collect(),
            data_events: trail.data_events_exclude.is_some(),
            exclude: trail.data_events_exclude.clone().unwrap_or_default(),
            of_log_buckets: trail
                .log_bucket_events
                .iter()
                .map(|events| OfLogBucketsContext {
                    title: events.title(),
                    names: events.names().to_vec(),
                    arns: events.arns.clone(),
                })
                .collect(),
            adopted: trail.adopt,
            tags: if trail.adopt { IndexMap::new() } else { self.cx.plan().render.tags.clone() },
            kept: kept(trail),
            checkov: skips(Scanner::Checkov, "aws_cloudtrail", &so),
            trivy: skips(Scanner::Trivy, "aws_cloudtrail", &so),
        }
    }
}

/// Path of a bucket's policy below the module.
pub(super) fn policy_file(bucket: &LogBucket) -> String {
    format!("policies/{}.json", file_stem(&bucket.name))
}

/// The sources of a Region by key format and by who sets their logging, in a fixed order; empty groups left out.
///
/// Groups only keep the file short: all managed sources are in one resource, so that a source which changes its key
/// format is changed in place. In two resources it would be destroyed in one and created in the other, in any order.
pub(super) fn groups(placement: &Placement) -> Result<Vec<Group<'_>>> {
    if placement.sources.is_empty() {
        return Ok(Vec::new());
    }
    let Some(target) = placement.access_log_bucket() else {
        bail!("the plan has sources in {} but no bucket for their access logs; this is a bug in logmap", placement.region);
    };
    let mut groups = Vec::new();
    for managed in [true, false] {
        for (format, name) in [
            (KeyFormat::PartitionedEventTime, "event_time"),
            (KeyFormat::PartitionedDeliveryTime, "delivery_time"),
            (KeyFormat::Simple, "simple"),
        ] {
            let member = |source: &&Source| source.managed == managed && source.key_format == format;
            let prefixes: Vec<&Source> = placement.sources.iter().filter(member).collect();
            if !prefixes.is_empty() {
                let hand = if managed { "sources" } else { "external" };
                groups.push(Group {
                    local: format!("{hand}_{}_{name}", label(&placement.region)),
                    bucket_label: label(&target.name),
                    managed,
                    date_source: format.partition_date_source().unwrap_or_default(),
                    layout: match format {
                        KeyFormat::Simple => format.layout().to_owned(),
                        _ => format!("laid out {}", format.layout()),
                    },
                    prefixes,
                });
            }
        }
    }
    Ok(groups)
}

/// Resource type of the setting of a bucket that is made last, beside Object Lock: S3 takes one after the other.
pub(super) fn last(bucket: &LogBucket) -> &'static str {
    if bucket.lifecycle.is_empty() { "aws_s3_bucket_versioning" } else { "aws_s3_bucket_lifecycle_configuration" }
}

fn bucket<'a>(bucket: &'a LogBucket, placement: &Placement) -> Bucket<'a> {
    let so = of_bucket(bucket, placement);
    Bucket {
        checkov: skips(Scanner::Checkov, "aws_s3_bucket", &so),
        checkov_lifecycle: skips(Scanner::Checkov, "aws_s3_bucket_lifecycle_configuration", &so),
        trivy: skips(Scanner::Trivy, "aws_s3_bucket", &so),
        trivy_encryption: skips(Scanner::Trivy, "aws_s3_bucket_server_side_encryption_configuration", &so),
        trivy_versioning: skips(Scanner::Trivy, "aws_s3_bucket_versioning", &so),
        label: label(&bucket.name),
        name: bucket.name.clone(),
        takes: match (bucket.takes_access_logs, bucket.takes_trails) {
            _ if bucket.takes_copies => "copies of what other log buckets get, and nothing else",
            (true, false) => "the S3 access logs of this account and Region",
            (true, true) => "the S3 access logs of this account and Region, and trails",
            (false, _) => "trails",
        },
        adopted: bucket.adopt.is_some(),
        account_regional: bucket.made_account_regional(),
        tags: bucket.tags.clone(),
        versioning: bucket.versioning,
        object_lock: bucket.object_lock.is_some(),
        object_lock_mode: bucket.object_lock.as_ref().map(|lock| lock.mode.clone()).unwrap_or_default(),
        object_lock_days: bucket.object_lock.as_ref().map(|lock| lock.days).unwrap_or_default(),
        policy_file: policy_file(bucket),
        last: last(bucket),
        rules: lifecycle::s3_rules(&bucket.lifecycle).collect(),
    }
}
