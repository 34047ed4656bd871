//! Condensing: a long list of names becomes a list of patterns `literal*` that covers it and fits into a number of bytes.
//!
//! The names form a trie; a solution is a set of disjoint nodes that covers every name, each an exact name or a literal
//! with `*`. What it costs is the number of legal bucket names that it admits and that are not in the list. The cheapest
//! set within the budget is searched in two ways, and the better one is taken: by pricing bytes (Lagrange: for each price the
//! best set is found in one walk over the trie), and for up to 5,000 names by keeping for each node the covers that no other
//! beats in bytes and names, which is exact for small lists. What is left is spent on the worst patterns first.
//! Deterministic; ties go to the longer literal.

use std::{cmp::Ordering, rc::Rc};

/// Shortest literal before a `*`: shorter ones say nothing.
pub const MIN_LITERAL: usize = 3;
const LONGEST: usize = 63;
/// Up to so many names the trade of bytes against names is kept as a list for each node of the trie.
const FRONTIER_NAMES: usize = 5_000;
/// Points of such a list; with fewer than this the search is exact.
const FRONTIER_POINTS: usize = 192;

/// One element of a solution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The name, or what stands before the `*`.
    pub literal: String,
    /// Without `*`.
    pub exact: bool,
}

impl Pattern {
    /// As it is written.
    pub fn text(&self) -> String {
        if self.exact { self.literal.clone() } else { format!("{}*", self.literal) }
    }
}

/// A covering set.
#[derive(Debug, Clone)]
pub struct Condensed {
    /// Disjoint, sorted.
    pub patterns: Vec<Pattern>,
    /// How many legal names of 3 to 63 characters they admit that are not in the list.
    pub admitted: f64,
}

/// Condenses sorted, distinct names into at most `budget` bytes, where an element costs `overhead` bytes beside its text.
/// Nothing if even literals of [`MIN_LITERAL`] characters do not fit.
pub fn condense(names: &[&str], overhead: usize, budget: usize) -> Option<Condensed> {
    condense_lists(&[names.to_vec()], overhead, budget)?.pop()
}

/// Condenses several lists, each by itself, that share one budget: each byte goes where it keeps out most.
pub fn condense_lists(lists: &[Vec<&str>], overhead: usize, budget: usize) -> Option<Vec<Condensed>> {
    let names: Vec<&str> = lists.iter().flatten().copied().collect();
    let mut roots = Vec::new();
    for list in lists.iter().filter(|list| !list.is_empty()) {
        let from = roots.last().map_or(0, |(_, to)| *to);
        roots.push((from, from + list.len()));
    }
    let trie = Trie { names: &names, overhead, counts: counts() };
    let exact: usize = names.iter().map(|name| name.len() + overhead).sum();
    if exact <= budget {
        let exact = |list: &Vec<&str>| {
            let patterns = list.iter().map(|name| Pattern { literal: (*name).to_owned(), exact: true }).collect();
            Condensed { patterns, admitted: 0.0 }
        };
        return Some(lists.iter().map(exact).collect());
    }
    let bytes_at = |price: f64| -> usize { roots.iter().map(|(from, to)| trie.best(*from, *to, 0, price).1).sum() };
    // the price of a byte, as a power of two: from "bytes are free" to "bytes are everything"
    let (mut cheap, mut dear) = (-8.0_f64, 340.0_f64);
    if bytes_at(dear.exp2()) > budget {
        return None;
    }
    for _ in 0..64 {
        let price = f64::midpoint(cheap, dear);
        if bytes_at(price.exp2()) <= budget { dear = price } else { cheap = price }
    }
    let mut chosen = Vec::new();
    for (from, to) in &roots {
        trie.choose(*from, *to, 0, dear.exp2(), &mut chosen);
    }
    let mut chosen = trie.spend_all(chosen, budget);
    if names.len() <= FRONTIER_NAMES {
        let better = trie.cheapest(&roots, budget).map(|found| trie.spend_all(found, budget));
        let cost = |choices: &[Choice]| -> f64 { choices.iter().map(|choice| trie.cost(choice)).sum() };
        if let Some(better) = better.filter(|better| cost(better) < cost(&chosen)) {
            chosen = better;
        }
    }
    let list = |(from, to): &(usize, usize)| {
        let mine: Vec<&Choice> = chosen.iter().filter(|choice| (*from..*to).contains(&choice.from)).collect();
        let mut patterns: Vec<Pattern> = mine
            .iter()
            .map(|choice| Pattern { literal: names[choice.from][..choice.literal].to_owned(), exact: choice.exact })
            .collect();
        patterns.sort();
        Condensed { patterns, admitted: mine.iter().map(|choice| trie.cost(choice)).sum() }
    };
    Some(roots.iter().map(list).collect())
}

/// A node of the trie that is in the solution: `names[from..to]` share the first `literal` bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Choice {
    from: usize,
    to: usize,
    literal: usize,
    exact: bool,
}

struct Trie<'a> {
    names: &'a [&'a str],
    overhead: usize,
    counts: [[f64; LONGEST + 1]; 3],
}

impl Trie<'_> {
    /// Length of what all names of a range share.
    fn shared(&self, from: usize, to: usize) -> usize {
        let (first, last) = (self.names[from].as_bytes(), self.names[to - 1].as_bytes());
        first.iter().zip(last).take_while(|(a, b)| a == b).count()
    }

    /// The children of the node of a range: by the next byte; a name that ends at the node is a child of its own.
    fn children(&self, from: usize, to: usize, shared: usize) -> Vec<(usize, usize)> {
        let mut children = Vec::new();
        let mut start = from;
        while start < to {
            let next = self.names[start].as_bytes().get(shared);
            let length = match next {
                None => 1,
                Some(byte) => self.names[start..to].partition_point(|name| name.as_bytes().get(shared).is_none_or(|b| b <= byte)),
            };
            children.push((start, start + length));
            start += length;
        }
        children
    }

    fn bytes(&self, choice: &Choice) -> usize {
        self.overhead + choice.literal + usize::from(!choice.exact)
    }

    /// Legal names that a choice admits and that are not in the list.
    fn cost(&self, choice: &Choice) -> f64 {
        if choice.exact {
            return 0.0;
        }
        let class = match self.names[choice.from].as_bytes()[choice.literal - 1] {
            b'.' => 2,
            b'-' => 1,
            _ => 0,
        };
        (self.counts[class][choice.literal.min(LONGEST)] - (choice.to - choice.from) as f64).max(0.0)
    }

    /// The cheapest single choice for a range at a price, with literals of `start` bytes at least.
    fn alone(&self, from: usize, to: usize, start: usize, price: f64) -> Option<(f64, Choice)> {
        let shared = self.shared(from, to);
        let mut best: Option<(f64, Choice)> = None;
        if to - from == 1 {
            let choice = Choice { from, to, literal: shared, exact: true };
            best = Some((price * self.bytes(&choice) as f64, choice));
        }
        for literal in (start.max(MIN_LITERAL)..=shared).rev() {
            let choice = Choice { from, to, literal, exact: false };
            let value = self.cost(&choice) + price * self.bytes(&choice) as f64;
            if best.as_ref().is_none_or(|(least, _)| value < *least) {
                best = Some((value, choice));
            } else if self.cost(&choice) > best.as_ref().map_or(0.0, |(least, _)| *least) {
                break; // shorter literals only cost more
            }
        }
        best
    }

    /// Value and bytes of the best cover of a range at a price.
    fn best(&self, from: usize, to: usize, start: usize, price: f64) -> (f64, usize) {
        let alone = self.alone(from, to, start, price);
        let split = (to - from > 1).then(|| {
            let shared = self.shared(from, to);
            let parts = self.children(from, to, shared);
            parts
                .into_iter()
                .map(|(a, b)| self.best(a, b, shared + 1, price))
                .fold((0.0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
        });
        match (alone, split) {
            (Some((value, choice)), Some(split)) if value < split.0 => (value, self.bytes(&choice)),
            (Some((value, choice)), None) => (value, self.bytes(&choice)),
            (_, Some(split)) => split,
            (None, None) => (f64::INFINITY, usize::MAX / 4),
        }
    }

    /// The choices of the best cover of a range at a price.
    fn choose(&self, from: usize, to: usize, start: usize, price: f64, chosen: &mut Vec<Choice>) {
        let alone = self.alone(from, to, start, price);
        if to - from > 1 {
            let shared = self.shared(from, to);
            let parts = self.children(from, to, shared);
            let split: f64 = parts.iter().map(|(a, b)| self.best(*a, *b, shared + 1, price).0).sum();
            if alone.is_none_or(|(value, _)| value >= split) {
                for (a, b) in parts {
                    self.choose(a, b, shared + 1, price, chosen);
                }
                return;
            }
        }
        chosen.extend(alone.map(|(_, choice)| choice));
    }

    /// The cheapest cover within the budget, from the frontiers of all lists together.
    fn cheapest(&self, roots: &[(usize, usize)], budget: usize) -> Option<Vec<Choice>> {
        let nothing = vec![Point { bytes: 0, cost: 0.0, how: Rc::new(How::Nothing) }];
        let all = roots.iter().fold(nothing, |sum, (from, to)| together(&sum, &self.frontier(*from, *to, 0, budget), budget));
        // costs fall as bytes grow, so the last point is the cheapest
        let mut chosen = Vec::new();
        all.last()?.how.collect(&mut chosen);
        Some(chosen)
    }

    /// The covers of a range that no other beats in both bytes and cost, by bytes.
    fn frontier(&self, from: usize, to: usize, start: usize, budget: usize) -> Vec<Point> {
        let shared = self.shared(from, to);
        let point =
            |choice: Choice| Point { bytes: self.bytes(&choice), cost: self.cost(&choice), how: Rc::new(How::One(choice)) };
        let mut points: Vec<Point> =
            (start.max(MIN_LITERAL)..=shared).map(|literal| point(Choice { from, to, literal, exact: false })).collect();
        if to - from == 1 {
            points.push(point(Choice { from, to, literal: shared, exact: true }));
        } else {
            let parts = self.children(from, to, shared);
            let nothing = vec![Point { bytes: 0, cost: 0.0, how: Rc::new(How::Nothing) }];
            points.extend(
                parts.into_iter().fold(nothing, |sum, (a, b)| together(&sum, &self.frontier(a, b, shared + 1, budget), budget)),
            );
        }
        unbeaten(points, budget)
    }

    /// Spends what a cover leaves of a budget.
    fn spend_all(&self, chosen: Vec<Choice>, budget: usize) -> Vec<Choice> {
        let left = budget - chosen.iter().map(|choice| self.bytes(choice)).sum::<usize>();
        self.spend(chosen, left)
    }

    /// Spends bytes that are left on refining the choices that cost most.
    fn spend(&self, chosen: Vec<Choice>, mut left: usize) -> Vec<Choice> {
        let mut open = chosen;
        let mut done = Vec::new();
        // the dearest last; equal ones in the order of the names
        let order =
            |a: &Choice, b: &Choice| self.cost(a).partial_cmp(&self.cost(b)).unwrap_or(Ordering::Equal).then(b.from.cmp(&a.from));
        open.sort_by(order);
        while let Some(choice) = open.pop() {
            let parts = self.refine(&choice, left);
            if parts.is_empty() {
                done.push(choice);
                continue;
            }
            left = left + self.bytes(&choice) - parts.iter().map(|part| self.bytes(part)).sum::<usize>();
            for part in parts {
                if part.exact {
                    done.push(part);
                } else {
                    let at = open.partition_point(|other| order(other, &part) == Ordering::Less);
                    open.insert(at, part);
                }
            }
        }
        done
    }

    /// What a choice can become with so many bytes more: a longer literal, an exact name, or its children; nothing if
    /// none fits.
    fn refine(&self, choice: &Choice, left: usize) -> Vec<Choice> {
        let Choice { from, to, literal, exact } = *choice;
        if exact {
            return Vec::new();
        }
        let shared = self.shared(from, to);
        let budget = self.bytes(choice) + left;
        if to - from == 1 && self.overhead + shared <= budget {
            return vec![Choice { literal: shared, exact: true, ..*choice }];
        }
        let longest = shared.min(literal + left);
        if longest > literal {
            return vec![Choice { literal: longest, ..*choice }];
        }
        let parts: Vec<Choice> = self
            .children(from, to, shared)
            .into_iter()
            .map(|(from, to)| {
                let exact = to - from == 1 && self.names[from].len() <= shared + 2;
                let literal = if exact { self.names[from].len() } else { (shared + 1).max(MIN_LITERAL) };
                Choice { from, to, literal, exact }
            })
            .collect();
        let bytes: usize = parts.iter().map(|part| self.bytes(part)).sum();
        if parts.len() > 1 && bytes <= budget { parts } else { Vec::new() }
    }
}

/// A cover of some range: what it takes and what it admits.
#[derive(Clone)]
struct Point {
    bytes: usize,
    cost: f64,
    how: Rc<How>,
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

/// Covers of two ranges that lie side by side.
fn together(a: &[Point], b: &[Point], budget: usize) -> Vec<Point> {
    let pairs = a.iter().flat_map(|a| {
        b.iter().take_while(move |b| a.bytes + b.bytes <= budget).map(move |b| Point {
            bytes: a.bytes + b.bytes,
            cost: a.cost + b.cost,
            how: Rc::new(How::Both(Rc::clone(&a.how), Rc::clone(&b.how))),
        })
    });
    unbeaten(pairs.collect(), budget)
}

/// The points that no other beats, by bytes; at most [`FRONTIER_POINTS`], evenly spread, with both ends.
fn unbeaten(mut points: Vec<Point>, budget: usize) -> Vec<Point> {
    points.retain(|point| point.bytes <= budget);
    points.sort_by(|a, b| a.bytes.cmp(&b.bytes).then(a.cost.total_cmp(&b.cost)));
    let mut least = f64::INFINITY;
    points.retain(|point| {
        let better = point.cost < least;
        least = least.min(point.cost);
        better
    });
    let count = points.len();
    if count <= FRONTIER_POINTS {
        return points;
    }
    (0..FRONTIER_POINTS).map(|at| points[at * (count - 1) / (FRONTIER_POINTS - 1)].clone()).collect()
}

/// How many legal names begin with a literal, by its last character (letter or digit, hyphen, dot) and its length: 3 to
/// 63 characters of `[a-z0-9.-]`, a letter or digit at the end, no two dots in a row.
fn counts() -> [[f64; LONGEST + 1]; 3] {
    // ways[class][more]: continuations by exactly so many characters
    let mut ways = [[0.0; LONGEST + 1]; 3];
    ways[0][0] = 1.0;
    for more in 1..=LONGEST {
        let (alnum, hyphen, dot) = (36.0 * ways[0][more - 1], ways[1][more - 1], ways[2][more - 1]);
        ways[0][more] = alnum + hyphen + dot;
        ways[1][more] = alnum + hyphen + dot;
        ways[2][more] = alnum + hyphen;
    }
    let mut counts = [[0.0; LONGEST + 1]; 3];
    for (counts, ways) in counts.iter_mut().zip(&ways) {
        for (literal, count) in counts.iter_mut().enumerate() {
            let least = 3_usize.saturating_sub(literal);
            *count = ways.iter().take(LONGEST - literal + 1).skip(least).sum();
        }
    }
    counts
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OVERHEAD: usize = 4;

    fn covers(patterns: &[Pattern], name: &str) -> usize {
        patterns.iter().filter(|p| if p.exact { p.literal == name } else { name.starts_with(&p.literal) }).count()
    }

    fn bytes(patterns: &[Pattern]) -> usize {
        patterns.iter().map(|p| p.text().len() + OVERHEAD).sum()
    }

    /// The least cost of any cover, by trying every antichain.
    fn brute(trie: &Trie<'_>, from: usize, to: usize, start: usize, budget: usize) -> Vec<(usize, f64)> {
        // all (bytes, cost) pairs worth keeping
        let shared = trie.shared(from, to);
        let mut all = Vec::new();
        if to - from == 1 {
            all.push((trie.bytes(&Choice { from, to, literal: shared, exact: true }), 0.0));
        }
        for literal in start.max(MIN_LITERAL)..=shared {
            let choice = Choice { from, to, literal, exact: false };
            all.push((trie.bytes(&choice), trie.cost(&choice)));
        }
        if to - from > 1 {
            let mut sums = vec![(0, 0.0)];
            for (a, b) in trie.children(from, to, shared) {
                let part = brute(trie, a, b, shared + 1, budget);
                sums = sums
                    .iter()
                    .flat_map(|s| part.iter().map(move |p| (s.0 + p.0, s.1 + p.1)))
                    .filter(|s| s.0 <= budget)
                    .collect();
                sums = pareto(sums);
            }
            all.extend(sums);
        }
        pareto(all)
    }

    fn pareto(mut all: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
        all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut kept: Vec<(usize, f64)> = Vec::new();
        for item in all {
            if kept.last().is_none_or(|last| item.1 < last.1) {
                kept.push(item);
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn a_cover_fits_is_disjoint_and_admits_the_fewest_names(
            names in proptest::collection::btree_set("[abc]{3,4}-[abx]{2,5}[0-9]{1,2}", 2..14),
            share in 20..100usize,
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let exact: usize = names.iter().map(|n| n.len() + OVERHEAD).sum();
            let budget = exact * share / 100;
            let trie = Trie { names: &names, overhead: OVERHEAD, counts: counts() };
            let optimum = brute(&trie, 0, names.len(), 0, budget).iter().filter(|s| s.0 <= budget).map(|s| s.1).fold(f64::INFINITY, f64::min);
            match condense(&names, OVERHEAD, budget) {
                None => prop_assert!(optimum.is_infinite(), "a cover exists"),
                Some(found) => {
                    prop_assert!(bytes(&found.patterns) <= budget);
                    for name in &names {
                        prop_assert_eq!(covers(&found.patterns, name), 1);
                    }
                    // so few names are searched completely
                    prop_assert!(found.admitted <= optimum * (1.0 + 1e-9), "{} against {}", found.admitted, optimum);
                }
            }
        }
    }

    #[test]
    fn the_count_of_names_is_right_for_short_tails() {
        let counts = counts();
        // a literal of 63 characters is itself; of 62: itself, or one letter or digit more
        assert_eq!(counts[0][63], 1.0);
        assert_eq!(counts[0][62], 37.0);
        // after a hyphen the name can't end; 36 + (36 + 1 + 1) * 36 with up to two more
        assert_eq!(counts[1][61], 36.0 + 38.0 * 36.0);
        assert_eq!(counts[2][61], 36.0 + 37.0 * 36.0);
    }
}
