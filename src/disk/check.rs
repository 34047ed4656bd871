//! How a tree on disk differs from what would be generated: `--check`. Reads only.

use super::{
    File,
    folders::{Folders, Place},
    is_executable,
    lock::{LOCK_NAME, Lock, line_feeds},
    unified,
};
use crate::artifacts::Artifact;
use anyhow::{Context, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
};

/// How a file on disk differs from what would be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is not there.
    Missing,
    /// It is as logmap wrote it, and another one is wanted.
    Stale,
    /// It was edited since logmap wrote it.
    Edited,
    /// logmap did not write it.
    Foreign,
    /// It is as logmap wrote it, and none is wanted.
    Unwanted,
    /// It has the text that is wanted, with other line ends.
    LineEnds,
}

/// A file that differs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    /// Its path in the tree.
    pub path: String,
    /// In what way.
    pub fault: Fault,
    /// Its text on disk; empty if it is not there.
    pub on_disk: String,
    /// Unified diff to what is wanted; may be empty.
    pub diff: String,
}

/// How a tree on disk differs from what would be generated.
pub(crate) struct Checker<'a> {
    out: &'a Path,
    on_disk: Lock,
    old: Lock,
    folders: Folders,
    files: BTreeMap<String, String>,
    /// Files that are missing, differ, or should not be there; once all are known, in the order of their paths.
    pub differences: Vec<Difference>,
    /// What logmap did not write and stands at the path of a file, or of a folder above one.
    pub foreign: BTreeSet<String>,
}

impl<'a> Checker<'a> {
    /// Starts a comparison with `out`.
    ///
    /// # Errors
    /// The lock there can't be read.
    pub(crate) fn new(out: &'a Path) -> Result<Self> {
        let on_disk = Lock::read(out)?;
        Ok(Checker {
            old: on_disk.clone().settled(out),
            on_disk,
            out,
            folders: Folders::new(out),
            files: BTreeMap::new(),
            differences: Vec::new(),
            foreign: BTreeSet::new(),
        })
    }

    /// The lock as it was before.
    pub(crate) fn old_lock(&self) -> &Lock {
        &self.old
    }

    /// Is one of the files edited since logmap wrote it?
    pub(crate) fn edited(&self) -> bool {
        self.differences.iter().any(|difference| difference.fault == Fault::Edited)
    }

    /// Was a run interrupted while it put files in place, or is one doing so now?
    pub(crate) fn interrupted(&self) -> bool {
        self.on_disk.interrupted()
    }

    /// Compares one artifact.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub(crate) fn add(&mut self, File { artifact, hash }: &File) -> Result<()> {
        self.files.insert(artifact.path.clone(), hash.clone());
        let target = self.out.join(&artifact.path);
        let can_not_read = || format!("can't read {}", target.display());
        if let Err(link) = self.folders.above(&artifact.path) {
            self.in_the_way(&artifact.path, &link.to_string());
            return Ok(());
        }
        let (fault, on_disk) = match fs::symlink_metadata(&target) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                if let Place::Taken(in_the_way) = self.folders.above(&artifact.path)? {
                    self.foreign.insert(in_the_way);
                }
                (Fault::Missing, Vec::new())
            }
            // what a link leads to is not read, and a pipe has no end
            Ok(meta) if !meta.is_file() => {
                self.in_the_way(&artifact.path, if meta.is_symlink() { "a symbolic link" } else { "not a plain file" });
                return Ok(());
            }
            meta => {
                let meta = meta.with_context(can_not_read)?;
                let bytes = fs::read(&target).with_context(can_not_read)?;
                let same = bytes == artifact.text.as_bytes();
                if same && (!artifact.executable || is_executable(&meta)) {
                    return Ok(());
                }
                (if same { Fault::Stale } else { self.fault(artifact, &bytes) }, bytes)
            }
        };
        if fault == Fault::Foreign {
            self.foreign.insert(artifact.path.clone());
        }
        let on_disk = String::from_utf8_lossy(&on_disk).into_owned();
        // carriage returns would make every line differ
        let diff = match (fault, line_feeds(on_disk.as_bytes())) {
            (Fault::LineEnds, _) => format!("{}: differs in its line ends only\n", artifact.path),
            (Fault::Stale, Some(text)) => {
                unified(&artifact.path, "on disk", "generated", &String::from_utf8_lossy(&text), &artifact.text)
            }
            _ => unified(&artifact.path, "on disk", "generated", &on_disk, &artifact.text),
        };
        let diff = if diff.is_empty() { format!("{}: not executable, or not a file\n", artifact.path) } else { diff };
        self.differences.push(Difference { path: artifact.path.clone(), fault, on_disk, diff });
        Ok(())
    }

    /// Takes note of something that is no file of logmap's, in these words.
    fn in_the_way(&mut self, path: &str, what: &str) {
        self.foreign.insert(path.to_owned());
        let diff = format!("{path}: {what}\n");
        self.differences.push(Difference { path: path.to_owned(), fault: Fault::Foreign, on_disk: String::new(), diff });
    }

    /// What is wrong with a file that is there and differs: `generate` replaces by itself only what it wrote.
    fn fault(&self, Artifact { path, text, .. }: &Artifact, bytes: &[u8]) -> Fault {
        if self.old.lists(path) && line_feeds(bytes).is_some_and(|bytes| bytes == text.as_bytes()) {
            Fault::LineEnds
        } else if self.old.wrote(path, bytes) {
            Fault::Stale
        } else if self.old.lists(path) {
            Fault::Edited
        } else {
            Fault::Foreign
        }
    }

    /// Adds files of the lock that are no longer wanted, and the lock itself if it would change.
    pub(crate) fn finish(&mut self, mut lock: Lock, prune: impl Fn(&str) -> bool) {
        let gone = self.old.gone(&self.files, prune);
        lock.files = self.old.files_after(&self.files, &gone);
        for path in gone {
            let target = self.out.join(&path);
            let ours = self.folders.lead_to(&path) && target.is_file();
            let bytes = ours.then(|| fs::read(target).ok()).flatten();
            let unknown = bytes.as_ref().is_some_and(|bytes| !self.old.wrote(&path, bytes));
            let fault = if unknown { Fault::Edited } else { Fault::Unwanted };
            let on_disk = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            let diff = unified(&path, "on disk", "generated", &on_disk, "");
            self.differences.push(Difference { path, fault, on_disk, diff });
        }
        self.differences.sort();
        if lock != self.on_disk {
            let (on_disk, text) = (self.on_disk.text(), lock.text());
            let diff = unified(LOCK_NAME, "on disk", "generated", &on_disk, &text);
            let fault = if self.out.join(LOCK_NAME).exists() { Fault::Stale } else { Fault::Missing };
            self.differences.push(Difference { path: LOCK_NAME.to_owned(), fault, on_disk, diff });
        }
    }
}
