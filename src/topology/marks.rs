//! Marks: the verdicts of an inspection, found again by the names of nodes.
//!
//! A source or a log bucket has its name alone. A trail's name stands once in each account, so a verdict goes to the trail it can
//! only mean; all others are left over, and are drawn beside the nodes.

use crate::{
    compare::{Kind, Verdict},
    inspection::Inspection,
    plan::{Plan, Trail},
    source::FileId,
};
use std::collections::{BTreeMap, BTreeSet};

/// What an inspection says of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The worst of the verdicts.
    pub verdict: Verdict,
    /// What was checked, such as "`a` logs to `b`".
    pub words: String,
    /// What is wrong or can't be known: a sentence and its place, `FILE:LINE:COLUMN`.
    pub reasons: Vec<(String, String)>,
}

/// All marks, until nodes take them.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Was anything inspected?
    pub checked: bool,
    sources: BTreeMap<String, Mark>,
    buckets: BTreeMap<String, Mark>,
    /// By the trail's ARN.
    trails: BTreeMap<String, Mark>,
    rest: Vec<Mark>,
}

impl Marks {
    /// The marks of an inspection on the nodes of a plan.
    pub(crate) fn of(inspection: &Inspection, plan: &Plan) -> Self {
        let mut trails: BTreeMap<&str, Vec<&Trail>> = BTreeMap::new();
        for (_, trail) in plan.trails() {
            trails.entry(&trail.name).or_default().push(trail);
        }
        let sources: BTreeSet<&str> =
            plan.placements().flat_map(|(_, placement)| &placement.sources).map(|source| source.name.as_str()).collect();
        let buckets: BTreeSet<&str> =
            plan.placements().flat_map(|(_, placement)| &placement.buckets).map(|bucket| bucket.name.as_str()).collect();
        let mut marks = Marks { checked: true, ..Marks::default() };
        for configuration in &inspection.configurations {
            let (source, target) = (configuration.source.as_str(), configuration.target.as_str());
            let place =
                |file: FileId, offset: u32| file.of(&inspection.files).map_or_else(String::new, |file| file.place(offset));
            let mut reasons: Vec<(String, String)> = configuration
                .findings
                .iter()
                .map(|finding| (format!("{}: {}", finding.rule.id, finding.message), place(finding.file, finding.span.start)))
                .collect();
            // where logs may go at all comes before what the map says of it
            reasons.sort();
            let here = place(configuration.place.file, configuration.place.span.start);
            reasons.extend(configuration.unknown.iter().map(|reason| (reason.clone(), here.clone())));
            let mark = Mark { verdict: configuration.verdict(), words: configuration.words(), reasons };
            match configuration.kind {
                Kind::AccessLog if sources.contains(source) => merge(&mut marks.sources, source, mark),
                Kind::Policy if buckets.contains(target) => merge(&mut marks.buckets, target, mark),
                Kind::Trail => match only(trails.get(source).map_or(&[][..], Vec::as_slice), target) {
                    Some(trail) => merge(&mut marks.trails, &trail.arn, mark),
                    None => marks.rest.push(mark),
                },
                _ => marks.rest.push(mark),
            }
        }
        marks
    }

    /// The mark of a source, which takes it.
    pub(crate) fn source(&mut self, name: &str) -> Option<Mark> {
        self.sources.remove(name)
    }

    /// The mark of a log bucket, which takes it.
    pub(crate) fn bucket(&mut self, name: &str) -> Option<Mark> {
        self.buckets.remove(name)
    }

    /// The mark of a trail, which takes it.
    pub(crate) fn trail(&mut self, trail: &Trail) -> Option<Mark> {
        self.trails.remove(&trail.arn)
    }

    /// The marks that belong to no node, but for those without a problem.
    pub(crate) fn rest(self) -> Vec<Mark> {
        let named = self.sources.into_values().chain(self.trails.into_values()).chain(self.buckets.into_values());
        named.chain(self.rest).filter(|mark| mark.verdict != Verdict::Ok).collect()
    }
}

/// The trail that is meant: the only one of the name, or the only one of them that delivers to the bucket.
fn only<'a>(trails: &[&'a Trail], bucket: &str) -> Option<&'a Trail> {
    if let [one] = trails {
        return Some(one);
    }
    let mut there = trails.iter().filter(|trail| trail.bucket == bucket);
    there.next().filter(|_| there.next().is_none()).copied()
}

/// Several configurations of one node: the worst verdict, and all reasons.
fn merge(marks: &mut BTreeMap<String, Mark>, name: &str, mark: Mark) {
    match marks.get_mut(name) {
        None => {
            marks.insert(name.to_owned(), mark);
        }
        Some(known) => {
            if mark.verdict > known.verdict {
                (known.verdict, known.words) = (mark.verdict, mark.words);
            }
            for reason in mark.reasons {
                if !known.reasons.contains(&reason) {
                    known.reasons.push(reason);
                }
            }
        }
    }
}
