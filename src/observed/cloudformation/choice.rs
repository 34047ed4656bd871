//! One way in which a template's conditions turn out.

use std::collections::{BTreeMap, BTreeSet};

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
