//! The topology: what a plan lays out as areas (an account in a Region), nodes (sources, log buckets, trails) and deliveries
//! (a trail to its bucket) and copies (a log bucket to the archive), with what an inspection and drift say of them.
//!
//! Takes a [`Proven`] plan and what was asked for; gives references into it. Knows no picture: `render::graph` draws it. That a source
//! logs to the bucket of its own area needs no edge: nothing else can be derived.

pub(crate) mod marks;

use crate::plan::{Account, LogBucket, Placement, Source, Trail, monitoring, prove::Proven};
use marks::{Check, Mark, Marks, Reading};
use std::collections::BTreeMap;

/// Everything there is to draw.
#[derive(Debug)]
pub(crate) struct Topology<'a> {
    /// The areas, by partition, account and Region.
    pub areas: Vec<Area<'a>>,
    /// Trails and the buckets they deliver to, in the order of the trails.
    pub deliveries: Vec<Delivery>,
    /// Log buckets and the archive they are copied to, each as an index of an area and one of a bucket in it, in the order of the log buckets.
    pub copies: Vec<((usize, usize), (usize, usize))>,
    /// Were configurations checked?
    pub checked: bool,
    /// What of the accounts was read, if it was held against the map.
    pub reading: Option<Reading>,
    /// What was found of configurations that are on no node, in words.
    pub unplaced: Vec<Check>,
    /// Nobody else makes one: what is drawn was proven.
    _proven: (),
}

/// An account in a Region.
#[derive(Debug)]
pub(crate) struct Area<'a> {
    /// The account.
    pub account: &'a Account,
    /// The Region, with everything the plan has there.
    pub placement: &'a Placement,
    /// False: it was not asked for, and has only the nodes to or from which something that was asked for delivers.
    pub asked: bool,
    /// True: alerts are asked for here, and no trail of the map records what they are about.
    pub silent: bool,
    /// True: the map asks for guardrails, and they are about the account: all but the management account.
    pub guarded: bool,
    /// The sources.
    pub sources: Vec<Node<'a, Source>>,
    /// The log buckets.
    pub buckets: Vec<Node<'a, LogBucket>>,
    /// Trails whose home is this account and Region.
    pub trails: Vec<Node<'a, Trail>>,
}

/// A source, log bucket or trail of an area.
#[derive(Debug)]
pub(crate) struct Node<'a, T> {
    /// What it is.
    pub item: &'a T,
    /// What is said of it.
    pub mark: Option<Mark>,
}

/// A trail and its bucket; each is an index of an area and one of a node in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Area and trail.
    pub from: (usize, usize),
    /// Area and bucket.
    pub to: (usize, usize),
    /// What it crosses.
    pub crosses: Crossing,
}

/// What a delivery crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Crossing {
    /// Nothing: the bucket is in the trail's own account and Region.
    Nothing,
    /// The bucket is in another Region of the account.
    Region,
    /// The bucket is in another account.
    Account,
}

/// Counts of a topology.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Accounts.
    pub accounts: usize,
    /// Areas.
    pub areas: usize,
    /// Source buckets.
    pub sources: usize,
    /// Log buckets.
    pub buckets: usize,
    /// Trails, each where its home is.
    pub trails: usize,
    /// Deliveries that cross an account or a Region.
    pub crossings: usize,
}

impl<'a> Topology<'a> {
    /// The topology of the placements for which `asked` is true, with the other ends of their deliveries.
    pub(crate) fn of(plan: &'a Proven, asked: impl Fn(&Account, &Placement) -> bool, mut marks: Marks) -> Self {
        let mut placements: Vec<(&Account, &Placement)> = plan.placements().collect();
        placements.sort_by_key(|(account, _)| account.partition); // accounts and Regions are sorted already
        let index: BTreeMap<(&str, &str), usize> = placements
            .iter()
            .enumerate()
            .map(|(at, (account, placement))| ((account.key.as_str(), placement.region.as_str()), at))
            .collect();
        let wanted: Vec<bool> = placements.iter().map(|(account, placement)| asked(account, placement)).collect();
        // which nodes stay: those asked for, and the other ends
        let mut trails: Vec<Vec<bool>> =
            placements.iter().zip(&wanted).map(|((_, placement), all)| vec![*all; placement.trails.len()]).collect();
        let mut buckets: Vec<Vec<bool>> =
            placements.iter().zip(&wanted).map(|((_, placement), all)| vec![*all; placement.buckets.len()]).collect();
        let mut pairs = Vec::new();
        for (from, (_, placement)) in placements.iter().enumerate() {
            for (at, trail) in placement.trails.iter().enumerate() {
                let Some(&to) = index.get(&(trail.bucket_account.as_str(), trail.bucket_region.as_str())) else { continue };
                let Some(bucket) = placements[to].1.buckets.iter().position(|bucket| bucket.name == trail.bucket) else {
                    continue;
                };
                if wanted[from] || wanted[to] {
                    trails[from][at] = true;
                    buckets[to][bucket] = true;
                    pairs.push(((from, at), (to, bucket)));
                }
            }
        }
        let all = || {
            placements
                .iter()
                .enumerate()
                .flat_map(|(at, (_, one))| one.buckets.iter().enumerate().map(move |(n, bucket)| (at, n, bucket)))
        };
        let archive = all().find(|(.., bucket)| bucket.takes_copies).map(|(at, n, _)| (at, n));
        let copied = all().filter(|(.., bucket)| bucket.replication.is_some()).map(|(at, n, _)| (at, n));
        let copied: Vec<((usize, usize), (usize, usize))> = archive.map_or_else(Vec::new, |to| {
            copied.map(|from| (from, to)).filter(|(from, to)| wanted[from.0] || wanted[to.0]).collect()
        });
        for (at, bucket) in copied.iter().flat_map(|(from, to)| [*from, *to]) {
            buckets[at][bucket] = true;
        }
        let stays = |at: usize| wanted[at] || trails[at].contains(&true) || buckets[at].contains(&true);
        let silent = monitoring::silent(&plan.accounts);
        let mut new_areas = vec![0; placements.len()];
        let mut areas = Vec::new();
        for (at, (account, placement)) in placements.iter().enumerate().filter(|(at, _)| stays(*at)) {
            new_areas[at] = areas.len();
            areas.push(Area {
                account,
                placement,
                asked: wanted[at],
                guarded: plan.guardrails.iter().any(|guardrails| guardrails.partition == account.partition)
                    && plan.management_account.as_ref() != Some(&account.key),
                silent: silent.contains(&(account.key.as_str(), placement.region.as_str())),
                sources: chosen(&placement.sources, |_| wanted[at], |source| marks.source((account, placement), source)),
                buckets: chosen(
                    &placement.buckets,
                    |bucket| buckets[at][bucket],
                    |bucket| marks.bucket((account, placement), bucket),
                ),
                trails: chosen(&placement.trails, |trail| trails[at][trail], |trail| marks.trail((account, placement), trail)),
            });
        }
        let place = |(at, bucket): (usize, usize)| (new_areas[at], nth_left(&buckets[at], bucket));
        let deliveries = pairs.into_iter().map(|((from, trail), (to, bucket))| Delivery {
            from: (new_areas[from], nth_left(&trails[from], trail)),
            to: place((to, bucket)),
            crosses: match (placements[from].0.key == placements[to].0.key, from == to) {
                (_, true) => Crossing::Nothing,
                (true, false) => Crossing::Region,
                (false, false) => Crossing::Account,
            },
        });
        Topology {
            copies: copied.into_iter().map(|(from, to)| (place(from), place(to))).collect(),
            deliveries: deliveries.collect(),
            areas,
            checked: marks.checked,
            reading: marks.reading.take(),
            unplaced: marks.rest(),
            _proven: (),
        }
    }

    /// Counts of what is there.
    pub(crate) fn counts(&self) -> Counts {
        let mut keys: Vec<&str> = self.areas.iter().map(|area| area.account.key.as_str()).collect();
        keys.dedup();
        let sum = |count: fn(&Area<'_>) -> usize| self.areas.iter().map(count).sum();
        Counts {
            accounts: keys.len(),
            areas: self.areas.len(),
            sources: sum(|area| area.sources.len()),
            buckets: sum(|area| area.buckets.len()),
            trails: sum(|area| area.trails.len()),
            crossings: self.deliveries.iter().filter(|delivery| delivery.crosses != Crossing::Nothing).count(),
        }
    }
}

impl Area<'_> {
    /// All marks on its nodes.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &Mark> {
        let sources = self.sources.iter().filter_map(|node| node.mark.as_ref());
        let buckets = self.buckets.iter().filter_map(|node| node.mark.as_ref());
        sources.chain(buckets).chain(self.trails.iter().filter_map(|node| node.mark.as_ref()))
    }
}

fn chosen<'a, T>(items: &'a [T], stays: impl Fn(usize) -> bool, mut mark: impl FnMut(usize) -> Option<Mark>) -> Vec<Node<'a, T>> {
    let kept = items.iter().enumerate().filter(|(at, _)| stays(*at));
    kept.map(|(at, item)| Node { item, mark: mark(at) }).collect()
}

/// Index among those that stay.
fn nth_left(stays: &[bool], at: usize) -> usize {
    stays[..at].iter().filter(|stays| **stays).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::analyze, plan::prove::proven, source::SourceFile};

    const MAP: &str = r#"
version: 1
organization: { name: acme }
accounts:
  archive: { id: "444455556666", regions: {} }
  prod: { id: "111122223333", regions: { us-east-1: { buckets: [acme-web, acme-data] }, eu-west-1: { buckets: [acme-eu] } } }
  beijing: { id: "555566667777", regions: { cn-north-1: { buckets: [acme-cn] } } }
trails:
  audit: { accounts: [prod], home_region: us-east-1, deliver_to: { account: archive } }
  local: { accounts: [prod], home_region: eu-west-1 }
"#;

    fn words(account: &[&str]) -> Vec<String> {
        let plan = analyze(SourceFile::new("map", MAP.to_owned())).plan.and_then(|plan| proven(plan).ok());
        let plan = plan.unwrap_or_else(|| unreachable!());
        let topology = Topology::of(&plan, |one, _| account.is_empty() || account.contains(&one.key.as_str()), Marks::default());
        let areas = topology.areas.iter().map(|area| {
            let counts = (area.sources.len(), area.buckets.len(), area.trails.len());
            format!("{}/{} {} {counts:?}", area.account.key, area.placement.region, area.asked)
        });
        let name = |(area, bucket): (usize, usize)| topology.areas[area].buckets[bucket].item.name.clone();
        let trail = |(area, trail): (usize, usize)| topology.areas[area].trails[trail].item.name.clone();
        let deliveries =
            topology.deliveries.iter().map(|one| format!("{} → {}: {:?}", trail(one.from), name(one.to), one.crosses));
        areas.chain(deliveries).collect()
    }

    #[test]
    fn partitions_are_apart_and_a_crossing_is_known() {
        assert_eq!(
            words(&[]),
            [
                "archive/us-east-1 true (0, 1, 0)",
                "prod/eu-west-1 true (1, 1, 1)",
                "prod/us-east-1 true (2, 1, 1)",
                "beijing/cn-north-1 true (1, 1, 0)",
                "local → acme-logs-111122223333-eu-west-1: Nothing",
                "audit → acme-logs-444455556666-us-east-1: Account",
            ]
        );
    }

    #[test]
    fn copies_lead_to_the_archive_and_keep_it_in_the_picture() {
        let more = "central: { deliver_to: { account: archive, region: eu-west-1 }, via: replication, only: [prod] }\nguardrails: { deployer: d }\n";
        let plan = analyze(SourceFile::new("map", MAP.to_owned() + more)).plan.and_then(|plan| proven(plan).ok());
        let plan = plan.unwrap_or_else(|| unreachable!());
        for (account, expected) in [
            ("", vec!["acme-logs-111122223333-eu-west-1", "acme-logs-111122223333-us-east-1"]),
            ("archive", vec!["acme-logs-111122223333-eu-west-1", "acme-logs-111122223333-us-east-1"]),
            ("prod", vec!["acme-logs-111122223333-eu-west-1", "acme-logs-111122223333-us-east-1"]),
            ("beijing", vec![]),
        ] {
            let topology = Topology::of(&plan, |one, _| account.is_empty() || one.key == account, Marks::default());
            let name = |(area, bucket): (usize, usize)| topology.areas[area].buckets[bucket].item.name.as_str();
            assert!(topology.copies.iter().all(|(_, to)| name(*to) == "acme-central-444455556666-eu-west-1"), "{account}");
            assert_eq!(topology.copies.iter().map(|(from, _)| name(*from)).collect::<Vec<_>>(), expected, "{account}");
            assert!(topology.areas.iter().all(|area| area.guarded), "{account}");
        }
    }

    #[test]
    fn of_an_account_the_other_ends_stay_and_nothing_else() {
        assert_eq!(
            words(&["archive"]),
            [
                "archive/us-east-1 true (0, 1, 0)",
                "prod/us-east-1 false (0, 0, 1)",
                "audit → acme-logs-444455556666-us-east-1: Account",
            ]
        );
    }
}
