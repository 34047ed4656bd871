//! Would a policy let a delivery in, whatever is not known? Yes, no, or it depends on what would have to be told.
//!
//! Takes a policy that may have holes and the requests of a delivery as a set; the evaluator judges them all at once. An answer
//! against a policy carries a request that shows it.

use super::{Configuration, Verdict as Judgement, finding, work::MOST_DENIALS};
use crate::{
    catalog::observed::DENIED,
    diagnostics::{Example, Finding, list},
    observed::{Bucket, hole, policy::PolicyDoc},
    policy::{
        Effect, Element, Policy, Principal, Statement,
        evaluate::{
            Prepared, Verdict,
            requests::{Holds, Requests, Value},
            witness::{Asker, Witness},
        },
    },
};
use std::borrow::Cow;

/// What a policy says of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of it is let in.
    Allowed,
    /// These statements shut some of it out, or all.
    Denied(Vec<Denial>),
    /// No statement lets it in, or none lets in all of it; with a request that is not let in.
    NotAllowed(Option<Witness>),
    /// It depends.
    Perhaps(Open),
}

/// A Deny that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// Index of the statement.
    pub statement: usize,
    /// A request that it shuts out.
    pub witness: Option<Witness>,
}

impl Denial {
    /// The finding at the statement, with what would let the delivery in.
    pub(super) fn finding(&self, doc: &PolicyDoc, message: String, label: &str) -> Finding {
        let place = doc.places.get(self.statement).map_or(doc.place, |places| places.whole);
        finding(&DENIED, place, message)
            .label(label)
            .help(why_denied(doc, self.statement))
            .example(self.witness.as_ref().map(example))
    }
}

/// On what it depends whether a delivery is let in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Open {
    /// May a Deny shut out what is let in? Else no statement lets it in for certain.
    pub by_deny: bool,
    /// The condition keys on which it turns, as the policy has them, each once.
    pub keys: Vec<String>,
    /// Has a statement on which it turns parts that are not known here, other than what the delivery has?
    pub has_holes: bool,
}

/// Keys of which each value comes up in some request: what turns on them is not unknown.
const TIMES: [&str; 2] = ["aws:CurrentTime", "aws:EpochTime"];

/// Asks a policy about a delivery.
pub(crate) fn ask(policy: &Policy, requests: &Requests<'_>) -> Answer {
    let prepared = Prepared::new(policy);
    let (mut denied, mut open) = (Vec::new(), Open::default());
    for (at, holds) in prepared.judge(Effect::Deny, requests) {
        let witness = || prepared.witness(requests, at, &|verdict| matches!(verdict, Verdict::Denied(_)));
        match holds {
            Holds::No => {}
            // the others come to light when these are mended
            _ if denied.len() >= MOST_DENIALS => break,
            Holds::Yes => denied.push(Denial { statement: at, witness: witness() }),
            Holds::Maybe => match of_some(&prepared, policy, at, requests).then(witness).flatten() {
                Some(witness) => denied.push(Denial { statement: at, witness: Some(witness) }),
                None => {
                    open.by_deny = true;
                    open.add(&prepared, policy, at, requests);
                }
            },
        }
    }
    if !denied.is_empty() {
        return Answer::Denied(denied);
    }
    let allows: Vec<(usize, Holds)> = prepared.judge(Effect::Allow, requests).collect();
    if allows.iter().any(|(_, holds)| *holds == Holds::Yes) {
        return if open.by_deny { Answer::Perhaps(open) } else { Answer::Allowed };
    }
    let perhaps: Vec<usize> = allows.iter().filter(|(_, holds)| *holds == Holds::Maybe).map(|(at, _)| *at).collect();
    // what lets in some of the keys that come up, or some of the time, does not let in all
    if perhaps.iter().all(|at| of_some(&prepared, policy, *at, requests)) {
        let refused = prepared.refused(requests);
        if perhaps.is_empty() || refused.is_some() {
            return Answer::NotAllowed(refused);
        }
    }
    if !open.by_deny {
        perhaps.iter().for_each(|at| open.add(&prepared, policy, *at, requests));
    }
    Answer::Perhaps(open)
}

/// Does a statement match some requests that come up, and not others? Not if what decides is unknown.
pub(super) fn of_some(prepared: &Prepared<'_>, policy: &Policy, at: usize, requests: &Requests<'_>) -> bool {
    let holes = |statement: &Statement| statement.resource.inner().iter().any(|resource| hole::has(resource));
    let is_open =
        policy.statements.get(at).is_none_or(holes) || matches!(&requests.resource, Value::Form(shape) if shape.is_open());
    let mut undecided = prepared.undecided(at, requests).into_iter();
    !is_open && undecided.all(|key| TIMES.iter().any(|time| time.eq_ignore_ascii_case(key)))
}

impl Open {
    fn add(&mut self, prepared: &Prepared<'_>, policy: &Policy, at: usize, requests: &Requests<'_>) {
        let undecided = prepared.undecided(at, requests);
        let known =
            |key: &str| match requests.keys.iter().find(|known| known.name.eq_ignore_ascii_case(key)).map(|known| &known.value) {
                Some(Some(Value::Text(text))) => text.clone(),
                _ => Cow::Borrowed(""),
            };
        let is_open = |statement: &Statement| match undecided.is_empty() {
            true => has_hole(statement),
            false => statement.condition.values().flatten().any(|(key, values)| {
                hole::has(key)
                    || undecided.contains(&key.as_str())
                        && values.iter().any(|value| hole::has(value) && !known(key).contains(value.as_str()))
            }),
        };
        self.has_holes |= policy.statements.get(at).is_some_and(is_open);
        for key in undecided {
            if !self.keys.iter().any(|known| known.eq_ignore_ascii_case(key)) && !hole::has(key) {
                self.keys.push(key.to_owned());
            }
        }
    }

    /// `; it turns on …`, or nothing if no condition key is the reason.
    pub(crate) fn words(&self, requests: &Requests<'_>) -> String {
        if self.keys.is_empty() {
            let why = if self.has_holes { "; parts of it are not known here" } else { "; it is for some of the keys alone" };
            return why.to_owned();
        }
        let mut words = format!("; it turns on {}", list(self.keys.iter().take(3).map(String::as_str)));
        let told = |key: &str| requests.keys.iter().find(|known| known.name.eq_ignore_ascii_case(key));
        let texts = self.keys.iter().filter_map(|key| match &told(key)?.value {
            Some(Value::Text(text)) if hole::has(text) => Some(hole::shown(text)),
            _ => None,
        });
        let texts: Vec<String> = texts.collect();
        let mut flags = Vec::new();
        let names = |what: &[&str]| texts.iter().any(|text| what.iter().any(|word| text.contains(word)));
        if names(&["AccountId", "${account"]) {
            flags.push("`--account`");
        }
        if names(&["AWS::Region", "${region", "${Region"]) {
            flags.push("`--region`");
        }
        if self.has_holes {
            words += ", and what the policy has there is not known here";
        } else if !flags.is_empty() {
            words += &format!(", which {} would settle", flags.join(" and "));
        } else if self.keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:sourceorg")) {
            words += ", which no input tells";
        } else if self.keys.iter().any(|key| told(key).is_none()) {
            words += ", of which AWS does not document what a delivery sends";
        }
        words
    }
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
        || statement.condition.iter().any(|(operator, keys)| {
            operator.starts_with("Fn::")
                || hole::has(operator)
                || keys.iter().any(|(key, values)| hole::has(key) || values.iter().any(|value| hole::has(value)))
        })
}

/// Does a statement name an action, in whatever case and with whatever wildcards? What is unknown does not.
pub(crate) fn does(statement: &Statement, action: &str) -> bool {
    let listed = statement
        .action
        .inner()
        .iter()
        .any(|pattern| crate::policy::evaluate::glob(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()));
    matches!(statement.action, Element::Is(_)) == listed
}

/// A request as findings show it: holes by their names.
pub(crate) fn example(witness: &Witness) -> Example {
    let text = |text: &String| hole::shown(text);
    let shown = Witness {
        principal: match &witness.principal {
            Asker::Service(name) => Asker::Service(text(name)),
            Asker::Iam(arn) => Asker::Iam(text(arn)),
            Asker::Anonymous => Asker::Anonymous,
        },
        action: witness.action.clone(),
        resource: text(&witness.resource),
        context: witness.context.iter().map(|(key, value)| (text(key), text(value))).collect(),
    };
    Example { words: shown.to_string(), json: serde_json::to_value(&shown).unwrap_or_default() }
}

/// Asks each policy that resources of one input set for a bucket: where they don't agree, nobody knows which one stands (S3 API
/// reference, PutBucketPolicy: each call replaces the whole policy).
pub(super) fn by_each(
    policy: &PolicyDoc,
    bucket: &Bucket,
    configuration: &mut Configuration,
    ask: &dyn Fn(&PolicyDoc, &mut Configuration),
) {
    if bucket.other_policies.is_empty() {
        return ask(policy, configuration);
    }
    let docs = std::iter::once(policy).chain(bucket.other_policies.iter().take(MOST_POLICIES));
    let judged: Vec<Configuration> = docs
        .map(|doc| {
            let mut one =
                Configuration { findings: Vec::new(), suppressed: Vec::new(), unknown: Vec::new(), ..configuration.clone() };
            ask(doc, &mut one);
            one
        })
        .collect();
    let all = |verdict: Judgement| judged.iter().all(|one| one.verdict() == verdict);
    if all(Judgement::Violation) {
        configuration.findings.extend(judged.into_iter().flat_map(|one| one.findings));
    } else if !all(Judgement::Ok) {
        let name = hole::shown(&bucket.name.value);
        configuration.doubt(format!(
            "{} resources set the policy of `{name}`, each replaces the others, and not all of them let the logs in",
            judged.len()
        ));
    }
}

/// Policies of one bucket that are asked.
const MOST_POLICIES: usize = 8;

/// Why a Deny hits a delivery, where it is one of the usual reasons.
fn why_denied(doc: &PolicyDoc, at: usize) -> &'static str {
    let Some(statement) = doc.policy.statements.get(at) else { return "" };
    let mut keys = statement.condition.values().flat_map(|keys| keys.keys()).map(|key| key.to_ascii_lowercase());
    let has = |words: &[&str]| statement.condition.keys().any(|operator| words.iter().any(|word| operator.contains(word)));
    if keys.any(|key| key.starts_with("s3:x-amz-server-side-encryption")) {
        "S3 sends no encryption header with its log objects; leave the statement out, the bucket's default encryption does the same"
    } else if statement.condition.is_empty() {
        "a Deny without a condition hits everybody; name whom it is for"
    } else if has(&["Not", "ForAllValues", "Null"]) {
        "a negated operator also holds where the key is absent, as it is for AWS services; add `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}` to the condition"
    } else {
        "the condition holds for log delivery, too; add `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}` to it"
    }
}
