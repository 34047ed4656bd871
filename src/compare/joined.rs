//! One file's configurations in all the ways in which its conditions can turn out: a violation in each way is one; in some of them
//! only, it can't be known, and each reason stands once with the conditions that decide it.

use super::{Configuration, Kind, Verdict};
use crate::{
    diagnostics::{Finding, Severity},
    observed::{Fact, SourceLocation},
};
use std::collections::{BTreeMap, BTreeSet};

/// Descriptions of the ways of one reason that are named.
const MOST_DESCRIPTIONS: usize = 3;

/// Configurations while they are joined, way by way.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// What is chosen in each way.
    ways: Vec<Vec<Fact>>,
    /// By kind and place: what a configuration can be, and in which ways.
    all: BTreeMap<(Kind, SourceLocation), Vec<InWays>>,
}

/// What a configuration is in some of the ways, and in which.
type InWays = (Configuration, Vec<usize>);

impl Joined {
    /// Adds what the configurations are in one more way. Where one is what it was before, it is not kept again.
    pub(crate) fn add(&mut self, facts: &[Fact], configurations: impl Iterator<Item = Configuration>) {
        let way = self.ways.len();
        self.ways.push(facts.to_vec());
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
        let joined: Vec<Configuration> = self.all.values().filter_map(|known| self.one(known)).collect();
        // what is said of a bucket with the sources that log to it is not said once more of the bucket
        let said: BTreeSet<(String, &'static str)> = self
            .all
            .iter()
            .filter(|((kind, _), _)| *kind == Kind::AccessLog)
            .flat_map(|(_, known)| known)
            .flat_map(|(way, _)| way.findings.iter().map(|finding| (way.target.clone(), finding.rule.id)))
            .collect();
        let is_said = |configuration: &Configuration| {
            configuration.kind == Kind::LogBucket
                && configuration.verdict() == Verdict::Unknown
                && self.all.get(&(configuration.kind, configuration.anchor)).is_some_and(|known| {
                    known.iter().all(|(way, _)| {
                        way.unknown.is_empty()
                            && way.findings.iter().all(|found| said.contains(&(way.target.clone(), found.rule.id)))
                    })
                })
        };
        joined.into_iter().filter(|configuration| !is_said(configuration)).collect()
    }

    fn one(&self, known: &[InWays]) -> Option<Configuration> {
        let mut ways: Vec<(usize, &Configuration)> =
            known.iter().flat_map(|(way, numbers)| numbers.iter().map(move |number| (*number, way))).collect();
        ways.sort_by_key(|(number, _)| *number);
        let mut result = ways.first()?.1.clone();
        if self.ways.len() == 1 {
            return Some(result);
        }
        result.findings.clear();
        result.unknown.clear();
        let bad = ways.iter().filter(|(_, way)| way.verdict() == Verdict::Violation).count();
        // a bucket that takes logs in some ways is there in the others, too
        let exists = if result.kind == Kind::LogBucket { self.ways.len() } else { ways.len() };
        let mut reasons: Vec<(String, BTreeSet<usize>)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut reason = |text: String, number: usize| {
            let at = *places.entry(text.clone()).or_insert(reasons.len());
            match reasons.get_mut(at) {
                Some((_, numbers)) => drop(numbers.insert(number)),
                None => reasons.push((text, BTreeSet::from([number]))),
            }
        };
        for (number, way) in &ways {
            for finding in &way.findings {
                if bad == exists || finding.severity() != Severity::Error {
                    let known = |other: &Finding| other.rule == finding.rule && other.span == finding.span;
                    if !result.findings.iter().any(known) {
                        result.findings.push(finding.clone());
                    }
                } else {
                    reason(format!("{} ({})", finding.message, finding.rule.id), *number);
                }
            }
            if bad < exists {
                way.unknown.iter().for_each(|text| reason(text.clone(), *number));
            }
        }
        let everywhere: BTreeSet<usize> = ways.iter().map(|(number, _)| *number).collect();
        for (text, numbers) in reasons {
            let words = if numbers == everywhere && ways.len() == exists { String::new() } else { self.words(&numbers) };
            result.doubt(if words.is_empty() { text } else { format!("if {words}: {text}") });
        }
        Some(result)
    }

    /// What tells these ways from the others, in words: the fewest facts that do.
    fn words(&self, numbers: &BTreeSet<usize>) -> String {
        let Some(first) = self.ways.first() else { return String::new() };
        let mut left = numbers.clone();
        let mut descriptions: Vec<String> = Vec::new();
        while let Some(way) = left.first().and_then(|number| self.ways.get(*number)) {
            // a fact is left out where the reason holds without it, too
            let mut kept = vec![true; first.len()];
            for at in 0..kept.len() {
                kept[at] = false;
                if !self.like(way, &kept).all(|number| numbers.contains(&number)) {
                    kept[at] = true;
                }
            }
            let covered: BTreeSet<usize> = self.like(way, &kept).collect();
            left.retain(|number| !covered.contains(number));
            let facts = way.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(fact, _)| fact.words.as_str());
            let words = facts.collect::<Vec<_>>().join(" and ");
            if descriptions.len() == MOST_DESCRIPTIONS {
                return descriptions.join(", or ") + ", or in other ways";
            }
            if words.is_empty() {
                return words;
            }
            descriptions.push(words);
        }
        descriptions.join(", or ")
    }

    /// The ways with the same facts as this one, of those that are kept.
    fn like<'s>(&'s self, way: &'s [Fact], kept: &'s [bool]) -> impl Iterator<Item = usize> + 's {
        let is_like = move |other: &Vec<Fact>| {
            way.len() == other.len() && way.iter().zip(other).zip(kept).all(|((a, b), kept)| !kept || a == b)
        };
        self.ways.iter().enumerate().filter(move |(_, other)| is_like(other)).map(|(number, _)| number)
    }
}

fn is_same(a: &Configuration, b: &Configuration) -> bool {
    let same = |a: &Finding, b: &Finding| (a.rule.id, a.file, a.span, &a.message) == (b.rule.id, b.file, b.span, &b.message);
    (a.place, &a.source, &a.target, &a.unknown) == (b.place, &b.source, &b.target, &b.unknown)
        && a.findings.len() == b.findings.len()
        && a.findings.iter().zip(&b.findings).all(|(a, b)| same(a, b))
}
