//! The evaluator: would a bucket policy let this request in? For the grammar that logmap writes and accepts.
//!
//! Takes a policy and a request with its context; gives the verdict and the statement that decides. An explicit Deny
//! wins; nothing said is a denial. Source: IAM user guide, "Policy evaluation logic" and "Condition operators".

mod operators;
mod values;

use super::{Effect, Element, Policy, Principal, Statement};
use indexmap::IndexMap;
use operators::{Operator, glob_with};
pub use operators::{glob, is_operator, operators};
pub(crate) use {operators::Test, values::Values};

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
    wanted: &'p [String],
    values: Values<'p>,
}

impl<'p> Prepared<'p> {
    /// Prepares a policy.
    pub fn new(policy: &'p Policy) -> Self {
        Prepared(policy.statements.iter().map(Ready::new).collect())
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

/// Does this statement by itself shut a request out?
pub fn denies(statement: &Statement, request: &Request<'_>) -> bool {
    statement.effect == Effect::Deny && Ready::new(statement).matches(request)
}

impl<'p> Ready<'p> {
    fn new(statement: &'p Statement) -> Self {
        let questions = |(operator, keys): (&'p String, &'p IndexMap<String, Vec<String>>)| {
            let operator = Operator::read(operator);
            keys.iter().map(move |(key, wanted)| Question::new(operator, key, wanted))
        };
        Ready {
            statement,
            resource: Values::new(Test::Like, strs(statement.resource.inner())),
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
        Caller::Iam { arn, account } => any("AWS", &|value| {
            value == "*" || value == arn || value == account || value.ends_with(&format!(":iam::{account}:root"))
        }),
    }
}

fn strs(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

impl<'p> Question<'p> {
    fn new(operator: Option<Operator>, key: &'p str, wanted: &'p [String]) -> Self {
        let values = Values::new(operator.map_or(Test::Absent, |operator| operator.test), strs(wanted));
        Question { key, operator, wanted, values }
    }

    fn holds(&self, request: &Request<'_>) -> bool {
        let Some(Operator { all_values, if_exists, negated, test }) = self.operator else { return false };
        let present = request.context.iter().filter(|(name, _)| name.eq_ignore_ascii_case(self.key)).map(|(_, value)| *value);
        let mut present = present.peekable();
        let absent = present.peek().is_none();
        if matches!(test, Test::Absent) {
            return self.wanted.iter().any(|want| want.eq_ignore_ascii_case("true") == absent);
        }
        if absent {
            // an absent key fails a positive operator and satisfies a negated one
            return if_exists || negated || all_values;
        }
        let one = |value: &str| self.values.any(value, request.context) != negated;
        if all_values || negated { present.all(one) } else { present.any(one) }
    }
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
        assert!(!Test::ArnLike.passes("arn:aws:s3:*", "arn:aws:s3:::x:y"), "a star must not swallow colons");
        assert!(Test::ArnLike.passes("arn:aws:s3:::team-*", "arn:aws:s3:::team-a"));
    }

    #[test]
    fn an_absent_key_satisfies_a_negated_operator_only() {
        let request = Request { principal: Caller::Service("s"), action: "a", resource: "r", context: &[] };
        let want = ["x".to_owned()];
        let holds = |operator: &str, want: &[String]| Question::new(Operator::read(operator), "k", want).holds(&request);
        assert!(!holds("StringEquals", &want));
        assert!(holds("StringNotEquals", &want));
        assert!(holds("StringEqualsIfExists", &want));
        assert!(holds("Null", &["true".to_owned()]));
        assert!(!holds("NoSuchOperator", &want));
    }
}
