//! Rows: a step as calls of the library's functions, each a name and words.

use crate::{
    plan::{LogBucket, Source, Trail},
    policy::Policy,
    render::aws_cli::{bucket_row, logging_status, trail_row},
    runbook::{Arrival, BucketMove, DRAIN_HOURS, Footing, Leaning, Leftover, SourceMove, Step, TrailMove, Work},
};
use serde::Serialize;

/// One call.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The function, a plain word.
    does: &'static str,
    /// Words behind the kind, each of which becomes one shell word.
    words: Vec<String>,
}

fn row(does: &'static str, words: impl IntoIterator<Item = String>) -> Row {
    Row { does, words: words.into_iter().collect() }
}

/// The calls of a step, in the order in which things are to be changed.
pub(super) fn rows(step: &Step) -> Vec<Row> {
    let mut rows = Vec::new();
    let hours = if step.work == Work::Drain { DRAIN_HOURS } else { 0 };
    rows.extend(step.after.iter().map(|id| match step.work {
        Work::Drain => row("rested", [id.clone(), hours.to_string()]),
        _ => row("after", [id.clone()]),
    }));
    if step.work == Work::Recreate {
        for source in &step.sources {
            let Some(from) = &source.moved_from else { continue };
            rows.push(row("recreated", [source.name.clone(), from.region.clone(), from.account_id.clone()]));
        }
        return rows;
    }
    for leftover in &step.leftovers {
        rows.push(match leftover {
            Leftover::Bucket(bucket) => row("resting", [bucket.name.clone(), bucket_row(bucket).lifecycle]),
            Leftover::Prefix { bucket, prefix, days, live } => {
                let words = [bucket.clone(), prefix.clone(), days.to_string()];
                row("emptied", words.into_iter().chain(live.iter().cloned()))
            }
        });
    }
    rows.extend(step.footing.iter().map(footing));
    rows.extend(step.leaning.iter().map(leaning));
    rows.extend(step.left.iter().map(|source| row("left", [source.name.clone(), logging(Some(source))])));
    let buckets = step.buckets.iter().map(bucket);
    let trails = step.trails.iter().flat_map(|trail| self::trail(step, trail));
    if step.work == Work::Narrow {
        rows.extend(trails);
        rows.extend(buckets);
    } else {
        rows.extend(buckets);
        rows.extend(step.sources.iter().map(source));
        rows.extend(trails);
    }
    // the switch of the same Region
    let own = format!("-{}", step.placement.region);
    let since = step.after.iter().find(|id| id.ends_with(&own)).or(step.after.first()).cloned().unwrap_or_default();
    for arrival in &step.arrivals {
        rows.push(match arrival {
            Arrival::Source { name, bucket, under, shared } => {
                let whose = if *shared { "shared" } else { "own" };
                row("arrived", [name.clone(), bucket.clone(), under.clone(), since.clone(), whose.to_owned()])
            }
            Arrival::Trail { name, bucket } => row("arrived_trail", [name.clone(), bucket.clone(), since.clone()]),
        });
    }
    for quiet in step.quiets.iter().filter(|quiet| !quiet.name.is_empty()) {
        let day = if quiet.folders { "%Y/%m/%d/" } else { "%Y-%m-%d" };
        rows.push(row(
            "quiet",
            [quiet.name.clone(), quiet.bucket.clone(), quiet.under.clone(), day.to_owned(), DRAIN_HOURS.to_string()],
        ));
    }
    rows
}

/// Versioning, policy, lifecycle, tags, Object Lock.
fn five(bucket: Option<&LogBucket>) -> [String; 5] {
    let Some(bucket) = bucket else { return Default::default() };
    let row = bucket_row(bucket);
    [row.versioning.to_owned(), row.policy, row.lifecycle, row.tags, row.object_lock]
}

fn bucket(change: &BucketMove) -> Row {
    let after = bucket_row(&change.after);
    let takes = if change.takes_access_logs { "yes" } else { "no" };
    let mut words: Vec<String> = [after.name, after.origin, after.namespace, takes].map(str::to_owned).to_vec();
    words.extend(five(Some(&change.after)));
    words.extend(five(change.before.as_ref()));
    words.push(Policy::new(change.known.clone()).to_json());
    for later in &change.later {
        let later = bucket_row(later);
        words.extend([later.policy, later.lifecycle]);
    }
    Row { does: "bucket", words }
}

fn footing(footing: &Footing) -> Row {
    let when = if footing.forward { "forward" } else { "back" };
    let mut words = vec![footing.bucket.clone(), when.to_owned(), footing.step.clone()];
    words.extend(footing.grants.iter().map(Policy::to_json));
    Row { does: "lets_in", words }
}

fn leaning(leaning: &Leaning) -> Row {
    match leaning {
        Leaning::Source { source, step } => row("logs_there", [source.name.clone(), logging(Some(source)), step.clone()]),
        Leaning::Trail { name, home, bucket, prefix, step } => {
            row("delivers_there", [name, home, bucket, prefix, step].map(Clone::clone))
        }
        Leaning::Elsewhere { step } => row("taken_later", [step.clone()]),
    }
}

fn logging(source: Option<&Source>) -> String {
    source.map_or("{}".to_owned(), logging_status)
}

fn source(change: &SourceMove) -> Row {
    let by = if change.managed { "managed" } else { "external" };
    row("source_bucket", [change.name.clone(), by.to_owned(), logging(change.after.as_ref()), logging(change.before.as_ref())])
}

/// Settings and selectors; nothing for a trail that is not there.
fn two(account: &str, trail: Option<&Trail>) -> [String; 2] {
    let Some(trail) = trail else { return Default::default() };
    let row = trail_row(account, trail);
    [row.settings, row.selectors]
}

/// One call, or two where one trail ends for another of its name.
fn trail(step: &Step, change: &TrailMove) -> Vec<Row> {
    let account = step.placement.account.as_str();
    let call = |one: &Trail, home: &str, after: Option<&Trail>, before: Option<&Trail>, rival: &str| {
        let row = trail_row(account, one);
        let origin = match (before.is_some(), one.adopt) {
            (true, true) => "adopted",
            (true, false) => "known",
            (false, _) => row.origin,
        };
        let mut words = vec![one.name.clone(), origin.to_owned(), one.arn.clone(), home.to_owned(), row.first.to_owned()];
        words.extend(two(account, after));
        words.extend(two(account, before));
        words.push(rival.to_owned());
        if after.is_some() {
            words.extend(change.later.iter().flat_map(|later| two(account, Some(later))));
        }
        Row { does: "trail", words }
    };
    let here = step.placement.region.as_str();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.arn != after.arn => {
            vec![
                call(before, &change.old_home, None, Some(before), &after.arn),
                call(after, here, Some(after), None, &before.arn),
            ]
        }
        (before, Some(after)) => vec![call(after, here, Some(after), before.as_ref(), "")],
        (Some(before), None) => vec![call(before, &change.old_home, None, Some(before), "")],
        (None, None) => Vec::new(),
    }
}
