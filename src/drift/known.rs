//! What is known of each thing, one by one: for pictures, which show it on the things themselves. Nothing is judged here.

use super::{DeliveryRow, DeliveryVerdict, State, unread::Reasons, world::World};
use crate::{
    diagnostics::{Finding, few},
    plan::{Account, Placement, Plan},
};
use std::{collections::BTreeMap, ops::Range};

/// What is known of the things of a placement, each kind in the plan's order.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// When its account was read; nothing if it is in no snapshot.
    pub taken_at: Option<String>,
    /// Why nothing of it was read, in words.
    pub unread: Vec<String>,
    /// Log buckets.
    pub buckets: Vec<Thing>,
    /// Sources.
    pub sources: Vec<Thing>,
    /// Trails.
    pub trails: Vec<Thing>,
    /// What is published and watched.
    pub monitoring: Vec<Thing>,
    /// What of that was not read, in words.
    pub monitoring_unread: Vec<String>,
}

/// What is known of one thing.
#[derive(Debug)]
pub(crate) struct Thing {
    /// Is it as the map says?
    pub state: State,
    /// In what it is not.
    pub findings: Vec<Finding>,
    /// Whether its logs arrive, if that was looked at, and what is wrong with them.
    pub delivery: Option<(DeliveryVerdict, Option<String>, Vec<Finding>)>,
    /// What of it was not read, in words.
    pub unread: Vec<String>,
}

/// The readings of what is published and watched.
const WATCHED: [&str; 4] = ["parameters", "config_rules", "event_rules", "topics"];
/// The readings of trails.
const OF_TRAILS: [&str; 5] = ["trails", "selectors", "insights", "status", "key"];

/// Kinds of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bucket,
    Source,
    Trail,
    Monitoring,
}

/// What was noted while looking: findings by their numbers.
#[derive(Debug, Default)]
pub(super) struct Notes {
    places: Vec<Noted>,
    /// Which of them an account and Region is.
    index: BTreeMap<(String, String), usize>,
}

#[derive(Debug, Default)]
struct Noted {
    kinds: [Vec<Note>; 4],
}

#[derive(Debug)]
struct Note {
    state: State,
    findings: Range<usize>,
    delivery: Option<(DeliveryVerdict, Option<String>, Range<usize>)>,
}

impl Notes {
    pub(super) fn begin(&mut self, account: &Account, placement: &Placement) {
        self.index.insert((account.key.clone(), placement.region.clone()), self.places.len());
        self.places.push(Noted::default());
    }

    pub(super) fn add(&mut self, kind: Kind, state: State, findings: Range<usize>) {
        if let Some(place) = self.places.last_mut() {
            place.kinds[kind as usize].push(Note { state, findings, delivery: None });
        }
    }

    fn place(&mut self, (account, placement): (&Account, &Placement)) -> Option<&mut Noted> {
        let at = self.index.get(&(account.key.clone(), placement.region.clone()))?;
        self.places.get_mut(*at)
    }

    pub(super) fn delivery(
        &mut self,
        (kind, at): (Kind, usize),
        place: (&Account, &Placement),
        row: &DeliveryRow,
        findings: Range<usize>,
    ) {
        if let Some(note) = self.place(place).and_then(|place| place.kinds[kind as usize].get_mut(at)) {
            note.delivery = Some((row.verdict, row.last_day.clone(), findings));
        }
    }

    /// Nothing was read of a placement, and so nothing of its deliveries.
    pub(super) fn no_delivery(&mut self, account: &Account, placement: &Placement) {
        if let Some(place) = self.place((account, placement)) {
            let notes = [Kind::Source, Kind::Trail].map(|kind| std::mem::take(&mut place.kinds[kind as usize]));
            let unknown = |note: Note| Note { delivery: Some((DeliveryVerdict::Unknown, None, 0..0)), ..note };
            let [sources, trails] = notes.map(|notes| notes.into_iter().map(unknown).collect());
            place.kinds[Kind::Source as usize] = sources;
            place.kinds[Kind::Trail as usize] = trails;
        }
    }

    /// With the findings themselves, and with what was not read.
    pub(super) fn known(
        self,
        findings: &[Finding],
        located: impl Fn(Finding) -> Finding,
        plan: &Plan,
        world: &World<'_>,
        reasons: &Reasons,
    ) -> BTreeMap<(String, String), Known> {
        let of = |range: Range<usize>| -> Vec<Finding> {
            findings.get(range).unwrap_or_default().iter().map(|finding| located(finding.clone())).collect()
        };
        let mut known = BTreeMap::new();
        let mut places: Vec<Option<Noted>> = self.places.into_iter().map(Some).collect();
        for (account, placement) in plan.placements() {
            let key = (account.key.clone(), placement.region.clone());
            let Some(noted) = self.index.get(&key).and_then(|at| places.get_mut(*at)).and_then(Option::take) else { continue };
            let whole = reasons.get(&(account.key.clone(), String::new()));
            let all = || whole.into_iter().chain(reasons.get(&key)).flatten();
            let unread = all().filter(|(reading, ..)| reading.is_empty()).map(|(.., words)| words.clone()).collect();
            let mut by_name: BTreeMap<(bool, &str), Vec<(&str, &String)>> = BTreeMap::new();
            for (reading, things, words) in all() {
                let is_trail = OF_TRAILS.contains(reading);
                for thing in things {
                    // the status of a trail in a Region is called `TRAIL in REGION`
                    let name = if is_trail { thing.split(' ').next().unwrap_or(thing) } else { thing };
                    by_name.entry((is_trail, name)).or_default().push((reading, words));
                }
            }
            let words = |is_trail: bool, name: &str, wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
                let all = by_name.get(&(is_trail, name)).into_iter().flatten();
                let mut words: Vec<String> =
                    all.filter(|(reading, _)| wanted(reading)).map(|(_, words)| (*words).clone()).collect();
                words.dedup();
                words
            };
            let thing = |note: Note, unread: Vec<String>| Thing {
                state: note.state,
                findings: of(note.findings),
                delivery: note.delivery.map(|(verdict, day, range)| (verdict, day, of(range))),
                unread,
            };
            let [buckets, sources, trails, monitoring] = noted.kinds;
            let is_delivery = |reading: &str| reading == "delivered";
            let of_source = |(note, source): (Note, &crate::plan::Source)| {
                let mut unread = words(false, &source.name, &|reading| matches!(reading, "listing" | "logging" | "delivered"));
                if note.delivery.as_ref().is_some_and(|(verdict, ..)| *verdict == DeliveryVerdict::Unknown) {
                    unread.extend(words(false, &source.log_bucket, &is_delivery));
                }
                thing(note, unread)
            };
            let watched = all().filter(|(reading, ..)| WATCHED.contains(reading));
            known.insert(
                key,
                Known {
                    taken_at: world.accounts.get(account.id.as_str()).map(|live| live.account.taken_at.to_owned()),
                    unread,
                    buckets: buckets
                        .into_iter()
                        .zip(&placement.buckets)
                        .map(|(note, bucket)| thing(note, words(false, &bucket.name, &|reading| !is_delivery(reading))))
                        .collect(),
                    sources: sources.into_iter().zip(&placement.sources).map(of_source).collect(),
                    trails: trails
                        .into_iter()
                        .zip(&placement.trails)
                        .map(|(note, trail)| thing(note, words(true, &trail.name, &|_| true)))
                        .collect(),
                    monitoring_unread: watched.map(|(_, things, words)| format!("{}: {words}", few(things, 3))).collect(),
                    monitoring: monitoring.into_iter().map(|note| thing(note, Vec::new())).collect(),
                },
            );
        }
        known
    }
}
