//! Condition operators: their names, and the test of one value that each makes or negates.

/// Operators: name, whether it is a negated one, and the test that it makes or negates.
const OPERATORS: [(&str, bool, Test); 27] = [
    ("StringEquals", false, Test::Equal),
    ("StringNotEquals", true, Test::Equal),
    ("StringEqualsIgnoreCase", false, Test::Other(equal_ignoring_case)),
    ("StringNotEqualsIgnoreCase", true, Test::Other(equal_ignoring_case)),
    ("StringLike", false, Test::Like),
    ("StringNotLike", true, Test::Like),
    ("ArnEquals", false, Test::ArnLike),
    ("ArnNotEquals", true, Test::ArnLike),
    ("ArnLike", false, Test::ArnLike),
    ("ArnNotLike", true, Test::ArnLike),
    ("Bool", false, Test::Other(equal_ignoring_case)),
    ("BinaryEquals", false, Test::Equal),
    ("NumericEquals", false, Test::Other(|want, have| numbers(want, have).is_some_and(|(want, have)| have == want))),
    ("NumericNotEquals", true, Test::Other(|want, have| numbers(want, have).is_some_and(|(want, have)| have == want))),
    ("NumericLessThan", false, Test::Other(|want, have| numbers(want, have).is_some_and(|(want, have)| have < want))),
    ("NumericLessThanEquals", false, Test::Other(|want, have| numbers(want, have).is_some_and(|(want, have)| have <= want))),
    ("NumericGreaterThan", false, Test::Other(|want, have| numbers(want, have).is_some_and(|(want, have)| have > want))),
    ("NumericGreaterThanEquals", false, Test::Other(|want, have| numbers(want, have).is_some_and(|(want, have)| have >= want))),
    ("DateEquals", false, Test::Equal),
    ("DateNotEquals", true, Test::Equal),
    ("DateLessThan", false, Test::Other(|want, have| have < want)),
    ("DateLessThanEquals", false, Test::Other(|want, have| have <= want)),
    ("DateGreaterThan", false, Test::Other(|want, have| have > want)),
    ("DateGreaterThanEquals", false, Test::Other(|want, have| have >= want)),
    ("IpAddress", false, Test::Other(in_network)),
    ("NotIpAddress", true, Test::Other(in_network)),
    ("Null", false, Test::Absent),
];

/// How a value of the request is held against one of the policy.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Test {
    /// Byte by byte.
    Equal,
    /// With wildcards.
    Like,
    /// With wildcards, part by part.
    ArnLike,
    /// In another way: the policy's value, then the request's.
    Other(fn(&str, &str) -> bool),
    /// Not at all: whether the key is there is what counts.
    Absent,
}

impl Test {
    /// Does a value of the request pass, for a value of the policy whose variables are filled in?
    pub(super) fn passes(self, want: &str, have: &str) -> bool {
        match self {
            Test::Equal => want == have,
            Test::Like => glob(want, have),
            Test::ArnLike => arn_like(want, have),
            Test::Other(test) => test(want, have),
            Test::Absent => false,
        }
    }
}

/// An operator, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator {
    /// `ForAllValues:`.
    pub(super) all_values: bool,
    /// `…IfExists`.
    pub(super) if_exists: bool,
    /// `…Not…`.
    pub(super) negated: bool,
    pub(super) test: Test,
}

impl Operator {
    /// Takes an operator's name apart; nothing if AWS has none of this name.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (all_values, name) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (true, rest),
            Some(("ForAnyValue", rest)) => (false, rest),
            _ => (false, name),
        };
        let (if_exists, name) = name.strip_suffix("IfExists").map_or((false, name), |name| (true, name));
        let (_, negated, test) = OPERATORS.iter().find(|(known, ..)| *known == name)?;
        Some(Operator { all_values, if_exists, negated: *negated, test: *test })
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

fn equal_ignoring_case(want: &str, have: &str) -> bool {
    want.eq_ignore_ascii_case(have)
}

fn numbers(want: &str, have: &str) -> Option<(f64, f64)> {
    Some((want.parse().ok()?, have.parse().ok()?))
}

fn in_network(want: &str, have: &str) -> bool {
    use std::net::IpAddr;
    let (network, bits) = want.split_once('/').map_or((want, None), |(network, bits)| (network, Some(bits)));
    let (Ok(network), Ok(have)) = (network.parse::<IpAddr>(), have.parse::<IpAddr>()) else { return false };
    let mask = |bits: Option<&str>, most: u32| bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most));
    match (network, have) {
        (IpAddr::V4(a), IpAddr::V4(b)) => mask(bits, 32).is_some_and(|bits| {
            u32::from(a).checked_shr(32 - bits).unwrap_or(0) == u32::from(b).checked_shr(32 - bits).unwrap_or(0)
        }),
        (IpAddr::V6(a), IpAddr::V6(b)) => mask(bits, 128).is_some_and(|bits| {
            u128::from(a).checked_shr(128 - bits).unwrap_or(0) == u128::from(b).checked_shr(128 - bits).unwrap_or(0)
        }),
        _ => false,
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
            Some(b'?') => {
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
