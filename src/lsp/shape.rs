//! What may stand where in a map, read from the JSON Schema that is generated from the types: keys, words, descriptions.

use crate::map::schema::schema;
use serde_json::{Map, Value};

/// The schema, and ways through it.
pub(super) struct Shape {
    root: Value,
}

impl Shape {
    /// The map's shape.
    pub(super) fn new() -> Self {
        Shape { root: schema() }
    }

    /// The schema at a path of keys (`[]` for a list item): as its parent describes it.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.root, |schema, step| {
            self.forms(schema).into_iter().find_map(|form| match *step {
                "[]" => form.get("items"),
                key => form
                    .get("properties")
                    .and_then(|properties| properties.get(key))
                    .or_else(|| form.get("additionalProperties").filter(|other| other.is_object())),
            })
        })
    }

    /// The schema itself, what it refers to, and its alternatives.
    pub(super) fn forms<'s>(&'s self, schema: &'s Value) -> Vec<&'s Value> {
        let mut forms = vec![schema];
        let mut at = 0;
        // the generated schema holds no circle of references alone; the bound keeps that from mattering
        while let Some(form) = forms.get(at).copied().filter(|_| at < 64) {
            at += 1;
            let target = form.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
            forms.extend(target.and_then(|pointer| self.root.pointer(pointer)));
            for word in ["anyOf", "oneOf", "allOf"] {
                forms.extend(form.get(word).and_then(Value::as_array).into_iter().flatten());
            }
        }
        forms
    }

    /// The keys that a mapping may have, with their schemas.
    pub(super) fn keys<'s>(&'s self, schema: &'s Value) -> Vec<(&'s str, &'s Value)> {
        let maps = self.forms(schema).into_iter().filter_map(|form| form.get("properties").and_then(Value::as_object));
        maps.flat_map(Map::iter).map(|(key, value)| (key.as_str(), value)).collect()
    }

    /// The words that a value may be, with what each means: of an enumeration, and `true` and `false`.
    pub(super) fn words<'s>(&'s self, schema: &'s Value) -> Vec<(String, &'s str)> {
        let mut found: Vec<(String, &str)> = Vec::new();
        for form in self.forms(schema) {
            let meanings = form.get("markdownEnumDescriptions").or_else(|| form.get("enumDescriptions"));
            let values = form.get("enum").and_then(Value::as_array).into_iter().flatten().chain(form.get("const"));
            for (at, value) in values.enumerate() {
                let meaning = meanings.and_then(|list| list.get(at)).and_then(Value::as_str).unwrap_or_default();
                found.push((plain(value), meaning));
            }
            if is_type(form, "boolean") {
                found.extend(["true", "false"].map(|word| (word.to_owned(), "")));
            }
        }
        found.dedup_by(|a, b| a.0 == b.0);
        found
    }

    /// Does a scalar stand there, and nothing else?
    pub(super) fn is_scalar(&self, schema: &Value) -> bool {
        let forms = self.forms(schema);
        let has = |word: &str| forms.iter().any(|form| is_type(form, word));
        !has("object") && !has("array") && (has("string") || has("integer") || has("boolean"))
    }

    /// Description, default and example as Markdown; `None` for what is not described.
    pub(super) fn describe(&self, schema: &Value) -> Option<String> {
        let mut text = self.forms(schema).into_iter().find_map(|form| form.get("description")?.as_str())?.to_owned();
        if let Some(default) = schema.get("default").filter(|default| !default.is_object()) {
            text += &format!("\n\nDefault: `{}`", plain(default));
        }
        if let Some(example) = schema.get("examples").and_then(|examples| examples.get(0)) {
            text += &format!("\n\nExample: `{}`", plain(example));
        }
        Some(text)
    }
}

fn is_type(form: &Value, word: &str) -> bool {
    match form.get("type") {
        Some(Value::String(one)) => one == word,
        Some(Value::Array(many)) => many.iter().any(|one| one == word),
        _ => false,
    }
}

/// A value as it is written in YAML on one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
