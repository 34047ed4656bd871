//! Built-in templates: the list, writing them out, and a folder with some in their place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, tree};
use logmap::testing::render::templates::{CONTEXT_VERSION, all};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

const MAP: &str = "version: 1
organization: { name: acme }
accounts: { prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } } }
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn list(dir: &Path, more: &[&str]) -> Value {
    let run = logmap(dir, &[&["templates", "--format", "json"], more].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    let schema = fs::read_to_string(root().join("schemas/templates.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&list).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    list
}

fn names(list: &Value, which: impl Fn(&Value) -> bool) -> Vec<String> {
    let rows = list["templates"].as_array().unwrap().iter().filter(|row| which(row));
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_has_every_file_of_the_folder_with_its_text() {
    let dir = tempfile::tempdir().unwrap();
    let files = tree(&root().join("templates"));
    let list = list(dir.path(), &[]);
    assert_eq!(names(&list, |_| true), files.keys().cloned().collect::<Vec<_>>());
    assert_eq!(list["context_version"], CONTEXT_VERSION);
    let run = logmap(dir.path(), &["templates", "--out", "mine"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert_eq!(tree(&dir.path().join("mine")), files);
    for template in all() {
        assert_eq!(template.text, files[template.name], "{}", template.name);
    }
}

#[test]
fn each_is_used_by_a_command_and_targets() {
    let dir = tempfile::tempdir().unwrap();
    let text = logmap(dir.path(), &["templates"]);
    let line = |name: &str| {
        let line = text.stdout.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {}", text.stdout)).split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("terraform/region.tf"), "logmap generate --target terraform");
    assert_eq!(line("aws-cli/preflight.sh"), "logmap generate --target terraform");
    assert_eq!(line("readme/README.md"), "logmap generate");
    assert_eq!(line("graph/theme.css"), "logmap graph");
    assert_eq!(line("runbook/step.sh"), "logmap runbook");
    assert_eq!(line("init/logmap.yaml"), "logmap init");
    assert!(text.stderr.contains(&format!("the version of their contexts is {CONTEXT_VERSION}")), "{}", text.stderr);
    assert_eq!(logmap(dir.path(), &["templates", "-q"]).stderr, "");
    // a template that a target's list names is rendered by it: without it the render fails
    for template in all().into_iter().filter(|template| template.command == "generate") {
        let is_called = ["terraform/here.tf", "terraform/root.tf", "terraform/moves.tf"].contains(&template.name);
        let map = if is_called { include_str!("maps/modules.yaml") } else { include_str!("maps/full.yaml") };
        fs::write(dir.path().join("logmap.yaml"), map).unwrap();
        let path = dir.path().join("mine").join(template.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "{{ \"not; harmless\" }}").unwrap();
        let fails =
            |target: &str| logmap(dir.path(), &["generate", "--templates", "mine", "--target", target, "--stdout"]).code == 2;
        for target in template.targets {
            // what adopts nothing has no preflight
            if template.name != "aws-cli/preflight.sh" {
                assert!(fails(target) || !text_is_needed(template.name), "{} is not used by {target}", template.name);
            }
        }
        fs::remove_dir_all(dir.path().join("mine")).unwrap();
    }
}

/// Does every map need it?
fn text_is_needed(name: &str) -> bool {
    !["terraform/imports.tf", "terraform/moved.tf", "terraform/removed.tf", "terraform/athena.tf", "cloudformation/athena.yaml"]
        .contains(&name)
}

#[test]
fn names_and_folders_choose_and_a_wrong_one_is_met_with_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        names(&list(dir.path(), &["athena"]), |_| true),
        ["athena/central.sql", "athena/question.sql", "athena/region.sql", "athena/table.sql", "athena/view.sql"]
    );
    assert_eq!(names(&list(dir.path(), &["athena/", "readme/README.md"]), |_| true).len(), 6);
    for (wrong, near) in [("terraform/regions.tf", "terraform/region.tf"), ("region.sql", "athena/region.sql"), ("athen", "")] {
        let run = logmap(dir.path(), &["templates", wrong]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains(&format!("there is no template `{wrong}`")) && run.stderr.contains(near), "{}", run.stderr);
    }
}

#[test]
fn what_differs_is_never_overwritten_and_then_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = |names: &[&str]| logmap(dir.path(), &[&["templates", "--out", "mine"], names].concat());
    assert_eq!(out(&["athena/table.sql"]).code, 0);
    let again = out(&["athena"]);
    assert_eq!(again.code, 0);
    assert!(again.stderr.contains("4 templates written, 1 unchanged"), "{}", again.stderr);
    fs::write(dir.path().join("mine/athena/table.sql"), "mine\n").unwrap();
    let before = tree(dir.path());
    let refused = out(&[]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("mine/athena/table.sql is there and differs"), "{}", refused.stderr);
    assert_eq!(tree(dir.path()), before);
    // a folder in the place of a file is there, too
    fs::create_dir_all(dir.path().join("other/athena/table.sql")).unwrap();
    assert_eq!(logmap(dir.path(), &["templates", "--out", "other"]).code, 2);
    assert_eq!(tree(&dir.path().join("other")), BTreeMap::new());
    // a link that leads nowhere, or elsewhere, is not written through
    #[cfg(unix)]
    {
        fs::create_dir_all(dir.path().join("linked/athena")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("linked/athena/table.sql")).unwrap();
        assert_eq!(logmap(dir.path(), &["templates", "--out", "linked"]).code, 2);
        assert!(!dir.path().join("elsewhere").exists());
    }
}

#[test]
fn the_list_says_what_a_folder_replaces() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(logmap(dir.path(), &["templates", "--out", "mine", "athena", "graph", "readme"]).code, 0);
    let replaced = || names(&list(dir.path(), &["--templates", "mine"]), |row| row["replaced"] == true);
    assert_eq!(replaced(), Vec::<String>::new(), "what stands there unchanged replaces nothing");
    fs::write(dir.path().join("mine/athena/table.sql"), "mine\n").unwrap();
    fs::write(dir.path().join("mine/graph/theme.css"), "mine\n").unwrap();
    assert_eq!(replaced(), ["athena/table.sql"]);
    let text = logmap(dir.path(), &["templates", "--templates", "mine", "athena"]).stdout;
    assert!(text.lines().any(|line| line.starts_with("athena/table.sql ") && line.ends_with("  replaced")), "{text}");
}

#[test]
fn generate_takes_a_folder_with_templates_of_all_commands_and_says_which_it_leaves_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), MAP).unwrap();
    let own = root().join("templates");
    let plain = logmap(dir.path(), &["generate", "--out", "plain", "-q"]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let run = logmap(dir.path(), &["generate", "--out", "out", "--templates", own.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(tree(&dir.path().join("out")), tree(&dir.path().join("plain")));
    for other in ["graph", "init", "runbook", "snapshot"] {
        assert!(run.stderr.contains(&format!("{other} are `logmap {other}`'s")), "{}", run.stderr);
    }
    assert!(!run.stderr.contains("terraform"), "{}", run.stderr);
    // one that does not parse is another command's affair
    fs::create_dir_all(dir.path().join("mine/graph")).unwrap();
    fs::write(dir.path().join("mine/graph/topology.svg"), "{{ ").unwrap();
    assert_eq!(logmap(dir.path(), &["generate", "--templates", "mine"]).code, 0);
    fs::write(dir.path().join("mine/graph/topology.sgv"), "").unwrap();
    let wrong = logmap(dir.path(), &["generate", "--templates", "mine"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("did you mean `graph/topology.svg`?"), "{}", wrong.stderr);
}
