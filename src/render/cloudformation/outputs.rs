//! What a stack tells: its log buckets, where its trails and CloudWatch Logs deliver, and its sources by destination in as few values as can be.

use super::{ids::id, split::OUTPUT_BYTES};
use crate::plan::{Account, Placement, Source};
use indexmap::IndexMap;
use serde::Serialize;
use std::borrow::Cow;

/// An output of the stack.
#[derive(Serialize)]
pub(super) struct Output {
    /// Logical id.
    pub id: String,
    /// What it is.
    pub description: String,
    /// Value, a token of YAML.
    pub value: String,
}

/// The names of the log buckets and trails, if they are in the template, and the sources by destination, as few values as can be.
pub(super) fn outputs(account: &Account, placement: &Placement, with_buckets: bool, sources: &[&Source]) -> Vec<Output> {
    let mut list: Vec<Output> = Vec::new();
    for bucket in placement.buckets.iter().filter(|_| with_buckets) {
        let of = format!("{} of {} in {}", bucket.takes(), account.key, placement.region);
        let description = if bucket.takes_copies { "Archive of all log buckets".to_owned() } else { format!("Bucket for {of}") };
        list.push(Output { id: id("Bucket", &bucket.name), description, value: bucket.name.clone() });
    }
    for trail in placement.trails.iter().filter(|_| with_buckets) {
        let description = format!("Where trail {} delivers", trail.name);
        list.push(Output {
            id: id("TrailTo", &trail.arn),
            description,
            value: format!("s3://{}/{}", trail.bucket, trail.prefix),
        });
    }
    if let Some(vended) = placement.vended.as_ref().filter(|vended| with_buckets && vended.destination.is_some()) {
        let description = format!("Destination of what CloudWatch Logs delivers from {}", placement.region);
        list.push(Output { id: id("DeliveriesTo", &vended.destination_arn), description, value: vended.destination_arn.clone() });
    }
    for alerts in placement.monitoring.alerts.iter().filter(|_| with_buckets) {
        let description = format!("Topic of the alerts of {} in {}", account.key, placement.region);
        list.push(Output { id: id("Alerts", &alerts.topic_arn), description, value: alerts.topic_arn.clone() });
    }
    let mut groups: IndexMap<Group<'_>, Vec<&str>> = IndexMap::new();
    // most log to where the one before logs
    for sources in sources.chunk_by(|one, next| group(one) == group(next)) {
        groups.entry(group(sources[0])).or_default().extend(sources.iter().map(|source| source.name.as_str()));
    }
    for ((bucket, prefix, key_format), names) in groups {
        for names in chunks(&names) {
            let description = format!("Sources that log to s3://{bucket}/{prefix} ({key_format})");
            // named after its first source: it stays when other destinations come and go
            let value = names.join(",");
            list.push(Output { id: id("Sources", &names.concat()), description: clip(description), value });
        }
    }
    list
}

/// Sources that share outputs, by log bucket, pattern of the prefix and key format.
type Group<'a> = (&'a str, Cow<'a, str>, &'static str);

fn group(source: &Source) -> Group<'_> {
    (&source.log_bucket, source.prefix_pattern(), source.key_format_name())
}

/// Cuts a list so that each part, joined, stays within the length of an output.
fn chunks<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut length = OUTPUT_BYTES + 1;
    for name in names {
        length += name.len() + 1;
        if length > OUTPUT_BYTES {
            parts.push(Vec::new());
            length = name.len() + 1;
        }
        if let Some(part) = parts.last_mut() {
            part.push(name);
        }
    }
    parts
}

/// A description AWS accepts: a prefix may be almost as long as its limit.
fn clip(mut text: String) -> String {
    while text.len() > 1_000 {
        text.pop();
    }
    text
}
