//! How a tree on disk differs from what would be generated: `--check`. Reads only.

use super::{
    File,
    folders::{Folders, Place},
    is_executable,
    lock::{LOCK_NAME, Lock},
    unified,
};
use crate::digest::sha256_hex;
use anyhow::{Context, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
};

/// How a tree on disk differs from what would be generated.
pub(crate) struct Checker<'a> {
    out: &'a Path,
    on_disk: Lock,
    old: Lock,
    folders: Folders,
    files: BTreeMap<String, String>,
    /// Files that are missing, differ, or should not be there, each with a unified diff; once all are known, in their order.
    pub differences: Vec<(String, String)>,
    /// Is one of them edited since logmap wrote it?
    pub edited: bool,
    /// Those of them that logmap did not write.
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
            edited: false,
            foreign: BTreeSet::new(),
        })
    }

    /// The lock as it was before.
    pub(crate) fn old_lock(&self) -> &Lock {
        &self.old
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
            self.foreign.insert(artifact.path.clone());
            self.differences.push((artifact.path.clone(), format!("{}: {link}\n", artifact.path)));
            return Ok(());
        }
        let on_disk = match fs::symlink_metadata(&target) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                if let Place::Taken(in_the_way) = self.folders.above(&artifact.path)? {
                    self.foreign.insert(in_the_way);
                }
                Vec::new()
            }
            // what a link leads to is not read, and a pipe has no end
            Ok(meta) if !meta.is_file() => {
                self.foreign.insert(artifact.path.clone());
                let what = if meta.is_symlink() { "a symbolic link" } else { "not a plain file" };
                self.differences.push((artifact.path.clone(), format!("{}: {what}\n", artifact.path)));
                return Ok(());
            }
            meta => {
                let meta = meta.with_context(can_not_read)?;
                let bytes = fs::read(&target).with_context(can_not_read)?;
                if bytes == artifact.text.as_bytes() && (!artifact.executable || is_executable(&meta)) {
                    return Ok(());
                }
                self.in_the_way(&artifact.path, Some(&bytes), artifact.text.as_bytes());
                bytes
            }
        };
        let diff = unified(&artifact.path, "on disk", "generated", &String::from_utf8_lossy(&on_disk), &artifact.text);
        let diff = if diff.is_empty() { format!("{}: not executable, or not a file\n", artifact.path) } else { diff };
        self.differences.push((artifact.path.clone(), diff));
        Ok(())
    }

    /// Takes note of a file that `generate` would not replace by itself.
    fn in_the_way(&mut self, path: &str, on_disk: Option<&[u8]>, wanted: &[u8]) {
        match on_disk {
            Some(bytes) if bytes == wanted || self.old.knows(path, &sha256_hex(bytes)) => {}
            Some(_) if self.old.lists(path) => self.edited = true,
            _ => _ = self.foreign.insert(path.to_owned()),
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
            if let Some(bytes) = &bytes {
                self.edited |= !self.old.knows(&path, &sha256_hex(bytes));
            }
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            let diff = unified(&path, "on disk", "generated", &text, "");
            self.differences.push((path, diff));
        }
        self.differences.sort();
        if lock != self.on_disk {
            let diff = unified(LOCK_NAME, "on disk", "generated", &self.on_disk.text(), &lock.text());
            self.differences.push((LOCK_NAME.to_owned(), diff));
        }
    }
}
