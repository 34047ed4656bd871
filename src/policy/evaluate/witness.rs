//! A witness: one request out of a set that shows what a policy does.
//!
//! Takes a set of requests and a statement, fills in what is open with values that the statements tell apart, and asks the
//! evaluator of single requests. What it does not confirm is no witness.

use super::{
    Caller, Prepared, Question, Ready, Request, Verdict,
    actions::{can_have, is_on_objects},
    operators::{Test, glob_with},
    requests::{Action, Asks, Holds, Key, Requests, Value, Who},
    values::Values,
};
use crate::policy::{Effect, Principal};
use serde::Serialize;
use std::fmt;

/// A request, with all that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Who asks.
    pub principal: Asker,
    /// Such as `s3:PutObject`.
    pub action: String,
    /// ARN of the bucket or object.
    pub resource: String,
    /// Condition keys with their values, in a fixed order.
    pub context: Vec<(String, String)>,
}

/// Who asks, in the words of a policy's principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Asker {
    /// A service's name.
    Service(String),
    /// An IAM principal's ARN.
    #[serde(rename = "AWS")]
    Iam(String),
    /// Somebody who signs nothing.
    Anonymous,
}

impl Witness {
    /// What a policy says of it.
    pub fn verdict<'p>(&self, prepared: &Prepared<'p>) -> Verdict<'p> {
        self.ask(|request| prepared.ask(request))
    }

    /// Hands it over as a request.
    fn ask<T>(&self, question: impl FnOnce(&Request<'_>) -> T) -> T {
        let context: Vec<(&str, &str)> = self.context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let principal = match &self.principal {
            Asker::Service(name) => Caller::Service(name),
            Asker::Iam(arn) => Caller::Iam { arn, account: account_of(arn) },
            Asker::Anonymous => Caller::Anonymous,
        };
        question(&Request { principal, action: &self.action, resource: &self.resource, context: &context })
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.principal {
            Asker::Service(who) | Asker::Iam(who) => write!(f, "{who}")?,
            Asker::Anonymous => write!(f, "an anonymous caller")?,
        }
        write!(f, " calls {} on {}", self.action, self.resource)?;
        for (at, (key, value)) in self.context.iter().enumerate() {
            write!(f, "{}{key}={value}", if at == 0 { " with " } else { ", " })?;
        }
        Ok(())
    }
}

fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// Most requests that are tried.
const MOST: usize = 3_000;

/// Actions that a witness names where a statement speaks of several; those on objects, then those on the bucket.
const OBJECT: [&str; 6] =
    ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectAcl", "s3:DeleteObjectVersion", "s3:GetObjectVersion"];
const BUCKET: [&str; 6] = [
    "s3:ListBucket",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:GetBucketPolicy",
    "s3:GetBucketAcl",
    "s3:PutLifecycleConfiguration",
];

impl<'p> Prepared<'p> {
    /// A request of the set that a statement matches and of which the policy says what is wanted.
    pub(crate) fn witness(
        &self,
        requests: &Requests<'_>,
        through: usize,
        wanted: &dyn Fn(&Verdict<'p>) -> bool,
    ) -> Option<Witness> {
        let statement = self.0.get(through)?;
        // a Deny that matches none of them comes between nothing
        let others = self.0.iter().filter(|ready| ready.statement.effect == Effect::Deny);
        let others = others.filter(|ready| !std::ptr::eq(*ready, statement) && requests.matched_by(ready) != Holds::No);
        let all: Vec<&Ready<'_>> = std::iter::once(statement).chain(others).collect();
        let search = Search { requests, statement, all };
        let mut choices: Vec<Choice> = vec![search.askers(), search.actions(), search.resources()];
        let names = search.names(&self.0);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        choices.extend(names.iter().map(|name| search.values(name)));
        if choices.iter().any(Vec::is_empty) {
            return None;
        }
        let mut at = vec![0; choices.len()];
        for _ in 0..MOST {
            let chosen: Vec<Option<&str>> = at.iter().zip(&choices).map(|(at, choice)| choice[*at].as_deref()).collect();
            if let Some(witness) = search.witness(&chosen, &names)
                && witness.ask(|request| statement.matches(request))
                && wanted(&witness.verdict(self))
            {
                return Some(witness);
            }
            // the next combination: the last choices turn first
            let turn = (0..at.len()).rev().find(|place| at[*place] + 1 < choices[*place].len())?;
            at[turn] += 1;
            at[turn + 1..].fill(0);
        }
        None
    }
}

impl<'p> Prepared<'p> {
    /// A request of the set that no statement lets in.
    pub(crate) fn refused(&self, requests: &Requests<'_>) -> Option<Witness> {
        let lists: Vec<(&[String], &Values<'_>)> =
            self.0.iter().map(|ready| (ready.statement.resource.inner().as_slice(), &ready.resource)).collect();
        let asked: Vec<super::requests::Listed<'_>> =
            lists.iter().map(|(wanted, values)| super::requests::Listed { test: Test::Like, wanted, values }).collect();
        let asked: Vec<&dyn Asks> = asked.iter().map(|listed| listed as &dyn Asks).collect();
        let resources = requests.cases(&requests.resource, &asked).or_else(|| requests.cases(&requests.resource, &[]))?;
        let (Who::Service(name), Action::Is(action)) = (&requests.who, requests.action) else { return None };
        let of_policy = self.0.iter().flat_map(|ready| ready.conditions.iter().map(|question| question.key));
        let mut names: Vec<&str> = vec!["aws:SourceArn", "aws:SourceAccount"];
        for name in of_policy {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        // what is not known is left out: no statement turns on it if the set is not let in
        let values: Vec<(&str, Choice)> = names.iter().map(|name| (*name, self.some_values(requests, name))).collect();
        let most = values.iter().map(|(_, choice)| choice.len()).max().unwrap_or(1).max(1);
        for (resource, _) in resources {
            for turn in 0..most {
                let context = values.iter().filter_map(|(name, choice)| {
                    let value = choice.get(turn.min(choice.len().saturating_sub(1)))?.clone()?;
                    Some(((*name).to_owned(), value))
                });
                let witness = Witness {
                    principal: Asker::Service((*name).to_owned()),
                    action: action.to_owned(),
                    resource: resource.clone(),
                    context: context.collect(),
                };
                if witness.verdict(self) == Verdict::NotAllowed {
                    return Some(witness);
                }
            }
        }
        None
    }

    /// Values of a key that requests of the set have.
    fn some_values(&self, requests: &Requests<'_>, name: &str) -> Choice {
        let Key { value, perhaps, .. } = requests.key(name);
        match value {
            Some(Value::Among(own)) => vec![Some((*own).to_owned())],
            Some(value) if !perhaps => {
                let questions: Vec<&Question<'_>> = self.0.iter().flat_map(|ready| &ready.conditions).collect();
                let asked: Vec<&dyn Asks> = questions
                    .iter()
                    .filter(|question| question.key.eq_ignore_ascii_case(name))
                    .map(|question| *question as &dyn Asks)
                    .collect();
                let cases = requests.cases(value, &asked).or_else(|| requests.cases(value, &[])).unwrap_or_default();
                cases.into_iter().map(|(example, _)| Some(example)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What one thing may be, best first; nothing stands for an absent key.
type Choice = Vec<Option<String>>;

struct Search<'s> {
    requests: &'s Requests<'s>,
    /// The statement that has to match.
    statement: &'s Ready<'s>,
    /// It, and all that might come between.
    all: Vec<&'s Ready<'s>>,
}

impl Search<'_> {
    /// The condition keys of which the policy speaks: no other changes what it says. Those of other statements are told if they
    /// are always there, so that nothing is missing from the request.
    fn names(&self, all: &[Ready<'_>]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let of_policy = self.all.iter().flat_map(|ready| ready.conditions.iter().map(|question| question.key));
        let others = all.iter().flat_map(|ready| ready.conditions.iter().map(|question| question.key));
        let known = others.filter(|name| {
            let key = self.requests.key(name);
            !key.perhaps && key.value.is_some()
        });
        for name in of_policy.chain(known) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn askers(&self) -> Choice {
        let arn = match &self.requests.who {
            Who::Service(name) => return vec![Some((*name).to_owned())],
            Who::Anonymous => return vec![None],
            Who::OtherServices(but) => {
                let services = self.all.iter().filter_map(|ready| match ready.statement.principal.inner() {
                    Principal::Kinds(kinds) => kinds.get("Service"),
                    Principal::Any => None,
                });
                let named = services.flatten().map(String::as_str).chain(["config.amazonaws.com", "sns.amazonaws.com"]);
                return named.filter(|name| !but.contains(name)).map(|name| Some(name.to_owned())).collect();
            }
            Who::Iam(arn) => arn,
        };
        let mut found: Choice = Vec::new();
        let name = "aws:PrincipalArn";
        let asked: Vec<&dyn Asks> = self.questions(name).map(|question| question as &dyn Asks).collect();
        found.extend(ranked(self.requests.cases(arn, &asked).unwrap_or_default(), self.first(name)));
        let named = self.all.iter().filter_map(|ready| match ready.statement.principal.inner() {
            Principal::Kinds(kinds) => kinds.get("AWS"),
            Principal::Any => None,
        });
        found.extend(named.flatten().filter(|value| value.starts_with("arn:")).map(|value| Some(value.clone())));
        // of the accounts that conditions tell apart
        let accounts = self.values("aws:PrincipalAccount").into_iter().flatten();
        let partition = self.requests.partition();
        found.extend(accounts.map(|account| Some(format!("arn:{partition}:iam::{account}:role/x"))));
        let possible = |found: &Option<String>| match (arn, found) {
            (Value::Text(own), Some(found)) => own == found,
            (Value::Form(shape), Some(found)) => shape.has(found),
            _ => true,
        };
        found.retain(possible);
        unique(found)
    }

    fn actions(&self) -> Choice {
        if let Action::Is(action) = self.requests.action {
            return vec![Some(action.to_owned())];
        }
        let action = &self.statement.statement.action;
        let says = |name: &str| {
            let listed = action.inner().iter().any(|pattern| glob_with(pattern, name, true));
            matches!(action, crate::policy::Element::Is(_)) == listed
                && !matches!(self.requests.action, Action::AnyBut(but) if but.eq_ignore_ascii_case(name))
        };
        let on_objects = match &self.requests.resource {
            Value::Form(_) => true,
            Value::Text(arn) => arn.contains('/'),
            _ => false,
        };
        // nobody calls an object's action on a bucket, or one that is a pattern
        let known = if on_objects { OBJECT } else { BUCKET }.into_iter();
        let named = action.inner().iter().map(String::as_str);
        let named = named.filter(|name| !name.contains(['*', '?']) && is_on_objects(name) == on_objects);
        unique(known.chain(named).filter(|name| says(name)).map(|name| Some(name.to_owned())).collect())
    }

    fn resources(&self) -> Choice {
        let lists: Vec<(&[String], &Values<'_>)> =
            self.all.iter().map(|ready| (ready.statement.resource.inner().as_slice(), &ready.resource)).collect();
        let asked: Vec<super::requests::Listed<'_>> =
            lists.iter().map(|(wanted, values)| super::requests::Listed { test: Test::Like, wanted, values }).collect();
        let asked: Vec<&dyn Asks> = asked.iter().map(|listed| listed as &dyn Asks).collect();
        let cases = self
            .requests
            .cases(&self.requests.resource, &asked)
            .or_else(|| self.requests.cases(&self.requests.resource, &asked[..1]));
        ranked(cases.unwrap_or_default(), 1)
    }

    fn questions<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q Question<'q>> {
        let questions = self.all.iter().flat_map(|ready| &ready.conditions);
        questions.filter(move |question| question.key.eq_ignore_ascii_case(name))
    }

    /// How many of the questions about a key are the statement's own: they come first.
    fn first(&self, name: &str) -> usize {
        self.statement.conditions.iter().filter(|question| question.key.eq_ignore_ascii_case(name)).count()
    }

    fn values(&self, name: &str) -> Choice {
        let Key { value, perhaps, .. } = self.requests.key(name);
        let questions: Vec<&Question<'_>> = self.questions(name).collect();
        let mut found: Choice = Vec::new();
        let absent = *perhaps || value.is_none();
        let own = self.first(name);
        if absent && questions.iter().take(own).all(|question| question.of_absent()) {
            found.push(None);
        }
        if let Some(value) = value {
            let asked: Vec<&dyn Asks> = questions.iter().map(|question| *question as &dyn Asks).collect();
            let together = self.requests.cases(value, &asked);
            let each = || asked.iter().flat_map(|one| self.requests.cases(value, &[*one]).unwrap_or_default());
            match value {
                Value::Among(own) => found.push(Some((*own).to_owned())),
                _ => match together {
                    Some(cases) => found.extend(ranked(cases, own)),
                    None => found.extend(each().map(|(example, _)| Some(example))),
                },
            }
            if found.is_empty() {
                // the questions can't be told apart; one of the values may do
                let any = self.requests.cases(value, &[]).unwrap_or_default();
                found.extend(any.into_iter().map(|(example, _)| Some(example)));
            }
        }
        if absent {
            found.push(None);
        }
        unique(found)
    }

    /// The request that is chosen; nothing if it contradicts itself.
    fn witness(&self, chosen: &[Option<&str>], names: &[&str]) -> Option<Witness> {
        let (asker, action, resource) = (chosen[0], chosen[1]?, chosen[2]?);
        let mut context: Vec<(String, String)> = Vec::new();
        for (name, value) in names.iter().zip(&chosen[3..]) {
            context.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        if context.iter().any(|(key, _)| !can_have(action, key)) {
            return None;
        }
        let principal = match (&self.requests.who, asker) {
            (Who::Service(_) | Who::OtherServices(_), Some(name)) => Asker::Service(name.to_owned()),
            (Who::Iam(_), Some(arn)) => Asker::Iam(arn.to_owned()),
            _ => Asker::Anonymous,
        };
        let own: [(&str, &str); 2] = match &principal {
            Asker::Iam(arn) => [("aws:PrincipalArn", arn.as_str()), ("aws:PrincipalAccount", account_of(arn))],
            Asker::Service(name) => [("aws:PrincipalServiceName", name.as_str()); 2],
            Asker::Anonymous => [("", ""); 2],
        };
        for (key, value) in own.into_iter().filter(|(key, _)| !key.is_empty()) {
            match context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
                Some((_, other)) if other != value => return None,
                Some(_) => {}
                // a key on which something turns was chosen to be absent
                None if names.iter().any(|name| name.eq_ignore_ascii_case(key)) => return None,
                None => context.push((key.to_owned(), value.to_owned())),
            }
        }
        Some(Witness { principal, action: action.to_owned(), resource: resource.to_owned(), context })
    }
}

impl Requests<'_> {
    /// The partition of what is asked about.
    fn partition(&self) -> &str {
        let arn = match &self.resource {
            Value::Text(arn) => arn,
            Value::Form(shape) => shape.head.as_str(),
            _ => "",
        };
        arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
    }
}

/// The examples, those first that the first questions say yes to.
fn ranked(cases: Vec<(String, Vec<Holds>)>, own: usize) -> Choice {
    let mut cases = cases;
    let worst = |says: &[Holds]| says.iter().take(own).min().copied().unwrap_or(Holds::Yes);
    cases.sort_by_key(|(example, says)| (std::cmp::Reverse(worst(says)), example.is_empty()));
    cases.into_iter().map(|(example, _)| Some(example)).collect()
}

fn unique(found: Choice) -> Choice {
    let mut kept: Choice = Vec::new();
    for one in found {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}
