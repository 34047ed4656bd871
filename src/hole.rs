//! Texts that are known in part. What nobody can know yet (a parameter, a generated name) is a hole with a name.
//!
//! A hole stands in a plain string, so that equal texts are equal strings: `logs-${AWS::AccountId}` is itself, whatever the
//! account. Two texts that differ may still be equal when one has a hole; [`same`] tells which.
//!
//! A hole is written in characters for private use alone, its name too: no text and no pattern of an input meets a part of one.
//! Readers hand over what they read by [`text`], so that such characters of an input are text and never a hole.

use std::{borrow::Cow, collections::BTreeMap};

/// Opens and closes a hole, and separates its name from what keeps it apart from a namesake; the last does so in the hole of a
/// bucket.
const MARKS: [char; 4] = ['\u{f0000}', '\u{f0001}', '\u{f0002}', '\u{f0003}'];
/// The bytes of a hole's name and scope begin here.
const BYTES: u32 = 0x10_0000;

/// Is this a character of which holes are made?
pub(crate) fn is_mark(c: char) -> bool {
    MARKS.contains(&c) || (BYTES..BYTES + 256).contains(&u32::from(c))
}

/// What an input says, without the characters of which holes are made.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    // they all have four bytes
    if text.bytes().any(|byte| byte >= 0xf0) && text.contains(is_mark) {
        return text.replace(is_mark, "\u{fffd}").into();
    }
    Cow::Borrowed(text)
}

/// Are two things the same?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Same {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// It depends on what a hole stands for.
    Maybe,
}

/// A hole. `scope` keeps holes of one name apart, such as parameters of two templates; people don't see it.
pub(crate) fn hole(name: &str, scope: &str) -> String {
    made(name, MARKS[2], scope)
}

/// The hole that stands for the name of a bucket which an input defines and does not name. Two such buckets of one scope have two
/// names.
pub(crate) fn bucket(name: &str, scope: &str) -> String {
    made(name, MARKS[3], scope)
}

fn made(name: &str, separator: char, scope: &str) -> String {
    let mut hole = String::from(MARKS[0]);
    let byte = |byte: u8| char::from_u32(BYTES + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER);
    hole.extend(shown(name).bytes().map(byte));
    hole.push(separator);
    hole.extend(shown(scope).bytes().map(byte));
    hole.push(MARKS[1]);
    hole
}

/// The bytes of a hole's name or scope, as text.
fn spelled(part: &str) -> String {
    let bytes: Vec<u8> = part.chars().filter_map(|c| u8::try_from(u32::from(c).checked_sub(BYTES)?).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Is something in the text unknown?
pub(crate) fn has(text: &str) -> bool {
    text.contains(MARKS[0])
}

/// Is the whole text the hole of a bucket that an input defines and does not name?
pub(crate) fn is_bucket(text: &str) -> bool {
    is_one(text) && text.contains(MARKS[3])
}

/// Is the whole text one hole?
pub(crate) fn is_one(text: &str) -> bool {
    text.starts_with(MARKS[0]) && text.find(MARKS[1]) == Some(text.len() - MARKS[1].len_utf8())
}

/// The parts of a text between separators, those in names of holes not counted.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == separator && !open {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        open = c == MARKS[0] || open && c != MARKS[1];
    }
    parts.push(&text[start..]);
    parts
}

/// The text as people see it: `${name}` for a hole.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARKS[0]) {
        out += before;
        let (hole, tail) = after.split_once(MARKS[1]).unwrap_or((after, ""));
        out += &format!("${{{}}}", spelled(hole.split([MARKS[2], MARKS[3]]).next().unwrap_or_default()));
        rest = tail;
    }
    out + rest
}

/// Are two texts equal, whatever the holes stand for?
pub(crate) fn same(a: &str, b: &str) -> Same {
    match a == b {
        true => Same::Yes,
        false if (has(a) || has(b)) && could_match(a, b, false) => Same::Maybe,
        false => Same::No,
    }
}

/// Pieces of a text that are held against each other: four times those of the longest key. Of longer ones anything could be.
const MOST_PIECES: usize = 4096;

/// Could a pattern match a text for some value of the holes in both? With `wildcards`, `*` and `?` of the pattern count.
pub(crate) fn could_match(pattern: &str, text: &str, wildcards: bool) -> bool {
    meet(&pieces(pattern, wildcards), &pieces(text, false))
}

/// Could two rows of pieces be one text?
pub(crate) fn meet(pattern: &[Piece<'_>], text: &[Piece<'_>]) -> bool {
    // equal holes are equal: what both begin and end with is taken off
    let fixed = |piece: &Piece<'_>| matches!(piece, Piece::Char(_) | Piece::Hole(_));
    let head = pattern.iter().zip(text).take_while(|(a, b)| a == b && fixed(a)).count();
    let (pattern, text) = (&pattern[head..], &text[head..]);
    if two_buckets(pattern, text) {
        return false;
    }
    let tail = pattern.iter().rev().zip(text.iter().rev()).take_while(|(a, b)| a == b && fixed(a)).count();
    overlap(&pattern[..pattern.len() - tail], &text[..text.len() - tail])
}

/// Do both go on with the name of a bucket that an input defines, and not with the same one?
fn two_buckets(a: &[Piece<'_>], b: &[Piece<'_>]) -> bool {
    // a name ends where the text does, or where a key begins
    let named = |pieces: &[Piece<'_>]| match pieces {
        [Piece::Hole(hole), rest @ ..] => {
            let (_, scope) = hole.split_once(MARKS[3])?;
            matches!(rest, [] | [Piece::Char('/'), ..]).then(|| scope.to_owned())
        }
        _ => None,
    };
    named(a).is_some_and(|scope| named(b) == Some(scope)) && a.first() != b.first()
}

/// A piece of a text or of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// This character.
    Char(char),
    /// Any one character.
    One,
    /// Any text.
    Many,
    /// A hole, by all that is between its marks.
    Hole(&'a str),
}

/// Takes a text apart; with `wildcards`, `*` and `?` are such.
pub(crate) fn pieces(text: &str, wildcards: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        // the end of a hole is looked for where one begins, not behind each character
        rest = match (c == MARKS[0]).then(|| after.split_once(MARKS[1])).flatten() {
            Some((hole, tail)) => {
                pieces.push(Piece::Hole(hole));
                tail
            }
            None => {
                pieces.push(match c {
                    '*' if wildcards => Piece::Many,
                    '?' if wildcards => Piece::One,
                    c => Piece::Char(c),
                });
                after
            }
        };
    }
    pieces
}

/// Is there a text that both could be? Yes, for all that is known, if both are too long to tell.
///
/// Goes over `a` piece by piece and keeps, as a set of bits, up to where in `b` the pieces so far may reach.
fn overlap(a: &[Piece<'_>], b: &[Piece<'_>]) -> bool {
    let many = |piece: &Piece<'_>| matches!(piece, Piece::Many | Piece::Hole(_));
    let (Some(first), Some(last)) = (a.first().zip(b.first()), a.last().zip(b.last())) else {
        return a.iter().chain(b).all(many);
    };
    // most texts differ where they begin or end
    let differ = |(x, y): (&Piece<'_>, &Piece<'_>)| matches!((x, y), (Piece::Char(x), Piece::Char(y)) if x != y);
    if differ(first) || differ(last) {
        return false;
    }
    // what stands for many twice in a row is the same as once
    let mut b = b.to_vec();
    b.dedup_by(|y, before| many(y) && many(before));
    if a.len() > MOST_PIECES || b.len() > MOST_PIECES {
        return true;
    }
    let where_in_b = |test: &dyn Fn(&Piece<'_>) -> bool| Bits::of(b.len() + 1, b.iter().map(test));
    let (many_of_b, fixed_of_b) = (where_in_b(&many), where_in_b(&|piece| !many(piece)));
    let mut of_char: BTreeMap<char, Bits> = BTreeMap::new();
    let mut row = Bits::start(b.len() + 1);
    row.spread_over(&many_of_b, &Bits::none(b.len() + 1));
    for x in a {
        row = match x {
            Piece::Many | Piece::Hole(_) => row.filled_up(b.len()),
            Piece::One => row.step(&fixed_of_b, &many_of_b),
            Piece::Char(c) => {
                let meets = of_char
                    .entry(*c)
                    .or_insert_with(|| where_in_b(&|piece| matches!(piece, Piece::One) || *piece == Piece::Char(*c)));
                row.step(meets, &many_of_b)
            }
        };
    }
    row.has(b.len())
}

/// A set of places in a text: place 0 is before its first piece, place 1 behind it.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn none(places: usize) -> Self {
        Bits(vec![0; places.div_ceil(64)])
    }

    /// The place before everything.
    fn start(places: usize) -> Self {
        let mut bits = Bits::none(places);
        bits.set(0);
        bits
    }

    /// The places behind those pieces that are marked.
    fn of(places: usize, marked: impl Iterator<Item = bool>) -> Self {
        let mut bits = Bits::none(places);
        marked.enumerate().filter(|(_, is)| *is).for_each(|(at, _)| bits.set(at + 1));
        bits
    }

    fn set(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// All places from the first one on.
    fn filled_up(&self, last: usize) -> Self {
        let mut bits = Bits::none(last + 1);
        if let Some(first) = (0..=last).find(|place| self.has(*place)) {
            (first..=last).for_each(|place| bits.set(place));
        }
        bits
    }

    /// After one more piece that stands for one character: it `meets` pieces of the text, or lies within one of `many`.
    fn step(&self, meets: &Bits, many: &Bits) -> Self {
        let mut next = Bits(self.behind().zip(&meets.0).map(|(behind, meets)| behind & meets).collect());
        next.spread_over(many, self);
        next
    }

    /// Adds the pieces of `many` that begin or end at one of these places, or at one of those that were `before`.
    fn spread_over(&mut self, many: &Bits, before: &Bits) {
        let reached: Vec<u64> = self.behind().zip(before.behind()).zip(&before.0).map(|((a, b), c)| a | b | c).collect();
        for ((word, reached), many) in self.0.iter_mut().zip(reached).zip(&many.0) {
            *word |= reached & many;
        }
    }

    /// The places behind these, word by word.
    fn behind(&self) -> impl Iterator<Item = u64> {
        let carried = std::iter::once(0).chain(self.0.iter().map(|word| word >> 63));
        self.0.iter().zip(carried).map(|(word, carry)| word << 1 | carry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_holes_are_equal_and_others_may_be() {
        let (account, other) = (hole("AWS::AccountId", "0"), hole("AWS::AccountId", "1"));
        let name = |account: &str, end: &str| format!("logs-{account}-{end}");
        for (a, b, expected) in [
            ("abc".to_owned(), "abc".to_owned(), Same::Yes),
            ("abc".to_owned(), "abd".to_owned(), Same::No),
            (name(&account, "a"), name(&account, "a"), Same::Yes),
            (name(&account, "a"), name(&account, "b"), Same::No),
            (name(&account, "a"), name(&other, "a"), Same::Maybe),
            (name(&account, "a"), "logs-111122223333-a".to_owned(), Same::Maybe),
            (name(&account, "a"), "other".to_owned(), Same::No),
            (account.clone(), String::new(), Same::Maybe),
        ] {
            assert_eq!(same(&a, &b), expected, "{} {}", shown(&a), shown(&b));
            assert_eq!(same(&b, &a), expected, "{} {}", shown(&b), shown(&a));
        }
        assert_eq!(shown(&name(&account, "a")), "logs-${AWS::AccountId}-a");
        assert_eq!(shown(&hole(&hole("Map", "1"), "0")), "${${Map}}");
        assert!(is_one(&account) && !is_one(&name(&account, "")) && !has("abc"));
    }

    #[test]
    fn two_buckets_of_one_template_are_two() {
        let (web, logs, elsewhere) = (bucket("Web", "0"), bucket("Logs", "0"), bucket("Web", "1"));
        assert_eq!(same(&web, &logs), Same::No);
        assert_eq!(same(&web, &elsewhere), Same::Maybe, "templates may share a bucket by an import");
        assert_eq!(same(&web, &hole("Web", "0")), Same::Maybe);
        let key = |bucket: &str, rest: &str| format!("arn:aws:s3:::{bucket}{rest}");
        assert!(!could_match(&key(&web, "/*"), &key(&logs, "/x"), true));
        assert!(could_match(&key(&web, "*"), &key(&logs, "/x"), true), "one name may begin with the other");
        assert!(could_match(&key(&web, "-logs/*"), &key(&logs, "/x"), true));
        assert_eq!(shown(&web), "${Web}");
    }

    #[test]
    fn what_an_input_says_is_no_hole() {
        let hostile = format!("a{}b", hole("x", "0"));
        assert!(!has(&text(&hostile)) && !text(&hostile).contains(is_mark), "{:?}", text(&hostile));
        assert_eq!(text("aé\u{1f600}"), "aé\u{1f600}");
        // nothing that an input can say meets a part of a hole
        assert!(!hole("eu-west-1", "0").contains("eu-west-1"));
    }

    /// Each pair of short texts over few pieces, against what trying each end of each hole gives.
    #[test]
    fn the_answer_is_that_of_trying_everything() {
        fn tried(a: &[Piece<'_>], b: &[Piece<'_>]) -> bool {
            let many = |piece: &Piece<'_>| matches!(piece, Piece::Many | Piece::Hole(_));
            match (a, b) {
                ([], []) => true,
                ([x, rest @ ..], _) if many(x) && tried(rest, b) => true,
                (_, [y, rest @ ..]) if many(y) && tried(a, rest) => true,
                ([x, rest_a @ ..], [y, rest_b @ ..]) => match (many(x), many(y)) {
                    (true, true) => false,
                    (true, false) => tried(a, rest_b),
                    (false, true) => tried(rest_a, b),
                    (false, false) => (x == y || *x == Piece::One || *y == Piece::One) && tried(rest_a, rest_b),
                },
                _ => false,
            }
        }
        let alphabet = [Piece::Char('a'), Piece::Char('b'), Piece::One, Piece::Many, Piece::Hole("h")];
        let texts: Vec<Vec<Piece<'_>>> = (0..=4u32)
            .flat_map(|length| (0..5usize.pow(length)).map(move |number| (length, number)))
            .map(|(length, number)| (0..length).map(|at| alphabet[number / 5usize.pow(at) % 5]).collect())
            .collect();
        for a in &texts {
            for b in texts.iter().filter(|b| b.len() < 4) {
                assert_eq!(overlap(a, b), tried(a, b), "{a:?} {b:?}");
            }
        }
        // over the edge of a word
        let long = |length: usize, last: Piece<'static>| -> Vec<Piece<'_>> {
            (0..length).map(|_| Piece::Char('a')).chain([last]).collect()
        };
        for length in [62, 63, 64, 65, 127, 128, 129] {
            assert!(overlap(&long(length, Piece::Many), &long(length + 3, Piece::Char('b'))), "{length}");
            assert!(!overlap(&long(length, Piece::One), &long(length + 3, Piece::Many)), "{length}");
            assert!(overlap(&long(length, Piece::One), &long(length - 3, Piece::Hole("h"))), "{length}");
        }
    }

    #[test]
    fn of_texts_that_are_too_long_anything_may_be() {
        let text = |begin: &str, end: &str| format!("{begin}{}{end}", "a".repeat(400_000));
        let (one, other) = (hole("One", "0"), hole("Other", "0"));
        assert_eq!(same(&text(&one, ""), &text("x", &other)), Same::Maybe);
        assert_eq!(same(&text(&one, "b"), &text(&other, "c")), Same::No, "the ends differ");
        assert_eq!(same(&text("", "b"), &text("", "c")), Same::No);
    }

    #[test]
    fn patterns_may_match_texts_with_holes() {
        let bucket = format!("arn:aws:s3:::{}", hole("Logs", ""));
        assert!(could_match(&format!("{bucket}/s3/*"), &format!("{bucket}/s3/{}x", hole("Source", "")), true));
        assert!(!could_match(&format!("{bucket}/alb/*"), &format!("{bucket}/s3/x"), true));
        assert!(could_match("arn:aws:s3:::acme-*", &bucket, true));
        assert!(!could_match("arn:aws:sqs:*", &bucket, true));
        assert!(could_match("a?c", "abc", true) && !could_match("a?c", "abc", false));
    }
}
