//! Which events a trail records, as a map says it.

use crate::{
    aws::watch,
    map::{EventSource, LogBucketEvents, ManagementEvents},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The events of a trail, in the words of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Events {
    /// `management_events`.
    pub management: ManagementEvents,
    /// `exclude_event_sources`.
    pub excluded: Vec<EventSource>,
    /// `s3_data_events`. Which buckets are left out is derived, and compared once it is.
    pub data: bool,
    /// `log_bucket_events`. Which buckets these are is derived, and compared once it is.
    pub of_log_buckets: Vec<LogBucketEvents>,
}

impl Events {
    /// From advanced event selectors; nothing if a map can't say them.
    pub(super) fn of(selectors: &Value) -> Option<Self> {
        let mut events =
            Events { management: ManagementEvents::None, excluded: Vec::new(), data: false, of_log_buckets: Vec::new() };
        for selector in selectors.as_array()? {
            let mut fields = fields(selector)?;
            match fields.remove("eventCategory")? {
                ("Equals", category) if category == ["Management"].into() && events.management == ManagementEvents::None => {
                    events.management = match fields.remove("readOnly") {
                        None => ManagementEvents::All,
                        Some(("Equals", values)) if values == ["true"].into() => ManagementEvents::ReadOnly,
                        Some(("Equals", values)) if values == ["false"].into() => ManagementEvents::WriteOnly,
                        Some(_) => return None,
                    };
                    events.excluded = match fields.remove("eventSource") {
                        None => Vec::new(),
                        Some(("NotEquals", values)) => values.into_iter().map(event_source).collect::<Option<_>>()?,
                        Some(_) => return None,
                    };
                }
                ("Equals", category) if category == ["Data"].into() => {
                    if fields.remove("resources.type")? != ("Equals", ["AWS::S3::Object"].into()) {
                        return None;
                    }
                    match fields.remove("resources.ARN") {
                        Some(("StartsWith", _)) => {
                            let what = of_log_buckets(fields.remove("eventName"), fields.remove("readOnly"))?;
                            if events.of_log_buckets.contains(&what) {
                                return None;
                            }
                            events.of_log_buckets.push(what);
                        }
                        None | Some(("NotStartsWith", _)) if !events.data => events.data = true,
                        _ => return None,
                    }
                }
                _ => return None,
            }
            if !fields.is_empty() {
                return None;
            }
        }
        let any = events.data || !events.of_log_buckets.is_empty() || events.management != ManagementEvents::None;
        events.of_log_buckets.sort_by_key(|what| what.word());
        any.then_some(events)
    }
}

/// Which events of single buckets' objects: those of deletions by name, or all that read.
fn of_log_buckets(names: Option<(&str, BTreeSet<&str>)>, read_only: Option<(&str, BTreeSet<&str>)>) -> Option<LogBucketEvents> {
    match (names, read_only) {
        (Some(("Equals", names)), None) if names == watch::OBJECT_CALLS.into() => Some(LogBucketEvents::Deletes),
        (None, Some(("Equals", values))) if values == ["true"].into() => Some(LogBucketEvents::Reads),
        _ => None,
    }
}

fn event_source(name: &str) -> Option<EventSource> {
    [EventSource::Kms, EventSource::RdsData].into_iter().find(|source| source.word() == name)
}

/// The operator of each field, and its values; nothing if a field has none or several, or stands twice.
fn fields(selector: &Value) -> Option<BTreeMap<&str, (&str, BTreeSet<&str>)>> {
    let mut found = BTreeMap::new();
    for field in selector.get("FieldSelectors")?.as_array()? {
        let name = field.get("Field")?.as_str()?;
        let is_some = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
        let mut tests = field.as_object()?.iter().filter(|(key, value)| *key != "Field" && is_some(value));
        let (operator, values) = tests.next()?;
        let values = values.as_array()?.iter().map(Value::as_str).collect::<Option<BTreeSet<_>>>()?;
        if tests.next().is_some() || found.insert(name, (operator.as_str(), values)).is_some() {
            return None;
        }
    }
    Some(found)
}
