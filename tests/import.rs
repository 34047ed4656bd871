//! `import`: a folder in `tests/import` is a case: inputs, `arguments`, and what must come of it, on standard output or in the
//! map that is extended (`expected.yaml`) and on standard error (`expected.txt`).
//!
//! Whatever is imported validates and can be generated; a second run into the result changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input};
use logmap::testing::{
    analysis::analyze,
    import::{GivenAccount, Options, import},
    source::SourceFile,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Those that hold what a run needs, and those that hold what it gives.
const OWN: [&str; 3] = ["arguments", "expected.yaml", "expected.txt"];

struct Case {
    name: String,
    folder: PathBuf,
    arguments: Vec<String>,
    code: i32,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| {
            let text = fs::read_to_string(folder.join("arguments")).unwrap();
            let (first, second) = text.trim_end().split_once('\n').unwrap_or((text.trim_end(), "exits 0"));
            Case {
                name: folder.file_name().unwrap().to_string_lossy().into_owned(),
                arguments: first.split(' ').map(str::to_owned).collect(),
                code: second.strip_prefix("exits ").unwrap().parse().unwrap(),
                folder,
            }
        })
        .collect()
}

/// A copy of a case's inputs.
fn copied(case: &Case) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&case.folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !OWN.contains(&name.as_str()) {
            fs::copy(&path, dir.path().join(name)).unwrap();
        }
    }
    dir
}

fn run(dir: &Path, arguments: &[String]) -> common::Run {
    let mut all = vec!["import"];
    all.extend(arguments.iter().map(String::as_str));
    logmap(dir, &all)
}

/// What a run is to give; written anew, to be read and committed, if `LOGMAP_WRITE_EXPECTED` is set.
fn compare(case: &Case, name: &str, given: &str, wrong: &mut Vec<String>) {
    let path = case.folder.join(name);
    if std::env::var_os("LOGMAP_WRITE_EXPECTED").is_some() {
        fs::write(&path, given).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if given != expected {
        wrong.push(format!("{}: {name} is to be\n{expected}\nand is\n{given}", case.name));
    }
}

#[test]
fn every_case_gives_the_map_and_the_words_that_are_expected() {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let dir = copied(case);
        let given = run(dir.path(), &case.arguments);
        assert_eq!(given.code, case.code, "{}: {}", case.name, given.stderr);
        let map = match case.arguments.iter().position(|word| word == "--into") {
            Some(at) => fs::read_to_string(dir.path().join(&case.arguments[at + 1])).unwrap(),
            None => given.stdout.clone(),
        };
        compare(case, "expected.yaml", &map, &mut wrong);
        compare(case, "expected.txt", &given.stderr, &mut wrong);
    }
    assert!(cases.len() > 10, "only {} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_imported_validates_and_can_be_generated_and_has_nothing_to_add_to_itself() {
    for case in cases() {
        let dir = copied(&case);
        let map = fs::read_to_string(case.folder.join("expected.yaml")).unwrap();
        if map.is_empty() {
            continue;
        }
        fs::write(dir.path().join("logmap.yaml"), &map).unwrap();
        let validated = logmap(dir.path(), &["validate"]);
        assert_eq!(validated.code, 0, "{}: {}{}", case.name, validated.stdout, validated.stderr);
        let generated = logmap(dir.path(), &["generate"]);
        assert_eq!(generated.code, 0, "{}: {}{}", case.name, generated.stdout, generated.stderr);
        let mut again: Vec<String> = case.arguments.clone();
        match again.iter().position(|word| word == "--into") {
            Some(at) => again[at + 1] = "logmap.yaml".to_owned(),
            None => again.extend(["--into", "logmap.yaml"].map(str::to_owned)),
        }
        again.push("--diff".to_owned());
        let again = run(dir.path(), &again);
        assert_eq!(again.stdout, "", "{}: a second run adds to the map", case.name);
    }
}

/// A selector as its tests: field, operator and values.
type Selector = BTreeSet<(String, String, BTreeSet<String>)>;

/// What CloudTrail answered of a trail is what the module sets once it is imported.
#[test]
fn selectors_that_are_imported_are_rendered_again() {
    let case = cases().into_iter().find(|case| case.name == "trail-selectors").unwrap();
    let dir = copied(&case);
    fs::copy(case.folder.join("expected.yaml"), dir.path().join("logmap.yaml")).unwrap();
    assert_eq!(logmap(dir.path(), &["generate", "--target", "terraform"]).code, 0);
    let module: hcl::Body = hcl::parse(&fs::read_to_string(dir.path().join("out/terraform/prod/us-east-1.tf")).unwrap()).unwrap();
    let rendered = |name: &str| -> BTreeSet<Selector> {
        let label = format!("{name}_us_east_1");
        let trail = module.blocks().find(|block| block.labels().get(1).is_some_and(|found| found.as_str() == label)).unwrap();
        let selectors = trail.body().blocks().filter(|block| block.identifier() == "advanced_event_selector");
        let field = |block: &hcl::Block| {
            let values: serde_json::Map<String, serde_json::Value> = block
                .body()
                .attributes()
                .map(|attribute| (attribute.key().to_owned(), serde_json::to_value(attribute.expr()).unwrap()))
                .collect();
            let (operator, list) = values.iter().find(|(key, _)| *key != "field").unwrap();
            let words = list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
            (values["field"].as_str().unwrap().to_owned(), operator.replace('_', ""), words)
        };
        selectors.map(|selector| selector.body().blocks().map(field).collect()).collect()
    };
    let answer: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("objects.selectors.json")).unwrap()).unwrap();
    let field = |field: &serde_json::Value| {
        let (operator, list) = field.as_object().unwrap().iter().find(|(key, _)| *key != "Field").unwrap();
        let words = list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
        (field["Field"].as_str().unwrap().to_owned(), operator.to_ascii_lowercase(), words)
    };
    let selectors = answer["AdvancedEventSelectors"].as_array().unwrap().iter();
    let given: BTreeSet<Selector> =
        selectors.map(|selector| selector["FieldSelectors"].as_array().unwrap().iter().map(field).collect()).collect();
    assert_eq!(rendered("objects"), given);
    // basic ones are the same in other words
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let test = |field: &str, operator: &str, value: &str| (field.to_owned(), operator.to_owned(), words(&[value]));
    let wanted: Selector = [
        test("eventCategory", "equals", "Management"),
        test("readOnly", "equals", "false"),
        test("eventSource", "notequals", "kms.amazonaws.com"),
    ]
    .into();
    assert_eq!(rendered("writes"), BTreeSet::from([wanted]));
    // what the map can't say is not set, and stays
    for kept in ["every-object", "functions", "flagged"] {
        assert_eq!(rendered(&kept.replace('-', "_")), BTreeSet::new());
    }
}

#[test]
fn the_order_of_inputs_changes_nothing_but_their_names() {
    for case in cases().into_iter().filter(|case| case.code == 0) {
        let files: Vec<String> = case.arguments.iter().take_while(|word| !word.starts_with("--")).cloned().collect();
        if files.len() < 2 {
            continue;
        }
        let turned: Vec<String> = files.iter().rev().chain(&case.arguments[files.len()..]).cloned().collect();
        let map = |arguments: &[String]| {
            let dir = copied(&case);
            let text = run(dir.path(), arguments).stdout;
            // the first line names the inputs
            text.split_once('\n').map(|(_, rest)| rest.to_owned())
        };
        assert_eq!(map(&turned), map(&case.arguments), "{}", case.name);
    }
}

fn list(names: &[&str]) -> String {
    json!({ "Buckets": names.iter().map(|name| json!({ "Name": name, "BucketRegion": "us-east-1" })).collect::<Vec<_>>() })
        .to_string()
}

#[test]
fn a_file_is_never_overwritten_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["import", "-", "--account", "prod=111122223333", "--out", "map.yaml"];
    let first = logmap_with_input(dir.path(), &arguments, &list(&["acme-web"]));
    assert_eq!((first.code, first.stdout.as_str()), (0, ""), "{}", first.stderr);
    let text = fs::read_to_string(dir.path().join("map.yaml")).unwrap();
    assert!(text.contains("- acme-web"));
    let second = logmap_with_input(dir.path(), &arguments, &list(&["acme-data"]));
    assert_eq!(second.code, 2, "{}", second.stderr);
    assert_eq!(fs::read_to_string(dir.path().join("map.yaml")).unwrap(), text);
    let forced = logmap_with_input(dir.path(), &[&arguments[..], &["--force"]].concat(), &list(&["acme-data"]));
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(fs::read_to_string(dir.path().join("map.yaml")).unwrap().contains("- acme-data"));
}

#[test]
fn what_makes_a_map_worse_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    // 40 trails' worth of names can't be wrong, but a template of names that takes no new account can
    let map = "version: 1\norganization: { name: acme }\ndefaults: { log_bucket: { name: \"{org}-one-name-for-{region}\" } }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } }\n";
    fs::write(dir.path().join("map.yaml"), map).unwrap();
    let arguments = ["import", "-", "--account", "other=222233334444", "--into", "map.yaml"];
    let run = logmap_with_input(dir.path(), &arguments, &list(&["acme-other"]));
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("LM0111"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(dir.path().join("map.yaml")).unwrap(), map);
}

#[test]
fn findings_have_every_format() {
    let dir = tempfile::tempdir().unwrap();
    for format in ["json", "sarif", "github", "junit"] {
        let arguments = ["import", "-", "--account", "111122223333", "--format", format];
        let run = logmap_with_input(dir.path(), &arguments, &list(&["acme-web", "acme-logs"]));
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("LM1605"), "{format}: {}", run.stderr);
        assert!(run.stdout.starts_with("# Made by"), "{}", run.stdout);
        if format == "json" {
            let report: Value = serde_json::from_str(&run.stderr).unwrap();
            assert_eq!(report["summary"]["errors"], 0);
        }
    }
}

#[test]
fn standard_error_is_one_report_whatever_is_written_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let report = |code: i32, arguments: &[&str], names: &[&str]| -> Value {
        let all = [&["import", "-", "--format", "json"], arguments].concat();
        let run = logmap_with_input(dir.path(), &all, &list(names));
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        serde_json::from_str(&run.stderr).unwrap_or_else(|_| panic!("{arguments:?}: {}", run.stderr))
    };
    let prod = ["--account", "prod=111122223333", "--organization", "acme"];
    report(0, &[&prod[..], &["--out", "map.yaml"]].concat(), &["acme-web"]);
    report(0, &[&prod[..], &["--into", "map.yaml"]].concat(), &["acme-web"]);
    report(0, &[&prod[..], &["--into", "map.yaml"]].concat(), &["acme-data"]);
    report(1, &[&prod[..], &["--into", "map.yaml", "--diff", "--verbose"]].concat(), &["acme-more"]);
    report(0, &[&prod[..], &["--write-baseline", "known.json"]].concat(), &["acme-web", "acme-logs"]);
    report(0, &[&prod[..], &["--baseline", "known.json"]].concat(), &["acme-web"]);
    fs::write(dir.path().join("notes.txt"), "nothing").unwrap();
    report(0, &[&prod[..], &["notes.txt"]].concat(), &["acme-web"]);
    // what the map would be broken by is in the report, at its place in the map
    let map = "version: 1\norganization: { name: acme }\ndefaults: { log_bucket: { name: \"{org}-one-name-for-{region}\" } }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } }\n";
    fs::write(dir.path().join("named.yaml"), map).unwrap();
    let broken = report(1, &["--account", "other=222233334444", "--into", "named.yaml"], &["acme-other"]);
    let found = broken["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "LM0111").unwrap();
    assert_eq!((&found["file"], found["range"].is_object()), (&Value::from("named.yaml"), true), "{found}");
    assert_ne!(found["route"], "", "{found}");
    assert!(broken["summary"]["errors"].as_u64().unwrap() > 0);
}

/// Account → Region → names of sources, as an independent reader finds them in a map.
fn sources(text: &str) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let map: Value = serde_yaml::from_str(text).unwrap();
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    entries(&map["accounts"])
        .iter()
        .map(|(_, account)| {
            let regions = entries(&account["regions"]);
            let regions = regions.iter().map(|(region, content)| {
                let buckets = content["buckets"].as_array().cloned().unwrap_or_default();
                let name = |bucket: &Value| bucket.as_str().or(bucket["name"].as_str()).unwrap().to_owned();
                (region.clone(), buckets.iter().map(name).collect())
            });
            (account["id"].as_str().unwrap().to_owned(), regions.collect())
        })
        .collect()
}

const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"];

fn organization() -> impl Strategy<Value = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>> {
    let word = prop::sample::select(vec!["acme", "true", "0x1f", "1e3", "null", "on", "1-2", "a.b", "no", "12e03", "xyz"]);
    let name = (word, "[a-z0-9]{2,6}", 0..40usize).prop_map(|(word, middle, n)| format!("{word}-{middle}-{n}"));
    let region = prop::sample::select(REGIONS.to_vec()).prop_map(str::to_owned);
    let regions = prop::collection::btree_map(region, prop::collection::btree_set(name, 1..6), 1..4);
    prop::collection::btree_map("[0-9]{12}", regions, 1..5).prop_map(|mut accounts| {
        // a name is in one place
        let mut seen = BTreeSet::new();
        for regions in accounts.values_mut() {
            for names in regions.values_mut() {
                names.retain(|name| seen.insert(name.clone()));
            }
            regions.retain(|_, names| !names.is_empty());
        }
        accounts.retain(|_, regions| !regions.is_empty());
        accounts
    })
}

/// The same as an AWS Config query prints it, in pages, and as the console exports it.
fn config(accounts: &BTreeMap<String, BTreeMap<String, BTreeSet<String>>>) -> (String, String) {
    let (mut items, mut csv) = (Vec::new(), "resourceName,awsRegion,accountId\r\n".to_owned());
    for (account, regions) in accounts {
        for (region, names) in regions {
            for name in names {
                let item =
                    json!({ "accountId": account, "awsRegion": region, "resourceName": name, "resourceType": "AWS::S3::Bucket" });
                items.push(Value::from(item.to_string()));
                csv += &format!("\"{name}\",{region},{account}\r\n");
            }
        }
    }
    let pages: Vec<String> = items.chunks(3).map(|page| json!({ "Results": page, "NextToken": "x" }).to_string()).collect();
    (pages.join("\n"), csv)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_listed_is_what_the_map_has(accounts in organization()) {
        let (pages, csv) = config(&accounts);
        for (name, text) in [("pages.json", pages), ("table.csv", csv)] {
            let imported = import(vec![SourceFile::new(name, text)], &Options::default(), None);
            prop_assert!(imported.broken.is_empty(), "{:?}", imported.broken);
            let map = imported.map.expect(name).file.text;
            prop_assert_eq!(&sources(&map), &accounts);
            prop_assert!(analyze(SourceFile::new("map", map)).plan.is_some());
        }
    }

    #[test]
    fn a_map_grows_by_what_it_lacks_and_keeps_every_line(accounts in organization(), half in any::<u64>()) {
        let (pages, _) = config(&accounts);
        let mut some = accounts.clone();
        let mut bits = half;
        for regions in some.values_mut() {
            for names in regions.values_mut() {
                names.retain(|_| {
                    bits = bits.rotate_left(1);
                    bits & 1 == 0
                });
            }
            regions.retain(|_, names| !names.is_empty());
        }
        some.retain(|_, regions| !regions.is_empty());
        prop_assume!(!some.is_empty());
        let (first, _) = config(&some);
        let options = Options { organization: Some("acme".to_owned()), ..Options::default() };
        let before = import(vec![SourceFile::new("some.json", first)], &options, None).map.expect("a map");
        let after = import(vec![SourceFile::new("all.json", pages.clone())], &options, Some(&before)).map.expect("a map");
        prop_assert_eq!(&sources(&after.file.text), &accounts);
        let mut rest = after.file.text.lines();
        for line in before.file.text.lines() {
            prop_assert!(rest.any(|other| other == line), "`{}` is gone", line);
        }
        let again = import(vec![SourceFile::new("all.json", pages)], &options, Some(&after)).map.expect("a map");
        prop_assert_eq!(again.file.text, after.file.text);
    }

    #[test]
    fn hostile_texts_end_in_a_map_or_in_words(name in "\\PC{0,24}", region in "\\PC{0,12}", account in "\\PC{0,14}") {
        let item = json!({ "accountId": account, "awsRegion": region, "resourceName": name, "resourceType": "AWS::S3::Bucket" });
        let good = json!({ "accountId": "111122223333", "awsRegion": "us-east-1", "resourceName": format!("acme-{}", name.len()) });
        let named = json!({ "Accounts": [{ "Id": "111122223333", "Name": name }] }).to_string();
        let text = json!({ "Results": [item.to_string(), good.to_string()] }).to_string();
        let given = vec![GivenAccount { key: None, id: "444455556666".to_owned() }];
        let files = vec![SourceFile::new(name.as_str(), text), SourceFile::new("accounts.json", named)];
        let imported = import(files, &Options { accounts: given, ..Options::default() }, None);
        if let Some(map) = &imported.map {
            prop_assert!(imported.broken.is_empty(), "{:?}\n{}", imported.broken, map.file.text);
            prop_assert!(!sources(&map.file.text).is_empty());
        } else {
            prop_assert!(!imported.findings.is_empty());
        }
    }
}
