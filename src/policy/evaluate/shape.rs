//! Texts of which only the form is known: "an account but this one", "a log object's key, whatever the day".
//!
//! Takes a shape and patterns, and tells the classes of texts that the patterns tell apart, each with an example. The text is
//! read as an automaton beside those of all patterns at once, so the answer covers every text of the shape, not a sample.

use super::{
    operators::Test,
    pattern::{Pattern, Piece, Set, Variable, fits},
};
use crate::hole;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A set of texts: those that fit the form and none of the exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// What each of the texts begins with.
    pub(super) head: String,
    /// What follows.
    tail: Vec<Piece>,
    /// The exceptions.
    but: BTreeSet<Vec<Piece>>,
    /// Is it known of no text that it comes up?
    open: bool,
}

impl Shape {
    /// Texts that begin so; what follows is to be added.
    pub(crate) fn starting(head: impl Into<String>) -> Self {
        Shape { head: head.into(), ..Shape::default() }
    }

    /// Texts like this pattern, in which `*` and `?` are wildcards.
    pub(crate) fn like(pattern: &str) -> Self {
        let head = pattern.find(['*', '?']).unwrap_or(pattern.len());
        Shape { head: pattern[..head].to_owned(), tail: glob_pieces(&pattern[head..]), ..Shape::default() }
    }

    /// Any text.
    pub(crate) fn any() -> Self {
        Shape::default().then(Set::Any)
    }

    /// An account's id: twelve digits.
    pub(crate) fn account() -> Self {
        Shape::default().digits(12)
    }

    /// Followed by any number of these characters.
    pub(crate) fn then(mut self, set: Set) -> Self {
        self.tail.push(Piece::many(set));
        self
    }

    /// Followed by at least one of these characters.
    pub(crate) fn some(mut self, set: Set) -> Self {
        self.tail.push(Piece::one(set));
        self.then(set)
    }

    /// Followed by so many digits.
    pub(crate) fn digits(mut self, count: usize) -> Self {
        self.tail.extend(std::iter::repeat_n(Piece::one(Set::Digit), count));
        self
    }

    /// Followed by this text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        if self.tail.is_empty() {
            self.head.push_str(text);
        } else {
            self.tail.extend(text.chars().map(|c| Piece::one(Set::Char(c))));
        }
        self
    }

    /// But no text that fits this pattern, in which `*` and `?` are wildcards.
    pub(crate) fn but(mut self, pattern: &str) -> Self {
        self.but.insert(glob_pieces(pattern));
        self
    }

    /// But no ARN that fits this pattern part by part.
    pub(crate) fn but_arn(mut self, pattern: &str) -> Self {
        self.but.extend(Pattern::read(Test::ArnLike, pattern, false, &|_| Variable::Absent).map(|pattern| pattern.pieces));
        self
    }

    /// But not this text, in which no wildcard counts.
    pub(crate) fn but_text(mut self, text: &str) -> Self {
        self.but.insert(text.chars().map(|c| Piece::one(Set::Char(c))).collect());
        self
    }

    /// Says that it is known of no text that it comes up, only that no other does.
    pub(crate) fn opened(mut self) -> Self {
        self.open = true;
        self
    }

    /// Is it not known which of the texts come up?
    pub(crate) fn is_open(&self) -> bool {
        self.open || self.has_holes()
    }

    /// Is something in the texts unknown?
    pub(super) fn has_holes(&self) -> bool {
        hole::has(&self.head) || self.tail.iter().any(|piece| matches!(piece.set, Set::Char(c) if hole::is_mark(c)))
    }

    /// Is the text one of these?
    pub(super) fn has(&self, text: &str) -> bool {
        let tail = text.strip_prefix(self.head.as_str());
        tail.is_some_and(|tail| fits(&self.tail, tail)) && !self.but.iter().any(|but| fits(but, text))
    }

    /// Are there exceptions?
    pub(super) fn has_exceptions(&self) -> bool {
        !self.but.is_empty()
    }

    /// Are the texts that fit the pattern an exception, by how it is written?
    pub(super) fn excepts(&self, pattern: &Pattern) -> bool {
        self.but.contains(&pattern.pieces)
    }

    /// The texts as pieces with holes, beside which a value with holes can be held.
    pub(super) fn with_holes(&self) -> Vec<hole::Piece<'_>> {
        // of what follows the head, a hole may be anything
        let piece = |piece: &Piece| match piece {
            Piece { set: Set::Char(c), .. } if hole::is_mark(*c) => hole::Piece::Many,
            Piece { many: true, .. } => hole::Piece::Many,
            Piece { set: Set::Char(c), .. } => hole::Piece::Char(*c),
            _ => hole::Piece::One,
        };
        hole::pieces(&self.head, false).into_iter().chain(self.tail.iter().map(piece)).collect()
    }

    fn pieces(&self) -> Vec<Piece> {
        self.head.chars().map(|c| Piece::one(Set::Char(c))).chain(self.tail.iter().copied()).collect()
    }
}

pub(super) fn glob_pieces(pattern: &str) -> Vec<Piece> {
    let piece = |c| match c {
        '*' => Piece::many(Set::Any),
        '?' => Piece::one(Set::Any),
        c => Piece::one(Set::Char(c)),
    };
    pattern.chars().map(piece).collect()
}

/// Texts that the patterns don't tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    /// One of them.
    pub(super) example: String,
    /// Which patterns they fit.
    pub(super) fits: Vec<bool>,
}

/// Most states that are looked at, so that no policy costs more than a moment.
const MOST_STATES: usize = 20_000;

/// The classes of the shape's texts by which of the patterns they fit; nothing if there are too many states to tell. No class
/// means that the shape has no text.
pub(super) fn classes(shape: &Shape, patterns: &[&Pattern]) -> Option<Vec<Class>> {
    let text = shape.pieces();
    let (wanted, but) = (patterns.len(), shape.but.len());
    let machine =
        Machine::new(patterns.iter().map(|pattern| pattern.pieces.as_slice()).chain(shape.but.iter().map(Vec::as_slice)));
    let all = named(text.iter().chain(machine.pieces.iter().copied().flatten()));
    let strangers = strangers(&all);
    let mut found: BTreeMap<Vec<bool>, String> = BTreeMap::new();
    let mut seen: BTreeSet<(usize, Vec<u32>)> = BTreeSet::new();
    // each state with the state it was reached from and the character in between
    let mut from: Vec<(usize, char)> = Vec::new();
    let mut queue = VecDeque::new();
    let mut add = |at: usize, set: Vec<u32>, source: (usize, char), queue: &mut VecDeque<_>, from: &mut Vec<(usize, char)>| {
        if seen.insert((at, set.clone())) {
            queue.push_back((at, set, from.len()));
            from.push(source);
        }
    };
    add(0, machine.start(), (usize::MAX, ' '), &mut queue, &mut from);
    while let Some((at, set, itself)) = queue.pop_front() {
        if from.len() > MOST_STATES {
            return None;
        }
        let Some(piece) = text.get(at) else {
            let accepted = machine.accepted(&set, wanted + but);
            if !accepted[wanted..].contains(&true) {
                found.entry(accepted[..wanted].to_vec()).or_insert_with(|| spelled(&from, itself));
            }
            continue;
        };
        if piece.many {
            add(at + 1, set.clone(), from[itself], &mut queue, &mut from);
        }
        let after = if piece.many { at } else { at + 1 };
        // a character that nothing names here does what a stranger does, where there is one of its kind
        let here = if strangers.len() == 2 { &named(machine.at(&set).chain([piece])) } else { &all };
        for c in strangers.iter().chain(here).copied().filter(|c| piece.has(*c)) {
            add(after, machine.step(&set, c), (itself, c), &mut queue, &mut from);
        }
    }
    Some(found.into_iter().map(|(fits, example)| Class { example, fits }).collect())
}

/// The characters on the way to a state.
fn spelled(from: &[(usize, char)], state: usize) -> String {
    let mut chars = Vec::new();
    let mut at = state;
    while let Some((before, c)) = from.get(at).filter(|(before, _)| *before != usize::MAX) {
        chars.push(*c);
        at = *before;
    }
    chars.iter().rev().collect()
}

/// All patterns as one automaton; a state is the sorted list of points that are reached.
struct Machine<'p> {
    pieces: Vec<&'p [Piece]>,
    /// Where each pattern's points begin.
    offsets: Vec<u32>,
}

impl<'p> Machine<'p> {
    fn new(patterns: impl Iterator<Item = &'p [Piece]>) -> Self {
        let mut machine = Machine { pieces: Vec::new(), offsets: Vec::new() };
        let mut offset = 0;
        for pieces in patterns {
            machine.pieces.push(pieces);
            machine.offsets.push(offset);
            offset += u32::try_from(pieces.len()).unwrap_or(u32::MAX / 2) + 1;
        }
        machine
    }

    fn start(&self) -> Vec<u32> {
        let mut set = BTreeSet::new();
        for (pieces, offset) in self.pieces.iter().zip(&self.offsets) {
            enter(pieces, *offset, 0, &mut set);
        }
        set.into_iter().collect()
    }

    /// The pattern that a point belongs to, and the point in it.
    fn locate(&self, point: u32) -> (usize, usize) {
        let pattern = self.offsets.partition_point(|offset| *offset <= point).saturating_sub(1);
        (pattern, (point - self.offsets[pattern]) as usize)
    }

    /// The pieces that the points of a state wait for.
    fn at<'s>(&'s self, set: &'s [u32]) -> impl Iterator<Item = &'s Piece> {
        set.iter().filter_map(|point| {
            let (pattern, at) = self.locate(*point);
            self.pieces[pattern].get(at)
        })
    }

    fn step(&self, set: &[u32], c: char) -> Vec<u32> {
        let mut next = BTreeSet::new();
        for point in set {
            let (pattern, at) = self.locate(*point);
            if let Some(piece) = self.pieces[pattern].get(at).filter(|piece| piece.has(c)) {
                enter(self.pieces[pattern], self.offsets[pattern], if piece.many { at } else { at + 1 }, &mut next);
            }
        }
        next.into_iter().collect()
    }

    fn accepted(&self, set: &[u32], count: usize) -> Vec<bool> {
        let mut accepted = vec![false; count];
        for point in set {
            let (pattern, at) = self.locate(*point);
            accepted[pattern] |= at == self.pieces[pattern].len();
        }
        accepted
    }
}

/// Reaches a point, and those behind what stands for many and may stand for none.
fn enter(pieces: &[Piece], offset: u32, at: usize, set: &mut BTreeSet<u32>) {
    for point in at..=pieces.len() {
        set.insert(offset + u32::try_from(point).unwrap_or(u32::MAX / 2));
        if !pieces.get(point).is_some_and(|piece| piece.many) {
            break;
        }
    }
}

/// The characters that the pieces tell from others of their kind.
fn named<'p>(pieces: impl Iterator<Item = &'p Piece>) -> BTreeSet<char> {
    let mut own: BTreeSet<char> = BTreeSet::new();
    for piece in pieces {
        match piece.set {
            Set::Char(c) => {
                own.insert(c);
            }
            Set::Fold(c) => own.extend([c.to_ascii_lowercase(), c.to_ascii_uppercase()]),
            Set::NotColon => {
                own.insert(':');
            }
            Set::NotSlash => {
                own.insert('/');
            }
            Set::Any | Set::Digit => {}
        }
    }
    own
}

/// A digit and another character that are not among these; fewer if there are none.
fn strangers(own: &BTreeSet<char>) -> Vec<char> {
    let stranger = |from: &str| from.chars().find(|c| !own.contains(c));
    stranger("9876543210").into_iter().chain(stranger("xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW_~é§ß")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(test: Test, text: &str) -> Pattern {
        Pattern::read(test, text, true, &|_| Variable::Absent).unwrap()
    }

    fn found(shape: &Shape, patterns: &[&str]) -> Vec<(String, Vec<bool>)> {
        let patterns: Vec<Pattern> = patterns.iter().map(|text| pattern(Test::Like, text)).collect();
        let classes = classes(shape, &patterns.iter().collect::<Vec<_>>()).unwrap();
        classes.into_iter().map(|class| (class.example, class.fits)).collect()
    }

    #[test]
    fn patterns_that_together_are_everything_are_seen() {
        let digits: Vec<String> = (0..10).map(|digit| format!("{digit}*")).collect();
        let digits: Vec<&str> = digits.iter().map(String::as_str).collect();
        assert!(found(&Shape::account(), &digits).iter().all(|(_, fits)| fits.contains(&true)));
        let but_one = &digits[..9];
        assert!(
            found(&Shape::account(), but_one).iter().any(|(example, fits)| !fits.contains(&true) && example.starts_with('9'))
        );
        let stranger = Shape::account().but_text("111122223333");
        assert!(found(&stranger, &["111122223333"]).iter().all(|(_, fits)| fits == &[false]));
        assert!(found(&stranger, &["1111222233??"]).iter().any(|(example, fits)| fits == &[true] && example != "111122223333"));
        assert_eq!(found(&stranger, &["????????????"]).len(), 1);
        assert_eq!(found(&Shape::account().but("*"), &["*"]), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

        /// Every text of a shape is in the class that its patterns say, and every class's example is of the shape.
        #[test]
        fn no_text_of_a_shape_is_outside_its_classes(
            head in "[ab]{0,2}",
            tail in proptest::collection::vec((0..4_usize, any::<bool>()), 0..4),
            but in proptest::collection::vec("[ab1*?]{1,3}", 0..3),
            wanted in proptest::collection::vec("[aB1:*?]{0,4}", 0..4),
            texts in proptest::collection::vec("[abAB19:/]{0,5}", 40),
        ) {
            let mut shape = Shape::starting(head);
            for (set, many) in tail {
                let set = [Set::Any, Set::Digit, Set::NotColon, Set::NotSlash][set];
                shape = if many { shape.then(set) } else { shape.some(set) };
            }
            for but in &but {
                shape = shape.but(but);
            }
            for test in [Test::Equal, Test::Like, Test::IgnoringCase] {
                let patterns: Vec<Pattern> = wanted.iter().map(|text| pattern(test, text)).collect();
                let classes = classes(&shape, &patterns.iter().collect::<Vec<_>>()).unwrap();
                let fit = |text: &str| patterns.iter().map(|pattern| pattern.fits(text)).collect::<Vec<_>>();
                for class in &classes {
                    prop_assert!(shape.has(&class.example), "{:?}", class);
                    prop_assert_eq!(&fit(&class.example), &class.fits);
                }
                for text in texts.iter().map(|text| format!("{}{text}", shape.head)).filter(|text| shape.has(text)) {
                    let fits = fit(&text);
                    prop_assert!(classes.iter().any(|class| class.fits == fits), "{} {:?}", text, fits);
                }
            }
        }
    }
}
