//! `log_bucket`: the settings of log buckets, and their words.
//!
//! Vocabulary only; which layer wins and what holds by default is for `effective`.

use super::{
    decode::{Cx, Decode, Entries, mismatch},
    effective,
    names::TagKeys,
    sender::Sender,
    statement::Statement,
};
use crate::{
    document::{Kind, Node},
    record,
    source::Spanned,
    words,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

record! {
    /// Settings of log buckets. A Region's win over its account's, an account's over the defaults; tags merge by key,
    /// retention by field, extra statements add up.
    LogBucket "`log_bucket`" {
        /// Name of the log bucket. Placeholders: {org}, {account}, {account_id}, {region}, {partition}.
        name: String, { "default": effective::DEFAULT_NAME, "examples": [effective::DEFAULT_NAME] };
        /// The namespace of the name. With `account-regional` the name is a prefix to which `-{account_id}-{region}-an` is added.
        namespace: Namespace, { "default": "global" };
        /// How S3 lays out the keys of access logs.
        key_format: KeyFormat, { "default": "partitioned-event-time" };
        /// Prefix of the keys of access logs. With `simple`, `{source_bucket}/` is added, so that no two sources share one.
        prefix: String, { "pattern": super::PREFIX, "default": effective::DEFAULT_PREFIX, "examples": ["s3-access/"] };
        /// How tightly the bucket policy names the sources.
        policy_scope: PolicyScope, { "default": "auto" };
        /// Keep old versions of log objects.
        versioning: bool, { "default": true };
        /// Deny requests without TLS.
        deny_insecure_transport: bool, { "default": true };
        /// How long logs are kept.
        retention: Retention, { "examples": [{ "expire_after_days": 400, "noncurrent_expire_after_days": 30 }] };
        /// Who sets its lifecycle rules. `retention` says nothing where other code does.
        lifecycle: Lifecycle, { "default": "managed" };
        /// Tags of the log bucket: keys and values, both strings.
        tags: Entries<TagKeys, String>, { "examples": [{ "owner": "security" }] };
        /// Statements of your own for the bucket policy, in IAM's spelling. They are proven with the rest.
        extra_statements: Vec<Spanned<Statement>>, { "examples": [[{
            "Sid": "AuditorsRead",
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::111122223333:role/auditor" },
            "Action": "s3:GetObject",
            "Resource": "{log_bucket_arn}/*",
        }]] };
        /// AWS services that write logs of their own into the log bucket of their account and Region, each under a prefix of its own. The
        /// nearest list counts; an empty one is for none.
        senders: Vec<Spanned<Sender>>, { "examples": [["config", { "service": "vpc-flow-logs", "prefix": "flow/" }]] };
        /// The bucket exists: import it and bring it to these settings instead of creating it. Its name is taken literally.
        adopt: Adopt, { "examples": [true] };
        /// Give trails a bucket of their own.
        split_trails: bool, { "default": false };
        /// Name of the second bucket of `split_trails`, with the same placeholders as `name`.
        trails_name: String, { "default": effective::DEFAULT_TRAILS_NAME };
        /// The second bucket of `split_trails` exists: like `adopt` for the first. `trails_name` is taken literally.
        adopt_trails_bucket: Adopt, { "examples": [true] };
        /// Who sets the logging of the second bucket of `split_trails`, which logs to the first one.
        trails_bucket_logging: super::Logging, { "default": "managed" };
        /// Object Lock for the trails' own bucket. Access logs can't be delivered to a bucket that has it.
        object_lock: ObjectLock, { "examples": [{ "mode": "GOVERNANCE", "days": 365 }] };
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
    KeyFormat {
        /// By account, Region, bucket and day, the day of the events.
        PartitionedEventTime = "partitioned-event-time",
        /// By account, Region, bucket and day, the day of delivery.
        PartitionedDeliveryTime = "partitioned-delivery-time",
        /// One flat list of objects for each source.
        Simple = "simple",
    }
}

impl KeyFormat {
    /// `EventTime` or `DeliveryTime` as the API spells it; nothing for `simple`.
    pub fn partition_date_source(self) -> Option<&'static str> {
        match self {
            KeyFormat::PartitionedEventTime => Some("EventTime"),
            KeyFormat::PartitionedDeliveryTime => Some("DeliveryTime"),
            KeyFormat::Simple => None,
        }
    }

    /// How the keys lie, such as `by the day of the events`.
    pub(crate) fn layout(self) -> &'static str {
        match self {
            KeyFormat::PartitionedEventTime => "by the day of the events",
            KeyFormat::PartitionedDeliveryTime => "by the day of their delivery",
            KeyFormat::Simple => "one flat list",
        }
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
        /// Days after which a log object expires, or `never`.
        expire_after_days: ExpireAfter, { "default": effective::DEFAULT_EXPIRE_AFTER_DAYS };
        /// Days after which an old version is deleted, or `never`.
        noncurrent_expire_after_days: ExpireAfter, { "default": effective::DEFAULT_NONCURRENT_DAYS };
        /// Move objects to another storage class before they expire: once, or a list of changes. Empty for none. S3 moves no object
        /// under 128 KB, and most log objects are smaller.
        transition: Transition, { "examples": [
            { "after_days": 90, "storage_class": "GLACIER_IR" },
            [{ "after_days": 30, "storage_class": "STANDARD_IA" }, { "after_days": 90, "storage_class": "GLACIER" }],
        ] };
        /// Move objects that are larger than so many bytes, in place of S3's 128 KB.
        transition_larger_than_bytes: u32, { "minimum": 1, "examples": [1, 16384] };
        /// How long access logs are kept. What it leaves out is as `retention` says.
        access_logs: StreamRetention, { "examples": [{ "expire_after_days": 90 }] };
        /// How long the files of trails are kept. What it leaves out is as `retention` says.
        trails: StreamRetention, { "examples": [{ "expire_after_days": "never", "transition": { "after_days": 90, "storage_class": "GLACIER" } }] };
    }
}

record! {
    /// How long access logs, or the files of trails, are kept, where it is not as long as everything else. Its keys win over those of
    /// `retention` wherever they stand: in the defaults, an account or a Region.
    StreamRetention "the retention of one kind of logs" {
        /// Days after which a log object expires, or `never`.
        expire_after_days: ExpireAfter, { "examples": [90, "never"] };
        /// Days after which an old version is deleted, or `never`.
        noncurrent_expire_after_days: ExpireAfter, { "examples": [30, "never"] };
        /// Move objects to another storage class before they expire: once, or a list of changes. Empty for none.
        transition: Transition, { "examples": [{ "after_days": 90, "storage_class": "GLACIER_IR" }] };
        /// Move objects that are larger than so many bytes, in place of S3's 128 KB.
        transition_larger_than_bytes: u32, { "minimum": 1, "examples": [1, 16384] };
    }
}

/// Days after which something expires; `None` is `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpireAfter(pub Option<u32>);

/// The word for no expiry.
const NEVER: &str = "never";

impl Decode for ExpireAfter {
    const EXPECTS: &'static str = "a whole number of days, or `never`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, .. } if &**text == NEVER => Some(ExpireAfter(None)),
            // a number in quotes is told how to write it
            Kind::Scalar { text, .. } if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(ExpireAfter(Some(u32::decode(node, cx)?)))
            }
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for ExpireAfter {
    fn schema_name() -> Cow<'static, str> {
        "ExpireAfter".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1, "maximum": u32::MAX }, { "const": NEVER }] })
    }
}

words! {
    /// Who sets a log bucket's lifecycle rules.
    Lifecycle {
        /// Generated code sets them, by `retention`.
        Managed = "managed",
        /// Someone else's code sets them; logmap leaves them as they are.
        External = "external",
    }
}

/// Changes of storage class: one, several, or none.
#[derive(Debug, Clone, Default)]
pub struct Transition {
    /// As written.
    pub to: Vec<TransitionKeys>,
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
    const EXPECTS: &'static str = "a mapping with `after_days` and `storage_class`, or a list of such mappings";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Sequence(_) => {
                let several: Vec<Spanned<TransitionKeys>> = Vec::decode(node, cx)?;
                Some(Transition { to: several.into_iter().map(|one| one.value).collect() })
            }
            Kind::Mapping(_) => Some(Transition { to: vec![TransitionKeys::decode(node, cx)?] }),
            _ => mismatch::<Self, _>(node, cx),
        }
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
        json_schema!({ "anyOf": [keys, { "type": "array", "items": keys }, { "type": "null" }] })
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
    pub existing: Vec<Spanned<ExistingSetting>>,
}

record! {
    /// What exists on an adopted bucket.
    AdoptKeys "`adopt`" {
        /// The settings that exist on the bucket, so that Terraform imports them. CloudFormation imports the policy with the bucket, unless
        /// settings are listed here and `policy` is not one of them.
        existing: Vec<Spanned<ExistingSetting>>, { "examples": [["policy", "lifecycle"]] };
    }
}

words! {
    /// Settings of a bucket that can be imported.
    ExistingSetting {
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
