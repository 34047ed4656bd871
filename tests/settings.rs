//! `settings` of a map: every command does what they say, a flag wins, and what they name can't lead out of the map's folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{Run, logmap, tree};
use logmap::testing::{analysis::analyze, diagnostics::Finding, source::SourceFile};
use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// LM0105, a warning, and LM0106, a note.
const MAP: &str = "version: 1
organization: { name: acme }
accounts:
  prod:
    id: \"111122223333\"
    regions:
      eu-south-1: { buckets: [acme-prod-web] }
      us-east-7: { buckets: [acme-prod-data] }
";

/// A folder with the map and these settings.
fn folder(settings: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), settings);
    dir
}

fn write(dir: &Path, settings: &str) {
    fs::write(dir.join("logmap.yaml"), format!("{MAP}{settings}")).unwrap();
}

/// Rule → severity of what is shown.
fn shown(run: &Run) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{} {}", run.stdout, run.stderr));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    report["findings"].as_array().unwrap().iter().map(|one| (text(one, "rule"), text(one, "severity"))).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(rule, severity)| ((*rule).to_owned(), (*severity).to_owned())).collect()
}

#[test]
fn a_rule_has_the_severity_that_the_map_sets_or_is_not_shown() {
    let dir = folder("");
    let validate = || logmap(dir.path(), &["validate", "--format", "json"]);
    let before = validate();
    assert_eq!(shown(&before), pairs(&[("LM0106", "info"), ("LM0105", "warning")]));
    write(
        dir.path(),
        "settings:\n  rules:\n    LM0106: { severity: warning, reason: we opt in by hand }\n    region-unknown: { severity: ignore, reason: it is new }\n",
    );
    let run = validate();
    assert_eq!((shown(&run), run.code), (pairs(&[("LM0106", "warning")]), 0));
    assert_eq!(logmap(dir.path(), &["validate", "--fail-on", "warning"]).code, 1);
    // what is not shown is in SARIF, with its reason
    let sarif = logmap(dir.path(), &["validate", "--format", "sarif"]).stdout;
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let hidden: Vec<&Value> =
        results.iter().filter(|one| one["suppressions"].as_array().is_some_and(|all| !all.is_empty())).collect();
    assert_eq!(hidden.len(), 1);
    assert_eq!(hidden[0]["suppressions"][0]["justification"], "the map's settings: it is new");
    assert_eq!(results.iter().find(|one| one["ruleId"] == "LM0106").unwrap()["level"], "warning");
    let explain = |rule: &str| logmap(dir.path(), &["explain", rule, "--map", "logmap.yaml"]).stdout;
    assert!(explain("region-unknown").ends_with("\nlogmap.yaml ignores it: it is new\n"));
    assert!(explain("LM0106").ends_with("\nlogmap.yaml sets it to warning: we opt in by hand\n"));
    assert!(!explain("LM0203").contains("logmap.yaml sets"));

    // an error keeps files from being written, and one that is a warning does not
    write(dir.path(), "settings: { rules: { LM0105: { severity: error, reason: no new Regions here } } }\n");
    let run = logmap(dir.path(), &["generate"]);
    assert!(run.code == 1 && !dir.path().join("out").exists() && run.stderr.contains("error[LM0105]"), "{}", run.stderr);
    let twice = MAP.replace("acme-prod-data", "acme-prod-web");
    fs::write(dir.path().join("logmap.yaml"), &twice).unwrap();
    assert_eq!(logmap(dir.path(), &["generate"]).code, 1);
    let lowered = format!("{twice}settings: {{ rules: {{ LM0203: {{ severity: warning, reason: moved next week }} }} }}\n");
    fs::write(dir.path().join("logmap.yaml"), lowered).unwrap();
    let run = logmap(dir.path(), &["generate"]);
    assert!(run.code == 0 && run.stderr.contains("warning[LM0203]"), "{}", run.stderr);
}

#[test]
fn nothing_that_keeps_a_map_from_being_used_can_be_set() {
    for (rules, message, help) in [
        (
            "LM0305: { severity: warning, reason: x }",
            "`LM0305` can't be set: what it finds keeps a map from being used",
            "take it out",
        ),
        (
            "opens-to-others: { severity: info, reason: x }",
            "`LM0315` can't be set: a policy of which it finds something is not proven",
            "take it out",
        ),
        ("LM0017: { severity: ignore, reason: x }", "`LM0017` can't be set", "take it out"),
        ("missing-key: { severity: info, reason: x }", "`LM0010` can't be set", "take it out"),
        ("LM1702: { severity: ignore, reason: x }", "`LM1702` can't be set: `generate --check` says", "take it out"),
        ("LM1604: { severity: ignore, reason: x }", "`LM1604` can't be set: what is imported", "take it out"),
        ("LM0999: { severity: ignore, reason: x }", "there is no rule `LM0999`", "did you mean `LM0"),
        (
            "region-unknwon: { severity: ignore, reason: x }",
            "there is no rule `region-unknwon`",
            "did you mean `region-unknown`?",
        ),
        ("\"a\\nb\": { severity: ignore, reason: x }", "there is no rule `a\\nb`", "logmap explain --list"),
        ("LM0105: { severity: ignore, reason: \"  \" }", "the reason for `LM0105` is empty", "write why"),
        ("LM0105: { severity: ignore }", "a rule needs the key `reason`", "write `reason:`"),
        ("LM0105: { severity: off, reason: x }", "`off` is not a value of `severity`", "`ignore`"),
        ("LM0105: ignore", "`LM0105` is a string, expected a mapping", "`severity` and `reason`"),
        (
            "LM0105: { severity: ignore, reason: x }, region-unknown: { severity: error, reason: x }",
            "`LM0105` is set twice, by its id and by its name",
            "remove one",
        ),
    ] {
        let analysis = analyze(SourceFile::new("map", format!("{MAP}settings: {{ rules: {{ {rules} }} }}\n")));
        let found = analysis.findings.iter().find(|finding| finding.message.contains(message));
        let found = found.unwrap_or_else(|| panic!("{rules}: {:#?}", analysis.findings));
        assert!(found.help.contains(help), "{rules}: {}", found.help);
        assert!(analysis.plan.is_none() && !found.rule.can_be_ignored, "{rules}");
    }
    // a policy that is not proven is not rendered: its rule is an error before that
    for (id, statement) in [
        ("LM0311", r#"{ Effect: Deny, Principal: "*", Action: "s3:PutObject", Resource: "{log_bucket_arn}/*" }"#),
        ("LM0312", r#"{ Effect: Allow, Principal: "*", Action: "s3:PutObject", Resource: "{log_bucket_arn}/*" }"#),
        (
            "LM0314",
            r#"{ Effect: Deny, Principal: { AWS: "111122223333" }, Action: "s3:*", Resource: ["{log_bucket_arn}", "{log_bucket_arn}/*"] }"#,
        ),
        (
            "LM0315",
            r#"{ Effect: Allow, Principal: { Service: logging.s3.amazonaws.com }, Action: "s3:PutObject", Resource: "{log_bucket_arn}/*" }"#,
        ),
    ] {
        let text = format!("{MAP}defaults: {{ log_bucket: {{ extra_statements: [{statement}] }} }}\n");
        let found = analyze(SourceFile::new("map", text.as_str())).findings;
        assert!(found.iter().any(|finding| finding.rule.id == id), "{id}: {found:#?}");
        let set = format!("{text}settings: {{ rules: {{ {id}: {{ severity: ignore, reason: x }} }} }}\n");
        let analysis = analyze(SourceFile::new("map", set));
        let ids: Vec<&str> = analysis.findings.iter().map(|finding| finding.rule.id).collect();
        assert!(ids.contains(&id) && ids.contains(&"LM0017") && analysis.plan.is_none(), "{ids:?}");
    }
    let analysis = analyze(SourceFile::new("map", format!("{MAP}settings: {{ targets: [] }}\n")));
    let is_empty = |finding: &Finding| finding.message == "`targets` is empty, so that nothing would be generated";
    assert!(analysis.plan.is_none() && analysis.findings.iter().any(is_empty));
    // a setting of a rule that can't be set has no effect beside its own finding
    let text = format!("{MAP}settings: {{ rules: {{ unknown-key: {{ severity: ignore, reason: x }} }}, nothing: 1 }}\n");
    let analysis = analyze(SourceFile::new("map", text));
    assert!(analysis.findings.iter().any(|finding| finding.rule.id == "LM0009"));
}

#[test]
fn generate_does_what_the_settings_say_and_a_flag_wins() {
    let dir = folder("");
    let top = |out: &str| -> Vec<String> {
        let mut names: Vec<String> =
            tree(&dir.path().join(out)).keys().map(|path| path.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        names
    };
    assert_eq!(logmap(dir.path(), &["generate", "--out", "gen/logs"]).code, 0);
    assert!(top("gen/logs").contains(&"athena".to_owned()));
    write(dir.path(), "settings: { out: gen/logs, targets: [policies, terraform] }\n");
    // the map no longer gives the other targets' files
    let check = logmap(dir.path(), &["generate", "--check"]);
    assert!(check.code == 1 && check.stderr.contains("`logmap generate` brings it up to date"), "{}", check.stderr);
    assert!(check.stdout.contains("athena/prod/eu-south-1.sql"), "{}", check.stdout);
    assert_eq!(logmap(dir.path(), &["generate"]).code, 0);
    assert_eq!(top("gen/logs"), [".gitattributes", "README.md", "logmap.lock.json", "policies", "terraform"]);
    assert!(!fs::read_to_string(dir.path().join("gen/logs/README.md")).unwrap().contains("athena/"));
    assert_eq!(logmap(dir.path(), &["generate", "--check"]).code, 0);
    // from a folder below, too
    fs::create_dir_all(dir.path().join("sub")).unwrap();
    assert_eq!(logmap(&dir.path().join("sub"), &["generate", "--check"]).code, 0);
    let other = logmap(dir.path(), &["generate", "--target", "athena", "--out", "other"]);
    assert_eq!(other.code, 0, "{}", other.stderr);
    assert_eq!(top("other"), [".gitattributes", "README.md", "athena", "logmap.lock.json"]);
    assert!(!dir.path().join("out").exists());

    // templates of the map, and of a flag
    for (folder, text) in [("mine", "# of the map\n"), ("theirs", "# of the flag\n")] {
        fs::create_dir_all(dir.path().join(folder).join("terraform")).unwrap();
        fs::write(dir.path().join(folder).join("terraform/versions.tf"), text).unwrap();
    }
    write(dir.path(), "settings: { targets: [terraform], templates: mine }\n");
    let versions = || fs::read_to_string(dir.path().join("out/terraform/prod/versions.tf")).unwrap();
    assert_eq!(logmap(dir.path(), &["generate"]).code, 0);
    assert_eq!(versions(), "# of the map\n");
    assert_eq!(logmap(dir.path(), &["generate", "--templates", "theirs"]).code, 0);
    assert_eq!(versions(), "# of the flag\n");
}

#[test]
fn paths_of_a_map_stay_below_its_folder() {
    for (key, paths) in [
        ("out", &["../out", "/tmp/out", "a/../../b", ".git/hooks", "a/.b/c", ".", "", "C:/a", "a\\\\b", "a\\nb"][..]),
        ("templates", &["../t", "/etc", ".git", ".", "a/.."]),
        ("baseline", &["../b.json", "/etc/passwd", ".git/config", "..", "a/"]),
    ] {
        for path in paths {
            let text = format!("{MAP}settings: {{ {key}: \"{path}\" }}\n");
            let analysis = analyze(SourceFile::new("map", text));
            let found = analysis.findings.iter().find(|finding| finding.rule.id == "LM0017");
            let found = found.unwrap_or_else(|| panic!("{key} {path}: {:#?}", analysis.findings));
            assert!(
                found.message.contains("which is no path below the map's folder") && found.help.contains(&format!("`--{key}`"))
            );
            assert!(analysis.plan.is_none(), "{key} {path}");
        }
    }
}

#[test]
#[cfg(unix)]
fn links_of_a_stranger_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let world = tempfile::tempdir().unwrap();
    let (here, away) = (world.path().join("here"), world.path().join("away"));
    fs::create_dir_all(here.join("t/terraform")).unwrap();
    fs::create_dir_all(away.join("terraform")).unwrap();
    fs::write(away.join("secret.json"), "hunter2").unwrap();
    fs::write(away.join("terraform/versions.tf"), "hunter2\n").unwrap();
    symlink(&away, here.join("link")).unwrap();
    symlink(away.join("terraform/versions.tf"), here.join("t/terraform/versions.tf")).unwrap();
    for (settings, part) in [
        ("out: link", "link is a symbolic link, which is followed only if you ask for it: `--out link`"),
        ("out: link/new", "link is a symbolic link, which is followed only if you ask for it: `--out link/new`"),
        ("templates: link", "link is a symbolic link, which is followed only if you ask for it: `--templates link`"),
        ("templates: t", "t/terraform/versions.tf is a symbolic link, which is followed only if you ask for it: `--templates t`"),
        ("baseline: link/secret.json", "can't be read: it is a link that leads out of the map's folder"),
    ] {
        write(&here, &format!("settings: {{ {settings} }}\n"));
        let run = logmap(&here, &["generate"]);
        assert!(run.code != 0 && run.stderr.contains(part), "{settings}: {}", run.stderr);
        assert!(!run.stderr.contains("hunter2") && !here.join("out").exists(), "{settings}: {}", run.stderr);
        assert_eq!(tree(&away).len(), 2, "{settings}");
    }
    // whoever calls may follow them
    write(&here, "");
    let run = logmap(&here, &["generate", "--target", "terraform", "--templates", "t", "--out", "link/new"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(fs::read_to_string(away.join("new/terraform/prod/versions.tf")).unwrap(), "hunter2\n");
}

#[test]
fn known_findings_of_the_map_are_hidden_by_every_command() {
    let dir = folder("settings: { baseline: known.json }\n");
    let run = logmap(dir.path(), &["validate"]);
    assert!(run.code == 1 && run.stdout.contains("the baseline `known.json` can't be read"), "{}", run.stdout);
    assert!(run.stdout.contains("`logmap validate --write-baseline known.json`"), "{}", run.stdout);
    assert_eq!(logmap(dir.path(), &["validate", "--write-baseline", "known.json"]).code, 0);
    for command in [&["validate"][..], &["validate", "logmap.yaml", "logmap.yaml"], &["generate"], &["graph"]] {
        let run = logmap(dir.path(), command);
        assert_eq!(run.code, 0, "{command:?} {}", run.stderr);
        assert!(run.stderr.contains("known.json: 2 known finding(s) are not shown"), "{command:?} {}", run.stderr);
        assert!(!run.stdout.contains("LM0105") && !run.stderr.contains("LM0105"), "{command:?}");
    }
    // another baseline that a flag names is the only one
    fs::write(dir.path().join("none.json"), "{\"format_version\":\"1.1\",\"findings\":[]}").unwrap();
    let run = logmap(dir.path(), &["validate", "--baseline", "none.json", "--format", "json"]);
    assert_eq!(shown(&run).len(), 2);
    // what is no longer found
    fs::write(dir.path().join("logmap.yaml"), MAP.replace("us-east-7", "us-east-2") + "settings: { baseline: known.json }\n")
        .unwrap();
    let run = logmap(dir.path(), &["validate"]);
    assert!(run.stderr.contains("note: known.json lists LM0105 at"), "{}", run.stderr);
    for text in ["[]", "{\"format_version\":\"9.0\",\"findings\":[]}", "{"] {
        fs::write(dir.path().join("known.json"), text).unwrap();
        let run = logmap(dir.path(), &["generate"]);
        assert!(run.code == 1 && run.stderr.contains("the baseline `known.json` can't be used"), "{text}: {}", run.stderr);
    }
}

#[test]
fn the_baseline_of_a_revision_is_the_one_of_then() {
    let dir = folder("settings: { baseline: known.json, rules: { LM0203: { severity: warning, reason: x } } }\n");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(dir.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments)
            .output();
        assert!(done.unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    let error = "settings: { baseline: known.json }\n";
    fs::write(dir.path().join("logmap.yaml"), MAP.replace("acme-prod-data", "acme-prod-web") + error).unwrap();
    assert_eq!(logmap(dir.path(), &["validate", "--write-baseline", "known.json"]).code, 0);
    git(&["add", "."]);
    git(&["commit", "-qm", "x"]);
    // the error of then is known, so there is something to compare with
    write(dir.path(), "");
    for arguments in [&["diff", "--since", "HEAD"][..], &["diff", "HEAD:logmap.yaml", "logmap.yaml"]] {
        let run = logmap(dir.path(), arguments);
        assert!(run.code == 1 && run.stdout.contains("acme-prod-data"), "{arguments:?} {} {}", run.stdout, run.stderr);
        assert!(run.stdout.contains("settings of commands\n  baseline: known.json no longer"), "{}", run.stdout);
    }
}

#[test]
fn diff_says_what_is_set_otherwise() {
    let dir = folder("settings: { out: gen, rules: { LM0105: { severity: ignore, reason: \"a \\e[31m b\" } } }\n");
    fs::write(dir.path().join("old.yaml"), MAP).unwrap();
    let run = logmap(dir.path(), &["diff", "old.yaml", "logmap.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("settings of commands\n  out: out → gen\n  rules.LM0105: ignore: a "), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}') && run.stdout.contains("2 differences"), "{}", run.stdout);
    let run = logmap(dir.path(), &["diff", "old.yaml", "logmap.yaml", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["changes"]["settings"][0]["setting"], "out");
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/diff.schema.json")).unwrap())
            .unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report));
}

#[test]
fn check_takes_the_severities_of_the_map_and_keeps_its_verdicts() {
    let dir = folder("");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"loging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*"}]}"#;
    fs::write(dir.path().join("policy.json"), policy).unwrap();
    let check = || logmap(dir.path(), &["check", "policy.json", "--map", "logmap.yaml", "--format", "json"]);
    let run = check();
    assert_eq!((shown(&run), run.code), (pairs(&[("LM1406", "error")]), 1));
    let verdict = |run: &Run| serde_json::from_str::<Value>(&run.stdout).unwrap()["configurations"][0]["verdict"].clone();
    for (severity, findings) in [("warning", pairs(&[("LM1406", "warning")])), ("ignore", Vec::new())] {
        write(dir.path(), &format!("settings: {{ rules: {{ LM1406: {{ severity: {severity}, reason: it goes }} }} }}\n"));
        let run = check();
        assert_eq!((shown(&run), run.code), (findings, 0), "{severity}");
        // what is wrong is wrong, whatever it counts
        assert_eq!(verdict(&run), "violation");
    }
    let sarif = logmap(dir.path(), &["check", "policy.json", "--map", "logmap.yaml", "--format", "sarif"]).stdout;
    assert!(sarif.contains("the map's settings: it goes"), "{sarif}");
}

#[test]
fn settings_of_several_maps_are_each_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let account = MAP.split_once("    regions").unwrap().0;
    let a = format!("{account}    regions: {{ us-east-1: {{ buckets: [acme-a] }} }}\n");
    let b = format!("{account}    regions: {{ us-east-2: {{ buckets: [acme-b] }} }}\n");
    let set = "settings: { rules: { LM0122: { severity: ignore, reason: two teams } } }\n";
    let validate = |a: &str, b: &str| {
        fs::write(dir.path().join("a.logmap.yaml"), a).unwrap();
        fs::write(dir.path().join("b.logmap.yaml"), b).unwrap();
        shown(&logmap(dir.path(), &["validate", ".", "--format", "json"]))
    };
    let found = pairs(&[("LM0122", "warning")]);
    assert_eq!(validate(&a, &b), found);
    // it stands in the second map
    assert_eq!(validate(&(a.clone() + set), &b), found);
    assert_eq!(validate(&a, &(b + set)), Vec::new());
}

#[test]
fn only_the_map_itself_has_settings() {
    let dir = folder("include: [more.yaml]\n");
    fs::write(dir.path().join("more.yaml"), "version: 1\naccounts: {}\nsettings: { out: elsewhere }\n").unwrap();
    let run = logmap(dir.path(), &["validate"]);
    assert!(run.stdout.contains("`settings` can't stand in an included file\n --> more.yaml:3:1"), "{}", run.stdout);
}

#[test]
fn what_coverage_leaves_out_has_names_and_a_reason() {
    let findings = |text: &str| -> Vec<String> {
        let analysis = analyze(SourceFile::new("logmap.yaml", format!("{MAP}coverage: {{ ignore: [{text}] }}\n")));
        let found =
            analysis.findings.iter().filter(|finding| finding.rule.severity == logmap::testing::diagnostics::Severity::Error);
        found.map(|finding| format!("{} {}", finding.rule.id, finding.message)).collect()
    };
    assert_eq!(findings("{ buckets: [\"cdk-*\"], reason: no data }"), Vec::<String>::new());
    for (text, said) in [
        ("{ buckets: [x], reason: \" \" }", "LM0017 the reason why buckets are left out is empty"),
        ("{ buckets: [], reason: x }", "LM0017 `buckets` is empty, so that nothing is left out"),
        ("{ buckets: [\"*\"], reason: x }", "LM0017 `*` leaves out every bucket, also those of tomorrow"),
        ("{ buckets: [x] }", "LM0010 an entry of `ignore` needs the key `reason`"),
        ("{ reason: x }", "LM0010 an entry of `ignore` needs the key `buckets`"),
    ] {
        assert_eq!(findings(text), [said], "{text}");
    }
    // a change of it is told
    let dir = folder("");
    fs::write(
        dir.path().join("new.yaml"),
        format!("{MAP}coverage: {{ ignore: [{{ buckets: [\"cdk-*\"], reason: no data }}] }}\n"),
    )
    .unwrap();
    let run = logmap(dir.path(), &["diff", "logmap.yaml", "new.yaml"]);
    assert!(run.code == 1 && run.stdout.contains("coverage.ignore"), "{} {}", run.code, run.stdout);
}
