//! The files that `check`, `import` and `graph --check` are given: named ones, and those met in folders.
//!
//! Takes paths, gives texts with the names the user knows them by. Knows nothing of what stands in them.

use crate::{
    files,
    observed::{Ignored, NotRead},
    places::Places,
    source::{Origin, SourceFile},
};
use anyhow::Context;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Endings of files that are read when they stand in a folder; any file is read that is named itself.
const ENDINGS: [&str; 8] = ["json", "yaml", "yml", "template", "tfplan", "tfstate", "policy", "csv"];
/// Folders of tools, which hold no inputs.
const PASSED_OVER: [&str; 3] = ["node_modules", "target", "__pycache__"];

/// Reads every input, folders in the order of their names; `-` is what `standard_input` gives, which people call `stdin_name`.
///
/// Gives the files, and those met in folders that can't be read.
///
/// # Errors
/// An input that was named itself can't be read; the message names it.
pub(crate) fn read(
    paths: &[PathBuf],
    stdin_name: &Path,
    standard_input: impl Fn() -> std::io::Result<Vec<u8>>,
) -> anyhow::Result<(Vec<SourceFile>, Vec<Ignored>)> {
    let places = &Places::here();
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            let bytes = standard_input().context("can't read standard input")?;
            read.push(places.file(stdin_name, bytes));
        } else if path.is_dir() {
            walk(path, places, &mut read, &mut unread);
        } else {
            let bytes = files::read_named(path).with_context(|| format!("can't read {}", path.display()))?;
            read.push(places.file(path, bytes));
        }
    }
    beside(places, &mut read);
    Ok((read, unread))
}

/// Adds the manifests that stand beside named templates of a CDK app: they say in which account and Region each is deployed.
fn beside(places: &Places, read: &mut Vec<SourceFile>) {
    let is_template = |file: &&SourceFile| file.origin != Origin::Met && file.name.ends_with(".template.json");
    let manifests: BTreeSet<PathBuf> = read
        .iter()
        .filter(is_template)
        .map(|file| Path::new(&file.name).parent().unwrap_or(Path::new("")).join("manifest.json"))
        .collect();
    let named: BTreeSet<PathBuf> = read.iter().map(|file| PathBuf::from(&file.name)).collect();
    for path in manifests.difference(&named) {
        if let Some(bytes) = path.is_file().then(|| files::read_plain(path).ok()).flatten() {
            let mut file = places.file(path, bytes);
            file.origin = Origin::Met;
            read.push(file);
        }
    }
}

/// Everything below a folder that could be an input. Links to folders are not followed: they may go in circles.
fn walk(folder: &Path, places: &Places, read: &mut Vec<SourceFile>, unread: &mut Vec<Ignored>) {
    let mut entries: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
        Err(error) => return unread.push(failed(places.name(folder), &error)),
    };
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let link = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
        if path.is_dir() {
            if !link && !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
                walk(&path, places, read, unread);
            }
        } else if ENDINGS.iter().any(|ending| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))) {
            match files::read_plain(&path) {
                Ok(bytes) => {
                    let mut file = places.file(&path, bytes);
                    file.origin = Origin::Met;
                    read.push(file);
                }
                Err(error) => unread.push(failed(places.name(&path), &error)),
            }
        }
    }
}

fn failed(file: String, error: &std::io::Error) -> Ignored {
    Ignored { file, reason: NotRead::because(format!("it can't be read: {error}")) }
}
