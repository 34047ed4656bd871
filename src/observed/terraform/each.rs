//! `each.key` and `each.value`: what an instance of `for_each` has, as far as the plan tells the collection.
//!
//! The plan has what `for_each` refers to and the key of each instance. What a `local` is it does not tell, nor which of several
//! references is under which key; such values stay unknown.

use super::{
    refer::{Code, LONGEST, names_itself},
    references::{Instance, join, only, parent, split},
    show::Expression,
};
use std::{borrow::Cow, collections::BTreeMap};

/// Collections that are passed through so many modules are not followed.
const MAX_DEPTH: usize = 40;

impl<'a> Code<'a> {
    /// The value of an expression that refers to nothing but its loop.
    pub(super) fn of_loop(
        &self,
        module: &str,
        instance: Instance<'_>,
        references: &[Cow<'_, str>],
        names: &BTreeMap<Cow<'a, str>, String>,
        depth: usize,
    ) -> Option<String> {
        let (index, for_each) = (instance.index?, instance.for_each.filter(|raw| raw.get().len() <= LONGEST)?);
        // `each.value.id` is listed with `each.value`, that it is part of
        let longest = references.iter().max_by_key(|reference| reference.len())?;
        if !references.iter().all(|reference| longest.starts_with(&**reference)) {
            return None;
        }
        match split(longest).as_slice() {
            ["each", "key"] => serde_json::from_str(index).ok(),
            ["each", "value"] => self.element(module, index, &Expression::of(for_each), None, names, depth),
            ["each", "value", attribute] => self.element(module, index, &Expression::of(for_each), Some(attribute), names, depth),
            _ => None,
        }
    }

    /// What stands under a key of a collection, or an attribute of it.
    fn element(
        &self,
        module: &str,
        key: &str,
        collection: &Expression<'_>,
        attribute: Option<&str>,
        names: &BTreeMap<Cow<'a, str>, String>,
        depth: usize,
    ) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        match split(only(&collection.references)?).as_slice() {
            ["var", name] => {
                let (caller, call) = parent(module)?;
                let passed = self.module(caller)?.module_calls.get(call)?.expressions.get(*name)?;
                let passed = Expression::of(Some(*passed).filter(|raw| raw.get().len() <= LONGEST)?);
                self.element(caller, key, &passed, attribute, names, depth + 1)
            }
            // the instances of a resource, or a `for` over them: the one of the same key
            [kind, name] if attribute.is_none_or(|attribute| names_itself(kind, attribute)) => {
                names.get(join(module, &format!("{kind}.{name}[{key}]")).as_str()).cloned()
            }
            // one value alone is not known before it is applied
            [kind, _, own] if names_itself(kind, own) => self.value(module, Instance::default(), collection, names, depth + 1),
            _ => None,
        }
    }
}
