//! The evaluator: would a bucket policy let this request in? For the grammar that logmap writes and accepts.
//!
//! Takes a policy and a request with its context; gives the verdict and the statement that decides. An explicit Deny
//! wins; nothing said is a denial. Source: IAM user guide, "Policy evaluation logic" and "Condition operators".

use super::{Condition, Effect, Element, Policy, Principal, Statement};
use std::borrow::Cow;

/// A request as AWS sees it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks: a service principal, or an IAM principal's ARN.
    pub principal: Caller<'a>,
    /// Such as `s3:PutObject`.
    pub action: &'a str,
    /// ARN of the bucket or object.
    pub resource: &'a str,
    /// Condition keys that are present, with their values.
    pub context: &'a [(&'a str, &'a str)],
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// An AWS service.
    Service(&'a str),
    /// An IAM principal: its ARN and its account.
    Iam {
        /// ARN.
        arn: &'a str,
        /// Twelve digits.
        account: &'a str,
    },
}

/// What the policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Let in by this statement.
    Allowed(&'a Statement),
    /// Shut out by this statement.
    Denied(&'a Statement),
    /// No statement speaks of it.
    NotAllowed,
}

/// Asks a policy about a request.
pub fn evaluate<'p>(policy: &'p Policy, request: &Request<'_>) -> Verdict<'p> {
    let mut allowed = None;
    for statement in policy.statements.iter().filter(|statement| matches(statement, request)) {
        match statement.effect {
            Effect::Deny => return Verdict::Denied(statement),
            Effect::Allow => {
                allowed.get_or_insert(statement);
            }
        }
    }
    allowed.map_or(Verdict::NotAllowed, Verdict::Allowed)
}

/// Does this statement by itself shut a request out?
pub fn denies(statement: &Statement, request: &Request<'_>) -> bool {
    statement.effect == Effect::Deny && matches(statement, request)
}

fn matches(statement: &Statement, request: &Request<'_>) -> bool {
    let element = |element: &Element<Vec<String>>, test: &dyn Fn(&str) -> bool| match element {
        Element::Is(list) => list.iter().any(|pattern| test(pattern)),
        Element::IsNot(list) => !list.iter().any(|pattern| test(pattern)),
    };
    let principal = match &statement.principal {
        Element::Is(principal) => speaks_of(principal, request.principal),
        Element::IsNot(principal) => !speaks_of(principal, request.principal),
    };
    principal
        && element(&statement.action, &|pattern| glob_with(pattern, request.action, true))
        && element(&statement.resource, &|pattern| glob(&substitute(pattern, request), request.resource))
        && conditions(&statement.condition, request)
}

fn speaks_of(principal: &Principal, caller: Caller<'_>) -> bool {
    let Principal::Kinds(kinds) = principal else { return true };
    let any =
        |kind: &str, test: &dyn Fn(&str) -> bool| kinds.get(kind).is_some_and(|values| values.iter().any(|value| test(value)));
    match caller {
        Caller::Service(name) => any("Service", &|value| value == name) || any("AWS", &|value| value == "*"),
        Caller::Iam { arn, account } => any("AWS", &|value| {
            value == "*" || value == arn || value == account || value.ends_with(&format!(":iam::{account}:root"))
        }),
    }
}

/// Every operator, every key: all must hold.
fn conditions(condition: &Condition, request: &Request<'_>) -> bool {
    condition.iter().all(|(operator, keys)| keys.iter().all(|(key, wanted)| holds(operator, key, wanted, request)))
}

fn holds(operator: &str, key: &str, wanted: &[String], request: &Request<'_>) -> bool {
    let mut present =
        request.context.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value).peekable();
    let (all_values, operator) = match operator.split_once(':') {
        Some(("ForAllValues", rest)) => (true, rest),
        Some(("ForAnyValue", rest)) => (false, rest),
        _ => (false, operator),
    };
    let (if_exists, operator) = operator.strip_suffix("IfExists").map_or((false, operator), |operator| (true, operator));
    if operator == "Null" {
        return wanted.iter().any(|want| want.eq_ignore_ascii_case("true") == present.peek().is_none());
    }
    let Some((negated, test)) = test(operator) else { return false };
    if present.peek().is_none() {
        // an absent key fails a positive operator and satisfies a negated one
        return if_exists || negated || all_values;
    }
    let one = |value: &str| wanted.iter().any(|want| test(&substitute(want, request), value)) != negated;
    if all_values || negated { present.all(one) } else { present.any(one) }
}

type Test = fn(&str, &str) -> bool;

/// Operators: name, whether it is a negated one, and the test that it makes or negates.
const OPERATORS: [(&str, bool, Test); 26] = [
    ("StringEquals", false, equal),
    ("StringNotEquals", true, equal),
    ("StringEqualsIgnoreCase", false, equal_ignoring_case),
    ("StringNotEqualsIgnoreCase", true, equal_ignoring_case),
    ("StringLike", false, glob),
    ("StringNotLike", true, glob),
    ("ArnEquals", false, arn_like),
    ("ArnNotEquals", true, arn_like),
    ("ArnLike", false, arn_like),
    ("ArnNotLike", true, arn_like),
    ("Bool", false, equal_ignoring_case),
    ("BinaryEquals", false, equal),
    ("NumericEquals", false, |want, have| numbers(want, have).is_some_and(|(want, have)| have == want)),
    ("NumericNotEquals", true, |want, have| numbers(want, have).is_some_and(|(want, have)| have == want)),
    ("NumericLessThan", false, |want, have| numbers(want, have).is_some_and(|(want, have)| have < want)),
    ("NumericLessThanEquals", false, |want, have| numbers(want, have).is_some_and(|(want, have)| have <= want)),
    ("NumericGreaterThan", false, |want, have| numbers(want, have).is_some_and(|(want, have)| have > want)),
    ("NumericGreaterThanEquals", false, |want, have| numbers(want, have).is_some_and(|(want, have)| have >= want)),
    ("DateEquals", false, equal),
    ("DateNotEquals", true, equal),
    ("DateLessThan", false, |want, have| have < want),
    ("DateLessThanEquals", false, |want, have| have <= want),
    ("DateGreaterThan", false, |want, have| have > want),
    ("DateGreaterThanEquals", false, |want, have| have >= want),
    ("IpAddress", false, in_network),
    ("NotIpAddress", true, in_network),
];

/// The test of an operator, and whether it is the negated one.
fn test(operator: &str) -> Option<(bool, Test)> {
    OPERATORS.iter().find(|(name, ..)| *name == operator).map(|(_, negated, test)| (*negated, *test))
}

/// Names of the condition operators, without suffixes and set prefixes.
pub fn operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, ..)| *name).chain(["Null"])
}

/// Is this the name of a condition operator, its suffix and set prefix included?
pub fn is_operator(operator: &str) -> bool {
    let operator = operator.strip_prefix("ForAllValues:").or_else(|| operator.strip_prefix("ForAnyValue:")).unwrap_or(operator);
    operator == "Null" || test(operator.strip_suffix("IfExists").unwrap_or(operator)).is_some()
}

fn equal(want: &str, have: &str) -> bool {
    want == have
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
    // a long list is looked through for each source, and most of its names differ before the first wildcard
    let (want, have) = (pattern.as_bytes(), arn.as_bytes());
    let alike = alike(want, have);
    if alike < want.len().min(have.len()) && !has_any(&want[..=alike], |byte| byte == b'*' || byte == b'?') {
        return false;
    }
    let (mut patterns, mut parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    (0..6).all(|_| matches!((patterns.next(), parts.next()), (Some(pattern), Some(part)) if glob(pattern, part)))
}

/// How many bytes two texts have in common at their beginning.
fn alike(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(16).zip(b.chunks_exact(16)).take_while(|(a, b)| a == b).count() * 16;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

/// Is there such a byte? Looks at all of a short text, which takes less time than to stop at the first.
fn has_any(text: &[u8], test: impl Fn(u8) -> bool) -> bool {
    text.iter().fold(false, |found, byte| found | test(*byte))
}

/// `*` is any text, `?` any one character; nothing else is special.
pub fn glob(pattern: &str, text: &str) -> bool {
    glob_with(pattern, text, false)
}

/// Like [`glob`]; with `fold` the case of ASCII letters does not matter. Works on bytes: no character of UTF-8 stands inside
/// another, and only `?` has to know where one ends.
fn glob_with(pattern: &str, text: &str, fold: bool) -> bool {
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

/// Fills in policy variables, `${key}` and `${key, 'default'}`; a variable without a value matches nothing.
fn substitute<'t>(text: &'t str, request: &Request<'_>) -> Cow<'t, str> {
    if !has_any(text.as_bytes(), |byte| byte == b'$') {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((variable, tail)) = after.split_once('}') else {
            return Cow::Borrowed(text);
        };
        let (key, default) = variable.split_once(',').map_or((variable, None), |(key, default)| (key, Some(default)));
        let value = request.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key.trim())).map(|(_, value)| *value);
        match (key, value, default) {
            ("*" | "?" | "$", _, _) => out.push_str(key),
            (_, Some(value), _) => out.push_str(value),
            (_, None, Some(default)) => out.push_str(default.trim().trim_matches('\'')),
            (_, None, None) => out.push('\0'),
        }
        rest = tail;
    }
    Cow::Owned(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_star_and_question_mark_only() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("[a]", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*", "b", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!arn_like("arn:aws:s3:*", "arn:aws:s3:::x:y"), "a star must not swallow colons");
        assert!(arn_like("arn:aws:s3:::team-*", "arn:aws:s3:::team-a"));
    }

    #[test]
    fn an_absent_key_satisfies_a_negated_operator_only() {
        let request = Request { principal: Caller::Service("s"), action: "a", resource: "r", context: &[] };
        let want = ["x".to_owned()];
        assert!(!holds("StringEquals", "k", &want, &request));
        assert!(holds("StringNotEquals", "k", &want, &request));
        assert!(holds("StringEqualsIfExists", "k", &want, &request));
        assert!(holds("Null", "k", &["true".to_owned()], &request));
        assert!(!holds("NoSuchOperator", "k", &want, &request));
    }
}
