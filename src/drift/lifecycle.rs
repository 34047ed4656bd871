//! Lifecycle rules as they stand, held against those of the map by what they do, not by their ids.

use crate::{
    document::Node,
    escape::shown,
    plan::lifecycle::{LifecycleRule, S3Rule, s3_rules},
    snapshot::{child, items, text},
};
use std::fmt::Write as _;

/// What a rule does, of what, and when: the same for two rules that differ in their ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Effect {
    prefix: String,
    larger_than: u64,
    /// Days after which objects expire.
    expires: Option<u64>,
    noncurrent: Option<u64>,
    abort: Option<u64>,
    /// Days and storage classes.
    transitions: Vec<(u64, String)>,
    /// What else it says.
    more: String,
}

impl Effect {
    fn of(rule: &S3Rule<'_>) -> Self {
        let days = |days: u32| (days > 0).then_some(u64::from(days));
        Effect {
            prefix: rule.prefix.to_owned(),
            larger_than: u64::from(rule.larger_than_bytes),
            expires: days(rule.expire_after_days),
            noncurrent: days(rule.noncurrent_expire_after_days),
            abort: days(rule.abort_upload_after_days),
            transitions: rule.transitions.iter().map(|step| (u64::from(step.after_days), step.storage_class.clone())).collect(),
            more: String::new(),
        }
    }

    fn read(rule: &Node) -> Self {
        let number = |node: Option<&Node>| text(node).and_then(|text| text.parse().ok());
        let of = |action: &str, key: &str| child(rule, action).and_then(|node| number(child(node, key)));
        let filter = child(rule, "Filter");
        let inner = filter.and_then(|filter| child(filter, "And")).or(filter);
        let prefix = text(inner.and_then(|inner| child(inner, "Prefix"))).or_else(|| text(child(rule, "Prefix")));
        let mut more = String::new();
        // whatever the map has no word for
        for (holder, known) in [
            (
                Some(rule),
                &[
                    "ID",
                    "Status",
                    "Filter",
                    "Prefix",
                    "Expiration",
                    "NoncurrentVersionExpiration",
                    "AbortIncompleteMultipartUpload",
                    "Transitions",
                ][..],
            ),
            (inner, &["Prefix", "ObjectSizeGreaterThan", "And"]),
            (child(rule, "Expiration"), &["Days"]),
            (child(rule, "NoncurrentVersionExpiration"), &["NoncurrentDays"]),
        ] {
            let Some(crate::document::Kind::Mapping(entries)) = holder.map(|node| &node.kind) else { continue };
            for entry in entries.iter().filter(|entry| !known.contains(&&*entry.key)) {
                let _ = write!(more, " {}", entry.key);
            }
        }
        let transitions = items(child(rule, "Transitions")).iter().map(|step| {
            let class = text(child(step, "StorageClass")).unwrap_or_default().to_owned();
            (number(child(step, "Days")).unwrap_or_default(), class)
        });
        let mut transitions: Vec<(u64, String)> = transitions.collect();
        transitions.sort();
        Effect {
            prefix: prefix.unwrap_or_default().to_owned(),
            larger_than: number(inner.and_then(|inner| child(inner, "ObjectSizeGreaterThan"))).unwrap_or_default(),
            expires: of("Expiration", "Days"),
            noncurrent: of("NoncurrentVersionExpiration", "NoncurrentDays"),
            abort: of("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
            transitions,
            more,
        }
    }

    fn words(&self) -> String {
        let days = |days: Option<u64>, what: &str| match days {
            Some(days) => format!("{what} after {days} days"),
            None => format!("{what} never"),
        };
        let mut words = days(self.expires, "expires");
        if self.noncurrent.is_some() {
            words += &days(self.noncurrent, ", noncurrent versions");
        }
        for (after, class) in &self.transitions {
            let _ = write!(words, ", {} after {after} days", shown::line(class));
        }
        if self.larger_than > 0 {
            let _ = write!(words, ", larger than {} bytes", self.larger_than);
        }
        if !self.more.is_empty() {
            let _ = write!(words, ", with{}", shown::line(&self.more));
        }
        words
    }
}

/// What differs, each in words: rules of the map that are not there, and rules that are there beside them.
/// `small` tells whether S3 moves objects under 128 KB, too, where a rule says no size.
pub(super) fn differences(wanted: &[LifecycleRule], live: &[Node], small: bool) -> Vec<String> {
    let enabled = |rule: &&Node| text(child(rule, "Status")) == Some("Enabled");
    let mut live: Vec<(&str, Effect)> =
        live.iter().filter(enabled).map(|rule| (text(child(rule, "ID")).unwrap_or_default(), Effect::read(rule))).collect();
    let mut missing = Vec::new();
    for rule in s3_rules(wanted) {
        let effect = Effect::of(&rule);
        match live.iter().position(|(_, other)| *other == effect) {
            Some(at) => {
                live.remove(at);
            }
            None => missing.push((rule.id.clone(), effect)),
        }
    }
    let mut words = Vec::new();
    if small && s3_rules(wanted).any(|rule| !rule.transitions.is_empty() && rule.larger_than_bytes == 0) {
        words.push("objects under 128 KB change their storage class, too, and by the map they do not".to_owned());
    }
    for (id, effect) in missing {
        // what stands in its place: the rule of the same id, or of the same prefix
        let at = live
            .iter()
            .position(|(other, _)| *other == id)
            .or_else(|| live.iter().position(|(_, other)| other.prefix == effect.prefix));
        let is = at.map(|at| live.remove(at).1);
        words.push(match is {
            None => format!("nothing does what the map has for `{}` ({})", shown::line(&effect.prefix), effect.words()),
            Some(other) if other.prefix == effect.prefix => {
                format!("`{}` {}, and the map has: {}", shown::line(&effect.prefix), other.words(), effect.words())
            }
            Some(other) => format!(
                "rule `{id}` is for `{}`, and the map's for `{}`",
                shown::line(&other.prefix),
                shown::line(&effect.prefix)
            ),
        });
    }
    let beside = live.into_iter().map(|(id, effect)| {
        format!("rule `{}` for `{}` is not the map's: {}", shown::line(id), shown::line(&effect.prefix), effect.words())
    });
    words.extend(beside);
    words
}
