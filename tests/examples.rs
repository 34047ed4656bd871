//! The examples: good ones are clean, committed trees are what `generate` gives, the broken one earns what its README says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::logmap;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn examples() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

#[test]
fn each_example_has_a_map_and_a_short_readme() {
    let all = examples();
    assert!(all.len() >= 4);
    for example in &all {
        assert!(example.join("logmap.yaml").is_file(), "{}", example.display());
        let readme = fs::read_to_string(example.join("README.md")).unwrap_or_default();
        assert!((1..=30).contains(&readme.lines().count()), "{} needs a short README", example.display());
    }
}

#[test]
fn good_examples_have_no_error_and_no_warning() {
    for example in examples() {
        let run = logmap(&example, &["validate", "--fail-on", "warning", "-q"]);
        assert_eq!(run.code == 0, !example.ends_with("broken"), "{}: {}", example.display(), run.stdout);
    }
}

#[test]
fn committed_trees_are_up_to_date() {
    let mut trees = 0;
    for example in examples().into_iter().filter(|example| example.join("out").is_dir()) {
        let run = logmap(&example, &["generate", "--check"]);
        assert_eq!(run.code, 0, "{}: {}{}", example.display(), run.stdout, run.stderr);
        trees += 1;
    }
    assert!(trees >= 1, "the small example carries its tree");
}
