//! The committed schemas: the map's is what the types say and agrees with the decoder; the report's fits real reports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use std::path::Path;

use logmap::testing::{
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

/// Writes the schema's defaults into the mappings of a map, where they have no value, and counts them.
fn write_defaults(map: &mut Value, part: &Value, root: &Value) -> usize {
    let mut written = 0;
    if let Some(named) = part.get("$ref").and_then(Value::as_str).and_then(|name| root.pointer(&name[1..])) {
        written += write_defaults(map, named, root);
    }
    for form in ["anyOf", "oneOf"].iter().flat_map(|forms| part.get(forms).and_then(Value::as_array)).flatten() {
        written += write_defaults(map, form, root);
    }
    match map {
        Value::Object(entries) => {
            for (key, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                match (entries.get_mut(key), property.get("default")) {
                    (Some(value), _) => written += write_defaults(value, property, root),
                    (None, Some(default)) => {
                        entries.insert(key.clone(), default.clone());
                        written += 1;
                    }
                    (None, None) => {}
                }
            }
            if let Some(others) = part.get("additionalProperties").filter(|others| others.is_object()) {
                let named: Vec<String> =
                    part.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.clone()).collect();
                written += entries
                    .iter_mut()
                    .filter(|(key, _)| !named.contains(key))
                    .map(|(_, value)| write_defaults(value, others, root))
                    .sum::<usize>();
            }
        }
        Value::Array(items) => {
            if let Some(item) = part.get("items") {
                written += items.iter_mut().map(|value| write_defaults(value, item, root)).sum::<usize>();
            }
        }
        _ => {}
    }
    written
}

#[test]
fn the_defaults_of_the_schema_are_those_that_hold() {
    for split_trails in [false, true] {
        let map = json!({
            "version": 1,
            "organization": { "name": "acme" },
            "defaults": { "log_bucket": { "retention": {}, "split_trails": split_trails } },
            "accounts": { "prod": { "id": "111122223333", "regions": { "us-east-1": { "buckets": [{ "name": "acme-web" }] }, "eu-west-1": { "buckets": ["acme-data"] } } } },
            "trails": { "audit": { "deliver_to": { "account": "prod" } } },
            "render": { "terraform": { "backend": { "s3": { "bucket": "acme-state", "region": "us-east-1" } } }, "cloudformation": {}, "athena": {} },
        });
        let mut written = map.clone();
        let count = write_defaults(&mut written, &schema(), &schema());
        assert!(count >= 20, "only {count} defaults in {written}");
        let plan = |map: &Value| {
            let analysis = analyze(SourceFile::new("m", map.to_string()));
            serde_json::to_value(analysis.plan.unwrap_or_else(|| panic!("{:?} in {map}", analysis.findings))).unwrap()
        };
        assert_eq!(plan(&map), plan(&written), "with and without the defaults of the schema: {written}");
    }
}

/// Every key of every record: its path and its schema.
fn keys(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    let record = value.get("additionalProperties") == Some(&json!(false));
    for (key, property) in value.get("properties").and_then(Value::as_object).into_iter().flatten().filter(|_| record) {
        found.push((format!("{path}/{key}"), property.clone()));
    }
    for (key, child) in value.as_object().into_iter().flatten().filter(|(key, _)| *key != "examples") {
        keys(child, &format!("{path}/{key}"), found);
    }
}

#[test]
fn every_key_has_a_description_and_an_example_that_fits() {
    let schema = schema();
    let mut found = Vec::new();
    keys(&schema, "", &mut found);
    assert!(found.len() > 60, "only {} keys", found.len());
    let mut wrong = Vec::new();
    for (path, property) in found {
        if property.get("description").and_then(Value::as_str).is_none_or(|text| text.len() < 4) {
            wrong.push(format!("{path} has no description"));
        }
        let mut part = property.clone();
        part["$defs"] = schema["$defs"].clone();
        let validator = jsonschema::validator_for(&part).unwrap();
        let named = property.pointer("/$ref").and_then(Value::as_str).and_then(|name| schema.pointer(&name[1..]));
        let words = [Some(&property), named].into_iter().flatten().find_map(|part| part.get("enum")).and_then(Value::as_array);
        let examples = property.get("examples").and_then(Value::as_array).or(words);
        if examples.is_none_or(Vec::is_empty) && property.get("default").is_none() {
            wrong.push(format!("{path} has no example"));
        }
        for example in examples.into_iter().flatten().chain(property.get("default")) {
            wrong.extend(
                validator.iter_errors(example).map(|error| format!("{path}: the example {example} does not fit: {error}")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What logmap finds no error in, the schema takes whole, patterns and all.
#[test]
fn good_maps_fit_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut maps: Vec<(String, String)> = Vec::new();
    for rule in logmap::testing::rules::all() {
        let fences = rule.page.split("```yaml good\n").skip(1);
        maps.extend(fences.map(|rest| (rule.id.to_owned(), rest.split("```").next().unwrap().to_owned())));
    }
    for folder in ["tests/maps", "tests/fixes"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        maps.extend(entries.map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())));
    }
    let mut wrong = Vec::new();
    let mut good = 0;
    for (name, text) in maps {
        let Some(_) = analyze(SourceFile::new("map", text.clone())).plan else { continue };
        good += 1;
        // aliases and the like are not the schema's business
        let map: Value = serde_yaml::from_str(&text).unwrap();
        wrong.extend(validator.iter_errors(&map).map(|error| format!("{name}: {error} at {}", error.instance_path())));
    }
    assert!(good > 60, "only {good} good maps");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_pattern_of_regions_is_what_is_well_formed() {
    let validator = jsonschema::validator_for(&json!({ "pattern": logmap::testing::aws::region::pattern() })).unwrap();
    let names = [
        "us-east-1",
        "us-esat-1",
        "us-east",
        "us-east-01",
        "us-east-0",
        "eusc-de-east-1",
        "us-gov-west-12",
        "us-gov-1",
        "us-east-123",
    ];
    for name in names.into_iter().chain(logmap::testing::aws::region::KNOWN.iter().map(|region| region.name)) {
        assert_eq!(validator.is_valid(&json!(name)), logmap::testing::aws::region::is_well_formed(name), "{name}");
    }
}

/// Findings about structure: unknown and missing keys, types, words.
fn decoder_refuses(map: &Value) -> bool {
    let analysis = analyze(SourceFile::new("map", serde_json::to_string_pretty(map).unwrap()));
    analysis
        .findings
        .iter()
        .any(|finding| finding.rule.scope == logmap::testing::diagnostics::Scope::Shape || finding.rule.id == "LM0702")
}

/// The schema of the structure alone; what values mean (patterns, ranges) is for the rules.
fn structure(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(entries) => {
            for key in ["pattern", "propertyNames", "minimum", "maximum", "maxLength", "minLength"] {
                entries.shift_remove(key);
            }
            // a Region is a known one or a new one
            if entries.get("type").is_some_and(|kind| kind == "string") {
                entries.shift_remove("anyOf");
            }
            entries.values_mut().for_each(|child| *child = structure(child.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|child| *child = structure(child.take())),
        _ => {}
    }
    schema
}

static STRUCTURE: LazyLock<jsonschema::Validator> = LazyLock::new(|| jsonschema::validator_for(&structure(schema())).unwrap());

fn schema_refuses(map: &Value) -> bool {
    !STRUCTURE.is_valid(map)
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
        prop_assert_eq!(decoder_refuses(&map), schema_refuses(&map), "{:?}; the schema says {:?}", told,
            STRUCTURE.iter_errors(&map).map(|error| format!("{} at {}", error.schema_path(), error.instance_path())).collect::<Vec<_>>());
    }
}

/// A value that a schema takes, made of `choices`: keys that must be there, and some that may be. `bad` now and then puts in
/// what it does not take.
fn made(schema: &Value, root: &Value, choices: &mut dyn FnMut(usize) -> usize, depth: usize, bad: bool) -> Value {
    if bad && choices(40) == 0 {
        return [json!("text"), json!(7), json!(true), Value::Null, json!([]), json!({ "surprise": 1 })][choices(6)].clone();
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return made(root.pointer(&name[1..]).unwrap(), root, choices, depth, bad);
    }
    for words in ["const", "enum"] {
        match schema.get(words) {
            Some(Value::Array(words)) => return words[choices(words.len())].clone(),
            Some(word) => return word.clone(),
            None => {}
        }
    }
    if schema.get("pattern").is_some() || schema.get("anyOf").is_some_and(|_| schema["type"] == "string") {
        // what fits a pattern is written beside it
        return schema.pointer("/examples/0").cloned().unwrap_or_else(|| {
            json!(if schema["description"] == "Name of the source bucket." {
                "acme-web"
            } else {
                "arn:aws:kms:us-east-1:111122223333:key/1"
            })
        });
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array).filter(|_| schema.get("properties").is_none()) {
        return made(&any[choices(any.len())], root, choices, depth, bad);
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    match kinds[choices(kinds.len())].as_str().unwrap() {
        "null" => Value::Null,
        "boolean" => json!(choices(2) == 0),
        "integer" => json!(schema["minimum"].as_u64().unwrap_or(0) + choices(500) as u64),
        "number" => json!(choices(9)),
        "string" => json!(format!("text{}", choices(9))),
        "array" => {
            (0..if depth > 12 { 0 } else { choices(3) }).map(|_| made(&schema["items"], root, choices, depth + 1, bad)).collect()
        }
        "object" => {
            let mut object = serde_json::Map::new();
            // of keys one of which must be there
            let one_of: Vec<&Value> =
                schema["anyOf"].as_array().into_iter().flatten().filter(|one| one.get("properties").is_none()).collect();
            let one_of = if one_of.is_empty() { &Value::Null } else { one_of[choices(one_of.len())] };
            let has = |part: &Value, key: &str| part["required"].as_array().is_some_and(|keys| keys.contains(&json!(key)));
            let required = |key: &str| has(schema, key) || has(one_of, key);
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                if required(key) || (depth < 12 && choices(if schema["additionalProperties"] == false { 2 } else { 20 }) == 0) {
                    object.insert(key.clone(), made(property, root, choices, depth + 1, bad));
                }
            }
            if schema["additionalProperties"].is_object() && schema.get("properties").is_none() && depth < 12 {
                for n in 0..choices(3) {
                    object.insert(format!("name{n}"), made(&schema["additionalProperties"], root, choices, depth + 1, bad));
                }
            }
            Value::Object(object)
        }
        other => panic!("no value of the type {other} can be made"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_the_schema_takes_the_decoder_takes(entropy in proptest::collection::vec(any::<u32>(), 400), bad in any::<bool>()) {
        static SCHEMA: LazyLock<(Value, jsonschema::Validator)> = LazyLock::new(|| {
            let schema = schema();
            let validator = jsonschema::validator_for(&schema).unwrap();
            (schema, validator)
        });
        let (schema, validator) = &*SCHEMA;
        let mut at = 0;
        let mut choices = |most: usize| {
            at += 1;
            entropy[at % entropy.len()] as usize % most.max(1)
        };
        let map = made(schema, schema, &mut choices, 0, bad);
        if !bad {
            let errors: Vec<String> = validator.iter_errors(&map).map(|error| format!("{error} at {}", error.instance_path())).collect();
            prop_assert_eq!(errors, Vec::<String>::new());
        }
        let refused: Vec<String> = analyze(SourceFile::new("map", serde_json::to_string_pretty(&map).unwrap()))
            .findings.iter().map(|finding| format!("{} {}", finding.rule.id, finding.message)).collect();
        prop_assert_eq!(decoder_refuses(&map), schema_refuses(&map), "{:#}\n{:?}\nthe schema says {:?}", map, refused,
            STRUCTURE.iter_errors(&map).map(|error| format!("{} at {}", error.schema_path(), error.instance_path())).collect::<Vec<_>>());
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

#[test]
fn locks_fit_the_lock_schema() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/lock.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert_eq!(schema["properties"]["format_version"]["const"], logmap::testing::disk::lock::FORMAT_VERSION);
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let run = common::logmap_with_input(dir.path(), arguments, input);
        assert_eq!(run.code, 0, "{arguments:?} {}", run.stderr);
    };
    let fits = |path: &str| -> Value {
        let lock: Value = serde_json::from_str(&std::fs::read_to_string(dir.path().join(path)).unwrap()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&lock).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{path}");
        lock
    };
    let map = "version: 1\norganization: { name: acme }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] }, eu-west-1: { buckets: [acme-eu] } } }\n";
    let less = map.replace(", eu-west-1: { buckets: [acme-eu] }", "");
    std::fs::write(dir.path().join("old.yaml"), map).unwrap();
    run(&["generate", "-"], map);
    assert!(fits("out/logmap.lock.json").get("retired").is_none());
    run(&["generate", "-"], &less);
    let lock = fits("out/logmap.lock.json");
    assert_eq!(lock["retired"].as_array().unwrap().len(), 1);
    run(&["generate", "-"], map);
    assert_eq!(fits("out/logmap.lock.json")["log_buckets"][0]["returned"], true);
    run(&["runbook", "old.yaml", "-"], &map.replace("acme-eu]", "acme-eu, acme-eu-2]"));
    fits("runbook/logmap.lock.json");
    // what the schema is to refuse, and the journal that it takes
    let with = |change: &dyn Fn(&mut Value)| {
        let mut lock = lock.clone();
        change(&mut lock);
        validator.is_valid(&lock)
    };
    assert!(with(&|lock| lock["journal"] = lock["files"].clone()));
    assert!(!with(&|lock| lock["format_version"] = json!("9.0")));
    assert!(!with(&|lock| lock["surprise"] = json!(1)));
    assert!(!with(&|lock| lock["files"]["README.md"] = json!("no hash")));
    // every key of the type is in the schema, the journal and what is skipped when empty, too
    let filled = logmap::testing::disk::lock::Lock::default().with_journal(&Default::default());
    let keys: Vec<String> = serde_json::to_value(&filled).unwrap().as_object().unwrap().keys().cloned().collect();
    assert!(keys.iter().all(|key| schema["properties"].get(key).is_some()), "{keys:?}");
    assert_eq!(validator.iter_errors(&serde_json::to_value(&filled).unwrap()).count(), 0);
}
