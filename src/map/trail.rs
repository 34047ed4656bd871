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
