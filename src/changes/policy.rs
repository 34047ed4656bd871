//! Changes of one policy: which statements come, go or differ, in what, and whether access gets wider or narrower by it.
//!
//! Statements are paired by what they say before their Sids, which are numbered and shift. For a renamed log bucket the
//! old policy is read as if it were about the new name: what the name alone changes is no difference.

use super::reach::{Reach, compare};
use crate::{
    plan::LogBucket,
    policy::{Condition, Effect, Element, Policy, Principal, Statement},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How the policy of a log bucket differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyChange {
    /// Name of the log bucket, the new one.
    pub log_bucket: String,
    /// What the statements together do to access.
    pub access: Access,
    /// The statements that differ.
    pub statements: Vec<StatementChange>,
    /// What to know: another tier, patterns and what they admit.
    pub notes: Vec<String>,
}

/// What a change does to access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// More requests get in than before, and none less.
    Widens,
    /// Fewer requests get in, and none more.
    Narrows,
    /// Some get in that did not, others no longer do.
    Both,
    /// It can't be told from the text alone.
    Unclear,
    /// Nothing but names and order.
    Same,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatementChange {
    /// Its Sid; may be empty.
    pub sid: String,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// What happens to it.
    pub change: StatementKind,
    /// What that does to access.
    pub access: Access,
    /// What differs in it; all it says, if it comes or goes.
    pub elements: Vec<ElementChange>,
}

/// What happens to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatementKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
}

/// One element of a statement, such as `Resource` or `Condition ArnLike aws:SourceArn`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ElementChange {
    /// Name of the element, such as `Resource` or `Condition ArnLike aws:SourceArn`.
    pub element: String,
    /// Values that come.
    pub added: Vec<String>,
    /// Values that go.
    pub removed: Vec<String>,
}

impl Access {
    fn of(effect: Effect, reach: Reach) -> Self {
        match (reach.wider, reach.narrower, reach.unclear) {
            (_, _, true) => Access::Unclear,
            (true, true, _) => Access::Both,
            (false, false, _) => Access::Same,
            (wider, _, _) => {
                if wider == (effect == Effect::Allow) {
                    Access::Widens
                } else {
                    Access::Narrows
                }
            }
        }
    }

    fn and(self, other: Access) -> Access {
        match (self, other) {
            (Access::Same, other) | (other, Access::Same) => other,
            (Access::Unclear, _) | (_, Access::Unclear) => Access::Unclear,
            (one, other) if one == other => one,
            _ => Access::Both,
        }
    }
}

type Alike<'a> = &'a dyn Fn(&Statement, &Statement) -> bool;

/// Compares the policies of a bucket and of itself or its successor.
pub(super) fn between(old: &LogBucket, new: &LogBucket) -> Option<PolicyChange> {
    let about = renamed(&old.policy, &old.arn, &new.arn);
    let statements = statements(&about, &new.policy);
    let notes = notes(old, new);
    if statements.is_empty() && notes.is_empty() && about == new.policy {
        return None;
    }
    let access = statements.iter().fold(Access::Same, |access, change| access.and(change.access));
    Some(PolicyChange { log_bucket: new.name.clone(), access, statements, notes })
}

/// The statements in which two policies of one bucket differ.
pub(crate) fn statements(old: &Policy, new: &Policy) -> Vec<StatementChange> {
    let mut rest: Vec<&Statement> = new.statements.iter().collect();
    let mut gone: Vec<&Statement> = old.statements.iter().collect();
    let mut pairs: Vec<(Option<&Statement>, Option<&Statement>)> = Vec::new();
    let alike: [Alike<'_>; 4] = [
        &|a, b| a == b,
        &says_the_same,
        &|a, b| a.effect == b.effect && a.principal == b.principal && a.action == b.action && a.resource == b.resource,
        &|a, b| !a.sid.is_empty() && a.sid == b.sid && a.effect == b.effect,
    ];
    for alike in alike {
        gone.retain(|statement| match rest.iter().position(|other| alike(statement, other)) {
            Some(at) => {
                pairs.push((Some(statement), Some(rest.remove(at))));
                false
            }
            None => true,
        });
    }
    pairs.extend(gone.into_iter().map(|statement| (Some(statement), None)));
    pairs.extend(rest.into_iter().map(|statement| (None, Some(statement))));
    pairs.into_iter().filter_map(|(old, new)| statement(old, new)).collect()
}

/// The order of statements and their Sids decide nothing.
fn says_the_same(a: &Statement, b: &Statement) -> bool {
    a.effect == b.effect
        && a.principal == b.principal
        && a.action == b.action
        && a.resource == b.resource
        && a.condition == b.condition
}

fn renamed(policy: &Policy, old: &str, new: &str) -> Policy {
    if old == new {
        return policy.clone();
    }
    let name = |text: &mut String| {
        if text == old || text.strip_prefix(old).is_some_and(|rest| rest.starts_with('/')) {
            text.replace_range(..old.len(), new);
        }
    };
    let mut policy = policy.clone();
    for statement in &mut policy.statements {
        let (Element::Is(resources) | Element::IsNot(resources)) = &mut statement.resource;
        resources.iter_mut().for_each(name);
    }
    policy
}

fn notes(old: &LogBucket, new: &LogBucket) -> Vec<String> {
    let mut notes = Vec::new();
    if old.report.tier != new.report.tier {
        notes.push(format!("the policy admitted {}, and now admits {}", old.report.tier.phrase(), new.report.tier.phrase()));
    }
    notes.extend(new.report.notes.iter().filter(|note| !old.report.notes.contains(note)).cloned());
    notes
}

fn statement(old: Option<&Statement>, new: Option<&Statement>) -> Option<StatementChange> {
    let one = new.or(old)?;
    let (change, reach) = match (old, new) {
        (Some(old), Some(new)) if says_the_same(old, new) => return None,
        (Some(old), Some(new)) => (StatementKind::Changed, compare(old, new)),
        (None, _) => (StatementKind::Added, Reach { wider: true, ..Reach::default() }),
        _ => (StatementKind::Removed, Reach { narrower: true, ..Reach::default() }),
    };
    let elements = elements(old, new);
    // the same values in another order
    if change == StatementKind::Changed && elements.is_empty() {
        return None;
    }
    Some(StatementChange {
        sid: one.sid.clone(),
        effect: if one.effect == Effect::Allow { "Allow" } else { "Deny" },
        change,
        access: Access::of(one.effect, reach),
        elements,
    })
}

fn elements(old: Option<&Statement>, new: Option<&Statement>) -> Vec<ElementChange> {
    let (was, is) = (old.map(parts).unwrap_or_default(), new.map(parts).unwrap_or_default());
    let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let none = Vec::new();
    let difference = |a: &[String], b: &[String]| a.iter().filter(|value| !b.contains(value)).cloned().collect::<Vec<_>>();
    names
        .into_iter()
        .map(|name| {
            let (was, is) = (was.get(name).unwrap_or(&none), is.get(name).unwrap_or(&none));
            ElementChange { element: name.clone(), added: difference(is, was), removed: difference(was, is) }
        })
        .filter(|change| !(change.added.is_empty() && change.removed.is_empty()))
        .collect()
}

/// A statement as lists of values by element.
fn parts(statement: &Statement) -> BTreeMap<String, Vec<String>> {
    let mut parts = BTreeMap::new();
    let negated = |name: &str, is_not: bool| if is_not { format!("Not{name}") } else { name.to_owned() };
    let principals = match statement.principal.inner() {
        Principal::Any => vec!["*".to_owned()],
        Principal::Kinds(kinds) => {
            kinds.iter().flat_map(|(kind, values)| values.iter().map(move |value| format!("{kind} {value}"))).collect()
        }
    };
    parts.insert(negated("Principal", matches!(statement.principal, Element::IsNot(_))), principals);
    parts.insert(negated("Action", matches!(statement.action, Element::IsNot(_))), statement.action.inner().clone());
    parts.insert(negated("Resource", matches!(statement.resource, Element::IsNot(_))), statement.resource.inner().clone());
    conditions(&statement.condition, &mut parts);
    parts
}

fn conditions(condition: &Condition, parts: &mut BTreeMap<String, Vec<String>>) {
    for (operator, keys) in condition {
        for (key, values) in keys {
            parts.insert(format!("Condition {operator} {key}"), values.clone());
        }
    }
}
