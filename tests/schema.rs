//! The committed schemas: the map's is what the types say and agrees with the decoder; the report's fits real reports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use std::path::Path;

use logmap::{
    analysis::analyze,
    map::schema::{schema, schema_text},
    source::SourceFile,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

const FULL: &str = include_str!("maps/full.yaml");

#[test]
fn the_committed_schema_is_the_generated_one() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/region-map.schema.json")).unwrap();
    assert!(committed == schema_text(), "run `logmap schema > schemas/region-map.schema.json`");
}

#[test]
fn every_key_has_a_description() {
    fn walk(value: &Value, path: &str, missing: &mut Vec<String>) {
        if let Some(properties) = value
            .get("properties")
            .and_then(Value::as_object)
            .filter(|_| value.get("additionalProperties") == Some(&json!(false)))
        {
            for (key, property) in properties {
                if property.get("description").and_then(Value::as_str).is_none_or(|text| text.len() < 4) {
                    missing.push(format!("{path}/{key}"));
                }
            }
        }
        for (key, child) in value.as_object().into_iter().flatten() {
            walk(child, &format!("{path}/{key}"), missing);
        }
    }
    let mut missing = Vec::new();
    walk(&schema(), "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

/// Findings about structure: unknown and missing keys, types, words.
fn decoder_refuses(map: &Value) -> bool {
    let analysis = analyze(SourceFile::new("map", serde_json::to_string_pretty(map).unwrap()));
    analysis.findings.iter().any(|finding| ("LM0009"..="LM0013").contains(&finding.rule.id) || finding.rule.id == "LM0702")
}

/// Errors of the schema about structure; what values mean (patterns, ranges) is for the rules.
fn schema_refuses(validator: &jsonschema::Validator, map: &Value) -> bool {
    validator.iter_errors(map).any(|error| {
        let path = error.schema_path().to_string();
        !["/pattern", "/propertyNames", "/minimum", "/maximum", "/maxLength", "/minLength"]
            .iter()
            .any(|value| path.contains(value))
    })
}

#[test]
fn a_full_map_fits_both() {
    let map: Value = serde_yaml::from_str(FULL).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&map).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!decoder_refuses(&map));
}

/// Every place of a value, as a JSON pointer.
fn places(value: &Value, at: String, all: &mut Vec<String>) {
    all.push(at.clone());
    match value {
        Value::Object(entries) => entries
            .iter()
            .for_each(|(key, child)| places(child, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, child)| places(child, format!("{at}/{index}"), all)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_one_refuses_the_other_refuses(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..10usize), 1..3),
    ) {
        static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
        let validator = &*VALIDATOR;
        let mut map: Value = serde_yaml::from_str(FULL).unwrap();
        let mut told = Vec::new();
        for (place, change) in &changes {
            let mut all = Vec::new();
            places(&map, String::new(), &mut all);
            let at = place.get(&all).clone();
            told.push(format!("change {change} at {at}"));
            let value = map.pointer_mut(&at).unwrap();
            match change {
                0 => *value = json!("text"),
                1 => *value = json!(7),
                2 => *value = json!(true),
                3 => *value = json!([]),
                4 => *value = json!({}),
                5 => *value = json!(["a"]),
                6 => *value = json!({ "unknown": 1 }),
                7 => { if let Some(object) = value.as_object_mut() { object.shift_remove_index_or_first(); } }
                8 => {
                    if let Some(object) = value.as_object_mut() {
                        // a key that is no Region is for the rules
                        let key = if object.contains_key("us-east-1") { "eu-north-1" } else { "surprise" };
                        object.insert(key.to_owned(), json!("x"));
                    }
                }
                _ => *value = Value::Null,
            }
        }
        prop_assert_eq!(decoder_refuses(&map), schema_refuses(validator, &map), "{:?}; the schema says {:?}", told,
            validator.iter_errors(&map).map(|error| format!("{} at {}", error.schema_path(), error.instance_path())).collect::<Vec<_>>());
    }
}

trait RemoveFirst {
    fn shift_remove_index_or_first(&mut self);
}

impl RemoveFirst for serde_json::Map<String, Value> {
    /// Removes the first key, if there is one.
    fn shift_remove_index_or_first(&mut self) {
        if let Some(key) = self.keys().next().cloned() {
            self.remove(&key);
        }
    }
}

#[test]
fn reports_fit_the_report_schema() {
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/report.schema.json")).unwrap(),
    )
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (input, code) in [
        (FULL, 0),
        ("version: 2\naccounts: { prod: { id: 1, regions: { us-east-1: { buckets: [a, b, b] } } } }\n", 1),
        ("[", 1),
        ("", 1),
    ] {
        let run = common::logmap_with_input(dir.path(), &["validate", "-", "--format", "json"], input);
        assert_eq!(run.code, code, "{}", run.stdout);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(report["summary"]["errors"].as_u64().unwrap() > 0, code == 1);
    }
    let everything =
        common::logmap(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &["check", "check", "--format", "json"]);
    let report: Value = serde_json::from_str(&everything.stdout).unwrap();
    assert!(report["configurations"].as_array().unwrap().len() > 100 && !report["ignored"].as_array().unwrap().is_empty());
    assert_eq!(validator.iter_errors(&report).map(|error| error.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}
