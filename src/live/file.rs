//! The file: one bucket and one Region a line, in order, byte for byte as the program in Python writes it.

use super::entry::{Entry, Record};
use crate::snapshot::{FORMAT_VERSION, MARK};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Keys of an account, in order; others follow, sorted.
const HEAD: [&str; 10] =
    ["Id", "partition", "taken_at", "caller", "buckets_complete", "listing", "error", "call", "status", "message"];
/// Keys of a bucket, in order.
const BUCKET: [&str; 18] = [
    "Name",
    "BucketRegion",
    "listed",
    "asked_at",
    "head",
    "logging",
    "policy",
    "encryption",
    "object_lock",
    "payer",
    "ownership",
    "public_access",
    "versioning",
    "lifecycle",
    "replication",
    "tags",
    "acl",
    "delivered",
];

/// The text of a snapshot.
pub(super) fn text(taken_at: &str, scope: &Value, organization: &Value, accounts: &[Entry]) -> String {
    let by = accounts.iter().find_map(|entry| entry.head.get("caller")).cloned().unwrap_or_default();
    let mut text = String::from("{");
    let _ = writeln!(text, "\"{MARK}\":\"{FORMAT_VERSION}\",");
    for (key, value) in [("taken_at", &json!(taken_at)), ("by", &by), ("scope", scope), ("organization", organization)] {
        let _ = write!(text, "\"{key}\":");
        dump(&mut text, value);
        text.push_str(",\n");
    }
    text.push_str("\"accounts\":[\n");
    for (at, entry) in accounts.iter().enumerate() {
        line(&mut text, &entry.head, &HEAD);
        text.pop();
        for (key, records, order) in
            [("regions", &entry.regions, &["Region", "unreachable"][..]), ("buckets", &entry.buckets, &BUCKET)]
        {
            let _ = write!(text, ",\n\"{key}\":[");
            for (at, record) in records.iter().enumerate() {
                text.push_str(if at == 0 { "\n" } else { ",\n" });
                line(&mut text, record, order);
            }
            text.push(']');
        }
        text.push_str(if at + 1 < accounts.len() { "},\n" } else { "}\n" });
    }
    text.push_str("]}\n");
    text
}

fn line(text: &mut String, record: &Record, order: &[&str]) {
    let mut rest: Vec<&str> = record.keys().map(String::as_str).filter(|key| !order.contains(key)).collect();
    rest.sort_unstable();
    let known = order.iter().copied().filter(|key| record.contains_key(*key));
    object(text, record, known.chain(rest));
}

fn object<'r>(text: &mut String, record: &'r Record, keys: impl Iterator<Item = &'r str>) {
    text.push('{');
    for (at, key) in keys.enumerate() {
        if at > 0 {
            text.push(',');
        }
        string(text, key);
        text.push(':');
        dump(text, record.get(key).unwrap_or(&Value::Null));
    }
    text.push('}');
}

/// A value as Python's `json` has it: keys sorted, ASCII alone, nothing between.
fn dump(text: &mut String, value: &Value) {
    match value {
        Value::String(value) => string(text, value),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                dump(text, item);
            }
            text.push(']');
        }
        Value::Object(record) => {
            let mut keys: Vec<&str> = record.keys().map(String::as_str).collect();
            keys.sort_unstable();
            object(text, record, keys.into_iter());
        }
        other => text.push_str(&other.to_string()),
    }
}

fn string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_python_writes_them() {
        let mut text = String::new();
        dump(&mut text, &json!({ "b": [1, true, null, "x\"\\\n\u{7f}é😀"], "a": {}, "A": 1.5, "": [] }));
        assert_eq!(text, r#"{"":[],"A":1.5,"a":{},"b":[1,true,null,"x\"\\\n\u007f\u00e9\ud83d\ude00"]}"#);
    }
}
