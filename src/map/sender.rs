//! `senders`: AWS services that write logs of their own into a log bucket. Vocabulary only; what each may write is a fact of AWS.

use super::decode::{Cx, Decode, mismatch};
use crate::{
    document::{Kind, Node},
    record,
    source::Spanned,
    words,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A service that writes here: a word, or a mapping with `service` and more.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Which one; `None` for a mapping without it, which has been reported.
    pub service: Option<Spanned<SenderService>>,
    /// Its keys, if it is a mapping.
    pub keys: Option<Box<SenderKeys>>,
}

record! {
    /// A service that writes logs of its own into the log bucket.
    SenderKeys "a sender" {
        /// The service.
        [required "write `service:` and the name of the service, such as `config`"] service: SenderService, { "examples": ["vpc-flow-logs"] };
        /// Prefix of its keys before `AWSLogs/`, as the service is told it. Empty for none. Default: the name of the service and a slash.
        prefix: String, { "pattern": super::PREFIX, "examples": ["flow/", ""] };
        /// Keys of the accounts for which it writes, or `all` for each account of the partition. Default: the log bucket's own.
        accounts: SenderAccounts, { "examples": [["prod"], "all"] };
    }
}

words! {
    /// A service that writes logs into buckets.
    SenderService {
        /// AWS Config: histories and snapshots, from any Region. Its delivery channel has the prefix without the slash.
        Config = "config",
        /// Access and connection logs of Application Load Balancers, and access logs of Classic Load Balancers, in the bucket's Region.
        Elb = "elb",
        /// Access logs of Network Load Balancers in the bucket's Region.
        Nlb = "nlb",
        /// Flow logs of VPCs, subnets and interfaces in the bucket's Region.
        VpcFlowLogs = "vpc-flow-logs",
        /// Access logs of CloudFront, as standard logging (v2) delivers them.
        CloudFront = "cloudfront",
        /// Can't be: CloudFront's legacy logging needs a bucket with ACLs.
        CloudFrontLegacy = "cloudfront-legacy",
        /// Can't be: a bucket for AWS WAF has a name that begins with `aws-waf-logs-`.
        Waf = "waf",
    }
}

/// The accounts for which a service writes.
#[derive(Debug, Clone)]
pub enum SenderAccounts {
    /// All of the partition.
    All,
    /// Those with these keys.
    In(Vec<Spanned<String>>),
}

/// The word for all accounts.
const ALL: &str = "all";

impl SenderAccounts {
    /// The keys of accounts that are named.
    pub(crate) fn named(&self) -> &[Spanned<String>] {
        match self {
            SenderAccounts::All => &[],
            SenderAccounts::In(accounts) => accounts,
        }
    }
}

impl Sender {
    /// The keys of accounts that are named.
    pub(crate) fn accounts(&self) -> &[Spanned<String>] {
        self.keys.as_ref().and_then(|keys| keys.accounts.as_ref()).map_or(&[], |accounts| accounts.value.named())
    }
}

impl Decode for Sender {
    const EXPECTS: &'static str = "the name of a service, or a mapping with `service`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { .. } => {
                let service = Spanned { value: SenderService::decode(node, cx)?, span: node.span };
                Some(Sender { service: Some(service), keys: None })
            }
            Kind::Mapping(_) => {
                let keys = SenderKeys::decode(node, cx)?;
                Some(Sender { service: keys.service, keys: Some(Box::new(keys)) })
            }
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for Sender {
    fn schema_name() -> Cow<'static, str> {
        "Sender".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<SenderService>();
        let keys = generator.subschema_for::<SenderKeys>();
        json_schema!({ "anyOf": [word, keys] })
    }
}

impl Decode for SenderAccounts {
    const EXPECTS: &'static str = "a list of account keys, or `all`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Sequence(_) => Some(SenderAccounts::In(Vec::decode(node, cx)?)),
            Kind::Scalar { text, .. } if &**text == ALL => Some(SenderAccounts::All),
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for SenderAccounts {
    fn schema_name() -> Cow<'static, str> {
        "SenderAccounts".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": ALL }, { "type": "array", "items": { "type": "string" } }] })
    }
}
