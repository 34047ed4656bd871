//! Paths as pipelines need them: what findings call a file, where the map is looked for, and what Git does to line ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{Run, logmap, logmap_with_input};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const GOOD: &str = "version: 1\naccounts: { prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [abc], log_bucket: { name: abc-logs } } } } }\n";

/// A repository with a map that has an error in `infra`, and the folder above it.
fn repository() -> (TempDir, PathBuf) {
    let world = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(world.path()).unwrap().join("repo");
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::create_dir_all(root.join("infra/deep")).unwrap();
    fs::write(root.join("infra/logmap.yaml"), GOOD.replace("abc-logs", "Abc")).unwrap();
    (world, root)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr))
}

/// What SARIF, GitHub's annotations and JSON call the first finding's file.
fn called(dir: &Path, arguments: &[&str], input: &str) -> (String, String, String) {
    let run = |format: &str| logmap_with_input(dir, &[arguments, &["--format", format]].concat(), input);
    let sarif = json(&run("sarif"));
    let uri = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    let github = run("github").stdout;
    let file = github.split_once("file=").and_then(|(_, rest)| rest.split_once(',')).unwrap().0;
    let report = json(&run("json"));
    (uri.as_str().unwrap().to_owned(), file.to_owned(), report["findings"][0]["file"].as_str().unwrap().to_owned())
}

fn three(address: &str, name: &str) -> (String, String, String) {
    (address.to_owned(), address.to_owned(), name.to_owned())
}

#[test]
fn annotations_name_files_from_the_root_of_the_repository() {
    let (_world, root) = repository();
    let map = root.join("infra/logmap.yaml");
    let absolute = map.to_string_lossy().into_owned();
    let infra = root.join("infra");
    for (dir, arguments, name) in [
        (&root, &["validate", "./infra/logmap.yaml"][..], "infra/logmap.yaml"),
        (&root, &["validate", "infra/../infra/./logmap.yaml"], "infra/../infra/logmap.yaml"),
        (&root, &["validate", &absolute], "infra/logmap.yaml"),
        (&infra, &["validate", "./logmap.yaml"], "logmap.yaml"),
        (&infra, &["validate"], "logmap.yaml"),
        (&infra.join("deep"), &["validate"], "../logmap.yaml"),
        (&root.parent().unwrap().to_owned(), &["validate", "repo/infra/logmap.yaml"], "repo/infra/logmap.yaml"),
    ] {
        assert_eq!(called(dir, arguments, ""), three("infra/logmap.yaml", name), "{arguments:?} in {}", dir.display());
    }
    // what others wrote, met in a folder
    fs::write(infra.join("p.json"), "{\"Version\": \"2012-10-17\", \"Statement\": [],}").unwrap();
    for (dir, path, name) in [(&root, "./", "infra/p.json"), (&root, ".", "infra/p.json"), (&infra, "./p.json", "p.json")] {
        assert_eq!(called(dir, &["check", path], ""), three("infra/p.json", name), "{path}");
    }
    // files that were generated
    fs::write(&map, GOOD).unwrap();
    let stale = called(&infra, &["generate", "--check"], "");
    assert!(stale.0.starts_with("infra/out/") && stale.0 == stale.1 && stale.2.starts_with("out/"), "{stale:?}");
    // outside of a repository the current folder is all there is
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("m.yaml"), GOOD.replace("abc-logs", "Abc")).unwrap();
    assert_eq!(called(elsewhere.path(), &["validate", "./m.yaml"], ""), three("m.yaml", "m.yaml"));
}

#[test]
fn standard_input_can_have_a_name() {
    let (_world, root) = repository();
    let bad = GOOD.replace("abc-logs", "Abc");
    for arguments in [
        &["validate", "-", "--stdin-filename", "./infra/logmap.yaml"][..],
        &["validate", "--stdin-filename", "infra/logmap.yaml"],
    ] {
        assert_eq!(called(&root, arguments, &bad), three("infra/logmap.yaml", "infra/logmap.yaml"));
    }
    let policy = "{\"Version\": \"2012-10-17\", \"Statement\": [],}";
    assert_eq!(called(&root, &["check", "-", "--stdin-filename", "infra/p.json"], policy).0, "infra/p.json");
    // the folder beside it is the map's, and nothing is written to the map
    let run = logmap_with_input(&root, &["generate", "-", "--stdin-filename", "infra/logmap.yaml"], GOOD);
    assert!(run.code == 0 && root.join("infra/out/README.md").exists() && !root.join("out").exists(), "{}", run.stderr);
    let fixable = GOOD.replace("us-east-1", "US-EAST-1");
    let before = fs::read_to_string(root.join("infra/logmap.yaml")).unwrap();
    let run = logmap_with_input(&root, &["validate", "--fix", "-", "--stdin-filename", "infra/logmap.yaml"], &fixable);
    assert!(run.stdout.contains("us-east-1") || run.stdout.contains("US-EAST-1"), "{} {}", run.stdout, run.stderr);
    assert_eq!(fs::read_to_string(root.join("infra/logmap.yaml")).unwrap(), before);
    // a name for what is not read
    assert_eq!(logmap(&root, &["validate", "infra/logmap.yaml", "--stdin-filename", "x.yaml"]).code, 2);
    assert_eq!(logmap(&root, &["check", "infra", "--stdin-filename", "x.yaml"]).code, 2);
}

#[test]
fn the_map_is_looked_for_up_to_the_root_of_the_repository() {
    let (_world, root) = repository();
    // it says which map it took, where that is not plain
    let deep = logmap(&root.join("infra/deep"), &["validate"]);
    assert!(deep.stderr.contains("the map is ../logmap.yaml"), "{}", deep.stderr);
    assert!(!logmap(&root.join("infra/deep"), &["validate", "-q"]).stderr.contains("the map is"));
    assert!(!logmap(&root.join("infra"), &["validate"]).stderr.contains("the map is"));
    // what lies above the repository is somebody else's
    fs::remove_file(root.join("infra/logmap.yaml")).unwrap();
    fs::write(root.parent().unwrap().join("logmap.yaml"), GOOD).unwrap();
    let run = logmap(&root.join("infra/deep"), &["validate"]);
    assert!(run.code == 2 && run.stderr.contains("up to the root of the repository"), "{}", run.stderr);
    // a submodule and a work tree have a file there
    fs::remove_dir(root.join(".git")).unwrap();
    assert_eq!(logmap(&root.join("infra/deep"), &["validate"]).code, 0);
    fs::write(root.join("infra/.git"), "gitdir: elsewhere\n").unwrap();
    assert_eq!(logmap(&root.join("infra/deep"), &["validate"]).code, 2);
    // both endings are known, and two maps are one too many
    fs::write(root.join("infra/logmap.yml"), GOOD).unwrap();
    assert_eq!(logmap(&root.join("infra/deep"), &["validate"]).code, 0);
    assert_eq!(logmap(&root.join("infra"), &["init"]).code, 2);
    fs::write(root.join("infra/logmap.yaml"), GOOD).unwrap();
    let two = logmap(&root.join("infra"), &["validate"]);
    assert!(two.code == 2 && two.stderr.contains("logmap.yaml and logmap.yml"), "{}", two.stderr);
}

#[test]
fn git_keeps_line_ends_and_a_tree_that_differs_in_them_only_is_named_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    fs::write(dir.path().join("logmap.yaml"), GOOD).unwrap();
    assert_eq!(logmap(dir.path(), &["generate"]).code, 0);
    assert!(fs::read_to_string(out.join(".gitattributes")).unwrap().contains("\n* -text\n"));
    assert!(fs::read_to_string(out.join("logmap.lock.json")).unwrap().contains("\".gitattributes\""));
    let returns = |path: &str| {
        let text = fs::read_to_string(out.join(path)).unwrap();
        fs::write(out.join(path), text.replace('\n', "\r\n")).unwrap();
    };
    for path in ["README.md", "logmap.lock.json", ".gitattributes"] {
        returns(path);
    }
    let check = logmap(dir.path(), &["generate", "--check"]);
    assert_eq!(check.code, 1);
    assert!(
        check.stdout.lines().count() == 2 && check.stdout.contains("README.md: differs in its line ends only"),
        "{}",
        check.stdout
    );
    assert!(check.stderr.contains("2 files differ, in their line ends only; `logmap generate` brings"), "{}", check.stderr);
    let report = json(&logmap(dir.path(), &["generate", "--check", "--format", "json"]));
    let rules: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["LM1706", "LM1706"]);
    // nothing that anybody wrote is lost, so it is mended without --force
    let run = logmap(dir.path(), &["generate"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(logmap(dir.path(), &["generate", "--check"]).code, 0);
    // an edit is one in spite of its line ends; a file of an earlier map is not edited for them
    fs::write(out.join("README.md"), "mine\r\n").unwrap();
    assert_eq!(logmap(dir.path(), &["generate"]).code, 1);
    assert_eq!(logmap(dir.path(), &["generate", "--force"]).code, 0);
    let policy = "policies/abc-logs.json";
    returns(policy);
    fs::write(dir.path().join("logmap.yaml"), GOOD.replace("abc-logs", "abc-more")).unwrap();
    let check = logmap(dir.path(), &["generate", "--check"]);
    assert!(!check.stderr.contains("--force"), "{}", check.stderr);
    assert_eq!(logmap(dir.path(), &["generate"]).code, 0);
    assert!(!out.join(policy).exists());
}

#[test]
fn what_logmap_did_not_write_stays_also_where_it_is_for_git() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), GOOD).unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    fs::write(dir.path().join("out/.gitattributes"), "* text\n").unwrap();
    let run = logmap(dir.path(), &["generate"]);
    assert!(run.code == 1 && run.stderr.contains(".gitattributes is there and logmap did not write it"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(dir.path().join("out/.gitattributes")).unwrap(), "* text\n");
    // no other name with a dot is logmap's
    fs::remove_file(dir.path().join("out/.gitattributes")).unwrap();
    assert_eq!(logmap(dir.path(), &["generate"]).code, 0);
    let lock = fs::read_to_string(dir.path().join("out/logmap.lock.json")).unwrap();
    for other in [".git/config", ".gitignore", "terraform/.gitattributes", ".GITATTRIBUTES", ".gitattributes/x"] {
        fs::write(dir.path().join("out/logmap.lock.json"), lock.replace("\".gitattributes\"", &format!("\"{other}\""))).unwrap();
        let run = logmap(dir.path(), &["generate"]);
        assert!(run.code == 3 && run.stderr.contains("not a lock"), "{other}: {}", run.stderr);
    }
}

#[test]
fn a_log_that_github_would_refuse_is_cut_with_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut map =
        "version: 1\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-7:\n        buckets:\n".to_owned();
    map.extend((0..25_100).map(|number| format!("        - Abc_{number}\n")));
    fs::write(dir.path().join("logmap.yaml"), map).unwrap();
    let run = logmap(dir.path(), &["validate", "--format", "sarif"]);
    assert!(run.code == 1 && run.stderr.contains("left out of the log"), "{} {}", run.code, run.stderr);
    let log = json(&run);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert!(results.iter().all(|one| one["level"] == "error"), "warnings go first");
    let word = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(word.as_str().unwrap().contains("left out"), "{word}");
}
