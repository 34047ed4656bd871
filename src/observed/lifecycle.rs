//! The lifecycle of a bucket, as far as a map can say it.
//!
//! Takes the rules as the S3 API has them (S3 API reference, `LifecycleRule`); gives how long access logs and trails are kept, or that
//! the rules say more than that.

use crate::aws::limits::ABORT_UPLOAD_AFTER_DAYS;
use serde_json::{Map, Value};

/// What the rules of a bucket come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// Rules in the form in which logmap writes them: of access logs and of trails. Rules for one of them are taken for both, and
    /// without a rule nothing ever goes.
    Retention(Box<[Stream; 2]>, [Under; 2]),
    /// Rules that `retention` can't say.
    Others,
}

/// Prefixes of the objects that rules of one kind of logs are for. Without a rule there are none, and nothing of any object goes.
pub(crate) type Under = Vec<String>;

impl Lifecycle {
    /// The same, where it says what happens to all objects under these prefixes, of access logs and of trails; else the rules say more
    /// than `retention` does, which is for all logs. One kind without a rule of its own, and which those of the other don't touch, is
    /// kept for ever.
    pub(crate) fn for_all(self, delivered: &[Vec<String>; 2]) -> Lifecycle {
        let Lifecycle::Retention(mut streams, under) = self else { return self };
        if under.iter().any(|under| !under.is_empty()) {
            for ((stream, own), prefixes) in streams.iter_mut().zip(&under).zip(delivered) {
                let rules = || under.iter().flatten();
                let covered = |prefix: &String| rules().any(|outer| prefix.starts_with(outer.as_str()));
                let touched = |prefix: &String| covered(prefix) || rules().any(|inner| inner.starts_with(prefix.as_str()));
                if prefixes.iter().all(covered) {
                    continue;
                }
                if !own.is_empty() || prefixes.iter().any(touched) {
                    return Lifecycle::Others;
                }
                *stream = Stream::default();
            }
        }
        Lifecycle::Retention(streams, under)
    }
}

/// How long the logs of one kind are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Days after which objects go; `None` is never.
    pub(crate) expire: Option<u32>,
    /// Days after which noncurrent versions go; `None` is never.
    pub(crate) noncurrent: Option<u32>,
    /// Changes of storage class: days, and the class as the S3 API spells it.
    pub(crate) transitions: Vec<(u32, String)>,
    /// Bytes: only larger objects change their storage class.
    pub(crate) larger_than: Option<u32>,
}

/// Beginnings of the ids of our rules.
const KINDS: [&str; 4] = ["access-logs", "cloudtrail", "all-logs", "other-services"];
/// End of the id of a rule that only moves objects.
const MOVES: &str = "-transitions";

/// Reads the rules. `small` tells whether S3 moves objects under 128 KB, too, where a rule says no size: the map has no word for that.
pub(crate) fn of_rules(rules: &[Value], small: bool) -> Lifecycle {
    found(rules, small).map_or(Lifecycle::Others, |streams| Lifecycle::Retention(Box::new(streams), under(rules)))
}

/// Prefixes of rules in logmap's form, those for all logs in both.
fn under(rules: &[Value]) -> [Under; 2] {
    let prefix = |rule: &Value| {
        let filter = rule.get("Filter")?;
        let inner = filter.get("And").unwrap_or(filter);
        Some(inner.get("Prefix").and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    let of = |other: &str| {
        let is_of = |rule: &&Value| !rule.get("ID").and_then(Value::as_str).is_some_and(|id| id.starts_with(other));
        rules.iter().filter(is_of).filter_map(prefix).collect()
    };
    let [access_logs, trails, ..] = KINDS;
    [of(trails), of(access_logs)]
}

fn found(rules: &[Value], small: bool) -> Option<[Stream; 2]> {
    let mut found: [Option<Stream>; 4] = [None, None, None, None];
    let (moves, keeps): (Vec<&Value>, Vec<&Value>) =
        rules.iter().partition(|rule| rule.get("ID").and_then(Value::as_str).is_some_and(|id| id.ends_with(MOVES)));
    for rule in keeps {
        let (kind, stream) = of_rule(rule, &moves)?;
        let before = found.get_mut(kind)?;
        if (small && stream.larger_than.is_none() && !stream.transitions.is_empty())
            || before.as_ref().is_some_and(|other| *other != stream)
        {
            return None;
        }
        *before = Some(stream);
    }
    // one that moves objects and belongs to no other
    if !moves.iter().all(|rule| {
        let id = rule.get("ID").and_then(Value::as_str).and_then(|id| id.strip_suffix(MOVES));
        rules.iter().any(|other| other.get("ID").and_then(Value::as_str) == id)
    }) {
        return None;
    }
    match found {
        [None, None, all, None] => {
            let all = all.unwrap_or_default();
            Some([all.clone(), all])
        }
        [access, trails, None, others] => {
            let access = access.or_else(|| trails.clone()).or_else(|| others.clone())?;
            let trails = trails.unwrap_or_else(|| access.clone());
            // what other services write is kept as `retention` says for all
            others.is_none_or(|others| others == access && others == trails).then_some([access, trails])
        }
        _ => None,
    }
}

/// A rule in logmap's form, and the one beside it that moves larger objects; nothing for any other.
fn of_rule(rule: &Value, moves: &[&Value]) -> Option<(usize, Stream)> {
    let rule = rule.as_object()?;
    let known =
        ["ID", "Status", "Filter", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload", "Transitions"];
    let id = rule.get("ID")?.as_str()?;
    let kind = KINDS.iter().position(|kind| id.starts_with(kind))?;
    let prefix = only(rule, "Filter", "Prefix").flatten()?.as_str()?;
    let abort = only(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation").flatten().and_then(Value::as_u64);
    let is_ours = abort == Some(u64::from(ABORT_UPLOAD_AFTER_DAYS))
        && rule.get("Status").is_some_and(|status| status == "Enabled")
        && rule.keys().all(|key| known.contains(&key.as_str()));
    let days = |action: &str, key: &str| match only(rule, action, key)? {
        None => Some(None),
        Some(days) => Some(Some(u32::try_from(days.as_u64()?).ok()?)),
    };
    let mut stream = Stream {
        expire: days("Expiration", "Days")?,
        noncurrent: days("NoncurrentVersionExpiration", "NoncurrentDays")?,
        transitions: transitions(rule)?,
        larger_than: None,
    };
    let second = format!("{id}{MOVES}");
    if let Some(moving) = moves.iter().find(|other| other.get("ID").is_some_and(|id| *id == second)) {
        let moving = moving.as_object()?;
        let filter = moving.get("Filter")?.as_object()?;
        let filter = filter.get("And").map_or(Some(filter), Value::as_object)?;
        let is_ours = moving.get("Status").is_some_and(|status| status == "Enabled")
            && moving.keys().all(|key| ["ID", "Status", "Filter", "Transitions"].contains(&key.as_str()))
            && filter.keys().all(|key| ["Prefix", "ObjectSizeGreaterThan"].contains(&key.as_str()))
            && filter.get("Prefix").map_or(Some(""), Value::as_str)? == prefix
            && stream.transitions.is_empty();
        if !is_ours {
            return None;
        }
        stream.transitions = transitions(moving)?;
        stream.larger_than = Some(u32::try_from(filter.get("ObjectSizeGreaterThan")?.as_u64()?).ok()?);
    }
    is_ours.then_some((kind, stream))
}

/// The changes of storage class of a rule, the earliest first; nothing if they are not by days.
fn transitions(rule: &Map<String, Value>) -> Option<Vec<(u32, String)>> {
    let Some(steps) = rule.get("Transitions") else { return Some(Vec::new()) };
    let steps = steps.as_array()?.iter().map(|step| {
        let step = step.as_object()?;
        (step.len() == 2).then_some(())?;
        Some((u32::try_from(step.get("Days")?.as_u64()?).ok()?, step.get("StorageClass")?.as_str()?.to_owned()))
    });
    let mut steps: Vec<(u32, String)> = steps.collect::<Option<_>>()?;
    steps.sort();
    Some(steps)
}

/// The one key of a mapping in the rule: `Some(None)` where there is no such mapping, `None` where it has other keys.
fn only<'v>(rule: &'v Map<String, Value>, name: &str, key: &str) -> Option<Option<&'v Value>> {
    match rule.get(name) {
        None => Some(None),
        Some(value) => {
            let entries = value.as_object()?;
            (entries.len() == 1).then_some(())?;
            Some(Some(entries.get(key)?))
        }
    }
}
