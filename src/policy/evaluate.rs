//! The evaluator: would a bucket policy let this request in? For the grammar that logmap writes and accepts.
//!
//! Takes a policy and a request with its context; gives the verdict and the statement that decides. An explicit Deny
//! wins; nothing said is a denial. Source: IAM user guide, "Policy evaluation logic" and "Condition operators".
//!
//! [`requests`] asks the same of a set of requests: of every source, at every time, of whoever is a stranger.

pub(crate) mod actions;
mod callers;
pub(crate) mod instant;
mod operators;
mod pattern;
pub(crate) mod requests;
mod shape;
mod values;
pub mod witness;

use super::{Effect, Element, Policy, Principal, Statement, Version};
use crate::hole;
use indexmap::IndexMap;
use operators::{Operator, glob_with};
pub use operators::{glob, is_operator, operators};
pub use shape::Patience;
use {operators::Test, values::Values};
pub(crate) use {pattern::Set, shape::Shape};

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
    /// Somebody who signs nothing.
    Anonymous,
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

/// A policy made ready for many questions: its operators are read and its lists laid out once.
#[derive(Debug)]
pub struct Prepared<'p>(Vec<Ready<'p>>);

/// A statement made ready.
#[derive(Debug)]
struct Ready<'p> {
    statement: &'p Statement,
    resource: Values<'p>,
    conditions: Vec<Question<'p>>,
}

/// A condition key with its operator and values.
#[derive(Debug)]
struct Question<'p> {
    key: &'p str,
    /// None if AWS has no such operator: then nothing holds.
    operator: Option<Operator>,
    /// Is it not known which operator it is, as in a template?
    unread: bool,
    wanted: &'p [String],
    values: Values<'p>,
}

impl<'p> Prepared<'p> {
    /// Prepares a policy.
    pub fn new(policy: &'p Policy) -> Self {
        Self::with(policy, &Patience::default())
    }

    /// Prepares a policy of which questions may take so many steps; what takes more can't be told.
    pub fn with(policy: &'p Policy, patience: &Patience) -> Self {
        let variables = policy.version == Version::Newest;
        Prepared(policy.statements.iter().map(|statement| Ready::new(statement, variables, patience)).collect())
    }

    /// Asks about a request.
    pub fn ask(&self, request: &Request<'_>) -> Verdict<'p> {
        let mut allowed = None;
        for ready in self.0.iter().filter(|ready| ready.matches(request)) {
            match ready.statement.effect {
                Effect::Deny => return Verdict::Denied(ready.statement),
                Effect::Allow => {
                    allowed.get_or_insert(ready.statement);
                }
            }
        }
        allowed.map_or(Verdict::NotAllowed, Verdict::Allowed)
    }
}

/// Asks a policy about one request.
pub fn evaluate<'p>(policy: &'p Policy, request: &Request<'_>) -> Verdict<'p> {
    Prepared::new(policy).ask(request)
}

/// The Deny statements that shut a request out, by index.
pub fn shut_out(policy: &Policy, request: &Request<'_>) -> Vec<usize> {
    let prepared = Prepared::new(policy);
    let denies = |ready: &Ready<'_>| ready.statement.effect == Effect::Deny && ready.matches(request);
    prepared.0.iter().enumerate().filter(|(_, ready)| denies(ready)).map(|(at, _)| at).collect()
}

impl<'p> Ready<'p> {
    fn new(statement: &'p Statement, variables: bool, patience: &Patience) -> Self {
        let questions = |(operator, keys): (&'p String, &'p IndexMap<String, Vec<String>>)| {
            let unread = hole::has(operator) || operator.starts_with("Fn::");
            let operator = Operator::read(operator);
            keys.iter().map(move |(key, wanted)| {
                let question = Question::new(operator, key, wanted, variables);
                Question { unread, values: question.values.patient(patience), ..question }
            })
        };
        Ready {
            statement,
            resource: Values::new(Test::Like, strs(statement.resource.inner()), variables).patient(patience),
            conditions: statement.condition.iter().flat_map(questions).collect(),
        }
    }

    fn matches(&self, request: &Request<'_>) -> bool {
        let Statement { principal, action, resource, .. } = self.statement;
        // resources first: with a statement for each prefix they are what tells most statements apart
        resource.says(self.resource.any(request.resource, request.context))
            && principal.says(speaks_of(principal.inner(), request.principal))
            && action.says(action.inner().iter().any(|pattern| glob_with(pattern, request.action, true)))
            && self.conditions.iter().all(|question| question.holds(request))
    }
}

impl<T> Element<T> {
    /// Whether it matches, if its content does or doesn't.
    fn says(&self, content: bool) -> bool {
        matches!(self, Element::Is(_)) == content
    }
}

fn speaks_of(principal: &Principal, caller: Caller<'_>) -> bool {
    let Principal::Kinds(kinds) = principal else { return true };
    let any =
        |kind: &str, test: &dyn Fn(&str) -> bool| kinds.get(kind).is_some_and(|values| values.iter().any(|value| test(value)));
    match caller {
        Caller::Service(name) => any("Service", &|value| value == name) || any("AWS", &|value| value == "*"),
        Caller::Anonymous => any("AWS", &|value| value == "*"),
        Caller::Iam { arn, account } => any("AWS", &|value| {
            value == "*" || value == arn || value == account || value.ends_with(&format!(":iam::{account}:root"))
        }),
    }
}

fn strs(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

impl<'p> Question<'p> {
    fn new(operator: Option<Operator>, key: &'p str, wanted: &'p [String], variables: bool) -> Self {
        let values = Values::new(operator.map_or(Test::Absent, |operator| operator.test), strs(wanted), variables);
        Question { key, operator, unread: false, wanted, values }
    }

    fn holds(&self, request: &Request<'_>) -> bool {
        let Some(operator) = self.operator else { return false };
        let present = request.context.iter().filter(|(name, _)| name.eq_ignore_ascii_case(self.key)).map(|(_, value)| *value);
        let mut present = present.peekable();
        let absent = present.peek().is_none();
        if operator.test == Test::Absent {
            return self.wants_absent(absent);
        }
        if absent {
            return operator.of_absent();
        }
        let one = |value: &str| self.values.any(value, request.context) != operator.negated;
        if operator.every() { present.all(one) } else { present.any(one) }
    }

    /// What `Null` says of a key that is absent, or of one that is there.
    fn wants_absent(&self, absent: bool) -> bool {
        self.wanted.iter().any(|want| want.eq_ignore_ascii_case(if absent { "true" } else { "false" }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;

#[cfg(test)]
mod own_tests {
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
        assert!(!Test::ArnLike.passes("arn:aws:s3:*", "arn:aws:s3:::x:y"), "a star must not swallow colons");
        assert!(Test::ArnLike.passes("arn:aws:s3:::team-*", "arn:aws:s3:::team-a"));
    }

    #[test]
    fn operators_say_what_iam_documents() {
        let holds = |operator: &str, wanted: &[&str], values: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|want| (*want).to_owned()).collect();
            let context: Vec<(&str, &str)> = values.iter().map(|value| ("AWS:K", *value)).collect();
            let request = Request { principal: Caller::Service("s"), action: "a", resource: "r", context: &context };
            Question::new(Operator::read(operator), "aws:k", &wanted, true).holds(&request)
        };
        for (operator, wanted, values, expected) in [
            ("StringEquals", &["x"][..], &[][..], false),
            ("StringNotEquals", &["x"], &[], true),
            ("StringEqualsIfExists", &["x"], &[], true),
            ("Null", &["true"], &[], true),
            ("Null", &["true"], &["x"], false),
            ("NoSuchOperator", &["x"], &["x"], false),
            ("ForAnyValue:StringEquals", &["x"], &[], false),
            ("ForAnyValue:StringNotEquals", &["x"], &[], false),
            ("ForAllValues:StringEquals", &["x"], &[], true),
            ("ForAllValues:StringNotEquals", &["x"], &[], true),
            ("ForAnyValue:StringNotEquals", &["x"], &["x", "y"], true),
            ("ForAnyValue:StringNotEquals", &["x", "y"], &["x", "y"], false),
            ("ForAllValues:StringNotEquals", &["x"], &["x", "y"], false),
            ("ForAllValues:StringNotEquals", &["x"], &["y", "z"], true),
            ("ForAllValues:StringLike", &["x*"], &["x1", "x2"], true),
            ("ForAnyValue:StringLike", &["x*"], &["y", "x2"], true),
            ("StringNotEquals", &["x", "y"], &["y"], false),
            ("DateGreaterThan", &["2020-01-01T00:00:00Z"], &["2020-01-01T00:00:01Z"], true),
            ("DateGreaterThan", &["2020-01-01T00:00:00Z"], &["2020-01-01T00:30:00+01:00"], false),
            ("DateLessThan", &["1577836801"], &["2020-01-01"], true),
            ("DateEquals", &["2020-01-01"], &["2020-01-01T00:00:00Z"], true),
            ("DateNotEquals", &["2020-01-01"], &["2020-01-01T00:00:00Z"], false),
            ("DateLessThan", &["soon"], &["2020-01-01"], false),
            ("NumericLessThan", &["1.2"], &["1.19"], true),
            ("NumericLessThan", &["10"], &["9"], true),
            ("NumericEquals", &["inf"], &["inf"], false),
            ("NumericNotEquals", &["1"], &["1.0"], false),
            ("IpAddress", &["203.0.113.0/24"], &["203.0.113.9"], true),
            ("IpAddress", &["203.0.113.0/24"], &["203.0.114.9"], false),
            ("IpAddress", &["0.0.0.0/0"], &["2001:db8::1"], false),
            ("IpAddress", &["2001:db8::/32"], &["2001:db8:ffff::1"], true),
            ("IpAddress", &["::/0"], &["::1"], true),
            ("NotIpAddress", &["203.0.113.7"], &["203.0.113.7"], false),
            ("NotIpAddress", &["203.0.113.0/33"], &["203.0.113.7"], true),
            ("Bool", &["true"], &["TRUE"], true),
            ("StringEqualsIgnoreCase", &["x"], &["X"], true),
            ("BinaryEquals", &["QQ=="], &["QQ=="], true),
        ] {
            assert_eq!(holds(operator, wanted, values), expected, "{operator} {wanted:?} {values:?}");
        }
    }
}
