//! The trie of the names: its ranges, what a pattern for one costs, the best cover at a price of bytes, and the spending of
//! what a cover leaves of its budget.
//!
//! Takes sorted, distinct names. Deterministic.

use super::{LONGEST, MIN_LITERAL};
use std::{cmp::Ordering, ops::RangeInclusive};

/// A node of the trie that is in the solution: `names[from..to]` share the first `literal` bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) literal: usize,
    pub(super) exact: bool,
}

pub(super) struct Trie<'a> {
    pub(super) names: &'a [&'a str],
    pub(super) overhead: usize,
    pub(super) counts: [[f64; LONGEST + 1]; 3],
}

impl Trie<'_> {
    /// Length in bytes of what all names of a range share: whole characters, because a map may hold names that AWS would refuse.
    pub(super) fn shared(&self, from: usize, to: usize) -> usize {
        let (first, last) = (self.names[from], self.names[to - 1]);
        let bytes = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        self.floor(from, bytes)
    }

    /// The nearest end of a character of a name at or below an offset.
    fn floor(&self, name: usize, at: usize) -> usize {
        (0..=at).rev().find(|at| self.names[name].is_char_boundary(*at)).unwrap_or(0)
    }

    /// The lengths in a range at which literals of a name may end: between characters.
    pub(super) fn lengths(&self, name: usize, range: RangeInclusive<usize>) -> impl DoubleEndedIterator<Item = usize> {
        range.filter(move |length| self.names[name].is_char_boundary(*length))
    }

    /// The children of the node of a range: by the next character; a name that ends at the node is a child of its own.
    pub(super) fn children(&self, from: usize, to: usize, shared: usize) -> Vec<(usize, usize)> {
        let mut children = Vec::new();
        let mut start = from;
        while start < to {
            let next = |name: &str| name.get(shared..).and_then(|rest| rest.chars().next());
            let length = match next(self.names[start]) {
                None => 1,
                Some(first) => self.names[start..to].partition_point(|name| next(name).is_none_or(|other| other <= first)),
            };
            children.push((start, start + length));
            start += length;
        }
        children
    }

    pub(super) fn bytes(&self, choice: &Choice) -> usize {
        self.overhead + choice.literal + usize::from(!choice.exact)
    }

    /// Legal names that a choice admits and that are not in the list.
    pub(super) fn cost(&self, choice: &Choice) -> f64 {
        if choice.exact {
            return 0.0;
        }
        cost_of(&self.names[choice.from].as_bytes()[..choice.literal], choice.to - choice.from, &self.counts)
    }

    /// The cheapest single choice for a range at a price, with literals of `start` bytes at least.
    fn alone(&self, from: usize, to: usize, start: usize, price: f64) -> Option<(f64, Choice)> {
        let shared = self.shared(from, to);
        let mut best: Option<(f64, Choice)> = None;
        if to - from == 1 {
            let choice = Choice { from, to, literal: shared, exact: true };
            best = Some((price * self.bytes(&choice) as f64, choice));
        }
        for literal in self.lengths(from, start.max(MIN_LITERAL)..=shared).rev() {
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
    pub(super) fn best(&self, from: usize, to: usize, start: usize, price: f64) -> (f64, usize) {
        let alone = self.alone(from, to, start, price).map(|(value, choice)| (value, self.bytes(&choice)));
        let shared = self.shared(from, to);
        // a split has two parts at least, each with the bytes of what they share: most nodes need no look at theirs
        let least = 2.0 * (price * (self.overhead + shared) as f64);
        if to - from == 1 || alone.is_some_and(|(value, _)| value < least) {
            return alone.unwrap_or((f64::INFINITY, usize::MAX / 4));
        }
        let parts = self.children(from, to, shared);
        let split = parts
            .into_iter()
            .map(|(a, b)| self.best(a, b, shared + 1, price))
            .fold((0.0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        alone.filter(|(value, _)| *value < split.0).unwrap_or(split)
    }

    /// The choices of the best cover of a range at a price.
    pub(super) fn choose(&self, from: usize, to: usize, start: usize, price: f64, chosen: &mut Vec<Choice>) {
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

    /// Spends what a cover leaves of a budget.
    pub(super) fn spend_all(&self, chosen: Vec<Choice>, budget: usize) -> Vec<Choice> {
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
        let longest = self.floor(from, shared.min(literal + left));
        if longest > literal {
            return vec![Choice { literal: longest, ..*choice }];
        }
        let parts: Vec<Choice> = self
            .children(from, to, shared)
            .into_iter()
            .map(|(from, to)| {
                let exact = to - from == 1 && self.names[from].len() <= shared + 2;
                let whole = self.names[from].len();
                let short = self.lengths(from, (shared + 1).max(MIN_LITERAL)..=whole).next();
                let literal = if exact { whole } else { short.unwrap_or(whole) };
                Choice { from, to, literal, exact }
            })
            .collect();
        let bytes: usize = parts.iter().map(|part| self.bytes(part)).sum();
        if parts.len() > 1 && bytes <= budget { parts } else { Vec::new() }
    }
}

/// By the class of a literal's last character, and its length.
pub(super) type Counts = [[f64; LONGEST + 1]; 3];

/// Legal names that a pattern with this literal admits, without so many that are in the list.
pub(super) fn cost_of(literal: &[u8], listed: usize, counts: &Counts) -> f64 {
    let class = match literal.last() {
        Some(b'.') => 2,
        Some(b'-') => 1,
        _ => 0,
    };
    (counts[class][literal.len().min(LONGEST)] - listed as f64).max(0.0)
}

/// How many legal names begin with a literal, by its last character (letter or digit, hyphen, dot) and its length: 3 to
/// 63 characters of `[a-z0-9.-]`, a letter or digit at the end, no two dots in a row.
pub(super) fn counts() -> Counts {
    counts_of(36.0)
}

/// The same with so many letters and digits.
pub(super) fn counts_of(alphanumeric: f64) -> Counts {
    // ways[class][more]: continuations by exactly so many characters
    let mut ways = [[0.0; LONGEST + 1]; 3];
    ways[0][0] = 1.0;
    for more in 1..=LONGEST {
        let (alnum, hyphen, dot) = (alphanumeric * ways[0][more - 1], ways[1][more - 1], ways[2][more - 1]);
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
