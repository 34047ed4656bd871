//! Monitoring: what is published and watched in each account and Region, beside logging itself.
//!
//! Takes what the map asks for and the placements as they are planned; gives the parameter that holds the log bucket's name, the
//! Config rule, and the alerts: a topic, its policy and the rules of EventBridge that publish to it. All targets render these
//! values as they are. Event patterns are made here and nowhere else.

use super::{Account, KeyFormat, Placement, Source, Trail};
pub(crate) use crate::map::values::{BusSettings, MonitoringSettings};
use crate::{
    aws::{Partition, arn, parameter, watch},
    diagnostics::Finding,
    map::{AlsoWatched, KmsKey, LogBucketEvents, ManagementEvents, effective::EffectiveMap},
    policy::{
        Condition, Effect, Element, Policy, Principal, Statement,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
    rules::monitoring::{
        ALERTS_WITHOUT_TRAIL, CONFIG_RULE_REGION, EVENT_BUS, EVENT_BUS_LEFT_OUT, KEY_NOT_WATCHED, PARAMETER_VALUE,
    },
};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

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

/// What the owner of the bus has to add to its policy.
#[derive(Debug, Clone, Serialize)]
pub struct BusPolicy {
    /// The statement.
    pub policy: Policy,
    /// Claims about it that don't hold: a bug, and nothing is written.
    #[serde(skip)]
    pub failures: Vec<String>,
}

/// An event bus as the target of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusTarget {
    /// ARN of the bus.
    pub arn: String,
    /// ARN of the role with which EventBridge sends.
    pub role_arn: String,
}

impl BusTarget {
    /// As EventBridge's API has the target. A bus gets the event as it is.
    pub(crate) fn to_value(&self) -> Value {
        json!({ "Id": BUS_TARGET_ID, "Arn": self.arn, "RoleArn": self.role_arn })
    }
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

/// Services, as their principals and `source` of their events name them.
const S3: &str = "s3";
/// Data events of log buckets, which a trail records for themselves.
const S3_OBJECTS: &str = "objects of s3";
const CLOUDTRAIL: &str = "cloudtrail";
const EVENTS: &str = "events";
const SNS: &str = "sns";
const LOGS: &str = "logs";
const KMS: &str = "kms";

/// Id of the target that logmap gives each rule: the topic.
pub(crate) const TARGET_ID: &str = "logmap-alerts";
/// Id of the other one, if there is a bus for all.
pub(crate) const BUS_TARGET_ID: &str = "logmap-bus";

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

    fn alerts(&self, topic: &str, account_id: &str, partition: Partition, placement: &Placement, keys: &Keys<'_>) -> Alerts {
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
        let policy = policy(&topic_arn, &rule_arns, account_id);
        let bus = self
            .bus
            .as_ref()
            .filter(|bus| Some(partition) == partition_of_bus(bus))
            .map(|bus| BusTarget { arn: bus.arn.clone(), role_arn: arn::role(partition, account_id, &bus.role) });
        Alerts { topic: topic.to_owned(), policy, topic_arn, rules, bus, every_bucket, silent: Vec::new() }
    }
}

impl MonitoringSettings {
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
type Place<'a> = (&'a str, &'a str);
/// The KMS keys of trails, by the place where each is.
type Keys<'a> = BTreeMap<Place<'a>, BTreeSet<&'a str>>;

/// Where the keys of trails are.
fn keys(arns: &BTreeSet<String>) -> Keys<'_> {
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

/// EventBridge may publish, and nobody else but whom the account itself lets in.
///
/// "You can't use `Condition` blocks in Amazon SNS topic policies for EventBridge" (EventBridge user guide, "Amazon SNS
/// permissions"), so the grant has none. What keeps the rules of others out are two Denies that hold only where EventBridge does
/// say which rule or account it acts for: where it says nothing, the alert arrives.
fn policy(topic_arn: &str, rule_arns: &str, account_id: &str) -> Policy {
    let condition = |operators: &[(&str, &str, &str)]| -> Condition {
        let one = |key: &str, value: &str| IndexMap::from([(key.to_owned(), vec![value.to_owned()])]);
        operators.iter().map(|(operator, key, value)| ((*operator).to_owned(), one(key, value))).collect()
    };
    let statement = |sid: &str, effect: Effect, condition: Condition| Statement {
        sid: sid.to_owned(),
        effect,
        principal: Element::Is(Principal::service(watch::EVENTS_SERVICE)),
        action: Element::Is(vec!["sns:Publish".to_owned()]),
        resource: Element::Is(vec![topic_arn.to_owned()]),
        condition,
    };
    let (rule, account) = ("aws:SourceArn", "aws:SourceAccount");
    Policy::new(vec![
        statement("LogmapAlerts", Effect::Allow, Condition::new()),
        statement("LogmapNoOtherRule", Effect::Deny, condition(&[("Null", rule, "false"), ("ArnNotLike", rule, rule_arns)])),
        statement(
            "LogmapNoOtherAccount",
            Effect::Deny,
            condition(&[("Null", account, "false"), ("StringNotEquals", account, account_id)]),
        ),
    ])
}

impl Alerts {
    /// True if no rule hears anything.
    pub fn is_silent(&self) -> bool {
        !self.rules.is_empty() && self.silent.len() == self.rules.len()
    }

    /// Claims about the policy that do not hold: each rule may publish, whether EventBridge says for whom it acts or not, and
    /// another account, another rule, another service may not. Empty, or this is a bug.
    pub fn failures(&self, account_id: &str, partition: Partition, region: &str) -> Vec<String> {
        let publish = |service: &str, context: &[(&str, &str)]| {
            let request =
                Request { principal: Caller::Service(service), action: "sns:Publish", resource: &self.topic_arn, context };
            matches!(evaluate(&self.policy, &request), Verdict::Allowed(_))
        };
        let events = watch::EVENTS_SERVICE;
        // twelve digits, and not these
        let other = if account_id == "000000000000" { "000000000001" } else { "000000000000" };
        let mut failures = Vec::new();
        let mut claim = |holds: bool, what: String| failures.extend((!holds).then_some(what));
        for rule in &self.rules {
            let own = arn::event_rule(partition, region, account_id, &rule.name);
            let others = arn::event_rule(partition, region, other, &rule.name);
            claim(publish(events, &[]), format!("`{}` can't publish", rule.name));
            claim(
                publish(events, &[("aws:SourceArn", &own), ("aws:SourceAccount", account_id)]),
                format!("`{own}` can't publish"),
            );
            claim(publish(events, &[("aws:SourceArn", &own)]), format!("`{own}` can't publish without its account"));
            claim(
                !publish(events, &[("aws:SourceArn", &others), ("aws:SourceAccount", other)]),
                format!("`{others}` can publish"),
            );
            claim(!publish(events, &[("aws:SourceArn", &others)]), format!("`{others}` can publish"));
        }
        let stranger = arn::event_rule(partition, region, account_id, "another-rule");
        claim(!publish(events, &[("aws:SourceArn", &stranger)]), "another rule of the account can publish".to_owned());
        claim(!publish(events, &[("aws:SourceAccount", other)]), "another account can publish".to_owned());
        claim(!publish("s3.amazonaws.com", &[("aws:SourceAccount", account_id)]), "another service can publish".to_owned());
        failures
    }
}

/// The partition that a bus is in: EventBridge sends nothing across its border.
fn partition_of_bus(bus: &BusSettings) -> Option<Partition> {
    arn::parse(&bus.arn).map(|arn| Partition::of_region(arn.region))
}

/// What the bus has to let the accounts do, for its owner: the whole organization where the map names it, else each account. The sending side
/// needs the role, whoever is let in: "We recommend always using IAM roles when the target of a rule is an event bus", and with an organization
/// it must have one (EventBridge user guide, "Permissions for event buses"; EventBridge API, PutPermission).
pub(crate) fn bus_policy(
    accounts: &[Account],
    settings: &MonitoringSettings,
    organization_id: Option<&str>,
) -> Option<BusPolicy> {
    let bus = settings.bus.as_ref()?;
    let sends = |account: &&Account| {
        account.placements.iter().any(|one| one.monitoring.alerts.as_ref().is_some_and(|alerts| alerts.bus.is_some()))
    };
    let owners: Vec<String> =
        accounts.iter().filter(sends).map(|account| format!("arn:{}:iam::{}:root", account.partition, account.id)).collect();
    if owners.is_empty() {
        return None;
    }
    let (principal, condition) = match organization_id {
        Some(id) => (
            Principal::Any,
            IndexMap::from([(
                "StringEquals".to_owned(),
                IndexMap::from([("aws:PrincipalOrgID".to_owned(), vec![id.to_owned()])]),
            )]),
        ),
        None => (Principal::Kinds(IndexMap::from([("AWS".to_owned(), owners)])), Condition::new()),
    };
    let policy = Policy::new(vec![Statement {
        sid: "LogmapAlertsOfAll".to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(principal),
        action: Element::Is(vec!["events:PutEvents".to_owned()]),
        resource: Element::Is(vec![bus.arn.clone()]),
        condition,
    }]);
    let failures = bus_failures(accounts, settings, &policy, organization_id);
    Some(BusPolicy { policy, failures })
}

/// Claims about that policy that do not hold: the role of each account that sends gets in, and one of a stranger's account does not, nor does
/// anybody with another action.
fn bus_failures(
    accounts: &[Account],
    settings: &MonitoringSettings,
    policy: &Policy,
    organization_id: Option<&str>,
) -> Vec<String> {
    let Some(bus) = &settings.bus else { return Vec::new() };
    let may = |account: &str, organization: Option<&str>, action: &str| {
        let role = arn::role(partition_of_bus(bus).unwrap_or(Partition::Aws), account, &bus.role);
        let mut context = vec![("aws:PrincipalArn", role.as_str()), ("aws:PrincipalAccount", account)];
        context.extend(organization.map(|id| ("aws:PrincipalOrgID", id)));
        let request = Request { principal: Caller::Iam { arn: &role, account }, action, resource: &bus.arn, context: &context };
        matches!(evaluate(policy, &request), Verdict::Allowed(_))
    };
    let mut failures = Vec::new();
    let mut claim = |holds: bool, what: String| failures.extend((!holds).then_some(what));
    for account in accounts {
        let sends =
            account.placements.iter().any(|one| one.monitoring.alerts.as_ref().is_some_and(|alerts| alerts.bus.is_some()));
        if sends {
            claim(may(&account.id, organization_id, "events:PutEvents"), format!("`{}` can't send to the bus", account.key));
            claim(!may(&account.id, organization_id, "events:PutRule"), format!("`{}` may make rules of the bus", account.key));
        }
    }
    let stranger = (0_u64..).map(|id| format!("{id:012}")).find(|id| accounts.iter().all(|account| account.id != *id));
    let stranger = stranger.unwrap_or_default();
    for organization in [None, Some("o-0000000000").filter(|id| Some(*id) != organization_id)] {
        claim(!may(&stranger, organization, "events:PutEvents"), "a stranger's account can send to the bus".to_owned());
    }
    failures
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
        listen(accounts);
    }
}

/// ARNs of the keys with which trails encrypt.
fn key_arns(accounts: &[Account]) -> impl Iterator<Item = &str> {
    let trails = accounts.iter().flat_map(|account| &account.placements).flat_map(|placement| &placement.trails);
    trails.filter_map(|trail| trail.kms_key_arn.as_deref())
}

/// Finds the rules that hear nothing.
fn listen(accounts: &mut [Account]) {
    let recorded = Recorded::of(accounts);
    let mut found = Vec::new();
    for account in accounts.iter() {
        for placement in &account.placements {
            let rules = placement.monitoring.alerts.iter().flat_map(|alerts| &alerts.rules);
            let silent =
                rules.filter(|rule| !recorded.trails(account, &placement.region).any(|trail| hears(trail, rule.service)));
            found.push(silent.map(|rule| rule.name.clone()).collect::<Vec<String>>());
        }
    }
    let placements = accounts.iter_mut().flat_map(|account| &mut account.placements);
    for (placement, silent) in placements.zip(found) {
        if let Some(alerts) = &mut placement.monitoring.alerts {
            alerts.silent = silent;
        }
    }
}

/// The accounts and Regions whose alerts stay silent: no trail of the map records what they are about.
pub(crate) fn silent(accounts: &[Account]) -> BTreeSet<(&str, &str)> {
    let all = accounts.iter().flat_map(|account| account.placements.iter().map(move |placement| (account, placement)));
    let silent = all.filter(|(_, placement)| placement.monitoring.alerts.as_ref().is_some_and(Alerts::is_silent));
    silent.map(|(account, placement)| (account.key.as_str(), placement.region.as_str())).collect()
}

/// Reports what only the plan shows: Regions without the Config rule, and accounts whose changes no trail records.
pub(crate) fn check(map: &EffectiveMap<'_>, accounts: &[Account], findings: &mut Vec<Finding>) {
    check_keys(map, accounts, findings);
    check_bus(map, accounts, findings);
    let recorded = Recorded::of(accounts);
    for account in accounts {
        let Some(effective) = map.accounts.get(account.key.as_str()) else { continue };
        let span = |region: &str| effective.regions.get(region).map_or(effective.key.span, |region| region.span);
        let mut silent: Vec<&str> = Vec::new();
        for placement in &account.placements {
            if map.monitoring.config_rule && placement.access_log_bucket().is_some() && placement.monitoring.config_rule.is_none()
            {
                findings.push(
                    Finding::new(
                        &CONFIG_RULE_REGION,
                        span(&placement.region),
                        format!("AWS Config is not known to have the rule `S3_BUCKET_LOGGING_ENABLED` in `{}`", placement.region),
                    )
                    .help("the rule is left out there; everything else is rendered, and `--verify` and `logmap check` compare targets"),
                );
            }
            if let Some(parameter) = placement
                .monitoring
                .logging_parameter
                .as_ref()
                .filter(|parameter| parameter.value.chars().count() > parameter::VALUE_CHARS)
            {
                findings.push(
                    Finding::new(
                        &PARAMETER_VALUE,
                        span(&placement.region),
                        format!(
                            "the parameter `{}` would have {} characters in `{}`, and a parameter has at most {}",
                            parameter.name,
                            parameter.value.chars().count(),
                            placement.region,
                            parameter::VALUE_CHARS
                        ),
                    )
                    .help("give sources with `logging: external` the prefix and the key format of the others, or leave `ssm_logging_parameter` out"),
                );
            }
            if placement.monitoring.alerts.as_ref().is_some_and(Alerts::is_silent) {
                silent.push(&placement.region);
            }
        }
        let Some(first) = silent.first() else { continue };
        // trails that are there and leave this out are the way out
        let deaf: BTreeMap<&str, &Trail> =
            silent.iter().flat_map(|region| recorded.trails(account, region)).map(|trail| (trail.name.as_str(), trail)).collect();
        let mut finding = Finding::new(
            &ALERTS_WITHOUT_TRAIL,
            span(first),
            format!(
                "no alert comes from {} of `{}`: no trail of the map records there who changes what",
                crate::diagnostics::list(silent),
                account.key
            ),
        )
        .help("EventBridge sees API calls only where a trail records write management events: give the account a trail with `coverage: multi-region`, or an organization trail; one that is not in the map does as well");
        for (name, trail) in deaf {
            let at = map.trails.get(name).map_or(effective.key.span, |trail| trail.name.span);
            finding = finding
                .related(at, format!("`{name}` records no writes: `management_events: {}`", trail.management_events.word()));
        }
        findings.push(finding);
    }
}

/// Reports accounts that can't send to the bus, and a policy of the bus that is too long.
fn check_bus(map: &EffectiveMap<'_>, accounts: &[Account], findings: &mut Vec<Finding>) {
    let Some(bus) = &map.monitoring.bus else { return };
    for account in accounts.iter().filter(|account| Some(account.partition) != partition_of_bus(bus)) {
        let span = map.accounts.get(account.key.as_str()).map_or(bus.span, |account| account.key.span);
        findings.push(
            Finding::new(
                &EVENT_BUS_LEFT_OUT,
                span,
                format!("`{}` sends no events to the bus: it is in the partition `{}`", account.key, account.partition),
            )
            .related(bus.span, "the bus is in another one")
            .help("nothing crosses a partition: subscribe to the topics there"),
        );
    }
    let organization_id = map.organization_id.map(|id| id.value.as_str());
    let chars = bus_policy(accounts, &map.monitoring, organization_id).map_or(0, |bus| bus.policy.to_json().len());
    if chars > watch::BUS_POLICY_CHARS {
        findings.push(
            Finding::new(
                &EVENT_BUS,
                bus.span,
                format!("the policy of the bus would have {chars} characters, and it has room for {}", watch::BUS_POLICY_CHARS),
            )
            .help("write `organization.id`, so that the whole organization can be let in"),
        );
    }
}

/// Reports keys that nothing watches, although the map asks for it: in a place without alerts, or behind an alias.
fn check_keys(map: &EffectiveMap<'_>, accounts: &[Account], findings: &mut Vec<Finding>) {
    if map.monitoring.topic.is_none() || !map.monitoring.also.contains(&AlsoWatched::Keys) {
        return;
    }
    let watched = |id: &str, region: &str| {
        accounts.iter().any(|account| account.id == id && account.placements.iter().any(|placement| placement.region == region))
    };
    let in_use: BTreeSet<&str> = key_arns(accounts).collect();
    let written = map.trails.values().filter_map(|trail| trail.kms_key).flat_map(|key| match key {
        KmsKey::One(arn) => vec![arn],
        KmsKey::ByRegion(entries) => entries.items.iter().map(|(_, arn)| arn).collect(),
    });
    let mut told = BTreeSet::new();
    for key in written.filter(|key| in_use.contains(key.as_str())) {
        let Some(parsed) = arn::parse(key).filter(|_| told.insert(key.as_str())) else { continue };
        let finding = |message, help| Finding::new(&KEY_NOT_WATCHED, key.span, message).help(help);
        if !watched(parsed.account, parsed.region) {
            findings.push(finding(
                format!("no alert comes of this key: the map has nothing in `{}` of the account {}", parsed.region, parsed.account),
                "watch it where it is, by code of your own: `DisableKey`, `PutKeyPolicy` and `ScheduleKeyDeletion` of `kms.amazonaws.com`",
            ));
        } else if parsed.resource.starts_with("alias/") {
            findings.push(finding(
                "of an alias only what it stands for is watched, not the key behind it".to_owned(),
                "write the ARN of the key: `arn:…:key/…`; events of a key do not have its aliases",
            ));
        }
    }
}

/// Does a trail record the calls of a service that change something? All that is watched are writes.
fn hears(trail: &Trail, service: &str) -> bool {
    if service == S3_OBJECTS {
        return trail.log_bucket_events.iter().any(|events| events.what == LogBucketEvents::Deletes);
    }
    matches!(trail.management_events, ManagementEvents::All | ManagementEvents::WriteOnly)
        && !trail.excluded_event_sources.iter().any(|source| source.word().strip_suffix(".amazonaws.com") == Some(service))
}

/// The organization trails, with their partition and Region.
struct Recorded<'a>(Vec<(Partition, &'a str, &'a Trail)>);

impl<'a> Recorded<'a> {
    fn of(accounts: &'a [Account]) -> Self {
        let placements =
            accounts.iter().flat_map(|account| account.placements.iter().map(move |placement| (account.partition, placement)));
        let trails = placements.flat_map(|(partition, placement)| {
            placement.trails.iter().map(move |trail| (partition, placement.region.as_str(), trail))
        });
        Recorded(trails.filter(|(_, _, trail)| trail.organization).collect())
    }

    /// The trails of the map that are there for an account's events in a Region: its own and the organization's, of that Region or
    /// of all. What they record of them is another question.
    fn trails<'t>(&'t self, account: &'t Account, region: &'t str) -> impl Iterator<Item = &'t Trail> {
        let own = account
            .placements
            .iter()
            .flat_map(|placement| placement.trails.iter().map(|trail| (placement.region.as_str(), trail)));
        let organization = self.0.iter().filter(|(partition, _, _)| *partition == account.partition);
        own.chain(organization.map(|(_, home, trail)| (*home, *trail)))
            .filter(move |(home, trail)| trail.multi_region || *home == region)
            .map(|(_, trail)| trail)
    }
}

#[cfg(test)]
mod tests;
