//! One way in which a template's conditions turn out, and whether a condition holds in it.

use super::value::Template;
use crate::{
    document::{Kind, Node},
    observed::{hole, policy::Reading},
};
use std::collections::{BTreeMap, BTreeSet};

/// Conditions and tests within each other.
const MAX_CONDITIONS: usize = 120;
/// Bytes of the words for a way.
const MAX_WORDS: usize = 300;

/// One way in which the conditions turn out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    /// Values of parameters.
    pub(super) values: BTreeMap<String, String>,
    /// Parameters that have none of the values that they are compared with.
    pub(super) others: BTreeSet<String>,
    /// Comparisons of other things, by their place.
    pub(super) tests: BTreeMap<u32, bool>,
}

impl Choice {
    /// The value of a parameter in this way.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// What people would call it, such as "`Env` is `prod`"; empty for the only way.
    pub(crate) fn words(&self) -> String {
        let values = self.values.iter().map(|(name, value)| format!("`{name}` is `{value}`"));
        let others = self.others.iter().map(|name| format!("`{name}` is something else"));
        let tests = self.tests.values().map(|holds| format!("a comparison {}", if *holds { "holds" } else { "does not hold" }));
        let mut words = String::new();
        for part in values.chain(others).chain(tests) {
            if !words.is_empty() {
                words += ", ";
            }
            if words.len() + part.len() > MAX_WORDS {
                return words + "and so on";
            }
            words += &part;
        }
        words
    }
}

/// Does a condition hold? Nothing if it can't be known or does not exist. Each is asked for once, however many others name it.
pub(crate) fn holds(template: &Template<'_>, name: &str) -> Option<bool> {
    if let Some(known) = template.conditions.borrow().get(name) {
        return *known;
    }
    let node = template.in_section("Conditions", name)?;
    template.conditions.borrow_mut().insert(name.to_owned(), None);
    let holds = test(template, node);
    template.conditions.borrow_mut().insert(name.to_owned(), holds);
    holds
}

fn test(template: &Template<'_>, node: &Node) -> Option<bool> {
    let asking = template.asking.get();
    if asking > MAX_CONDITIONS {
        return None;
    }
    template.asking.set(asking + 1);
    let holds = test_here(template, node);
    template.asking.set(asking);
    holds
}

fn test_here(template: &Template<'_>, node: &Node) -> Option<bool> {
    let node = template.document.resolve(node);
    let Kind::Mapping(entries) = &node.kind else { return None };
    let entry = entries.first()?;
    let argument = template.document.resolve(&entry.value);
    let items = match &argument.kind {
        Kind::Sequence(items) => items.as_slice(),
        _ => &[],
    };
    match (&*entry.key, items) {
        ("Condition", _) => match &argument.kind {
            Kind::Scalar { text, .. } => holds(template, text),
            _ => None,
        },
        ("Fn::Not", [one]) => Some(!test(template, one)?),
        ("Fn::And", items) => {
            let tests: Vec<_> = items.iter().map(|item| test(template, item)).collect();
            if tests.contains(&Some(false)) { Some(false) } else { tests.iter().all(Option::is_some).then_some(true) }
        }
        ("Fn::Or", items) => {
            let tests: Vec<_> = items.iter().map(|item| test(template, item)).collect();
            if tests.contains(&Some(true)) { Some(true) } else { tests.iter().all(Option::is_some).then_some(false) }
        }
        ("Fn::Equals", [a, b]) => {
            let (first, second) = (template.text(a)?, template.text(b)?);
            match hole::same(&first, &second) {
                hole::Same::Yes => Some(true),
                hole::Same::No => Some(false),
                hole::Same::Maybe => {
                    let other =
                        |node: &Node| parameter(template, node).is_some_and(|name| template.choice.others.contains(&name));
                    if other(a) || other(b) { Some(false) } else { template.choice.tests.get(&node.span.start).copied() }
                }
            }
        }
        _ => None,
    }
}

/// The parameter that a node is a plain reference to.
pub(super) fn parameter(template: &Template<'_>, node: &Node) -> Option<String> {
    let Kind::Mapping(entries) = &template.document.resolve(node).kind else { return None };
    match (entries.as_slice(), entries.first().map(|entry| &entry.value.kind)) {
        ([one], Some(Kind::Scalar { text, .. })) if &*one.key == "Ref" => Some(text.to_string()),
        _ => None,
    }
}
