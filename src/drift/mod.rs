//! Drift: what is in the accounts, held against what the map says.
//!
//! Takes an analysed map and snapshots; gives findings and what was looked at. A pure function: nothing is asked of AWS here. Drift is
//! found from AWS's answers alone, the answer that there is none among them. What was not read is unknown, is counted and named, and is
//! never taken for right.

mod buckets;
mod copies;
mod coverage;
mod delivery;
mod known;
mod lifecycle;
mod monitoring;
mod policy;
mod sources;
mod subject;
mod trails;
mod unread;
mod world;

use crate::{
    analysis::Analysis,
    diagnostics::{Finding, Suppressed, sort},
    plan::{Account, Placement, Plan},
    rules::ignore,
    snapshot::Snapshot,
};
pub(crate) use coverage::Row as CoverageRow;
pub(crate) use delivery::{Row as DeliveryRow, Verdict as DeliveryVerdict, Window, seconds};
use known::{Kind, Notes};
pub(crate) use known::{Known, Thing};
use serde::Serialize;
use std::collections::BTreeMap;
use unread::Unread;
use world::{Map, World};

/// What is asked of a run.
pub(crate) struct Asked<'a> {
    /// Is this account looked at?
    pub account: &'a dyn Fn(&Account) -> bool,
    /// Is this Region?
    pub region: &'a dyn Fn(&Placement) -> bool,
    /// Buckets that the map does not know, too.
    pub coverage: bool,
    /// Whether the logs arrive.
    pub delivery: Option<Window<'a>>,
    /// What is known of each thing, for those who show them one by one.
    pub things: bool,
    /// The command that mends a place.
    pub mend: &'a dyn Fn(&Account, &Placement) -> String,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// Findings on the map and on the snapshots, by file and place.
    pub findings: Vec<Finding>,
    /// Those that a comment of the map silences.
    pub suppressed: Vec<Suppressed>,
    /// What was looked at, by kind.
    pub checked: Checked,
    /// Buckets that the map does not know, by account and Region.
    pub coverage: Vec<CoverageRow>,
    /// Whether logs arrive, by source and trail.
    pub deliveries: Vec<DeliveryRow>,
    /// Accounts that several snapshots have, in words.
    pub notes: Vec<String>,
    /// What is known of each thing, by account key and Region, if that was asked for.
    pub known: BTreeMap<(String, String), Known>,
}

/// How many things were looked at, and what came of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Checked {
    /// Log buckets.
    pub log_buckets: Count,
    /// Source buckets.
    pub sources: Count,
    /// Trails.
    pub trails: Count,
    /// Parameters, rules and topics.
    pub monitoring: Count,
    /// Buckets that the map does not know.
    pub unmapped: Count,
    /// Sources and trails whose logs were looked for.
    pub deliveries: Count,
}

/// Of the things of one kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    /// Are as the map says, in everything that was looked at; all of it was.
    pub as_mapped: usize,
    /// Are not.
    pub drifted: usize,
    /// Were not read, or not wholly.
    pub unknown: usize,
}

impl Checked {
    /// All of them.
    pub(crate) fn rows(&self) -> [(&'static str, Count); 6] {
        [
            ("log buckets", self.log_buckets),
            ("sources", self.sources),
            ("trails", self.trails),
            ("monitoring", self.monitoring),
            ("unmapped buckets", self.unmapped),
            ("deliveries", self.deliveries),
        ]
    }

    /// How much is unknown.
    pub(crate) fn unknown(&self) -> usize {
        self.rows().iter().map(|(_, count)| count.unknown).sum()
    }

    /// How much was read at all.
    pub(crate) fn known(&self) -> usize {
        self.rows().iter().map(|(_, count)| count.as_mapped + count.drifted).sum()
    }
}

impl Count {
    fn add(&mut self, state: State) {
        match state {
            State::AsMapped => self.as_mapped += 1,
            State::Drifted => self.drifted += 1,
            State::Unknown => self.unknown += 1,
        }
    }
}

/// What is known of one thing. Drift that was found counts for more than what was not read beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It is as the map says, in everything that was looked at; all of it was.
    AsMapped,
    /// It was not read, or not wholly.
    Unknown,
    /// It is not as the map says.
    Drifted,
}

/// Where findings go, and what goes with them.
struct Out<'a> {
    /// On the map, in the text of all its files.
    on_map: Vec<Finding>,
    /// On snapshots, by their file.
    on_snapshots: Vec<Finding>,
    unread: Unread,
    checked: Checked,
    notes: Option<Notes>,
    map: &'a Map<'a>,
}

/// Compares. The findings' files are the map's, in their order, and then the snapshots', which have their files behind them.
pub(crate) fn drift(analysis: &Analysis, plan: &Plan, snapshots: &[Snapshot<'_>], asked: &Asked<'_>) -> Drift {
    let first = u32::try_from(analysis.file.files().len()).unwrap_or(u32::MAX);
    let decoded = crate::map::decode(&analysis.document, &mut Vec::new());
    let map = Map::of(&analysis.document, &decoded);
    let (world, of_several) = World::of(snapshots);
    let of_placements = plan.placements().count();
    let mut out = Out {
        on_map: Vec::new(),
        on_snapshots: Vec::new(),
        unread: Unread::default(),
        checked: Checked::default(),
        notes: asked.things.then(Notes::default),
        map: &map,
    };
    for account in plan.accounts.iter().filter(|account| (asked.account)(account)) {
        let placements = || account.placements.iter().filter(|placement| (asked.region)(placement));
        let Some(live) = world.accounts.get(account.id.as_str()) else {
            out.unread.account(account, None, placements());
            placements().for_each(|placement| out.nothing_read(account, placement));
            continue;
        };
        if let Some(failure) = live.account.failure {
            out.unread.account(account, Some(failure), placements());
            placements().for_each(|placement| out.nothing_read(account, placement));
            continue;
        }
        for placement in placements() {
            let place =
                world::Place { account, placement, live, world: &world, of_placements, mend: &(asked.mend)(account, placement) };
            if let Some(why) = live.account.silence(&placement.region) {
                out.unread.region(account, &placement.region, why);
                out.nothing_read(account, placement);
                continue;
            }
            out.begin(account, placement);
            let mut role = None;
            for bucket in &placement.buckets {
                let before = out.on_map.len();
                let mut state = buckets::check(&place, bucket, &mut out);
                if let Some(copies) = placement.replication_role.as_ref().filter(|_| bucket.replication.is_some()) {
                    state = state.max(*role.get_or_insert_with(|| copies::role(&place, copies, &mut out)));
                }
                out.known(Kind::Bucket, state, before);
            }
            sources::check(&place, &mut out);
            trails::check(&place, &mut out);
            monitoring::check(&place, &mut out);
        }
    }
    let coverage = if asked.coverage { coverage::check(plan, &decoded, &world, asked, &mut out) } else { Vec::new() };
    let deliveries = match &asked.delivery {
        Some(window) => delivery::check(plan, &world, window, asked, &mut out),
        None => Vec::new(),
    };
    let Out { mut on_map, mut on_snapshots, unread, checked, notes, .. } = out;
    let reasons = if notes.is_some() { unread.reasons() } else { BTreeMap::new() };
    // a thing's findings are known by their numbers, which silencing changes
    let all = if notes.is_some() { on_map.clone() } else { Vec::new() };
    unread.findings(&map, &mut on_map);
    let suppressed = ignore::silence(&analysis.file, &analysis.document, &mut on_map);
    // what is related stands in the map, or in a snapshot already
    let located = |finding: Finding| {
        let mut related = finding.related.clone();
        let mut finding = finding.located(&analysis.file);
        for (place, was) in finding.related.iter_mut().zip(&mut related).filter(|(_, was)| was.file.0 >= first) {
            std::mem::swap(place, was);
        }
        finding
    };
    let mut findings: Vec<Finding> = on_map.into_iter().map(located).collect();
    let known = match notes {
        Some(notes) => notes.known(&all, located, plan, &world, &reasons),
        None => BTreeMap::new(),
    };
    findings.append(&mut on_snapshots);
    sort(&mut findings);
    let suppressed = suppressed.into_iter().map(|one| Suppressed { finding: located(one.finding), by: one.by }).collect();
    Drift { findings, suppressed, checked, coverage, deliveries, notes: of_several, known }
}

impl Out<'_> {
    /// Nothing of a placement was read.
    fn nothing_read(&mut self, account: &Account, placement: &Placement) {
        self.begin(account, placement);
        let here = self.on_map.len();
        for (kind, count) in [
            (Kind::Bucket, placement.buckets.len()),
            (Kind::Source, placement.sources.len()),
            (Kind::Trail, placement.trails.len()),
            (Kind::Monitoring, monitoring::things(placement)),
        ] {
            (0..count).for_each(|_| self.known(kind, State::Unknown, here));
        }
    }

    /// The things of this placement follow.
    fn begin(&mut self, account: &Account, placement: &Placement) {
        if let Some(notes) = &mut self.notes {
            notes.begin(account, placement);
        }
    }

    /// What is known of the next thing of a kind, of which the findings since `before` are.
    fn known(&mut self, kind: Kind, state: State, before: usize) {
        let count = match kind {
            Kind::Bucket => &mut self.checked.log_buckets,
            Kind::Source => &mut self.checked.sources,
            Kind::Trail => &mut self.checked.trails,
            Kind::Monitoring => &mut self.checked.monitoring,
        };
        count.add(state);
        let now = self.on_map.len();
        if let Some(notes) = &mut self.notes {
            notes.add(kind, state, before..now);
        }
    }

    /// What is known of a thing of which the findings since `before` are; `whole` if all of it was read.
    fn state(&self, before: usize, whole: bool) -> State {
        match (self.on_map.len() > before, whole) {
            (true, _) => State::Drifted,
            (false, true) => State::AsMapped,
            (false, false) => State::Unknown,
        }
    }

    /// A finding on the map.
    fn found(&mut self, finding: Finding) {
        self.on_map.push(finding);
    }
}
