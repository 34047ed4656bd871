//! Condition operators: their names, and the test of one value that each makes or negates.

use super::instant;
use crate::hole;
use std::{cmp::Ordering, net::IpAddr};

/// Operators: name, whether it is a negated one, and the test that it makes or negates. Source: IAM user guide, "IAM JSON
/// policy elements: Condition operators".
const OPERATORS: [(&str, bool, Test); 27] = [
    ("StringEquals", false, Test::Equal),
    ("StringNotEquals", true, Test::Equal),
    ("StringEqualsIgnoreCase", false, Test::IgnoringCase),
    ("StringNotEqualsIgnoreCase", true, Test::IgnoringCase),
    ("StringLike", false, Test::Like),
    ("StringNotLike", true, Test::Like),
    ("ArnEquals", false, Test::ArnLike),
    ("ArnNotEquals", true, Test::ArnLike),
    ("ArnLike", false, Test::ArnLike),
    ("ArnNotLike", true, Test::ArnLike),
    ("Bool", false, Test::IgnoringCase),
    ("BinaryEquals", false, Test::Equal),
    ("NumericEquals", false, Test::Compare(Scale::Number, Is::Equal)),
    ("NumericNotEquals", true, Test::Compare(Scale::Number, Is::Equal)),
    ("NumericLessThan", false, Test::Compare(Scale::Number, Is::Less)),
    ("NumericLessThanEquals", false, Test::Compare(Scale::Number, Is::AtMost)),
    ("NumericGreaterThan", false, Test::Compare(Scale::Number, Is::More)),
    ("NumericGreaterThanEquals", false, Test::Compare(Scale::Number, Is::AtLeast)),
    ("DateEquals", false, Test::Compare(Scale::Date, Is::Equal)),
    ("DateNotEquals", true, Test::Compare(Scale::Date, Is::Equal)),
    ("DateLessThan", false, Test::Compare(Scale::Date, Is::Less)),
    ("DateLessThanEquals", false, Test::Compare(Scale::Date, Is::AtMost)),
    ("DateGreaterThan", false, Test::Compare(Scale::Date, Is::More)),
    ("DateGreaterThanEquals", false, Test::Compare(Scale::Date, Is::AtLeast)),
    ("IpAddress", false, Test::Network),
    ("NotIpAddress", true, Test::Network),
    ("Null", false, Test::Absent),
];

/// How a value of the request is held against one of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// Byte by byte.
    Equal,
    /// The case of ASCII letters does not matter.
    IgnoringCase,
    /// With wildcards.
    Like,
    /// With wildcards, part by part.
    ArnLike,
    /// As numbers or instants; what is none passes nothing.
    Compare(Scale, Is),
    /// The address is in the network.
    Network,
    /// Not at all: whether the key is there is what counts.
    Absent,
}

/// What two values are compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Integers and decimals.
    Number,
    /// Instants: ISO 8601, or seconds since 1970.
    Date,
}

/// How the request's value stands to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Test {
    /// Is a value of the policy a text or a pattern?
    pub(super) fn is_textual(self) -> bool {
        matches!(self, Test::Equal | Test::IgnoringCase | Test::Like | Test::ArnLike)
    }

    /// Does a value of the request pass, for a value of the policy without variables?
    pub(super) fn passes(self, want: &str, have: &str) -> bool {
        match self {
            Test::Equal => want == have,
            Test::IgnoringCase => want.eq_ignore_ascii_case(have),
            Test::Like => glob(want, have),
            Test::ArnLike => arn_like(want, have),
            Test::Compare(scale, is) => scale.order(have, want).is_some_and(|order| match is {
                Is::Equal => order.is_eq(),
                Is::Less => order.is_lt(),
                Is::AtMost => order.is_le(),
                Is::More => order.is_gt(),
                Is::AtLeast => order.is_ge(),
            }),
            Test::Network => Network::read(want).zip(have.parse().ok()).is_some_and(|(network, have)| network.has(have)),
            Test::Absent => false,
        }
    }
}

impl Scale {
    /// Which of the two comes first; nothing if one is not of this scale.
    fn order(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Scale::Number => number(a)?.partial_cmp(&number(b)?),
            Scale::Date => Some(instant::read(a)?.cmp(&instant::read(b)?)),
        }
    }
}

/// An operator, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub(super) quantifier: Option<Quantifier>,
    /// `…IfExists`.
    pub(super) if_exists: bool,
    /// `…Not…`.
    pub(super) negated: bool,
    pub(super) test: Test,
}

/// How many of a key's values have to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Any,
}

impl Operator {
    /// Takes an operator's name apart; nothing if AWS has none of this name.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (quantifier, name) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Quantifier::All), rest),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::Any), rest),
            _ => (None, name),
        };
        let (if_exists, name) = name.strip_suffix("IfExists").map_or((false, name), |name| (true, name));
        let (_, negated, test) = OPERATORS.iter().find(|(known, ..)| *known == name)?;
        Some(Operator { quantifier, if_exists, negated: *negated, test: *test })
    }

    /// What it says of a key that is absent. Source: IAM user guide, "Set operators for multivalued context keys" and
    /// "…IfExists condition operators".
    pub(super) fn of_absent(self) -> bool {
        self.if_exists
            || match self.quantifier {
                Some(Quantifier::All) => true,
                Some(Quantifier::Any) => false,
                None => self.negated,
            }
    }

    /// Do all values of a key have to pass, or one? A negated operator without a quantifier holds of none that matches.
    pub(super) fn every(self) -> bool {
        self.quantifier.map_or(self.negated, |quantifier| quantifier == Quantifier::All)
    }
}

/// Names of the condition operators, without suffixes and set prefixes.
pub fn operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, ..)| *name)
}

/// Is this the name of a condition operator, its suffix and set prefix included?
pub fn is_operator(name: &str) -> bool {
    Operator::read(name).is_some_and(|operator| !(operator.if_exists && matches!(operator.test, Test::Absent)))
}

/// A number as policies write them: an integer or a decimal, not `NaN` or `inf`.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E'));
    if plain { text.parse().ok() } else { None }
}

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    /// Its first address, as a number.
    pub(super) first: u128,
    /// Its last one.
    pub(super) last: u128,
    /// Of IPv6?
    pub(super) six: bool,
}

impl Network {
    /// Reads `203.0.113.0/24`, or one address.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let (number, six) = address_number(address.parse().ok()?);
        let width: u32 = if six { 128 } else { 32 };
        let bits = bits.map_or(Some(width), |bits| bits.parse().ok().filter(|bits| *bits <= width))?;
        let rest = u128::MAX.checked_shr(128 - (width - bits)).unwrap_or(0);
        Some(Network { first: number & !rest, last: number | rest, six })
    }

    pub(super) fn has(self, address: IpAddr) -> bool {
        let (number, six) = address_number(address);
        self.six == six && (self.first..=self.last).contains(&number)
    }
}

fn address_number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(four) => (u32::from(four).into(), false),
        IpAddr::V6(six) => (six.into(), true),
    }
}

/// ARNs part by part: a wildcard does not cross a colon of the first five.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    (0..6).all(|_| matches!((patterns.next(), parts.next()), (Some(pattern), Some(part)) if glob(pattern, part)))
}

/// `*` is any text, `?` any one character; nothing else is special.
pub fn glob(pattern: &str, text: &str) -> bool {
    glob_with(pattern, text, false)
}

/// Does a character of a hole stand here?
fn is_hole(text: &[u8], at: usize) -> bool {
    // all have four bytes; few others have
    text[at] >= 0xf0
        && text
            .get(at..at + 4)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .is_some_and(|text| text.chars().any(hole::is_mark))
}

/// Like [`glob`]; with `fold` the case of ASCII letters does not matter. Works on bytes: no character of UTF-8 stands inside
/// another, and only `?` has to know where one ends.
pub(super) fn glob_with(pattern: &str, text: &str, fold: bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |a: u8, b: u8| a == b || (fold && a.eq_ignore_ascii_case(&b));
    let width = |first: u8| if first < 0x80 { 1 } else { first.leading_ones() as usize };
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            // nobody knows how long what a hole stands for is
            Some(b'?') if !is_hole(text, t) => {
                p += 1;
                t += width(text[t]);
            }
            Some(byte) if same(*byte, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // let the last star take one byte more
                Some((at, taken)) => {
                    p = at + 1;
                    t = taken + 1;
                    star = Some((at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}
