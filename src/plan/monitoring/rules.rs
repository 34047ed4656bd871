//! The rules of EventBridge: what is watched, and what is published of it. Event patterns are made here and nowhere else.

use super::{Alerts, BusTarget, EventRule, MonitoringSettings, Placement, bus::partition_of_bus, topic};
use crate::{
    aws::{Partition, arn, watch},
    map::AlsoWatched,
};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Services, as their principals and `source` of their events name them.
const S3: &str = "s3";
/// Data events of log buckets, which a trail records for themselves.
pub(super) const S3_OBJECTS: &str = "objects of s3";
const CLOUDTRAIL: &str = "cloudtrail";
const EVENTS: &str = "events";
const SNS: &str = "sns";
const LOGS: &str = "logs";
const KMS: &str = "kms";

/// What a rule publishes instead of the event: EventBridge calls it an input transformer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Where the values of the template stand in an event, by their names.
    #[serde(rename = "InputPathsMap")]
    pub paths: IndexMap<String, String>,
    /// Its lines, each in quotes, with `<name>` for a value.
    #[serde(rename = "InputTemplate")]
    pub template: String,
}

impl Message {
    /// The message of a rule: what it is about, and who did what. `subjects` are the parameters of its calls that say on what.
    ///
    /// EventBridge takes a text of several lines as strings in quotes, leaves out a value that an event does not have, and does not
    /// escape values (EventBridge user guide, "Amazon EventBridge input transformation", "Common issues with transforming input"). So there are only values
    /// that AWS makes itself, and names: one with a quote in it is the name of nothing, and a call on that has changed nothing.
    fn new(description: &str, subjects: &[&str]) -> Self {
        let mut paths: IndexMap<String, String> =
            subjects.iter().map(|name| ((*name).to_owned(), format!("$.detail.requestParameters.{name}"))).collect();
        let on: String = subjects.iter().map(|name| format!("<{name}>")).collect();
        let values = [
            ("call", "eventName"),
            ("who", "userIdentity.arn"),
            ("kind", "userIdentity.type"),
            ("service", "userIdentity.invokedBy"),
            ("address", "sourceIPAddress"),
            ("time", "eventTime"),
            ("error", "errorCode"),
            ("id", "eventID"),
        ];
        paths.extend(values.map(|(name, path)| (name.to_owned(), format!("$.detail.{path}"))));
        paths.extend(["account", "region"].map(|name| (name.to_owned(), format!("$.{name}"))));
        let mut lines = vec![description.to_owned(), "call: <call>".to_owned()];
        lines.extend((!on.is_empty()).then(|| format!("on: {on}")));
        lines.extend(
            [
                "by: <who> (<kind> <service>)",
                "from: <address>",
                "in: account <account>, Region <region>",
                "at: <time>",
                "refused with: <error> (it was not if nothing stands here)",
                "event: <id>",
            ]
            .map(str::to_owned),
        );
        let lines: Vec<String> = lines.iter().map(|line| format!("\"{line}\"")).collect();
        Message { paths, template: lines.join("\n") }
    }

    /// As EventBridge's API has it.
    pub(crate) fn to_value(&self) -> Value {
        json!({ "InputPathsMap": self.paths, "InputTemplate": self.template })
    }
}

/// Parameters of calls that say on what, by the service.
fn subjects(rule: &EventRule) -> &'static [&'static str] {
    match rule.service {
        S3 if rule.pattern["detail"]["requestParameters"].is_null() => &[],
        S3 | S3_OBJECTS => &["bucketName"],
        CLOUDTRAIL => &["name", "trailName"],
        EVENTS => &["name", "rule"],
        SNS => &["topicArn", "resourceArn", "subscriptionArn"],
        KMS => &["keyId", "aliasName"],
        _ => &["name"],
    }
}

impl MonitoringSettings {
    pub(super) fn alerts(
        &self,
        topic: &str,
        account_id: &str,
        partition: Partition,
        placement: &Placement,
        keys: &Keys<'_>,
    ) -> Alerts {
        let stem = self.stem();
        let (mut rules, mut every_bucket) = (Vec::new(), false);
        let log_buckets: Vec<&str> = placement.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
        if !log_buckets.is_empty() {
            let mut calls: Vec<&str> = watch::BUCKET_CALLS.iter().chain(&watch::LOG_BUCKET_CALLS).copied().collect();
            if self.also.contains(&AlsoWatched::Replication) {
                calls.extend(watch::REPLICATION_CALLS);
            }
            calls.sort_unstable();
            rules.push(EventRule {
                name: format!("{stem}-log-buckets"),
                description: "logmap: changes to the log buckets of this account and Region".to_owned(),
                pattern: of_buckets(&calls, json!(log_buckets)),
                service: S3,
                message: None,
            });
        }
        let sources: Vec<&str> =
            placement.sources.iter().filter(|source| !source.is_log_bucket).map(|source| source.name.as_str()).collect();
        let groups = groups(&sources, self.except_chars(account_id, partition));
        if groups.len() > watch::SOURCE_RULES {
            every_bucket = true;
            rules.push(EventRule {
                name: format!("{stem}-sources"),
                description: "logmap: changes to logging and access of every bucket of this account and Region".to_owned(),
                pattern: of_buckets(&watch::BUCKET_CALLS, json!([{ "anything-but": log_buckets }])),
                service: S3,
                message: None,
            });
        } else {
            rules.extend(groups.iter().enumerate().map(|(at, names)| EventRule {
                name: format!("{stem}-sources-{}", at + 1),
                description: "logmap: changes to logging and access of source buckets".to_owned(),
                pattern: of_buckets(&watch::BUCKET_CALLS, json!(names)),
                service: S3,
                message: None,
            }));
        }
        if !placement.trails.is_empty() {
            rules.push(EventRule {
                name: format!("{stem}-trails"),
                description: "logmap: changes to trails, which are made in their home Region".to_owned(),
                pattern: pattern(CLOUDTRAIL, &watch::TRAIL_CALLS, None),
                service: CLOUDTRAIL,
                message: None,
            });
        }
        let topic_arn = arn::topic(partition, &placement.region, account_id, topic);
        if self.also.contains(&AlsoWatched::LogObjects) && !log_buckets.is_empty() {
            rules.push(EventRule {
                name: format!("{stem}-log-objects"),
                description: "logmap: objects of the log buckets of this account and Region that are deleted".to_owned(),
                pattern: pattern(S3, &watch::OBJECT_CALLS, Some(json!({ "bucketName": log_buckets }))),
                message: None,
                service: S3_OBJECTS,
            });
        }
        rules.extend(self.others(&stem, &topic_arn, (account_id, &placement.region), keys));
        if !self.except.is_empty() {
            let others = self.others_calls(account_id, partition);
            for rule in &mut rules {
                rule.pattern["$or"] = others.clone();
            }
        }
        if self.readable {
            for rule in &mut rules {
                rule.message = Some(Message::new(&rule.description, subjects(rule)));
            }
        }
        let rule_arns = arn::event_rule(partition, &placement.region, account_id, &format!("{stem}-*"));
        let policy = topic::policy(&topic_arn, &rule_arns, account_id);
        let bus = self
            .bus
            .as_ref()
            .filter(|bus| Some(partition) == partition_of_bus(bus))
            .map(|bus| BusTarget { arn: bus.arn.clone(), role_arn: arn::role(partition, account_id, &bus.role) });
        Alerts { topic: topic.to_owned(), policy, topic_arn, rules, bus, every_bucket, silent: Vec::new() }
    }

    /// Calls that are told of although some principals are excepted: refused ones, and those of everybody else. It stands at the head of a
    /// pattern, beside a choice of its own within `detail`.
    ///
    /// A session has the ARN of its role in `sessionIssuer`, a user has none there; what an event does not have is not anything but something,
    /// and so has to be told apart (EventBridge user guide, "Comparison operators for use in event patterns": `exists`, `anything-but`, `$or`;
    /// CloudTrail user guide, "CloudTrail userIdentity element").
    fn others_calls(&self, account_id: &str, partition: Partition) -> Value {
        let arns = self.except.iter().map(|name| match name.starts_with("arn:") {
            true => name.clone(),
            false => arn::role(partition, account_id, name),
        });
        let (users, roles): (Vec<String>, Vec<String>) = arns.partition(|arn| arn.contains(":user/"));
        let but = |arns: &[String]| json!([{ "anything-but": arns }, { "exists": false }]);
        let mut identity = json!({});
        if !users.is_empty() {
            identity["arn"] = but(&users);
        }
        if !roles.is_empty() {
            identity["sessionContext"] = json!({ "sessionIssuer": { "arn": but(&roles) } });
        }
        json!([{ "detail": { "errorCode": [{ "exists": true }] } }, { "detail": { "userIdentity": identity } }])
    }

    /// Characters that a pattern has for them.
    fn except_chars(&self, account_id: &str, partition: Partition) -> usize {
        if self.except.is_empty() {
            return 0;
        }
        self.others_calls(account_id, partition).to_string().len() + "\"$or\":,".len()
    }

    /// The rules of what is watched beside logging itself.
    fn others(&self, stem: &str, topic_arn: &str, place: Place<'_>, keys: &Keys<'_>) -> Vec<EventRule> {
        let mut rules = Vec::new();
        let mut add = |ending: &str, description: &str, service: &'static str, pattern: Value| {
            let (name, description) = (format!("{stem}-{ending}"), format!("logmap: {description}"));
            rules.push(EventRule { name, description, pattern, service, message: None });
        };
        if self.also.contains(&AlsoWatched::Alarm) {
            let own = json!([{ "prefix": format!("{stem}-") }]);
            // within the parameters, so that there is room beside it for another choice
            let named = json!({ "$or": [{ "name": own }, { "rule": own }] });
            add("rules", "changes to the rules of these alerts", EVENTS, pattern(EVENTS, &watch::RULE_CALLS, Some(named)));
            let named = json!({ "$or": [
                { "topicArn": [topic_arn] },
                { "resourceArn": [topic_arn] },
                { "subscriptionArn": [{ "prefix": format!("{topic_arn}:") }] },
            ] });
            add(
                "topic",
                "changes to the topic of these alerts and its subscriptions",
                SNS,
                pattern(SNS, &watch::TOPIC_CALLS, Some(named)),
            );
        }
        if self.also.contains(&AlsoWatched::PublicAccess) {
            add(
                "public-access",
                "changes to what of this account's buckets can be public",
                S3,
                pattern(S3, &watch::ACCOUNT_CALLS, None),
            );
        }
        if self.also.contains(&AlsoWatched::VendedLogs) {
            add("deliveries", "changes to deliveries of CloudWatch Logs", LOGS, pattern(LOGS, &watch::DELIVERY_CALLS, None));
        }
        if self.also.contains(&AlsoWatched::Keys) {
            for (at, key) in keys.get(&place).into_iter().flatten().enumerate() {
                add(&format!("keys-{}", at + 1), "changes to a key of trails", KMS, of_key(key));
            }
        }
        rules
    }
}

/// An account by its id, and a Region.
pub(super) type Place<'a> = (&'a str, &'a str);
/// The KMS keys of trails, by the place where each is.
pub(super) type Keys<'a> = BTreeMap<Place<'a>, BTreeSet<&'a str>>;

/// Where the keys of trails are.
pub(super) fn keys(arns: &BTreeSet<String>) -> Keys<'_> {
    let mut keys = Keys::new();
    for key in arns {
        if let Some(arn) = arn::parse(key) {
            keys.entry((arn.account, arn.region)).or_default().insert(key);
        }
    }
    keys
}

/// Calls on a key by its ARN: what is called is among the event's `resources`, and the parameters have it as the caller wrote it, which is
/// all that a refused call may have (KMS developer guide, "Examples of AWS KMS log entries"). Of an alias only what it stands for is
/// known here.
fn of_key(key: &str) -> Value {
    let resource = arn::parse(key).map_or("", |arn| arn.resource);
    let id = resource.strip_prefix("key/").unwrap_or(resource);
    if resource.starts_with("alias/") {
        return pattern(KMS, &watch::ALIAS_CALLS, Some(json!({ "aliasName": [resource] })));
    }
    let mut pattern = pattern(KMS, &watch::KEY_CALLS, None);
    pattern["detail"]["$or"] = json!([{ "resources": { "ARN": [key] } }, { "requestParameters": { "keyId": [key, id] } }]);
    pattern
}

/// Calls of a service as CloudTrail records them (EventBridge reference, "Amazon S3 events delivered via AWS CloudTrail").
fn pattern(service: &str, calls: &[&str], parameters: Option<Value>) -> Value {
    let mut detail = json!({ "eventSource": [format!("{service}.amazonaws.com")], "eventName": calls });
    if let Some(parameters) = parameters {
        detail["requestParameters"] = parameters;
    }
    json!({ "source": [format!("aws.{service}")], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail })
}

fn of_buckets(calls: &[&str], names: Value) -> Value {
    pattern(S3, calls, Some(json!({ "bucketName": names })))
}

/// The names, cut so that each pattern stays within its limit, of which so much is taken.
fn groups<'a>(names: &[&'a str], taken: usize) -> Vec<Vec<&'a str>> {
    let room = watch::PATTERN_CHARS - taken - of_buckets(&watch::BUCKET_CALLS, json!([])).to_string().len();
    let mut groups: Vec<Vec<&str>> = Vec::new();
    let mut used = room + 1;
    for name in names {
        let chars = name.len() + "\"\",".len();
        used += chars;
        if used > room {
            groups.push(Vec::new());
            used = chars;
        }
        if let Some(group) = groups.last_mut() {
            group.push(name);
        }
    }
    groups
}
