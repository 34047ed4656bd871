//! The effective map: defaults applied, overrides resolved, shorthand written out. Defaults are applied here and nowhere else.
//!
//! Takes a `RegionMap` that may be wrong; leaves out what can't be used (the rules have reported it), so that a plan can
//! be derived from the rest and all findings come in one run. Pure: no findings, no AWS rules.

mod archive;
mod athena;
mod guardrails;
mod retention;
mod senders;
mod state;
mod trails;

use super::{
    Adopt, AlertMessage, Bucket, EventSource, ExistingSetting, FunctionRuntime, Insight, KeyFormat, KmsKey, Layout, LogBucket,
    LogBucketEvents, Logging, ManagementEvents, Namespace, PolicyScope, RegionMap, SourceLogging, TargetName,
};
use super::{
    LockMode, StorageClass,
    decode::Field,
    statement::Statement,
    values::{
        Backend, BusSettings, CentralSettings, FunctionVpc, GuardrailSettings, MonitoringSettings, ObjectLock, RenderSettings,
        RunSettings, S3,
    },
};
use crate::{
    aws::{Partition, limits, parameter, region, watch},
    source::{Span, Spanned, beginning},
};
pub use archive::Archive;
use indexmap::IndexMap;
pub use retention::Kept;
pub(crate) use senders::MOST_SENDERS;
pub use senders::Sending;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Default of `log_bucket.name`.
pub const DEFAULT_NAME: &str = "{org}-logs-{account_id}-{region}";
/// Default of `log_bucket.name` in the account regional namespace, where the suffix carries the rest.
pub const DEFAULT_ACCOUNT_REGIONAL_NAME: &str = "{org}-logs";
/// Default of `log_bucket.trails_name`.
pub const DEFAULT_TRAILS_NAME: &str = "{org}-trails-{account_id}-{region}";
/// Default of `log_bucket.trails_name` in the account regional namespace.
pub const DEFAULT_ACCOUNT_REGIONAL_TRAILS_NAME: &str = "{org}-trails";
/// Default of `central.bucket`.
pub(crate) const DEFAULT_CENTRAL_NAME: &str = "{org}-central-{account_id}-{region}";
/// Default of `central.bucket` in the account regional namespace.
pub(crate) const DEFAULT_ACCOUNT_REGIONAL_CENTRAL_NAME: &str = "{org}-central";
/// Default of `log_bucket.prefix`.
pub const DEFAULT_PREFIX: &str = "s3-access/";
/// Default of `log_bucket.key_format`.
pub(crate) const DEFAULT_KEY_FORMAT: KeyFormat = KeyFormat::PartitionedEventTime;
/// Default of a trail's `home_region`.
pub const DEFAULT_HOME_REGION: &str = "us-east-1";
/// Default of `retention.expire_after_days`.
pub const DEFAULT_EXPIRE_AFTER_DAYS: u32 = 400;
/// Default of `retention.noncurrent_expire_after_days`.
pub const DEFAULT_NONCURRENT_DAYS: u32 = 30;

/// Default of `settings.out`.
pub const DEFAULT_OUT: &str = "out";

/// A map with its defaults applied.
#[derive(Debug)]
pub struct EffectiveMap<'m> {
    /// `{org}`, as written.
    pub organization: Option<&'m Spanned<String>>,
    /// Id of the AWS organization.
    pub organization_id: Option<&'m Spanned<String>>,
    /// By key.
    pub accounts: BTreeMap<&'m str, Account<'m>>,
    /// Ids of the accounts that are closed: they are not among [`accounts`](Self::accounts).
    pub closed: Vec<&'m str>,
    /// By name.
    pub trails: BTreeMap<&'m str, Trail<'m>>,
    /// `render`.
    pub render: RenderSettings,
    /// `monitoring` and `publish`.
    pub monitoring: MonitoringSettings,
    /// `guardrails`.
    pub guardrails: Option<GuardrailSettings>,
    /// `athena`, if it names an account that can be used.
    pub central: Option<CentralSettings>,
    /// Key of the management account, if the map names it.
    pub management_account: Option<&'m str>,
    /// The archive of `central`, if it names an account and a Region that can be used.
    pub archive: Option<Archive<'m>>,
    /// `settings.targets`; `None` for all.
    pub targets: Option<Vec<TargetName>>,
}

/// An account that can be used: it has a key, an id and one partition.
#[derive(Debug)]
pub struct Account<'m> {
    /// Key in the map, with its place.
    pub key: &'m Spanned<String>,
    /// Twelve digits.
    pub id: &'m Spanned<String>,
    /// Role name or ARN.
    pub role: Option<&'m Spanned<String>>,
    /// AWS CLI profile.
    pub profile: Option<&'m Spanned<String>>,
    /// By Region name.
    pub regions: BTreeMap<&'m str, Region<'m>>,
    layers: Vec<&'m LogBucket>,
}

/// A mapped Region.
#[derive(Debug)]
pub struct Region<'m> {
    /// Place of its name.
    pub span: Span,
    /// In the map's order.
    pub sources: Vec<Source<'m>>,
    /// VPC of the custom resource's function.
    pub function_vpc: Option<FunctionVpc>,
    layer: Option<&'m LogBucket>,
}

/// A source bucket.
#[derive(Debug)]
pub struct Source<'m> {
    /// Bucket name, with its place.
    pub name: &'m Spanned<String>,
    /// Its own prefix, as written.
    pub prefix: Option<&'m Spanned<String>>,
    /// Its own prefix, to which nothing is added; wins over `prefix`.
    pub exact_prefix: Option<&'m Spanned<String>>,
    /// Its own key layout.
    pub key_format: Option<KeyFormat>,
    /// Whether generated code sets its logging.
    pub managed: bool,
}

/// Statements that could fit into a bucket policy: the shortest one has more than 50 of its 20,480 bytes.
pub(crate) const MOST_STATEMENTS: usize = 400;

/// Settings of the log buckets of one account and Region.
#[derive(Debug)]
pub struct Settings<'m> {
    /// Name template, or literal name of an adopted bucket.
    pub name: Spanned<&'m str>,
    /// Name template of the second bucket.
    pub trails_name: Spanned<&'m str>,
    /// Account regional namespace.
    pub account_regional: Option<Span>,
    /// Key layout.
    pub key_format: KeyFormat,
    /// Prefix as written.
    pub prefix: Spanned<&'m str>,
    /// Scope of the access-log grant.
    pub policy_scope: Spanned<PolicyScope>,
    /// Versioning.
    pub versioning: Spanned<bool>,
    /// TLS-only deny.
    pub deny_insecure_transport: bool,
    /// How long access logs are kept.
    pub access_logs: Kept,
    /// How long the files of trails are kept.
    pub trails: Kept,
    /// How long the logs of other services are kept.
    pub others: Kept,
    /// The services that write logs of their own here.
    pub senders: Vec<Sending<'m>>,
    /// False: other code sets the lifecycle rules.
    pub manages_lifecycle: bool,
    /// Tags by key.
    pub tags: BTreeMap<&'m str, &'m str>,
    /// Statements of all layers, farthest first; if they are more than [`MOST_STATEMENTS`], so many and one.
    pub extra_statements: Vec<&'m Spanned<Statement>>,
    /// Adopted, with what exists on it.
    pub adopt: Option<Spanned<Vec<ExistingSetting>>>,
    /// Second bucket for trails.
    pub split_trails: bool,
    /// True: generated code sets the logging of the second bucket.
    pub logs_trails_bucket: bool,
    /// The second bucket is adopted, with what exists on it.
    pub adopt_trails_bucket: Option<Spanned<Vec<ExistingSetting>>>,
    /// Does the map say that the bucket does not exist: `adopt: false`? First of the first bucket, then of the second.
    pub says_new: (bool, bool),
    /// Object Lock.
    pub object_lock: Option<Spanned<ObjectLock>>,
}

/// A trail.
#[derive(Debug)]
pub struct Trail<'m> {
    /// Name of the trail, which is its key in the map, with its place.
    pub name: &'m Spanned<String>,
    /// True for an organization trail: key of the management account.
    pub organization: bool,
    /// The accounts that get it, by key; for an organization trail the management account.
    pub accounts: Arc<[&'m str]>,
    /// The home Region of a multi-Region trail; none for one trail in each Region.
    pub home_region: Option<Spanned<&'m str>>,
    /// Key of the account that takes the logs; none for the writer's own.
    pub deliver_to: Option<&'m Spanned<String>>,
    /// Key prefix, without slashes at its ends.
    pub prefix: &'m str,
    /// KMS key.
    pub kms_key: Option<&'m KmsKey>,
    /// Digest files.
    pub log_file_validation: bool,
    /// S3 data events.
    pub s3_data_events: bool,
    /// What of the objects of log buckets, sorted.
    pub log_bucket_events: Vec<LogBucketEvents>,
    /// Which management events.
    pub management_events: ManagementEvents,
    /// Services whose management events are left out, sorted.
    pub excluded_event_sources: Vec<EventSource>,
    /// Insights, sorted.
    pub insights: Vec<Insight>,
    /// Names of a log group and of the role that writes to it.
    pub log_group: Option<(&'m str, &'m str)>,
    /// Name or ARN of an SNS topic.
    pub topic: Option<&'m str>,
    /// True if it exists already wherever the map has it.
    pub adopted: bool,
    /// Keys of the accounts in which it exists already, where only some are named.
    pub adopted_in: BTreeSet<&'m str>,
}

impl Trail<'_> {
    /// Does it exist already in the account with this key?
    pub(crate) fn exists_in(&self, account: &str) -> bool {
        self.adopted || self.adopted_in.contains(account)
    }
}

impl Settings<'_> {
    /// Of a log bucket that takes access logs or does not: is it the first one, and not the second one of `split_trails`?
    pub(crate) fn is_first(&self, takes_access_logs: bool) -> bool {
        takes_access_logs || !self.split_trails
    }
}

/// Applies defaults and overrides.
pub fn effective_map(map: &RegionMap) -> EffectiveMap<'_> {
    let accounts = accounts(map);
    let trails = trails::trails(map, &accounts);
    let central = athena::central(map, &accounts);
    let archive = archive::archive(map, &accounts);
    EffectiveMap {
        management_account: map
            .organization
            .as_ref()
            .and_then(|one| one.management_account.as_ref())
            .map(|key| key.value.as_str()),
        archive,
        organization: map.organization.as_ref().and_then(|organization| organization.name.as_ref()),
        organization_id: map.organization.as_ref().and_then(|organization| organization.id.as_ref()),
        trails,
        accounts,
        closed: closed(map).filter_map(|(_, account)| account.id.as_deref().map(String::as_str)).collect(),
        render: render(map),
        monitoring: monitoring(map),
        guardrails: guardrails::guardrails(map),
        central,
        targets: settings_of(map).targets,
    }
}

/// The accounts that are closed, with their keys.
fn closed(map: &RegionMap) -> impl Iterator<Item = (&Spanned<String>, &crate::map::Account)> {
    map.accounts().filter(|(_, account)| account.is_closed())
}

/// Can the text be `{org}`?
pub fn is_org_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Can the text be an account key?
pub fn is_account_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.len() <= 64
        && text != RESERVED_ACCOUNT_KEY
}

/// The account key that is a folder of its own in the output.
pub const RESERVED_ACCOUNT_KEY: &str = "stacksets";

fn accounts(map: &RegionMap) -> BTreeMap<&str, Account<'_>> {
    let mut accounts: BTreeMap<&str, Account<'_>> = BTreeMap::new();
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    for (key, account) in map.accounts() {
        if accounts.contains_key(key.as_str()) {
            continue;
        }
        let Some(id) = account.id.as_ref().filter(|id| limits::is_account_id(id)) else { continue };
        if !is_account_key(key) || ids.contains(id.as_str()) {
            continue;
        }
        if account.is_closed() {
            ids.insert(id);
            continue;
        }
        let regions: BTreeMap<&str, Region<'_>> = account
            .regions()
            .filter(|(name, _)| region::is_well_formed(name))
            .map(|(name, region)| {
                let buckets = region.buckets.as_ref().map_or(&[][..], |list| list);
                let mut sources = Vec::with_capacity(buckets.len());
                sources.extend(buckets.iter().filter_map(|bucket| source(bucket)));
                let layer = region.log_bucket.as_ref().map(|layer| &layer.value);
                let function_vpc = region.function_vpc.as_ref().and_then(|vpc| function_vpc(vpc));
                (name.as_str(), Region { span: name.span, sources, function_vpc, layer })
            })
            .collect();
        let mut partitions = regions.keys().map(|name| Partition::of_region(name));
        let first = partitions.next();
        if partitions.any(|partition| Some(partition) != first) {
            continue;
        }
        let defaults = map.defaults.as_ref().and_then(|defaults| defaults.log_bucket.as_ref());
        let layers = [defaults, account.log_bucket.as_ref()].into_iter().flatten().map(|layer| &layer.value).collect();
        ids.insert(id);
        accounts
            .insert(key, Account { key, id, role: account.role.as_ref(), profile: account.profile.as_ref(), regions, layers });
    }
    accounts
}

fn source(bucket: &Bucket) -> Option<Source<'_>> {
    let keys = bucket.keys();
    let logging = keys.and_then(|keys| keys.logging.as_ref());
    Some(Source {
        name: bucket.name()?,
        prefix: keys.and_then(|keys| keys.prefix.as_ref()),
        exact_prefix: keys.and_then(|keys| keys.exact_prefix.as_ref()),
        key_format: keys.and_then(|keys| keys.key_format.as_ref()).map(|format| format.value),
        managed: logging.is_none_or(|logging| logging.value == Logging::Managed),
    })
}

impl Source<'_> {
    /// Where it says its prefix, or else its name.
    pub(crate) fn prefix_span(&self) -> Span {
        self.own_prefix().map_or(self.name.span, |prefix| prefix.span)
    }

    /// The prefix that it has of its own, whichever key says it.
    pub(crate) fn own_prefix(&self) -> Option<&Spanned<String>> {
        self.exact_prefix.or(self.prefix)
    }
}

impl<'m> Account<'m> {
    /// The partition of its Regions, if it has any.
    pub fn partition(&self) -> Option<Partition> {
        self.regions.keys().next().map(|name| Partition::of_region(name))
    }

    /// Settings of its log buckets in a Region, mapped or not. What nothing says has the place of the Region's name, or
    /// of the account's key.
    pub fn settings(&self, region: &str) -> Settings<'m> {
        let mapped = self.regions.get(region);
        let span = mapped.map_or(self.key.span, |region| region.span);
        let layers: Vec<&'m LogBucket> = self.layers.iter().copied().chain(mapped.and_then(|region| region.layer)).collect();
        settings(&layers, span)
    }

    /// How many statements the map adds to the policy of each of its log buckets in a Region.
    pub(crate) fn statements(&self, region: &str) -> usize {
        let layers = self.layers.iter().copied().chain(self.regions.get(region).and_then(|region| region.layer));
        layers.filter_map(|layer| layer.extra_statements.as_ref()).map(|list| list.value.len()).sum()
    }
}

/// Bytes of a name's template that are used: whatever is filled in, a longer one gives a name that is too long.
const LONGEST_NAME: usize = 1024;
/// Bytes of a prefix that are used: a longer one has been reported, and each source has it once more.
const LONGEST_PREFIX: usize = 2048;

/// The beginning of a text, with the place of all of it.
fn within(most: usize, text: Spanned<&str>) -> Spanned<&str> {
    Spanned { value: beginning(text.value, most), ..text }
}

/// The nearest layer that sets a key.
fn nearest<'m, T>(layers: &[&'m LogBucket], get: impl Fn(&'m LogBucket) -> Option<&'m Spanned<T>>) -> Option<&'m Spanned<T>> {
    layers.iter().rev().find_map(|layer| get(layer))
}

fn settings<'m>(layers: &[&'m LogBucket], span: Span) -> Settings<'m> {
    let default = |text: &'m str| Spanned { value: text, span };
    let text = |field: Option<&'m Spanned<String>>, or: &'m str| {
        field.map_or(default(or), |f| Spanned { value: f.value.as_str(), span: f.span })
    };
    let namespace =
        nearest(layers, |layer| layer.namespace.as_ref()).filter(|namespace| namespace.value == Namespace::AccountRegional);
    let (name, trails_name) = match namespace {
        Some(_) => (DEFAULT_ACCOUNT_REGIONAL_NAME, DEFAULT_ACCOUNT_REGIONAL_TRAILS_NAME),
        None => (DEFAULT_NAME, DEFAULT_TRAILS_NAME),
    };
    let flag = |field: Option<&Spanned<bool>>, or: bool| field.copied().unwrap_or(Spanned { value: or, span });
    Settings {
        name: within(LONGEST_NAME, text(nearest(layers, |layer| layer.name.as_ref()), name)),
        trails_name: within(LONGEST_NAME, text(nearest(layers, |layer| layer.trails_name.as_ref()), trails_name)),
        account_regional: namespace.map(|namespace| namespace.span),
        key_format: nearest(layers, |layer| layer.key_format.as_ref()).map_or(DEFAULT_KEY_FORMAT, |format| format.value),
        prefix: within(LONGEST_PREFIX, text(nearest(layers, |layer| layer.prefix.as_ref()), DEFAULT_PREFIX)),
        policy_scope: nearest(layers, |layer| layer.policy_scope.as_ref())
            .copied()
            .unwrap_or(Spanned { value: PolicyScope::Auto, span }),
        versioning: flag(nearest(layers, |layer| layer.versioning.as_ref()), true),
        deny_insecure_transport: flag(nearest(layers, |layer| layer.deny_insecure_transport.as_ref()), true).value,
        access_logs: retention::kept(layers, span, |retention| retention.access_logs.as_ref()),
        trails: retention::kept(layers, span, |retention| retention.trails.as_ref()),
        others: retention::kept(layers, span, |_| None),
        senders: senders::senders(layers),
        manages_lifecycle: nearest(layers, |layer| layer.lifecycle.as_ref())
            .is_none_or(|lifecycle| lifecycle.value == super::Lifecycle::Managed),
        tags: layers
            .iter()
            .filter_map(|layer| layer.tags.as_ref())
            .flat_map(|tags| &tags.items)
            .map(|(key, value)| (key.as_str(), value.as_str()))
            // more than a bucket can have in each layer have been reported
            .take(layers.len() * limits::BUCKET_TAGS)
            .collect(),
        extra_statements: layers
            .iter()
            .filter_map(|layer| layer.extra_statements.as_ref())
            .flat_map(|list| &list.value)
            .take(MOST_STATEMENTS + 1)
            .collect(),
        adopt: nearest(layers, |layer| layer.adopt.as_ref()).and_then(adopted),
        split_trails: flag(nearest(layers, |layer| layer.split_trails.as_ref()), false).value,
        logs_trails_bucket: nearest(layers, |layer| layer.trails_bucket_logging.as_ref())
            .is_none_or(|logging| logging.value == Logging::Managed),
        adopt_trails_bucket: nearest(layers, |layer| layer.adopt_trails_bucket.as_ref()).and_then(adopted),
        says_new: (
            nearest(layers, |layer| layer.adopt.as_ref()).is_some_and(|adopt| !adopt.yes),
            nearest(layers, |layer| layer.adopt_trails_bucket.as_ref()).is_some_and(|adopt| !adopt.yes),
        ),
        object_lock: nearest(layers, |layer| layer.object_lock.as_ref()).and_then(object_lock),
    }
}

/// Object Lock as S3 spells it, if nothing of it lacks.
fn object_lock(lock: &Spanned<super::ObjectLock>) -> Option<Spanned<ObjectLock>> {
    let mode = if lock.mode.as_ref()?.value == LockMode::Governance { "GOVERNANCE" } else { "COMPLIANCE" };
    Some(Spanned { value: ObjectLock { mode: mode.to_owned(), days: lock.days.as_ref()?.value }, span: lock.span })
}

/// What exists on a bucket, if it is adopted.
fn adopted(adopt: &Spanned<Adopt>) -> Option<Spanned<Vec<ExistingSetting>>> {
    adopt.yes.then(|| Spanned { value: adopt.existing.iter().map(|setting| setting.value).collect(), span: adopt.span })
}

/// As the S3 API spells it.
pub fn storage_class(class: StorageClass) -> &'static str {
    match class {
        StorageClass::StandardIa => "STANDARD_IA",
        StorageClass::OnezoneIa => "ONEZONE_IA",
        StorageClass::IntelligentTiering => "INTELLIGENT_TIERING",
        StorageClass::GlacierIr => "GLACIER_IR",
        StorageClass::Glacier => "GLACIER",
        StorageClass::DeepArchive => "DEEP_ARCHIVE",
    }
}

/// The order of ids decides nothing.
fn function_vpc(vpc: &super::FunctionVpc) -> Option<FunctionVpc> {
    let ids = |list: &Option<Spanned<Vec<Spanned<String>>>>| {
        let mut ids: Vec<String> = list.iter().flat_map(|list| list.iter()).map(|id| id.value.clone()).collect();
        ids.sort();
        ids.dedup();
        (!ids.is_empty()).then_some(ids)
    };
    Some(FunctionVpc { subnets: ids(&vpc.subnets)?, security_groups: ids(&vpc.security_groups)? })
}

fn render(map: &RegionMap) -> RenderSettings {
    let render = map.render.as_ref();
    let terraform = render.and_then(|render| render.terraform.as_ref());
    let backend = terraform.and_then(|terraform| terraform.backend.as_ref());
    let s3 = backend.and_then(|backend| backend.s3.as_ref());
    let backends = s3.map_or(&[][..], |list| &list.value.0).iter().filter_map(|backend| {
        let text = |field: &Option<Spanned<String>>| field.as_ref().map(|f| Value::from(f.value.clone()));
        let flag = |field: &Option<Spanned<bool>>| field.as_ref().map(|f| Value::from(f.value));
        let region = backend.region.as_ref()?;
        let arguments: IndexMap<String, Value> = [
            ("bucket", text(&backend.bucket)),
            ("region", text(&backend.region)),
            ("profile", text(&backend.profile)),
            ("encrypt", Some(Value::from(backend.encrypt.is_none_or(|on| on.value)))),
            ("kms_key_id", text(&backend.kms_key_id)),
            ("use_lockfile", flag(&backend.use_lockfile)),
            ("dynamodb_table", text(&backend.dynamodb_table)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
        Some(Backend {
            kind: S3.to_owned(),
            partition: Some(Partition::of_region(region)),
            arguments,
            settings: backend.settings.as_ref().map(|settings| state::settings(settings)).unwrap_or_default(),
        })
    });
    let mut backends: Vec<Backend> = backends.collect();
    backends.sort_by_key(|backend| backend.partition);
    if backends.is_empty() {
        let cloud = terraform.and_then(|terraform| terraform.cloud.as_ref());
        backends.extend(state::other(backend.map(|backend| &backend.value), cloud.map(|cloud| &cloud.value)));
    }
    let cloudformation = render.and_then(|render| render.cloudformation.as_ref());
    let aws_provider = terraform.and_then(|terraform| terraform.aws_provider.as_ref()).map_or(6, |version| version.value);
    let aliased = terraform.and_then(|terraform| terraform.aliased_providers.as_ref()).is_some_and(|aliased| aliased.value);
    RenderSettings {
        aws_provider,
        aliased_providers: aliased || aws_provider < 6,
        modules: terraform.and_then(|terraform| terraform.layout).is_some_and(|layout| layout.value == Layout::Module),
        backends,
        custom_resource: cloudformation
            .and_then(|cloudformation| cloudformation.source_logging.as_ref())
            .is_none_or(|logging| logging.value == SourceLogging::CustomResource),
        stack_sets: cloudformation
            .and_then(|cloudformation| cloudformation.stack_sets.as_ref())
            .is_none_or(|wanted| wanted.value),
        permissions_boundary: cloudformation
            .and_then(|keys| keys.permissions_boundary.as_ref())
            .map_or(String::new(), |name| name.value.clone()),
        role_path: cloudformation
            .and_then(|keys| keys.role_path.as_ref())
            .filter(|path| path.value != "/")
            .map_or(String::new(), |path| path.value.clone()),
        role_name_prefix: cloudformation
            .and_then(|keys| keys.role_name_prefix.as_ref())
            .map_or(String::new(), |name| name.value.clone()),
        named_roles: map.central.is_some(),
        function_runtime: cloudformation
            .and_then(|keys| keys.function_runtime)
            .map(|runtime| runtime.value)
            .filter(|runtime| *runtime != FunctionRuntime::Python313),
        tags: tags(map),
        glue: render
            .and_then(|render| render.athena.as_ref())
            .and_then(|athena| athena.glue.as_ref())
            .is_some_and(|glue| glue.value),
    }
}

/// `settings` but for its rules, which are those of a list of rules.
pub(crate) fn settings_of(map: &RegionMap) -> RunSettings {
    let settings = map.settings.as_ref();
    let text =
        |get: fn(&super::Settings) -> &Field<String>| settings.and_then(|one| get(one).as_ref()).map(|text| text.value.clone());
    RunSettings {
        out: text(|settings| &settings.out).unwrap_or_else(|| DEFAULT_OUT.to_owned()),
        targets: settings
            .and_then(|settings| settings.targets.as_ref())
            .map(|targets| targets.iter().map(|target| target.value).collect()),
        templates: text(|settings| &settings.templates),
        baseline: text(|settings| &settings.baseline),
        left_out: left_out(map),
    }
}

/// The patterns of `coverage.ignore`.
fn left_out(map: &RegionMap) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    if let Some(entries) = map.coverage.as_ref().and_then(|coverage| coverage.ignore.as_ref()) {
        for names in entries.iter().filter_map(|entry| entry.buckets.as_ref()) {
            patterns.extend(names.iter().map(|name| name.value.clone()));
        }
    }
    patterns.sort();
    patterns.dedup();
    patterns
}

/// The top-level `tags`, sorted; more than a thing can have have been reported.
fn tags(map: &RegionMap) -> IndexMap<String, String> {
    let written = map.tags.iter().flat_map(|tags| &tags.items).take(limits::BUCKET_TAGS + 1);
    let sorted: BTreeMap<&str, &str> = written.map(|(key, value)| (key.as_str(), value.as_str())).collect();
    sorted.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// `monitoring` and `publish`, without names that AWS would not take (reported already).
fn monitoring(map: &RegionMap) -> MonitoringSettings {
    let monitoring = map.monitoring.as_ref();
    let alerts = monitoring.and_then(|monitoring| monitoring.tamper_alerts.as_ref());
    let topic = alerts.and_then(|alerts| alerts.sns_topic_name.as_ref());
    let publish = map.publish.as_ref();
    let name = publish.and_then(|publish| publish.ssm_parameter.as_ref());
    let logging = publish.and_then(|publish| publish.ssm_logging_parameter.as_ref());
    MonitoringSettings {
        organization: map
            .organization
            .as_ref()
            .and_then(|organization| organization.name.as_ref())
            .filter(|name| is_org_name(name))
            .map_or(String::new(), |name| name.value.clone()),
        parameter: name.filter(|name| parameter::problem(name).is_none()).map(|name| name.value.clone()),
        logging_parameter: logging
            .filter(|logging| parameter::problem(logging).is_none() && name.is_none_or(|name| name.value != logging.value))
            .map(|name| name.value.clone()),
        config_rule: monitoring.and_then(|monitoring| monitoring.config_rule.as_ref()).is_some_and(|on| on.value),
        topic: topic.filter(|name| watch::topic_problem(name).is_none()).map(|name| name.value.clone()),
        also: trails::in_order(alerts.and_then(|alerts| alerts.also.as_deref())),
        except: alerts
            .and_then(|alerts| alerts.except.as_ref())
            .map(|names| watch::exceptions(names.iter().map(|name| name.value.as_str())))
            .unwrap_or_default(),
        bus: alerts.and_then(|alerts| alerts.event_bus.as_ref()).and_then(|bus| {
            let arn = bus.arn.as_ref().filter(|arn| watch::bus_problem(arn).is_none())?;
            let role = bus.role.as_ref().map_or(watch::BUS_ROLE, |role| role.value.as_str());
            watch::is_bus_role(role).then(|| BusSettings { arn: arn.value.clone(), role: role.to_owned(), span: arn.span })
        }),
        readable: alerts.and_then(|alerts| alerts.message).is_some_and(|message| message.value == AlertMessage::Text),
    }
}

/// A prefix as it is used: with a slash at its end, unless empty.
pub fn with_slash(prefix: &str) -> String {
    if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") }
}
