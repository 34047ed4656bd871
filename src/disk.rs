//! The disk: the only writer. Puts artifacts into the output folder so that a reader sees the old file or the new one.
//!
//! Staged beside the target, checked for files that are not ours, journalled in the lock, renamed one by one, finalised.
//! An interrupted run leaves a journal; the next run knows from it which files are ours and finishes the work. Unchanged
//! files are not touched; only files the lock lists are ever removed.

pub mod lock;
pub mod replace;

use crate::{artifacts::Artifact, render::sha256_hex};
use anyhow::{Context, Result, bail};
use lock::{LOCK_NAME, Lock};
use similar::TextDiff;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const STAGE_PREFIX: &str = ".logmap-stage-";

/// What stands in the way of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A file that logmap did not write.
    Foreign(String),
    /// No longer wanted, but edited since logmap wrote it.
    EditedAndGone(String),
    /// A file that was edited since logmap wrote it, with the edit as a unified diff.
    Edited(String, String),
}

/// What a write did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or changed.
    pub written: usize,
    /// Files that were right already.
    pub unchanged: usize,
    /// Files that were removed.
    pub removed: usize,
}

/// A tree that is being written.
pub struct Writer<'a> {
    out: &'a Path,
    stage: tempfile::TempDir,
    old: Lock,
    force: bool,
    files: BTreeMap<String, String>,
    changed: Vec<String>,
    conflicts: Vec<Conflict>,
    unchanged: usize,
}

impl<'a> Writer<'a> {
    /// Starts a write into `out`, which is made if need be.
    ///
    /// # Errors
    /// The folder can't be made or read, or its lock is not one.
    pub fn new(out: &'a Path, force: bool) -> Result<Self> {
        fs::create_dir_all(out).with_context(|| format!("can't make the folder {}", out.display()))?;
        clean_stages(out);
        let old = Lock::read(out)?;
        let stage = tempfile::Builder::new()
            .prefix(STAGE_PREFIX)
            .tempdir_in(out)
            .with_context(|| format!("can't write to {}", out.display()))?;
        Ok(Writer { out, stage, old, force, files: BTreeMap::new(), changed: Vec::new(), conflicts: Vec::new(), unchanged: 0 })
    }

    /// The lock as it was before.
    pub fn old_lock(&self) -> &Lock {
        &self.old
    }

    /// Takes one artifact: compares it with the disk and stages it if it differs.
    ///
    /// # Errors
    /// The disk can't be read or written; two artifacts have one path.
    pub fn add(&mut self, artifact: &Artifact) -> Result<()> {
        let hash = sha256_hex(artifact.text.as_bytes());
        if self.files.insert(artifact.path.clone(), hash.clone()).is_some() {
            bail!("two files of the output have the path {}", artifact.path);
        }
        let target = self.out.join(&artifact.path);
        refuse_links(self.out, &artifact.path)?;
        match fs::symlink_metadata(&target) {
            Ok(meta) if !meta.is_file() => {
                self.conflicts.push(Conflict::Foreign(artifact.path.clone()));
                return Ok(());
            }
            Ok(meta) => {
                let text = fs::read(&target).with_context(|| format!("can't read {}", target.display()))?;
                if text == artifact.text.as_bytes() && (!artifact.executable || is_executable(&meta)) {
                    self.unchanged += 1;
                    return Ok(());
                }
                let ours = sha256_hex(&text);
                let listed = self.old.lists(&artifact.path);
                if ours != hash && !self.old.knows(&artifact.path, &ours) && !(self.force && listed) {
                    self.conflicts.push(if listed {
                        // what logmap would write stands for what it wrote: the lock keeps hashes only
                        let diff =
                            unified(&artifact.path, "generated", "on disk", &artifact.text, &String::from_utf8_lossy(&text));
                        Conflict::Edited(artifact.path.clone(), diff)
                    } else {
                        Conflict::Foreign(artifact.path.clone())
                    });
                    return Ok(());
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("can't read {}", target.display())),
        }
        let staged = self.stage.path().join(&artifact.path);
        if let Some(parent) = staged.parent() {
            fs::create_dir_all(parent).with_context(|| format!("can't make the folder {}", parent.display()))?;
        }
        write_synced(&staged, artifact)?;
        self.changed.push(artifact.path.clone());
        Ok(())
    }

    /// Files of the old lock that this run does not give and `prune` says are no longer wanted.
    fn gone(&self, prune: impl Fn(&str) -> bool) -> Vec<String> {
        self.old.files.keys().filter(|path| !self.files.contains_key(*path) && prune(path)).cloned().collect()
    }

    /// Takes note of edited files among those that would be removed.
    pub fn keep_edited(&mut self, prune: impl Fn(&str) -> bool) {
        if self.force {
            return;
        }
        for path in self.gone(prune) {
            let target = self.out.join(&path);
            let Ok(text) = fs::read(&target) else { continue };
            if refuse_links(self.out, &path).is_ok() && !self.old.knows(&path, &sha256_hex(&text)) {
                self.conflicts.push(Conflict::EditedAndGone(path));
            }
        }
    }

    /// What stands in the way.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// Puts everything in place and removes files of the old lock that `prune` says are no longer wanted.
    ///
    /// # Errors
    /// The disk fails. The lock then still has its journal, and the next run finishes.
    pub fn finish(self, mut lock: Lock, prune: impl Fn(&str) -> bool) -> Result<Written> {
        let gone = self.gone(prune);
        let kept = self.old.files.iter().filter(|(path, _)| !self.files.contains_key(*path) && !gone.contains(path));
        lock.files = kept.map(|(path, hash)| (path.clone(), hash.clone())).chain(self.files.clone()).collect();
        let done = Written { written: self.changed.len(), unchanged: self.unchanged, removed: gone.len() };
        let same_lock = lock == self.old;
        if self.changed.is_empty() && gone.is_empty() && same_lock {
            return Ok(done);
        }
        if !(self.changed.is_empty() && gone.is_empty()) {
            // both the old and the new hashes are ours until the work is done
            self.old.with_journal(&self.files).write(self.out)?;
        }
        for path in &self.changed {
            let target = self.out.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).with_context(|| format!("can't make the folder {}", parent.display()))?;
            }
            fs::rename(self.stage.path().join(path), &target).with_context(|| format!("can't write {}", target.display()))?;
        }
        for path in &gone {
            self.remove(path)?;
        }
        lock.write(self.out)?;
        Ok(done)
    }

    /// Removes a file that logmap wrote, and folders that are empty then. An edited one is left where it is.
    fn remove(&self, path: &str) -> Result<()> {
        if refuse_links(self.out, path).is_err() {
            return Ok(());
        }
        let target = self.out.join(path);
        let Ok(text) = fs::read(&target) else { return Ok(()) };
        if !self.force && !self.old.knows(path, &sha256_hex(&text)) {
            return Ok(());
        }
        fs::remove_file(&target).with_context(|| format!("can't remove {}", target.display()))?;
        let mut folder = target.parent();
        while let Some(parent) = folder.filter(|parent| *parent != self.out) {
            if fs::remove_dir(parent).is_err() {
                break; // something else is in it
            }
            folder = parent.parent();
        }
        Ok(())
    }
}

/// How a tree on disk differs from what would be generated.
pub struct Checker<'a> {
    out: &'a Path,
    old: Lock,
    files: BTreeMap<String, String>,
    /// Unified diffs, one for each file that differs.
    pub diffs: Vec<String>,
    /// Files that are missing, differ, or should not be there.
    pub stale: Vec<String>,
    /// Is one of them edited since logmap wrote it?
    pub edited: bool,
    /// Those of them that logmap did not write.
    pub foreign: Vec<String>,
}

impl<'a> Checker<'a> {
    /// Starts a comparison with `out`.
    ///
    /// # Errors
    /// The lock there can't be read.
    pub fn new(out: &'a Path) -> Result<Self> {
        Ok(Checker {
            old: Lock::read(out)?,
            out,
            files: BTreeMap::new(),
            diffs: Vec::new(),
            stale: Vec::new(),
            edited: false,
            foreign: Vec::new(),
        })
    }

    /// The lock as it is.
    pub fn old_lock(&self) -> &Lock {
        &self.old
    }

    /// Compares one artifact.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub fn add(&mut self, artifact: &Artifact) -> Result<()> {
        self.files.insert(artifact.path.clone(), sha256_hex(artifact.text.as_bytes()));
        let target = self.out.join(&artifact.path);
        let (on_disk, mode_is_right) = match fs::symlink_metadata(&target) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), true),
            Ok(meta) if meta.is_dir() => {
                self.in_the_way(&artifact.path, None, b"");
                (String::new(), false)
            }
            meta => {
                let meta = meta.with_context(|| format!("can't read {}", target.display()))?;
                let bytes = fs::read(&target).with_context(|| format!("can't read {}", target.display()))?;
                self.in_the_way(&artifact.path, Some(&bytes), artifact.text.as_bytes());
                (String::from_utf8_lossy(&bytes).into_owned(), !artifact.executable || is_executable(&meta))
            }
        };
        if on_disk != artifact.text || !mode_is_right || !target.exists() {
            let diff = unified(&artifact.path, "on disk", "generated", &on_disk, &artifact.text);
            self.diffs.push(if diff.is_empty() { format!("{}: not executable, or not a file\n", artifact.path) } else { diff });
            self.stale.push(artifact.path.clone());
        }
        Ok(())
    }

    /// Takes note of a file that `generate` would not replace by itself.
    fn in_the_way(&mut self, path: &str, on_disk: Option<&[u8]>, wanted: &[u8]) {
        match on_disk {
            Some(bytes) if bytes == wanted || self.old.knows(path, &sha256_hex(bytes)) => {}
            Some(_) if self.old.lists(path) => self.edited = true,
            _ => self.foreign.push(path.to_owned()),
        }
    }

    /// Adds files of the lock that are no longer wanted, and the lock itself if it would change.
    pub fn finish(&mut self, mut lock: Lock, prune: impl Fn(&str) -> bool) {
        let gone: Vec<String> =
            self.old.files.keys().filter(|path| !self.files.contains_key(*path) && prune(path)).cloned().collect();
        for path in gone {
            let bytes = fs::read(self.out.join(&path)).ok();
            if let Some(bytes) = &bytes {
                self.edited |= !self.old.knows(&path, &sha256_hex(bytes));
            }
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            self.diffs.push(unified(&path, "on disk", "generated", &text, ""));
            self.stale.push(path);
        }
        let kept = self.old.files.iter().filter(|(path, _)| !self.files.contains_key(*path) && !prune(path));
        lock.files = kept.map(|(path, hash)| (path.clone(), hash.clone())).chain(self.files.clone()).collect();
        if lock != self.old {
            self.diffs.push(unified(LOCK_NAME, "on disk", "generated", &self.old.text(), &lock.text()));
            self.stale.push(LOCK_NAME.to_owned());
        }
    }
}

/// A unified diff; empty if the texts are equal.
pub fn unified(path: &str, old_name: &str, new_name: &str, old: &str, new: &str) -> String {
    let (old_name, new_name) = (format!("{path} ({old_name})"), format!("{path} ({new_name})"));
    TextDiff::from_lines(old, new).unified_diff().header(&old_name, &new_name).to_string()
}

/// Refuses a path with a symbolic link below the output folder: it could lead out of it.
fn refuse_links(out: &Path, path: &str) -> Result<()> {
    let mut walked = PathBuf::from(out);
    for part in Path::new(path) {
        walked.push(part);
        if fs::symlink_metadata(&walked).is_ok_and(|meta| meta.file_type().is_symlink()) {
            bail!("{} is a symbolic link; logmap does not write through links", walked.display());
        }
    }
    Ok(())
}

/// Folders that interrupted runs left.
fn clean_stages(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGE_PREFIX) {
            // it holds only staged copies; if it can't be removed it does no harm
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn write_synced(path: &Path, artifact: &Artifact) -> Result<()> {
    fs::write(path, &artifact.text).with_context(|| format!("can't write {}", path.display()))?;
    if artifact.executable {
        make_executable(path).with_context(|| format!("can't make {} executable", path.display()))?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode();
    // executable for whoever may read
    fs::set_permissions(path, fs::Permissions::from_mode(mode | ((mode & 0o444) >> 2)))
}

#[cfg(unix)]
fn is_executable(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}
