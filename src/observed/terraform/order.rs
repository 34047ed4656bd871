//! What a resource waits for: `depends_on`, and whatever it refers to, through resources, modules, outputs and variables.
//!
//! A plan does not hold locals, so that what goes through one is taken to wait: better nothing said than a false alarm. So is
//! what it takes too many steps to find out.

use super::{
    refer::Code,
    references::{join, parent, split, without_indexes},
    show::{ConfigResource, Resource},
};
use serde_json::{Value, value::RawValue};
use std::{cell::Cell, collections::BTreeSet};

/// Does a resource of a module wait for another one? Both by the module's path and the address in it, without indexes.
pub(super) fn waits(code: &Code<'_>, module: &str, resource: &Resource<'_>, other: (&str, &str)) -> bool {
    let other = (without_indexes(other.0), other.1);
    let address = format!("{}.{}", resource.kind, resource.name);
    let mut queue: Vec<(String, String)> = vec![(without_indexes(module), address)];
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    while let Some((path, reference)) = queue.pop() {
        if !seen.insert((path.clone(), reference.clone())) {
            continue;
        }
        let plain = without_indexes(&reference);
        let parts = split(&plain);
        let steps = Cell::new(path.len() + plain.len() + 64);
        let mut push = |path: &str, references: Vec<String>| {
            steps.set(steps.get() + references.iter().map(|one| path.len() + one.len() + 64).sum::<usize>());
            queue.extend(references.into_iter().map(|one| (path.to_owned(), one)));
        };
        match parts.as_slice() {
            ["local", ..] => return true,
            ["var", name, ..] => {
                let Some((above, call)) = parent(&path) else { continue };
                let call = code.module(above).and_then(|module| module.module_calls.get(call));
                push(above, call.and_then(|call| call.expressions.get(*name)).map_or_else(Vec::new, |raw| references(raw)));
            }
            // all of it
            ["module", _]
                if other.0.strip_prefix(&join(&path, &plain)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) =>
            {
                return true;
            }
            ["module", _] => {}
            ["module", name, output, ..] => {
                let call = code.module(&path).and_then(|module| module.module_calls.get(*name));
                let Some(output) = call.and_then(|call| call.module.outputs.get(*output)) else { continue };
                let inner = join(&path, &format!("module.{name}"));
                push(&inner, output.expression.map_or_else(Vec::new, references));
                push(&inner, output.depends_on.iter().map(ToString::to_string).collect());
            }
            [kind, name, ..] => {
                let address = match (*kind, parts.get(2)) {
                    ("data", Some(last)) => format!("data.{name}.{last}"),
                    _ => format!("{kind}.{name}"),
                };
                if (path.as_str(), address.as_str()) == (other.0.as_str(), other.1) {
                    return true;
                }
                let Some(module) = code.module(&path) else { continue };
                if !code.take(module.resources.len()) {
                    return true;
                }
                if let Some(resource) = module.resources.iter().find(|resource| resource.address == address) {
                    push(&path, of_resource(resource));
                }
                // what is in a module waits for what the call of the module waits for
                let mut at = path.as_str();
                while let Some((above, call)) = parent(at) {
                    let call = code.module(above).and_then(|module| module.module_calls.get(call));
                    push(above, call.map_or_else(Vec::new, |call| call.depends_on.iter().map(ToString::to_string).collect()));
                    at = above;
                }
            }
            _ => {}
        }
        if !code.take(steps.get()) {
            return true;
        }
    }
    false
}

fn of_resource(resource: &ConfigResource<'_>) -> Vec<String> {
    let expressions = [resource.expressions, resource.for_each_expression, resource.count_expression];
    let mut found: Vec<String> = expressions.into_iter().flatten().flat_map(references).collect();
    found.extend(resource.depends_on.iter().map(ToString::to_string));
    found
}

/// All references in an expression, however deep.
fn references(raw: &RawValue) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value.as_array().filter(|_| key == "references") {
                        Some(names) => found.extend(names.iter().filter_map(Value::as_str).map(str::to_owned)),
                        None => collect(value, found),
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(raw.get()).unwrap_or_default(), &mut found);
    found
}
