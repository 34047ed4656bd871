//! What others wrote, in one model: log configurations, buckets, bucket policies and trails, each value with its place.
//!
//! Readers fill it from Terraform plans and states, CloudFormation templates, bucket policies and dumps of the AWS CLI. A value
//! is known, unknown, or not said; texts may have [holes](hole). Judges nothing: `compare` does.

pub(crate) mod cloudformation;
pub(crate) mod config;
pub(crate) mod dumps;
mod foreign;
mod input;
pub(crate) mod json;
pub(crate) mod lifecycle;
mod listing;
mod live;
pub(crate) mod policy;
pub(crate) mod recognise;
mod selection;
mod serverless;
pub(crate) mod terraform;
pub(crate) mod vended;

pub(crate) use crate::hole;
use crate::{
    aws::Partition,
    source::{FileId, Span},
};
pub(crate) use input::{Fact, Ignored, Input, NotRead, Stack, Way};
use policy::PolicyDoc;
pub(crate) use selection::Selection;
use std::{collections::BTreeMap, sync::Arc};

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SourceLocation {
    /// The file.
    pub file: FileId,
    /// Byte range in the file.
    pub span: Span,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: SourceLocation,
}

impl<T> At<T> {
    /// Another value, made of this one, at the same place.
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> At<U> {
        At { value: make(self.value), place: self.place }
    }
}

/// A text that may have holes.
pub(crate) type Text = At<String>;

/// A setting as an input has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Setting<T> {
    /// The input says nothing: AWS's default, if the bucket is described there.
    #[default]
    Unsaid,
    /// It is set, to what can't be known here.
    Unknown(SourceLocation),
    /// It is set.
    Known(At<T>),
}

impl<T> Setting<T> {
    /// The value, if it is known.
    pub(crate) fn known(&self) -> Option<&At<T>> {
        match self {
            Setting::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Keeps what says more.
    pub(crate) fn merge(&mut self, other: Setting<T>) {
        match (&self, &other) {
            (Setting::Unsaid, _) | (Setting::Unknown(_), Setting::Known(_)) => *self = other,
            _ => {}
        }
    }
}

/// A bucket, as far as an input tells.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// What defines or names it.
    pub place: SourceLocation,
    /// Bucket name; may have holes.
    pub name: Text,
    /// Account id.
    pub account: Option<Text>,
    /// Region.
    pub region: Option<Text>,
    /// Its partition, where the Region is unknown and the input's ARNs tell.
    pub partition: Option<Partition>,
    /// Is it described as a whole, so that what is not said has AWS's default?
    pub defined: bool,
    /// Was each of its settings read from its account, so that what is not said is not there?
    pub read: bool,
    /// Does an input list it as one that exists?
    pub listed: bool,
    /// Is it to be created, and so has the defaults of new buckets?
    pub fresh: bool,
    /// Algorithm of the default encryption: `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub encryption: Setting<String>,
    /// KMS key of the default encryption: id, ARN or alias. Where the encryption is described and none is said, AWS's own.
    pub key: Setting<String>,
    /// Object Lock.
    pub object_lock: Setting<bool>,
    /// `Requester` or `BucketOwner`.
    pub payer: Setting<String>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred`, `ObjectWriter`.
    pub ownership: Setting<String>,
    /// Is there an ACL that lets the log delivery group in?
    pub log_delivery_acl: Setting<bool>,
    /// The bucket policy.
    pub policy: Setting<PolicyDoc>,
    /// Its lifecycle rules.
    pub lifecycle: Setting<lifecycle::Lifecycle>,
    /// Its tags, without those that AWS sets (`aws:…`).
    pub tags: Setting<BTreeMap<String, String>>,
    /// Policies that other resources of the same input set; each replaces all others.
    pub other_policies: Vec<PolicyDoc>,
}

impl Bucket {
    /// Its partition: its Region's, else what the input's ARNs tell, else the commercial one.
    pub(crate) fn partition(&self) -> Partition {
        let region = self.region.as_ref().filter(|region| !hole::has(&region.value));
        region.map(|region| Partition::of_region(&region.value)).or(self.partition).unwrap_or(Partition::Aws)
    }

    /// A bucket of which the name alone is known.
    pub(crate) fn named(name: Text, place: SourceLocation) -> Self {
        Bucket {
            place,
            name,
            account: None,
            region: None,
            partition: None,
            defined: false,
            read: false,
            listed: false,
            fresh: false,
            encryption: Setting::Unsaid,
            key: Setting::Unsaid,
            object_lock: Setting::Unsaid,
            payer: Setting::Unsaid,
            ownership: Setting::Unsaid,
            log_delivery_acl: Setting::Unsaid,
            policy: Setting::Unsaid,
            lifecycle: Setting::Unsaid,
            tags: Setting::Unsaid,
            other_policies: Vec::new(),
        }
    }

    /// Is all of it known, so that what is not said has AWS's default?
    pub(crate) fn is_whole(&self) -> bool {
        self.defined || self.read
    }

    /// Adds what another input tells of the same bucket.
    pub(crate) fn merge(&mut self, other: Bucket) {
        if other.defined && !self.defined {
            self.place = other.place;
            self.name = other.name;
        }
        let better = |mine: &mut Option<Text>, theirs: Option<Text>| {
            let known = |text: &Option<Text>| text.as_ref().is_some_and(|text| !hole::has(&text.value));
            if mine.is_none() || !known(mine) && known(&theirs) {
                *mine = theirs;
            }
        };
        better(&mut self.account, other.account);
        better(&mut self.region, other.region);
        self.partition = self.partition.or(other.partition);
        self.defined |= other.defined;
        self.listed |= other.listed;
        self.read |= other.read;
        self.fresh |= other.fresh;
        self.encryption.merge(other.encryption);
        self.key.merge(other.key);
        self.object_lock.merge(other.object_lock);
        self.payer.merge(other.payer);
        self.ownership.merge(other.ownership);
        self.log_delivery_acl.merge(other.log_delivery_acl);
        self.lifecycle.merge(other.lifecycle);
        self.tags.merge(other.tags);
        if let (Setting::Known(mine), Setting::Known(theirs)) = (&self.policy, &other.policy)
            && mine.place.file == theirs.place.file
            && mine.value.policy != theirs.value.policy
        {
            self.other_policies.push(theirs.value.clone());
        }
        self.other_policies.extend(other.other_policies);
        self.policy.merge(other.policy);
    }
}

/// Where a source bucket is to log to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// To the bucket of this name.
    Named(Text),
    /// None is named: CloudFormation takes the bucket itself.
    Omitted,
    /// It can't be known here.
    Unknown,
}

/// Access logging of one bucket.
#[derive(Debug, Clone)]
pub(crate) struct Logging {
    /// Where it is set.
    pub place: SourceLocation,
    /// Where it is defined, however its conditions turn out.
    pub anchor: SourceLocation,
    /// Name of the source bucket; nothing if the input does not tell.
    pub source: Option<Text>,
    /// Where it logs to.
    pub target: Target,
    /// Prefix of the keys.
    pub prefix: Setting<String>,
    /// Are the keys partitioned? Nothing if that is unknown.
    pub partitioned: Option<bool>,
    /// `PartitionDateSource` of partitioned keys, as it stands or by default; nothing if that is unknown.
    pub date_source: Option<String>,
    /// The Region that the setting itself is sent to, where it has one of its own.
    pub region: Option<Text>,
    /// Are there target grants?
    pub grants: Option<SourceLocation>,
    /// A key of the configuration that it can't have; empty if the configuration is a list.
    pub strange: Option<Text>,
}

/// What S3 takes for `PartitionDateSource` where it is not given. Source: S3 API reference, `PartitionedPrefix`.
pub(crate) const DEFAULT_DATE_SOURCE: &str = "EventTime";

/// A trail.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    /// Where its bucket is named.
    pub place: SourceLocation,
    /// Where it is defined, however its conditions turn out.
    pub anchor: SourceLocation,
    /// Name of the trail; may have holes.
    pub name: Text,
    /// Its ARN: home Region and account in it.
    pub arn: String,
    /// Is the ARN the one that AWS gave, and not made of what the input tells?
    pub arn_is_given: bool,
    /// The account that owns it.
    pub account: String,
    /// The bucket that it delivers to.
    pub bucket: Setting<String>,
    /// Prefix of the keys.
    pub prefix: Setting<String>,
    /// Is it an organization's?
    pub organization: Setting<bool>,
    /// KMS key.
    pub key: Setting<String>,
    /// Does it record all Regions?
    pub multi_region: Setting<bool>,
    /// Are digest files delivered?
    pub validation: Setting<bool>,
    /// Does it record its own deliveries, where it records events of their bucket's objects (CloudTrail API reference,
    /// `RecursiveLogging`)? So does one that does not say it.
    pub recursive: Setting<bool>,
    /// Its own event selectors, as far as an input tells.
    pub selectors: Option<Selection>,
    /// Does it log? An input that has no word for that says nothing.
    pub logging: Setting<bool>,
    /// What it has beside its files in S3.
    pub feeds: Feeds,
    /// Where what should make it wait for the bucket policy is missing: the place, and the policy's name.
    pub unordered: Option<At<String>>,
}

/// What a trail has beside its files in S3. An empty text is none (CloudTrail API reference, `Trail`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Feeds {
    /// ARN of the log group that takes its events.
    pub log_group: Option<Text>,
    /// ARN of the role by which it writes there.
    pub log_role: Option<Text>,
    /// The topic that hears of its files: its name or ARN.
    pub topic: Option<Text>,
    /// Where its Insights are told.
    pub insights: Option<SourceLocation>,
    /// Which ones, as the API spells them, where an input tells.
    pub insight_types: Vec<String>,
}

/// A KMS key, as far as an input tells.
#[derive(Debug, Clone)]
pub(crate) struct EncryptionKey {
    /// What defines it.
    pub place: SourceLocation,
    /// What a setting may call it: its ARN and its id; with holes.
    pub names: Vec<String>,
    /// Its policy. A key without one has the default policy of KMS, which lets in the account alone.
    pub policy: Setting<PolicyDoc>,
}

/// Another name of a KMS key.
#[derive(Debug, Clone)]
pub(crate) struct KeyAlias {
    /// The alias, as a setting may name it; may have holes.
    pub name: String,
    /// What it stands for: the key's ARN or id.
    pub key: String,
}

/// What an account is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountName {
    /// Account id.
    pub id: String,
    /// Name of the account in its AWS organization, or the profile or alias of its provider.
    pub name: Text,
    /// What calls it so, in words; the first of these is the best.
    pub by: NamedBy,
    /// Its state in the organization, if it is one in which nothing can be set up.
    pub closed: Option<Text>,
}

/// Is this the state of an account that can no longer be used? `State` has these since 2026, `Status` had the first two before
/// (Organizations API reference, `Account`).
pub(crate) fn is_closed(state: &str) -> bool {
    matches!(state, "SUSPENDED" | "PENDING_CLOSURE" | "CLOSED")
}

/// What gives an account a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamedBy {
    /// The AWS organization.
    Organization,
    /// A profile of the AWS CLI in a Terraform provider.
    Profile,
    /// The alias of a Terraform provider.
    Alias,
}

/// What an input tells of the AWS organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Organization {
    /// `o-…`.
    pub id: Text,
    /// Id of the management account.
    pub management: Option<Text>,
}

/// What one or more inputs tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    /// Buckets; several may speak of one.
    pub buckets: Vec<Bucket>,
    /// Log configurations.
    pub logging: Vec<Logging>,
    /// Buckets that an account's answer says log nowhere, each where it says so.
    pub off: Vec<Text>,
    /// Deliveries by CloudWatch Logs.
    pub vended: vended::Vended,
    /// Trails.
    pub trails: Vec<Trail>,
    /// Event selectors that are told apart from their trail, by its ARN.
    pub selections: Vec<(String, Selection)>,
    /// Bucket policies.
    pub policies: Vec<PolicyDoc>,
    /// Resource control policies of an organization.
    pub control_policies: Vec<PolicyDoc>,
    /// KMS keys.
    pub keys: Vec<EncryptionKey>,
    /// Their other names.
    pub aliases: Vec<KeyAlias>,
    /// Names of accounts.
    pub accounts: Vec<AccountName>,
    /// The AWS organization.
    pub organization: Option<Organization>,
}

impl Observed {
    /// Adds what another input tells.
    pub(crate) fn add(&mut self, other: &Observed) {
        self.buckets.extend(other.buckets.iter().cloned());
        self.logging.extend(other.logging.iter().cloned());
        self.off.extend(other.off.iter().cloned());
        self.vended.add(&other.vended);
        self.trails.extend(other.trails.iter().cloned());
        self.selections.extend(other.selections.iter().cloned());
        self.policies.extend(other.policies.iter().cloned());
        self.control_policies.extend(other.control_policies.iter().cloned());
        self.keys.extend(other.keys.iter().cloned());
        self.aliases.extend(other.aliases.iter().cloned());
        self.accounts.extend(other.accounts.iter().cloned());
        self.organization = self.organization.take().or_else(|| other.organization.clone());
    }
}

/// The partition of an input's ARNs, where all that name one name the same.
pub(crate) fn partition_in(text: &str) -> Option<Partition> {
    let mut found = text.match_indices("arn:aws").filter_map(|(at, _)| Partition::from_id(text[at + 4..].split(':').next()?));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// What the caller says of the inputs.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Region that templates are deployed in, and providers without one.
    pub region: Option<String>,
    /// Account that they are deployed in.
    pub account: Option<String>,
    /// Values of template parameters.
    pub parameters: Vec<(String, String)>,
    /// What a map publishes.
    pub published: Published,
}

/// Parameters of Systems Manager that a map publishes: name and value, by account id and Region.
pub(crate) type Published = Arc<BTreeMap<(String, String), (String, String)>>;
