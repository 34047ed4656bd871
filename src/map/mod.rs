//! The vocabulary of the region map, version 1: every key, its type and what it means.
//!
//! Values keep their places and may all be absent: a `RegionMap` may be wrong. Defaults are applied once, in `settle`.
//! Each type's schema, decoder and documentation come from the one declaration here.

pub mod decode;
pub mod edit;
pub mod schema;
pub mod settle;
pub mod statement;

use crate::{
    diagnostics::Finding,
    document::{Document, Kind, Node},
    record,
    source::Span,
    words,
};
use decode::{Cx, Decode, Entries, Names, OneOrMany};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use source::Spanned;
use statement::Statement;
use std::borrow::Cow;

use crate::source;

record! {
    /// A region map: which source buckets and trails an organisation has, account by account and Region by Region.
    RegionMap "the region map" {
        /// Version of the format: 1.
        [required "write `version: 1` as the first key"] version: u32, { "const": 1, "examples": [1] };
        /// The organisation: its short name, and what organization trails need.
        organization: Organization, {};
        /// Settings for every log bucket, unless an account or a Region says otherwise.
        defaults: Defaults, {};
        /// The AWS accounts, by a short key that you choose.
        [required "list the accounts under `accounts`, each with its `id` and its `regions`"]
        accounts: Entries<AccountKeys, Account>, {};
        /// CloudTrail trails, by their names.
        trails: Entries<TrailNames, Trail>, {};
        /// Rules and alerts about logging, in each account and Region.
        monitoring: Monitoring, {};
        /// Where other templates find the log bucket of their Region.
        publish: Publish, {};
        /// How the targets are to look.
        render: Render, {};
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
        management_account: String, { "examples": ["mgmt"] };
    }
}

record! {
    /// Settings that hold where nothing nearer says otherwise.
    Defaults "`defaults`" {
        /// Settings of the log buckets.
        log_bucket: LogBucket, {};
    }
}

record! {
    /// Settings of log buckets. A Region's win over its account's, an account's over the defaults; tags merge by key,
    /// retention by field, extra statements add up.
    LogBucket "`log_bucket`" {
        /// Name of the log bucket. Placeholders: {org}, {account}, {account_id}, {region}, {partition}.
        name: String, { "default": settle::DEFAULT_NAME, "examples": [settle::DEFAULT_NAME] };
        /// The namespace of the name. With `account-regional` the name is a prefix to which `-{account_id}-{region}-an` is added.
        namespace: Namespace, { "default": "global" };
        /// How S3 lays out the keys of access logs.
        key_format: KeyFormatWord, { "default": "partitioned-event-time" };
        /// Prefix of the keys of access logs. With `simple`, `{source_bucket}/` is added, so that no two sources share one.
        prefix: String, { "default": settle::DEFAULT_PREFIX, "examples": ["s3-access/"] };
        /// How tightly the bucket policy names the sources.
        policy_scope: PolicyScope, { "default": "auto" };
        /// Keep old versions of log objects.
        versioning: bool, { "default": true };
        /// Deny requests without TLS.
        deny_insecure_transport: bool, { "default": true };
        /// How long logs are kept.
        retention: Retention, {};
        /// Tags of the log bucket: keys and values, both strings.
        tags: Entries<TagKeys, String>, { "examples": [{ "owner": "security" }] };
        /// Statements of your own for the bucket policy, in IAM's spelling. They are proven with the rest.
        extra_statements: Vec<Spanned<Statement>>, {};
        /// The bucket exists: import it and bring it to these settings instead of creating it. Its name is taken literally.
        adopt: Adopt, { "examples": [true] };
        /// Give trails a bucket of their own.
        split_trails: bool, { "default": false };
        /// Name of the second bucket of `split_trails`, with the same placeholders as `name`.
        trails_name: String, { "default": settle::DEFAULT_TRAILS_NAME };
        /// Object Lock for the trails' own bucket. Access logs can't be delivered to a bucket that has it.
        object_lock: ObjectLock, {};
    }
}

words! {
    /// Where a bucket name must be unique.
    Namespace {
        /// Unique in the whole partition.
        Global = "global",
        /// Unique in this account and Region only.
        AccountRegional = "account-regional",
    }
}

words! {
    /// How S3 lays out the keys of access logs.
    KeyFormatWord {
        /// By account, Region, bucket and day, the day of the events.
        PartitionedEventTime = "partitioned-event-time",
        /// By account, Region, bucket and day, the day of delivery.
        PartitionedDeliveryTime = "partitioned-delivery-time",
        /// One flat list of objects for each source.
        Simple = "simple",
    }
}

words! {
    /// How tightly the bucket policy names the sources.
    PolicyScope {
        /// Exact ARNs while they fit into 20,480 bytes, then the tightest wildcard patterns that do.
        Auto = "auto",
        /// Every bucket of the account.
        Account = "account",
        /// Exact ARNs, or an error if they don't fit.
        Buckets = "buckets",
    }
}

record! {
    /// How long logs are kept.
    Retention "`retention`" {
        /// Days after which a log object expires.
        expire_after_days: u32, { "default": 400, "minimum": 1 };
        /// Days after which an old version is deleted.
        noncurrent_expire_after_days: u32, { "default": 30, "minimum": 1 };
        /// Move objects to another storage class before they expire. Empty for none.
        transition: Transition, { "examples": [{ "after_days": 90, "storage_class": "GLACIER_IR" }] };
    }
}

/// A change of storage class; both keys absent means none.
#[derive(Debug, Clone, Default)]
pub struct Transition {
    /// The two keys, when they are there.
    pub to: Option<TransitionKeys>,
}

record! {
    /// A change of storage class.
    TransitionKeys "`transition`" {
        /// Days after creation.
        [required "write for example `after_days: 90`"] after_days: u32, { "minimum": 0, "examples": [90] };
        /// The storage class, as the S3 API spells it.
        [required "write for example `storage_class: GLACIER_IR`"] storage_class: StorageClass, { "examples": ["GLACIER_IR"] };
    }
}

impl Decode for Transition {
    const EXPECTS: &'static str = "a mapping with `after_days` and `storage_class`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        Some(Transition { to: Some(TransitionKeys::decode(node, cx)?) })
    }

    fn empty() -> Option<Self> {
        Some(Transition::default())
    }
}

impl JsonSchema for Transition {
    fn schema_name() -> Cow<'static, str> {
        "Transition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = generator.subschema_for::<TransitionKeys>();
        json_schema!({ "anyOf": [keys, { "type": "null" }] })
    }
}

words! {
    /// Storage classes that a lifecycle rule can move objects to.
    StorageClass {
        /// Infrequent access; after 30 days at the earliest.
        StandardIa = "STANDARD_IA",
        /// Infrequent access in one zone; after 30 days at the earliest.
        OnezoneIa = "ONEZONE_IA",
        /// S3 chooses by use.
        IntelligentTiering = "INTELLIGENT_TIERING",
        /// Archive that is read at once.
        GlacierIr = "GLACIER_IR",
        /// Archive that is read after minutes to hours.
        Glacier = "GLACIER",
        /// Archive that is read after hours.
        DeepArchive = "DEEP_ARCHIVE",
    }
}

record! {
    /// Default retention of Object Lock.
    ObjectLock "`object_lock`" {
        /// Who may shorten it: with `GOVERNANCE` those with the permission, with `COMPLIANCE` nobody.
        [required "write `mode: GOVERNANCE` or `mode: COMPLIANCE`"] mode: LockMode, {};
        /// Days for which an object can't be deleted.
        [required "write for example `days: 365`"] days: u32, { "minimum": 1, "examples": [365] };
    }
}

words! {
    /// Modes of Object Lock.
    LockMode {
        /// Principals with a special permission may delete.
        Governance = "GOVERNANCE",
        /// Nobody may delete, not even the root user.
        Compliance = "COMPLIANCE",
    }
}

/// `true`, `false`, or a mapping that names what exists on the bucket.
#[derive(Debug, Clone, Default)]
pub struct Adopt {
    /// Whether the bucket is adopted.
    pub yes: bool,
    /// The settings that exist on it.
    pub existing: Vec<Spanned<ExistingWord>>,
}

record! {
    /// What exists on an adopted bucket.
    AdoptKeys "`adopt`" {
        /// The settings that exist on the bucket, so that Terraform imports them.
        existing: Vec<Spanned<ExistingWord>>, { "examples": [["policy", "lifecycle"]] };
    }
}

words! {
    /// Settings of a bucket that Terraform can import.
    ExistingWord {
        /// The bucket policy.
        Policy = "policy",
        /// The lifecycle configuration.
        Lifecycle = "lifecycle",
        /// The versioning configuration.
        Versioning = "versioning",
        /// The default encryption.
        Encryption = "encryption",
        /// The ownership controls.
        Ownership = "ownership",
        /// The public access block.
        PublicAccessBlock = "public_access_block",
    }
}

impl Decode for Adopt {
    const EXPECTS: &'static str = "`true`, or a mapping with `existing`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Mapping(_) => {
                let keys = AdoptKeys::decode(node, cx)?;
                Some(Adopt { yes: true, existing: keys.existing.map(|list| list.value).unwrap_or_default() })
            }
            _ => Some(Adopt { yes: bool::decode(node, cx)?, existing: Vec::new() }),
        }
    }
}

impl JsonSchema for Adopt {
    fn schema_name() -> Cow<'static, str> {
        "Adopt".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut keys = generator.subschema_for::<AdoptKeys>();
        let mut schema = AdoptKeys::json_schema(generator);
        schema.insert("type".to_owned(), "object".into());
        std::mem::swap(&mut keys, &mut schema);
        json_schema!({ "anyOf": [{ "type": "boolean" }, keys] })
    }
}

record! {
    /// One AWS account.
    Account "an account" {
        /// The account id: twelve digits, in quotes, so that leading zeros stay.
        [required "write the twelve digits in quotes: `id: \"111122223333\"`"]
        id: String, { "pattern": "^[0-9]{12}$", "examples": ["111122223333"] };
        /// Role that generated providers and scripts assume: its name or its ARN.
        role: String, { "examples": ["logmap-deployer"] };
        /// AWS CLI profile of the caller.
        profile: String, { "examples": ["acme-prod"] };
        /// Settings of this account's log buckets.
        log_bucket: LogBucket, {};
        /// The Regions with source buckets. More appear by being a trail's destination.
        regions: Entries<RegionNames, Region>, {};
    }
}

record! {
    /// One Region of an account.
    Region "a Region" {
        /// Settings of this Region's log bucket.
        log_bucket: LogBucket, {};
        /// The source buckets: names, or mappings with `name` and more.
        buckets: Vec<Spanned<Bucket>>, { "examples": [["acme-prod-web"]] };
    }
}

/// A source bucket: a name, or a mapping with `name` and more.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// Its keys; the shorthand sets `name` alone.
    pub keys: BucketKeys,
}

record! {
    /// A source bucket.
    BucketKeys "a source bucket" {
        /// Name of the bucket.
        [required "write `name:` and the name of the bucket"] name: String, { "examples": ["acme-prod-web"] };
        /// Prefix of its log objects' keys, instead of the log bucket's.
        prefix: String, { "examples": ["data/"] };
        /// Who sets its logging.
        logging: Logging, { "default": "managed" };
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
        let keys = match &node.kind {
            Kind::Scalar { .. } => {
                BucketKeys { name: Some(Spanned { value: String::decode(node, cx)?, span: node.span }), ..BucketKeys::default() }
            }
            Kind::Mapping(_) => BucketKeys::decode(node, cx)?,
            _ => return decode::mismatch::<Self, _>(node, cx),
        };
        Some(Bucket { keys })
    }
}

impl JsonSchema for Bucket {
    fn schema_name() -> Cow<'static, str> {
        "Bucket".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = generator.subschema_for::<BucketKeys>();
        json_schema!({ "anyOf": [{ "type": "string", "description": "Name of the source bucket." }, keys] })
    }
}

record! {
    /// One CloudTrail trail, or one in each account or Region that it covers.
    Trail "a trail" {
        /// Whose events it records.
        scope: Scope, { "default": "account" };
        /// With `scope: account`: keys of the accounts that get the trail. Default: all with a Region in its partition.
        accounts: Vec<Spanned<String>>, { "examples": [["prod"]] };
        /// One trail for all Regions, or one in each mapped Region.
        coverage: Coverage, { "default": "multi-region" };
        /// With `coverage: multi-region`: the Region in which the trail is made and to which it delivers.
        home_region: String, { "default": settle::DEFAULT_HOME_REGION, "examples": ["us-east-1"] };
        /// Whose log bucket takes its logs. Default: the writing account's own.
        deliver_to: DeliverTo, {};
        /// Prefix of its keys before `AWSLogs/`, without slashes at its ends.
        prefix: String, { "default": "", "maxLength": 200, "examples": ["trails"] };
        /// KMS key that encrypts its log files: an ARN, or a mapping from Region to ARN. It must be in the log bucket's Region.
        kms_key_arn: KmsKey, { "examples": ["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"] };
        /// Deliver digest files, with which log files can be validated.
        log_file_validation: bool, { "default": true };
        /// Record reads and writes of S3 objects too; log buckets are left out.
        s3_data_events: bool, { "default": false };
    }
}

words! {
    /// Whose events a trail records.
    Scope {
        /// Each of the accounts has a trail of its own.
        Account = "account",
        /// One trail of the management account records all accounts of the organization.
        Organization = "organization",
    }
}

words! {
    /// How a trail covers the Regions.
    Coverage {
        /// One trail, made in its home Region, records all Regions.
        MultiRegion = "multi-region",
        /// One single-Region trail in each mapped Region, delivered in that Region.
        PerRegion = "per-region",
    }
}

record! {
    /// The account that takes a trail's logs.
    DeliverTo "`deliver_to`" {
        /// Key of the account.
        [required "write `account:` and the key of an account"] account: String, { "examples": ["log-archive"] };
    }
}

/// One KMS key, or one for each Region.
#[derive(Debug, Clone)]
pub enum KmsKey {
    /// The same key everywhere.
    One(Spanned<String>),
    /// Region → ARN.
    ByRegion(Entries<RegionNames, String>),
}

impl Decode for KmsKey {
    const EXPECTS: &'static str = "the ARN of a KMS key, or a mapping from Region to ARN";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Mapping(_) => Some(KmsKey::ByRegion(Entries::decode(node, cx)?)),
            _ => Some(KmsKey::One(Spanned { value: String::decode(node, cx)?, span: node.span })),
        }
    }
}

impl JsonSchema for KmsKey {
    fn schema_name() -> Cow<'static, str> {
        "KmsKey".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut by_region = Entries::<RegionNames, String>::json_schema(generator);
        by_region.insert("type".to_owned(), "object".into());
        json_schema!({ "anyOf": [{ "type": "string" }, by_region] })
    }
}

record! {
    /// Rules and alerts about logging.
    Monitoring "`monitoring`" {
        /// An AWS Config rule in each account and Region that compares each bucket's target with the derived one.
        config_rule: bool, { "examples": [true] };
        /// Alerts on changes to logging, log buckets and trails.
        tamper_alerts: TamperAlerts, {};
    }
}

record! {
    /// Alerts on changes to logging.
    TamperAlerts "`tamper_alerts`" {
        /// Name of the SNS topic that is made for them.
        [required "write `sns_topic_name:` and a name"] sns_topic_name: String, { "examples": ["acme-logging-alerts"] };
    }
}

record! {
    /// Where other templates find the log bucket of their Region.
    Publish "`publish`" {
        /// Name of a Regional SSM parameter that holds the Region's log bucket.
        ssm_parameter: String, { "examples": ["/logmap/access-log-bucket"] };
    }
}

record! {
    /// How the targets are to look.
    Render "`render`" {
        /// Terraform and OpenTofu.
        terraform: RenderTerraform, {};
        /// CloudFormation.
        cloudformation: RenderCloudFormation, {};
        /// Athena.
        athena: RenderAthena, {};
    }
}

record! {
    /// How Terraform modules are to look.
    RenderTerraform "`terraform`" {
        /// Major version of the AWS provider: 6 (a Region on each resource) or 5 (an aliased provider for each Region).
        aws_provider: u32, { "enum": [5, 6], "default": 6 };
        /// Where the state is kept.
        backend: Backend, {};
    }
}

record! {
    /// State backend.
    Backend "`backend`" {
        /// S3 backend; a list when the map has several partitions. Each serves the accounts of its Region's partition.
        s3: OneOrMany<S3Backend>, {};
    }
}

record! {
    /// An S3 bucket for Terraform state. The key is `logmap/<account>/terraform.tfstate`.
    S3Backend "`s3`" {
        /// Name of the bucket.
        [required "write `bucket:` and the name of the state bucket"] bucket: String, { "examples": ["acme-terraform-state"] };
        /// Its Region.
        [required "write `region:` and the Region of the state bucket"] region: String, { "examples": ["us-east-1"] };
        /// Encrypt the state.
        encrypt: bool, { "default": true };
        /// Lock with a file in the bucket.
        use_lockfile: bool, {};
        /// KMS key for the state.
        kms_key_id: String, {};
        /// DynamoDB table for locks.
        dynamodb_table: String, {};
        /// AWS CLI profile that reads the state.
        profile: String, {};
    }
}

record! {
    /// How CloudFormation templates are to look.
    RenderCloudFormation "`cloudformation`" {
        /// How the logging of sources that the stack doesn't own is set.
        source_logging: SourceLogging, { "default": "custom-resource" };
    }
}

words! {
    /// How CloudFormation sets the logging of sources.
    SourceLogging {
        /// By a small custom resource in the stack.
        CustomResource = "custom-resource",
        /// Not at all: the stack's outputs say what the owners' templates have to set.
        OutputsOnly = "outputs-only",
    }
}

record! {
    /// How Athena tables are to look.
    RenderAthena "`athena`" {
        /// Carry the tables as Glue resources in Terraform and CloudFormation.
        glue: bool, { "default": false };
    }
}

/// Names of accounts.
#[derive(Debug, Clone)]
pub struct AccountKeys;
/// Names of Regions.
#[derive(Debug, Clone)]
pub struct RegionNames;
/// Names of trails.
#[derive(Debug, Clone)]
pub struct TrailNames;
/// Keys of tags.
#[derive(Debug, Clone)]
pub struct TagKeys;

impl Names for AccountKeys {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value, "propertyNames": { "pattern": "^[a-z][a-z0-9-]*$" } })
    }
}

impl Names for TrailNames {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value,
            "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$" } })
    }
}

impl Names for TagKeys {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value, "propertyNames": { "minLength": 1, "maxLength": 128 } })
    }
}

impl Names for RegionNames {
    fn schema(value: Schema) -> Schema {
        let known: serde_json::Map<String, serde_json::Value> =
            crate::aws::region::KNOWN.iter().map(|region| (region.name.to_owned(), value.clone().into())).collect();
        json_schema!({ "type": ["object", "null"], "properties": known, "additionalProperties": value,
            "propertyNames": { "pattern": "^[a-z]+(-[a-z]+)+-[0-9]+$" } })
    }
}

/// Reads a document as a region map. Gives as much of it as can be read; findings go to `findings`.
pub fn decode(document: &Document, findings: &mut Vec<Finding>) -> RegionMap {
    let Some(root) = &document.root else { return RegionMap::default() };
    let mut cx = Cx { document, findings, owner: Span::new(0, 0), owner_name: "the file".to_owned() };
    RegionMap::decode(document.resolve(root), &mut cx).unwrap_or_default()
}
