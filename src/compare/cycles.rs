//! Buckets that log to each other in a circle, over all inputs together; and log buckets that log to yet another bucket.

use super::{Configuration, Kind, finding, name_of, related};
use crate::{
    catalog::observed::{CHAIN, CYCLE},
    observed::{Logging, Target},
};
use std::collections::{BTreeMap, BTreeSet};

/// Buckets of one circle that are named: who can't read so many finds the others when these are out of it.
const MOST_NAMED: usize = 20;

/// Adds what is found to the configurations, which stand in the order of the loggings.
pub(super) fn judge(loggings: &[Logging], configurations: &mut [Configuration]) {
    let mut edges: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (at, logging) in loggings.iter().enumerate() {
        let (Some(source), Target::Named(target)) = (&logging.source, &logging.target) else { continue };
        edges.entry(source.value.clone()).or_insert((at, name_of(target).0.value));
    }
    let mut in_a_circle: BTreeSet<usize> = BTreeSet::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<&str> = Vec::new();
        let mut on_path: BTreeMap<&str, usize> = BTreeMap::new();
        let mut at = start.as_str();
        while let Some((_, next)) = edges.get(at).filter(|_| !seen.contains(at)) {
            seen.insert(at);
            on_path.insert(at, path.len());
            path.push(at);
            at = next;
        }
        if let Some(from) = on_path.get(at) {
            let circle: Vec<usize> = path[*from..].iter().filter_map(|name| Some(edges.get(*name)?.0)).collect();
            // a bucket that logs to itself has been reported
            if circle.len() > 1 {
                report(&circle, loggings, configurations);
            }
            in_a_circle.extend(circle);
        }
    }
    let targets: BTreeSet<&str> = edges.values().map(|(_, target)| target.as_str()).collect();
    for (source, (at, target)) in &edges {
        if !in_a_circle.contains(at) && targets.contains(source.as_str()) && source != target {
            let (place, configuration) = (loggings[*at].place, &mut configurations[*at]);
            configuration.findings.push(
                finding(&CHAIN, place, format!("`{}` takes access logs and has access logging itself", configuration.source))
                    .help("S3 advises against it: every delivery makes log entries that are delivered in turn; end the chain at the log bucket"),
            );
        }
    }
}

fn report(circle: &[usize], loggings: &[Logging], configurations: &mut [Configuration]) {
    let first = circle.iter().copied().min_by_key(|at| loggings[*at].place);
    let Some(first) = first else { return };
    let start = circle.iter().position(|at| *at == first).unwrap_or(0);
    let order: Vec<usize> = circle[start..].iter().chain(&circle[..start]).copied().collect();
    let mut names: Vec<String> = order.iter().take(MOST_NAMED).map(|at| format!("`{}`", configurations[*at].source)).collect();
    if order.len() > MOST_NAMED {
        names.push(format!("{} others", order.len() - MOST_NAMED));
    }
    let mut found = finding(&CYCLE, loggings[first].place, format!("{} and back log to each other in a circle", names.join(" to ")))
        .help("S3 accepts this, and every log object makes new log entries, without end; end the chain at one log bucket that does not log");
    for at in order.iter().take(MOST_NAMED).skip(1) {
        found = related(
            found,
            loggings[*at].place,
            format!("`{}` logs to `{}`", configurations[*at].source, configurations[*at].target),
        );
    }
    for at in circle {
        if configurations[*at].kind == Kind::AccessLog {
            configurations[*at].findings.push(found.clone());
        }
    }
}
