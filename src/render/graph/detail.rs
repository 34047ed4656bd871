//! How much of a topology a picture shows: a Region's sources beyond a number become a count, and so do whole accounts. What is
//! marked comes first, then the accounts that others deliver to; the rest in order. Every static picture is folded here.

use crate::{
    aws::Partition,
    plan::{Account, LogBucket, Source, Trail},
    topology::{
        Area, Counts, Crossing, Delivery, Node, Topology,
        marks::{Look, Mark},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// How many of what are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Areas.
    pub areas: usize,
    /// Sources of an area; marked ones are drawn up to twice as many.
    pub sources: usize,
    /// Trails of an area.
    pub trails: usize,
}

/// What is drawn.
#[derive(Default)]
pub(super) struct Folded<'t> {
    /// The accounts that are drawn.
    pub accounts: Vec<AccountView<'t>>,
    /// The accounts that are not, one entry for each partition.
    pub rest: Vec<Rest>,
    /// Links from trails to buckets, both ends drawn.
    pub links: Vec<Link>,
    /// Which line each trail that delivers elsewhere is, by its name: the same in the whole picture.
    pub lanes: BTreeMap<&'t str, usize>,
    /// The names of the trails of each line into a bucket: more than one share it if there are more trails than lines.
    names: BTreeMap<(Goal, usize), BTreeSet<&'t str>>,
    /// Was anything left out?
    pub grouped: bool,
}

/// An account with its areas.
pub(super) struct AccountView<'t> {
    /// The account.
    pub account: &'t Account,
    /// One view for each Region of the account.
    pub areas: Vec<AreaView<'t>>,
}

/// An area, folded.
pub(super) struct AreaView<'t> {
    /// The area.
    pub area: &'t Area<'t>,
    /// Index in `Topology::areas`.
    pub at: usize,
    /// The sources that are drawn, in order.
    pub sources: Vec<&'t Node<'t, Source>>,
    /// The others.
    pub more_sources: More,
    /// The log buckets.
    pub buckets: Vec<&'t Node<'t, LogBucket>>,
    /// The trails that are drawn, in order, with their index in the area.
    pub trails: Vec<(usize, &'t Node<'t, Trail>)>,
    /// The others.
    pub more_trails: More,
}

/// Nodes that are drawn as a count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct More {
    /// All of them.
    pub count: usize,
    /// Those that are marked, by how they look, in the order of [`Look::ALL`].
    pub looks: [usize; Look::ALL.len()],
}

/// Accounts that are drawn as a count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// Partition of the accounts that are only counted.
    pub partition: Partition,
    /// What they have.
    pub counts: Counts,
    /// Marks on their nodes.
    pub marks: More,
}

/// Where a link begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A trail: area of the topology, and trail of the area.
    Trail(usize, usize),
    /// The trails of an area that are a count.
    MoreTrails(usize),
    /// The accounts that are a count: index in `rest`.
    Rest(usize),
}

/// One or more trails that deliver to one bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// Where it begins.
    pub from: Origin,
    /// Area of the topology and bucket of the area.
    pub to: (usize, usize),
    /// What it crosses.
    pub crosses: Crossing,
    /// How many trails it stands for.
    pub trails: usize,
    /// Which line it is part of, below [`LANES`].
    pub lane: usize,
}

/// A bucket: area of the topology and bucket of the area.
type Goal = (usize, usize);

/// So many lines look different.
pub(super) const LANES: usize = 4;

/// Folds a topology.
pub(super) fn fold<'t>(topology: &'t Topology<'t>, limits: Limits) -> Folded<'t> {
    let shown = choose(topology, limits.areas);
    let mut folded = Folded { lanes: lanes(topology), ..Folded::default() };
    for delivery in topology.deliveries.iter().filter(|delivery| delivery.crosses != Crossing::Nothing) {
        let line = (delivery.to, folded.lane(topology, delivery));
        folded.names.entry(line).or_default().insert(trail_of(topology, delivery));
    }
    let mut drawn_trails: Vec<Vec<bool>> = Vec::new();
    for (at, area) in topology.areas.iter().enumerate() {
        let mut drawn = vec![false; area.trails.len()];
        if shown[at] {
            let view = view(area, at, limits);
            view.trails.iter().for_each(|(trail, _)| drawn[*trail] = true);
            folded.grouped |= view.more_sources.count + view.more_trails.count > 0;
            match folded.accounts.last_mut().filter(|last| last.account.key == area.account.key) {
                Some(last) => last.areas.push(view),
                None => folded.accounts.push(AccountView { account: area.account, areas: vec![view] }),
            }
        } else {
            folded.grouped = true;
            let new_account = at == 0 || topology.areas[at - 1].account.key != area.account.key;
            let rest = rest_of(&mut folded.rest, area.account.partition);
            let rest = &mut folded.rest[rest];
            rest.counts.accounts += usize::from(new_account);
            rest.counts.areas += 1;
            rest.counts.sources += area.sources.len();
            rest.counts.buckets += area.buckets.len();
            rest.counts.trails += area.trails.len();
            area.marks().for_each(|mark| rest.marks.add(Some(mark)));
        }
        drawn_trails.push(drawn);
    }
    let mut known: BTreeMap<(Origin, (usize, usize), usize), usize> = BTreeMap::new();
    for delivery in topology.deliveries.iter().filter(|delivery| shown[delivery.to.0]) {
        let (area, trail) = delivery.from;
        let from = if !shown[area] {
            Origin::Rest(rest_of(&mut folded.rest, topology.areas[area].account.partition))
        } else if drawn_trails[area][trail] {
            Origin::Trail(area, trail)
        } else {
            Origin::MoreTrails(area)
        };
        let lane = folded.lane(topology, delivery);
        let next = folded.links.len();
        match *known.entry((from, delivery.to, lane)).or_insert(next) {
            at if at < next => folded.links[at].trails += 1,
            _ => folded.links.push(Link { from, to: delivery.to, crosses: delivery.crosses, trails: 1, lane }),
        }
    }
    folded
}

impl Folded<'_> {
    /// Which line a delivery is part of.
    pub(super) fn lane(&self, topology: &Topology<'_>, delivery: &Delivery) -> usize {
        let crosses = delivery.crosses != Crossing::Nothing;
        self.lanes.get(trail_of(topology, delivery)).copied().filter(|_| crosses).unwrap_or_default()
    }

    /// The name of a line into a bucket: its trail's, if there are several trails; empty for what several trails share.
    pub(super) fn lane_name(&self, to: (usize, usize), lane: usize) -> Option<&str> {
        let names = self.names.get(&(to, lane)).filter(|_| self.lanes.len() > 1)?;
        Some(if names.len() > 1 { "" } else { names.first()? })
    }
}

fn trail_of<'t>(topology: &'t Topology<'t>, delivery: &Delivery) -> &'t str {
    &topology.areas[delivery.from.0].trails[delivery.from.1].item.name
}

/// Which line each trail that delivers elsewhere is, those that do so from most places first. Trails that deliver to one bucket are different
/// lines, and so are all others as long as there are enough; then those share one that meet nowhere.
fn lanes<'t>(topology: &'t Topology<'t>) -> BTreeMap<&'t str, usize> {
    let mut goals: BTreeMap<&str, (usize, BTreeSet<Goal>)> = BTreeMap::new();
    for delivery in topology.deliveries.iter().filter(|delivery| delivery.crosses != Crossing::Nothing) {
        let (count, buckets) = goals.entry(trail_of(topology, delivery)).or_default();
        *count += 1;
        buckets.insert(delivery.to);
    }
    let mut order: Vec<_> = goals.into_iter().collect();
    order.sort_by(|(a, (of_a, _)), (b, (of_b, _))| of_b.cmp(of_a).then(a.cmp(b)));
    let mut lanes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut taken: [(usize, BTreeSet<Goal>); LANES] = Default::default();
    for (name, (_, buckets)) in order {
        let free = (0..LANES).filter(|lane| taken[*lane].1.is_disjoint(&buckets));
        let lane = free.min_by_key(|lane| taken[*lane].0).unwrap_or(LANES - 1);
        taken[lane].0 += 1;
        taken[lane].1.extend(buckets);
        lanes.insert(name, lane);
    }
    lanes
}

/// Which areas are drawn: whole accounts, as many as there is room for.
fn choose(topology: &Topology<'_>, most: usize) -> Vec<bool> {
    if topology.areas.len() <= most {
        return vec![true; topology.areas.len()];
    }
    let mut goals = vec![false; topology.areas.len()];
    for delivery in topology.deliveries.iter().filter(|delivery| delivery.crosses != Crossing::Nothing) {
        goals[delivery.to.0] = true;
    }
    // (rank, first area, areas) of each account
    let mut accounts: Vec<(usize, usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(first) = topology.areas.get(at) {
        let end = topology.areas[at..].iter().take_while(|area| area.account.key == first.account.key).count() + at;
        let bad = topology.areas[at..end].iter().flat_map(Area::marks).any(|mark| mark.look().is_bad());
        let goal = goals[at..end].contains(&true);
        let rank = [goal, bad].iter().position(|wanted| *wanted).unwrap_or(2);
        accounts.push((rank, at, end));
        at = end;
    }
    accounts.sort();
    let mut shown = vec![false; topology.areas.len()];
    let mut room = most;
    for (_, start, end) in accounts {
        if end - start <= room {
            room -= end - start;
            shown[start..end].fill(true);
        }
    }
    shown
}

fn view<'t>(area: &'t Area<'t>, at: usize, limits: Limits) -> AreaView<'t> {
    let sources = pick(area.sources.iter().map(|node| node.mark.as_ref()), limits.sources);
    let trails = pick(area.trails.iter().map(|node| node.mark.as_ref()), limits.trails);
    AreaView {
        area,
        at,
        more_sources: More::of(
            area.sources.iter().zip(&sources).filter(|(_, drawn)| !**drawn).map(|(node, _)| node.mark.as_ref()),
        ),
        more_trails: More::of(area.trails.iter().zip(&trails).filter(|(_, drawn)| !**drawn).map(|(node, _)| node.mark.as_ref())),
        sources: area.sources.iter().zip(sources).filter(|(_, drawn)| *drawn).map(|(node, _)| node).collect(),
        buckets: area.buckets.iter().collect(),
        trails: area.trails.iter().enumerate().zip(trails).filter(|(_, drawn)| *drawn).map(|(node, _)| node).collect(),
    }
}

/// Which of them are drawn: all if they are few (a count of one saves nothing), else those with which something is wrong, then the first.
fn pick<'m>(marks: impl Iterator<Item = Option<&'m Mark>>, most: usize) -> Vec<bool> {
    let bad: Vec<bool> = marks.map(|mark| mark.is_some_and(|mark| mark.look().is_bad())).collect();
    if bad.len() <= most + usize::from(most > 0) {
        return vec![true; bad.len()];
    }
    let mut drawn = vec![false; bad.len()];
    let at_most = (2 * most).max(2);
    let violations: Vec<usize> = (0..bad.len()).filter(|at| bad[*at]).take(at_most).collect();
    let left = most.saturating_sub(violations.len());
    let others = (0..bad.len()).filter(|at| !bad[*at]).take(left);
    violations.into_iter().chain(others).for_each(|at| drawn[at] = true);
    drawn
}

fn rest_of(rest: &mut Vec<Rest>, partition: Partition) -> usize {
    rest.iter().position(|one| one.partition == partition).unwrap_or_else(|| {
        rest.push(Rest { partition, counts: Counts::default(), marks: More::default() });
        rest.len() - 1
    })
}

impl More {
    /// The worst of them, if something is wrong with one.
    pub(super) fn worst(&self) -> Option<Look> {
        let there = self.looks.iter().zip(Look::ALL).filter(|(count, _)| **count > 0);
        there.map(|(_, look)| look).find(|look| look.is_bad())
    }

    fn of<'m>(marks: impl Iterator<Item = Option<&'m Mark>>) -> Self {
        let mut more = More::default();
        marks.for_each(|mark| more.add(mark));
        more
    }

    fn add(&mut self, mark: Option<&Mark>) {
        self.count += 1;
        let look = mark.map(Mark::look);
        for (count, _) in self.looks.iter_mut().zip(Look::ALL).filter(|(_, one)| Some(*one) == look) {
            *count += 1;
        }
    }
}

/// Where links of a view's trail begin, by its place in the drawn column: the count comes last.
pub(super) fn origin(view: &AreaView<'_>, at: usize) -> Origin {
    view.trails.get(at).map_or(Origin::MoreTrails(view.at), |(trail, _)| Origin::Trail(view.at, *trail))
}
