//! The trade of bytes against names, kept as a list of covers for each node of the trie: exact where no list is thinned out.

use super::{
    MIN_LITERAL,
    trie::{Choice, Trie},
};
use std::rc::Rc;

/// What a search may use.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a cover.
    pub(super) budget: usize,
    /// Covers that are kept for a node; where there are no more than these the search is exact.
    pub(super) points: usize,
}

impl Trie<'_> {
    /// The cheapest cover within the budget, from the frontiers of all lists together.
    pub(super) fn cheapest(&self, roots: &[(usize, usize)], limits: Limits) -> Option<Vec<Choice>> {
        let lists = roots.iter().map(|(from, to)| self.frontier(*from, *to, 0, limits));
        let all = lists.fold(vec![Point::nothing()], |sum, list| together(&sum, &list, limits));
        // costs fall as bytes grow, so the last point is the cheapest
        let mut chosen = Vec::new();
        all.last()?.how.collect(&mut chosen);
        Some(chosen)
    }

    /// The covers of a range that no other beats in both bytes and cost, by bytes.
    fn frontier(&self, from: usize, to: usize, start: usize, limits: Limits) -> Vec<Point> {
        let shared = self.shared(from, to);
        let point =
            |choice: Choice| Point { bytes: self.bytes(&choice), cost: self.cost(&choice), how: Rc::new(How::One(choice)) };
        let mut points: Vec<Point> = self
            .lengths(from, start.max(MIN_LITERAL)..=shared)
            .map(|literal| point(Choice { from, to, literal, exact: false }))
            .collect();
        if to - from == 1 {
            points.push(point(Choice { from, to, literal: shared, exact: true }));
        } else {
            let parts = self.children(from, to, shared).into_iter().map(|(a, b)| self.frontier(a, b, shared + 1, limits));
            points.extend(parts.fold(vec![Point::nothing()], |sum, part| together(&sum, &part, limits)));
        }
        points.retain(|point| point.bytes <= limits.budget);
        points.sort_by(|a, b| a.bytes.cmp(&b.bytes).then(a.cost.total_cmp(&b.cost)));
        let mut least = f64::INFINITY;
        points.retain(|point| {
            let better = point.cost < least;
            least = least.min(point.cost);
            better
        });
        thinned(points, limits.points)
    }
}

/// A cover of some range: what it takes and what it admits.
#[derive(Clone)]
struct Point {
    bytes: usize,
    cost: f64,
    how: Rc<How>,
}

impl Point {
    fn nothing() -> Self {
        Point { bytes: 0, cost: 0.0, how: Rc::new(How::Nothing) }
    }
}

/// What a cover consists of.
enum How {
    Nothing,
    One(Choice),
    Both(Rc<How>, Rc<How>),
}

impl How {
    fn collect(&self, chosen: &mut Vec<Choice>) {
        match self {
            How::Nothing => {}
            How::One(choice) => chosen.push(*choice),
            How::Both(a, b) => {
                a.collect(chosen);
                b.collect(chosen);
            }
        }
    }
}

/// The covers of two ranges that lie side by side which no other beats, by bytes.
fn together(a: &[Point], b: &[Point], limits: Limits) -> Vec<Point> {
    let (Some(most_a), Some(most_b)) = (a.last(), b.last()) else { return Vec::new() };
    // for each number of bytes the cheapest pair
    let mut best: Vec<Option<(f64, &Point, &Point)>> = vec![None; (most_a.bytes + most_b.bytes).min(limits.budget) + 1];
    for a in a {
        for b in b {
            let Some(slot) = best.get_mut(a.bytes + b.bytes) else { break };
            let cost = a.cost + b.cost;
            if slot.is_none_or(|(least, ..)| cost < least) {
                *slot = Some((cost, a, b));
            }
        }
    }
    let mut least = f64::INFINITY;
    let mut points = Vec::new();
    for (bytes, (cost, a, b)) in best.into_iter().enumerate().filter_map(|(bytes, slot)| Some((bytes, slot?))) {
        if cost < least {
            least = cost;
            points.push(Point { bytes, cost, how: Rc::new(How::Both(Rc::clone(&a.how), Rc::clone(&b.how))) });
        }
    }
    thinned(points, limits.points)
}

/// At most so many points, evenly spread, with both ends.
fn thinned(points: Vec<Point>, most: usize) -> Vec<Point> {
    let count = points.len();
    if count <= most {
        return points;
    }
    (0..most).map(|at| points[at * (count - 1) / (most - 1)].clone()).collect()
}
