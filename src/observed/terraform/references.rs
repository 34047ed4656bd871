//! References and addresses in a plan's code: taken apart, and told apart.

use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::BTreeSet};

/// Which instance of a resource or of a module an expression is of.
#[derive(Clone, Copy, Default)]
pub(super) struct Instance<'r> {
    /// Its key or number, as JSON.
    pub index: Option<&'r str>,
    /// What the collection is, if it is of `for_each`.
    pub for_each: Option<&'r RawValue>,
}

/// The one reference that says where a value comes from: without those that it is part of, and those to loops.
pub(super) fn only<'r>(references: &'r [Cow<'_, str>]) -> Option<&'r str> {
    let all: BTreeSet<&str> = references.iter().map(|reference| &**reference).collect();
    let mut kept: Vec<&str> = Vec::new();
    for reference in references {
        let begins = |mark: char| {
            let begin = format!("{reference}{mark}");
            all.range(begin.as_str()..).next().is_some_and(|next| next.starts_with(&begin))
        };
        let repeated = begins('.') || begins('[');
        let of_a_loop = matches!(split(reference).first(), Some(&"each" | &"count" | &"path" | &"terraform" | &"self"));
        if !repeated && !of_a_loop {
            kept.push(reference);
        }
    }
    match kept.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// The first of a list of references that is a resource: `TYPE.NAME` or `TYPE.NAME[INDEX]`.
pub(super) fn resource_in(references: &[Cow<'_, str>]) -> Option<String> {
    references.iter().find_map(|reference| {
        let parts = split(reference);
        match parts.as_slice() {
            [kind, name, ..] if kind.starts_with("aws_") => Some(format!("{kind}.{name}")),
            _ => None,
        }
    })
}

/// References anywhere in a block.
pub(super) fn references_in(value: &Value, found: &mut Vec<String>, depth: usize) {
    match value {
        _ if depth > 20 => {}
        Value::Array(items) => items.iter().for_each(|item| references_in(item, found, depth + 1)),
        Value::Object(entries) => {
            for (key, value) in entries {
                match value.as_array().filter(|_| key == "references") {
                    Some(names) => found.extend(names.iter().filter_map(|name| Some(name.as_str()?.to_owned()))),
                    None => references_in(value, found, depth + 1),
                }
            }
        }
        _ => {}
    }
}

/// Splits an address at its dots, but not at those inside an index.
pub(super) fn split(address: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let mut depth = 0usize;
    for (at, byte) in address.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'[' if !quoted => depth += 1,
            b']' if !quoted => depth = depth.saturating_sub(1),
            b'.' if !quoted && depth == 0 => {
                parts.push(&address[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&address[start..]);
    parts
}

pub(super) fn join(module: &str, rest: &str) -> String {
    if module.is_empty() { rest.to_owned() } else { format!("{module}.{rest}") }
}

/// A module's path without the indexes of its instances.
pub(super) fn without_indexes(path: &str) -> String {
    split(path).iter().map(|part| part.split('[').next().unwrap_or_default()).collect::<Vec<_>>().join(".")
}

/// The path of a module's caller, and the name of the call.
pub(super) fn parent(path: &str) -> Option<(&str, &str)> {
    let parts = split(path);
    let last = *parts.last()?;
    let name = last.split('[').next()?;
    let length = path.len().checked_sub("module.".len() + last.len())?;
    Some((path[..length].trim_end_matches('.'), name))
}

/// The index of a module's instance, as JSON; nothing if the module has one instance.
pub(super) fn index(path: &str) -> Option<&str> {
    let last = *split(path).last()?;
    last.split_once('[')?.1.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(split(r#"module.a["x.y"].aws_s3_bucket.b[0].id"#), ["module", r#"a["x.y"]"#, "aws_s3_bucket", "b[0]", "id"]);
        assert_eq!(parent(r#"module.a["x.y"].module.b[0]"#), Some((r#"module.a["x.y"]"#, "b")));
        assert_eq!(parent("module.a"), Some(("", "a")));
        assert_eq!(index(r#"module.a["x.y"].module.b[0]"#), Some("0"));
        assert_eq!(index(r#"module.a["x.y"]"#), Some(r#""x.y""#));
        assert_eq!(index(r#"module.a["x.y"].module.b"#), None);
        assert_eq!(without_indexes(r#"module.a["x.y"].module.b[0]"#), "module.a.module.b");
        let references = ["aws_s3_bucket.a[0].id", "aws_s3_bucket.a[0]", "aws_s3_bucket.a", "each.key"].map(Cow::from);
        assert_eq!(only(&references), Some("aws_s3_bucket.a[0].id"));
        assert_eq!(only(&["var.a", "var.b"].map(Cow::from)), None);
    }
}
