//! Terraform as people have it: where the state is kept, and the examples of docs/terraform.md for those who run the modules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::testing::{analysis::analyze, source::SourceFile};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// The state of account prod with this `terraform`.
fn state(terraform: &str) -> (String, Value) {
    let map = format!(
        "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-web] }} }} }}\n\
         render: {{ terraform: {{ {terraform} }} }}\n"
    );
    let analysis = analyze(SourceFile::new("map.yaml", map));
    let plan = analysis.plan.unwrap_or_else(|| panic!("{:?}", analysis.findings));
    let state = plan.state(&plan.accounts[0]).expect("a backend");
    (state.kind.to_owned(), serde_json::to_value(&state.settings).unwrap())
}

#[test]
fn placeholders_are_filled_in_wherever_they_are_and_doubled_braces_are_braces() {
    let terraform = r#"backend: { x-y: { a: "{org}/{account}", "b": ["{account_id}", { c: "{partition}{{account}}" }], d: 1.50, e: True, f: "007" } } "#;
    let wanted = json!({ "a": "acme/prod", "b": ["111122223333", { "c": "aws{account}" }], "d": 1.5, "e": true, "f": "007" });
    assert_eq!(state(terraform), ("x-y".to_owned(), wanted));
}

#[test]
fn settings_of_s3_come_after_its_own_keys_and_win_over_the_key_of_the_state() {
    let (kind, settings) =
        state(r#"backend: { s3: { bucket: "{x}", region: us-east-1, settings: { key: "logs/{account}", acl: a } } }"#);
    let wanted = r#"{"bucket":"{x}","region":"us-east-1","encrypt":true,"key":"logs/prod","acl":"a"}"#;
    assert_eq!((kind.as_str(), settings.to_string().as_str()), ("s3", wanted));
}

#[test]
fn cloud_counts_where_there_is_no_backend() {
    let cloud = r#"cloud: { organization: acme, workspaces: { name: "logs-{account}" } }"#;
    let wanted = ("cloud".to_owned(), json!({ "organization": "acme", "workspaces": { "name": "logs-prod" } }));
    assert_eq!(state(cloud), wanted);
    assert_eq!(state(&format!("backend: {{}}, {cloud}")), wanted);
}

/// The fences of the page with a file's name in a comment on their first line: name → (language, text).
fn examples() -> BTreeMap<String, (String, String)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/terraform.md")).unwrap();
    let mut found = BTreeMap::new();
    for fence in page.split("```").skip(1).step_by(2) {
        let (language, text) = fence.split_once('\n').unwrap();
        if let Some((name, _)) = text.strip_prefix("# ").and_then(|rest| rest.split_once('\n')) {
            let before = found.insert(name.to_owned(), (language.to_owned(), text.to_owned()));
            assert_eq!(before, None, "{name} is there twice");
        }
    }
    found
}

/// The blocks that a file of HCL may have on top, with their attributes and blocks.
fn only(text: &str, allowed: &[(&str, &[&str])]) {
    let body: hcl::Body = hcl::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(body.attributes().count(), 0, "{text}");
    for block in body.blocks() {
        let keys = allowed.iter().find(|(name, _)| *name == block.identifier()).map(|(_, keys)| *keys);
        let keys = keys.unwrap_or_else(|| panic!("`{}` is no block there: {text}", block.identifier()));
        let names = block
            .body()
            .attributes()
            .map(|attribute| attribute.key())
            .chain(block.body().blocks().map(|block| block.identifier()));
        for name in names {
            assert!(keys.contains(&name), "`{name}` is nothing of `{}`: {text}", block.identifier());
        }
    }
}

/// Sources: "Configuration Blocks and Attributes" of Terragrunt, "Repo Level atlantis.yaml Config" of Atlantis, "Stack Configuration" and
/// "HCL Code Generation" of Terramate.
#[test]
fn examples_for_those_who_run_the_modules_have_their_keys() {
    const TERRAGRUNT: &[(&str, &[&str])] = &[
        ("terraform", &["source", "extra_arguments", "before_hook"]),
        ("generate", &["path", "if_exists", "contents"]),
        ("remote_state", &["backend", "config", "generate"]),
        ("include", &["path"]),
        ("dependencies", &["paths"]),
        ("locals", &["account", "region", "modules"]),
    ];
    const TERRAMATE: &[(&str, &[&str])] = &[
        ("stack", &["name", "description", "id", "tags", "after", "before", "watch"]),
        ("generate_hcl", &["content", "condition"]),
    ];
    let examples = examples();
    let mut kinds = BTreeMap::new();
    for (name, (language, text)) in &examples {
        let file = name.rsplit('/').next().unwrap();
        *kinds.entry(file).or_insert(0) += 1;
        match (file, language.as_str()) {
            ("terragrunt.hcl" | "root.hcl", "hcl") => only(text, TERRAGRUNT),
            ("stack.tm.hcl", "hcl") => only(text, TERRAMATE),
            ("atlantis.yaml", "yaml") => {
                let config: Value = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
                let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
                assert_eq!(config["version"], 3);
                for key in keys(&config) {
                    assert!(
                        ["version", "projects", "parallel_plan", "parallel_apply", "workflows"].contains(&key.as_str()),
                        "{key}"
                    );
                }
                for project in config["projects"].as_array().unwrap() {
                    for key in keys(project) {
                        let known = [
                            "name",
                            "dir",
                            "workspace",
                            "autoplan",
                            "depends_on",
                            "execution_order_group",
                            "apply_requirements",
                            "workflow",
                        ];
                        assert!(known.contains(&key.as_str()), "{key}");
                    }
                    assert!(project["autoplan"]["when_modified"].as_array().is_some_and(|paths| !paths.is_empty()), "{project}");
                }
            }
            ("main.tf" | "backend.tf", "hcl") => {
                hcl::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            }
            (file, language) => panic!("what is {file} in {language}?"),
        }
    }
    for file in ["terragrunt.hcl", "stack.tm.hcl", "atlantis.yaml", "main.tf"] {
        assert!(kinds.get(file).is_some_and(|count| *count > 0), "no example of {file}: {kinds:?}");
    }
}
