//! Writing: atomic, deterministic, careful with files that are not ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{Run, logmap, tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const MAP: &str = r#"version: 1
organization: { name: acme }
accounts:
  prod:
    id: "111122223333"
    regions:
      us-east-1: { buckets: [acme-web, acme-data] }
      eu-west-1: { buckets: [acme-eu] }
  dev:
    id: "444455556666"
    regions:
      us-east-1: { buckets: [acme-dev] }
trails:
  audit: { deliver_to: { account: prod } }
"#;

fn folder(map: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), map).unwrap();
    dir
}

fn generate(dir: &Path, more: &[&str]) -> Run {
    logmap(dir, &[&["generate"], more].concat())
}

#[test]
fn a_second_run_touches_nothing_and_check_is_clean() {
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let out = dir.path().join("out");
    let policy = out.join("policies/acme-logs-111122223333-us-east-1.json");
    let (before, modified) = (tree(&out), fs::metadata(&policy).unwrap().modified().unwrap());
    let again = generate(dir.path(), &[]);
    assert_eq!((again.code, tree(&out) == before), (0, true));
    assert!(again.stderr.contains(" 0 files written,"), "{}", again.stderr);
    assert_eq!(fs::metadata(&policy).unwrap().modified().unwrap(), modified);
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
}

#[test]
fn order_comments_and_line_ends_change_no_byte() {
    let one = folder(MAP);
    let other = folder(
        &r#"# a comment
trails:
  audit:
    deliver_to:
      account: prod
accounts:
  dev: { regions: { us-east-1: { buckets: [{ name: acme-dev }] } }, id: '444455556666' }
  prod:
    regions:
      eu-west-1:
        buckets: [acme-eu]
      us-east-1:
        buckets:
          - acme-data # another
          - acme-web
    id: "111122223333"
organization:
  name: acme
version: 1
"#
        .replace('\n', "\r\n"),
    );
    for dir in [&one, &other] {
        assert_eq!(generate(dir.path(), &[]).code, 0);
    }
    assert_eq!(tree(&one.path().join("out")), tree(&other.path().join("out")));
}

#[test]
fn a_map_with_errors_writes_nothing() {
    let dir = folder(&MAP.replace("us-east-1", "us-esat-1"));
    let run = generate(dir.path(), &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("did you mean `us-east-1`?"), "{}", run.stderr);
    assert!(!dir.path().join("out").exists());
}

#[test]
fn an_edited_file_is_shown_and_kept_unless_forced() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let policy = dir.path().join("out/policies/acme-logs-111122223333-us-east-1.json");
    let generated = fs::read_to_string(&policy).unwrap();
    let edited = generated.replace("s3:PutObject", "s3:*");
    fs::write(&policy, &edited).unwrap();
    let check = generate(dir.path(), &["--check"]);
    assert_eq!(check.code, 1);
    assert!(
        check.stdout.contains("-      \"Action\": \"s3:*\",") && check.stdout.contains("+      \"Action\": \"s3:PutObject\","),
        "{}",
        check.stdout
    );
    assert!(check.stderr.contains("`logmap generate --force`"), "the command repairs: {}", check.stderr);
    let before = tree(&dir.path().join("out"));
    let run = generate(dir.path(), &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("was edited since logmap wrote it") && run.stderr.contains("+      \"Action\": \"s3:*\","),
        "{}",
        run.stderr
    );
    assert_eq!(tree(&dir.path().join("out")), before);
    assert_eq!(generate(dir.path(), &["--force"]).code, 0);
    assert_eq!(fs::read_to_string(&policy).unwrap(), generated);
}

#[test]
fn a_foreign_file_is_neither_overwritten_nor_pruned() {
    let dir = folder(MAP);
    let foreign = dir.path().join("out/policies/acme-logs-111122223333-us-east-1.json");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, "mine").unwrap();
    fs::write(dir.path().join("out/notes.txt"), "mine too").unwrap();
    let run = generate(dir.path(), &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("logmap did not write it"), "{}", run.stderr);
    assert_eq!(tree(&dir.path().join("out")).len(), 2, "nothing else was written");
    let run = generate(dir.path(), &["--force"]);
    assert_eq!((run.code, fs::read_to_string(&foreign).unwrap().as_str()), (1, "mine"), "{}", run.stderr);
    fs::remove_file(&foreign).unwrap();
    assert_eq!(generate(dir.path(), &[]).code, 0);
    assert_eq!(fs::read_to_string(dir.path().join("out/notes.txt")).unwrap(), "mine too");
}

#[test]
fn what_leaves_the_map_is_removed_and_folders_with_it() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let shorter = MAP.replace("      eu-west-1: { buckets: [acme-eu] }\n", "");
    fs::write(dir.path().join("logmap.yaml"), shorter).unwrap();
    let check = generate(dir.path(), &["--check"]);
    assert_eq!(check.code, 1);
    assert!(check.stdout.contains("acme-logs-111122223333-eu-west-1.json"));
    assert_eq!(generate(dir.path(), &[]).code, 0);
    assert!(!dir.path().join("out/policies/acme-logs-111122223333-eu-west-1.json").exists());
    let lock: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("out/logmap.lock.json")).unwrap()).unwrap();
    assert_eq!(lock["retired"][0]["bucket"], "acme-logs-111122223333-eu-west-1");
    assert_eq!(lock["apply_order"], serde_json::json!(["prod", "dev"]));
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
}

#[test]
fn a_log_bucket_that_left_is_forgotten_by_the_module_of_its_account_whatever_its_key() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let shorter = MAP.replace("      eu-west-1: { buckets: [acme-eu] }\n", "");
    fs::write(
        dir.path().join("logmap.yaml"),
        shorter.replace("  prod:", "  production:").replace("account: prod ", "account: production "),
    )
    .unwrap();
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let removed = fs::read_to_string(dir.path().join("out/terraform/production/removed.tf")).unwrap();
    assert!(removed.contains("aws_s3_bucket.acme_logs_111122223333_eu_west_1"), "{removed}");
    assert!(!removed.contains("us_east_1"), "what has only changed its key stays: {removed}");
    assert!(!dir.path().join("out/terraform/prod").exists());
}

#[test]
fn a_trail_that_left_is_ended_by_no_target_and_its_return_is_told() {
    let dir = folder(MAP);
    let read = |path: &str| fs::read_to_string(dir.path().join("out").join(path)).unwrap_or_default();
    generate(dir.path(), &[]);
    let stack = read("cloudformation/prod/us-east-1.yaml");
    let trail = &stack[stack.find("Type: AWS::CloudTrail::Trail").unwrap()..];
    assert!(trail.find("DeletionPolicy: RetainExceptOnCreate").unwrap() < trail.find("Properties:").unwrap(), "{stack}");
    fs::write(dir.path().join("logmap.yaml"), MAP.split("trails:").next().unwrap()).unwrap();
    let left = generate(dir.path(), &[]);
    let command = "aws cloudtrail delete-trail --region us-east-1 --name audit";
    assert!(left.stderr.matches(command).count() == 2 && left.stderr.contains("in account 444455556666"), "{}", left.stderr);
    // said once above, and for whoever comes later in the output's own README
    let told = || {
        let readme = read("README.md");
        let section = readme.split("## Trails that left the map").nth(1).unwrap_or_default();
        section.lines().filter(|line| line.contains("audit")).map(str::to_owned).collect::<Vec<_>>()
    };
    let of = |account: &str| {
        let commands = ["get-trail-status", "delete-trail"];
        let commands = commands.map(|verb| format!("aws cloudtrail {verb} --region us-east-1 --name 'audit'"));
        [vec![format!("# audit of {account}: does it record? Then end it")], commands.to_vec()].concat()
    };
    assert_eq!(told(), [of("dev (444455556666)"), of("prod (111122223333)")].concat());
    for account in ["prod", "dev"] {
        let removed = read(&format!("terraform/{account}/removed.tf"));
        let block = "removed {\n  from = aws_cloudtrail.audit_us_east_1\n\n  lifecycle {\n    destroy = false\n  }\n}\n";
        assert!(removed.ends_with(block) && removed.matches("removed {").count() == 1, "{removed}");
        assert!(read(&format!("terraform/{account}/versions.tf")).contains("\">= 1.10\""));
    }
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
    assert!(!generate(dir.path(), &[]).stderr.contains("leaves the map"), "it is told once");
    let closed = MAP
        .split("trails:")
        .next()
        .unwrap()
        .replace("  dev: {", "  dev: { state: closed,")
        .replace("  dev:\n", "  dev:\n    state: closed\n");
    assert!(closed.contains("closed"), "{closed}");
    fs::write(dir.path().join("logmap.yaml"), closed).unwrap();
    assert_eq!(generate(dir.path(), &[]).code, 0);
    assert_eq!(told(), of("prod (111122223333)"), "nobody can act in a closed account");
    fs::write(dir.path().join("logmap.yaml"), MAP).unwrap();
    let back = generate(dir.path(), &[]);
    assert!(back.stderr.contains("the trail `audit` of `dev` is back in the map"), "{}", back.stderr);
    assert_eq!(read("terraform/prod/removed.tf"), "");
    assert!(told().is_empty());
    assert!(!generate(dir.path(), &[]).stderr.contains("is back"), "it is told once");
}

#[test]
fn a_log_bucket_that_comes_back_is_taken_over() {
    let dir = folder(MAP);
    let shorter = MAP.replace("      eu-west-1: { buckets: [acme-eu] }\n", "");
    let write = |text: &str| fs::write(dir.path().join("logmap.yaml"), text).unwrap();
    let read = |path: &str| fs::read_to_string(dir.path().join("out").join(path)).unwrap_or_default();
    generate(dir.path(), &[]);
    let first = tree(&dir.path().join("out"));
    write(&shorter);
    generate(dir.path(), &[]);
    write(MAP);
    let run = generate(dir.path(), &[]);
    assert!(run.stderr.contains("`acme-logs-111122223333-eu-west-1` is back in the map"), "{}", run.stderr);
    for again in [false, true] {
        let import = "import {\n  to = aws_s3_bucket.acme_logs_111122223333_eu_west_1\n  id = \"acme-logs-111122223333-eu-west-1@eu-west-1\"\n}";
        let imports = read("terraform/prod/imports.tf");
        assert!(imports.contains(import) && imports.matches("import {").count() == 1, "{imports}");
        assert_eq!(read("terraform/prod/removed.tf"), "");
        let preflight = read("terraform/prod/preflight.sh");
        assert!(preflight.contains("  'acme-logs-111122223333-eu-west-1' 'adopt' "), "{preflight}");
        let import: serde_json::Value = serde_json::from_str(&read("cloudformation/prod/eu-west-1.import.json")).unwrap();
        let kinds: Vec<_> = import.as_array().unwrap().iter().map(|item| item["ResourceType"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"]);
        assert!(read("cloudformation/prod/eu-west-1.yaml").contains("was retired once"));
        // a script sees whether it is there still
        let (scripts, was) = (read("aws-cli/prod/eu-west-1.sh"), &first["aws-cli/prod/eu-west-1.sh"]);
        let below = |text: &str| text.split_once("set -euo pipefail").unwrap().1.to_owned();
        assert_eq!(below(&scripts), below(was));
        assert!(read("logmap.lock.json").contains("\"returned\": true"));
        assert_eq!(generate(dir.path(), &["--check"]).code, 0);
        if !again {
            let run = generate(dir.path(), &[]);
            assert!(!run.stderr.contains("is back"), "said once: {}", run.stderr);
        }
    }
    // it leaves and comes again, and then somebody says that it is gone
    write(&shorter);
    generate(dir.path(), &[]);
    assert!(!read("logmap.lock.json").contains("returned"));
    write(&MAP.replace("eu-west-1: { buckets", "eu-west-1: { log_bucket: { adopt: false }, buckets"));
    let run = generate(dir.path(), &[]);
    assert!(!run.stderr.contains("is back"), "{}", run.stderr);
    assert_eq!(read("terraform/prod/imports.tf"), "");
    assert_eq!(read("cloudformation/prod/eu-west-1.import.json"), "");
    write(MAP);
    generate(dir.path(), &[]);
    assert_eq!(tree(&dir.path().join("out")), first, "once made anew it is a log bucket like any other");
}

#[test]
fn the_lock_remembers_another_layout_of_terraform() {
    let dir = folder(MAP);
    let out = dir.path().join("out");
    let layout = |word: &str, more: &[&str]| {
        let map = format!("{MAP}render: {{ terraform: {{ layout: {word} }} }}\n");
        fs::write(dir.path().join("logmap.yaml"), map).unwrap();
        let done = generate(dir.path(), more);
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(generate(dir.path(), &[more, &["--check"]].concat()).code, 0);
        let lock: serde_json::Value = serde_json::from_str(&fs::read_to_string(out.join("logmap.lock.json")).unwrap()).unwrap();
        let record = |record: &serde_json::Value| {
            let text = |key: &str| record[key].as_str().unwrap().to_owned();
            (text("account_id"), text("from"), record["regions"].as_array().unwrap().len())
        };
        lock["layouts"].as_array().map_or_else(Vec::new, |layouts| layouts.iter().map(record).collect::<Vec<_>>())
    };
    let record = |id: &str, from: &str, regions| (id.to_owned(), from.to_owned(), regions);
    let (prod, dev) = ("111122223333", "444455556666");
    let text = |path: &str| fs::read_to_string(out.join("terraform").join(path)).unwrap_or_default();

    assert_eq!(layout("root", &[]), []);
    assert_eq!(text("prod/moved.tf"), "");
    // one account alone; the other's files stay, and the lock says what they are
    assert_eq!(layout("module", &["--account", "prod"]), [record(prod, "root", 2)]);
    assert!(text("prod/root.tf.example").contains("\nmoved {\n  from = aws_s3_bucket."));
    assert_eq!(layout("module", &["--target", "policies"]), [record(prod, "root", 2)]);
    assert_eq!(layout("module", &[]), [record(prod, "root", 2), record(dev, "root", 1)]);
    assert_eq!(layout("module", &[]), [record(prod, "root", 2), record(dev, "root", 1)]);
    assert_eq!(layout("root", &[]), [record(prod, "module", 2), record(dev, "module", 1)]);
    assert!(text("prod/moved.tf").contains("\nmoved {\n  from = module.logs_eu_west_1.aws_s3_bucket."));
    assert_eq!(text("prod/root.tf.example"), "");

    // a lock is a file that others can change
    for (from, to) in [("\"from\": \"module\"", "\"from\": \"other\""), ("\"us-east-1\"\n      ]", "\"x\\\"y\"\n      ]")] {
        let before = fs::read_to_string(out.join("logmap.lock.json")).unwrap();
        edit_lock(&out, from, to);
        assert_eq!(generate(dir.path(), &[]).code, 3);
        fs::write(out.join("logmap.lock.json"), before).unwrap();
    }
}

#[test]
fn an_edited_file_that_leaves_the_map_stops_the_run() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let policy = dir.path().join("out/policies/acme-logs-111122223333-eu-west-1.json");
    fs::write(&policy, "edited").unwrap();
    let shorter = MAP.replace("      eu-west-1: { buckets: [acme-eu] }\n", "");
    fs::write(dir.path().join("logmap.yaml"), shorter).unwrap();
    let run = generate(dir.path(), &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("no longer wanted, but was edited"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&policy).unwrap(), "edited");
    assert_eq!(generate(dir.path(), &["--force"]).code, 0);
    assert!(!policy.exists());
}

#[test]
fn an_interrupted_write_is_mended_by_the_next_run() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let out = dir.path().join("out");
    let old = tree(&out);
    let changed = MAP.replace("acme-data", "acme-data-2");
    fs::write(dir.path().join("logmap.yaml"), &changed).unwrap();
    generate(dir.path(), &[]);
    let new = tree(&out);
    // the state between: a journal in the lock, half of the files new, a stage folder left behind
    let mut lock: serde_json::Value = serde_json::from_str(&old["logmap.lock.json"]).unwrap();
    let files: serde_json::Value = serde_json::from_str(&new["logmap.lock.json"]).unwrap();
    lock["journal"] = files["files"].clone();
    for (at, (path, text)) in old.iter().enumerate() {
        if path == "logmap.lock.json" {
            fs::write(out.join(path), serde_json::to_string_pretty(&lock).unwrap()).unwrap();
        } else if at % 2 == 0 {
            fs::write(out.join(path), text).unwrap();
        }
    }
    fs::create_dir(out.join(".logmap-stage-left")).unwrap();
    fs::write(out.join(".logmap-stage-left/x"), "x").unwrap();
    assert_eq!(generate(dir.path(), &["--check"]).code, 1, "the mix is seen");
    let run = generate(dir.path(), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(tree(&out), new);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_tree_are_not_followed() {
    let dir = folder(MAP);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("out/policies")).unwrap();
    let run = generate(dir.path(), &[]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("symbolic link"), "{}", run.stderr);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn filters_select_and_the_lock_merges() {
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &["--account", "prod", "--region", "eu-west-1", "--target", "policies"]).code, 0);
    let names: Vec<String> = tree(&dir.path().join("out")).into_keys().collect();
    assert_eq!(names, [".gitattributes", "logmap.lock.json", "policies/acme-logs-111122223333-eu-west-1.json"]);
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let whole = tree(&dir.path().join("out"));
    assert_eq!(generate(dir.path(), &["--account", "dev"]).code, 0);
    assert_eq!(tree(&dir.path().join("out")), whole, "a filtered run leaves the rest of the tree and of the lock");
    for (flag, value) in [("--account", "pord"), ("--region", "us-west-9")] {
        let run = generate(dir.path(), &[flag, value]);
        assert_eq!(run.code, 2, "{}", run.stderr);
    }
}

#[test]
fn standard_output_gets_the_files_and_nothing_is_written() {
    let dir = folder(MAP);
    let one = generate(dir.path(), &["--stdout", "--target", "policies", "--account", "dev", "--region", "us-east-1"]);
    let policy: serde_json::Value = serde_json::from_str(&one.stdout).expect("one file comes as it is");
    assert_eq!(policy["Version"], "2012-10-17");
    let many = generate(dir.path(), &["--stdout", "--target", "policies"]);
    // of three log buckets, of the roles that deploy to and read each of two accounts, and those roles for all accounts
    assert_eq!(many.stdout.matches("==> policies/acme-").count(), 3);
    assert_eq!(many.stdout.matches("==> policies/iam/").count(), 4);
    assert_eq!(many.stdout.matches("==> policies/roles").count(), 5);
    assert!(!dir.path().join("out").exists());
}

#[test]
fn templates_can_be_replaced_and_mistakes_in_them_are_usage_errors() {
    let dir = folder(MAP);
    let templates = dir.path().join("mine");
    fs::create_dir_all(templates.join("readme")).unwrap();
    fs::write(templates.join("readme/README.md"), "mine: {{ map | markdown }}\n").unwrap();
    let run = generate(dir.path(), &["--templates", "mine"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(fs::read_to_string(dir.path().join("out/README.md")).unwrap(), "mine: logmap.yaml\n");
    fs::write(templates.join("readme/README.md"), "{{ map ").unwrap();
    assert_eq!(generate(dir.path(), &["--templates", "mine"]).code, 2);
    fs::write(templates.join("readme/README.md"), "{{ header[0] }}").unwrap();
    let run = generate(dir.path(), &["--templates", "mine"]);
    assert_eq!(run.code, 2, "a value without a filter is the template's mistake too: {}", run.stderr);
    fs::write(templates.join("readme/README.md"), "x").unwrap();
    fs::write(templates.join("unknown.md"), "x").unwrap();
    let run = generate(dir.path(), &["--templates", "mine"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("there is no template `unknown.md`"), "{}", run.stderr);
}

/// The folder's lock with one word put in the place of another.
fn edit_lock(out: &Path, from: &str, to: &str) {
    let path = out.join("logmap.lock.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

const FORMAT: &str = "\"format_version\": \"1.0\"";

#[test]
fn what_a_newer_logmap_wrote_is_left_alone() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let out = dir.path().join("out");
    // in a newer format the rest may look like anything
    for newer in [
        "\"format_version\": \"9.0\"",
        "\"format_version\": \"1.1\", \"files_of\": 3",
        "\"format_version\": \"2.0\", \"map\": []",
    ] {
        let whole = fs::read_to_string(out.join("logmap.lock.json")).unwrap();
        edit_lock(&out, FORMAT, newer);
        edit_lock(&out, env!("CARGO_PKG_VERSION"), "8.7.6");
        fs::create_dir(out.join(".logmap-stage-left")).unwrap();
        let before = tree(&out);
        for more in [&[][..], &["--check"], &["--force"], &["--target", "policies"]] {
            let run = generate(dir.path(), more);
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{newer} {more:?} {}", run.stderr);
            assert!(
                run.stderr.contains("a newer logmap wrote it, `8.7.6`") && run.stderr.contains("nothing was written; use"),
                "{}",
                run.stderr
            );
            assert!(tree(&out) == before && out.join(".logmap-stage-left").exists(), "{newer} {more:?}");
        }
        fs::write(dir.path().join("new.yaml"), MAP.replace("acme-data", "acme-data-2")).unwrap();
        let book = logmap(dir.path(), &["runbook", "logmap.yaml", "new.yaml", "--out", "out"]);
        assert!(book.code == 2 && book.stderr.contains("a newer logmap wrote it") && tree(&out) == before, "{}", book.stderr);
        fs::remove_dir(out.join(".logmap-stage-left")).unwrap();
        fs::write(out.join("logmap.lock.json"), whole).unwrap();
    }
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
}

#[test]
fn a_lock_of_no_version_that_was_ever_written_is_no_lock() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    let out = dir.path().join("out");
    for strange in ["\"format_version\": \"0.9\"", "\"format_version\": \"x\"", "\"format_version\": 1", "\"format\": \"1.0\""] {
        edit_lock(&out, FORMAT, strange);
        let before = tree(&out);
        let run = generate(dir.path(), &[]);
        assert!(run.code == 3 && run.stderr.contains("is not a lock that logmap wrote; restore it"), "{strange} {}", run.stderr);
        assert_eq!(tree(&out), before, "{strange}");
        edit_lock(&out, strange, FORMAT);
    }
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
}

#[test]
fn after_an_upgrade_check_says_so_and_a_run_mends_it() {
    let dir = folder(MAP);
    generate(dir.path(), &[]);
    edit_lock(&dir.path().join("out"), env!("CARGO_PKG_VERSION"), "0.0.9");
    let check = generate(dir.path(), &["--check"]);
    assert_eq!(check.code, 1);
    assert!(check.stderr.contains("logmap `0.0.9` wrote it and this is logmap `"), "{}", check.stderr);
    assert_eq!(generate(dir.path(), &[]).code, 0);
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
    fs::write(dir.path().join("logmap.yaml"), MAP.replace("acme-data", "acme-data-2")).unwrap();
    let stale = generate(dir.path(), &["--check"]);
    assert!(stale.code == 1 && !stale.stderr.contains("wrote it and this is"), "{}", stale.stderr);
}

#[test]
fn the_library_of_the_scripts_stands_once_and_is_always_among_the_files() {
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &["--target", "aws-cli", "--account", "dev", "--region", "us-east-1"]).code, 0);
    let scripts = dir.path().join("out/aws-cli");
    let names: Vec<String> = tree(&scripts).into_keys().collect();
    assert_eq!(names, ["dev/us-east-1.sh", "lib/helper.py", "lib/logmap.sh", "lib/monitoring.py"]);
    let script = fs::read_to_string(scripts.join("dev/us-east-1.sh")).unwrap();
    assert!(script.lines().count() < 100, "a script carries more than its data");
    let printed = generate(dir.path(), &["--target", "aws-cli", "--region", "us-east-1", "--stdout"]);
    assert_eq!(printed.stdout.matches("==> aws-cli/lib/").count(), 3);

    // it is compared, and written again, as any other file
    fs::remove_file(scripts.join("lib/helper.py")).unwrap();
    let check = generate(dir.path(), &["--target", "aws-cli", "--account", "prod", "--check"]);
    assert!(check.code == 1 && check.stdout.contains("lib/helper.py"), "{}", check.stdout);
    assert_eq!(generate(dir.path(), &[]).code, 0);
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
    // another map leaves it as it is
    let before = fs::read_to_string(scripts.join("lib/logmap.sh")).unwrap();
    fs::write(dir.path().join("logmap.yaml"), MAP.replace("acme-dev", "acme-other")).unwrap();
    assert_eq!(generate(dir.path(), &[]).code, 0);
    assert_eq!(fs::read_to_string(scripts.join("lib/logmap.sh")).unwrap(), before);
}

/// The findings on files in a report of `generate --check`; the map has its own.
fn of_files(report: &serde_json::Value) -> Vec<&serde_json::Value> {
    let all = report["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["rule"].as_str().unwrap().starts_with("LM17")).collect()
}

/// Rule → the files of its findings.
fn by_rule(report: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in of_files(report) {
        let word = |key: &str| finding[key].as_str().unwrap().replace(std::path::MAIN_SEPARATOR, "/");
        assert!(finding["help"].as_str().unwrap().contains("`logmap generate"), "{finding}");
        found.entry(word("rule")).or_default().push(word("file"));
    }
    found
}

#[test]
fn check_reports_each_file_that_is_not_up_to_date_in_every_format() {
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let report = |more: &[&str]| -> (i32, serde_json::Value) {
        let run = generate(dir.path(), &[&["--check", "--format", "json"], more].concat());
        (run.code, serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr)))
    };
    let (code, clean) = report(&[]);
    assert_eq!((code, of_files(&clean).len()), (0, 0), "{clean}");
    // missing, stale by its mode or its text, edited, and something foreign in the way of a file and of a folder
    let out = dir.path().join("out");
    let policy = fs::read_dir(out.join("policies")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(out.join("README.md")).unwrap();
    let edited = fs::read_to_string(&policy).unwrap().replacen("s3:PutObject", "s3:*", 1);
    fs::write(&policy, &edited).unwrap();
    fs::remove_dir_all(out.join("athena")).unwrap();
    fs::write(out.join("athena"), "not ours").unwrap();
    fs::remove_file(out.join("aws-cli/run-all.sh")).unwrap();
    fs::create_dir(out.join("aws-cli/run-all.sh")).unwrap();
    let (code, found) = report(&[]);
    assert_eq!(code, 1);
    let rules = by_rule(&found);
    assert!(rules["LM1701"].contains(&"out/README.md".to_owned()), "{rules:?}");
    assert_eq!(rules["LM1703"], [format!("out/policies/{}", policy.file_name().unwrap().to_str().unwrap())]);
    assert_eq!(rules["LM1704"], ["out/athena", "out/aws-cli/run-all.sh"], "{rules:?}");
    let finding = found["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "LM1703").unwrap();
    let line = edited.lines().position(|line| line.contains("s3:*")).unwrap() + 1;
    assert_eq!(finding["range"]["start"]["line"], line, "at the first line that differs: {finding}");
    assert_eq!(finding["route"], format!("policies/{}", policy.file_name().unwrap().to_str().unwrap()));
    // the diff is talk then, and quiet leaves it out
    let run = generate(dir.path(), &["--check", "--format", "github"]);
    assert!(
        run.stdout.lines().filter(|line| line.starts_with("::error file=out/")).count() == of_files(&found).len(),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("-      \"Action\": \"s3:*\","), "{}", run.stderr);
    assert!(!generate(dir.path(), &["--check", "--format", "github", "-q"]).stderr.contains("s3:*"));
    let junit = generate(dir.path(), &["--check", "--format", "junit"]);
    assert!(junit.stdout.contains("LM1703") && junit.code == 1, "{}", junit.stdout);
    let sarif: serde_json::Value = serde_json::from_str(&generate(dir.path(), &["--check", "--format", "sarif"]).stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), found["findings"].as_array().unwrap().len());
}

#[test]
fn check_reports_what_the_map_no_longer_gives_and_the_maps_own_findings() {
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let fewer = MAP.replace("eu-west-1", "eu-west-9");
    assert_ne!(fewer, MAP);
    fs::write(dir.path().join("logmap.yaml"), fewer).unwrap();
    let run = generate(dir.path(), &["--check", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let rules: BTreeSet<&str> = findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    // a Region that is not known, files that are new, changed and left over
    for rule in ["LM0105", "LM1701", "LM1702", "LM1705"] {
        assert!(rules.contains(rule), "{rule}: {rules:?}");
    }
    let own = findings.iter().find(|finding| finding["rule"] == "LM0105").unwrap();
    assert_eq!((own["file"].as_str(), own["route"].as_str().unwrap().starts_with("accounts.")), (Some("logmap.yaml"), true));
    let lock = findings.iter().find(|finding| finding["file"].as_str().unwrap().ends_with("logmap.lock.json")).unwrap();
    assert_eq!(lock["rule"], "LM1702");
    // every rule on generated files is met in these two tests, but for line ends, which tests/paths.rs has
    let all: Vec<&str> = logmap::testing::rules::all()
        .iter()
        .filter(|rule| rule.scope == logmap::testing::diagnostics::Scope::Output)
        .map(|rule| rule.id)
        .collect();
    assert_eq!(all, ["LM1701", "LM1702", "LM1703", "LM1704", "LM1705", "LM1706"]);
}

/// Scripts replace statements that they know as logmap's: by these names, and no others.
#[test]
fn scripts_know_every_sid_of_a_policy_that_logmap_makes() {
    let (mut made, root) = (BTreeSet::new(), Path::new(env!("CARGO_MANIFEST_DIR")));
    let examples = fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path().join("logmap.yaml"));
    let maps = fs::read_dir(root.join("tests/maps")).unwrap().map(|entry| entry.unwrap().path());
    for map in examples.chain(maps).filter(|path| path.extension().is_some_and(|end| end == "yaml") && path.is_file()) {
        let dir = tempfile::tempdir().unwrap();
        if logmap(dir.path(), &["generate", map.to_str().unwrap(), "--out", "out", "--target", "policies"]).code != 0 {
            continue; // one that shows what is refused
        }
        let policies = tree(&dir.path().join("out")).into_iter().filter(|(path, _)| path.starts_with("policies/"));
        for (path, text) in policies
            // no script applies those of keys, roles and buses: their owners do
            .filter(|(path, _)| {
                !["kms", "policies/iam/", "policies/roles", "policies/events/"].iter().any(|part| path.contains(part))
            })
        {
            let policy: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let sids = policy["Statement"].as_array().unwrap().iter().filter_map(|statement| statement["Sid"].as_str());
            let own = sids.filter_map(|sid| sid.trim_end_matches(|c: char| c.is_ascii_digit()).strip_prefix("Logmap"));
            made.extend(own.map(str::to_owned));
        }
    }
    let helper = include_str!("../templates/aws-cli/helper.py");
    let known = helper.split_once("OURS = re.compile(\"Logmap(").unwrap().1.split_once(')').unwrap().0;
    let monitoring = include_str!("../templates/aws-cli/monitoring.py").split_once("OURS = {").unwrap().1;
    let of_topics = monitoring.split_once('}').unwrap().0.split(", ").map(|name| name.trim_matches('"').replace("Logmap", ""));
    assert_eq!(known.split('|').map(str::to_owned).chain(of_topics).collect::<BTreeSet<_>>(), made);
}

#[test]
fn whom_the_map_lets_in_is_told_in_the_readme_and_in_the_proof() {
    let reader = |sid: &str, more: &str| {
        format!(
            "{{ Sid: {sid}, Effect: Allow, Principal: {{ AWS: \"999988887777\" }}, Action: [\"s3:GetObject\"{more}], Resource: \"{{log_bucket_arn}}/*\" }}"
        )
    };
    let list = format!("[{}, {}]", reader("Reader", ""), reader("Cleaner", ", \"s3:DeleteObject\""));
    let dir = folder(&format!("{MAP}defaults: {{ log_bucket: {{ extra_statements: {list} }} }}\n"));
    let made = generate(dir.path(), &[]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let readme = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    let rows: Vec<&str> = readme.lines().filter(|line| line.contains("999988887777")).collect();
    assert_eq!(
        rows,
        [
            "| Reader | 999988887777 | s3:GetObject | acme-logs-444455556666-us-east-1 and 2 more |",
            "| Cleaner | 999988887777 | s3:GetObject, s3:DeleteObject: more than reading | acme-logs-444455556666-us-east-1 and 2 more |",
        ]
    );
    let said = logmap(dir.path(), &["validate", "-v"]).stderr;
    assert_eq!(said.matches("let in by the map: 999988887777 may s3:GetObject (Reader)").count(), 3, "{said}");
}

#[test]
fn services_that_write_logs_of_their_own_are_told_in_the_readme() {
    let accounts: String = (0..5).map(|at| format!("  a{at}: {{ id: \"99992222333{at}\", regions: {{}} }}\n")).collect();
    let prod = "  prod:\n    id: \"111122223333\"\n";
    let senders = "    log_bucket: { senders: [config, { service: elb, prefix: lb/, accounts: all }] }\n";
    let map = MAP.replace(prod, &format!("{accounts}{prod}{senders}"));
    let dir = folder(&map);
    let done = generate(dir.path(), &[]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let readme = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    for wanted in [
        "| AWS Config | acme-logs-111122223333-us-east-1 | `config/AWSLogs/` | prod |\n",
        "| Elastic Load Balancing | acme-logs-111122223333-us-east-1 | `lb/AWSLogs/` | prod, dev, 999922223330, 999922223331, 999922223332 and 2 more |\n",
    ] {
        assert!(readme.contains(wanted), "{wanted}: {readme}");
    }
}

#[test]
fn what_a_map_leaves_to_others_or_keeps_for_ever_is_so_in_every_target() {
    let bucket = |more: &str| format!("        log_bucket: {{ adopt: true, name: acme-old-logs{more} }}\n");
    let map = |more: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n{}        buckets: [acme-web]\n",
            bucket(more)
        )
    };
    let made = |more: &str| {
        let dir = folder(&map(more));
        let done = generate(dir.path(), &[]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        tree(&dir.path().join("out"))
    };
    let of = |files: &std::collections::BTreeMap<String, String>| {
        ["terraform/prod/us-east-1.tf", "cloudformation/prod/us-east-1.yaml", "aws-cli/prod/us-east-1.sh"]
            .map(|path| files[path].clone())
    };
    // other code sets the lifecycle: no target has one, and Terraform forgets its own without removing it
    let files = made(", lifecycle: external");
    let [terraform, cloudformation, script] = of(&files);
    assert!(!terraform.contains("resource \"aws_s3_bucket_lifecycle_configuration\""), "{terraform}");
    assert!(terraform.contains("from = aws_s3_bucket_lifecycle_configuration.acme_old_logs"), "{terraform}");
    assert!(terraform.contains("depends_on = [aws_s3_bucket_versioning.acme_old_logs]"), "{terraform}");
    assert!(files["terraform/prod/versions.tf"].contains(">= 1.10"));
    assert!(!cloudformation.contains("LifecycleConfiguration") && !script.contains("\"Rules\""), "{cloudformation}{script}");
    // never: a rule is left that only ends unfinished uploads
    let [terraform, cloudformation, script] =
        of(&made(", retention: { expire_after_days: never, noncurrent_expire_after_days: never }"));
    assert!(terraform.contains("abort_incomplete_multipart_upload") && !terraform.contains("expiration {"), "{terraform}");
    assert!(
        cloudformation.contains("AbortIncompleteMultipartUpload") && !cloudformation.contains("Expiration"),
        "{cloudformation}"
    );
    assert!(script.contains("AbortIncompleteMultipartUpload") && !script.contains("Expiration"), "{script}");
    // tags of an adopted bucket stay where the map names none
    let tagged = made(", tags: { owner: security }");
    assert!(terraform.contains("ignore_changes = [tags, tags_all]") && !of(&tagged)[0].contains("ignore_changes"), "{terraform}");
}

#[test]
fn the_lock_keeps_accounts_in_their_stack_set() {
    let map = |teams: &[(u32, usize)]| {
        let team = |(n, sources): &(u32, usize)| {
            let names: Vec<String> = (0..*sources).map(|at| format!("team-{n}-source-{at}")).collect();
            format!("  team-{n}: {{ id: \"1000000000{n}\", regions: {{ eu-west-1: {{ buckets: [{}] }} }} }}\n", names.join(", "))
        };
        let teams: String = teams.iter().map(team).collect();
        format!("version: 1\norganization: {{ name: acme }}\naccounts:\n{teams}")
    };
    let even: Vec<(u32, usize)> = (10..40).step_by(2).map(|n| (n, 4)).collect();
    let all: Vec<(u32, usize)> = (10..40).map(|n| (n, 4)).collect();
    let dir = folder(&map(&even));
    let sets = || -> Vec<Vec<String>> {
        let lock: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(dir.path().join("out/logmap.lock.json")).unwrap()).unwrap();
        let ids = |set: &serde_json::Value| serde_json::from_value(set["accounts"].clone()).unwrap();
        lock["stack_sets"].as_array().unwrap().iter().map(ids).collect()
    };
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let before = sets();
    assert!(before.len() > 1, "{before:?}");
    fs::write(dir.path().join("logmap.yaml"), map(&all)).unwrap();
    // a run for one account leaves the memory as it is
    assert_eq!(generate(dir.path(), &["--account", "team-10"]).code, 0);
    assert_eq!(sets(), before);
    let run = generate(dir.path(), &[]);
    assert!(run.code == 0 && !run.stderr.contains("leave the StackSet"), "{}", run.stderr);
    assert_eq!(generate(dir.path(), &["--check"]).code, 0);
    let grown = sets();
    for (old, new) in before.iter().zip(&grown) {
        assert!(old.iter().all(|id| new.contains(id)), "{before:?} {grown:?}");
    }
    assert_eq!(grown.iter().map(Vec::len).sum::<usize>(), all.len());
    // what must move is said, once; the page goes on saying it
    let large: Vec<(u32, usize)> = all.iter().map(|&(n, sources)| (n, if n == 12 { 60 } else { sources })).collect();
    fs::write(dir.path().join("logmap.yaml"), map(&large)).unwrap();
    let run = generate(dir.path(), &[]);
    assert!(
        run.stderr.contains("these accounts leave the StackSet that they are in")
            && run.stderr.contains(": `team-12` in eu-west-1\n"),
        "{}",
        run.stderr
    );
    let page = || tree(&dir.path().join("out"))["cloudformation/stacksets/README.md"].clone();
    let said = page();
    assert!(said.contains("### team-12 in eu-west-1, out of logmap-eu-west-1"), "{said}");
    let again = generate(dir.path(), &[]);
    assert!(again.stderr.contains(" 0 files written") && !again.stderr.contains("leave the StackSet"), "{}", again.stderr);
    assert_eq!((generate(dir.path(), &["--check"]).code, page() == said), (0, true));
    // a lock is a file that others can write
    let lock = dir.path().join("out/logmap.lock.json");
    let hostile = fs::read_to_string(&lock).unwrap().replacen(
        "\"region\": \"eu-west-1\",\n      \"number\"",
        "\"region\": \"../x\",\n      \"number\"",
        1,
    );
    fs::write(&lock, hostile).unwrap();
    let run = generate(dir.path(), &[]);
    assert!(run.code != 0 && run.stderr.contains("is not a lock that logmap wrote"), "{}", run.stderr);
}

#[test]
fn every_stack_has_a_preflight_check_which_comes_before_its_import_and_its_deployment() {
    let dir = folder(&MAP.replacen(
        "regions:\n",
        "regions:\n      eu-central-1: { log_bucket: { adopt: true, name: acme-old-logs }, buckets: [acme-eu-old] }\n",
        1,
    ));
    let run = generate(dir.path(), &["--target", "cloudformation"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let files = tree(&dir.path().join("out"));
    let readme = &files["README.md"];
    let stacks: Vec<&str> =
        files.keys().filter_map(|path| path.strip_suffix(".yaml")).filter(|path| !path.contains("stacksets")).collect();
    assert!(stacks.len() > 1);
    for stack in stacks {
        assert!(files.contains_key(&format!("{stack}-preflight.sh")), "{stack}");
        assert!(readme.contains(&format!("{stack}-preflight.sh && aws cloudformation deploy")), "{stack}: {readme}");
    }
    let import = readme.find("eu-central-1-preflight.sh && aws cloudformation create-change-set").expect("an import");
    assert!(import < readme.find("eu-central-1-preflight.sh && aws cloudformation deploy").unwrap(), "{readme}");
    // the files of a Region that leaves the map go, and those of all Regions stay
    fs::write(dir.path().join("logmap.yaml"), MAP).unwrap();
    assert_eq!(generate(dir.path(), &["--target", "cloudformation"]).code, 0);
    let files = tree(&dir.path().join("out"));
    assert!(files.keys().all(|path| !path.contains("eu-central-1")) && files.contains_key("cloudformation/lib/logmap.sh"));
}

#[test]
fn every_module_that_takes_something_over_has_a_preflight_check_and_the_readme_names_it() {
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &["--target", "terraform"]).code, 0);
    let files = tree(&dir.path().join("out"));
    let modules: Vec<&str> = files.keys().filter_map(|path| path.strip_suffix("/versions.tf")).collect();
    assert!(modules.len() > 1);
    for module in modules {
        assert!(files.contains_key(&format!("{module}/preflight.sh")), "{module}");
        assert!(files["README.md"].contains(&format!("{module}/preflight.sh && terraform -chdir={module} init")), "{module}");
    }
    assert!(files.contains_key("terraform/lib/logmap.sh") && files.contains_key("terraform/lib/helper.py"));
}

/// Sizes in bytes, prefixes and days of each lifecycle rule of a script.
fn script_rules(files: &std::collections::BTreeMap<String, String>, path: &str) -> Vec<(String, serde_json::Value)> {
    let script = &files[path];
    let from = script.find("{\"Rules\"").unwrap();
    let rules: serde_json::Value = serde_json::from_str(script[from..].split('\'').next().unwrap()).unwrap();
    rules["Rules"].as_array().unwrap().iter().map(|rule| (rule["ID"].as_str().unwrap().to_owned(), rule.clone())).collect()
}

#[test]
fn access_logs_and_trails_are_kept_apart_in_every_target() {
    let map = |bucket: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod:\n    id: \"111122223333\"\n    log_bucket: {bucket}\n    regions: {{ us-east-1: {{ buckets: [acme-web, acme-data] }} }}\ntrails: {{ audit: {{ home_region: us-east-1 }} }}\n"
        )
    };
    let made = |bucket: &str| {
        let dir = folder(&map(bucket));
        let done = generate(dir.path(), &[]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        tree(&dir.path().join("out"))
    };
    let path = "aws-cli/prod/us-east-1.sh";
    let kept = "access_logs: { expire_after_days: 60 }, trails: { expire_after_days: never, transition: [{ after_days: 90, storage_class: GLACIER }, { after_days: 30, storage_class: STANDARD_IA }], transition_larger_than_bytes: 1 }";
    // with `simple` and no prefix a rule for what sources share would be one for the trails, too
    let files = made(&format!("{{ key_format: simple, prefix: '', retention: {{ {kept} }} }}"));
    let rules = script_rules(&files, path);
    let shown: Vec<String> = rules
        .iter()
        .map(|(id, rule)| {
            let filter = &rule["Filter"];
            format!("{id}: {} {} {}", filter, rule["Expiration"]["Days"], rule["Transitions"])
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"cloudtrail: {"Prefix":"AWSLogs/"} null null"#,
            r#"cloudtrail-transitions: {"And":{"Prefix":"AWSLogs/","ObjectSizeGreaterThan":1}} null [{"Days":30,"StorageClass":"STANDARD_IA"},{"Days":90,"StorageClass":"GLACIER"}]"#,
            r#"access-logs: {"Prefix":"acme-data/"} 60 null"#,
            r#"access-logs-2: {"Prefix":"acme-web/"} 60 null"#,
        ]
    );
    let template = &files["cloudformation/prod/us-east-1.yaml"];
    let wanted = "          - Id: \"cloudtrail-transitions\"\n            Status: Enabled\n            Prefix: \"AWSLogs/\"\n            ObjectSizeGreaterThan: \"1\"\n            Transitions:\n              - StorageClass: \"STANDARD_IA\"\n                TransitionInDays: 30\n              - StorageClass: \"GLACIER\"\n                TransitionInDays: 90\n          - Id: \"access-logs\"";
    assert!(template.contains(wanted), "{template}");
    let module = &files["terraform/prod/us-east-1.tf"];
    let wanted = "      and {\n        prefix                   = \"AWSLogs/\"\n        object_size_greater_than = 1\n      }";
    assert!(module.contains(wanted), "{module}");
    // with both kept alike the shared prefix has one rule, as ever
    let files = made("{ key_format: simple, prefix: '' }");
    let prefixes: Vec<_> =
        script_rules(&files, path).iter().map(|(id, rule)| format!("{id} {}", rule["Filter"]["Prefix"])).collect();
    assert_eq!(prefixes, [r#"access-logs """#]);
    // tables look back as far as their own logs are kept
    let files = made(&format!("{{ retention: {{ {kept} }} }}"));
    let sql = &files["athena/prod/us-east-1.sql"];
    assert!(sql.contains("60") && sql.contains("3650"), "{sql}");
    // each has its own bucket
    let files = made(&format!("{{ split_trails: true, retention: {{ {kept} }} }}"));
    let script = &files[path];
    assert_eq!(script.matches("\"ID\":\"access-logs\"").count(), 1, "{script}");
    assert_eq!(script.matches("\"ID\":\"cloudtrail\"").count(), 1, "{script}");
}

#[test]
fn more_prefixes_than_lifecycle_rules_are_an_error_only_where_kept_apart() {
    let names: Vec<String> = (0..1001).map(|number| format!("acme-{number:04}")).collect();
    let map = |retention: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\ndefaults: {{ log_bucket: {{ key_format: simple, prefix: '', policy_scope: account{retention} }} }}\naccounts: {{ prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{}] }} }} }} }}\ntrails: {{ audit: {{ home_region: us-east-1 }} }}\n",
            names.join(", ")
        )
    };
    let validate = |text: &str| logmap(folder(text).path(), &["validate"]);
    let done = validate(&map(", retention: { trails: { expire_after_days: never } }"));
    assert!(done.code == 1 && done.stdout.contains("would need 1002 lifecycle rules, and S3 takes 1000"), "{}", done.stdout);
    let done = validate(&map(""));
    assert!(!done.stdout.contains("lifecycle rules"), "{}", done.stdout);
}

/// What the scripts' helper says, given a document on standard input.
fn helper(files: &std::collections::BTreeMap<String, String>, arguments: &[&str], present: &str, given: &str) -> String {
    use std::{io::Write, process};
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("helper.py"), &files["aws-cli/lib/helper.py"]).unwrap();
    std::fs::write(dir.path().join("present"), present).unwrap();
    let mut child = process::Command::new("python3")
        .args(["-I", "-S", "-X", "utf8", "helper.py"])
        .args(arguments)
        .current_dir(dir.path())
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{arguments:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_script_knows_transitions_by_size_and_has_one_smallest_size_with_the_other_targets() {
    let dir = folder(
        "version: 1\norganization: { name: acme }\naccounts: { prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } } }\n",
    );
    assert_eq!(generate(dir.path(), &[]).code, 0);
    let files = tree(&dir.path().join("out"));
    let abort = r#""AbortIncompleteMultipartUpload":{"DaysAfterInitiation":7}"#;
    let keeps = |id: &str, prefix: &str, days: u32, more: &str| {
        format!(
            r#"{{"ID":"{id}","Status":"Enabled","Filter":{{"Prefix":"{prefix}"}},"Expiration":{{"Days":{days}}},{abort}{more}}}"#
        )
    };
    let moves = r#""Transitions":[{"Days":90,"StorageClass":"GLACIER"}]"#;
    let by_size = format!(
        r#"{{"ID":"access-logs-transitions","Status":"Enabled","Filter":{{"And":{{"Prefix":"s3-access/","ObjectSizeGreaterThan":1}}}},{moves}}}"#
    );
    let document = |rules: &[String], more: &str| format!(r#"{{"Rules":[{}]{more}}}"#, rules.join(","));
    let varies = r#","TransitionDefaultMinimumObjectSize":"varies_by_storage_class""#;
    let plain = keeps("access-logs", "s3-access/", 400, "");
    let moving = keeps("access-logs", "s3-access/", 400, &format!(",{moves}"));
    let foreign = format!(r#"{{"ID":"theirs","Status":"Enabled","Filter":{{"Prefix":"x/"}},{moves}}}"#);
    let size = |present: &[String], want: &[String]| {
        let said = helper(&files, &["minimum-size", "present", ""], &document(present, varies), &document(want, ""));
        said.trim().to_owned()
    };
    // only our own rules move objects by it: the default, as in the other targets
    assert_eq!(size(&[], std::slice::from_ref(&moving)), "all_storage_classes_128K");
    assert_eq!(size(std::slice::from_ref(&plain), std::slice::from_ref(&moving)), "all_storage_classes_128K");
    // nothing of ours moves by it, or something of others does: it stays
    for (present, want) in
        [(&plain, vec![plain.clone()]), (&plain, vec![plain.clone(), by_size.clone()]), (&foreign, vec![moving])]
    {
        assert_eq!(size(std::slice::from_ref(present), &want), "varies_by_storage_class");
    }
    let judged = |present: &[String], want: &[String], alone: &str| {
        helper(
            &files,
            &["judged-lifecycle", "versions", "present", "present", alone],
            &document(present, ""),
            &document(want, ""),
        )
    };
    // a rule that only moves objects keeps none for ever, and is ours
    assert_eq!(judged(&[plain.clone(), by_size.clone()], &[plain.clone(), by_size.clone()], "yes"), "");
    assert_eq!(judged(&[plain.clone(), by_size], std::slice::from_ref(&plain), "yes"), "");
    // what stands is kept longer: the line of the map is by kind of logs where the plan is
    let present = [keeps("access-logs", "s3-access/", 500, ""), keeps("cloudtrail", "AWSLogs/", 900, "")];
    let said = judged(&present, &[plain.clone(), keeps("cloudtrail", "AWSLogs/", 800, "")], "");
    let line = "`retention: { access_logs: { expire_after_days: 500, noncurrent_expire_after_days: never }, trails: { expire_after_days: 900, noncurrent_expire_after_days: never } }`";
    assert!(said.contains(line), "{said}");
    let said = judged(&present, &[plain, keeps("cloudtrail", "AWSLogs/", 400, "")], "");
    assert!(said.contains("`retention: { expire_after_days: 900, noncurrent_expire_after_days: never }`"), "{said}");
}

#[test]
fn everything_that_is_made_has_the_tags_of_the_map_in_every_target() {
    let map = |more: &str, bucket: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\n{more}accounts: {{ prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-web]{bucket} }} }} }} }}\ntrails: {{ audit: {{ home_region: us-east-1 }}, old: {{ home_region: us-east-1, adopt: true }} }}\nmonitoring: {{ config_rule: true, tamper_alerts: {{ sns_topic_name: alerts }} }}\npublish: {{ ssm_parameter: /logmap/b }}\nrender: {{ athena: {{ glue: true }} }}\n"
        )
    };
    let made = |text: &str| {
        let dir = folder(text);
        let done = generate(dir.path(), &[]);
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        tree(&dir.path().join("out"))
    };
    let tags = "tags: { CostCenter: \"4711\", owner: everybody }\n";
    let files = made(&map(tags, ", log_bucket: { tags: { owner: security } }"));
    let plain = made(&map("", ""));
    let count = |path: &str, what: &str| files[path].matches(what).count();
    // bucket, trail, parameter, rule of Config, topic, three event rules; the adopted trail keeps its own
    let module = "terraform/prod/us-east-1.tf";
    assert_eq!(count(module, "\"CostCenter\" = \"4711\""), 8, "{}", files[module]);
    assert_eq!(count(module, "= \"security\""), 1, "{}", files[module]);
    assert_eq!(count("terraform/prod/us-east-1-athena.tf", "\"CostCenter\" = \"4711\""), 1);
    // no rule of Config, which CloudFormation can't tag; function, role and log group
    let template = "cloudformation/prod/us-east-1.yaml";
    assert_eq!(count(template, "Key: \"CostCenter\""), 9, "{}", files[template]);
    assert_eq!(count(template, "\"CostCenter\": \"4711\""), 1, "{}", files[template]);
    let script = "aws-cli/prod/us-east-1.sh";
    assert_eq!(count(script, "TAGS='{\"CostCenter\":\"4711\",\"owner\":\"everybody\"}'"), 1, "{}", files[script]);
    assert_eq!(count(script, "'{\"CostCenter\":\"4711\",\"owner\":\"security\"}'"), 1, "{}", files[script]);
    assert_eq!(count("README.md", " --tags 'CostCenter=4711' 'owner=everybody'"), 1, "{}", files["README.md"]);
    // without tags nothing of it is there, and the head of each file tells the two apart
    for (path, text) in plain.iter().filter(|(path, _)| !path.contains("/lib/")) {
        assert!(!text.contains("TAGS=") && !text.contains("--tags") && !text.contains("CostCenter"), "{path}");
    }
    let head = |files: &std::collections::BTreeMap<String, String>, path: &str| {
        files[path].lines().take(6).map(str::to_owned).collect::<Vec<_>>()
    };
    for path in [module, template, script] {
        assert_ne!(head(&files, path), head(&plain, path), "{path}");
    }
    // what is adopted keeps what it has beside its own
    let files = made(&map(tags, ", log_bucket: { adopt: true, name: acme-old }"));
    assert!(files[script].contains("  '{}'\n"), "{}", files[script]);
    assert!(files[module].contains("ignore_changes = [tags, tags_all]"));
}

#[test]
fn the_trails_bucket_logs_to_the_access_log_bucket_of_its_place_in_every_target() {
    let map = |bucket: &str, sources: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts: {{ prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{sources}], log_bucket: {{ split_trails: true{bucket} }} }} }} }} }}\ntrails: {{ audit: {{ accounts: [prod], home_region: us-east-1 }} }}\nmonitoring: {{ tamper_alerts: {{ sns_topic_name: alerts }} }}\n"
        )
    };
    let made = |text: &str| {
        let dir = folder(text);
        let done = generate(dir.path(), &[]);
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        tree(&dir.path().join("out"))
    };
    let (access, own) = ("acme-logs-111122223333-us-east-1", "acme-trails-111122223333-us-east-1");
    let [module, template, script] =
        ["terraform/prod/us-east-1.tf", "cloudformation/prod/us-east-1.yaml", "aws-cli/prod/us-east-1.sh"];
    let files = made(&map("", "acme-web"));
    // granted like a source, by the policy of the one and not of the other
    assert!(files[&format!("policies/{access}.json")].contains(&format!("arn:aws:s3:::{own}\"")));
    assert!(!files[&format!("policies/{own}.json")].contains("logging.s3.amazonaws.com"));
    assert!(files[script].contains(&format!("  '{own}' 'managed' ")), "{}", files[script]);
    assert_eq!(files[module].matches(&format!("\"{own}\" = \"s3-access/\"")).count(), 1, "{}", files[module]);
    let after = "depends_on = [aws_s3_bucket_lifecycle_configuration.acme_logs_111122223333_us_east_1, aws_s3_bucket_lifecycle_configuration.acme_trails_111122223333_us_east_1]";
    assert!(files[module].contains(after), "{}", files[module]);
    // its stack sets it without the custom resource, after the grant
    assert_eq!(files[template].matches("DestinationBucketName: {Ref: LogBucket").count(), 1, "{}", files[template]);
    assert!(!files[template].contains(&format!("      Source: \"{own}\"")), "{}", files[template]);
    assert_eq!(files[template].matches("S3_BUCKET_LOGGING_ENABLED").count(), 1, "the suppression of the access-log bucket only");
    let set_below = "checkov:skip=CKV_AWS_18:Its logging is set below";
    assert_eq!(files[module].matches(set_below).count(), 1, "{}", files[module]);
    // its own rule of EventBridge watches it; that of sources does not
    assert!(files[script].contains("\"bucketName\":[\"acme-web\"]"), "{}", files[script]);
    // other code's
    let files = made(&map(", trails_bucket_logging: external", "acme-web"));
    assert!(!files[template].contains("LoggingConfiguration:"), "{}", files[template]);
    assert!(files[script].contains(&format!("  '{own}' 'external' ")), "{}", files[script]);
    assert_eq!(files[module].matches(set_below).count(), 0, "{}", files[module]);
    // nothing takes its logs
    let files = made(&map("", ""));
    assert!(!files[template].contains("LoggingConfiguration:"));
    let said = logmap(folder(&map("", "")).path(), &["validate"]).stdout;
    assert!(said.contains("LM0210") && said.contains(own), "{said}");
    // listed as a source, too
    let said = logmap(folder(&map("", &format!("acme-web, {own}"))).path(), &["validate"]).stdout;
    assert!(said.contains("LM0204") && said.contains("the trails' own bucket logs by itself"), "{said}");
}

#[test]
fn the_role_that_reads_an_account_may_list_keys_in_its_log_buckets_alone_and_its_policy_fits() {
    let dir = folder(MAP);
    let out = dir.path().join("out");
    let policy = |dir: &Path, key: &str| -> serde_json::Value {
        let text = fs::read_to_string(dir.join("policies/iam").join(key).join("reader.json")).unwrap();
        let policy: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(policy.to_string().len() <= 6_144, "{} characters", policy.to_string().len());
        policy
    };
    assert_eq!(generate(dir.path(), &["--target", "policies"]).code, 0);
    let dev = policy(&out, "dev");
    let lists = dev["Statement"].as_array().unwrap().last().unwrap();
    assert_eq!(lists["Action"], "s3:ListBucket");
    assert_eq!(lists["Resource"], serde_json::json!(["arn:aws:s3:::acme-logs-444455556666-us-east-1"]));
    // what the map does not watch nobody reads
    assert!(!dev.to_string().contains("events:") && !dev.to_string().contains("ssm:"), "{dev}");
    // another account's buckets, and what writes
    assert!(!dev.to_string().contains("111122223333") && !dev.to_string().contains(":Put"), "{dev}");
    // too many names for one policy: any bucket of this account, and of no other
    let mut map = String::from(
        "version: 1\norganization: { name: an-organisation-long-name }\naccounts:\n  all:\n    id: \"111122223333\"\n    regions:\n",
    );
    let regions: Vec<String> =
        ["ap-northeast", "ap-south", "ap-southeast", "eu-central", "eu-west", "us-east", "us-west", "sa-east"]
            .iter()
            .flat_map(|area| (1..=12).map(move |number| format!("{area}-{number}")))
            .collect();
    for region in &regions {
        map += &format!("      {region}: {{ buckets: [acme-{region}] }}\n");
    }
    let dir = folder(&map);
    let run = generate(dir.path(), &["--target", "policies"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let wide = policy(&dir.path().join("out"), "all");
    let lists = wide["Statement"].as_array().unwrap().last().unwrap();
    assert_eq!(lists["Resource"], "*");
    assert_eq!(lists["Condition"], serde_json::json!({ "StringEquals": { "s3:ResourceAccount": "111122223333" } }));
}

/// The output's README lists what no trail of the map records, all of it or some rules, and nothing where everything is heard.
#[test]
fn the_readme_says_which_alerts_do_not_come() {
    let readme = |trail: &str| {
        let map = format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-prod-web] }} }} }}\ntrails: {{ audit: {{ {trail} }} }}\nmonitoring: {{ tamper_alerts: {{ sns_topic_name: alerts, also: [keys, log-objects], except: [deployer] }} }}\n"
        );
        let dir = folder(&map);
        let run = generate(dir.path(), &["--target", "policies"]);
        assert_eq!(run.code, 0, "{}", run.stdout);
        fs::read_to_string(dir.path().join("out/README.md")).unwrap()
    };
    let key = "kms_key_arn: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let heard = readme(&format!("{key}, log_bucket_events: [deletes]"));
    assert!(
        !heard.contains("**Silent**") && heard.contains("- `keys`: ") && heard.contains("the calls of `deployer`"),
        "{heard}"
    );
    let partly = readme(&format!("{key}, exclude_event_sources: [kms.amazonaws.com]"));
    assert!(partly.contains("- prod in us-east-1: `logmap-acme-log-objects`, `logmap-acme-keys-1`"), "{partly}");
    let silent = readme("management_events: read-only");
    assert!(silent.contains("- prod in us-east-1: no alert comes"), "{silent}");
}

#[test]
fn the_role_that_deploys_to_an_account_is_for_the_targets_of_the_map_and_its_policy_fits_at_any_size() {
    let policies = |map: &str, key: &str| -> Vec<serde_json::Value> {
        let dir = folder(map);
        let run = generate(dir.path(), &["--target", "policies"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let files = ["deployer.json", "deployer-cloudformation.json"]
            .map(|name| dir.path().join("out/policies/iam").join(key).join(name));
        let read = |file: &std::path::PathBuf| -> serde_json::Value {
            serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
        };
        let found: Vec<serde_json::Value> = files.iter().filter(|file| file.exists()).map(read).collect();
        for policy in &found {
            assert!(policy.to_string().len() <= 6_144, "{} characters", policy.to_string().len());
        }
        found
    };
    let statement = |policy: &serde_json::Value, sid: &str| {
        policy["Statement"].as_array().unwrap().iter().find(|statement| statement["Sid"] == sid).cloned()
    };
    let prod = &policies(MAP, "prod")[0];
    let log_buckets = ["arn:aws:s3:::acme-logs-111122223333-eu-west-1", "arn:aws:s3:::acme-logs-111122223333-us-east-1"];
    assert_eq!(statement(prod, "LogBucketsScripts").unwrap()["Resource"], serde_json::json!(log_buckets));
    let sources = ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-eu", "arn:aws:s3:::acme-web"];
    assert_eq!(statement(prod, "SourcesScripts").unwrap()["Resource"], serde_json::json!(sources));
    assert!(statement(prod, "StacksCloudFormation").is_some() && statement(prod, "LogBucketsTerraform").is_some(), "{prod}");
    // the targets that the map names; those of another account are not its own
    let scripts = policies(&format!("{MAP}settings: {{ targets: [policies, aws-cli] }}\n"), "dev").remove(0);
    let sids: Vec<&str> = scripts["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap()).collect();
    assert_eq!(sids, ["AnywhereScripts", "SourcesScripts", "LogBucketsScripts", "TrailsScripts"]);
    assert!(!scripts.to_string().contains("111122223333"), "{scripts}");
    let terraform = policies(&format!("{MAP}settings: {{ targets: [policies, terraform] }}\n"), "prod").remove(0);
    // nothing before it has what it needs
    let names = statement(&terraform, "LogBucketsTerraform").unwrap()["Action"].to_string();
    assert!(names.contains("s3:CreateBucket") && names.contains("s3:ListTagsForResource"), "{names}");
    // too many sources: any bucket of the account may log, and log buckets keep their names
    let many: Vec<String> = (0..2_000).map(|number| format!("acme-source-{number}")).collect();
    let wide = &policies(&MAP.replace("acme-web, acme-data", &many.join(", ")), "prod")[0];
    let own = serde_json::json!({ "StringEquals": { "s3:ResourceAccount": "111122223333" } });
    assert_eq!(statement(wide, "SourcesScripts").unwrap()["Resource"], "arn:aws:s3:::*");
    assert_eq!(statement(wide, "SourcesScripts").unwrap()["Condition"], own);
    assert_eq!(statement(wide, "LogBucketsScripts").unwrap()["Resource"], serde_json::json!(log_buckets));
    // too many log buckets: any text for the Region, and two policies
    let regions: Vec<String> =
        (1..=80).map(|number| format!("      eu-west-{number}: {{ buckets: [acme-{number}] }}\n")).collect();
    let map = format!(
        "version: 1\norganization: {{ name: acme }}\naccounts:\n  all:\n    id: \"111122223333\"\n    regions:\n{}",
        regions.concat()
    );
    let [rest, stacks] = &policies(&map, "all")[..] else { panic!("it takes two policies") };
    for (policy, sid) in [(rest, "LogBucketsScripts"), (stacks, "LogBucketsCloudFormation")] {
        let found = statement(policy, sid).unwrap();
        assert_eq!(
            (&found["Resource"], &found["Condition"]),
            (&serde_json::json!("arn:aws:s3:::acme-logs-111122223333-*"), &own)
        );
    }
    assert!(!stacks.to_string().contains("Scripts") && !rest.to_string().contains("cloudformation:"));
}

#[test]
fn the_roles_for_all_accounts_have_what_any_account_needs_and_name_none() {
    let everything = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/maps/full.yaml")).unwrap();
    let roles = |map: &str| {
        let dir = folder(map);
        let run = generate(dir.path(), &["--target", "policies"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let policies = dir.path().join("out/policies");
        let deployer = fs::read_to_string(policies.join("roles/deployer.json")).unwrap();
        (fs::read_to_string(policies.join("roles.yaml")).unwrap(), deployer)
    };
    let (template, deployer) = roles(&everything);
    for file in [&template, &deployer] {
        assert!(!file.contains("000011112222") && !file.contains("111122223333") && !file.contains("acme-prod"), "{file}");
    }
    // from several accounts: an organization's trail is of one, and a trail's log group of another
    for action in
        ["organizations:DescribeOrganization", "iam:PassRole", "s3:PutBucketObjectLockConfiguration", "ssm:PutParameter"]
    {
        assert!(deployer.contains(action), "{action}");
    }
    let passed = "arn:{partition}:iam::{account_id}:role/service-role/acme-trail-to-logs";
    assert!(deployer.contains(passed), "{deployer}");
    assert!(
        template.contains(r#""Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/service-role/acme-trail-to-logs""#)
    );
    // many trails: any of the account
    let (mut accounts, mut trails) = (String::new(), String::new());
    for number in 10..30 {
        accounts +=
            &format!("  a{number}: {{ id: \"1111222233{number}\", regions: {{ us-east-1: {{ buckets: [acme-{number}] }} }} }}\n");
        trails += &format!("  trail-{number}: {{ accounts: [a{number}], home_region: us-east-1 }}\n");
    }
    let (_, deployer) = roles(&format!("version: 1\norganization: {{ name: acme }}\naccounts:\n{accounts}trails:\n{trails}"));
    assert!(
        deployer.contains("arn:{partition}:cloudtrail:*:{account_id}:trail/*") && !deployer.contains("trail-10"),
        "{deployer}"
    );
    // a run for one account leaves what is about all of them alone
    let dir = folder(MAP);
    assert_eq!(generate(dir.path(), &["--target", "policies", "--account", "dev"]).code, 0);
    assert!(
        !dir.path().join("out/policies/roles.yaml").exists() && dir.path().join("out/policies/iam/dev/deployer.json").exists()
    );
}

#[test]
fn the_roles_for_all_accounts_stand_where_no_account_writes() {
    let map = MAP.replace("dev:", "roles:");
    assert_ne!(map, MAP);
    let dir = folder(&map);
    assert_eq!(generate(dir.path(), &["--target", "policies"]).code, 0);
    let of_account = std::fs::read_to_string(dir.path().join("out/policies/iam/roles/reader.json")).unwrap();
    let of_all = std::fs::read_to_string(dir.path().join("out/policies/roles/reader.json")).unwrap();
    assert!(of_account != of_all && of_all.contains("{account_id}") && !of_account.contains("{account_id}"));
}
