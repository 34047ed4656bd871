//! How much work it may take to ask policies: an input may hold as many deliveries as statements, each to be held against each.
//!
//! Counts steps and never time: the same inputs are judged alike everywhere.

use crate::{
    observed::hole,
    policy::{Policy, Principal},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// Steps that all questions of a run may take, about a nanosecond each. A policy of 20,480 bytes, the longest that S3 takes, is
/// asked 12,000 times with these.
const MOST_STEPS: usize = 2_000_000_000;
/// Longest resource of a question, in bytes: twice the longest key with its bucket.
const LONGEST: usize = 4096;
/// Bytes of those patterns of a policy that may be tried at each place of a text. They are held against forms of texts, all at once, which
/// takes the more the more of them there are; a policy of 20,480 bytes that names sources by patterns has 3,000.
const MOST_TRIED: usize = 4_000;
/// Statements of one policy that are named as those that keep one delivery out; the others come to light when these are mended.
pub(super) const MOST_DENIALS: usize = 10;

/// The work that is left, for a run.
#[derive(Debug, Default)]
pub(crate) struct Work {
    taken: Cell<usize>,
}

/// What a question to a policy takes.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    /// Bytes of its texts, with some for each part.
    bytes: usize,
    /// Bytes of those patterns that may be tried at each place of a text.
    tried: usize,
    has_holes: bool,
}

impl Weight {
    fn of(policy: &Policy) -> Self {
        let mut weight = Weight::default();
        let mut add = |text: &str| {
            weight.bytes += text.len() + 16;
            weight.has_holes |= hole::has(text);
            // a star at the end takes the rest at once
            if text.trim_end_matches('*').contains('*') {
                weight.tried += text.len();
            }
        };
        for statement in &policy.statements {
            add(&statement.sid);
            if let Principal::Kinds(kinds) = statement.principal.inner() {
                kinds.iter().for_each(|(kind, names)| std::iter::once(kind).chain(names).for_each(|text| add(text)));
            }
            statement.action.inner().iter().chain(statement.resource.inner()).for_each(|text| add(text));
            for (key, values) in statement.condition.values().flatten() {
                std::iter::once(key).chain(values).for_each(|text| add(text));
            }
        }
        weight
    }
}

/// The weights of the policies that are asked, each found once, by address.
#[derive(Debug, Default)]
pub(super) struct Weights(RefCell<BTreeMap<*const Policy, Weight>>);

impl Weights {
    /// Takes the steps of a question about `resource`; false if it would be too long, or there are no steps left.
    pub(super) fn may_ask(&self, work: &Work, policy: &Policy, resource: &str) -> bool {
        let weight = *self.0.borrow_mut().entry(std::ptr::from_ref(policy)).or_insert_with(|| Weight::of(policy));
        // with holes pieces are held against pieces, 64 at once
        let pieces = if weight.has_holes || hole::has(resource) { resource.len() / 8 } else { 0 };
        let steps = weight.bytes.saturating_mul(8 + pieces).saturating_add(weight.tried.saturating_mul(resource.len()));
        if weight.tried > MOST_TRIED || resource.len() > LONGEST || work.taken.get().saturating_add(steps) > MOST_STEPS {
            return false;
        }
        work.taken.set(work.taken.get() + steps);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Effect, Element, Statement};

    fn policy(resources: Vec<String>) -> Policy {
        let statement = Statement {
            sid: String::new(),
            effect: Effect::Allow,
            principal: Element::Is(Principal::Any),
            action: Element::Is(vec!["s3:PutObject".to_owned()]),
            resource: Element::Is(resources),
            condition: Default::default(),
        };
        Policy::new(vec![statement])
    }

    /// How many questions about a resource a policy may be asked.
    fn questions(policy: &Policy, resource: &str) -> usize {
        let (work, weights) = (Work::default(), Weights::default());
        (0..20_000).take_while(|_| weights.may_ask(&work, policy, resource)).count()
    }

    #[test]
    fn real_policies_may_be_asked_often_and_hostile_ones_seldom() {
        let key = "arn:aws:s3:::acme-logs/s3-access/x";
        let full = policy((0..400).map(|number| format!("arn:aws:s3:::acme-logs/team-{number}/*")).collect());
        assert!(questions(&full, key) > 10_000);
        let long = policy((0..60_000).map(|number| format!("arn:aws:s3:::acme-logs/team-{number}/*")).collect());
        assert!((1..200).contains(&questions(&long, key)), "many resources");
        let starred = policy(vec![format!("arn:aws:s3:::acme-logs/*{}b", "a".repeat(1_000_000))]);
        assert_eq!(questions(&starred, key), 0, "a star that is tried at each place");
        let hole = format!("{key}{}", hole::hole("x", ""));
        assert!(questions(&full, &hole) < 20_000 && questions(&full, &hole) > 1_000, "a hole");
        assert_eq!(questions(&full, &"a".repeat(5000)), 0, "a key that no object has");
    }
}
