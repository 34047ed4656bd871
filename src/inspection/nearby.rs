//! What one input's judgement depends on in the others: the buckets that it names, and the log configurations that its buckets are
//! joined with, one after the other.
//!
//! An input whose conditions can turn out in several ways is judged in each of them. With all the others each time, a thousand
//! templates would be judged a thousand times.

use crate::{
    compare,
    observed::{Input, Logging, Observed, Target},
};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

/// Log configurations of others that are judged again in all: those of a ring of 350 buckets, each in a template of two ways.
const MOST_LOGGINGS: usize = 250_000;

/// Buckets and log configurations of the first way of each input, by input and index, under the names that they speak of.
pub(super) struct Nearby<'a> {
    inputs: &'a [Input],
    buckets: BTreeMap<&'a str, Vec<(usize, usize)>>,
    by_source: BTreeMap<&'a str, Vec<(usize, usize)>>,
    by_target: BTreeMap<String, Vec<(usize, usize)>>,
    /// Log configurations that were looked at so far.
    taken: Cell<usize>,
}

impl<'a> Nearby<'a> {
    /// An index of all inputs.
    pub(super) fn of(inputs: &'a [Input]) -> Self {
        let (mut buckets, mut by_source, mut by_target) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (at, input) in inputs.iter().enumerate() {
            let Some(way) = input.ways.first() else { continue };
            for (number, bucket) in way.observed.buckets.iter().enumerate() {
                buckets.entry(bucket.name.value.as_str()).or_insert_with(Vec::new).push((at, number));
            }
            for (number, logging) in way.observed.logging.iter().enumerate() {
                if let Some(source) = &logging.source {
                    by_source.entry(source.value.as_str()).or_insert_with(Vec::new).push((at, number));
                }
                if let Some(target) = target(logging) {
                    by_target.entry(target).or_insert_with(Vec::new).push((at, number));
                }
            }
        }
        Nearby { inputs, buckets, by_source, by_target, taken: Cell::new(0) }
    }

    /// One input in one of its ways, with all that its judgement depends on; in the order of the inputs. False if log
    /// configurations of others are left out, because there are too many.
    pub(super) fn of_way(&self, at: usize, own: &Observed) -> (Observed, bool) {
        let mut names: BTreeSet<String> = own.buckets.iter().map(|bucket| bucket.name.value.clone()).collect();
        let mut sources: Vec<String> = Vec::new();
        for logging in &own.logging {
            sources.extend(logging.source.iter().map(|source| source.value.clone()));
            sources.extend(target(logging));
        }
        let trails = own.trails.iter().filter_map(|trail| trail.bucket.known());
        names.extend(trails.map(|bucket| compare::name_of(bucket).0.value));
        names.extend(own.policies.iter().filter_map(|policy| Some(policy.bucket.as_ref()?.value.clone())));
        names.extend(sources.iter().cloned());
        let (loggings, whole) = self.joined(at, sources);
        let buckets: BTreeSet<(usize, usize)> =
            names.iter().filter_map(|name| self.buckets.get(name.as_str())).flatten().copied().collect();
        let files: BTreeSet<usize> = buckets.iter().chain(&loggings).map(|(file, _)| *file).chain([at]).collect();
        let mut all = Observed::default();
        for file in files {
            if file == at {
                all.add(own);
                continue;
            }
            let Some(way) = self.inputs.get(file).and_then(|input| input.ways.first()) else { continue };
            let of = |set: &BTreeSet<(usize, usize)>| -> Vec<usize> {
                set.range((file, 0)..=(file, usize::MAX)).map(|(_, number)| *number).collect()
            };
            all.buckets.extend(of(&buckets).into_iter().filter_map(|number| way.observed.buckets.get(number)).cloned());
            all.logging.extend(of(&loggings).into_iter().filter_map(|number| way.observed.logging.get(number)).cloned());
        }
        (all, whole)
    }

    /// The log configurations of others that begin at one of these buckets, and so on from where they lead to; and all of whoever
    /// logs to one of them. False if there are too many.
    fn joined(&self, at: usize, sources: Vec<String>) -> (BTreeSet<(usize, usize)>, bool) {
        let mut found: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut seen: BTreeSet<String> = sources.iter().cloned().collect();
        let mut queue: Vec<(String, bool)> = sources.into_iter().map(|source| (source, true)).collect();
        while let Some((name, is_own)) = queue.pop() {
            let to = self.by_target.get(&name).filter(|_| is_own);
            for (file, number) in self.by_source.get(name.as_str()).into_iter().chain(to).flatten() {
                let logging = self.inputs.get(*file).and_then(|input| input.ways.first()?.observed.logging.get(*number));
                let Some(logging) = logging.filter(|_| *file != at) else { continue };
                self.taken.set(self.taken.get() + 1);
                if self.taken.get() > MOST_LOGGINGS {
                    return (BTreeSet::new(), false);
                }
                if found.insert((*file, *number)) {
                    let next = logging.source.iter().map(|source| source.value.clone()).chain(target(logging));
                    queue.extend(next.filter(|name| seen.insert(name.clone())).map(|name| (name, false)));
                }
            }
        }
        (found, true)
    }
}

/// The bucket that a configuration logs to, if it is known.
fn target(logging: &Logging) -> Option<String> {
    match &logging.target {
        Target::Named(text) => Some(compare::name_of(text).0.value),
        Target::Omitted | Target::Unknown => None,
    }
}
