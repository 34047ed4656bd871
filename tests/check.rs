//! `check` on what others write: `tests/check/expected.txt` says what each file and folder there must give.
//!
//! Findings are compared whole: a case that lists them has no others, one that lists verdicts has none at all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check")
}

/// A line of `expected.txt`.
struct Case {
    input: String,
    flags: Vec<String>,
    expected: Vec<String>,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("expected.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (head, tail) = line.split_once(" =>").expect(line);
            let mut words = head.split_whitespace().map(str::to_owned);
            let tail = tail.split("  # ").next().unwrap().trim();
            let parts: Vec<String> = if tail.contains("LM") {
                tail.split("; ").map(str::to_owned).collect()
            } else {
                tail.split_whitespace().map(str::to_owned).collect()
            };
            Case { input: words.next().unwrap(), flags: words.collect(), expected: parts }
        })
        .collect()
}

/// What `check` gives as `expected.txt` writes it.
fn given(report: &Value, expected: &[String]) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    if findings.is_empty() {
        let mut verdicts: Vec<String> =
            report["configurations"].as_array().unwrap().iter().map(|c| c["verdict"].as_str().unwrap().to_owned()).collect();
        verdicts.sort();
        return verdicts;
    }
    let mut given: Vec<String> = findings
        .iter()
        .map(|finding| {
            let rule = finding["rule"].as_str().unwrap();
            // an expectation without a text says nothing of the place
            if expected.iter().any(|line| line == rule) { rule.to_owned() } else { format!("{rule} `{}`", underlined(finding)) }
        })
        .collect();
    given.sort();
    given
}

fn underlined(finding: &Value) -> String {
    let text = fs::read_to_string(folder().join(finding["file"].as_str().unwrap())).unwrap();
    let place = |end: &str, key: &str| usize::try_from(finding["range"][end][key].as_u64().unwrap()).unwrap();
    let line: Vec<char> = text.lines().nth(place("start", "line") - 1).unwrap_or_default().chars().collect();
    let end = if place("start", "line") == place("end", "line") { place("end", "column") - 1 } else { line.len() };
    line[place("start", "column") - 1..end].iter().collect()
}

#[test]
fn every_case_has_exactly_the_findings_and_verdicts_that_are_expected() {
    let (mut wrong, mut missed, mut alarms) = (Vec::new(), 0, 0);
    let cases = cases();
    for case in &cases {
        let mut arguments = vec!["check", case.input.as_str(), "--format", "json"];
        arguments.extend(case.flags.iter().map(String::as_str));
        let run = logmap(&folder(), &arguments);
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}: {}", case.input, run.stderr));
        let mut expected = case.expected.clone();
        expected.sort();
        let given = given(&report, &expected);
        if given != expected {
            missed += expected.iter().filter(|line| line.starts_with("LM") && !given.contains(line)).count();
            alarms += given.iter().filter(|line| line.starts_with("LM") && !expected.contains(line)).count();
            wrong.push(format!("{}:\n  expected {expected:?}\n  given    {given:?}\n  {}", case.input, report["configurations"]));
        }
        let errors = report["summary"]["errors"].as_u64().unwrap();
        assert_eq!(run.code, i32::from(errors > 0), "{}", case.input);
        let violations = report["configurations"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["verdict"] == "violation" && c["suppressed"] != true)
            .count();
        assert_eq!(violations > 0, errors > 0, "{}: errors and violations go together", case.input);
    }
    assert!(cases.len() > 100);
    assert!(
        wrong.is_empty(),
        "{} of {} cases, {missed} missed, {alarms} false alarms\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_file_is_a_case_or_part_of_one() {
    let known: BTreeSet<String> = cases()
        .into_iter()
        .map(|case| case.input)
        .chain(["expected.txt", "map.yaml", "map-published.yaml"].map(str::to_owned))
        .collect();
    let there: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(known.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_rule_is_found_in_some_case_or_on_its_page() {
    let found: BTreeSet<String> =
        cases().iter().flat_map(|case| &case.expected).filter_map(|line| line.get(..6)).map(str::to_owned).collect();
    let missing: Vec<&str> = logmap::testing::rules::all()
        .into_iter()
        .filter(|rule| rule.scope == logmap::testing::diagnostics::Scope::Input)
        .map(|rule| rule.id)
        .filter(|id| !found.contains(*id))
        .collect();
    // pages have examples of these
    assert_eq!(missing, ["LM1109", "LM1110", "LM1112", "LM1113"]);
}

#[test]
fn strict_makes_unknown_fail_and_what_is_not_read_is_named() {
    let run = |arguments: &[&str]| logmap(&folder(), arguments);
    assert_eq!(run(&["check", "cfn-import-value.yaml"]).code, 0);
    let strict = run(&["check", "cfn-import-value.yaml", "--strict"]);
    assert_eq!(strict.code, 1);
    assert!(strict.stdout.starts_with("unknown: cfn-import-value.yaml:7:32: `${Web}` logs to"), "{}", strict.stdout);
    assert_eq!(run(&["check", "cfn-plain.yaml", "--strict"]).code, 0);
    assert_eq!(run(&["check", "missing.yaml"]).code, 2);
    assert_eq!(run(&["check"]).code, 2);
    assert_eq!(run(&["check", "cfn-plain.yaml", "--region", "nowhere"]).code, 2);
    let mixed = run(&["check", "mixed-folder", "--format", "json"]);
    let report: Value = serde_json::from_str(&mixed.stdout).unwrap();
    let ignored: Vec<&str> = report["ignored"].as_array().unwrap().iter().map(|entry| entry["file"].as_str().unwrap()).collect();
    assert_eq!(ignored.len(), 8, "{ignored:?}");
    let input = fs::read_to_string(folder().join("cfn-no-policy.yaml")).unwrap();
    let piped = logmap_with_input(&folder(), &["check", "-", "--format", "github"], &input);
    assert_eq!(piped.code, 1);
    assert!(piped.stdout.contains("LM1301"), "{}", piped.stdout);
}

#[test]
fn a_named_input_that_is_not_read_fails_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(folder().join("cfn-plain.yaml")).unwrap();
    fs::write(dir.path().join("good.yaml"), &good).unwrap();
    for (name, text) in [
        ("package.json", "{\"name\": \"website\"}"),
        ("get-template.json", "{\"TemplateBody\": \"x\"}"),
        ("cut.json", "{\"planned_values\": {\"root_module\": {\"resources\": [{\"address\": "),
        ("stream.json", "{\"@level\":\"info\",\"@message\":\"Terraform 1.9.0\"}\n{\"@level\":\"info\"}\n"),
        ("serverless.yml", "service: x\nprovider: { name: aws }\n"),
        ("broken.yaml", "Resources:\n  - [\n"),
        ("binary.tfplan", "PK\u{3}\u{4}x"),
        ("main.tf", "resource \"aws_s3_bucket\" \"x\" {}\n"),
        ("empty.json", ""),
        ("map.yaml", "version: 1\norganization: { name: acme }\naccounts: {}\n"),
    ] {
        let folder = dir.path().join(name.replace('.', "-"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        fs::write(folder.join("good.yaml"), &good).unwrap();
        for format in ["text", "json", "sarif", "github", "junit"] {
            let named = logmap(&folder, &["check", name, "good.yaml", "--format", format]);
            assert_eq!(named.code, 1, "{name} {format} {}", named.stdout);
            assert!(named.stdout.contains("LM1801") && named.stdout.contains(name), "{name} {format} {}", named.stdout);
            assert!(!named.stderr.contains("not read"), "{name} {format}: said twice: {}", named.stderr);
            // met in a folder it is passed over, and listed
            let walked = logmap(&folder, &["check", ".", "--format", format]);
            assert_eq!(walked.code, 0, "{name} {format} {}", walked.stdout);
        }
        let listed: Value = serde_json::from_str(&logmap(&folder, &["check", ".", "--format", "json"]).stdout).unwrap();
        assert!(name.ends_with(".tf") || listed["ignored"][0]["file"].as_str().unwrap().ends_with(name), "{listed}");
        // a hook names every file: what is none of the inputs is passed over, what should have been read is not
        let offered = logmap(&folder, &["check", "--skip-unrelated", "--", name, "good.yaml"]);
        let unrelated = ["package.json", "serverless.yml", "map.yaml"].contains(&name);
        assert_eq!(offered.code, i32::from(!unrelated), "{name} {}", offered.stdout);
        // no comment and no baseline makes it right
        let known = logmap(&folder, &["check", name, "--write-baseline", "known.json"]);
        assert_eq!(known.code, 1, "{name} {}", known.stdout);
    }
}

#[test]
fn a_form_that_is_not_read_names_the_way_to_one_that_is() {
    let dir = tempfile::tempdir().unwrap();
    let table = "-----------------\n|  ListBuckets  |\n+---------------+\n";
    for (name, text, way) in [
        ("list.table", table, "--output json"),
        ("list.text", "BUCKETS\tarn:aws:s3:::acme-logs\teu-west-1\tacme-logs\nOWNER\t631e\n", "--output json"),
        ("acme-web.location.txt", "eu-west-1\n", "--output json"),
        ("acme-web.logging.txt", "LOGGINGENABLED\tacme-logs\tweb/\n", "--output json"),
        ("boto.txt", "{'Buckets': [{'Name': 'acme-web'}]}", "json.dumps"),
        ("boto.json", "{\"Buckets\": [{\"CreationDate\": datetime.datetime(2024, 1, 2)}]}", "json.dumps"),
        ("ls.txt", "2024-01-02 10:00:00 acme-web\n2024-01-02 10:00:00 acme-logs\n", "list-buckets"),
        (
            "ps.txt",
            "CreationDate         BucketName\n------------         ----------\n1/2/2024 12:00:00 AM acme-web\n",
            "AWS CLI",
        ),
        ("ps-list.txt", "BucketName   : acme-web\nCreationDate : 1/2/2024\n", "AWS CLI"),
        ("ps.json", "[{\"CreationDate\": \"x\", \"BucketName\": \"acme-web\"}]", "AWS CLI"),
        ("ps-logging.json", "{\"TargetBucketName\": \"acme-logs\", \"TargetPrefix\": \"\"}", "AWS CLI"),
        (
            "prowler.csv",
            "AUTH_METHOD;TIMESTAMP;ACCOUNT_UID;CHECK_ID;STATUS\nx;y;1;s3_bucket_server_access_logging_enabled;FAIL\n",
            "Prowler",
        ),
        ("prowler.json", "[{\"metadata\": {\"product\": {\"name\": \"Prowler\"}}, \"status\": \"FAIL\"}]", "Prowler"),
        ("hub.json", "[{\"AwsAccountId\": \"1\", \"GeneratorId\": \"g\", \"ProductArn\": \"p\"}]", "Security Hub"),
        ("steampipe.txt", "+----------+-----------+\n| name     | region    |\n+----------+-----------+\n", "Steampipe"),
        ("names.json", "[\"acme-web\", \"acme-logs\"]", "--query"),
        ("main.tf.json", "{\"resource\": {\"aws_s3_bucket\": {\"b\": {\"bucket\": \"acme-web\"}}}}", "terraform show -json"),
        ("plan.jsonl", "{\"@level\":\"info\",\"@message\":\"Terraform 1.9.0\"}\n{\"@level\":\"info\"}\n", "terraform show -json"),
        (
            "old.tfstate",
            "{\"version\": 3, \"terraform_version\": \"0.11.14\", \"serial\": 1, \"modules\": []}",
            "terraform show -json",
        ),
        (
            "tofu.tfstate",
            "{\"serial\": 1, \"lineage\": \"x\", \"meta\": {}, \"encrypted_data\": \"x\", \"encryption_version\": \"v0\"}",
            "tofu show -json",
        ),
        ("elsewhere.yml", "service: x\nprovider: { name: aws }\nresources:\n  - ${file(buckets.yml)}\n", "serverless package"),
        (
            "manifest.json",
            "{\"version\": \"48.0.0\", \"artifacts\": {\"A\": {\"type\": \"aws:cloudformation:stack\", \"properties\": {\"templateFile\": \"A.template.json\"}}}}",
            "whole folder",
        ),
        ("two.json", "{\"Resources\": {}}\n{\"Resources\": {}}\n", "a file of its own"),
        ("two.yaml", "Resources: {}\n---\nResources: {}\n", "a file of its own"),
        ("tags.json", "{\"ResourceTagMappingList\": []}", "list-buckets"),
        ("answer.xml", "<?xml version=\"1.0\"?><BucketLoggingStatus/>", "--output json"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
        let run = logmap(dir.path(), &["check", name]);
        assert_eq!(run.code, 1, "{name} {} {}", run.stdout, run.stderr);
        assert!(run.stdout.contains("LM1801") && run.stdout.contains(way), "{name}: {}", run.stdout);
    }
    fs::write(dir.path().join("snapshot.json.gz"), [0x1f, 0x8b, 8, 0, 0xff]).unwrap();
    let run = logmap(dir.path(), &["check", "snapshot.json.gz"]);
    assert!(run.code == 1 && run.stdout.contains("gunzip"), "{}", run.stdout);
}

#[test]
fn utf_16_is_read_with_and_without_a_mark() {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(folder().join("cfn-kms.yaml")).unwrap();
    for (mark, little) in [(true, true), (true, false), (false, true), (false, false)] {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect();
        fs::write(dir.path().join("template.yaml"), bytes).unwrap();
        let run = logmap(dir.path(), &["check", "template.yaml"]);
        assert!(run.code == 1 && run.stdout.contains("LM1201"), "{mark} {little}: {}", run.stdout);
    }
}

#[test]
fn a_template_of_an_app_is_read_with_the_manifest_beside_it() {
    let run = logmap(&folder(), &["check", "cdk-app/Logs.template.json", "cdk-app/Web.template.json"]);
    assert!(run.code == 1 && run.stdout.contains("LM1101"), "{}", run.stdout);
    let strict = logmap(&folder(), &["check", "cdk-app/One.template.json", "--strict"]);
    assert_eq!(strict.code, 0, "{} {}", strict.stdout, strict.stderr);
}

/// A log bucket that a source names, rightly or wrongly, is no log bucket without sources besides.
#[test]
fn a_log_bucket_that_is_given_as_an_arn_is_judged_once() {
    let template = |target: &str| {
        let grant = "{ Effect: Allow, Principal: { Service: logging.s3.amazonaws.com }, Action: s3:PutObject, Resource: 'arn:aws:s3:::acme-logs/*' }";
        format!(
            "Resources:\n  Logs: {{ Type: AWS::S3::Bucket, Properties: {{ BucketName: acme-logs }} }}\n  \
             Policy: {{ Type: AWS::S3::BucketPolicy, Properties: {{ Bucket: acme-logs, PolicyDocument: {{ Statement: {grant} }} }} }}\n  \
             Web: {{ Type: AWS::S3::Bucket, Properties: {{ LoggingConfiguration: {{ DestinationBucketName: '{target}' }} }} }}\n"
        )
    };
    for (target, kinds) in [("acme-logs", 1), ("arn:aws:s3:::acme-logs", 1), ("acme-other", 2)] {
        let run = logmap_with_input(&folder(), &["check", "-", "--format", "json"], &template(target));
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let of_buckets = report["configurations"].as_array().unwrap().iter().filter(|one| one["kind"] != "policy");
        assert_eq!(of_buckets.count(), kinds, "{target}\n{}", run.stdout);
    }
}

#[test]
fn what_is_suppressed_is_a_violation_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(folder().join("cfn-no-policy.yaml"), dir.path().join("template.yaml")).unwrap();
    fs::copy(folder().join("cfn-ignored.yaml"), dir.path().join("ignored.yaml")).unwrap();
    let verdicts = |arguments: &[&str]| {
        let run = logmap(dir.path(), &[arguments, &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let one = |one: &Value| (one["verdict"].as_str().unwrap().to_owned(), one["suppressed"] == true);
        let mut found: Vec<(String, bool)> = report["configurations"].as_array().unwrap().iter().map(one).collect();
        found.sort();
        (run.code, found)
    };
    let violation = |suppressed| ("violation".to_owned(), suppressed);
    assert_eq!(verdicts(&["check", "template.yaml"]), (1, vec![violation(false)]));
    assert_eq!(verdicts(&["check", "template.yaml", "--write-baseline", "known.json"]), (0, vec![violation(true)]));
    assert_eq!(verdicts(&["check", "template.yaml", "--baseline", "known.json"]), (0, vec![violation(true)]));
    let (code, ignored) = verdicts(&["check", "ignored.yaml"]);
    assert!(code == 0 && ignored.contains(&violation(true)), "{ignored:?}");
    let text = logmap(dir.path(), &["check", "template.yaml", "--baseline", "known.json"]);
    assert!(text.stdout.starts_with("violation, suppressed: template.yaml:"), "{}", text.stdout);
    assert!(text.stderr.contains("0 ok, 1 violation(s), 1 of them suppressed, 0 unknown"), "{}", text.stderr);
}

/// Cuts and bends every input: nothing may crash, whatever it says.
#[test]
fn no_broken_input_crashes() {
    use logmap::testing::{inspection::inspect, observed::Told, source::SourceFile};
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let step = (text.len() / 6).max(1);
        for at in (0..text.len()).step_by(step).filter(|at| text.is_char_boundary(*at)) {
            let cut = [
                text[..at].to_owned(),
                format!("{}{}", &text[..at], &text[(at + 1).min(text.len())..]),
                format!("{}: [{}", &text[..at], &text[at..]),
            ];
            for text in cut {
                inspect(vec![SourceFile::new(name.as_str(), text)], &Told::default(), None);
            }
        }
    }
}
