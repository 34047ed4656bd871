//! `logmap diff`: complete (no difference exactly when the plans are the same), true about access, and careful with git.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;
#[path = "common/maps.rs"]
mod maps;

use common::{logmap, logmap_with_input};
use logmap::testing::{
    changes::{self, Access, Changes, Kind},
    digest::digest,
    plan::Plan,
    policy::{
        Effect,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
};
use maps::{OLD, new_map, plan};
use proptest::prelude::*;
use serde_json::Value;
use std::{fs, path::Path, process::Command};

fn between(old: &str, new: &str) -> Changes {
    changes::between(&plan(old).expect("a map without errors"), &plan(new).expect("a map without errors"))
}

fn told(changes: &[changes::Change]) -> Vec<(Kind, &str, Option<&str>)> {
    changes.iter().map(|change| (change.change, change.name.as_str(), change.old_name.as_deref())).collect()
}

#[test]
fn sources_come_go_and_move() {
    let new = new_map(&[("acme-data, acme-moving", "acme-new"), ("[acme-eu]", "[acme-eu, acme-moving]")]);
    let changes = between(OLD, &new);
    assert_eq!(
        told(&changes.sources),
        [(Kind::Removed, "acme-data", None), (Kind::Moved, "acme-moving", None), (Kind::Added, "acme-new", None)]
    );
    assert!(changes.sources[1].notes[0].contains("deleted and made again"), "{:?}", changes.sources[1].notes);
    let access: Vec<Access> = changes.policies.iter().map(|policy| policy.access).collect();
    assert_eq!(access, [Access::Widens, Access::Both], "{:?}", changes.policies);
}

#[test]
fn log_buckets_are_renamed_retired_and_adopted() {
    let renamed = between(OLD, &new_map(&[("{ buckets: [acme-eu]", "{ log_bucket: { name: acme-eu-logs }, buckets: [acme-eu]")]));
    assert_eq!(told(&renamed.log_buckets), [(Kind::Renamed, "acme-eu-logs", Some("acme-logs-111122223333-eu-west-1"))]);
    assert_eq!(renamed.policies, [], "the name alone is no change of a policy");
    let adopted = "{ log_bucket: { adopt: true, name: acme-logs-111122223333-eu-west-1 }, buckets: [acme-eu]";
    let adopted = new_map(&[("{ buckets: [acme-eu]", adopted)]);
    assert_eq!(told(&between(OLD, &adopted).log_buckets)[0].0, Kind::Adopted);
    let back = between(&adopted, OLD);
    assert_eq!(told(&back.log_buckets)[0].0, Kind::Changed);
    assert!(back.log_buckets[0].notes[0].contains("no longer adopted"));
    let retired = between(OLD, &new_map(&[("\n      eu-west-1: { buckets: [acme-eu] }", "")]));
    assert_eq!(told(&retired.log_buckets), [(Kind::Removed, "acme-logs-111122223333-eu-west-1", None)]);
    assert!(retired.log_buckets[0].notes[0].contains("never deleted"));
}

#[test]
fn trails_are_adopted_and_no_longer() {
    let adopted = new_map(&[("audit: { accounts", "audit: { adopt: true, accounts")]);
    let there = between(OLD, &adopted);
    assert_eq!(told(&there.trails), [(Kind::Changed, "audit", None)]);
    assert_eq!(there.trails[0].settings[0].new.as_deref(), Some("yes"), "{:?}", there.trails[0]);
    let back = between(&adopted, OLD);
    assert!(back.trails[0].notes[0].contains("no longer adopted"), "{:?}", back.trails[0]);
    let none = OLD.split("trails:").next().unwrap();
    assert_eq!(told(&between(none, &adopted).trails), [(Kind::Adopted, "audit", None)]);
}

#[test]
fn shorter_retention_is_said_to_expire_what_is_there() {
    let new = new_map(&[("{ buckets: [acme-eu]", "{ log_bucket: { retention: { expire_after_days: 30 } }, buckets: [acme-eu]")]);
    let changes = between(OLD, &new);
    assert!(changes.log_buckets[0].notes[0].contains("for good"), "{changes:?}");
    assert_eq!(between(&new, OLD).log_buckets[0].notes, Vec::<String>::new());
}

#[test]
fn key_formats_say_what_becomes_of_tables() {
    let new = new_map(&[("{ buckets: [acme-web", "{ log_bucket: { key_format: simple }, buckets: [acme-web")]);
    let (there, back) = (between(OLD, &new), between(&new, OLD));
    assert_eq!(there.layouts.len(), 1, "{:?}", there.layouts);
    assert_eq!(there.layouts[0].sources.len(), 3);
    assert!(there.layouts[0].tables.contains("without partitions"));
    assert!(back.layouts[0].tables.contains("second table with partition projection"));
    assert!(there.layouts[0].new.ends_with("/s3-access/{source}/{yyyy-MM-dd-HH-mm-ss}-…"), "{}", there.layouts[0].new);
}

#[test]
fn trails_move_change_and_go() {
    let elsewhere =
        between(OLD, &new_map(&[("home_region: us-east-1", "home_region: us-east-1, deliver_to: { account: archive }")]));
    assert_eq!(told(&elsewhere.trails), [(Kind::Changed, "audit", None)]);
    assert!(elsewhere.trails[0].notes[0].contains("digests"));
    let home = between(OLD, &new_map(&[("home_region: us-east-1", "home_region: eu-west-1")]));
    assert_eq!(told(&home.trails), [(Kind::Moved, "audit", None)]);
    let gone = between(OLD, &new_map(&[("audit: {", "other: {")]));
    assert_eq!(told(&gone.trails), [(Kind::Removed, "audit", None), (Kind::Added, "other", None)]);
}

#[test]
fn accounts_are_told_by_their_ids() {
    let key = between(OLD, &new_map(&[("prod", "production")]));
    assert_eq!(told(&key.accounts), [(Kind::Renamed, "production", Some("prod"))]);
    assert!(key.sources.is_empty() && key.log_buckets.is_empty());
    let id = between(OLD, &new_map(&[("111122223333", "555566667777")]));
    assert_eq!(told(&id.accounts), [(Kind::Removed, "prod", None), (Kind::Added, "prod", None)]);
    assert!(id.accounts[0].notes[0].contains("another account"));
    assert!(id.sources.iter().all(|change| change.change == Kind::Moved) && id.sources.len() == 4);
}

#[test]
fn another_partition_is_another_bucket() {
    let new = new_map(&[
        (
            "us-east-1: { buckets: [acme-web, acme-data, acme-moving] }\n      eu-west-1",
            "us-gov-west-1: { buckets: [acme-web] }\n      us-gov-east-1",
        ),
        ("home_region: us-east-1", "home_region: us-gov-west-1"),
    ]);
    let changes = between(OLD, &new);
    let web: Vec<Kind> = changes.sources.iter().filter(|change| change.name == "acme-web").map(|change| change.change).collect();
    assert_eq!(web, [Kind::Removed, Kind::Added]);
    assert!(changes.sources.iter().any(|change| change.notes.iter().any(|note| note.contains("nothing crosses partitions"))));
}

#[test]
fn a_step_of_the_provider_that_is_left_out_is_told() {
    let with = |terraform: &str| format!("{OLD}\nrender: {{ terraform: {{ {terraform} }} }}\n");
    let note = |old: &str, new: &str| between(&with(old), &with(new)).rendering_notes;
    let step = "aws_provider: 6, aliased_providers: true";
    assert!(
        note("aws_provider: 5", "aws_provider: 6")[0]
            .contains("in two steps: first `aws_provider: 6` with `aliased_providers: true`")
    );
    assert_eq!(note("aws_provider: 5", step), Vec::<String>::new());
    assert_eq!(note(step, "aws_provider: 6"), Vec::<String>::new());
    assert_eq!(note("aws_provider: 5", "aws_provider: 5"), Vec::<String>::new());
}

#[test]
fn another_layout_and_another_backend_are_told() {
    let with = |terraform: &str| format!("{OLD}\nrender: {{ terraform: {{ {terraform} }} }}\n");
    let changes = between(&with("layout: root"), &with("layout: module"));
    assert!(
        changes.rendering_notes[0].contains("gives every resource of Terraform another address"),
        "{:?}",
        changes.rendering_notes
    );
    assert_eq!(between(OLD, &with("layout: root")).rendering_notes, Vec::<String>::new());
    let gcs = r#"backend: { gcs: { bucket: b, prefix: "logmap/{account}" } }"#;
    let changes = between(&with(gcs), &with(r#"cloud: { workspaces: { name: "{account}" } }"#));
    let row = &changes.rendering[0];
    assert_eq!(row.setting, "terraform.backend of all accounts");
    assert_eq!(row.old.as_deref(), Some(r#"{"gcs":{"bucket":"b","prefix":"logmap/{account}"}}"#));
    assert_eq!(row.new.as_deref(), Some(r#"{"cloud":{"workspaces":{"name":"{account}"}}}"#));
}

#[test]
fn order_and_comments_are_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("old.yaml"), OLD).unwrap();
    let reordered = new_map(&[
        ("[acme-web, acme-data, acme-moving]", "[acme-moving, acme-web, { name: acme-data }]"),
        ("organization:", "# a comment\norganization:"),
    ]);
    for format in ["text", "json", "markdown"] {
        let run = logmap_with_input(dir.path(), &["diff", "old.yaml", "-", "--format", format], &reordered);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    }
    let run = logmap_with_input(dir.path(), &["diff", "old.yaml", "-"], &reordered);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "old.yaml and - mean the same\n"));
}

#[test]
fn what_becomes_of_tables_is_told() {
    let map = |buckets: &str, trails: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts: {{ prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{buckets}] }} }} }} }}\n{trails}"
        )
    };
    let web = "{ name: acme-web }";
    let old = map(&format!("{web}, acme-old"), "trails: { audit: {} }\n");
    assert_eq!(between(&old, &old).tables, []);
    let grown =
        between(&old, &map(&format!("{web}, acme-old, acme-new, {{ name: acme-app, prefix: app/ }}"), "trails: { audit: {} }\n"));
    let [tables] = &grown.tables[..] else { panic!("{:?}", grown.tables) };
    assert_eq!((&*tables.database, &*tables.file), ("logmap_prod_us_east_1", "athena/prod/us-east-1.sql"));
    assert_eq!(
        (&tables.added[..], &tables.changed[..]),
        (&["access_logs_app".to_owned()][..], &["access_logs_s3_access".to_owned()][..])
    );
    assert!(tables.removed.is_empty() && tables.note.ends_with("saved queries go on"), "{tables:?}");
    assert_eq!(grown.count(), 4, "two sources, a bucket and its policy: what becomes of tables follows from them");
    let shrunk = between(&old, &map(web, "trails: { audit: { prefix: t } }\n"));
    let [tables] = &shrunk.tables[..] else { panic!("{:?}", shrunk.tables) };
    assert_eq!((&tables.added[..], &tables.removed[..]), (&["cloudtrail_t".to_owned()][..], &["cloudtrail".to_owned()][..]));
    assert!(tables.note.contains("no table reads the records of `acme-old` any more"), "{}", tables.note);
    let gone = between(&old, &map("", ""));
    assert!(
        gone.tables[0].added.is_empty() && gone.tables[0].note.starts_with("no file makes the database any more"),
        "{:?}",
        gone.tables
    );
}

#[test]
fn reports_fit_their_schema() {
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/diff.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let full = include_str!("maps/full.yaml");
    fs::write(dir.path().join("old.yaml"), OLD).unwrap();
    let other = full
        .replace("provider: 6", "provider: 5")
        .replace("aliased_providers: false", "aliased_providers: true")
        .replace("namespace: account-regional", "namespace: global")
        .replace("{org}-logs\"", "{org}-{account_id}-{region}-l\"")
        .replace("12ab", "34ef");
    for (new, code) in [(full, 1), (&other, 1), (OLD, 0), (&new_map(&[("acme-eu", "acme-us")]), 1)] {
        for old in ["old.yaml", "full.yaml"] {
            fs::write(dir.path().join("full.yaml"), full).unwrap();
            let run = logmap_with_input(dir.path(), &["diff", old, "-", "--format", "json"], new);
            let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
            let errors: Vec<String> =
                validator.iter_errors(&report).map(|error| format!("{error} at {}", error.instance_path())).collect();
            assert_eq!(errors, Vec::<String>::new());
            assert_eq!(report["differences"] == 0, run.code == 0);
            if old == "old.yaml" {
                assert_eq!(run.code, code);
            }
        }
    }
}

#[test]
fn maps_with_errors_show_them_and_missing_ones_are_usage() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("good.yaml"), OLD).unwrap();
    fs::write(dir.path().join("bad.yaml"), OLD.replace("eu-west-1", "eu-wset-1")).unwrap();
    for pair in [["good.yaml", "bad.yaml"], ["bad.yaml", "good.yaml"]] {
        let run = logmap(dir.path(), &["diff", pair[0], pair[1]]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
        assert!(run.stderr.contains("LM0104") && run.stderr.contains("bad.yaml:"), "{}", run.stderr);
        let json: Value =
            serde_json::from_str(&logmap(dir.path(), &["diff", pair[0], pair[1], "--format", "json"]).stdout).unwrap();
        assert_eq!(json["summary"]["errors"], 1);
    }
    for arguments in [
        &["diff", "good.yaml", "none.yaml"][..],
        &["diff", "good.yaml"],
        &["diff", "-", "-"],
        &["diff", "good.yaml", "good.yaml", "--since", "HEAD"],
        &["validate", "good.yaml", "--format", "markdown"],
    ] {
        let run = logmap(dir.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?} {}", run.stderr);
    }
}

#[test]
fn revisions_are_read_by_git() {
    let dir = tempfile::tempdir().unwrap();
    let sub = dir.path().join("maps");
    fs::create_dir(&sub).unwrap();
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(dir.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    fs::write(sub.join("logmap.yaml"), OLD).unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "old"]);
    fs::write(sub.join("logmap.yaml"), new_map(&[("acme-eu", "acme-us")])).unwrap();
    for (folder, arguments) in [
        (dir.path(), &["diff", "HEAD:maps/logmap.yaml", "maps/logmap.yaml"][..]),
        (dir.path(), &["diff", "--since", "HEAD", "maps/logmap.yaml"]),
        (&sub, &["diff", "--since", "HEAD"]),
        (&sub, &["diff", "HEAD:./logmap.yaml", "logmap.yaml"]),
    ] {
        let run = logmap(folder, arguments);
        assert_eq!(run.code, 1, "{arguments:?} {}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("acme-us") && run.stdout.contains("HEAD:"), "{}", run.stdout);
    }
    // a file of that name wins
    fs::write(sub.join("HEAD:logmap.yaml"), OLD).unwrap();
    assert_eq!(logmap(&sub, &["diff", "HEAD:logmap.yaml", "HEAD:./logmap.yaml"]).code, 0);
    for arguments in [
        &["diff", "--since=--help", "logmap.yaml"][..],
        &["diff", "--since=-x", "logmap.yaml"],
        &["diff", "--since", "nowhere", "logmap.yaml"],
        &["diff", "HEAD:maps", "logmap.yaml"],
        &["diff", "HEAD:no/such.yaml", "logmap.yaml"],
        &["diff", ":logmap.yaml", "logmap.yaml"],
    ] {
        let run = logmap(&sub, arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?} {}", run.stderr);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
}

#[test]
fn hostile_values_stay_values_in_markdown_and_text() {
    let evil = "x` <script> @team [a](b) \\u001b[31m | **b**";
    let statement = format!(
        r#"extra_statements: [{{ Sid: Evil, Effect: Allow, Principal: {{ AWS: "arn:aws:iam::111122223333:role/r" }}, Action: "s3:GetObject", Resource: "{{log_bucket_arn}}/{evil}" }}]"#
    );
    let new = new_map(&[("{ buckets: [acme-eu]", &format!("{{ log_bucket: {{ {statement} }}, buckets: [acme-eu]"))]);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("old.yaml"), OLD).unwrap();
    let markdown = logmap_with_input(dir.path(), &["diff", "old.yaml", "-", "--format", "markdown"], &new);
    assert!(
        markdown.stdout.contains("``arn:aws:s3:::acme-logs-111122223333-eu-west-1/x` <script> @team [a](b)  [31m | **b**``"),
        "{}",
        markdown.stdout
    );
    let text = logmap_with_input(dir.path(), &["diff", "old.yaml", "-"], &new);
    assert!(text.stdout.contains("<script>") && !text.stdout.contains('\u{1b}'), "{}", text.stdout);
}

/// Requests near everything that the maps of this test can grant.
fn requests(plan: &Plan) -> Vec<(String, String, String, String)> {
    let mut all = Vec::new();
    for account in &plan.accounts {
        for placement in &account.placements {
            for bucket in &placement.buckets {
                for n in 0..10 {
                    for prefix in ["s3-access/", "logs/", "s3/", "", "AWSLogs/111122223333/", "trails/AWSLogs/222233334444/"] {
                        let key = format!("{}/{prefix}acme-source-{n}/x", bucket.arn);
                        all.push((bucket.arn.clone(), key, account.id.clone(), format!("arn:aws:s3:::acme-source-{n}")));
                    }
                }
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn nothing_differs_exactly_when_the_plans_are_the_same(old in maps::map(), new in maps::map()) {
        let (Some(old), Some(new)) = (plan(&old), plan(&new)) else { return Err(TestCaseError::reject("a map with errors")) };
        let changes = changes::between(&old, &new);
        prop_assert_eq!(changes.is_empty(), digest(&old) == digest(&new), "{:?}", changes);
        prop_assert!(changes::between(&new, &new).is_empty());
        let back = changes::between(&new, &old);
        prop_assert_eq!(changes.count(), back.count(), "there {:?}\nback {:?}", changes, back);
        for how in [changes::show::Draw::Text, changes::show::Draw::Markdown] {
            prop_assert!(!changes::show::draw(&changes, "old", "new", how).is_empty() || changes.is_empty());
        }
    }

    #[test]
    fn what_is_said_of_access_is_true(old in maps::map(), new in maps::map()) {
        let (Some(old), Some(new)) = (plan(&old), plan(&new)) else { return Err(TestCaseError::reject("a map with errors")) };
        let changes = changes::between(&old, &new);
        for (bucket, key, account, source) in requests(&new) {
            let policy_of = |plan: &Plan| plan.accounts.iter().flat_map(|a| &a.placements).flat_map(|p| &p.buckets).find(|b| b.arn == bucket).map(|b| b.policy.clone());
            let (Some(was), Some(is)) = (policy_of(&old), policy_of(&new)) else { continue };
            let context = [("aws:SourceAccount", account.as_str()), ("aws:SourceArn", source.as_str()), ("aws:SecureTransport", "false")];
            for context in [&context[..2], &context[..]] {
                let request = Request { principal: Caller::Service("logging.s3.amazonaws.com"), action: "s3:PutObject", resource: &key, context };
                let lets_in = |verdict: Verdict<'_>| matches!(verdict, Verdict::Allowed(statement) if statement.effect == Effect::Allow);
                let (before, after) = (lets_in(evaluate(&was, &request)), lets_in(evaluate(&is, &request)));
                let name = bucket.rsplit(':').next().unwrap();
                let said = changes.policies.iter().find(|policy| policy.log_bucket == name).map_or(Access::Same, |policy| policy.access);
                if !before && after {
                    prop_assert!(!matches!(said, Access::Same | Access::Narrows), "{name} {said:?} {key}");
                }
                if before && !after {
                    prop_assert!(!matches!(said, Access::Same | Access::Widens), "{name} {said:?} {key}");
                }
            }
        }
    }
}

#[test]
fn a_format_of_findings_is_refused_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for format in ["sarif", "github", "junit"] {
        let run = logmap(dir.path(), &["diff", "none.yaml", "none.yaml", "--format", format]);
        assert_eq!(run.code, 2, "{format}");
        assert!(run.stderr.contains("[possible values: text, json, markdown]"), "{format}: {}", run.stderr);
    }
}
