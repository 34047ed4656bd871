//! One way in which a template's conditions turn out.

use crate::observed::Fact;
use std::collections::{BTreeMap, BTreeSet};

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

    /// What is chosen in this way: what it is of, and in words, in a fixed order; the same things in each way of a template.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let is = |value: &str| if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
        let values = self.values.iter().map(|(name, value)| (name, format!("`{name}` is {}", is(value))));
        let others = self.others.iter().map(|name| (name, format!("`{name}` is something else")));
        let mut facts: Vec<Fact> = values.chain(others).map(|(name, words)| Fact { of: name.clone(), words }).collect();
        facts.extend(self.tests.iter().map(|(at, holds)| Fact {
            // no parameter has such a name
            of: format!("{at:010}"),
            words: format!("a comparison {}", if *holds { "holds" } else { "does not hold" }),
        }));
        facts.sort();
        facts
    }
}
