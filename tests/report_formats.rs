//! The report formats besides text: SARIF, GitHub annotations, JUnit. `tests/harness/report_formats.py` has others judge them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::logmap;
use logmap::testing::{
    diagnostics::{Finding, Report, Severity, concise, fingerprint::fingerprints, github, gitlab, junit, sarif},
    edit::Fix,
    rules,
    source::{FileId, SourceFile, Span},
};
use serde_json::Value;
use std::{collections::BTreeMap, fs};

const BAD: &str = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: 012345678901\n    regions:\n      us-east-1:\n        buckets: [acme-wéb, acme-data, acme-data]\n      us-east-7: { buckets: [acme-old] }\n";

fn map(dir: &std::path::Path, text: &str, format: &str) -> String {
    fs::write(dir.join("logmap.yaml"), text).unwrap();
    let run = logmap(dir, &["validate", "--format", format]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    run.stdout
}

/// A finding whose every text would break out of its place, in a second file.
fn hostile() -> (Vec<SourceFile>, Vec<Finding>) {
    let files = vec![SourceFile::new("a.yaml", "one\n"), SourceFile::new("b, c:50%\n<d>.yaml", "é: \"x\"\n  more\nlast\n")];
    let rule = rules::find("LM0203").unwrap();
    let finding = Finding::new(rule, Span::new(4, 14), "a `]]>&<\"'`\r\n::error::no\u{1} [x](y)")
        .in_file(FileId(1))
        .help("100%")
        .related(Span::new(0, 3), "it is <here>")
        .fix(Fix::safe_fix("quote", Span::new(4, 7), "y"));
    (files, vec![finding])
}

fn report<'a>(files: &'a [SourceFile], findings: &'a [Finding]) -> Report<'a> {
    Report { files, findings, suppressed: &[], route: &|_| "a[0].<b>".to_owned() }
}

#[test]
fn annotations_are_one_line_each_and_hold_their_text() {
    let (files, findings) = hostile();
    assert_eq!(
        github::render(&report(&files, &findings)),
        "::error file=b%2C c%3A50%25%0A<d>.yaml,line=1,endLine=1,col=4,endColumn=7,title=LM0203 source-twice::\
         a `]]>&<\"'`\\u{d}%0A::error::no\\u{1} [x](y)%0Aa.yaml:1: it is <here>%0Ahelp: 100%25\n"
    );
}

#[test]
fn a_concise_finding_is_one_line() {
    let (files, findings) = hostile();
    let text = concise::render(&report(&files, &findings));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(":1:4: error[LM0203] a `]]>&<") && !text.contains('\u{1}'), "{text}");
    let dir = tempfile::tempdir().unwrap();
    let lines = map(dir.path(), BAD, "concise");
    assert!(
        lines.lines().all(|line| line.starts_with("logmap.yaml:")) && lines.contains("logmap.yaml:5:9: error[LM0011]"),
        "{lines}"
    );
}

#[test]
fn code_quality_names_each_finding_by_itself() {
    let (files, mut findings) = hostile();
    findings.push(findings[0].clone());
    let entries = serde_json::to_value(gitlab::report(&report(&files, &findings))).unwrap();
    let entries = entries.as_array().unwrap();
    assert_eq!((entries[0]["severity"].as_str(), entries[0]["location"]["lines"]["begin"].as_u64()), (Some("major"), Some(1)));
    assert_eq!(entries[0]["check_name"], "LM0203 source-twice");
    assert!(entries[0]["description"].as_str().unwrap().ends_with("; 100%"));
    assert_ne!(entries[0]["fingerprint"], entries[1]["fingerprint"], "GitLab shows one of those that are alike");
    let again = serde_json::to_value(gitlab::report(&report(&files, &findings))).unwrap();
    assert_eq!(again.as_array(), Some(entries));
    let dir = tempfile::tempdir().unwrap();
    let found: Value = serde_json::from_str(&map(dir.path(), BAD, "gitlab")).unwrap();
    assert!(found.as_array().unwrap().iter().all(|entry| entry["location"]["path"] == "logmap.yaml"), "{found}");
    let empty = logmap(dir.path(), &["validate", "-", "--format", "gitlab"]);
    assert_eq!(empty.stdout.chars().next(), Some('['));
}

#[test]
fn junit_escapes_and_fails_what_the_command_fails() {
    let (files, findings) = hostile();
    let failed = junit::render(&report(&files, &findings), "two files", |severity| severity == Severity::Error);
    assert_eq!(
        failed,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"logmap\" tests=\"1\" failures=\"1\" errors=\"0\">\n  \
         <testsuite name=\"logmap\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">\n    \
         <testcase classname=\"logmap.LM0203\" name=\"source-twice at a[0].&lt;b&gt;\">\
         <failure type=\"LM0203\" message=\"a `]]&gt;&amp;&lt;&quot;'`&#13;&#10;::error::no\u{fffd} [x](y)\">\
         b, c:50%&#10;&lt;d&gt;.yaml:1:4: error: a `]]&gt;&amp;&lt;&quot;'`&#13;&#10;::error::no\u{fffd} [x](y)&#10;\
         a.yaml:1:1: it is &lt;here&gt;&#10;help: 100%</failure></testcase>\n  </testsuite>\n</testsuites>\n"
    );
    let passed = junit::render(&report(&files, &findings), "two files", |_| false);
    assert!(passed.contains("tests=\"1\" failures=\"0\"") && passed.contains("<system-out>") && !passed.contains("<failure"));
    let clean = junit::render(&report(&files, &[]), "logmap.yaml", |_| true);
    assert!(clean.contains("tests=\"1\" failures=\"0\"") && clean.contains("name=\"logmap.yaml: no findings\"/>"), "{clean}");
}

#[test]
fn sarif_names_the_files_the_other_end_and_the_fix() {
    let (files, findings) = hostile();
    let log = sarif::log(&report(&files, &findings));
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "b%2C%20c%3A50%25%0A%3Cd%3E.yaml");
    assert_eq!(place["region"]["startColumn"], 4);
    assert_eq!(result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a.yaml");
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "it is <here>");
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], place["artifactLocation"]["uri"]);
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "y");
    assert_eq!(result["ruleIndex"], 0);
    assert_eq!(run["tool"]["driver"]["rules"][0]["help"]["markdown"], rules::find("LM0203").unwrap().page);
}

/// Rule and underlined text → fingerprint, of a map's SARIF.
fn prints(dir: &std::path::Path, text: &str) -> BTreeMap<String, String> {
    let log: Value = serde_json::from_str(&map(dir, text, "sarif")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let prints = results.iter().map(|result| {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let at = |key: &str| region[key].as_u64().unwrap() as usize;
        let end = if at("startLine") == at("endLine") { at("endColumn") } else { usize::MAX };
        let underlined: String = lines[at("startLine") - 1].chars().take(end - 1).skip(at("startColumn") - 1).collect();
        let print = result["partialFingerprints"]["logmapFinding/v2"].as_str().unwrap().to_owned();
        (format!("{} {underlined}", result["ruleId"].as_str().unwrap()), print)
    });
    prints.collect()
}

#[test]
fn fingerprints_stay_when_lines_and_items_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let before = prints(dir.path(), BAD);
    let underlined: Vec<&str> = before.keys().map(String::as_str).collect();
    assert_eq!(underlined, ["LM0011 012345678901", "LM0105 us-east-7", "LM0107 acme-wéb", "LM0203 acme-data"]);
    let moved = format!("# a comment\n\n{}", BAD.replace("[acme-wéb", "[acme-first, acme-wéb"));
    assert_eq!(prints(dir.path(), &moved), before);
    let other = prints(dir.path(), &BAD.replace("prod:", "live:"));
    assert!(before.iter().all(|(key, print)| other[key] != *print), "another account is another place");
}

#[test]
fn findings_that_are_alike_have_one_fingerprint() {
    let (files, mut findings) = hostile();
    findings.push(findings[0].clone());
    findings.push(Finding::new(rules::find("LM0204").unwrap(), Span::new(0, 0), findings[0].message.clone()));
    let prints = fingerprints(&report(&files, &findings));
    assert!(prints[0] == prints[1] && prints[1] != prints[2]);
}

#[test]
fn generate_reports_in_the_format_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), BAD).unwrap();
    for (format, start) in
        [("sarif", "{"), ("github", "::error "), ("junit", "<?xml"), ("gitlab", "[\n"), ("concise", "logmap.yaml:")]
    {
        let run = logmap(dir.path(), &["generate", "--format", format]);
        assert_eq!((run.code, run.stdout.starts_with(start)), (1, true), "{format}: {}", run.stdout);
        assert!(!dir.path().join("out").exists());
    }
}
