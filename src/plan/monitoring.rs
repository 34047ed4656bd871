//! Monitoring: what is published and watched in each account and Region, beside logging itself.
//!
//! Takes what the map asks for and the placements as they are planned; gives the parameter that holds the log bucket's name, the
//! Config rule, and the alerts: a topic, its policy and the rules of EventBridge that publish to it. All targets render these
//! values as they are.

mod bus;
mod heard;
mod rules;
mod topic;

pub(crate) use self::{
    bus::{BUS_TARGET_ID, BusPolicy, BusTarget, bus_policy},
    heard::{check, silent},
    rules::Message,
};
use super::{Account, KeyFormat, Placement, Source};
pub(crate) use crate::map::values::{BusSettings, MonitoringSettings};
use crate::{
    aws::{Partition, watch},
    policy::Policy,
};
use indexmap::IndexMap;
use rules::{Keys, keys};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, collections::BTreeSet};

/// What is published and watched in one account and Region.
#[derive(Debug, Clone, Serialize, Default)]
pub struct Monitoring {
    /// The parameter, where there is a bucket for access logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<Parameter>,
    /// The parameter with all that logging is set to, in the same places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_parameter: Option<Parameter>,
    /// The Config rule, where there is a bucket for access logs and Config has the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_rule: Option<ConfigRule>,
    /// The alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Alerts>,
}

/// A parameter of Systems Manager, of type String.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Name, with a `/` before each level if it has levels.
    pub name: String,
    /// Name of the bucket that takes the access logs of this account and Region, or what logging to it is set to.
    pub value: String,
}

/// What the parameters say of themselves.
pub(crate) const PARAMETER_DESCRIPTION: &str = "Bucket that takes the S3 access logs of this account and Region";
pub(crate) const LOGGING_PARAMETER_DESCRIPTION: &str = "What the logging of S3 buckets of this account and Region is set to";

/// A rule of Config, made from the managed rule `S3_BUCKET_LOGGING_ENABLED`.
#[derive(Debug, Clone, Serialize)]
pub struct ConfigRule {
    /// Name: the common stem and `-access-logging`, at most 128 characters.
    pub name: String,
    /// The one target that it accepts.
    pub target_bucket: String,
}

/// A topic and the rules that publish to it.
#[derive(Debug, Clone, Serialize)]
pub struct Alerts {
    /// Name of the topic.
    pub topic: String,
    /// ARN of the topic.
    pub topic_arn: String,
    /// Topic policy: who may publish.
    pub policy: Policy,
    /// The rules of the default event bus, in a fixed order.
    pub rules: Vec<EventRule>,
    /// The bus that gets what the rules match, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<BusTarget>,
    /// True: the sources are too many to be named, so one rule watches every bucket of the account and Region.
    pub every_bucket: bool,
    /// Names of the rules that hear nothing: no trail of the map records here what they are about. Derived, so no digest is made of it.
    #[serde(skip)]
    pub silent: Vec<String>,
}

/// A rule of EventBridge.
#[derive(Debug, Clone, Serialize)]
pub struct EventRule {
    /// Name: the common stem and what is watched, at most 64 characters.
    pub name: String,
    /// What it watches.
    pub description: String,
    /// Event pattern: a JSON object of at most 2,048 characters.
    pub pattern: Value,
    /// What it publishes instead of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The service whose calls it hears of, as its principal begins: `s3`.
    #[serde(skip)]
    pub service: &'static str,
}

/// Where a source's keys begin, with `{source_bucket}/` for its own name at the end of a prefix, and their layout.
type Layout<'a> = (Cow<'a, str>, KeyFormat);

/// The layout of a source.
pub(crate) fn layout(source: &Source) -> Layout<'_> {
    let prefix = match source.common_folder() {
        Some(common) => format!("{common}{{source_bucket}}/").into(),
        None => Cow::Borrowed(&*source.prefix),
    };
    (prefix, source.key_format)
}

/// What logging is set to in a placement, as S3's API has it: for most buckets, and under `Sources` for those that others set and that
/// are not as most.
fn logging(bucket: &str, placement: &Placement) -> Value {
    let sources = || placement.sources.iter().filter(|source| !source.is_log_bucket);
    let mut counts: IndexMap<Layout<'_>, usize> = IndexMap::new();
    for source in sources() {
        *counts.entry(layout(source)).or_default() += 1;
    }
    // the first of the most frequent
    let most = counts.values().max().copied();
    let common = counts.iter().find(|(_, count)| Some(**count) == most).map(|(layout, _)| layout.clone());
    let set = |prefix: &str, format: KeyFormat| {
        let keys = match format.partition_date_source() {
            Some(by) => json!({ "PartitionedPrefix": { "PartitionDateSource": by } }),
            None => json!({ "SimplePrefix": {} }),
        };
        json!({ "TargetPrefix": prefix, "TargetObjectKeyFormat": keys })
    };
    let mut value = common.as_ref().map_or_else(|| json!({}), |(prefix, format)| set(prefix, *format));
    value["TargetBucket"] = json!(bucket);
    let others = sources().filter(|source| !source.managed && common.as_ref() != Some(&layout(source)));
    let others: IndexMap<&str, Value> =
        others.map(|source| (source.name.as_str(), set(&source.prefix, source.key_format))).collect();
    if !others.is_empty() {
        value["Sources"] = json!(others);
    }
    value
}

/// Description of the Config rule: scripts know their own by its first word.
pub(crate) const CONFIG_RULE_DESCRIPTION: &str = "logmap: buckets that do not log to the log bucket of their account and Region";

/// Id of the target that logmap gives each rule: the topic.
pub(crate) const TARGET_ID: &str = "logmap-alerts";

impl Monitoring {
    /// True if nothing is published or watched.
    pub fn is_empty(&self) -> bool {
        self.parameters().next().is_none() && self.config_rule.is_none() && self.alerts.is_none()
    }

    /// The parameters, each with what it says of itself.
    pub fn parameters(&self) -> impl Iterator<Item = (&Parameter, &'static str)> {
        let plain = self.parameter.iter().map(|parameter| (parameter, PARAMETER_DESCRIPTION));
        plain.chain(self.logging_parameter.iter().map(|parameter| (parameter, LOGGING_PARAMETER_DESCRIPTION)))
    }
}

impl MonitoringSettings {
    /// What these settings give in one account and Region.
    pub fn in_placement(&self, account_id: &str, partition: Partition, placement: &Placement, keys: &Keys<'_>) -> Monitoring {
        let bucket = placement.access_log_bucket();
        Monitoring {
            parameter: bucket
                .zip(self.parameter.as_ref())
                .map(|(bucket, name)| Parameter { name: name.clone(), value: bucket.name.clone() }),
            logging_parameter: bucket
                .zip(self.logging_parameter.as_ref())
                .map(|(bucket, name)| Parameter { name: name.clone(), value: logging(&bucket.name, placement).to_string() }),
            config_rule: bucket
                .filter(|_| self.config_rule && watch::has_config_rule(&placement.region))
                .map(|bucket| ConfigRule { name: format!("{}-access-logging", self.stem()), target_bucket: bucket.name.clone() }),
            alerts: self.topic.as_ref().map(|topic| self.alerts(topic, account_id, partition, placement, keys)),
        }
    }

    /// What the names of rules begin with, that of every Region alike: short enough for every ending, and the organisation's own.
    pub fn stem(&self) -> String {
        const ROOM: usize = watch::RULE_NAME_CHARS - "logmap--log-buckets-000".len();
        let name = &self.organization;
        match name.len() {
            0 => "logmap".to_owned(),
            1..=ROOM => format!("logmap-{name}"),
            _ => {
                let digest: String = Sha256::digest(name.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                format!("logmap-{}-{digest}", name.get(..ROOM - 9).unwrap_or_default())
            }
        }
    }
}

/// Sets `monitoring` of each placement.
pub(crate) fn fill(accounts: &mut [Account], settings: &MonitoringSettings) {
    let arns: BTreeSet<String> = key_arns(accounts).map(str::to_owned).collect();
    let keys = keys(&arns);
    for account in accounts.iter_mut() {
        for placement in &mut account.placements {
            placement.monitoring = settings.in_placement(&account.id, account.partition, placement, &keys);
        }
    }
    if settings.topic.is_some() {
        heard::listen(accounts);
    }
}

/// ARNs of the keys with which trails encrypt.
fn key_arns(accounts: &[Account]) -> impl Iterator<Item = &str> {
    let trails = accounts.iter().flat_map(|account| &account.placements).flat_map(|placement| &placement.trails);
    trails.filter_map(|trail| trail.kms_key_arn.as_deref())
}

#[cfg(test)]
mod tests;
