//! Texts of which only the form is known: "an account but this one", "a log object's key, whatever the day".
//!
//! Takes a shape and patterns, and tells the classes of texts that the patterns tell apart, each with an example. The text is
//! read as an automaton beside those of all patterns at once, so the answer covers every text of the shape, not a sample.

use super::{
    operators::Test,
    pattern::{Pattern, Piece, Set, Variable, fits},
};
use crate::hole;
use indexmap::IndexMap;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

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

/// Steps that each question may take: twice what the hardest of real policies takes, and half a millisecond.
const STEPS_OF_A_QUESTION: usize = 50_000;

/// Steps that a question may take once one about the same list took too many.
const STEPS_OF_THE_NEXT: usize = 2_000;

/// Steps that all questions to one policy may take beyond [those of each](STEPS_OF_A_QUESTION): wildcards inside patterns can
/// double the states with each character, and a policy may be asked thousands of times. A step takes about ten nanoseconds.
///
/// Counts steps and never time: the same policy is judged alike everywhere.
#[derive(Debug)]
pub struct Patience {
    /// Those that are left for the policy.
    left: Arc<AtomicUsize>,
    /// Did a question about this list take too many?
    lost: AtomicBool,
}

impl Patience {
    /// Steps of a policy if nothing else is said.
    pub(crate) const MOST: usize = 2_000_000;

    /// So many steps for a policy.
    pub(crate) fn of(steps: usize) -> Self {
        Patience { left: Arc::new(AtomicUsize::new(steps)), lost: AtomicBool::new(false) }
    }

    /// That of one more list of the policy.
    pub(super) fn share(&self) -> Self {
        Patience { left: Arc::clone(&self.left), lost: AtomicBool::new(false) }
    }

    /// May a question that has taken `before` steps take `more`?
    fn may_take(&self, before: usize, more: usize) -> bool {
        let lost = self.lost.load(Ordering::Relaxed);
        if before + more <= if lost { STEPS_OF_THE_NEXT } else { STEPS_OF_A_QUESTION } {
            return true;
        }
        let less = |left: usize| left.checked_sub(more);
        let may = !lost && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        self.lost.fetch_or(!may, Ordering::Relaxed);
        may
    }
}

impl Default for Patience {
    fn default() -> Self {
        Patience::of(Patience::MOST)
    }
}

/// The classes of the shape's texts by which of the patterns they fit; nothing if that takes too many steps. No class means that
/// the shape has no text.
pub(super) fn classes(shape: &Shape, patterns: &[&Pattern], patience: &Patience) -> Option<Vec<Class>> {
    let text = shape.pieces();
    let (wanted, but) = (patterns.len(), shape.but.len());
    let machine =
        Machine::new(patterns.iter().map(|pattern| pattern.pieces.as_slice()).chain(shape.but.iter().map(Vec::as_slice)), &text);
    let mut found: BTreeMap<Vec<bool>, String> = BTreeMap::new();
    // states in the order in which they were reached, each with the one before and the character in between
    let mut reached: IndexMap<(usize, State), (usize, char)> = IndexMap::new();
    reached.insert((0, machine.start.clone()), (usize::MAX, ' '));
    let (mut steps, of_a_state) = (0, machine.columns.len() * (machine.many.len() + 4));
    let mut itself = 0;
    while let Some(((at, state), before)) = reached.get_index(itself) {
        if !patience.may_take(steps, of_a_state) {
            return None;
        }
        steps += of_a_state;
        let (at, before) = (*at, *before);
        if let Some(piece) = text.get(at) {
            let ways = machine.ways(state, *piece);
            if piece.many {
                let state = state.clone();
                reached.entry((at + 1, state)).or_insert(before);
            }
            let after = if piece.many { at } else { at + 1 };
            for (c, state) in ways {
                reached.entry((after, state)).or_insert((itself, c));
            }
        } else {
            let accepted = machine.accepted(state, wanted + but);
            if !accepted[wanted..].contains(&true) {
                found.entry(accepted[..wanted].to_vec()).or_insert_with(|| spelled(&reached, itself));
            }
        }
        itself += 1;
    }
    Some(found.into_iter().map(|(fits, example)| Class { example, fits }).collect())
}

/// The characters on the way to a state.
fn spelled(reached: &IndexMap<(usize, State), (usize, char)>, state: usize) -> String {
    let mut chars = Vec::new();
    let mut at = state;
    while let Some((_, (before, c))) = reached.get_index(at).filter(|(_, (before, _))| *before != usize::MAX) {
        chars.push(*c);
        at = *before;
    }
    chars.iter().rev().collect()
}

/// The points that are reached, one bit each.
type State = Vec<u64>;

/// All patterns as one automaton. A pattern has a point before each of its pieces and one behind the last.
struct Machine {
    start: State,
    /// Where each pattern's last point is.
    ends: Vec<usize>,
    /// The points before a piece that stands for many.
    many: State,
    /// The characters to be tried, with the points whose piece each may stand at.
    columns: Vec<(char, State)>,
}

impl Machine {
    fn new<'p>(patterns: impl Iterator<Item = &'p [Piece]>, text: &[Piece]) -> Self {
        let mut pieces: Vec<Option<Piece>> = Vec::new();
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for pattern in patterns {
            starts.push(pieces.len());
            pieces.extend(pattern.iter().copied().map(Some));
            ends.push(pieces.len());
            pieces.push(None);
        }
        let points = |has: &dyn Fn(&Piece) -> bool| -> State {
            let bits = |chunk: &[Option<Piece>]| {
                chunk
                    .iter()
                    .enumerate()
                    .filter(|(_, piece)| piece.as_ref().is_some_and(has))
                    .fold(0, |bits, (at, _)| bits | 1 << at)
            };
            pieces.chunks(64).map(bits).collect()
        };
        let own = named(text.iter().chain(pieces.iter().flatten()));
        let columns = strangers(&own).into_iter().chain(own).map(|c| (c, points(&|piece| piece.has(c)))).collect();
        let mut machine = Machine { start: Vec::new(), ends, many: points(&|piece| piece.many), columns };
        let mut start = vec![0; machine.many.len()];
        starts.into_iter().for_each(|point| start[point / 64] |= 1 << (point % 64));
        machine.start = machine.entered(start);
        machine
    }

    /// The states behind a character of the piece, each with one such character: those that lead to the same state are one.
    fn ways(&self, state: &State, piece: Piece) -> Vec<(char, State)> {
        let (mut met, mut ways): (Vec<u64>, Vec<(char, State)>) = (Vec::new(), Vec::new());
        for (c, column) in self.columns.iter().filter(|(c, _)| piece.has(*c)) {
            let known = met.len();
            met.extend(state.iter().zip(column).map(|(state, column)| state & column));
            let (before, this) = met.split_at(known);
            if before.chunks_exact(state.len().max(1)).any(|other| other == this) {
                met.truncate(known);
            } else {
                ways.push((*c, self.after(this)));
            }
        }
        ways
    }

    /// The state after a character that these points have met.
    fn after(&self, met: &[u64]) -> State {
        let mut carried = 0;
        let behind = met.iter().zip(&self.many).map(|(met, many)| {
            let on = met & !many;
            let next = met & many | on << 1 | carried;
            carried = on >> 63;
            next
        });
        let next = behind.collect();
        self.entered(next)
    }

    /// Reaches the points behind what stands for many and may stand for none, too.
    fn entered(&self, mut state: State) -> State {
        loop {
            let (mut carried, mut more) = (0, false);
            for (state, many) in state.iter_mut().zip(&self.many) {
                let skipped = *state & many;
                let behind = skipped << 1 | carried;
                carried = skipped >> 63;
                more |= behind & !*state != 0;
                *state |= behind;
            }
            if !more {
                return state;
            }
        }
    }

    fn accepted(&self, state: &State, count: usize) -> Vec<bool> {
        self.ends.iter().take(count).map(|end| state[end / 64] & (1 << (end % 64)) != 0).collect()
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
        let classes = classes(shape, &patterns.iter().collect::<Vec<_>>(), &Patience::default()).unwrap();
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
                let classes = classes(&shape, &patterns.iter().collect::<Vec<_>>(), &Patience::default()).unwrap();
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
