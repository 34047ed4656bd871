//! The JSON Schema of the region map, generated from the types.
//!
//! Draft 2020-12 in the subset that today's editors read. Gives a value; the command prints it, a test compares it
//! with the committed file.

use super::RegionMap;
use crate::diagnostics::BOOK;
use schemars::{Schema, generate::SchemaSettings};
use serde_json::Value;

/// The schema as JSON.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RegionMap>();
    schema.insert("title".to_owned(), "logmap region map, version 1".into());
    if let Some(book) = BOOK {
        schema.insert("$id".to_owned(), format!("{book}/region-map.schema.json").into());
    }
    // of an included file, too, which may have trails alone
    let some_trails =
        serde_json::json!({ "required": ["trails"], "properties": { "trails": { "type": "object", "minProperties": 1 } } });
    let one_of = serde_json::json!([{ "required": ["accounts"] }, { "required": ["include"] }, some_trails]);
    schema.insert("anyOf".to_owned(), one_of);
    let mut schema = Value::from(schema);
    plain_integers(&mut schema);
    schema
}

/// Says `maximum` where the types say `uint32`, which is no format of JSON Schema and makes strict readers complain.
fn plain_integers(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            if entries.get("format").is_some_and(|format| format == "uint32") {
                entries.remove("format");
                entries.insert("maximum".to_owned(), u32::MAX.into());
            }
            entries.values_mut().for_each(plain_integers);
        }
        Value::Array(items) => items.iter_mut().for_each(plain_integers),
        _ => {}
    }
}

/// The schema as text for a file.
pub fn schema_text() -> String {
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}

/// Doc lines as one description.
pub fn description(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Puts the keys of `extra` into a property's schema; beside a reference, which draft 2020-12 allows. A list that may be
/// left empty (`nullable`) may be null.
pub fn describe_property(mut schema: Schema, nullable: bool, description: String, extra: serde_json::Value) -> Schema {
    if nullable && schema.get("type").is_some_and(|kind| kind == "array") {
        schema.insert("type".to_owned(), serde_json::json!(["array", "null"]));
    }
    // editors show the one as it is written, with its marks, and the other as Markdown
    if description.contains(['`', '*', '[']) {
        schema.insert("markdownDescription".to_owned(), description.clone().into());
    }
    schema.insert("description".to_owned(), description.into());
    if let serde_json::Value::Object(extra) = extra {
        for (key, value) in extra {
            schema.insert(key, value);
        }
    }
    schema
}
