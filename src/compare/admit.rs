//! Would a policy that is known in part let a request in? Yes, no, or it depends on what nobody knows yet.
//!
//! Where neither policy nor request has holes, the one evaluator answers. Else each element of a statement is asked by
//! itself: equal holes are equal, and what could be equal makes the answer a maybe.

use crate::{
    observed::hole,
    policy::{
        Effect, Element, Policy, Principal, Statement,
        evaluate::{Caller, Request, Verdict, evaluate, shut_out as shut},
    },
};
use indexmap::IndexMap;

/// What a policy says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is let in.
    Allowed,
    /// These statements shut it out, by index.
    Denied(Vec<usize>),
    /// No statement lets it in.
    NotAllowed,
    /// It depends on these statements.
    Perhaps(Vec<usize>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    No,
    Maybe,
    Yes,
}

/// Asks a policy about a request; both may have holes.
pub(crate) fn ask(policy: &Policy, request: &Request<'_>) -> Answer {
    let open = hole::has(request.resource) || request.context.iter().any(|(_, value)| hole::has(value));
    if !open && !policy.statements.iter().any(has_hole) {
        return match evaluate(policy, request) {
            Verdict::Allowed(_) => Answer::Allowed,
            Verdict::NotAllowed => Answer::NotAllowed,
            Verdict::Denied(_) => Answer::Denied(shut(policy, request)),
        };
    }
    let judged: Vec<(usize, Effect, Holds)> =
        policy.statements.iter().enumerate().map(|(at, statement)| (at, statement.effect, matches(statement, request))).collect();
    let which = |effect: Effect, holds: Holds| -> Vec<usize> {
        judged.iter().filter(|(_, e, h)| *e == effect && *h == holds).map(|(at, ..)| *at).collect()
    };
    let (denied, perhaps_denied) = (which(Effect::Deny, Holds::Yes), which(Effect::Deny, Holds::Maybe));
    let (allowed, perhaps_allowed) = (which(Effect::Allow, Holds::Yes), which(Effect::Allow, Holds::Maybe));
    if !denied.is_empty() {
        Answer::Denied(denied)
    } else if allowed.is_empty() && perhaps_allowed.is_empty() {
        Answer::NotAllowed
    } else if allowed.is_empty() {
        Answer::Perhaps(perhaps_allowed)
    } else if !perhaps_denied.is_empty() {
        Answer::Perhaps(perhaps_denied)
    } else {
        Answer::Allowed
    }
}

/// Which Deny statements shut a request out, whatever is allowed; and which may.
pub(crate) fn shut_out(policy: &Policy, request: &Request<'_>) -> (Vec<usize>, Vec<usize>) {
    let which = |wanted: Holds| {
        let statements = policy.statements.iter().enumerate().filter(|(_, statement)| statement.effect == Effect::Deny);
        statements.filter(|(_, statement)| matches(statement, request) == wanted).map(|(at, _)| at).collect()
    };
    (which(Holds::Yes), which(Holds::Maybe))
}

/// Is something in the statement unknown?
pub(crate) fn has_hole(statement: &Statement) -> bool {
    let principals = match statement.principal.inner() {
        Principal::Any => false,
        Principal::Kinds(kinds) => kinds.values().flatten().any(|value| hole::has(value)),
    };
    let mut texts = statement.action.inner().iter().chain(statement.resource.inner());
    principals
        || texts.any(|text| hole::has(text))
        || statement
            .condition
            .values()
            .flatten()
            .any(|(key, values)| hole::has(key) || values.iter().any(|value| hole::has(value)))
}

fn matches(statement: &Statement, request: &Request<'_>) -> Holds {
    let mut holds = principal(statement, request)
        .min(list(&statement.action, request.action, true, &|text| one(request, Part::Action(text))))
        .min(list(&statement.resource, request.resource, true, &|text| one(request, Part::Resource(text))));
    for (operator, keys) in &statement.condition {
        for (key, values) in keys {
            if holds == Holds::No {
                return holds;
            }
            holds = holds.min(condition(request, operator, key, values));
        }
    }
    holds
}

/// One part of a statement, to be asked by itself.
enum Part<'a> {
    Action(&'a str),
    Resource(&'a str),
    Condition(&'a str, &'a str, &'a [String]),
}

/// Does the part match, all holes taken as they stand? The evaluator knows; everything else in the statement is open.
fn one(request: &Request<'_>, part: Part<'_>) -> bool {
    let any = || Element::Is(vec!["*".to_owned()]);
    let mut alone = Statement {
        sid: String::new(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::Any),
        action: any(),
        resource: any(),
        condition: IndexMap::new(),
    };
    match part {
        Part::Action(text) => alone.action = Element::Is(vec![text.to_owned()]),
        Part::Resource(text) => alone.resource = Element::Is(vec![text.to_owned()]),
        Part::Condition(operator, key, values) => {
            let keys = IndexMap::from([(key.to_owned(), values.to_vec())]);
            alone.condition = IndexMap::from([(operator.to_owned(), keys)]);
        }
    }
    matches!(evaluate(&Policy::new(vec![alone]), request), Verdict::Allowed(_))
}

fn list(element: &Element<Vec<String>>, text: &str, wildcards: bool, certainly: &dyn Fn(&str) -> bool) -> Holds {
    let of = |pattern: &String| {
        if certainly(pattern) {
            Holds::Yes
        } else if (hole::has(pattern) || hole::has(text)) && hole::could_match(pattern, text, wildcards) {
            Holds::Maybe
        } else {
            Holds::No
        }
    };
    let best = element.inner().iter().map(of).max().unwrap_or(Holds::No);
    match (element, best) {
        (Element::Is(_), best) => best,
        (Element::IsNot(_), Holds::Yes) => Holds::No,
        (Element::IsNot(_), Holds::No) => Holds::Yes,
        (Element::IsNot(_), Holds::Maybe) => Holds::Maybe,
    }
}

fn principal(statement: &Statement, request: &Request<'_>) -> Holds {
    let best = match statement.principal.inner() {
        Principal::Any => Holds::Yes,
        Principal::Kinds(kinds) => {
            let (kind, name) = match request.principal {
                Caller::Service(name) => ("Service", name),
                Caller::Iam { arn, .. } => ("AWS", arn),
                Caller::Anonymous => ("AWS", "*"),
            };
            let values = kinds.get(kind).into_iter().flatten().chain(kinds.get("AWS").into_iter().flatten());
            let of = |value: &String| match value == name || value == "*" {
                true => Holds::Yes,
                false if hole::is_one(value) => Holds::Maybe,
                false if hole::same(value, name) == hole::Same::Maybe => Holds::Maybe,
                false => Holds::No,
            };
            values.map(of).max().unwrap_or(Holds::No)
        }
    };
    match (&statement.principal, best) {
        (Element::Is(_), best) => best,
        (Element::IsNot(_), Holds::Yes) => Holds::No,
        (Element::IsNot(_), Holds::No) => Holds::Yes,
        (Element::IsNot(_), Holds::Maybe) => Holds::Maybe,
    }
}

fn condition(request: &Request<'_>, operator: &str, key: &str, values: &[String]) -> Holds {
    if hole::has(key) || hole::has(operator) || operator.starts_with("Fn::") {
        return Holds::Maybe;
    }
    let holds = one(request, Part::Condition(operator, key, values));
    let present: Vec<&str> =
        request.context.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value).collect();
    if present.is_empty() || operator == "Null" {
        return if holds { Holds::Yes } else { Holds::No };
    }
    let base = operator.rsplit(':').next().unwrap_or(operator);
    let base = base.strip_suffix("IfExists").unwrap_or(base);
    let negated = base.contains("Not");
    let wildcards = base.contains("Like") || base.starts_with("Arn");
    // a hole may stand for what would turn the answer over: a match that is not seen
    let unseen = present.iter().any(|have| {
        !values.iter().any(|want| want == have)
            && values.iter().any(|want| (hole::has(want) || hole::has(have)) && hole::could_match(want, have, wildcards))
    });
    match (holds, negated, unseen) {
        (true, false, _) => Holds::Yes,
        (false, true, _) => Holds::No,
        (_, _, true) => Holds::Maybe,
        (true, true, false) => Holds::Yes,
        (false, false, false) => Holds::No,
    }
}
