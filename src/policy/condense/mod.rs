//! Condensing: a long list of names becomes a list of patterns `literal*` that covers it and fits into a number of bytes.
//!
//! The names form a trie; a solution is a set of disjoint nodes that covers every name, each an exact name or a literal
//! with `*`. What it costs is the number of legal bucket names that it admits and that are not in the list. The cheapest
//! set within the budget is searched in two ways, and the better one is taken: by pricing bytes (Lagrange: for each price the
//! best set is found in one walk over the trie), and for up to 5,000 names by keeping for each node the covers that no other
//! beats in bytes and names, which is exact for small lists. What is left is spent on the worst patterns first.
//! Deterministic; ties go to the longer literal.

mod frontier;
#[cfg(test)]
mod tests;
mod trie;

use std::collections::BTreeSet;

use frontier::Limits;
use trie::{Choice, Trie, cost_of, counts};

/// Shortest literal before a `*`: shorter ones say nothing.
pub const MIN_LITERAL: usize = 3;
const LONGEST: usize = 63;
/// Up to so many names the trade of bytes against names is kept as a list for each node of the trie.
const FRONTIER_NAMES: usize = 5_000;
/// Points of such a list at least, for long lists of names.
const FRONTIER_POINTS: usize = 192;
/// And so many divided by the number of names: a list of up to about 200 names is searched exactly, because it has no more bytes.
const FRONTIER_WORK: usize = 2_000_000;

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
/// `None` if even literals of [`MIN_LITERAL`] characters do not fit.
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
        let limits = Limits { budget, points: (FRONTIER_WORK / names.len()).max(FRONTIER_POINTS) };
        let better = trie.cheapest(&roots, limits).map(|found| trie.spend_all(found, budget));
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

/// How many legal names several lists of patterns admit together that are in none of `names`.
///
/// A name counts once, however many patterns admit it. Exact up to 2⁵³; a larger number is rounded as a float is.
pub fn foreign<'p>(patterns: impl Iterator<Item = &'p Pattern>, names: &BTreeSet<&str>) -> f64 {
    let literals: BTreeSet<&str> = patterns.filter(|pattern| !pattern.exact).map(|pattern| pattern.literal.as_str()).collect();
    let counts = counts();
    let mut widest: Vec<&str> = Vec::new();
    for literal in literals {
        if !widest.last().is_some_and(|last| literal.starts_with(last)) {
            widest.push(literal);
        }
    }
    widest
        .into_iter()
        .map(|literal| cost_of(literal, names.range(literal..).take_while(|name| name.starts_with(literal)).count(), &counts))
        .sum()
}
