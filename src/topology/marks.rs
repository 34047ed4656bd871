//! Marks: what an inspection says of the nodes of a plan, and what drift says of them.
//!
//! An inspection's verdicts are found again by names. A source or a log bucket has its name alone. A trail's name stands once in each
//! account, so a verdict goes to the trail it can only mean; all others are left over, and are drawn beside the nodes. Drift goes by the
//! plan itself, and what is known there is taken over as it is: nothing is judged here.

use crate::{
    compare::{Kind, Verdict},
    diagnostics::{Finding, Severity},
    drift::{DeliveryVerdict, Drift, Known, State, Thing},
    inspection::Inspection,
    plan::{Account, Placement, Plan, Trail},
    source::{FileId, Span},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of one node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    /// By an inspection.
    pub check: Option<Check>,
    /// By drift.
    pub held: Option<Held>,
}

/// What an inspection says of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// The worst of the verdicts.
    pub verdict: Verdict,
    /// What was checked, such as "`a` logs to `b`".
    pub words: String,
    /// What is wrong or can't be known: a sentence and its place, `FILE:LINE:COLUMN`.
    pub reasons: Vec<Reason>,
}

/// A sentence, and where it comes from; the place may be empty.
pub(crate) type Reason = (String, String);

/// What drift says of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Is it as the map says?
    pub state: State,
    /// Is every difference one that the map silences?
    pub silenced: bool,
    /// In what it differs.
    pub findings: Vec<Reason>,
    /// Whether its logs arrive, if that was looked at.
    pub delivery: Option<Arrival>,
    /// What of it was not read.
    pub unread: Vec<String>,
    /// When its account was read; nothing if it was not.
    pub taken_at: Option<String>,
}

/// Whether the logs of a node arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// What is known.
    pub verdict: DeliveryVerdict,
    /// Does the map silence what is wrong with it?
    pub silenced: bool,
    /// The last day with logs.
    pub last_day: Option<String>,
    /// What is wrong.
    pub findings: Vec<Reason>,
}

/// How a mark looks, the worst last: each has a sign, a colour and words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// All that was looked at is right.
    Right,
    /// Nothing is known to be wrong, and it is not known to be right.
    Open,
    /// It could not be known.
    Unknown,
    /// It is not as the map says.
    Drift,
    /// Its logs do not arrive.
    Stopped,
    /// `check` finds it wrong.
    Violation,
}

impl Check {
    /// How it looks.
    pub(crate) fn look(&self) -> Look {
        match self.verdict {
            Verdict::Ok => Look::Right,
            Verdict::Unknown => Look::Unknown,
            Verdict::Violation => Look::Violation,
        }
    }
}

impl Held {
    /// How it looks: the worse of what is known of it and of its logs.
    pub(crate) fn look(&self) -> Look {
        let state = match self.state {
            State::AsMapped => Look::Right,
            State::Unknown => Look::Unknown,
            State::Drifted if self.silenced => Look::Open,
            State::Drifted => Look::Drift,
        };
        let arrival = self.delivery.as_ref().map(|arrival| match arrival.verdict {
            DeliveryVerdict::Arrives => Look::Right,
            DeliveryVerdict::Unknown => Look::Unknown,
            verdict if verdict.state() == State::Drifted && !arrival.silenced => Look::Stopped,
            _ => Look::Open,
        });
        arrival.map_or(state, |arrival| arrival.max(state))
    }
}

impl Look {
    /// All of them, the worst first.
    pub(crate) const ALL: [Look; 6] = [Look::Violation, Look::Stopped, Look::Drift, Look::Unknown, Look::Open, Look::Right];

    /// Is something wrong?
    pub(crate) fn is_bad(self) -> bool {
        self >= Look::Drift
    }
}

impl Mark {
    /// The worst of what is said.
    pub(crate) fn look(&self) -> Look {
        let check = self.check.as_ref().map(Check::look);
        let held = self.held.as_ref().map(Held::look);
        // a mark says something: one that says nothing is not known
        check.into_iter().chain(held).max().unwrap_or(Look::Unknown)
    }

    /// What is wrong or can't be known, what is worst first.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        let check = self.check.iter().flat_map(|check| check.reasons.iter().map(|(words, _)| words.as_str()));
        let arrivals = self.held.iter().flat_map(|held| &held.delivery).flat_map(|arrival| &arrival.findings);
        let findings = self.held.iter().flat_map(|held| &held.findings);
        let unread = self.held.iter().flat_map(|held| held.unread.iter().map(String::as_str));
        check.chain(arrivals.chain(findings).map(|(words, _)| words.as_str())).chain(unread).collect()
    }
}

/// What of a plan was held against what runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// When the first and the last of the accounts were read.
    pub taken_at: Option<(String, String)>,
    /// Was it looked at whether logs arrive?
    pub delivery: bool,
}

/// All marks, until nodes take them.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Was anything inspected?
    pub checked: bool,
    /// What was read.
    pub reading: Option<Reading>,
    sources: BTreeMap<String, Check>,
    buckets: BTreeMap<String, Check>,
    /// By the trail's ARN.
    trails: BTreeMap<String, Check>,
    held: BTreeMap<(String, String), Place>,
    rest: Vec<Check>,
}

/// What drift says of the things of a placement, each kind in the plan's order.
#[derive(Debug, Default)]
struct Place {
    buckets: Vec<Option<Held>>,
    sources: Vec<Option<Held>>,
    trails: Vec<Option<Held>>,
}

impl Marks {
    /// The marks of an inspection on the nodes of a plan. What stands in a snapshot is left to drift, which says more of it.
    pub(crate) fn of(inspection: &Inspection, plan: &Plan, is_snapshot: impl Fn(FileId) -> bool) -> Self {
        let mut trails: BTreeMap<&str, Vec<&Trail>> = BTreeMap::new();
        for (_, trail) in plan.trails() {
            trails.entry(&trail.name).or_default().push(trail);
        }
        let sources: BTreeSet<&str> =
            plan.placements().flat_map(|(_, placement)| &placement.sources).map(|source| source.name.as_str()).collect();
        let buckets: BTreeSet<&str> =
            plan.placements().flat_map(|(_, placement)| &placement.buckets).map(|bucket| bucket.name.as_str()).collect();
        let mut marks = Marks { checked: true, ..Marks::default() };
        for configuration in inspection.configurations.iter().filter(|one| !is_snapshot(one.place.file)) {
            let (source, target) = (configuration.source.as_str(), configuration.target.as_str());
            let place =
                |file: FileId, offset: u32| file.of(&inspection.files).map_or_else(String::new, |file| file.place(offset));
            let mut reasons: Vec<Reason> =
                configuration.findings.iter().map(|finding| (told(finding), place(finding.file, finding.span.start))).collect();
            // where logs may go at all comes before what the map says of it
            reasons.sort();
            let here = place(configuration.place.file, configuration.place.span.start);
            reasons.extend(configuration.unknown.iter().map(|reason| (reason.clone(), here.clone())));
            let check = Check { verdict: configuration.verdict(), words: configuration.words(), reasons };
            match configuration.kind {
                Kind::AccessLog if sources.contains(source) => merge(&mut marks.sources, source, check),
                Kind::Policy if buckets.contains(target) => merge(&mut marks.buckets, target, check),
                Kind::Trail => match only(trails.get(source).map_or(&[][..], Vec::as_slice), target) {
                    Some(trail) => merge(&mut marks.trails, &trail.arn, check),
                    None => marks.rest.push(check),
                },
                _ => marks.rest.push(check),
            }
        }
        marks
    }

    /// Adds what drift says. Files from `of_map` on are snapshots; `delivery`: it was asked whether logs arrive.
    pub(crate) fn hold(&mut self, plan: &Plan, drift: Drift, place: &dyn Fn(&Finding) -> String, of_map: usize, delivery: bool) {
        let silenced: BTreeSet<_> = drift.suppressed.iter().map(|one| identity(&one.finding)).collect();
        // those that are left, and whether there were others
        let shown = |findings: &[Finding]| -> (Vec<Reason>, bool) {
            let left: Vec<Reason> = findings
                .iter()
                .filter(|finding| !silenced.contains(&identity(finding)))
                .map(|finding| (told(finding), place(finding)))
                .collect();
            let all = left.is_empty() && !findings.is_empty();
            (left, all)
        };
        let mut known = drift.known;
        let mut times: BTreeSet<String> = BTreeSet::new();
        for (account, placement) in plan.placements() {
            let key = (account.key.clone(), placement.region.clone());
            let Some(Known { taken_at, unread, buckets, sources, trails, monitoring, monitoring_unread }) = known.remove(&key)
            else {
                continue;
            };
            times.extend(taken_at.clone());
            let held = |thing: Thing| {
                let (findings, all_silenced) = shown(&thing.findings);
                let delivery = thing.delivery.map(|(verdict, last_day, found)| {
                    let (findings, silenced) = shown(&found);
                    Arrival { verdict, silenced, last_day, findings }
                });
                let unread = if unread.is_empty() { thing.unread } else { unread.clone() };
                Held { state: thing.state, silenced: all_silenced, findings, delivery, unread, taken_at: taken_at.clone() }
            };
            let all = |things: Vec<Thing>| things.into_iter().map(|thing| Some(held(thing))).collect();
            // that nothing was read is said on the nodes
            if unread.is_empty() {
                self.rest.extend(watching((account, placement), monitoring.into_iter().map(held), &monitoring_unread));
            }
            self.held.insert(key, Place { buckets: all(buckets), sources: all(sources), trails: all(trails) });
        }
        // what is wrong beside the map's own things, such as a bucket whose logs are refused
        let beside =
            drift.findings.iter().filter(|finding| finding.file.0 as usize >= of_map && finding.severity() == Severity::Error);
        self.rest.extend(beside.map(|finding| {
            let reasons = vec![(format!("{} {}", finding.rule.id, finding.rule.name), place(finding))];
            Check { verdict: Verdict::Violation, words: finding.message.clone(), reasons }
        }));
        let taken_at = times.first().cloned().zip(times.last().cloned());
        self.reading = Some(Reading { taken_at, delivery });
    }

    /// The mark of a source, which takes it.
    pub(crate) fn source(&mut self, place: (&Account, &Placement), at: usize) -> Option<Mark> {
        let check = place.1.sources.get(at).and_then(|source| self.sources.remove(&source.name));
        mark(check, self.place(place).and_then(|place| place.sources.get_mut(at)?.take()))
    }

    /// The mark of a log bucket, which takes it.
    pub(crate) fn bucket(&mut self, place: (&Account, &Placement), at: usize) -> Option<Mark> {
        let check = place.1.buckets.get(at).and_then(|bucket| self.buckets.remove(&bucket.name));
        mark(check, self.place(place).and_then(|place| place.buckets.get_mut(at)?.take()))
    }

    /// The mark of a trail, which takes it.
    pub(crate) fn trail(&mut self, place: (&Account, &Placement), at: usize) -> Option<Mark> {
        let check = place.1.trails.get(at).and_then(|trail| self.trails.remove(&trail.arn));
        mark(check, self.place(place).and_then(|place| place.trails.get_mut(at)?.take()))
    }

    fn place(&mut self, (account, placement): (&Account, &Placement)) -> Option<&mut Place> {
        if self.held.is_empty() {
            return None;
        }
        self.held.get_mut(&(account.key.clone(), placement.region.clone()))
    }

    /// The marks that belong to no node, but for those without a problem.
    pub(crate) fn rest(self) -> Vec<Check> {
        let named = self.sources.into_values().chain(self.trails.into_values()).chain(self.buckets.into_values());
        named.chain(self.rest).filter(|check| check.verdict != Verdict::Ok).collect()
    }
}

fn mark(check: Option<Check>, held: Option<Held>) -> Option<Mark> {
    (check.is_some() || held.is_some()).then_some(Mark { check, held })
}

/// What is wrong with what a placement publishes and watches, which is on no node.
fn watching((account, placement): (&Account, &Placement), all: impl Iterator<Item = Held>, unread: &[String]) -> Option<Check> {
    let worst = all.filter(|held| held.state != State::AsMapped && !held.silenced).reduce(|mut worst, other| {
        worst.state = worst.state.max(other.state);
        worst.findings.extend(other.findings);
        worst
    })?;
    let verdict = if worst.state == State::Drifted { Verdict::Violation } else { Verdict::Unknown };
    let words = format!("what is published and watched in {} of {}", placement.region, account.key);
    let unread = unread.iter().map(|words| (words.clone(), String::new()));
    let reasons = worst.findings.into_iter().chain(unread).collect();
    Some(Check { verdict, words, reasons })
}

/// What tells a finding from all others.
fn identity(finding: &Finding) -> (&'static str, FileId, Span, &str) {
    (finding.rule.id, finding.file, finding.span, &finding.message)
}

fn told(finding: &Finding) -> String {
    format!("{}: {}", finding.rule.id, finding.message)
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
fn merge(marks: &mut BTreeMap<String, Check>, name: &str, mark: Check) {
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
