//! The program that reads accounts into a snapshot: Python with boto3, for those who can't run logmap where the credentials are.
//!
//! Takes the plan, gives one file. What is in it of the map is one JSON text, so that nothing of the map is ever code.

use crate::plan::{Plan, Source};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The program, as it stands below `templates/`: nothing renders it, and nobody replaces it.
pub(crate) const PROGRAM: (&str, &str) = ("snapshot/snapshot.py", include_str!("../../templates/snapshot/snapshot.py"));
/// Where the map's part goes.
const MARK: &str = "@SCOPE@";

/// The program for a plan.
pub(crate) fn program(plan: &Plan) -> String {
    PROGRAM.1.replacen(MARK, &literal(&scope(plan).to_string()), 1)
}

/// What is to be read.
fn scope(plan: &Plan) -> Value {
    let accounts = plan.accounts.iter().map(|account| {
        let regions: serde_json::Map<String, Value> = account
            .placements
            .iter()
            .map(|placement| {
                let buckets = placement
                    .buckets
                    .iter()
                    .map(|bucket| json!({ "name": bucket.name, "tags": bucket.tags.keys().collect::<Vec<_>>() }));
                let insights = placement.trails.iter().filter(|trail| !trail.insights.is_empty()).map(|trail| &trail.arn);
                let monitoring = &placement.monitoring;
                let alerts = monitoring.alerts.iter();
                let place = json!({
                    "log_buckets": buckets.collect::<Vec<_>>(),
                    "sources": placement.sources.iter().map(source).collect::<Vec<_>>(),
                    "insights": insights.collect::<Vec<_>>(),
                    "parameters": monitoring.parameter.iter().map(|parameter| &parameter.name).collect::<Vec<_>>(),
                    "config_rules": monitoring.config_rule.iter().map(|rule| &rule.name).collect::<Vec<_>>(),
                    "event_rules": alerts.clone().flat_map(|alerts| &alerts.rules).map(|rule| &rule.name).collect::<Vec<_>>(),
                    "topics": alerts.map(|alerts| &alerts.topic_arn).collect::<Vec<_>>(),
                });
                (placement.region.clone(), place)
            })
            .collect();
        json!({
            "id": account.id,
            "key": account.key,
            "partition": account.partition,
            "profile": account.profile,
            "role": account.role_arn,
            "regions": regions,
        })
    });
    json!({ "accounts": accounts.collect::<Vec<_>>(), "closed": plan.closed })
}

fn source(source: &Source) -> Value {
    json!({
        "name": source.name,
        "log_bucket": &*source.log_bucket,
        "prefix": &*source.prefix,
        "format": source.key_format.partition_date_source(),
    })
}

/// A string literal of Python: ASCII alone, so that the encoding of the file decides nothing.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + text.len() / 8);
    literal.push('"');
    for unit in text.chars() {
        match unit {
            '"' | '\\' => literal.extend(['\\', unit]),
            ' '..='~' => literal.push(unit),
            _ => {
                let _ = write!(literal, "\\U{:08x}", u32::from(unit));
            }
        }
    }
    literal.push('"');
    literal
}
