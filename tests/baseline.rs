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
