//! Baselines: what is known is hidden, what is new is shown, what is gone is said, and what breaks the map is never hidden.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::logmap;
use serde_json::Value;
use std::{fs, path::Path};

/// Two warnings, and an error that does not keep the map from being used.
const OLD: &str = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-7: { buckets: [acme-old] }\n      us-east-1:\n        buckets:\n          - acme-web\n          - acme-web\n";

fn write(dir: &Path, text: &str) {
    fs::write(dir.join("logmap.yaml"), text).unwrap();
}

fn rules(dir: &Path, more: &[&str]) -> (i32, Vec<String>) {
    let run = logmap(dir, &[&["validate", "--format", "json", "--fail-on", "warning"], more].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    let findings = report["findings"].as_array().unwrap();
    (run.code, findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect())
}

const USE: [&str; 2] = ["--baseline", "known.json"];

#[test]
fn known_findings_are_hidden_and_new_ones_shown() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), OLD);
    assert_eq!(rules(dir.path(), &[]), (1, vec!["LM0105".to_owned(), "LM0203".to_owned()]));
    let written = logmap(dir.path(), &["validate", "--write-baseline", "known.json"]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    assert!(written.stderr.contains("known.json: 2 finding(s) written"), "{}", written.stderr);
    let text = fs::read_to_string(dir.path().join("known.json")).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../schemas/baseline.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let baseline: Value = serde_json::from_str(&text).unwrap();
    let errors: Vec<String> = validator.iter_errors(&baseline).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(rules(dir.path(), &USE), (0, vec![]));
    // lines and items may move; the file comes out the same
    write(
        dir.path(),
        &format!(
            "# ours\n{}",
            OLD.replace(
                "          - acme-web\n          - acme-web\n",
                "          - acme-first\n          - acme-web\n          - acme-web\n"
            )
        ),
    );
    assert_eq!(rules(dir.path(), &USE), (0, vec![]));
    logmap(dir.path(), &["validate", "--write-baseline", "again.json"]);
    assert_eq!(fs::read_to_string(dir.path().join("again.json")).unwrap().replace("buckets[2]", "buckets[1]"), text);
    // one more of a kind that is known is new
    write(
        dir.path(),
        &OLD.replace("          - acme-web\n", "          - acme-web\n          - acme-web\n").replacen(
            "          - acme-web\n",
            "",
            1,
        ),
    );
    assert_eq!(rules(dir.path(), &USE), (1, vec!["LM0203".to_owned()]));
}

#[test]
fn what_is_gone_is_said_and_generate_heeds_the_baseline() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), OLD);
    assert_eq!(logmap(dir.path(), &["generate"]).code, 1, "an error is in the map");
    logmap(dir.path(), &["validate", "--write-baseline", "known.json"]);
    let generated = logmap(dir.path(), &["generate", "--baseline", "known.json"]);
    assert_eq!(generated.code, 0, "{}", generated.stderr);
    assert!(dir.path().join("out/logmap.lock.json").exists());
    write(dir.path(), &OLD.replace("us-east-7", "us-east-2"));
    let run = logmap(dir.path(), &["validate", "--baseline", "known.json"]);
    assert_eq!(run.code, 0);
    assert!(
        run.stderr.contains("note: known.json lists LM0105 at accounts.prod.regions.us-east-7, which is no longer found"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_keeps_a_map_from_being_used_is_never_hidden() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &OLD.replace("\"111122223333\"", "\"1111\""));
    let written = logmap(dir.path(), &["validate", "--write-baseline", "known.json"]);
    assert_eq!(written.code, 1);
    let text = fs::read_to_string(dir.path().join("known.json")).unwrap();
    assert!(!text.contains("LM0101"), "{text}");
    let forged = text.replace(
        "\"findings\": [",
        "\"findings\": [{\"rule\":\"LM0101\",\"fingerprint\":\"@\",\"count\":9,\"route\":\"\",\"message\":\"\"},",
    );
    let run = logmap(dir.path(), &["validate", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let print = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "LM0101").unwrap()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    fs::write(dir.path().join("known.json"), forged.replace('@', &print)).unwrap();
    assert_eq!(rules(dir.path(), &USE), (1, vec!["LM0101".to_owned()]));
}

#[test]
fn a_file_that_is_no_baseline_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), OLD);
    for text in ["[]", "{", "{\"format_version\":\"2.0\",\"findings\":[]}"] {
        fs::write(dir.path().join("known.json"), text).unwrap();
        let run = logmap(dir.path(), &["validate", "--baseline", "known.json"]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}: {}", run.stderr);
    }
    // a newer one is told from what is none: its format may have changed in any way
    for (text, said) in [
        ("{\"format_version\":\"2.0\",\"known\":7}", "the baseline known.json can't be used; use that logmap or a newer one"),
        ("{\"format_version\":\"2.0\",\"known\":7}", "a newer logmap wrote it: its format is `2.0`"),
        ("{\"format_version\":\"0.9\",\"findings\":[]}", "known.json is not a baseline: its format is `0.9`"),
        ("{\"findings\":[]}", "known.json is not a baseline: it has no `format_version`"),
    ] {
        fs::write(dir.path().join("known.json"), text).unwrap();
        for command in ["validate", "generate"] {
            let run = logmap(dir.path(), &[command, "--baseline", "known.json"]);
            assert!(run.code == 2 && run.stderr.contains(said), "{command} {text}: {}", run.stderr);
        }
        assert!(!dir.path().join("out").exists());
    }
    assert_eq!(logmap(dir.path(), &["validate", "--baseline", "nowhere.json"]).code, 2);
    assert_eq!(logmap(dir.path(), &["schema", "--baseline", "known.json"]).code, 2, "it would do nothing");
}

/// A baseline that 0.1.0 wrote.
const KNOWN: &str = r#"{
  "format_version": "1.0",
  "findings": [
    {
      "rule": "LM1104",
      "fingerprint": "7104217bdbf1e925f93772afd36eb63c",
      "count": 1,
      "route": "Resources.Web.Properties.LoggingConfiguration.DestinationBucketName",
      "message": "`${Web}` logs to itself"
    }
  ]
}
"#;

#[test]
fn a_baseline_that_0_1_0_wrote_hides_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let template = r#"{"Resources":{"Web":{"Type":"AWS::S3::Bucket","Properties":{"LoggingConfiguration":{"DestinationBucketName":{"Ref":"Web"}}}}}}"#;
    fs::write(dir.path().join("self.json"), template).unwrap();
    fs::write(dir.path().join("known.json"), KNOWN).unwrap();
    assert_eq!(logmap(dir.path(), &["check", "self.json"]).code, 1);
    let hidden = logmap(dir.path(), &["check", "self.json", "--baseline", "known.json"]);
    assert_eq!(hidden.code, 0, "{}{}", hidden.stdout, hidden.stderr);
}

/// A template with a bucket that logs to itself.
const LOOP: &str = "{ \"Resources\": { \"Web\": { \"Type\": \"AWS::S3::Bucket\", \"Properties\": { \"BucketName\": \"acme-web\", \"LoggingConfiguration\": { \"DestinationBucketName\": \"acme-web\" } } } } }\n";

/// The rules that `check` finds in these paths, shown and suppressed, in the words of SARIF.
fn checked(dir: &Path, paths: &[&str], more: &[&str]) -> (Vec<String>, Vec<String>) {
    let run = logmap(dir, &[&["check", "--format", "sarif"], more, paths].concat());
    let log: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of = |one: &Value| {
        let place = &one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        format!("{} {}", one["ruleId"].as_str().unwrap(), place.as_str().unwrap())
    };
    let (hidden, shown): (Vec<&Value>, Vec<&Value>) = results.iter().partition(|one| one["suppressions"][0].is_object());
    (shown.into_iter().map(of).collect(), hidden.into_iter().map(of).collect())
}

#[test]
fn a_copied_file_with_the_same_fault_is_a_new_finding() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(".git")).unwrap();
    fs::create_dir_all(dir.path().join("stacks")).unwrap();
    fs::write(dir.path().join("stacks/a.json"), LOOP).unwrap();
    logmap(dir.path(), &["check", "stacks/a.json", "--write-baseline", "known.json"]);
    let hidden = vec!["LM1104 stacks/a.json".to_owned()];
    assert_eq!(checked(dir.path(), &["stacks"], &USE), (vec![], hidden.clone()));
    fs::write(dir.path().join("stacks/b.json"), LOOP).unwrap();
    assert_eq!(checked(dir.path(), &["stacks"], &USE), (vec!["LM1104 stacks/b.json".to_owned()], hidden.clone()));
    // the same file is the same from any folder and under any name of it
    let stacks = dir.path().join("stacks");
    for path in ["a.json", "./a.json", "../stacks/a.json", stacks.join("a.json").to_str().unwrap()] {
        assert_eq!(checked(&stacks, &[path], &["--baseline", "../known.json"]), (vec![], hidden.clone()), "{path}");
    }
    // another bucket is another fault
    fs::write(dir.path().join("stacks/a.json"), LOOP.replace("acme-web", "acme-data")).unwrap();
    assert_eq!(checked(dir.path(), &["stacks/a.json"], &USE), (hidden, vec![]));
}

#[test]
fn a_baseline_of_the_format_before_is_read_as_it_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), OLD);
    // what logmap wrote when fingerprints were of messages
    let old = r#"{
  "format_version": "1.0",
  "findings": [
    { "rule": "LM0105", "fingerprint": "9196f2e04fd4845987e8d824b7f59eb8", "count": 1,
      "route": "accounts.prod.regions.us-east-7", "message": "the Region `us-east-7` is not in the table of Regions of 2026-10-31" },
    { "rule": "LM0203", "fingerprint": "5efda19bcc4f80b1a48fda1f16a8f9a1", "count": 1,
      "route": "accounts.prod.regions.us-east-1.buckets[1]", "message": "the source bucket `acme-web` is listed twice" }
  ]
}"#;
    fs::write(dir.path().join("known.json"), old).unwrap();
    assert_eq!(rules(dir.path(), &USE), (0, vec![]));
    // also of a message that a release has worded anew since
    let worded = old
        .replace("9196f2e04fd4845987e8d824b7f59eb8", "00000000000000000000000000000000")
        .replace("is not in the table", "was not there");
    fs::write(dir.path().join("known.json"), worded).unwrap();
    assert_eq!(rules(dir.path(), &USE), (0, vec![]));
    fs::write(dir.path().join("known.json"), old).unwrap();
    let run = logmap(dir.path(), &["validate", "--baseline", "known.json"]);
    assert!(run.stderr.contains("known.json is of an older logmap"), "{}", run.stderr);
    let written = logmap(dir.path(), &["validate", "--write-baseline", "known.json"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let new = fs::read_to_string(dir.path().join("known.json")).unwrap();
    assert!(new.contains("\"format_version\": \"1.1\"") && new.contains("\"file\": \"logmap.yaml\""), "{new}");
    assert_eq!(rules(dir.path(), &USE), (0, vec![]));
    assert!(!logmap(dir.path(), &["validate", "--baseline", "known.json"]).stderr.contains("older logmap"));
}

#[test]
fn what_is_suppressed_stays_in_sarif_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let comment =
        |text: &str| text.replace("      us-east-7:", "      # logmap: ignore[LM0105] opened last week\n      us-east-7:");
    write(dir.path(), &comment(OLD));
    let log = |more: &[&str]| -> Value {
        serde_json::from_str(&logmap(dir.path(), &[&["validate", "--format", "sarif"], more].concat()).stdout).unwrap()
    };
    let suppressions = |log: &Value| -> Vec<(String, Value)> {
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|one| (one["ruleId"].as_str().unwrap().to_owned(), one["suppressions"].clone())).collect()
    };
    let in_source = serde_json::json!([{ "kind": "inSource", "justification": "opened last week" }]);
    let none = serde_json::json!([]);
    assert_eq!(suppressions(&log(&[])), [("LM0203".to_owned(), none), ("LM0105".to_owned(), in_source.clone())]);
    logmap(dir.path(), &["validate", "--write-baseline", "known.json"]);
    let external = serde_json::json!([{ "kind": "external", "justification": "a baseline lists it" }]);
    let both = log(&USE);
    assert_eq!(suppressions(&both), [("LM0105".to_owned(), in_source), ("LM0203".to_owned(), external)]);
    // a run without any says nothing of it
    write(dir.path(), OLD);
    assert!(suppressions(&log(&[])).iter().all(|(_, suppressions)| suppressions.is_null()));
}
