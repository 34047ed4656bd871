//! Two maps to compare: files, standard input, or files in git revisions.
//!
//! A path that exists is a file, whatever colons it has. git is asked by a subprocess that gets nothing but an object's
//! name, which can't be taken for an option, and only its output is read.

use super::{Stop, args::PairArgs, io::Io, read};
use crate::{
    analysis::{Analysis, analyze},
    included::{self, Folder, Sources},
    places::Places,
    source::SourceFile,
};
use anyhow::{Context, anyhow};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Reads and analyses both maps, the old one first.
///
/// # Errors
/// One is missing or can't be read: exit code 2.
pub(super) fn read_pair(args: &PairArgs, io: &Io) -> Result<(Analysis, Analysis), Stop> {
    let (old, new) = match (&args.since, &args.old, &args.new) {
        (Some(_), Some(_), Some(_)) => {
            return Err(Stop::usage(anyhow!("`--since` names the old map; give only the new one beside it")));
        }
        (Some(since), new, _) => {
            let new = match new {
                Some(new) => new.clone(),
                None => read::find_above(io).map_err(Stop::usage)?.to_string_lossy().into_owned(),
            };
            if new == "-" || !Path::new(&new).is_file() {
                return Err(Stop::usage(anyhow!(
                    "`--since` compares a file with itself in a revision, and {new} is no file; name the old map as REV:PATH"
                )));
            }
            let path = Path::new(&new);
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let old = Revision {
                repository: folder,
                rev: since,
                folder: "./".to_owned(),
                shown: format!("{since}:{}", shown_folder(path)),
                address: Places::here().address(path).map(|own| own.strip_suffix(&*name).unwrap_or(&own).to_owned()),
            };
            (old.map(&name)?, one(&new, io)?)
        }
        (None, Some(old), Some(new)) => {
            if old == "-" && new == "-" {
                return Err(Stop::usage(anyhow!("only one of the two maps can be standard input")));
            }
            (one(old, io)?, one(new, io)?)
        }
        // clap asks for both
        _ => return Err(Stop::usage(anyhow!("two maps are needed, or one and `--since`"))),
    };
    Ok((analyze(old), analyze(new)))
}

fn one(name: &str, io: &Io) -> Result<Sources, Stop> {
    if name == "-" {
        let bytes = io.input().context("can't read standard input").map_err(Stop::usage)?;
        return Ok(read::sources(Path::new(name), bytes));
    }
    match revision(name).filter(|_| !Path::new(name).exists()) {
        Some((rev, path)) => {
            let (folder, own) = path.rsplit_once('/').map_or(("", path), |(folder, own)| (&path[..=folder.len()], own));
            let shown = format!("{rev}:{folder}");
            let address = (!folder.starts_with('.')).then(|| folder.to_owned());
            Revision { repository: Path::new("."), rev, folder: folder.to_owned(), shown, address }.map(own)
        }
        None => Ok(read::sources(Path::new(name), read::read(Path::new(name))?)),
    }
}

/// A map's folder as people write it, with a slash behind it.
fn shown_folder(map: &Path) -> String {
    let folder = map.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(String::new, |folder| format!("{}/", folder.display()))
}

/// `REV:PATH`, unless it looks like a path with a drive.
fn revision(name: &str) -> Option<(&str, &str)> {
    let (rev, path) = name.split_once(':')?;
    let drive = rev.len() == 1 && rev.chars().all(|c| c.is_ascii_alphabetic()) && path.starts_with(['/', '\\']);
    (!drive && !path.is_empty()).then_some((rev, path))
}

/// The folder of a map in a revision.
struct Revision<'a> {
    /// Where git is asked.
    repository: &'a Path,
    rev: &'a str,
    /// The folder in the revision, as git takes it, with a slash behind it; empty for its root.
    folder: String,
    /// The revision and the folder, as people write them before a file's name.
    shown: String,
    /// The folder in the repository, with a slash behind it, as far as it is known: a baseline knows files by it.
    address: Option<String>,
}

impl Revision<'_> {
    /// The map of that name, with the files that it includes.
    fn map(&self, own: &str) -> Result<Sources, Stop> {
        if self.rev.is_empty() || self.rev.starts_with('-') || self.rev.contains(char::is_control) {
            return Err(Stop::usage(anyhow!("`{}` is no git revision", self.rev.escape_debug())));
        }
        let map = self.read(own).map_err(|error| {
            let asked = error.downcast_ref::<NoGit>().is_none();
            let shown = format!("can't read {}{own} from git", self.shown);
            Stop::usage(if asked { anyhow!("{shown}: {error}") } else { error })
        })?;
        Ok(included::gather(map, own, self))
    }

    fn read(&self, path: &str) -> anyhow::Result<SourceFile> {
        let object = format!("{}:{}{path}", self.rev, self.folder);
        let bytes = git(self.repository, &["cat-file", "blob", &object])?;
        let mut file = SourceFile::of_bytes(format!("{}{path}", self.shown), bytes);
        file.address = self.address.as_ref().map(|folder| format!("{folder}{path}"));
        Ok(file)
    }
}

impl Folder for Revision<'_> {
    fn files(&self, below: &str, most: usize) -> std::io::Result<Vec<String>> {
        let tree = format!("{}:{}{below}", self.rev, self.folder);
        let listed = git(self.repository, &["ls-tree", "-r", "-z", "--name-only", &tree]).map_err(std::io::Error::other)?;
        let names = listed.split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
        let shown = names.filter(|name| !name.is_empty() && !name.split('/').any(|part| part.starts_with('.')));
        let below = if below.is_empty() { String::new() } else { format!("{below}/") };
        Ok(shown.map(|name| format!("{below}{name}")).take(most).collect())
    }

    fn read(&self, path: &str) -> std::io::Result<SourceFile> {
        self.read(path).map_err(std::io::Error::other)
    }
}

/// git can't be started.
#[derive(Debug)]
struct NoGit;

impl std::fmt::Display for NoGit {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("can't start git, which is needed to read a revision")
    }
}

/// What git prints.
///
/// # Errors
/// It can't be started, or refuses; the message is its own.
fn git(repository: &Path, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let done = Command::new("git").arg("-C").arg(repository).arg("--no-pager").args(arguments).stdin(Stdio::null()).output();
    let done = done.context(NoGit)?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.lines().next().unwrap_or("it says nothing").trim_start_matches("fatal: ").to_owned();
        return Err(anyhow!("{}", said.escape_debug()));
    }
    Ok(done.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_is_no_revision() {
        assert_eq!(revision("HEAD~1:maps/logmap.yaml"), Some(("HEAD~1", "maps/logmap.yaml")));
        assert_eq!(revision(":/fix:logmap.yaml"), Some(("", "/fix:logmap.yaml")));
        for path in [r"C:\maps\logmap.yaml", "C:/maps/logmap.yaml", "logmap.yaml", "HEAD:"] {
            assert_eq!(revision(path), None, "{path}");
        }
    }
}
