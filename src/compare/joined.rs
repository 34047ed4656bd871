//! One file's configurations in all the ways in which its conditions can turn out: a violation in each way is one; in some of them
//! only, it can't be known.

use super::{Configuration, Kind, Verdict};
use crate::{
    diagnostics::{Finding, Severity},
    observed::SourceLocation,
};
use std::collections::BTreeMap;

/// Configurations while they are joined, way by way.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// What the ways are called.
    words: Vec<String>,
    /// By kind and place: what a configuration can be, and in which ways.
    all: BTreeMap<(Kind, SourceLocation), Vec<InWays>>,
}

/// What a configuration is in some of the ways, and in which.
type InWays = (Configuration, Vec<usize>);

impl Joined {
    /// Adds what the configurations are in one more way. Where one is what it was before, it is not kept again.
    pub(crate) fn add(&mut self, words: &str, configurations: impl Iterator<Item = Configuration>) {
        let way = self.words.len();
        self.words.push(words.to_owned());
        for configuration in configurations {
            let ways = self.all.entry((configuration.kind, configuration.anchor)).or_default();
            match ways.iter_mut().find(|(known, _)| is_same(known, &configuration)) {
                Some((_, ways)) => ways.push(way),
                None => ways.push((configuration, vec![way])),
            }
        }
    }

    /// The configurations, each once.
    pub(crate) fn done(self) -> Vec<Configuration> {
        self.all.into_values().filter_map(|ways| one(&self.words, &ways)).collect()
    }
}

fn is_same(a: &Configuration, b: &Configuration) -> bool {
    let same = |a: &Finding, b: &Finding| (a.rule.id, a.file, a.span, &a.message) == (b.rule.id, b.file, b.span, &b.message);
    (a.place, &a.source, &a.target, &a.unknown) == (b.place, &b.source, &b.target, &b.unknown)
        && a.findings.len() == b.findings.len()
        && a.findings.iter().zip(&b.findings).all(|(a, b)| same(a, b))
}

fn one(words: &[String], known: &[InWays]) -> Option<Configuration> {
    let mut ways: Vec<(usize, &Configuration)> =
        known.iter().flat_map(|(way, numbers)| numbers.iter().map(move |number| (*number, way))).collect();
    ways.sort_by_key(|(number, _)| *number);
    let mut result = ways.first()?.1.clone();
    if ways.len() == 1 {
        return Some(result);
    }
    result.findings.clear();
    result.unknown.clear();
    let bad = ways.iter().filter(|(_, way)| way.verdict() == Verdict::Violation).count();
    for (number, way) in &ways {
        let words = words.get(*number).map_or("", String::as_str);
        for finding in &way.findings {
            if bad == ways.len() || finding.severity() != Severity::Error {
                let known = |other: &Finding| other.rule == finding.rule && other.span == finding.span;
                if !result.findings.iter().any(known) {
                    result.findings.push(finding.clone());
                }
            } else {
                result.doubt(format!("if {words}: {} ({})", finding.message, finding.rule.id));
            }
        }
        if bad < ways.len() {
            way.unknown.iter().for_each(|reason| result.doubt(reason.clone()));
        }
    }
    Some(result)
}
