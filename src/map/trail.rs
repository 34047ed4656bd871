//! `trails`: CloudTrail trails, where they deliver, and the keys that encrypt them. Vocabulary only.

use super::{
    decode::{Cx, Decode, Entries, mismatch},
    effective,
    names::RegionNames,
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
    /// One CloudTrail trail, or one in each account or Region that it covers.
    Trail "a trail" {
        /// Whose events it records.
        scope: Scope, { "default": "account" };
        /// With `scope: account`: keys of the accounts that get the trail. Default: all with a Region in its partition.
        accounts: Vec<Spanned<String>>, { "examples": [["prod"]] };
        /// One trail for all Regions, or one in each mapped Region.
        coverage: Coverage, { "default": "multi-region" };
        /// With `coverage: multi-region`: the Region in which the trail is made and to which it delivers.
        home_region: String, { "anyOf": super::names::region_value(), "default": effective::DEFAULT_HOME_REGION, "examples": ["us-east-1"] };
        /// Whose log bucket takes its logs. Default: the writing account's own.
        deliver_to: DeliverTo, { "examples": [{ "account": "log-archive" }] };
        /// Prefix of its keys before `AWSLogs/`, without slashes at its ends.
        prefix: String, { "pattern": "^([^/*?{}]([^*?{}]*[^/*?{}])?)?$", "default": "", "maxLength": 200, "examples": ["trails"] };
        /// KMS key that encrypts its log files: an ARN, or a mapping from Region to ARN. It must be in the log bucket's Region.
        kms_key_arn: KmsKey, { "examples": ["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"] };
        /// Deliver digest files, with which log files can be validated.
        log_file_validation: bool, { "default": true };
        /// Record reads and writes of S3 objects too; log buckets are left out.
        s3_data_events: bool, { "default": false };
        /// What it records of the objects of log buckets, which `s3_data_events` leaves out: never a delivery, so that none makes another.
        log_bucket_events: Vec<Spanned<LogBucketEvents>>, { "examples": [["deletes"]] };
        /// Which management events it records.
        management_events: ManagementEvents, { "default": "all", "examples": ["write-only"] };
        /// Services whose management events it leaves out: a busy KMS key makes most of a trail.
        exclude_event_sources: Vec<Spanned<EventSource>>, { "examples": [["kms.amazonaws.com"]] };
        /// Unusual activity that CloudTrail looks for in the management events; it is charged for.
        insights: Vec<Spanned<Insight>>, { "examples": [["api-call-rate", "api-error-rate"]] };
        /// Log group of CloudWatch Logs that gets its events too, in the account and Region of the trail. It and the role exist.
        cloudwatch_logs: CloudWatchLogs, { "examples": [{ "log_group": "acme-trail", "role": "acme-trail-to-logs" }] };
        /// SNS topic that gets a message for each log file: its name in the account and Region of the trail, or its ARN. It exists.
        sns_topic: String, { "pattern": TOPIC, "examples": ["acme-trail-files"] };
        /// The trail exists: take it over, with the log group, topic, Insights and selectors that it has, instead of making it. `true`,
        /// or the accounts in which it exists.
        adopt: AdoptTrail, { "default": false, "examples": [true, ["prod"]] };
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

words! {
    /// What a trail records of the objects of log buckets.
    LogBucketEvents {
        /// Who deletes them, one or many at once.
        Deletes = "deletes",
        /// Who reads and lists them. Each query of Athena is many such events.
        Reads = "reads",
    }
}

words! {
    /// Which management events a trail records.
    ManagementEvents {
        /// Reads and writes.
        All = "all",
        /// Reads alone.
        ReadOnly = "read-only",
        /// Writes alone.
        WriteOnly = "write-only",
        /// None: only data events.
        None = "none",
    }
}

words! {
    /// A service whose management events a trail can leave out: no others can be
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html>, `eventSource`).
    EventSource {
        /// AWS KMS.
        Kms = "kms.amazonaws.com",
        /// The Data API of RDS.
        RdsData = "rdsdata.amazonaws.com",
    }
}

words! {
    /// Unusual activity that CloudTrail Insights looks for
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutInsightSelectors.html>).
    Insight {
        /// More or fewer calls that write than usual.
        CallRate = "api-call-rate",
        /// More calls that fail than usual.
        ErrorRate = "api-error-rate",
    }
}

impl Insight {
    /// As CloudTrail's API, CloudFormation and Terraform spell it.
    pub(crate) fn api(self) -> &'static str {
        match self {
            Insight::CallRate => "ApiCallRateInsight",
            Insight::ErrorRate => "ApiErrorRateInsight",
        }
    }
}

/// Names of topics: letters, digits, `_` and `-`. One that ends with `.fifo` takes nothing from CloudTrail.
const TOPIC: &str = "^(arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:)?[A-Za-z0-9_-]{1,256}$";

record! {
    /// A log group, and the role by which CloudTrail writes to it.
    CloudWatchLogs "`cloudwatch_logs`" {
        /// Name of the log group.
        [required "write `log_group:` and the name of the log group"] log_group: String, { "pattern": "^[A-Za-z0-9_/.#-]{1,512}$", "examples": ["acme-trail"] };
        /// Name of the role that CloudTrail assumes, with its path if it has one.
        [required "write `role:` and the name of the role that CloudTrail assumes"] role: String, { "pattern": "^[A-Za-z0-9+=,.@_-][A-Za-z0-9+=,.@_/-]*$", "examples": ["acme-trail-to-logs"] };
    }
}

record! {
    /// The account that takes a trail's logs.
    DeliverTo "`deliver_to`" {
        /// Key of the account.
        [required "write `account:` and the key of an account"] account: String, { "pattern": super::names::ACCOUNT_KEY, "examples": ["log-archive"] };
    }
}

/// Whether the trail exists: everywhere or nowhere, or in some of its accounts.
#[derive(Debug, Clone)]
pub enum AdoptTrail {
    /// In all accounts and Regions in which the map has it, or in none.
    Everywhere(bool),
    /// In the accounts with these keys.
    In(Vec<Spanned<String>>),
}

impl AdoptTrail {
    /// The keys of accounts that are named.
    pub(crate) fn named(&self) -> &[Spanned<String>] {
        match self {
            AdoptTrail::Everywhere(_) => &[],
            AdoptTrail::In(accounts) => accounts,
        }
    }
}

impl Decode for AdoptTrail {
    const EXPECTS: &'static str = "`true`, `false`, or a list of account keys";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Sequence(_) => Some(AdoptTrail::In(Vec::decode(node, cx)?)),
            Kind::Scalar { .. } => Some(AdoptTrail::Everywhere(bool::decode(node, cx)?)),
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for AdoptTrail {
    fn schema_name() -> Cow<'static, str> {
        "AdoptTrail".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string" } }] })
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
        json_schema!({ "anyOf": [{ "type": "string", "pattern": "^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+$" }, by_region] })
    }
}
