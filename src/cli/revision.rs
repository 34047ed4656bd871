//! Two maps to compare: files, standard input, or files in git revisions.
//!
//! A path that exists is a file, whatever colons it has. git is asked by a subprocess that gets nothing but an object's
//! name, which can't be taken for an option, and only its output is read.

use super::{Stop, args::PairArgs, io::Io, read};
use crate::{
    analysis::{Analysis, analyze},
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
            (from_git(folder, since, &format!("./{name}"), &format!("{since}:{new}"))?, one(&new, io)?)
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

fn one(name: &str, io: &Io) -> Result<SourceFile, Stop> {
    if name == "-" {
        let bytes = io.input().context("can't read standard input").map_err(Stop::usage)?;
        return Ok(SourceFile::of_bytes(name.to_owned(), bytes));
    }
    match revision(name).filter(|_| !Path::new(name).exists()) {
        Some((rev, path)) => from_git(Path::new("."), rev, path, name),
        None => Ok(Places::here().file(Path::new(name), read::read(Path::new(name))?)),
    }
}

/// `REV:PATH`, unless it looks like a path with a drive.
fn revision(name: &str) -> Option<(&str, &str)> {
    let (rev, path) = name.split_once(':')?;
    let drive = rev.len() == 1 && rev.chars().all(|c| c.is_ascii_alphabetic()) && path.starts_with(['/', '\\']);
    (!drive && !path.is_empty()).then_some((rev, path))
}

fn from_git(folder: &Path, rev: &str, path: &str, shown: &str) -> Result<SourceFile, Stop> {
    if rev.is_empty() || rev.starts_with('-') || rev.contains(char::is_control) {
        return Err(Stop::usage(anyhow!("`{}` is no git revision", rev.escape_debug())));
    }
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "cat-file", "blob"])
        .arg(format!("{rev}:{path}"))
        .stdin(Stdio::null())
        .output()
        .context("can't start git, which is needed to read a revision")
        .map_err(Stop::usage)?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.lines().next().unwrap_or("it says nothing").trim_start_matches("fatal: ").to_owned();
        return Err(Stop::usage(anyhow!("can't read {shown} from git: {}", said.escape_debug())));
    }
    Ok(SourceFile::of_bytes(shown.to_owned(), done.stdout))
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
