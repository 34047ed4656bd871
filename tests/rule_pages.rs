//! Every rule's page is true: its bad inputs have the finding, its good inputs have not, and its head fits the declaration.
//!
//! A page's examples are the fences `yaml bad` and `yaml good`; those of rules from LM1001 on are what `check` reads, also
//! `json bad` and `json good`, and may say `region=`, `account=` and `map=small` as its flags do; those from LM1600 on what
//! `import` reads. A map that needs hundreds of names is made here, by the name
//! in `yaml bad generated=NAME`; the fence then holds a sketch of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::testing::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Rule, Scope, Severity},
    import::{GivenAccount, Options, import},
    inspection::inspect,
    observed::Told,
    rules,
    source::SourceFile,
};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

/// An example of a page.
struct Example {
    bad: bool,
    line: usize,
    text: String,
    /// What follows the kind of the fence: flags of `check`.
    flags: Vec<String>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/docs")
}

/// All fences of a page; one that is neither good nor bad is a mistake.
fn examples(rule: &Rule) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut lines = rule.page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let text = body.iter().fold(String::new(), |text, line| text + line + "\n");
        let words: Vec<&str> = info.split(' ').collect();
        let text = match words.iter().find_map(|word| word.strip_prefix("generated=")) {
            None => text,
            Some(name) => generated(name),
        };
        let languages: &[&str] = if is_observed(rule) { &["yaml", "json"] } else { &["yaml"] };
        assert!(
            languages.contains(&words[0]) && ["bad", "good"].contains(&words[1]),
            "{}: the fence `{info}` is neither good nor bad",
            rule.id
        );
        let flags = words[2..].iter().map(|word| word.to_string()).collect();
        examples.push(Example { bad: words[1] == "bad", line: at + 1, text, flags });
    }
    examples
}

/// Does the rule speak of generated files, of several maps, or of accounts? No example on a page is a folder or a snapshot:
/// `tests/generate.rs`, `tests/included.rs` and `tests/drift.rs` have one for each.
fn is_of_output(rule: &Rule) -> bool {
    matches!(rule.scope, Scope::Output | Scope::Maps | Scope::Live)
}

/// Does the rule speak of what others wrote?
fn is_observed(rule: &Rule) -> bool {
    matches!(rule.scope, Scope::Input | Scope::Import)
}

/// The map that `map=small` names.
const SMALL: &str = "version: 1
organization: { name: acme }
accounts: { prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } } }
";

/// What an example has: its findings, and whether it was read at all.
fn judged(rule: &Rule, example: &Example) -> (Vec<Finding>, bool) {
    if !is_observed(rule) {
        let analysis = analysis(&example.text);
        return (analysis.findings.clone(), analysis.plan.is_some());
    }
    let flag = |key: &str| example.flags.iter().find_map(|flag| Some(flag.strip_prefix(key)?.strip_prefix('=')?.to_owned()));
    let told = Told { region: flag("region"), account: flag("account"), ..Told::default() };
    let plan = flag("map").map(|_| analysis(SMALL).plan.unwrap());
    if rule.scope == Scope::Import {
        let account = flag("account").map(|text| match text.split_once('=') {
            Some((key, id)) => GivenAccount { key: Some(key.to_owned()), id: id.to_owned() },
            None => GivenAccount { key: None, id: text },
        });
        let options = Options {
            accounts: account.into_iter().collect(),
            region: flag("region"),
            organization: flag("organization"),
            parameters: Vec::new(),
        };
        let imported = import(vec![SourceFile::new("-", example.text.as_str())], &options, None);
        assert!(imported.ignored.is_empty() && imported.broken.is_empty(), "{}: {:?}", rule.id, imported.ignored);
        return (imported.findings, imported.map.is_some());
    }
    let inspection = inspect(vec![SourceFile::new("-", example.text.as_str())], &told, plan.as_ref());
    let read = inspection.ignored.is_empty() && !inspection.configurations.is_empty();
    (inspection.findings, read)
}

/// Inputs too long for a page.
fn generated(name: &str) -> String {
    // names as unlike as they can be, so that no pattern covers many
    let sources = |count: usize| {
        (0..count).fold(String::new(), |mut text, n| {
            let scattered = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            writeln!(text, "          - source-{scattered:016x}-with-a-long-name-{n:05}").unwrap();
            text
        })
    };
    let one_region = |settings: &str, sources: String| {
        format!(
            "version: 1\norganization: {{ name: acme }}\n{settings}accounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n        buckets:\n{sources}"
        )
    };
    let buckets = "defaults: { log_bucket: { policy_scope: buckets } }\n";
    match name {
        "many-statements" => {
            let statement = |n: usize| {
                format!(
                    r#"{{"Effect":"Allow","Principal":{{"Service":"logging.s3.amazonaws.com"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/s3/source-{n}/*","Condition":{{"StringEquals":{{"aws:SourceAccount":"111122223333"}}}}}}"#
                )
            };
            format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, (0..120).map(statement).collect::<Vec<_>>().join(","))
        }
        "many-sources-exact" => one_region(buckets, sources(400)),
        "nearly-full" => one_region(buckets, sources(310)),
        "many-sources-auto" => one_region("", sources(400)),
        "guarded-sources" => one_region("guardrails: { deployer: logmap-deployer }\n", sources(400)),
        "guarded-look-alikes" => {
            let accounts = (0..150).fold(String::new(), |mut text, n| {
                let id = 100_000_000_000u64 + n;
                writeln!(
                    text,
                    "  team{n}: {{ id: \"{id}\", regions: {{ us-east-1: {{ buckets: [acme-{id}-us-east-1-data] }} }} }}"
                )
                .unwrap();
                text
            });
            format!(
                "version: 1\norganization: {{ name: acme }}\ndefaults: {{ log_bucket: {{ name: \"acme-{{account_id}}-{{region}}\" }} }}\nguardrails: {{ deployer: logmap-deployer }}\naccounts:\n{accounts}"
            )
        }
        "many-trail-accounts" => {
            let accounts = (0..2000).fold(String::new(), |mut text, n| {
                writeln!(
                    text,
                    "  team{n}: {{ id: \"{:012}\", regions: {{ us-east-1: {{ buckets: [acme-team-{n}] }} }} }}",
                    100_000_000_000u64 + n
                )
                .unwrap();
                text
            });
            format!(
                "version: 1\norganization: {{ name: acme }}\naccounts:\n{accounts}  archive: {{ id: \"444455556666\" }}\ntrails:\n  audit: {{ deliver_to: {{ account: archive }} }}\n"
            )
        }
        _ => panic!("no generated map is called `{name}`"),
    }
}

fn analysis(text: &str) -> Analysis {
    analyze(SourceFile::new("logmap.yaml", text))
}

fn found(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.rule.id, finding.message)).collect()
}

#[test]
fn ids_are_unique_and_sorted_and_names_are_unique() {
    let rules = rules::all();
    assert!(rules.len() > 50, "only {} rules", rules.len());
    for pair in rules.windows(2) {
        assert!(pair[0].id < pair[1].id, "{} stands before {}", pair[0].id, pair[1].id);
    }
    for rule in &rules {
        let digits = rule.id.strip_prefix("LM").expect(rule.id);
        assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{}", rule.id);
        assert!(!rule.name.is_empty() && rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.name);
    }
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), rules.len(), "two rules have one name");
}

#[test]
fn the_folder_holds_a_page_for_each_rule_and_nothing_else() {
    let files: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let expected: BTreeSet<String> = rules::all().iter().map(|rule| format!("{}.md", rule.id)).collect();
    assert_eq!(files, expected);
}

#[test]
fn every_page_has_its_head_its_words_and_its_length() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        let lines: Vec<&str> = rule.page.lines().collect();
        let head = format!("# {} {}", rule.id, rule.name);
        if lines.first() != Some(&head.as_str()) {
            wrong.push(format!("{}: the first line is not `{head}`", rule.id));
        }
        let inputs: &[&str] = if is_observed(rule) {
            &[
                "input: CloudFormation template",
                "input: CloudFormation template beside a region map",
                "input: bucket policy",
                "input: Terraform state",
                "input: list of buckets",
                "input: CloudFormation template to import",
                "input: any file",
            ]
        } else if is_of_output(rule) {
            match rule.scope {
                Scope::Maps => &["input: several maps"],
                Scope::Live => &["input: snapshot"],
                _ => &["input: generated files"],
            }
        } else {
            &["input: region map", "input: region map, judged on the plan"]
        };
        let severity: Vec<String> = inputs.iter().map(|input| format!("{} · {input}", rule.severity.word())).collect();
        if !lines.get(2).is_some_and(|line| severity.iter().any(|expected| expected == line)) {
            wrong.push(format!("{}: the third line is not `{}`", rule.id, severity[0]));
        }
        if !(12..=45).contains(&lines.len()) {
            wrong.push(format!("{}: {} lines", rule.id, lines.len()));
        }
        if let Some(long) = lines.iter().find(|line| line.chars().count() > 125) {
            wrong.push(format!("{}: a line is too long: {long}", rule.id));
        }
        let fences = examples(rule);
        let noun = match lines.get(2).and_then(|line| line.split("input: ").nth(1)).unwrap_or_default() {
            "bucket policy" => "policy",
            "Terraform state" => "state",
            "list of buckets" => "list",
            "any file" => "file",
            input if input.starts_with("CloudFormation") => "template",
            _ => "map",
        };
        if is_of_output(rule) {
            continue;
        }
        for (bad, title) in [(true, format!("A {noun} that fails:")), (false, format!("A {noun} that passes:"))] {
            if !fences.iter().any(|example| example.bad == bad) || !lines.contains(&title.as_str()) {
                wrong.push(format!("{}: nothing under `{title}`", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_bad_example_has_a_finding_of_its_rule() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        for example in examples(rule).iter().filter(|example| example.bad) {
            let (findings, _) = judged(rule, example);
            if !findings.iter().any(|finding| finding.rule == rule) {
                wrong.push(format!("{}.md:{}: has not its finding, but {:#?}", rule.id, example.line, found(&findings)));
            }
            let strangers = findings.iter().filter(|f| f.rule != rule && f.severity() == Severity::Error);
            for stranger in strangers {
                wrong.push(format!(
                    "{}.md:{}: has another error: {} {}",
                    rule.id, example.line, stranger.rule.id, stranger.message
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_good_example_has_a_finding_of_its_rule_or_an_error() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        for example in examples(rule).iter().filter(|example| !example.bad) {
            let (findings, read) = judged(rule, example);
            let bad = |finding: &&Finding| finding.rule == rule || finding.severity() == Severity::Error;
            for finding in findings.iter().filter(bad) {
                wrong.push(format!("{}.md:{}: has {} {}", rule.id, example.line, finding.rule.id, finding.message));
            }
            if !read {
                wrong.push(format!("{}.md:{}: gives no plan, or nothing was read of it", rule.id, example.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_generated_map_is_used_by_a_page() {
    let pages: String = rules::all().iter().map(|rule| rule.page).collect();
    for name in [
        "many-sources-exact",
        "nearly-full",
        "many-sources-auto",
        "many-trail-accounts",
        "many-statements",
        "guarded-sources",
        "guarded-look-alikes",
    ] {
        assert!(pages.contains(&format!("generated={name}\n")), "no page uses `{name}`");
    }
}

/// Each fix of each finding, of every bad example and of the rule's maps in `tests/fixes/`.
fn fixes() -> Vec<(&'static Rule, String, logmap::testing::edit::Fix)> {
    let mut all = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixes");
    let names: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for rule in rules::all().into_iter().filter(|rule| !is_observed(rule)) {
        // a map that is made here is bad by its size, which no edit mends
        let bad = examples(rule).into_iter().filter(|example| example.bad && example.text.len() < 5000);
        let ours = names.iter().filter(|name| name.starts_with(rule.id) && !name.ends_with(".fixed.yaml"));
        let ours = ours.map(|name| fs::read_to_string(folder.join(name)).unwrap());
        for text in bad.map(|example| example.text).chain(ours) {
            let of_rule = analysis(&text).findings.into_iter().filter(|finding| finding.rule == rule);
            all.extend(of_rule.flat_map(|finding| finding.fixes).map(|fix| (rule, text.clone(), fix)));
        }
    }
    all
}

#[test]
fn every_fix_mends_its_finding_and_breaks_nothing() {
    let mut wrong = Vec::new();
    for (rule, text, fix) in fixes() {
        for text in [text.clone(), text.replace('\n', "\r\n"), text.trim_end().to_owned(), text.replace("\n", " # why\n")] {
            let before = analysis(&text);
            // the fix of the text in this shape
            let offered = before.findings.iter().filter(|finding| finding.rule == rule).flat_map(|finding| &finding.fixes);
            let Some(fix) = offered.into_iter().find(|other| other.title == fix.title) else {
                wrong.push(format!("{}: no fix `{}` in\n{text}", rule.id, fix.title));
                continue;
            };
            let (fixed, made) = logmap::testing::edit::apply(&text, [fix]);
            assert_eq!(made, [true]);
            let after = analysis(&fixed);
            let count = |analysis: &Analysis, rule: &Rule| analysis.findings.iter().filter(|f| f.rule == rule).count();
            if count(&after, rule) >= count(&before, rule) {
                wrong.push(format!("{}: `{}` does not mend it: {:?}\n{fixed}", rule.id, fix.title, found(&after.findings)));
            }
            let new: Vec<&str> = after
                .findings
                .iter()
                .filter(|finding| {
                    finding.severity() != Severity::Info && count(&after, finding.rule) > count(&before, finding.rule)
                })
                .map(|finding| finding.rule.id)
                .collect();
            // the id of an added account is for a person to fill in
            let expected: &[&str] = if fix.title.starts_with("add an account") { &["LM0101"] } else { &[] };
            if new != expected {
                wrong.push(format!("{}: `{}` gives {new:?}: {:?}\n{fixed}", rule.id, fix.title, found(&after.findings)));
            }
            let comments = |analysis: &Analysis| {
                analysis
                    .document
                    .comments
                    .iter()
                    .filter(|c| !c.text.contains("logmap:"))
                    .map(|c| c.text.trim_end().to_owned())
                    .collect::<Vec<_>>()
            };
            if comments(&after) != comments(&before) || (text.contains("\r\n") && fixed.replace("\r\n", "").contains('\n')) {
                wrong.push(format!("{}: `{}` loses comments or line ends:\n{fixed:?}", rule.id, fix.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_page_says_which_fix_there_is() {
    let mut wrong = Vec::new();
    let all = fixes();
    for rule in rules::all() {
        let of_rule: Vec<&logmap::testing::edit::Fix> =
            all.iter().filter(|(other, _, _)| *other == rule).map(|(_, _, fix)| fix).collect();
        let said = (rule.page.contains("\nA safe fix: "), rule.page.contains("\nAn unsafe fix: "));
        let is = (of_rule.iter().any(|fix| fix.safe), of_rule.iter().any(|fix| !fix.safe));
        if said != is {
            wrong.push(format!("{}: the page says (safe, unsafe) {said:?}, its bad maps have {is:?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What can be silenced may be rendered afterwards: `validate` never says that a map is good which `generate` refuses.
#[test]
fn what_is_silenced_is_no_hole_in_a_proof() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_logmap")).args(args).current_dir(dir.path()).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (mut silenced, mut refused) = (0, BTreeSet::new());
    for rule in rules::all().iter().filter(|rule| !is_observed(rule) && !is_of_output(rule)) {
        for example in examples(rule).into_iter().filter(|example| example.bad && example.text.len() < 20_000) {
            fs::write(dir.path().join("logmap.yaml"), &example.text).unwrap();
            let _ = fs::remove_file(dir.path().join("known.json"));
            run(&["validate", "-q", "--write-baseline=known.json"]);
            let (good, _) = run(&["validate", "-q", "--baseline=known.json", "--fail-on=error"]);
            if good != Some(0) {
                refused.insert(rule.id);
                continue;
            }
            let text = format!("{}settings: {{ baseline: known.json }}\n", example.text);
            fs::write(dir.path().join("logmap.yaml"), text).unwrap();
            let (code, said) = run(&["generate", "-q"]);
            assert_eq!(code, Some(0), "{}, line {}: validate is silent, and generate says {said}", rule.id, example.line);
            silenced += 1;
        }
    }
    assert!(silenced > 20, "{silenced}");
    for id in ["LM0311", "LM0312", "LM0314", "LM0315"] {
        assert!(refused.contains(id), "{id}: {refused:?}");
    }
}
