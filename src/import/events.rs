//! Which events a trail records, as a map says it.

use crate::map::{EventSource, ManagementEvents};
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
}

impl Events {
    /// From advanced event selectors; nothing if a map can't say them.
    pub(super) fn of(selectors: &Value) -> Option<Self> {
        let mut events = Events { management: ManagementEvents::None, excluded: Vec::new(), data: false };
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
                ("Equals", category) if category == ["Data"].into() && !events.data => {
                    let kind = fields.remove("resources.type")?;
                    let left_out = fields.remove("resources.ARN").is_none_or(|(operator, _)| operator == "NotStartsWith");
                    events.data = kind == ("Equals", ["AWS::S3::Object"].into()) && left_out;
                    if !events.data {
                        return None;
                    }
                }
                _ => return None,
            }
            if !fields.is_empty() {
                return None;
            }
        }
        (events.data || events.management != ManagementEvents::None).then_some(events)
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
