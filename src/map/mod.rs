//! The vocabulary of the region map, version 1: every key, its type and what it means.
//!
//! Values keep their places and may all be absent: a `RegionMap` may be wrong. Defaults are applied once, in `effective`.
//! Each type's schema, decoder and documentation come from the one declaration here.

pub(crate) mod additions;
mod athena;
mod central;
mod coverage;
pub mod decode;
pub(crate) mod edit;
pub mod effective;
mod guardrails;
mod included;
mod log_bucket;
mod macros;
mod names;
pub(crate) mod placeholders;
mod render;
pub mod schema;
mod sender;
pub(crate) mod setting;
mod settings;
pub(crate) mod statement;
mod trail;
pub(crate) mod values;

use crate::{
    catalog::reading::VERSION,
    diagnostics::Finding,
    document::{Document, Kind, Node, path},
    record,
    source::{Span, Spanned},
    words,
};
pub(crate) use athena::*;
pub(crate) use central::*;
pub(crate) use coverage::*;
use decode::{Cx, Decode, Entries};
pub(crate) use guardrails::*;
pub use log_bucket::KeyFormat;
pub(crate) use log_bucket::*;
pub(crate) use names::*;
pub(crate) use render::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
pub(crate) use sender::*;
pub(crate) use setting::{Setting, is_setting_name};
pub(crate) use settings::*;
use std::borrow::Cow;
pub(crate) use trail::*;

/// What could be the name of a source: old buckets in us-east-1 have capitals, underscores and up to 255 characters.
const BUCKET_NAME: &str = "^[A-Za-z0-9._-]{3,255}$";
/// A prefix of access-log keys.
const PREFIX: &str = "^([^/*?{}][^*?{}]*)?$";

/// The same, as it is sent: a slash at its beginning makes a folder without a name, which S3 allows.
const EXACT_PREFIX: &str = "^[^*?{}]*$";

/// An account as the schema shows it.
static EXAMPLE_ACCOUNTS: std::sync::LazyLock<serde_json::Value> = std::sync::LazyLock::new(
    || serde_json::json!({ "prod": { "id": "111122223333", "regions": { "us-east-1": { "buckets": ["acme-prod-web"] } } } }),
);

record! {
    /// A region map: which source buckets and trails an organisation has, account by account and Region by Region.
    RegionMap "the region map" {
        /// Version of the format: 1.
        [required "write `version: 1` as the first key"] version: u32, { "const": 1, "examples": [1] };
        /// The organisation: its short name, and what organization trails need.
        organization: Organization, { "examples": [{ "name": "acme" }] };
        /// Settings for every log bucket, unless an account or a Region says otherwise.
        defaults: Defaults, { "examples": [{ "log_bucket": { "prefix": "s3-access/" } }] };
        /// The AWS accounts, by a short key that you choose.
        accounts: Entries<AccountKeys, Account>, { "examples": [EXAMPLE_ACCOUNTS.clone()] };
        /// CloudTrail trails, by their names.
        trails: Entries<TrailNames, Trail>, { "examples": [{ "audit": { "deliver_to": { "account": "log-archive" } } }] };
        /// Files with more of the map, relative to it: each is a pattern such as `accounts/*.yaml`. Each file has `version`, and accounts,
        /// trails, or a key that no other file has, such as `defaults`; nothing may be in two files. With one `*`, the first pattern also
        /// says where a new account goes.
        include: Vec<Spanned<String>>, { "examples": [["accounts/*.yaml"]] };
        /// Rules and alerts about logging, in each account and Region.
        monitoring: Monitoring, { "examples": [{ "config_rule": true }] };
        /// Policies of the organization that keep everybody else from changing what logmap makes.
        guardrails: Guardrails, { "examples": [{ "deployer": "logmap-deployer" }] };
        /// One account that asks the logs of all of them, with Athena.
        athena: Athena, { "examples": [{ "central": "security" }] };
        /// A second copy of the logs, in one bucket of one account: S3 replicates each log bucket to it, or CloudWatch Logs delivers access logs.
        central: Central, { "examples": [{ "deliver_to": { "account": "log-archive", "region": "eu-central-1" }, "via": "replication" }] };
        /// Tags of everything that is made: buckets, trails, topics, parameters, rules, functions with their roles and log groups. Tags of a
        /// `log_bucket` win over them by key. What is adopted keeps its own.
        tags: Entries<TagKeys, String>, { "examples": [{ "cost-center": "4711" }] };
        /// Where other templates find the log bucket of their Region.
        publish: Publish, { "examples": [{ "ssm_parameter": "/logmap/access-log-bucket" }] };
        /// How the targets are to look.
        render: Render, { "examples": [{ "terraform": { "aws_provider": 6 } }] };
        /// What all commands and editors do with the map: where files go, which ones, and what rules say.
        settings: Settings, { "examples": [{ "out": "generated" }] };
        /// What `drift --coverage` says of buckets that the map does not know.
        coverage: BucketCoverage, { "examples": [{ "ignore": [{ "buckets": ["cdk-*-assets-*"], "reason": "build artefacts, no data" }] }] };
    }
}

impl RegionMap {
    /// The accounts with their keys, as written: keys may be malformed or stand twice.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&Spanned<String>, &Account)> {
        self.accounts.iter().flat_map(|accounts| &accounts.items).map(|(key, account)| (key, &account.value))
    }

    /// Those of them for which something is derived.
    pub(crate) fn accounts_in_use(&self) -> impl Iterator<Item = (&Spanned<String>, &Account)> {
        self.accounts().filter(|(_, account)| !account.is_closed())
    }

    /// The Regions of all accounts with their names, as written.
    pub(crate) fn regions(&self) -> impl Iterator<Item = (&Spanned<String>, &Region)> {
        self.accounts().flat_map(|(_, account)| account.regions())
    }

    /// The sources of all Regions, as written.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Bucket> {
        self.regions().flat_map(|(_, region)| region.sources())
    }

    /// The trails with their names, as written.
    pub(crate) fn trails(&self) -> impl Iterator<Item = (&Spanned<String>, &Trail)> {
        self.trails.iter().flat_map(|trails| &trails.items).map(|(name, trail)| (name, &trail.value))
    }
}

impl Account {
    /// Is it suspended or closed?
    pub(crate) fn is_closed(&self) -> bool {
        self.state.is_some_and(|state| state.value == AccountState::Closed)
    }

    /// The Regions with their names, as written.
    pub(crate) fn regions(&self) -> impl Iterator<Item = (&Spanned<String>, &Region)> {
        self.regions.iter().flat_map(|regions| &regions.items).map(|(name, region)| (name, &region.value))
    }
}

impl Region {
    /// The sources, as written.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().flat_map(|buckets| buckets.iter()).map(|bucket| &bucket.value)
    }
}

record! {
    /// The organisation.
    Organization "`organization`" {
        /// Short name, `{org}` in bucket names: lower-case letters, digits and hyphens.
        name: String, { "pattern": "^[a-z0-9-]+$", "examples": ["acme"] };
        /// Id of the AWS organization; only organization trails need it.
        id: String, { "pattern": "^o-[a-z0-9]{10,32}$", "examples": ["o-a1b2c3d4e5"] };
        /// Key of the organization's management account; only organization trails need it.
        management_account: String, { "pattern": ACCOUNT_KEY, "examples": ["mgmt"] };
    }
}

record! {
    /// Settings that hold where nothing nearer says otherwise.
    Defaults "`defaults`" {
        /// Settings of the log buckets.
        log_bucket: LogBucket, { "examples": [{ "retention": { "expire_after_days": 365 } }] };
    }
}

record! {
    /// One AWS account.
    Account "an account" {
        /// The account id: twelve digits, in quotes, so that leading zeros stay.
        [required "write the twelve digits in quotes: `id: \"111122223333\"`"]
        id: String, { "pattern": "^[0-9]{12}$", "examples": ["111122223333"] };
        /// `closed` for an account that is suspended or closed: it stays in the map, and nothing is derived for it.
        state: AccountState, { "default": "active" };
        /// Role that generated providers and scripts assume: its name or its ARN.
        role: String, { "pattern": "^(arn:[a-z-]+:iam::[0-9]{12}:role/)?[A-Za-z0-9+=,.@_-][A-Za-z0-9+=,.@_/-]*$", "examples": ["logmap-deployer", "arn:aws:iam::111122223333:role/logmap-deployer"] };
        /// AWS CLI profile of the caller.
        profile: String, { "examples": ["acme-prod"] };
        /// Settings of this account's log buckets.
        log_bucket: LogBucket, { "examples": [{ "retention": { "expire_after_days": 365 } }] };
        /// The Regions with source buckets. More appear by being a trail's destination.
        regions: Entries<RegionNames, Region>, { "examples": [{ "us-east-1": { "buckets": ["acme-prod-web"] } }] };
    }
}

record! {
    /// One Region of an account.
    Region "a Region" {
        /// Settings of this Region's log bucket.
        log_bucket: LogBucket, { "examples": [{ "retention": { "expire_after_days": 365 } }] };
        /// The source buckets: names, or mappings with `name` and more.
        buckets: Vec<Spanned<Bucket>>, { "examples": [["acme-prod-web"]] };
        /// VPC of the function behind the custom resource of CloudFormation stacks here. Without it the function is in none.
        function_vpc: FunctionVpc, { "examples": [{ "subnets": ["subnet-0a1b2c3d4e5f67890"], "security_groups": ["sg-0a1b2c3d4e5f67890"] }] };
    }
}

record! {
    /// Where a function is in a VPC: all of it in one, which reaches S3 in its Region.
    FunctionVpc "`function_vpc`" {
        /// Ids of subnets.
        [required "write `subnets:` and ids of subnets"] subnets: Vec<Spanned<String>>, { "examples": [["subnet-0a1b2c3d4e5f67890"]] };
        /// Ids of security groups.
        [required "write `security_groups:` and ids of security groups"] security_groups: Vec<Spanned<String>>, { "examples": [["sg-0a1b2c3d4e5f67890"]] };
    }
}

/// A source bucket: a name, or a mapping with `name` and more. Most of a map are names, so the rest is kept apart.
#[derive(Debug, Clone)]
pub enum Bucket {
    /// The shorthand.
    Name(Spanned<String>),
    /// The mapping with `name` and more.
    Keys(Box<BucketKeys>),
}

impl Bucket {
    /// Bucket name; `None` for a mapping without one, which has been reported.
    pub fn name(&self) -> Option<&Spanned<String>> {
        match self {
            Bucket::Name(name) => Some(name),
            Bucket::Keys(keys) => keys.name.as_ref(),
        }
    }

    /// Its keys, if it is a mapping.
    pub fn keys(&self) -> Option<&BucketKeys> {
        match self {
            Bucket::Name(_) => None,
            Bucket::Keys(keys) => Some(keys),
        }
    }
}

record! {
    /// A source bucket.
    BucketKeys "a source bucket" {
        /// Name of the bucket.
        [required "write `name:` and the name of the bucket"] name: String, { "pattern": BUCKET_NAME, "examples": ["acme-prod-web"] };
        /// Prefix of its log objects' keys, instead of the log bucket's.
        prefix: String, { "pattern": PREFIX, "examples": ["data/"] };
        /// Prefix of its log objects' keys, exactly as S3 is told it, instead of `prefix`: neither a slash nor `{source_bucket}/` is
        /// added. For a bucket that has logged so before.
        exact_prefix: String, { "pattern": EXACT_PREFIX, "examples": ["web-"] };
        /// How S3 lays out the keys of its access logs, instead of the log bucket's.
        key_format: KeyFormat, { "examples": ["simple"] };
        /// Who sets its logging.
        logging: Logging, { "default": "managed" };
    }
}

words! {
    /// Is an account in use?
    AccountState {
        /// It is.
        Active = "active",
        /// It is suspended or closed: nobody can act in it, and what is in it goes with it.
        Closed = "closed",
    }
}

words! {
    /// Who sets a source's logging.
    Logging {
        /// Generated code sets it.
        Managed = "managed",
        /// Someone else's code sets it; it is granted, published, checked and reported, but not set.
        External = "external",
    }
}

impl Decode for Bucket {
    const EXPECTS: &'static str = "a bucket name, or a mapping with `name`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { .. } => Some(Bucket::Name(Spanned { value: String::decode(node, cx)?, span: node.span })),
            Kind::Mapping(_) => Some(Bucket::Keys(Box::new(BucketKeys::decode(node, cx)?))),
            _ => decode::mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for Bucket {
    fn schema_name() -> Cow<'static, str> {
        "Bucket".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = generator.subschema_for::<BucketKeys>();
        json_schema!({ "anyOf": [{ "type": "string", "pattern": BUCKET_NAME, "description": "Name of the source bucket." }, keys] })
    }
}

record! {
    /// Rules and alerts about logging.
    Monitoring "`monitoring`" {
        /// An AWS Config rule in each account and Region that compares each bucket's target with the derived one. Log buckets are marked, too:
        /// such a rule can leave none out.
        config_rule: bool, { "examples": [true] };
        /// Alerts on changes to logging, log buckets and trails.
        tamper_alerts: TamperAlerts, { "examples": [{ "sns_topic_name": "acme-logging-alerts" }] };
    }
}

record! {
    /// Alerts on changes to logging.
    TamperAlerts "`tamper_alerts`" {
        /// Name of the SNS topic that is made for them.
        [required "write `sns_topic_name:` and a name"] sns_topic_name: String, { "examples": ["acme-logging-alerts"] };
        /// What else is watched, beside log buckets, sources and trails.
        also: Vec<Spanned<AlsoWatched>>, { "examples": [["alarm", "keys"]] };
        /// A bus that gets the events of all accounts and Regions, beside the topic of each.
        event_bus: EventBus, { "examples": [{ "arn": "arn:aws:events:us-east-1:444455556666:event-bus/security" }] };
        /// What an alert says.
        message: AlertMessage, { "default": "event", "examples": ["text"] };
        /// Whose calls are told of only if they are refused, such as the role that applies what is generated: the name of a role, which is
        /// that of the account, or the ARN of a role or user.
        except: Vec<Spanned<String>>, { "items": { "type": "string", "pattern": ALERTS_EXCEPT, "examples": ["logmap-deployer"] }, "examples": [["logmap-deployer"]] };
    }
}

record! {
    /// One event bus for the events of all accounts and Regions. It is there already, and whoever owns it adds `policies/events/bus.json` to its policy.
    EventBus "`event_bus`" {
        /// ARN of the bus, in any account and Region of the partition. The bus `default` is refused: rules hear of what arrives there.
        [required "write `arn:` and the ARN of an event bus"] arn: String, { "examples": ["arn:aws:events:us-east-1:444455556666:event-bus/security"] };
        /// Name of the role, in each account, with which EventBridge sends: `policies/roles` makes it.
        role: String, { "default": "logmap-alerts", "examples": ["logmap-alerts"] };
    }
}

impl AlsoWatched {
    /// What it is, and what of it nobody hears, for people.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            AlsoWatched::Alarm => {
                "these rules, topics and subscriptions; a subscription that is ended by the link in a message is not recorded, and a topic or rules that are gone tell nobody, but the daily drift job does"
            }
            AlsoWatched::Keys => "keys of trails, in the account and Region of each, if it is in the table",
            AlsoWatched::PublicAccess => {
                "what of the account's buckets can be public at all; heard in the Region whose endpoint was called, and so in those of the table"
            }
            AlsoWatched::Replication => "copies of log buckets that S3 makes elsewhere",
            AlsoWatched::LogObjects => "who deletes objects of log buckets; many at once are one event that does not name them",
            AlsoWatched::VendedLogs => "all deliveries of CloudWatch Logs, not of buckets alone: an event does not say of what",
        }
    }
}

/// A role's name with its path, or the ARN of a role or user. Nothing in it stands for several.
const ALERTS_EXCEPT: &str = "^(arn:[a-z-]+:iam::[0-9]{12}:(role|user)/)?[A-Za-z0-9+=,.@_-][A-Za-z0-9+=,.@_/-]*$";

words! {
    /// What an alert says.
    AlertMessage {
        /// The event as CloudTrail records it, in JSON.
        Event = "event",
        /// Some lines for people: who called what on which bucket, in which account and Region, when, from where, and whether it was refused.
        Text = "text",
    }
}

words! {
    /// What alerts watch beside logging itself.
    AlsoWatched {
        /// The alerts' own rules, topic and subscriptions.
        Alarm = "alarm",
        /// The KMS keys of trails, in the account and Region of each, if the map has that.
        Keys = "keys",
        /// What of the account's buckets can be public at all.
        PublicAccess = "public-access",
        /// Copies of log buckets that S3 makes elsewhere.
        Replication = "replication",
        /// Who deletes objects of log buckets, where a trail records it (`log_bucket_events` of a trail).
        LogObjects = "log-objects",
        /// Deliveries of CloudWatch Logs, such as a bucket's second copy of its access logs.
        VendedLogs = "vended-logs",
    }
}

record! {
    /// Where other templates find the log bucket of their Region.
    Publish "`publish`" {
        /// Name of a Regional SSM parameter that holds the Region's log bucket.
        ssm_parameter: String, { "examples": ["/logmap/access-log-bucket"] };
        /// Name of a second one that holds all that the logging of a bucket there is set to, in JSON: bucket, prefix and key format, so that
        /// what others set is what is granted.
        ssm_logging_parameter: String, { "examples": ["/logmap/access-logging"] };
    }
}

/// Reads a document as a region map. Gives as much of it as can be read; findings go to `findings`.
pub fn decode(document: &Document, findings: &mut Vec<Finding>) -> RegionMap {
    let Some(root) = &document.root else { return RegionMap::default() };
    let mut cx = Cx { document, findings, owner: Span::new(0, 0), owner_name: "the file".to_owned(), item: None };
    let map = RegionMap::decode(document.resolve(root), &mut cx);
    // trails alone are an included file's, and in a map by itself they have no account to stand in
    let elsewhere = |map: &RegionMap| map.include.is_some() || map.trails.as_ref().is_some_and(|trails| !trails.items.is_empty());
    if map.as_ref().is_some_and(|map| !elsewhere(map)) && !has_key(document, root, "accounts") {
        decode::missing_key(
            "accounts",
            RegionMap::TITLE,
            "list the accounts under `accounts`, each with its `id` and its `regions`",
            &mut cx,
        );
    }
    let mut map = map.unwrap_or_default();
    included::decode(document, &mut map, findings);
    map
}

/// The version is not one that is known.
pub(crate) fn unknown_version(version: Spanned<u32>) -> Option<Finding> {
    (version.value != 1).then(|| {
        Finding::new(&VERSION, version.span, format!("version {} of the format is not known", version.value))
            .help("write `version: 1`")
    })
}

fn has_key(document: &Document, node: &Node, key: &str) -> bool {
    path::entries(document, Some(node)).iter().any(|entry| &*entry.key == key)
}
