//! Which bucket of an account and Region takes logs already: by being the destination of others or of a trail, by its policy,
//! or, as a guess, by its name.

use super::{
    inventory::{Inventory, Known, is},
    proposal::{Adopt, Note},
    senders::{Keys, Senders},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, bucket_name},
    map::effective,
    observed::{
        Setting, hole,
        lifecycle::{Lifecycle, Stream},
        policy::PolicyDoc,
    },
    policy::{Effect, Element, Principal, Statement},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Words in the names of buckets that take logs.
const LOG_WORDS: [&str; 8] = ["log", "logs", "logging", "accesslog", "accesslogs", "cloudtrail", "trail", "trails"];
/// Words in the names of those that take logs of other services, or of people's own programs: these are sources like any other.
const OTHER_LOGS: [&str; 44] = [
    "artifact",
    "artifacts",
    "assets",
    "athena",
    "backup",
    "backups",
    "code",
    "data",
    "deploy",
    "deployment",
    "query",
    "results",
    "state",
    "templates",
    "terraform",
    "tfstate",
    "alb",
    "elb",
    "nlb",
    "lb",
    "flow",
    "flowlogs",
    "vpc",
    "waf",
    "cloudfront",
    "cdn",
    "app",
    "apps",
    "application",
    "rds",
    "eks",
    "ecs",
    "lambda",
    "build",
    "builds",
    "ci",
    "dns",
    "route53",
    "error",
    "errors",
    "debug",
    "config",
    "db",
    "firehose",
];

/// What speaks for a bucket being a log bucket, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    /// Buckets of its account and Region log to it; how many, counted down.
    Destination(usize),
    /// Trails deliver to it.
    Trails,
    /// Its policy lets access logs in.
    AccessPolicy,
    /// Its policy lets CloudTrail in.
    TrailPolicy,
    /// Its name; better with a word of access logs in it.
    Name(bool),
}

/// The log buckets of an account and Region.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The one to adopt, with what speaks for it.
    best: Option<(&'a Known, Evidence)>,
    /// Others, with what is to be said of them.
    others: BTreeMap<&'a str, Note>,
    /// What is said of the best one's neighbours.
    notes: Vec<Note>,
    /// Do trails of the inputs deliver to the best one?
    takes_trails: bool,
    /// The one for trails alone, beside the best one, which takes access logs.
    second: Option<&'a Known>,
    /// Beginnings of the keys of what is delivered to each bucket.
    prefixes: Prefixes<'a>,
}

impl<'a> Found<'a> {
    /// Is this bucket one of them, and so no source?
    pub(super) fn is_log_bucket(&self, name: &str) -> bool {
        let chosen = self.adopted().into_iter().chain(self.second).any(|known| known.name() == name);
        chosen || self.others.contains_key(name)
    }

    /// The one that takes trails.
    pub(super) fn for_trails(&self) -> Option<&'a Known> {
        self.second.or(self.adopted())
    }

    /// The one to adopt.
    pub(super) fn adopted(&self) -> Option<&'a Known> {
        self.best.as_ref().map(|(known, _)| *known)
    }

    /// The one to adopt as the map is to have it, and what is said of the others.
    pub(super) fn finish(self, keys: &Keys<'_>) -> (Option<Adopt>, Vec<Note>) {
        let others: Vec<Note> = self.others.into_values().collect();
        let mut prefixes = self.prefixes;
        let Some((known, evidence)) = self.best else { return (None, others) };
        let delivered = prefixes.get(known.name()).map(|both| both.concat()).unwrap_or_default();
        let senders = known.bucket.policy.known().map_or_else(Senders::default, |policy| {
            Senders::of(&policy.value, (known.name(), &known.account, &known.region), &delivered, keys)
        });
        // what other services write is kept as both kinds of logs are, or other code says how long
        prefixes.get_mut(known.name()).into_iter().flatten().for_each(|kind| kind.extend(senders.folders()));
        let place = known.bucket.name.place;
        let why = words(known, &evidence);
        let mut adopt = Adopt {
            name: known.name().to_owned(),
            place,
            note: matches!(evidence, Evidence::Name(_)).then(|| {
                Note::guess(
                    place,
                    format!("the log bucket `{}`", known.name()),
                    format!("{why}, nothing else tells that it is one"),
                )
            }),
            why,
            statements: Vec::new(),
            second: self.second.map(|second| second.name().to_owned()),
            settings: settings(known, self.second, &prefixes, (&senders, senders.value(&known.account, keys))),
            accounts: senders.accounts(&known.account, keys),
            notes: self.notes,
        };
        if let Some(second) = self.second.filter(|second| second.bucket.defined) {
            let why = "its own code sets this log bucket up; hand the bucket over, or the two undo each other's settings";
            adopt.notes.push(Note::own_code(second.bucket.name.place, format!("`{}`", second.name()), why));
        }
        if known.bucket.defined {
            let why = "its own code sets this log bucket up; hand the bucket over, or the two undo each other's settings";
            adopt.notes.push(Note::own_code(place, format!("`{}`", known.name()), why));
        }
        if let Some(policy) = known.bucket.policy.known() {
            statements(&policy.value, self.takes_trails, &senders, &mut adopt);
        }
        (Some(adopt), others)
    }
}

/// Finds the log buckets among the buckets of an account and Region. `blocked` are those that can't be adopted, and why.
pub(super) fn find<'a>(buckets: &[&'a Known], inventory: &'a Inventory, blocked: &BTreeMap<String, String>) -> Found<'a> {
    let taking: BTreeSet<&str> =
        inventory.trails.values().filter_map(|trail| Some(trail.bucket.known()?.value.as_str())).collect();
    let mut candidates: Vec<(Evidence, &'a Known)> =
        buckets.iter().filter_map(|known| Some((evidence(known, &taking)?, *known))).collect();
    candidates.sort_by(|a, b| (&a.0, a.1.name()).cmp(&(&b.0, b.1.name())));
    let mut found = Found {
        best: None,
        others: BTreeMap::new(),
        notes: Vec::new(),
        takes_trails: false,
        second: None,
        prefixes: prefixes(buckets, inventory),
    };
    for (evidence, known) in candidates {
        let by_name = matches!(evidence, Evidence::Name(_));
        let problem = problem(known, blocked);
        let subject = format!("`{}`", known.name());
        let place = known.bucket.name.place;
        match (&found.best, problem) {
            (None, None) => {
                found.takes_trails = taking.contains(known.name());
                found.best = Some((known, evidence));
            }
            // a name alone says too little to keep a bucket from being a source
            (_, _) if by_name => {
                if let Some((best, best_evidence)) = &found.best
                    && matches!(best_evidence, Evidence::Name(_))
                {
                    let why = format!("its name has a word for logs, like that of `{}`, which is adopted", best.name());
                    found.notes.push(Note::guess(place, format!("that {subject} is a source"), why));
                }
            }
            (_, Some(problem)) => {
                let why = format!("it is a log bucket ({}), and can't be adopted: {problem}", words(known, &evidence));
                found.others.insert(known.name(), Note::left_out(place, subject, why));
            }
            // one for access logs and one for trails
            (Some((best, Evidence::Destination(_))), None)
                if found.second.is_none() && !found.takes_trails && evidence == Evidence::Trails && can_be_split(best, known) =>
            {
                found.second = Some(known);
            }
            (Some((best, Evidence::Trails)), None)
                if found.second.is_none() && evidence == Evidence::AccessPolicy && can_be_split(known, best) =>
            {
                found.second = Some(*best);
                found.takes_trails = false;
                found.best = Some((known, evidence));
            }
            (Some((best, _)), None) => {
                let why = format!("it is a log bucket, too ({}), beside `{}`", words(known, &evidence), best.name());
                found.others.insert(known.name(), Note::left_out(place, subject, why));
            }
        }
    }
    found
}

/// Whose a bucket is that a landing zone makes and sets up, by its name. Sources: AWS Control Tower user guide, "About AWS accounts in
/// Control Tower" (`aws-controltower-logs-…`, `aws-controltower-s3-access-logs-…`); Landing Zone Accelerator on AWS, accelerator prefix.
pub(super) fn landing_zone(name: &str) -> Option<&'static str> {
    if name.starts_with("aws-controltower-") {
        Some("AWS Control Tower")
    } else if name.starts_with("aws-accelerator-") {
        Some("Landing Zone Accelerator on AWS")
    } else {
        None
    }
}

/// What speaks for a bucket.
fn evidence(known: &Known, taking: &BTreeSet<&str>) -> Option<Evidence> {
    if !known.log_here.is_empty() {
        return Some(Evidence::Destination(usize::MAX - known.log_here.len()));
    }
    if taking.contains(known.name()) {
        return Some(Evidence::Trails);
    }
    let lets_in = |service: &str| known.bucket.policy.known().is_some_and(|policy| lets_in(&policy.value, service));
    if lets_in(LOGGING_SERVICE) {
        return Some(Evidence::AccessPolicy);
    }
    if lets_in(CLOUDTRAIL_SERVICE) {
        return Some(Evidence::TrailPolicy);
    }
    // a log bucket does not log to another
    let lower = known.name().to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(['-', '.', '_']).collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    let terminal = known.logging.is_none();
    // an account is called `log-archive`, and what else it has is called after it
    let of_archive = parts.windows(2).position(|pair| matches!(pair, ["log" | "logs", "archive"]));
    let named_after = of_archive.is_some_and(|at| {
        parts[at + 2..].iter().any(|part| part.chars().any(|c| c.is_ascii_alphabetic()) && !LOG_WORDS.contains(part))
    });
    (terminal && !named_after && has(&LOG_WORDS) && !has(&OTHER_LOGS) && bucket_name::other_kind(&lower).is_none())
        .then(|| Evidence::Name(!(has(&["access", "s3", "accesslogs", "server"]))))
}

fn words(known: &Known, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Destination(_) => match known.log_here.len() {
            1 => format!("`{}` logs to it", known.log_here.first().map_or("", String::as_str)),
            many => format!("{many} buckets of its Region log to it"),
        },
        Evidence::Trails => "a trail delivers to it".to_owned(),
        Evidence::AccessPolicy => format!("its policy lets `{LOGGING_SERVICE}` in"),
        Evidence::TrailPolicy => format!("its policy lets `{CLOUDTRAIL_SERVICE}` in"),
        Evidence::Name(_) => "its name has a word for logs".to_owned(),
    }
}

/// Does a policy let a service write?
fn lets_in(policy: &PolicyDoc, service: &str) -> bool {
    policy.policy.statements.iter().any(|statement| {
        statement.effect == Effect::Allow
            && services(statement).is_some_and(|services| services.iter().any(|name| name == service))
    })
}

/// The services that a statement speaks of, if it speaks of services alone.
fn services(statement: &Statement) -> Option<&[String]> {
    match &statement.principal {
        Element::Is(Principal::Kinds(kinds)) if kinds.len() == 1 => kinds.get("Service").map(Vec::as_slice),
        _ => None,
    }
}

/// Why a bucket can't be adopted. What AWS does with such buckets: facts of the rules on destinations.
fn problem(known: &Known, blocked: &BTreeMap<String, String>) -> Option<String> {
    let bucket = &known.bucket;
    if let Some(why) = blocked.get(known.name()) {
        return Some(why.clone());
    }
    if is(&bucket.object_lock, true) {
        return Some("it has Object Lock, and access logs are not delivered to such a bucket".to_owned());
    }
    if bucket.encryption.known().is_some_and(|algorithm| algorithm.value.starts_with("aws:kms")) {
        return Some("its default encryption is SSE-KMS, and access logs need SSE-S3".to_owned());
    }
    if bucket.payer.known().is_some_and(|payer| payer.value == "Requester") {
        return Some("it is Requester Pays".to_owned());
    }
    let legacy = known.region == "us-east-1" && bucket_name::could_be_legacy(known.name());
    bucket_name::problem(known.name()).filter(|_| !legacy).map(|problem| format!("its name {problem}"))
}

/// Can the map have both, one for access logs and one for trails? Not if one logs, for no log bucket is a source, nor if a policy has
/// something that is not derived: statements of the map are in the policies of both buckets of a Region.
fn can_be_split(access: &Known, trails: &Known) -> bool {
    [access, trails].into_iter().all(|known| {
        known.logging.is_none()
            && match &known.bucket.policy {
                Setting::Known(doc) => {
                    !doc.value.partly_unknown
                        && doc.value.findings.is_empty()
                        && doc.value.policy.statements.iter().all(is_derived)
                }
                Setting::Unsaid => true,
                Setting::Unknown(_) => false,
            }
    })
}

/// The lifecycle, if an input tells.
fn retention(known: &Known, prefixes: &Prefixes<'_>) -> Option<Lifecycle> {
    let rules = known.bucket.lifecycle.known()?.value.clone();
    Some(match prefixes.get(known.name()) {
        Some(delivered) => rules.for_all(delivered),
        None => rules,
    })
}

/// Beginnings of the keys of what is delivered to each bucket, of access logs and of trails, as far as inputs tell. An empty one, of
/// what may be anywhere.
type Prefixes<'a> = BTreeMap<&'a str, [Vec<String>; 2]>;

fn prefixes<'a>(buckets: &[&'a Known], inventory: &'a Inventory) -> Prefixes<'a> {
    let mut found: Prefixes<'a> = BTreeMap::new();
    for known in buckets {
        if let (Some(target), Some(set)) = (known.target(), &known.logging) {
            let prefix = set.logging.prefix.known().map_or_else(String::new, |prefix| prefix.value.clone());
            let [access_logs, _] = found.entry(target).or_default();
            access_logs.push(prefix);
        }
    }
    for trail in inventory.trails.values() {
        if let Some(bucket) = trail.bucket.known() {
            let folder = match &trail.prefix {
                Setting::Known(prefix) => format!("{}AWSLogs/", effective::with_slash(&prefix.value)),
                Setting::Unsaid => "AWSLogs/".to_owned(),
                Setting::Unknown(_) => String::new(),
            };
            let [_, trails] = found.entry(bucket.value.as_str()).or_default();
            trails.push(folder);
        }
    }
    found
}

/// `retention` of the map: of each kind of logs by itself where they differ.
fn retention_keys(access_logs: &Stream, trails: &Stream) -> Value {
    let days = |days: Option<u32>| days.map_or_else(|| "never".into(), Value::from);
    let keys = |stream: &Stream| {
        let mut keys =
            json!({ "expire_after_days": days(stream.expire), "noncurrent_expire_after_days": days(stream.noncurrent) });
        let step = |(after, class): &(u32, String)| json!({ "after_days": after, "storage_class": class });
        match stream.transitions.as_slice() {
            [] => {}
            [one] => keys["transition"] = step(one),
            more => keys["transition"] = more.iter().map(step).collect(),
        }
        if let Some(bytes) = stream.larger_than {
            keys["transition_larger_than_bytes"] = bytes.into();
        }
        keys
    };
    if access_logs == trails { keys(access_logs) } else { json!({ "access_logs": keys(access_logs), "trails": keys(trails) }) }
}

/// What adopted buckets have, where an input tells, so that adopting them changes nothing. A Region's settings are those of both: tags
/// that differ stay because the map names none.
fn settings(
    known: &Known,
    second: Option<&Known>,
    prefixes: &Prefixes<'_>,
    (senders, value): (&Senders, Option<Value>),
) -> Vec<(&'static str, Value)> {
    let both = || [Some(known), second].into_iter().flatten();
    let of_second = second.and_then(|second| retention(second, prefixes));
    let first = retention(known, prefixes).or_else(|| of_second.clone());
    let other = of_second.or_else(|| first.clone());
    let lifecycle = first.zip(other).map(|kept| match kept {
        // logs of other services would have the default, and go sooner than today
        (Lifecycle::Retention(first, _), Lifecycle::Retention(other, _)) if !senders.is_empty() && first[0] != other[1] => {
            ("lifecycle", "external".into())
        }
        (Lifecycle::Retention(first, _), Lifecycle::Retention(other, _)) => ("retention", retention_keys(&first[0], &other[1])),
        _ => ("lifecycle", "external".into()),
    });
    let tags: Vec<_> = both().map(|known| known.bucket.tags.known().map(|tags| &tags.value)).collect();
    let tags = tags.first().copied().flatten().filter(|first| !first.is_empty() && tags.iter().all(|tags| *tags == Some(*first)));
    let split = second.into_iter().flat_map(|second| {
        [("split_trails", true.into()), ("adopt_trails_bucket", true.into()), ("trails_name", second.name().into())]
    });
    let senders = value.map(|senders| ("senders", senders));
    split.chain(lifecycle).chain(senders).chain(tags.map(|tags| ("tags", json!(tags)))).collect()
}

/// The statements of an adopted bucket's policy that the map must hold, because they are not derived.
fn statements(doc: &PolicyDoc, takes_trails: bool, senders: &Senders, adopt: &mut Adopt) {
    if doc.partly_unknown || !doc.findings.is_empty() {
        let why = "a part of it can't be read; add its own statements as `extra_statements`";
        adopt.notes.push(Note::left_out(doc.place, format!("the policy of `{}`", adopt.name), why));
    }
    let mut sids: BTreeSet<String> = BTreeSet::new();
    for (at, (statement, places)) in doc.policy.statements.iter().zip(&doc.places).enumerate() {
        if senders.is_derived(at) {
            continue;
        }
        let name =
            if statement.sid.is_empty() { "without a Sid".to_owned() } else { format!("`{}`", hole::shown(&statement.sid)) };
        let subject = format!("the statement {name} of `{}`", adopt.name);
        if is_derived(statement) {
            let for_trails = services(statement).is_some_and(|services| services.iter().any(|name| name == CLOUDTRAIL_SERVICE));
            if for_trails && !takes_trails {
                let why = "it lets CloudTrail in, and no trail of the inputs delivers here; import `aws cloudtrail describe-trails`, too";
                adopt.notes.push(Note::left_out(places.whole, subject, why));
            }
            continue;
        }
        let mut statement = statement.clone();
        statement.sid.retain(|c| c.is_ascii_alphanumeric());
        while !statement.sid.is_empty() && !sids.insert(statement.sid.clone()) {
            statement.sid.push('2');
        }
        match serde_json::to_value(&statement) {
            Ok(value) if !hole::has(&value.to_string()) => adopt.statements.push((value, places.whole)),
            _ => adopt.notes.push(Note::left_out(places.whole, subject, "a part of it can't be known here")),
        }
    }
}

/// Is this what logmap derives anyway: a delivery grant, or the denial of requests without TLS?
fn is_derived(statement: &Statement) -> bool {
    let grant = || {
        services(statement)
            .is_some_and(|services| services.iter().all(|name| [LOGGING_SERVICE, CLOUDTRAIL_SERVICE].contains(&name.as_str())))
    };
    let everybody = match &statement.principal {
        Element::Is(Principal::Any) => true,
        Element::Is(Principal::Kinds(kinds)) => kinds.len() == 1 && kinds.get("AWS").is_some_and(|all| all == &["*"]),
        Element::IsNot(_) => false,
    };
    let mut tests = statement.condition.iter().flat_map(|(operator, keys)| keys.iter().map(move |test| (operator, test)));
    let insecure = |(operator, (key, values)): (&String, (&String, &Vec<String>))| {
        operator == "Bool" && key.eq_ignore_ascii_case("aws:SecureTransport") && values == &["false"]
    };
    let transport = everybody && tests.clone().count() == 1 && tests.next().is_some_and(insecure);
    let marked = statement.sid.starts_with("Logmap");
    match statement.effect {
        Effect::Allow => grant(),
        Effect::Deny => transport || marked && everybody,
    }
}

/// A statement's Sid, for people.
pub(super) fn sid(value: &Value) -> String {
    value.get("Sid").and_then(Value::as_str).map_or_else(|| "without a Sid".to_owned(), |sid| format!("`{sid}`"))
}
