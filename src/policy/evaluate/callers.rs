//! Who asks, held against the principals of a statement.

use super::{
    Ready,
    operators::Test,
    requests::{Holds, Listed, Requests, Value, Who, one_of, signed},
    strs,
    values::Values,
};
use crate::{
    aws::arn,
    hole,
    policy::{Effect, Element, Principal},
};

impl Requests<'_> {
    pub(super) fn caller_in(&self, ready: &Ready<'_>) -> Holds {
        let Principal::Kinds(kinds) = ready.statement.principal.inner() else {
            return signed(&ready.statement.principal, Holds::Yes);
        };
        let values = |kind: &str| kinds.get(kind).map_or(&[][..], Vec::as_slice);
        let everybody = kinds.values().flatten().any(|value| value == "*");
        let one = match &self.who {
            _ if values("AWS").iter().any(|value| value == "*") => Holds::Yes,
            Who::Service(name) if values("Service").iter().any(|value| value == name) => Holds::Yes,
            // what stands for a whole principal may be this one, or everybody
            _ if kinds.values().flatten().any(|value| could_be_anybody(value)) => Holds::Maybe,
            Who::Service(name) => {
                let could = |value: &String| hole::has(value) && hole::could_match(value, name, false);
                if values("Service").iter().any(could) { Holds::Maybe } else { Holds::No }
            }
            // what has no such name is no service
            Who::OtherServices(but) => {
                let other = |value: &String| value == "*" || value.ends_with(".amazonaws.com") && !but.contains(&value.as_str());
                if values("Service").iter().any(other) { Holds::Maybe } else { Holds::No }
            }
            // what kinds of callers this would let in is not documented
            _ if everybody => Holds::Maybe,
            Who::Anonymous => Holds::No,
            // who comes through an identity provider of everybody's is not known: `cognito-identity.amazonaws.com` names no account
            Who::Iam(_) if values("Federated").iter().any(|value| arn::parse(value).is_none()) => Holds::Maybe,
            Who::Iam(_) if values("AWS").is_empty() => Holds::No,
            // a session, or a unique id that nobody here knows, may well be the caller's
            Who::Iam(arn)
                if ready.statement.effect == Effect::Deny && values("AWS").iter().any(|value| self.may_be(value, arn)) =>
            {
                Holds::Maybe
            }
            Who::Iam(arn) if matches!(ready.statement.principal, Element::IsNot(_)) => self.iam_out(arn, values("AWS")),
            Who::Iam(arn) => self.iam_in(arn, values("AWS")),
        };
        signed(&ready.statement.principal, one)
    }

    /// Is a principal with such an ARN among those named? A unique id or a canonical id names a principal that nobody here knows.
    fn iam_in(&self, arn: &Value<'_>, named: &[String]) -> Holds {
        let patterns: Vec<String> = named.iter().map(|value| principals_like(value)).collect();
        let values = Values::new(Test::ArnLike, patterns.iter().map(String::as_str), false);
        one_of(&self.cases(arn, &[&Listed { test: Test::ArnLike, wanted: &patterns, values: &values }]))
    }

    /// Could a value under `AWS` name a session of this role, or this principal by its unique id? Prefixes of ids: IAM user guide, "IAM
    /// identifiers"; a session's ARN has the role's name without its path.
    fn may_be(&self, value: &str, arn: &Value<'_>) -> bool {
        let Some(session) = arn::parse(value) else {
            let is_id = ["AROA", "AIDA"].iter().any(|kind| value.starts_with(kind));
            return is_id && !matches!(&self.key("aws:userid").value, Some(Value::Text(own)) if !own.starts_with(value));
        };
        let Value::Text(own) = arn else { return session.service == "sts" };
        let named = session.resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
        arn::parse(own).is_some_and(|own| {
            own.account == session.account && own.resource.starts_with("role/") && own.resource.rsplit('/').next() == named
        })
    }

    /// Is a principal with such an ARN excepted by these in a `NotPrincipal`? For certain only if both it and its account are named:
    /// without the account "the policy might deny access to the entire account", and the account by itself excepts no user or role of it.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
    fn iam_out(&self, arn: &Value<'_>, named: &[String]) -> Holds {
        let (accounts, principals): (Vec<&String>, Vec<&String>) =
            named.iter().partition(|value| principals_like(value) != **value);
        let accounts: Vec<String> = accounts.into_iter().map(|value| principals_like(value)).collect();
        let principals: Vec<String> = principals.into_iter().cloned().collect();
        let values = |list| Values::new(Test::ArnLike, strs(list), false);
        let (of_accounts, of_principals) = (values(&accounts), values(&principals));
        let accounts = Listed { test: Test::ArnLike, wanted: &accounts, values: &of_accounts };
        let principals = Listed { test: Test::ArnLike, wanted: &principals, values: &of_principals };
        let excepted = |says: Vec<Holds>| match (says.iter().min(), says.iter().max()) {
            (Some(Holds::Yes), _) => Holds::Yes,
            (_, Some(Holds::No) | None) => Holds::No,
            _ => Holds::Maybe,
        };
        let cases = self.cases(arn, &[&accounts, &principals]);
        one_of(&cases.map(|cases| cases.into_iter().map(|(example, says)| (example, vec![excepted(says)])).collect()))
    }
}

/// Could what stands for a whole principal be everybody, or a service? Not an ARN that a template asks for, nor its account.
fn could_be_anybody(value: &str) -> bool {
    hole::is_one(value) && {
        let shown = hole::shown(value);
        !shown.ends_with(".Arn}") && shown != "${AWS::AccountId}"
    }
}

/// A pattern of the ARNs of the principals that a value under `AWS` names; an account stands for all of its own.
fn principals_like(value: &str) -> String {
    let account = match arn::parse(value) {
        Some(arn) if arn.resource == "root" => arn.account,
        Some(_) => return value.to_owned(),
        None => value,
    };
    format!("arn:*:*::{account}:*")
}
