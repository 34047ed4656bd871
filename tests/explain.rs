//! `explain` on texts with AWS errors in them, as people paste them.
//!
//! The first lines of each file of `tests/explain/`, `#~ TITLE`, name the pages that the rest must bring up, in order; `#~ none`
//! says that nothing in it is known, `#~ names A B` which buckets and Regions it speaks of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input};
use std::{fs, path::Path};

const MAP: &str = "version: 1
organization: { name: acme }
accounts:
  prod:
    id: \"111122223333\"
    regions:
      us-east-1:
        buckets: [acme-web, { name: acme-data }]
  archive: { id: \"444455556666\" }
trails: { audit: { accounts: [prod], home_region: us-east-1, deliver_to: { account: archive } } }
";

fn titles(stdout: &str) -> Vec<&str> {
    stdout.lines().filter_map(|line| line.strip_prefix("# ")).collect()
}

#[test]
fn pasted_texts_bring_up_the_pages_that_they_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    let dir = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10);
    for file in files {
        let whole = fs::read_to_string(&file).unwrap();
        let (head, text): (Vec<&str>, Vec<&str>) = whole.lines().partition(|line| line.starts_with("#~ "));
        let text = text.join("\n");
        let head: Vec<&str> = head.iter().map(|line| &line[3..]).collect();
        let expected: Vec<&str> = head.iter().copied().filter(|line| *line != "none" && !line.starts_with("names ")).collect();
        // as a paste, as one argument, and with Windows line ends
        let runs = [
            logmap_with_input(dir.path(), &["explain"], &text),
            logmap_with_input(dir.path(), &["explain", "-"], &text.replace('\n', "\r\n")),
            logmap(dir.path(), &["explain", &text]),
        ];
        for run in runs {
            assert_eq!(titles(&run.stdout), expected, "{}", file.display());
            assert_eq!(run.code, i32::from(expected.is_empty()), "{}", file.display());
            for names in head.iter().filter_map(|line| line.strip_prefix("names ")) {
                let said = run.stdout.lines().find(|line| line.starts_with("The text names")).unwrap_or_default();
                let found: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
                assert_eq!(found.join(" "), names, "{}", file.display());
            }
        }
    }
}

#[test]
fn every_spelling_of_a_code_is_known() {
    let dir = tempfile::tempdir().unwrap();
    for code in ["CrossLocationLoggingProhibited", "CrossLocationLoggingProhibitted", "crosslocationloggingprohibitted"] {
        let run = logmap(dir.path(), &["explain", code]);
        assert_eq!((run.code, titles(&run.stdout)), (0, vec!["CrossLocationLoggingProhibitted"]), "{code}");
    }
    let near = logmap(dir.path(), &["explain", "CrossLocationLogingProhibited"]);
    assert_eq!((near.code, near.stdout.as_str()), (1, ""));
    assert!(near.stderr.contains("did you mean `CrossLocationLoggingProhibited`?"), "{}", near.stderr);
    let all = logmap(dir.path(), &["explain", "--errors"]);
    assert!(all.stdout.lines().count() > 30 && all.code == 0);
}

#[test]
fn with_a_map_it_says_which_entry_and_which_command() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), MAP).unwrap();
    let ask = |text: &str| logmap(dir.path(), &["explain", "--map", "logmap.yaml", text]).stdout;
    let source = ask("putting S3 Bucket (acme-data) Logging: api error CrossLocationLoggingProhibitted, target in eu-west-1");
    assert!(source.contains(
        "logmap.yaml:8:29 (accounts.prod.regions.us-east-1.buckets[1]): source `acme-data` of account `prod` in us-east-1 logs to `acme-logs-111122223333-us-east-1` under `s3-access/`."
    ), "{source}");
    assert!(source.contains("The text names eu-west-1"), "{source}");
    assert!(source.contains("\n  out/aws-cli/prod/us-east-1.sh "), "{source}");
    let trail = ask(
        "Error: creating CloudTrail Trail (audit): InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: acme-logs-444455556666-us-east-1",
    );
    let (owner, writer) =
        (trail.find("out/aws-cli/archive/us-east-1.sh").unwrap(), trail.rfind("out/aws-cli/prod/us-east-1.sh").unwrap());
    assert!(owner < writer, "the bucket's owner comes first: {trail}");
    let stranger = ask("api error InvalidTargetBucketForLogging, S3 Bucket (other-bucket)");
    assert!(stranger.contains("`other-bucket` is not in logmap.yaml"), "{stranger}");
    fs::write(dir.path().join("logmap.yaml"), MAP.replace("111122223333", "1")).unwrap();
    assert!(ask("NoSuchBucket").contains("The map logmap.yaml has errors"));
}

#[test]
fn answers_for_machines_fit_their_schema() {
    let schema = include_str!("../schemas/explain.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), MAP).unwrap();
    let ask = |code: i32, arguments: &[&str]| -> serde_json::Value {
        let run = logmap(dir.path(), &[&["explain", "--format", "json"], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        let answer = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", run.stdout));
        let errors: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{arguments:?}");
        answer
    };
    let rule = ask(0, &["source-twice"]);
    assert_eq!((&rule["rules"][0]["id"], rule["rules"].as_array().unwrap().len()), (&"LM0203".into(), 1));
    assert!(rule["rules"][0]["page"].as_str().unwrap().starts_with("# LM0203 source-twice\n"));
    let text = "putting S3 Bucket (acme-data) Logging: api error CrossLocationLoggingProhibitted, target in eu-west-1";
    let error = ask(0, &["--map", "logmap.yaml", text]);
    assert_eq!(error["errors"][0]["title"], "CrossLocationLoggingProhibitted");
    assert_eq!(error["named"], serde_json::json!({ "buckets": ["acme-data"], "regions": ["eu-west-1"] }));
    assert!(error["advice"].as_str().unwrap().contains("source `acme-data` of account `prod`"), "{error}");
    assert_eq!(ask(0, &[text])["advice"], "");
    assert_eq!(ask(0, &["--list"])["rules"].as_array().unwrap().len(), logmap::testing::rules::all().len());
    assert!(ask(0, &["--errors"])["errors"].as_array().unwrap().len() > 30);
    let nothing = ask(1, &["nothing at all"]);
    assert_eq!((&nothing["rules"], &nothing["errors"]), (&serde_json::json!([]), &serde_json::json!([])));
}
