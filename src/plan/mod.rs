//! The plan: everything logmap derives from a region map, complete and in order.
//!
//! Renderers read it and nothing else. It is serialisable: its canonical JSON, slice by slice, is what the digests in
//! the headers of generated files are made of. Accounts are sorted by key, Regions, sources and trails by name.

pub(crate) mod central;
pub(crate) mod copies;
pub mod derive;
pub(crate) mod guardrails;
pub(crate) mod keys;
pub(crate) mod lifecycle;
pub(crate) mod monitoring;
pub(crate) mod names;
pub(crate) mod policy_cache;
pub mod prove;
mod record;
pub(crate) mod routes;
pub(crate) mod selectors;
mod stack_sets;
mod state;
pub(crate) mod statements;
pub(crate) mod vended;

use crate::{
    aws::Partition,
    policy::{
        Policy, Statement,
        compose::{CopyGrant, ReaderGrant, SenderGrant, TrailGrant},
    },
};
pub use crate::{map::KeyFormat, policy::compose::Tier};
pub(crate) use crate::{
    map::{
        EventSource, ExistingSetting, FunctionRuntime, Insight, ManagementEvents, TargetName, is_setting_name,
        values::{FunctionVpc, ObjectLock, RenderSettings, Transition},
    },
    policy::compose::PolicyReport,
};
pub(crate) use copies::{Archive, Replication, ReplicationRole};
use indexmap::IndexMap;
pub(crate) use lifecycle::LifecycleRule;
pub(crate) use record::{BucketRecord, Layout, LayoutRecord, TrailRecord};
use serde::{Serialize, Serializer};
pub(crate) use stack_sets::StackSetRecord;
use std::{borrow::Borrow, sync::Arc};

/// Everything that is to exist, account by account.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The accounts, sorted by key.
    pub accounts: Vec<Account>,
    /// Account keys in the order in which to apply: an account whose bucket takes another's trail comes first.
    pub apply_order: Vec<String>,
    /// What `render` says of the targets.
    pub render: RenderSettings,
    /// Key policy statements that a key's owner has to apply, one document for each trail and Region with a key.
    pub key_policies: Vec<KeyPolicy>,
    /// Ids of accounts of the map that are closed: nothing runs there any more. They change nothing that is rendered.
    #[serde(skip)]
    pub closed: Vec<String>,
    /// What the map asks for with `publish` and `monitoring`. `Placement::monitoring` has the result, therefore not part of
    /// the digest.
    #[serde(skip)]
    pub monitoring: monitoring::MonitoringSettings,
    /// What `guardrails` asks for. They hang on all accounts, so no digest is made of them.
    #[serde(skip)]
    pub guardrail_settings: Option<guardrails::GuardrailSettings>,
    /// The archive that logs are copied to, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
    /// What the bus for the alerts of all has to let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<monitoring::BusPolicy>,
    /// Key of the management account, if the map names it: no guardrail binds it. It changes nothing that is rendered.
    #[serde(skip)]
    pub management_account: Option<String>,
    /// The guardrails of each partition.
    #[serde(skip)]
    pub guardrails: Vec<guardrails::Guardrails>,
    /// The account from which the logs of all are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub central: Option<central::Central>,
    /// The targets that the map names; `None` for all. Policies of roles have a part for each.
    #[serde(skip)]
    pub targets: Option<Vec<TargetName>>,
}

/// One account.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// Key in the map.
    pub key: String,
    /// Twelve digits.
    pub id: String,
    /// Partition of the account and of all its Regions.
    pub partition: Partition,
    /// ARN of the role that generated providers and scripts assume.
    pub role_arn: Option<String>,
    /// AWS CLI profile of the caller.
    pub profile: Option<String>,
    /// The Regions in which there is something to do, sorted by name.
    pub placements: Vec<Placement>,
}

/// One account in one Region: the unit in which scripts and stacks are made.
#[derive(Debug, Clone, Serialize)]
pub struct Placement {
    /// Region name.
    pub region: String,
    /// None, one, or (with `split_trails`) two log buckets, the one that takes access logs first; after them the archive, if it is here.
    pub buckets: Vec<LogBucket>,
    /// The source buckets here, sorted by name. They log to the bucket with `takes_access_logs`.
    #[serde(serialize_with = "runs")]
    pub sources: Vec<Source>,
    /// The trails whose home is this account and Region, sorted by name.
    pub trails: Vec<Trail>,
    /// VPC of the custom resource's function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_vpc: Option<FunctionVpc>,
    /// The role with which S3 copies the log buckets here to the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication_role: Option<ReplicationRole>,
    /// What CloudWatch Logs delivers from here to the archive, and its destination, if that is of this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vended: Option<vended::Vended>,
    /// What is published and watched here.
    #[serde(skip_serializing_if = "monitoring::Monitoring::is_empty")]
    pub monitoring: monitoring::Monitoring,
}

/// A bucket that takes access logs, trails or both.
#[derive(Debug, Clone, Serialize)]
pub struct LogBucket {
    /// Bucket name.
    pub name: String,
    /// Bucket ARN.
    pub arn: String,
    /// True if sources of this account and Region log to it.
    pub takes_access_logs: bool,
    /// True if a trail delivers to it.
    pub takes_trails: bool,
    /// True if it is the archive: it takes nothing but copies of what other log buckets get.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub takes_copies: bool,
    /// How S3 copies what it gets to the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<Replication>,
    /// Set when the bucket exists already: it is imported and brought to these settings, never created or deleted.
    pub adopt: Option<Adopt>,
    /// True if the map says that there is no such bucket (`adopt: false`), whatever earlier runs have made.
    #[serde(skip)]
    pub says_new: bool,
    /// True if its name is of the account regional namespace; the name then ends `-{account_id}-{region}-an`.
    pub account_regional: bool,
    /// True: versioning is enabled. False: suspended.
    pub versioning: bool,
    /// Set only on a bucket that takes no access logs.
    pub object_lock: Option<ObjectLock>,
    /// Tag keys and values, in the order of the keys.
    pub tags: IndexMap<String, String>,
    /// No prefix of one lies under another's; none where other code sets the lifecycle rules.
    pub lifecycle: Vec<LifecycleRule>,
    /// The bucket policy.
    pub policy: Policy,
    /// How the policy came to be and what it admits.
    pub report: PolicyReport,
    /// Result of the proof. Derived from the policy, therefore not part of the digest.
    #[serde(skip)]
    pub proof: prove::Proof,
    /// Key of policy and proof in the [`policy_cache::PolicyCache`]; `None` if it is disabled.
    #[serde(skip)]
    pub origin: Option<policy_cache::Origin>,
    /// What the policy was composed from beside the sources, for those who have to compose another one. No digest is made of it.
    #[serde(skip)]
    pub basis: Basis,
}

/// What a policy is composed from beside the sources.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// True with `policy_scope: account`.
    pub by_account: bool,
    /// The trails that deliver to the bucket.
    pub trails: Vec<TrailGrant>,
    /// The services that write logs of their own to the bucket.
    pub senders: Vec<SenderGrant>,
    /// Whom of another account it lets read.
    pub readers: Option<ReaderGrant>,
    /// Who copies logs to the bucket.
    pub copies: Vec<CopyGrant>,
    /// With a TLS-only deny.
    pub deny_insecure_transport: bool,
    /// The statements of the map, filled in.
    pub extra: Vec<Statement>,
    /// Id of the organization, if the map tells.
    pub organization_id: Option<String>,
    /// ARN of the role with which the account is deployed to, if the map tells.
    pub role_arn: Option<String>,
}

/// What exists on an adopted bucket.
#[derive(Debug, Clone, Serialize, Default)]
pub struct Adopt {
    /// The settings that exist on it and are to be imported beside the bucket; empty if none was named.
    pub existing: Vec<ExistingSetting>,
    /// True if the map does not say so: an earlier run retired the bucket, which was kept, and the map has it again. It has the policy
    /// that was kept with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
}

/// The later of two expiries; `None`, never, is the latest.
pub(crate) fn later(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// A source bucket.
#[derive(Debug, Clone)]
pub struct Source {
    /// Bucket name.
    pub name: String,
    /// Name of the log bucket it logs to: the one of its own account and Region.
    pub log_bucket: Arc<str>,
    /// Prefix of its log objects' keys, as S3 is told it: ending in `/` or empty, unless the map has it exactly as it was before.
    pub prefix: Arc<str>,
    /// How S3 lays out the keys after the prefix.
    pub key_format: KeyFormat,
    /// False: someone else's code sets its logging; it is granted and checked, but not set.
    pub managed: bool,
    /// True for the trails' own bucket of the placement, which logs like the sources of the map.
    pub is_log_bucket: bool,
}

/// Where a source's log objects go: its log bucket, the prefix of their keys, and how the keys go on.
pub(crate) type Destination<'a> = (&'a str, &'a str, KeyFormat);

impl Source {
    /// Where its log objects go.
    pub fn destination(&self) -> Destination<'_> {
        (&self.log_bucket, &self.prefix, self.key_format)
    }

    /// The folder below which it has a folder of its own, as with `simple`: its prefix without its name at the end.
    pub(crate) fn common_folder(&self) -> Option<&str> {
        self.prefix.strip_suffix('/')?.strip_suffix(&*self.name).filter(|rest| rest.is_empty() || rest.ends_with('/'))
    }
}

/// Sources, one after the other, that differ in their names only: most of a placement are one such run.
pub(crate) fn alike<S: Borrow<Source>>(sources: &[S]) -> impl Iterator<Item = &[S]> {
    let same = |one: &Source, next: &Source| (one.destination(), one.managed) == (next.destination(), next.managed);
    sources.chunk_by(move |one, next| same(one.borrow(), next.borrow()))
}

/// Sources as they go into a digest: what a run of them has in common once.
fn runs<S: Serializer>(sources: &[Source], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Run<'a> {
        destination: Destination<'a>,
        managed: bool,
        names: Vec<&'a str>,
    }
    serializer.collect_seq(alike(sources).map(|run| Run {
        destination: run[0].destination(),
        managed: run[0].managed,
        names: run.iter().map(|source| source.name.as_str()).collect(),
    }))
}

/// A trail, described where its home is.
#[derive(Debug, Clone, Serialize)]
pub struct Trail {
    /// Trail name.
    pub name: String,
    /// Its ARN: home Region and owning account in it.
    pub arn: String,
    /// Records all Regions of the partition.
    pub multi_region: bool,
    /// Records all accounts of the organization.
    pub organization: bool,
    /// Id of the organization, if it records all accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Name of the bucket it delivers to.
    pub bucket: String,
    /// Key of the account that owns that bucket.
    pub bucket_account: String,
    /// Region of that bucket.
    pub bucket_region: String,
    /// `S3KeyPrefix`, without slashes at its ends; empty for none.
    pub prefix: String,
    /// KMS key that encrypts its objects.
    pub kms_key_arn: Option<String>,
    /// Digest files are delivered.
    pub log_file_validation: bool,
    /// Set when S3 data events are recorded: the beginnings of object ARNs that are left out, so that no delivery
    /// makes an event of its own.
    pub data_events_exclude: Option<Vec<String>>,
    /// What is recorded of the objects of log buckets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log_bucket_events: Vec<selectors::OfLogBuckets>,
    /// Which management events it records.
    #[serde(skip_serializing_if = "Trail::is_all")]
    pub management_events: ManagementEvents,
    /// Services whose management events are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_event_sources: Vec<EventSource>,
    /// Unusual activity that CloudTrail looks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insights: Vec<Insight>,
    /// The log group that gets its events too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group: Option<LogGroup>,
    /// The topic that gets a message for each log file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// True if the trail exists already: it is imported and brought to these settings; what else it has stays.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adopt: bool,
}

impl Trail {
    pub(crate) fn is_all(events: &ManagementEvents) -> bool {
        *events == ManagementEvents::All
    }

    /// Does it record management events?
    pub(crate) fn records_management(&self) -> bool {
        self.management_events != ManagementEvents::None
    }

    /// Does it record anything else than all management events?
    pub(crate) fn selects(&self) -> bool {
        self.data_events_exclude.is_some()
            || !self.log_bucket_events.is_empty()
            || !Self::is_all(&self.management_events)
            || !self.excluded_event_sources.is_empty()
    }

    /// Value of the field `readOnly` of its management events; `None` for both.
    pub(crate) fn read_only(&self) -> Option<&'static str> {
        match self.management_events {
            ManagementEvents::ReadOnly => Some("true"),
            ManagementEvents::WriteOnly => Some("false"),
            ManagementEvents::All | ManagementEvents::None => None,
        }
    }
}

/// A log group of CloudWatch Logs, in the account and Region of its trail: CloudTrail takes no other account's
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogGroup {
    /// Its ARN with `:*` at the end, as CloudTrail's API has it.
    pub arn: String,
    /// ARN of the role that CloudTrail assumes.
    pub role_arn: String,
}

/// A topic that a trail sends messages to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Its name or ARN, as the map has it.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// The statements CloudTrail needs in a key policy.
#[derive(Debug, Clone, Serialize)]
pub struct KeyPolicy {
    /// File name without its ending, such as `audit` or `audit.eu-west-1`.
    pub file: String,
    /// ARN of the key.
    pub key_arn: String,
    /// The statements; the owner of the key merges them into its policy.
    pub policy: Policy,
}

#[cfg(test)]
impl Plan {
    /// Of these accounts, with nothing that a map may ask for beside them.
    pub(crate) fn bare(accounts: Vec<Account>, apply_order: Vec<String>, render: RenderSettings) -> Self {
        Plan {
            accounts,
            apply_order,
            render,
            key_policies: vec![],
            closed: vec![],
            monitoring: Default::default(),
            guardrail_settings: None,
            archive: None,
            bus: None,
            management_account: None,
            guardrails: vec![],
            central: None,
            targets: None,
        }
    }
}

impl Plan {
    /// The account with this key.
    pub fn account(&self, key: &str) -> Option<&Account> {
        Some(&self.accounts[position(&self.accounts, key)?])
    }

    /// Every placement with its account, in order.
    pub fn placements(&self) -> impl Iterator<Item = (&Account, &Placement)> {
        self.accounts.iter().flat_map(|account| account.placements.iter().map(move |placement| (account, placement)))
    }

    /// Every trail with its account, in order.
    pub(crate) fn trails(&self) -> impl Iterator<Item = (&Account, &Trail)> {
        self.placements().flat_map(|(account, placement)| placement.trails.iter().map(move |trail| (account, trail)))
    }
}

/// Where the account with this key stands among accounts that are sorted by key.
pub(crate) fn position(accounts: &[Account], key: &str) -> Option<usize> {
    accounts.binary_search_by(|account| account.key.as_str().cmp(key)).ok()
}

impl Trail {
    /// Where its files lie in the bucket: `[prefix/]AWSLogs/[organization/]`; behind it each account has a folder (CloudTrail user
    /// guide, "Finding your CloudTrail log files").
    pub fn folder(&self) -> String {
        let organization = self.organization_id.as_ref().filter(|id| !id.is_empty()).map_or(String::new(), |id| format!("{id}/"));
        let prefix = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        format!("{prefix}AWSLogs/{organization}")
    }
}

impl LogBucket {
    /// What it takes, for people.
    pub(crate) fn takes(&self) -> &'static str {
        match (self.takes_access_logs, self.takes_trails) {
            _ if self.takes_copies => "copies of logs",
            (true, true) => "access logs and trails",
            (true, false) => "access logs",
            _ => "trails",
        }
    }

    /// Is it to be made in the account regional namespace? One that exists is there or not already, and no target asks again.
    pub fn made_account_regional(&self) -> bool {
        self.account_regional && self.adopt.is_none()
    }
}

impl Account {
    /// The placements in the order in which to apply them: S3 refuses to copy to an archive that is not there.
    pub(crate) fn in_apply_order(&self) -> impl Iterator<Item = &Placement> {
        let archive = self.placements.iter().filter(|placement| placement.has_archive());
        archive.chain(self.placements.iter().filter(|placement| !placement.has_archive()))
    }
}

impl Placement {
    /// Is the archive here?
    pub(crate) fn has_archive(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.takes_copies)
    }

    /// The bucket the sources here log to.
    pub fn access_log_bucket(&self) -> Option<&LogBucket> {
        self.buckets.iter().find(|bucket| bucket.takes_access_logs)
    }

    /// Is one of its log buckets taken over because it was retired once?
    pub fn takes_back(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.adopt.as_ref().is_some_and(|adopt| adopt.returned))
    }

    /// How a log bucket of the placement logs itself: only the trails' own one does, to the one that takes access logs.
    pub(crate) fn logging_of(&self, bucket: &LogBucket) -> Option<&Source> {
        self.sources.iter().find(|source| source.is_log_bucket && source.name == bucket.name)
    }

    /// Does one of its log buckets or trails exist already?
    pub fn adopts(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.adopt.is_some()) || self.trails.iter().any(|trail| trail.adopt)
    }
}
