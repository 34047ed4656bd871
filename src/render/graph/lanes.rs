//! Lanes: how trails reach buckets in other areas. Each such bucket has a lane at the right of the accounts for each trail (by
//! name); those that need the same stretch lie side by side.

use super::{
    detail::{AreaView, Folded, Link, Origin},
    measure::{count, shorten},
    picture::{Shape, path},
};
use crate::topology::{Crossing, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// From the accounts to the first lane.
const FIRST: i32 = 22;
/// From lane to lane, where there is room; many lanes lie closer.
const STEP: i32 = 12;
/// So close that lines are still told apart.
const CLOSE: i32 = 4;
/// Room for all lanes.
const ROOM: i32 = 288;
/// Longest names of trails at lines, in cells.
const NAME: i32 = 24;
/// Radius of a bend.
const BEND: i32 = 7;

type Point = (i32, i32);

/// Where crossing deliveries begin and end.
#[derive(Default)]
pub(super) struct Ends {
    /// The right end of each trail, or what stands for trails.
    pub outgoing: BTreeMap<Origin, Point>,
    /// The left end of the row of each line into a bucket.
    pub incoming: BTreeMap<Line, Point>,
}

/// A line into a bucket: the bucket's area, the bucket, and which of its lines.
pub(super) type Line = ((usize, usize), usize);

/// What comes into each bucket from elsewhere, line by line, in words.
pub(super) fn incoming(topology: &Topology<'_>, folded: &Folded<'_>) -> BTreeMap<Line, String> {
    let mut links: BTreeMap<Line, Vec<&Link>> = BTreeMap::new();
    for link in crossing(folded) {
        links.entry((link.to, link.lane)).or_default().push(link);
    }
    let mut sources: BTreeMap<Line, BTreeSet<&str>> = BTreeMap::new();
    for delivery in topology.deliveries.iter().filter(|delivery| delivery.crosses == Crossing::Account) {
        let lane = folded.lane(topology, delivery);
        sources.entry((delivery.to, lane)).or_default().insert(&topology.areas[delivery.from.0].account.key);
    }
    links
        .into_iter()
        .map(|(to, links)| {
            let trails: usize = links.iter().map(|link| link.trails).sum();
            let accounts = sources.get(&to).map_or(0, BTreeSet::len);
            let of =
                if accounts == 0 { " of another Region".to_owned() } else { format!(" of {}", count(accounts, "other account")) };
            let name = match folded.lane_name(to.0, to.1) {
                None => String::new(),
                Some("") => "others: ".to_owned(),
                Some(name) => format!("{}: ", shorten(name, NAME)),
            };
            (to, format!("← {name}{}{of}", count(trails, "trail")))
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

/// The class of a line: those of different trails differ in colour and in how they are dashed.
pub(super) fn class(lane: usize) -> &'static str {
    ["crossing", "crossing lane1", "crossing lane2", "crossing lane3"].get(lane).unwrap_or(&"crossing")
}

/// The name of its arrow.
pub(super) fn arrow(lane: usize) -> &'static str {
    ["crossing", "lane1", "lane2", "lane3"].get(lane).unwrap_or(&"crossing")
}

/// Draws the lanes; gives the right end of the last.
pub(super) fn draw(folded: &Folded<'_>, ends: &Ends, right: i32, into: &mut Vec<Shape>) -> i32 {
    let mut by_goal: BTreeMap<Line, Vec<Point>> = BTreeMap::new();
    for link in crossing(folded) {
        by_goal.entry((link.to, link.lane)).or_default().extend(ends.outgoing.get(&link.from));
    }
    let mut goals: Vec<(Point, Vec<Point>, usize)> =
        by_goal.into_iter().filter_map(|(to, starts)| Some((*ends.incoming.get(&to)?, starts, to.1))).collect();
    let span = |(goal, starts, _): &(Point, Vec<Point>, usize)| {
        let ys = || starts.iter().map(|(_, y)| *y).chain([goal.1]);
        (ys().min().unwrap_or(goal.1), ys().max().unwrap_or(goal.1))
    };
    goals.sort_by_key(|one| (span(one), one.0));
    // which lane each is in, and the lowest y that each lane is taken to
    let mut taken: Vec<i32> = Vec::new();
    let mut lanes = Vec::new();
    for one in &goals {
        let (top, bottom) = span(one);
        let lane = taken.iter().position(|end| *end + STEP < top).unwrap_or(taken.len());
        match taken.get_mut(lane) {
            Some(end) => *end = bottom,
            None => taken.push(bottom),
        }
        lanes.push(i32::try_from(lane).unwrap_or(0));
    }
    let count = i32::try_from(taken.len()).unwrap_or(i32::MAX);
    let step = (ROOM / count.max(1)).clamp(CLOSE, STEP);
    // those that have no room even so lie on others
    let most = count.min(ROOM / step);
    for (one, lane) in goals.iter().zip(lanes) {
        let x = right + FIRST + step * (lane % most);
        let (goal_x, goal_y) = one.0;
        // what comes furthest runs to the goal, above it and below, and the others join: dashes lie on each other nowhere
        let furthest = [one.1.iter().map(|start| start.1).min(), one.1.iter().map(|start| start.1).max()];
        let mut drawn: BTreeSet<i32> = BTreeSet::new();
        for (start_x, start_y) in &one.1 {
            let above = goal_y > *start_y;
            let down = if above { BEND } else { -BEND };
            let stub = format!("M{start_x} {start_y}H{}Q{x} {start_y} {x} {}", x - BEND, start_y + down);
            let is_furthest = furthest[usize::from(!above)] == Some(*start_y) && drawn.insert(*start_y);
            let rest = format!("V{}Q{x} {goal_y} {} {goal_y}H{goal_x}", goal_y - down, x - BEND);
            into.push(path(&format!("line {}", class(one.2)), if is_furthest { stub + &rest } else { stub }, ""));
        }
    }
    right + if taken.is_empty() { 0 } else { FIRST + step * most }
}
