//! Texts and patterns as pieces: a character, a wildcard, or what a variable stands for.
//!
//! One form for both sides of a comparison: values of a policy, and texts of requests of which only the form is known.

use super::operators::Test;
use crate::hole;

/// Which characters may stand at one point of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Set {
    /// This one.
    Char(char),
    /// This one; the case of an ASCII letter does not matter.
    Fold(char),
    /// Any.
    Any,
    /// Any but a colon: a wildcard in one of the first five parts of an ARN.
    NotColon,
    /// Any but a slash: a part of a key.
    NotSlash,
    /// A digit.
    Digit,
}

impl Set {
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Set::Char(own) => own == c,
            Set::Fold(own) => own.eq_ignore_ascii_case(&c),
            Set::Any => true,
            Set::NotColon => c != ':',
            Set::NotSlash => c != '/',
            Set::Digit => c.is_ascii_digit(),
        }
    }
}

/// One piece: one character of a set, or any number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    pub(super) set: Set,
    /// Any number of them, none too.
    pub(super) many: bool,
}

impl Piece {
    pub(super) fn one(set: Set) -> Self {
        Piece { set, many: false }
    }

    pub(super) fn many(set: Set) -> Self {
        Piece { set, many: true }
    }

    /// May this character stand here? One of a hole's own is not the one character that a wildcard stands for.
    pub(super) fn has(self, c: char) -> bool {
        self.set.has(c) && (self.many || matches!(self.set, Set::Char(_) | Set::Fold(_)) || !hole::is_mark(c))
    }
}

/// A value of a policy, made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) pieces: Vec<Piece>,
    /// Does a text that fits the pieces pass for certain? Not if the pattern has a variable whose value is not known, nor if it
    /// is an ARN with fewer than six parts, of which IAM's documentation does not say what it means.
    pub(super) certain: bool,
}

/// What a policy variable stands for in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Variable {
    /// This text.
    Text(String),
    /// Nothing: the request has no such key.
    Absent,
    /// It is not known.
    Unknown,
}

impl Pattern {
    /// Takes a value of a policy apart. Gives nothing if no text passes: the value of an absent key equals none, nor is any like it
    /// (IAM user guide, "Policy variables with no value"). Without `variables` (policies of version 2008-10-17) `${` is text.
    pub(super) fn read(test: Test, text: &str, variables: bool, look_up: &dyn Fn(&str) -> Variable) -> Option<Self> {
        let mut reader = Reader { test, colons: 0, unsure: false, pieces: Vec::with_capacity(text.len()), certain: true };
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if variables
                && rest.starts_with("${")
                && let Some((variable, tail)) = rest[2..].split_once('}')
            {
                let (key, default) = variable.split_once(',').map_or((variable, None), |(key, default)| (key, Some(default)));
                match (key, default) {
                    ("*" | "?" | "$", None) => reader.literal(key),
                    _ => match (look_up(key.trim()), default) {
                        (Variable::Text(value), _) => reader.literal(&value),
                        (Variable::Absent, Some(default)) => reader.literal(default.trim().trim_matches('\'')),
                        (Variable::Absent, None) => return None,
                        (Variable::Unknown, _) => reader.unknown(),
                    },
                }
                rest = tail;
                continue;
            }
            reader.next(c);
            rest = &rest[c.len_utf8()..];
        }
        let whole = test != Test::ArnLike || reader.colons >= 5;
        Some(Pattern { pieces: reader.pieces, certain: reader.certain && whole })
    }

    /// The one text that fits, if it is one.
    pub(super) fn text(&self) -> Option<String> {
        let one = |piece: &Piece| match piece {
            Piece { set: Set::Char(c), many: false } => Some(*c),
            _ => None,
        };
        self.pieces.iter().map(one).collect()
    }

    /// Does a text fit?
    pub(super) fn fits(&self, text: &str) -> bool {
        fits(&self.pieces, text)
    }
}

struct Reader {
    test: Test,
    colons: usize,
    /// Has an unknown variable gone before? Then nobody knows in which part of an ARN we are.
    unsure: bool,
    pieces: Vec<Piece>,
    certain: bool,
}

impl Reader {
    fn next(&mut self, c: char) {
        let wildcards = matches!(self.test, Test::Like | Test::ArnLike);
        let set = if self.test == Test::ArnLike && self.colons < 5 && !self.unsure { Set::NotColon } else { Set::Any };
        match c {
            '*' if wildcards => self.pieces.push(Piece::many(set)),
            '?' if wildcards => self.pieces.push(Piece::one(set)),
            c => self.character(c),
        }
    }

    fn character(&mut self, c: char) {
        self.colons += usize::from(c == ':');
        self.pieces.push(Piece::one(if self.test == Test::IgnoringCase { Set::Fold(c) } else { Set::Char(c) }));
    }

    /// Text in which no wildcard counts.
    fn literal(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }

    fn unknown(&mut self) {
        self.pieces.push(Piece::many(Set::Any));
        (self.certain, self.unsure) = (false, true);
    }
}

/// Does a text fit these pieces?
pub(super) fn fits(pieces: &[Piece], text: &str) -> bool {
    let mut at = vec![false; pieces.len() + 1];
    at[0] = true;
    skip(pieces, &mut at);
    for c in text.chars() {
        let mut next = vec![false; pieces.len() + 1];
        for (from, piece) in pieces.iter().enumerate().filter(|(from, piece)| at[*from] && piece.has(c)) {
            next[if piece.many { from } else { from + 1 }] = true;
        }
        skip(pieces, &mut next);
        at = next;
    }
    at[pieces.len()]
}

/// What stands for many characters may stand for none.
fn skip(pieces: &[Piece], at: &mut [bool]) {
    for (from, piece) in pieces.iter().enumerate() {
        at[from + 1] |= at[from] && piece.many;
    }
}
