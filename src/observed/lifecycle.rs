//! The lifecycle of a bucket, as far as a map can say it.
//!
//! Takes the rules as the S3 API has them (S3 API reference, `LifecycleRule`); gives one time for logs and one for their old
//! versions, or that the rules say more than that.

use crate::aws::limits::ABORT_UPLOAD_AFTER_DAYS;
use serde_json::{Map, Value};

/// What the rules of a bucket come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// Days after which objects and noncurrent versions go, by rules in the form in which logmap writes them; `None` is never.
    /// Without a rule nothing ever goes.
    Retention {
        /// Days for objects.
        expire: Option<u32>,
        /// Days for noncurrent versions.
        noncurrent: Option<u32>,
    },
    /// Rules that `retention` can't say.
    Others,
}

/// Reads the rules.
pub(crate) fn of_rules(rules: &[Value]) -> Lifecycle {
    let mut found: Option<Lifecycle> = None;
    for rule in rules {
        let one = of_rule(rule).unwrap_or(Lifecycle::Others);
        if one == Lifecycle::Others || found.is_some_and(|other| other != one) {
            return Lifecycle::Others;
        }
        found = Some(one);
    }
    found.unwrap_or(Lifecycle::Retention { expire: None, noncurrent: None })
}

/// A rule in logmap's form, without a transition; nothing for any other.
fn of_rule(rule: &Value) -> Option<Lifecycle> {
    let rule = rule.as_object()?;
    let known = ["ID", "Status", "Filter", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"];
    let id = rule.get("ID")?.as_str()?;
    let ours = ["access-logs", "cloudtrail", "all-logs"].iter().any(|kind| id.starts_with(kind));
    let prefix_only = only(rule, "Filter", "Prefix").is_some_and(|prefix| prefix.is_some());
    let abort = only(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation").flatten().and_then(Value::as_u64);
    let is_ours = ours
        && prefix_only
        && abort == Some(u64::from(ABORT_UPLOAD_AFTER_DAYS))
        && rule.get("Status").is_some_and(|status| status == "Enabled")
        && rule.keys().all(|key| known.contains(&key.as_str()));
    let days = |action: &str, key: &str| match only(rule, action, key)? {
        None => Some(None),
        Some(days) => Some(Some(u32::try_from(days.as_u64()?).ok()?)),
    };
    is_ours
        .then(|| {
            Some(Lifecycle::Retention {
                expire: days("Expiration", "Days")?,
                noncurrent: days("NoncurrentVersionExpiration", "NoncurrentDays")?,
            })
        })
        .flatten()
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
