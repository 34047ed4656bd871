//! Inputs that a stranger made to keep logmap busy: each ends in an answer or in a refusal with its place. Without the bounds most of
//! these tests have no end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{Run, logmap, logmap_with_input};
use serde_json::{Value, json};
use std::fs;

/// What `check` says of a text in a file of this name.
fn check(name: &str, text: &str, flags: &[&str]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name), text).unwrap();
    logmap(dir.path(), &[&["check", name], flags].concat())
}

fn bucket(properties: Value) -> Value {
    json!({ "Type": "AWS::S3::Bucket", "Properties": properties })
}

/// A template with resources by name, and other sections.
fn template(resources: impl IntoIterator<Item = (String, Value)>, sections: Value) -> String {
    let mut template = sections;
    template["Resources"] = Value::Object(resources.into_iter().collect());
    template.to_string()
}

fn named(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

#[test]
fn values_that_name_themselves_are_unknown() {
    let twice = |name: &str| json!({ "Fn::Sub": format!("${{{name}}}-${{{name}}}") });
    let itself = [named("A", bucket(json!({ "BucketName": twice("A") })))];
    let each_other =
        [named("A", bucket(json!({ "BucketName": twice("B") }))), named("B", bucket(json!({ "BucketName": twice("A") })))];
    let lookup = json!({ "Fn::FindInMap": [{ "Fn::FindInMap": ["M", "a", "b"] }, { "Fn::FindInMap": ["M", "a", "b"] }, "b"] });
    let by_map = [named("A", bucket(json!({ "BucketName": { "Fn::FindInMap": ["M", "a", "b"] } })))];
    for (resources, sections) in [
        (itself.to_vec(), json!({})),
        (each_other.to_vec(), json!({})),
        (by_map.to_vec(), json!({ "Mappings": { "M": { "a": { "b": lookup } } } })),
    ] {
        let log =
            bucket(json!({ "BucketName": "acme-web", "LoggingConfiguration": { "DestinationBucketName": { "Ref": "A" } } }));
        let run = check("t.json", &template(resources.into_iter().chain([named("Web", log)]), sections), &[]);
        // whatever it is called, it has no policy
        assert!(run.code == 1 && run.stdout.contains("${unknown}"), "{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn values_that_double_are_unknown_from_some_place_on() {
    let doubling = (0..40).map(|number| {
        let name = match number {
            0 => json!("x"),
            _ => json!({ "Fn::Sub": format!("${{B{0}}}${{B{0}}}", number - 1) }),
        };
        (format!("B{number}"), bucket(json!({ "BucketName": name })))
    });
    let run = check("t.json", &template(doubling, json!({})), &[]);
    assert!(
        run.code == 0 && run.stderr.contains("too complex or too long, and so unknown (the first in line 1, column"),
        "{}",
        run.stderr
    );
}

#[test]
fn conditions_are_asked_once_however_many_name_them() {
    let condition = |number: usize| match number {
        0 => json!({ "Fn::Equals": [{ "Ref": "Stage" }, "prod"] }),
        _ => {
            let before = json!({ "Condition": format!("C{}", number - 1) });
            json!({ "Fn::And": [before, before] })
        }
    };
    let mut conditions: serde_json::Map<String, Value> =
        (0..25).map(|number| (format!("C{number}"), condition(number))).collect();
    let circle = |other: &str| json!({ "Fn::Or": [{ "Condition": other }, { "Condition": other }, { "Condition": other }] });
    conditions.insert("Ping".to_owned(), circle("Pong"));
    conditions.insert("Pong".to_owned(), circle("Ping"));
    let logs = |condition: &str| {
        let mut web =
            bucket(json!({ "BucketName": "acme-web", "LoggingConfiguration": { "DestinationBucketName": "acme-web" } }));
        web["Condition"] = json!(condition);
        web
    };
    let sections = json!({ "Parameters": { "Stage": { "Type": "String" } }, "Conditions": conditions });
    for (condition, code) in [("C24", 0), ("Ping", 1)] {
        let run = check("t.json", &template([named("Web", logs(condition))], sections.clone()), &["--parameter", "Stage=test"]);
        assert_eq!(run.code, code, "{condition}: {}{}", run.stdout, run.stderr);
    }
    let run = check("t.json", &template([named("Web", logs("C24"))], sections), &["--parameter", "Stage=prod"]);
    assert!(run.stdout.contains("LM1104"), "{}", run.stdout);
}

#[test]
fn ways_are_counted_before_they_are_made() {
    let parameters = || (0..400).map(|number| format!("P{number}"));
    let conditions: serde_json::Map<String, Value> =
        parameters().map(|name| (format!("Is{name}"), json!({ "Fn::Equals": [{ "Ref": name }, "a"] }))).collect();
    let declared: serde_json::Map<String, Value> = parameters().map(|name| (name, json!({ "Type": "String" }))).collect();
    let buckets = parameters().map(|name| {
        let mut bucket = bucket(json!({ "BucketName": name.to_lowercase() + "-x" }));
        bucket["Condition"] = json!(format!("Is{name}"));
        (format!("Bucket{name}"), bucket)
    });
    let run = check("t.json", &template(buckets, json!({ "Conditions": conditions, "Parameters": declared })), &[]);
    assert!(run.code == 0 && run.stderr.contains("more ways than are told apart"), "{}", run.stderr);
}

#[test]
fn a_ring_is_one_finding_that_names_some_of_its_buckets() {
    let ring = (0..3000).map(|number| {
        let next = format!("acme-{}", (number + 1) % 3000);
        let logging = json!({ "DestinationBucketName": next });
        (format!("B{number}"), bucket(json!({ "BucketName": format!("acme-{number}"), "LoggingConfiguration": logging })))
    });
    let run = check("t.json", &template(ring, json!({})), &["--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let cycles: Vec<&Value> =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "LM1105").collect();
    let [cycle] = cycles.as_slice() else { panic!("{} findings of a circle", cycles.len()) };
    assert!(cycle["message"].as_str().unwrap().contains("to 2980 others and back"), "{}", cycle["message"]);
    assert_eq!(cycle["related"].as_array().unwrap().len(), 19);
    let violations = report["configurations"].as_array().unwrap().iter().filter(|one| one["verdict"] == "violation").count();
    assert_eq!(violations, 3000, "each is still a violation");
}

#[test]
fn deliveries_times_denies_are_a_few_findings() {
    let allow = json!({
        "Effect": "Allow", "Principal": { "Service": "logging.s3.amazonaws.com" }, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::acme-logs/*", "Condition": { "StringEquals": { "aws:SourceAccount": "111122223333" } },
    });
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-logs/*" });
    let statements: Vec<Value> = std::iter::once(allow).chain((0..60).map(|_| deny.clone())).collect();
    let policy = json!({ "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": { "Ref": "Logs" }, "PolicyDocument": { "Statement": statements } } });
    let sources = (0..60).map(|number| {
        let logging = json!({ "DestinationBucketName": { "Ref": "Logs" } });
        (format!("W{number}"), bucket(json!({ "BucketName": format!("acme-web{number}"), "LoggingConfiguration": logging })))
    });
    let rest = [named("Logs", bucket(json!({ "BucketName": "acme-logs" }))), named("P", policy)];
    let run = check("t.json", &template(sources.chain(rest), json!({})), &["--format", "json", "--account", "111122223333"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let configurations = report["configurations"].as_array().unwrap();
    assert_eq!(configurations.iter().filter(|one| one["verdict"] == "violation").count(), 61);
    // the policy itself names all of them, each once
    let denied = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "LM1302").count();
    assert!(denied <= 60, "{denied}");
}

#[test]
fn references_that_are_too_many_are_not_followed() {
    let references: Vec<String> = (0..20_000).map(|number| format!("var.a{number}.b")).collect();
    let address = "aws_s3_bucket_logging.a";
    let resource = json!({ "address": address, "mode": "managed", "type": "aws_s3_bucket_logging", "name": "a", "values": {} });
    let code = json!({ "address": address, "expressions": { "bucket": { "references": references } } });
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1", "planned_values": { "root_module": { "resources": [resource] } },
        "configuration": { "root_module": { "resources": [code] } },
    });
    let run = check("plan.json", &plan.to_string(), &[]);
    assert!(run.code == 0 && run.stderr.contains("1 unknown"), "{}", run.stderr);
}

#[test]
fn comments_are_looked_up_by_their_lines() {
    let head = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n        buckets:\n";
    let names: String = (0..5000).map(|number| format!("          - acme-{number:05}\n")).collect();
    let comments = "# logmap: ignore[LM0203] a reason\n".repeat(20_000);
    let dir = tempfile::tempdir().unwrap();
    let run = logmap_with_input(dir.path(), &["validate", "-", "--format", "json"], &format!("{head}{names}{comments}"));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let unused = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "LM0015").count();
    assert_eq!(unused, 20_000);
}

#[test]
fn a_long_word_is_explained_in_a_short_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let run = logmap_with_input(dir.path(), &["explain", "-"], &"AccessDeni".repeat(100_000));
    assert!(run.code == 1 && run.stderr.len() < 400 && run.stderr.contains('…'), "{}", &run.stderr[..400.min(run.stderr.len())]);
}

#[test]
fn statements_that_no_policy_holds_are_refused_before_they_are_filled_in() {
    let statement = "      - { Effect: Deny, Principal: '*', Action: 's3:GetObject', Resource: '{log_bucket_arn}/x' }\n";
    let accounts = |count: usize| -> String {
        (0..count)
            .map(|at| format!("  p{at}: {{ id: \"{at:012}\", regions: {{ us-east-1: {{ buckets: [b{at}-x] }} }} }}\n"))
            .collect()
    };
    let map = |statements: usize, count: usize| {
        format!(
            "version: 1\norganization: {{ name: acme }}\ndefaults:\n  log_bucket:\n    extra_statements:\n{}accounts:\n{}",
            statement.repeat(statements),
            accounts(count)
        )
    };
    let dir = tempfile::tempdir().unwrap();
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map(401, 3));
    assert!(run.code == 1 && run.stdout.matches("would have more than 400 extra statements").count() == 3, "{}", run.stdout);
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map(2000, 1300));
    assert!(
        run.code == 1 && run.stdout.matches("adds more than 250000 statements to its policies").count() == 1,
        "{}",
        &run.stdout[run.stdout.len() - 3000..]
    );
}

#[test]
fn wildcards_inside_patterns_take_no_more_than_their_time() {
    let map = |resources: &str, count: usize| {
        let accounts: String = (0..count)
            .map(|at| format!("  p{at}: {{ id: \"{at:012}\", regions: {{ us-east-1: {{ buckets: [b{at}-x] }} }} }}\n"))
            .collect();
        format!(
            "version: 1\norganization: {{ name: acme }}\ndefaults:\n  log_bucket:\n    extra_statements:\n      - {{ Sid: Mine, Effect: Deny, Principal: '*', Action: 's3:PutObject', Resource: {resources} }}\naccounts:\n{accounts}"
        )
    };
    let dir = tempfile::tempdir().unwrap();
    // each character may have begun the rest or not: the states double with each `?`
    let doubling: Vec<String> = (0..10).map(|at| format!("'{{log_bucket_arn}}/*{at}*{}????a*'", at * 7)).collect();
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map(&format!("[{}]", doubling.join(", ")), 100));
    let refused = "the statement `Mine` denies: S3 can't deliver the access logs of";
    let why = "that it does not can't be shown: its resources have too many wildcards";
    assert!(run.code == 1 && run.stdout.contains(refused) && run.stdout.contains(why), "{}{}", run.stdout, run.stderr);
    let repeated = format!("'{}'", "{log_bucket_arn}/*".repeat(170));
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map(&repeated, 1));
    assert!(run.code == 0, "no delivery has such a key: {}{}", run.stdout, run.stderr);
    // what people write is shown, however many accounts there are
    let usual = "['{log_bucket_arn}/*/drafts/*', '{log_bucket_arn}/tmp-*-x/*', '{log_bucket_arn}/team/????/*']";
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map(usual, 60));
    assert!(run.code == 0, "no delivery has such a key: {}{}", run.stdout, run.stderr);
    let blocking = usual.replace("/drafts/", "/2027/");
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map(&blocking, 60));
    assert!(run.code == 1 && run.stdout.contains("shown by: logging.s3.amazonaws.com calls s3:PutObject"), "{}", run.stdout);
    assert!(!run.stdout.contains("can't be shown"), "{}", run.stdout);
}

#[test]
fn aliases_and_anchors_copy_no_more_than_they_may() {
    let map = |buckets: &str, more: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\n{more}accounts:\n  a: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{buckets}] }} }} }}\n"
        )
    };
    let dir = tempfile::tempdir().unwrap();
    let aliases = map(&format!("&a {}{}", "a".repeat(20_000), ", *a".repeat(1_000)), "");
    let run = logmap_with_input(dir.path(), &["validate", "-"], &aliases);
    assert!(run.code == 1 && run.stdout.contains("the aliases stand for more than 16 MiB"), "{}", run.stdout.len());
    let nested: String = (0..50).map(|depth| format!("&x{depth} [")).collect();
    let anchors = map("acme-web", &format!("x: {nested}{}{}\n", "b, ".repeat(200_000), "]".repeat(50)));
    let run = logmap_with_input(dir.path(), &["validate", "-"], &anchors);
    assert!(run.code == 1 && run.stdout.contains("nodes with anchors have more than 16 MiB together"), "{}", run.stdout.len());
}

#[test]
fn errors_without_number_are_counted_and_not_listed() {
    let dir = tempfile::tempdir().unwrap();
    let map = format!("version: 1\naccounts:\n{}", "  a: {}\n".repeat(30_000));
    let run = logmap_with_input(dir.path(), &["validate", "-"], &map);
    let listed = run.stdout.matches("the key `a` stands twice").count();
    assert!(run.code == 1 && listed == 10_000 && run.stdout.contains("more than 10000 keys stand twice"), "{listed}");
    // each by itself in every format, and as many as there are
    let names: String = (0..20_000).map(|number| format!("Acme{number}, ")).collect();
    let map = format!(
        "version: 1\norganization: {{ name: acme }}\naccounts: {{ a: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{names}] }} }} }} }}\n"
    );
    let run = logmap_with_input(dir.path(), &["validate", "-", "--format", "json"], &map);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(report["findings"].as_array().unwrap().len() >= 20_000);
}

#[test]
fn a_word_of_megabytes_is_drawn_as_far_as_it_fits() {
    let dir = tempfile::tempdir().unwrap();
    let map = "version: 1\norganization: { name: acme }\naccounts: { a: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } } }\n";
    fs::write(dir.path().join("logmap.yaml"), map).unwrap();
    let services = [json!("logging.s3.amazonaws.com"), json!("x".repeat(4_000_000))];
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": services }, "Action": "s3:PutObject", "Resource": "*" });
    let mut policy = json!({ "Statement": [statement] });
    policy[format!("Stat{}", "e".repeat(400_000))] = json!(1);
    fs::write(dir.path().join("acme-logs.policy.json"), policy.to_string()).unwrap();
    for format in ["svg", "html", "dot", "mermaid"] {
        let run = logmap(dir.path(), &["graph", "--check", "acme-logs.policy.json", "--format", format]);
        assert_eq!(run.code, 0, "{format}: {}", run.stderr);
    }
}

#[cfg(unix)]
mod files {
    use super::*;
    use std::{
        os::unix::fs::symlink,
        path::Path,
        process::{Command, Stdio},
    };

    const TEMPLATE: &str = r#"{"Resources": {"Web": {"Type": "AWS::S3::Bucket", "Properties": {"LoggingConfiguration": {}}}}}"#;

    fn fifo(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn what_is_no_file_is_passed_over_in_a_folder_with_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = dir.path().join("inputs");
        fs::create_dir(&inputs).unwrap();
        fs::write(inputs.join("t.json"), TEMPLATE).unwrap();
        fifo(&inputs.join("pipe.json"));
        symlink("/dev/zero", inputs.join("zero.yaml")).unwrap();
        symlink("pipe.json", inputs.join("link.json")).unwrap();
        for command in ["check", "import"] {
            let run = logmap(dir.path(), &[command, "inputs"]);
            for (name, kind) in [("pipe.json", "a pipe"), ("link.json", "a pipe"), ("zero.yaml", "a device")] {
                let said = format!("inputs/{name}: not read: it can't be read: it is {kind}, not a file");
                assert!(run.stderr.contains(&said), "{command}: {}", run.stderr);
            }
        }
        assert_eq!(logmap(dir.path(), &["check", "inputs"]).code, 1, "the template is read");
    }

    #[test]
    fn a_device_is_refused_by_name_and_a_pipe_is_read() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/dev/zero", dir.path().join("zero.yaml")).unwrap();
        for command in ["check", "import", "validate", "generate", "graph"] {
            let run = logmap(dir.path(), &[command, "zero.yaml"]);
            assert!(run.code == 2 && run.stderr.contains("it is a device, not a file"), "{command}: {}", run.stderr);
        }
        let run = logmap(dir.path(), &["check", "zero.yaml", "--baseline", "zero.yaml"]);
        assert_eq!(run.code, 2);
        fifo(&dir.path().join("pipe"));
        let writer = dir.path().join("pipe");
        let writing = std::thread::spawn(move || fs::write(writer, TEMPLATE).unwrap());
        let run = logmap(dir.path(), &["check", "pipe"]);
        writing.join().unwrap();
        assert!(run.code == 1 && run.stdout.contains("LM11"), "{}{}", run.stdout, run.stderr);
        let mut child = Command::new(env!("CARGO_BIN_EXE_logmap"))
            .args(["check", "/dev/stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), TEMPLATE.as_bytes()).unwrap();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    }
}

#[test]
fn a_policy_of_very_many_patterns_is_unknown() {
    let statement = |number: usize| {
        let accounts: Vec<String> = (0..20).map(|more| format!("*{}*", number * 7 + more)).collect();
        json!({ "Effect": "Allow", "Principal": { "Service": "logging.s3.amazonaws.com" }, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::acme-logs/*", "Condition": { "StringLike": { "aws:SourceAccount": accounts } } })
    };
    let policy = json!({ "Version": "2012-10-17", "Statement": (0..50).map(statement).collect::<Vec<_>>() });
    let run = check("policy.json", &policy.to_string(), &[]);
    assert!(run.code == 0 && run.stdout.contains("it is too complex"), "{}{}", run.stdout, run.stderr);
}
