//! Lanes: how trails reach buckets in other areas. Each such bucket has one lane at the right of the accounts; those that need the
//! same stretch lie side by side.

use super::{
    detail::{AreaView, Folded, Link, Origin},
    measure::count,
    picture::{Shape, path},
};
use crate::topology::{Crossing, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// From the accounts to the first lane.
const FIRST: i32 = 22;
/// From lane to lane.
const STEP: i32 = 12;
/// More lanes than this share their places.
const MOST: usize = 24;
/// Radius of a bend.
const BEND: i32 = 7;

type Point = (i32, i32);

/// Where crossing deliveries begin and end.
#[derive(Default)]
pub(super) struct Ends {
    /// The right end of each trail, or what stands for trails.
    pub outgoing: BTreeMap<Origin, Point>,
    /// The left end of the row of each bucket that takes from elsewhere.
    pub incoming: BTreeMap<(usize, usize), Point>,
}

/// What comes into each bucket from elsewhere, in words.
pub(super) fn incoming(topology: &Topology<'_>, folded: &Folded<'_>) -> BTreeMap<(usize, usize), String> {
    let mut links: BTreeMap<(usize, usize), Vec<&Link>> = BTreeMap::new();
    for link in crossing(folded) {
        links.entry(link.to).or_default().push(link);
    }
    let mut sources: BTreeMap<(usize, usize), BTreeSet<&str>> = BTreeMap::new();
    for delivery in topology.deliveries.iter().filter(|delivery| delivery.crosses == Crossing::Account) {
        sources.entry(delivery.to).or_default().insert(&topology.areas[delivery.from.0].account.key);
    }
    links
        .into_iter()
        .map(|(to, links)| {
            let trails: usize = links.iter().map(|link| link.trails).sum();
            let accounts = sources.get(&to).map_or(0, BTreeSet::len);
            let of =
                if accounts == 0 { " of another Region".to_owned() } else { format!(" of {}", count(accounts, "other account")) };
            (to, format!("← {}{of}", count(trails, "trail")))
        })
        .collect()
}

fn crossing<'f>(folded: &'f Folded<'_>) -> impl Iterator<Item = &'f Link> {
    folded.links.iter().filter(|link| link.crosses != Crossing::Nothing)
}

/// The buckets of its own area that a trail of a view (or its count) delivers to.
pub(super) fn local(view: &AreaView<'_>, at: usize) -> Vec<usize> {
    let there = |name: &str| view.buckets.iter().position(|node| node.item.name == name);
    let at_home = |trail: &crate::plan::Trail| {
        let home = trail.bucket_account == view.area.account.key && trail.bucket_region == view.area.placement.region;
        there(&trail.bucket).filter(|_| home)
    };
    match view.trails.get(at) {
        Some((_, node)) => at_home(node.item).into_iter().collect(),
        None => {
            let drawn: BTreeSet<usize> = view.trails.iter().map(|(trail, _)| *trail).collect();
            let hidden = view.area.trails.iter().enumerate().filter(|(trail, _)| !drawn.contains(trail));
            hidden.filter_map(|(_, node)| at_home(node.item)).collect::<BTreeSet<usize>>().into_iter().collect()
        }
    }
}

/// Draws the lanes; gives the right end of the last.
pub(super) fn draw(folded: &Folded<'_>, ends: &Ends, right: i32, into: &mut Vec<Shape>) -> i32 {
    let mut by_goal: BTreeMap<(usize, usize), Vec<Point>> = BTreeMap::new();
    for link in crossing(folded) {
        by_goal.entry(link.to).or_default().extend(ends.outgoing.get(&link.from));
    }
    // the lowest y that each lane is taken to
    let mut taken: Vec<i32> = Vec::new();
    let mut goals: Vec<(Point, Vec<Point>)> =
        by_goal.into_iter().filter_map(|(to, starts)| Some((*ends.incoming.get(&to)?, starts))).collect();
    let span = |(goal, starts): &(Point, Vec<Point>)| {
        let ys = || starts.iter().map(|(_, y)| *y).chain([goal.1]);
        (ys().min().unwrap_or(goal.1), ys().max().unwrap_or(goal.1))
    };
    goals.sort_by_key(|one| (span(one), one.0));
    for (number, one) in goals.iter().enumerate() {
        let (top, bottom) = span(one);
        let lane = match taken.iter().position(|end| *end + STEP < top) {
            Some(lane) => lane,
            None if taken.len() < MOST => {
                taken.push(bottom);
                taken.len() - 1
            }
            None => number % MOST,
        };
        taken[lane] = taken[lane].max(bottom);
        let x = right + FIRST + STEP * i32::try_from(lane).unwrap_or(0);
        let (goal_x, goal_y) = one.0;
        for (start_x, start_y) in &one.1 {
            let down = if goal_y > *start_y { BEND } else { -BEND };
            into.push(path(
                "line crossing",
                format!(
                    "M{start_x} {start_y}H{}Q{x} {start_y} {x} {}V{}Q{x} {goal_y} {} {goal_y}H{goal_x}",
                    x - BEND,
                    start_y + down,
                    goal_y - down,
                    x - BEND
                ),
                "",
            ));
        }
    }
    right + if taken.is_empty() { 0 } else { FIRST + STEP * i32::try_from(taken.len()).unwrap_or(0) }
}
