//! The house: which module may see which. Data flows one way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// (path below src, text without its tests)
fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), code)
        })
        .collect()
}

/// The modules of the crate that a file names, in paths and in grouped imports.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => found.push(std::mem::take(&mut word)),
                    c if depth == 1 => word.push(c),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            found.push(word);
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found.iter().map(|word| word.trim().split("::").next().unwrap().trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn arrows_never_point_back() {
    // (folder or file, what it must not name)
    let outside = ["disk", "cli", "lsp"];
    let rules: &[(&str, &[&str])] = &[
        ("plan/", &outside),
        ("policy/", &["disk", "cli", "lsp", "map", "rules", "diagnostics", "render"]),
        ("changes/", &["disk", "cli", "lsp", "map", "rules", "document", "source", "diagnostics"]),
        ("runbook/", &["disk", "cli", "lsp", "map", "rules", "document", "source", "diagnostics", "render"]),
        ("render/", &["disk", "cli", "lsp", "map", "rules", "document", "source"]),
        ("topology/", &["disk", "cli", "lsp", "map", "rules", "document", "render"]),
        ("rules/", &["disk", "cli", "lsp", "render"]),
        ("compare/", &["disk", "cli", "lsp", "map", "render", "document"]),
        ("observed/", &["disk", "cli", "lsp", "map", "render", "plan", "compare"]),
        ("diagnostics/", &outside),
        ("map/", &["disk", "cli", "lsp", "render", "policy"]),
        ("document.rs", &["disk", "cli", "render", "policy", "plan", "map"]),
        ("source.rs", &["disk", "cli", "render", "policy", "plan", "map", "rules", "diagnostics", "document"]),
        ("disk", &["cli", "map", "rules", "document", "policy", "lsp"]),
        ("lsp/", &["disk", "cli", "render"]),
    ];
    let ours = [
        "analysis",
        "artifacts",
        "aws",
        "changes",
        "cli",
        "compare",
        "diagnostics",
        "disk",
        "document",
        "inspection",
        "lsp",
        "map",
        "observed",
        "plan",
        "policy",
        "render",
        "rules",
        "runbook",
        "source",
        "topology",
    ];
    let mut wrong = Vec::new();
    for (path, code) in all() {
        let used = uses(&code);
        if path.starts_with("aws/") {
            wrong.extend(
                used.iter().filter(|module| ours.contains(&module.as_str())).map(|module| format!("{path} uses {module}")),
            );
        }
        for (_, forbidden) in rules.iter().filter(|(place, _)| path.starts_with(place)) {
            wrong.extend(
                used.iter().filter(|module| forbidden.contains(&module.as_str())).map(|module| format!("{path} uses {module}")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_owns_and_only_one_names_the_yaml_parser() {
    let mut wrong = Vec::new();
    for (path, code) in all() {
        if !code.starts_with("//!") {
            wrong.push(format!("{path} has no header"));
        }
        if code.contains("granit_parser") && path != "document.rs" {
            wrong.push(format!("{path} names the YAML parser"));
        }
        let prints = ["io::stdout", "io::stderr"].iter().any(|stream| code.contains(stream));
        if prints && path != "cli/io.rs" {
            wrong.push(format!("{path} prints"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_test_of_arrows_sees_grouped_imports() {
    assert_eq!(uses("use crate::{aws::{Partition, arn}, plan::Plan};\ncrate::rules::all()"), ["aws", "plan", "rules"]);
}
