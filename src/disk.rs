//! The disk: the only writer. Puts artifacts into the output folder so that a reader sees the old file or the new one.
//!
//! The protocol, which `tests/harness/writer.py` kills before each of its system calls:
//! 1. the folder is locked (`folder_lock`), so that one run writes at a time;
//! 2. the lock is read, and what a killed run staged is cleared away. If the lock has a journal, a run was interrupted between 4 and 6: which content each file has, the old or
//!    the journal's, is looked up on the disk, and both are ours;
//! 3. each artifact is compared with the disk, and staged beside it if it differs. What is not ours stands in the way of all;
//! 4. the lock gets a journal of what is to be. Until here the tree is wholly the old one;
//! 5. what is staged is renamed to its place, file by file, but a folder that is new as a whole at once; then files that are no
//!    longer wanted are removed;
//! 6. the lock is replaced by the new one. From here the tree is wholly the new one.
//!
//! Unchanged files are not touched; only files the lock lists are ever removed; links below the folder are never followed. Files
//! are not synced one by one: after a power cut an incomplete one looks like an edited one, and `--force` mends it.

pub(crate) mod check;
mod folder_lock;
mod folders;
pub(crate) mod lock;
pub(crate) mod replace;

use crate::{artifacts::Artifact, digest::sha256_hex};
use anyhow::{Context, Result, bail};
use folder_lock::FolderLock;
use folders::{Folders, Place, refuse_link};
use lock::{Lock, line_feeds};
use similar::TextDiff;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
};

const STAGE_PREFIX: &str = ".logmap-stage-";

/// What stands in the way of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// A file that logmap did not write.
    Foreign,
    /// No longer wanted, but edited since logmap wrote it.
    EditedAndGone,
    /// A file that was edited since logmap wrote it, with the edit as a unified diff.
    Edited(String),
}

/// An artifact with its hash, which whoever renders it takes: the disk has enough to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// The artifact.
    pub artifact: Artifact,
    hash: String,
}

impl From<Artifact> for File {
    fn from(artifact: Artifact) -> Self {
        File { hash: sha256_hex(artifact.text.as_bytes()), artifact }
    }
}

/// What a write did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Files that are new or changed.
    pub written: usize,
    /// Files that were right already.
    pub unchanged: usize,
    /// Files that were removed.
    pub removed: usize,
}

/// A tree that is being written.
pub(crate) struct Writer<'a> {
    out: &'a Path,
    /// Declared before the lock: the stage is gone when the next run may begin.
    stage: tempfile::TempDir,
    _folder_lock: FolderLock,
    old: Lock,
    interrupted: bool,
    force: bool,
    folders: Folders,
    files: BTreeMap<String, String>,
    /// Paths in lower case → as they are.
    folded: BTreeMap<String, String>,
    /// What is staged to be renamed: files, and folders that are new with all below them.
    moves: BTreeSet<String>,
    /// By path.
    conflicts: BTreeMap<String, Conflict>,
    /// Files staged.
    changed: usize,
    unchanged: usize,
}

impl<'a> Writer<'a> {
    /// Starts a write into `out`, which is made if need be. While another logmap writes there this one waits, after a call of
    /// `waiting`.
    ///
    /// # Errors
    /// The folder can't be made or read, or its lock is not one, or a newer logmap's.
    pub(crate) fn new(out: &'a Path, force: bool, waiting: impl FnOnce()) -> Result<Self> {
        fs::create_dir_all(out).with_context(|| format!("can't make the folder {}", out.display()))?;
        let folder_lock = FolderLock::take(out, waiting)?;
        // before anything is cleared away: of a newer logmap's folder nothing is touched
        let on_disk = Lock::read(out)?;
        clear_leftovers(out);
        let interrupted = on_disk.interrupted();
        clear_folders(out, &on_disk);
        let old = on_disk.settled(out);
        let stage = tempfile::Builder::new()
            .prefix(STAGE_PREFIX)
            .tempdir_in(out)
            .with_context(|| format!("can't write to {}", out.display()))?;
        Ok(Writer {
            out,
            stage,
            _folder_lock: folder_lock,
            old,
            interrupted,
            force,
            folders: Folders::new(out),
            files: BTreeMap::new(),
            folded: BTreeMap::new(),
            moves: BTreeSet::new(),
            conflicts: BTreeMap::new(),
            changed: 0,
            unchanged: 0,
        })
    }

    /// Was the run before interrupted while it put files in place?
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// The lock as it was before.
    pub(crate) fn old_lock(&self) -> &Lock {
        &self.old
    }

    /// Takes one artifact: compares it with the disk and stages it if it differs.
    ///
    /// # Errors
    /// The disk can't be read or written; two artifacts have one path.
    pub(crate) fn add(&mut self, File { artifact, hash }: &File) -> Result<()> {
        if self.files.insert(artifact.path.clone(), hash.clone()).is_some() {
            bail!("two files of the output have the path {}", artifact.path);
        }
        if let Some(other) = self.folded.insert(artifact.path.to_lowercase(), artifact.path.clone()) {
            bail!(
                "two files of the output differ in upper and lower case only, and are one file where a file system does not tell \
                 these apart: {other} and {}",
                artifact.path
            );
        }
        let moved = match self.folders.above(&artifact.path)? {
            Place::Folder if !self.is_to_change(artifact, hash)? => return Ok(()),
            Place::Folder => artifact.path.clone(),
            Place::Free(folder) => folder,
            Place::Taken(in_the_way) => {
                self.conflicts.insert(in_the_way, Conflict::Foreign);
                return Ok(());
            }
        };
        let staged = self.stage.path().join(&artifact.path);
        in_folder(&staged, || write(&staged, artifact)).with_context(|| format!("can't write {}", staged.display()))?;
        self.moves.insert(moved);
        self.changed += 1;
        Ok(())
    }

    /// Is a file in a folder that is there missing, or ours and of other content? What is not ours is a conflict.
    fn is_to_change(&mut self, artifact: &Artifact, hash: &str) -> Result<bool> {
        let target = self.out.join(&artifact.path);
        let can_not_read = || format!("can't read {}", target.display());
        let meta = match fs::symlink_metadata(&target) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error).with_context(can_not_read),
        };
        refuse_link(&target, &meta)?;
        if !meta.is_file() {
            self.conflicts.insert(artifact.path.clone(), Conflict::Foreign);
            return Ok(false);
        }
        let text = fs::read(&target).with_context(can_not_read)?;
        if text == artifact.text.as_bytes() && (!artifact.executable || is_executable(&meta)) {
            self.unchanged += 1;
            return Ok(false);
        }
        let ours = sha256_hex(&text);
        let listed = self.old.lists(&artifact.path);
        let is_but_for_line_ends = listed && line_feeds(&text).is_some_and(|text| text == artifact.text.as_bytes());
        if ours == hash || self.old.wrote(&artifact.path, &text) || (self.force && listed) || is_but_for_line_ends {
            return Ok(true);
        }
        let conflict = if listed {
            // what logmap would write stands for what it wrote: the lock keeps hashes only
            let diff = unified(&artifact.path, "generated", "on disk", &artifact.text, &String::from_utf8_lossy(&text));
            Conflict::Edited(diff)
        } else {
            Conflict::Foreign
        };
        self.conflicts.insert(artifact.path.clone(), conflict);
        Ok(false)
    }

    /// Takes note of edited files among those that would be removed.
    pub(crate) fn keep_edited(&mut self, prune: impl Fn(&str) -> bool) {
        if self.force {
            return;
        }
        for path in self.old.gone(&self.files, prune) {
            if self.folders.lead_to(&path)
                && self.out.join(&path).is_file()
                && let Ok(text) = fs::read(self.out.join(&path))
                && !self.old.wrote(&path, &text)
            {
                self.conflicts.insert(path, Conflict::EditedAndGone);
            }
        }
    }

    /// What stands in the way, by path below the folder of the output.
    pub(crate) fn conflicts(&self) -> &BTreeMap<String, Conflict> {
        &self.conflicts
    }

    /// Puts everything in place and removes files of the old lock that `prune` says are no longer wanted.
    ///
    /// # Errors
    /// The disk fails. The lock then still has its journal, and the next run finishes.
    pub(crate) fn finish(mut self, mut lock: Lock, prune: impl Fn(&str) -> bool) -> Result<Written> {
        let gone = self.old.gone(&self.files, prune);
        lock.files = self.old.files_after(&self.files, &gone);
        let done = Written { written: self.changed, unchanged: self.unchanged, removed: gone.len() };
        if self.moves.is_empty() && gone.is_empty() && lock == self.old && !self.interrupted {
            return Ok(done);
        }
        if !(self.moves.is_empty() && gone.is_empty()) {
            // both the old and the new hashes are ours until the work is done
            self.old.with_journal(&self.files).write(self.out)?;
        }
        for path in &self.moves {
            let target = self.out.join(path);
            fs::rename(self.stage.path().join(path), &target).with_context(|| format!("can't write {}", target.display()))?;
        }
        for path in &gone {
            self.remove(path)?;
        }
        lock.write(self.out)?;
        Ok(done)
    }

    /// Removes a file that logmap wrote, and folders that are empty then. An edited one is left where it is.
    fn remove(&mut self, path: &str) -> Result<()> {
        if !self.folders.lead_to(path) {
            return Ok(());
        }
        let target = self.out.join(path);
        if target.is_file()
            && let Ok(text) = fs::read(&target)
        {
            if !self.force && !self.old.wrote(path, &text) {
                return Ok(());
            }
            fs::remove_file(&target).with_context(|| format!("can't remove {}", target.display()))?;
        }
        remove_empty_folders(self.out, path);
        Ok(())
    }
}

/// A unified diff; empty if the texts are equal.
pub(crate) fn unified(path: &str, old_name: &str, new_name: &str, old: &str, new: &str) -> String {
    let (old_name, new_name) = (format!("{path} ({old_name})"), format!("{path} ({new_name})"));
    TextDiff::from_lines(old, new).unified_diff().header(&old_name, &new_name).to_string()
}

/// What killed runs left beside the files: staged copies, and locks that were not put in place.
fn clear_leftovers(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // if one can't be removed it does no harm
        if name.starts_with(STAGE_PREFIX) {
            let _ = fs::remove_dir_all(entry.path());
        } else if name.starts_with(lock::TEMPORARY_PREFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Folders that an interrupted run made for files which it did not come to put there, or which it emptied.
fn clear_folders(out: &Path, lock: &Lock) {
    let mut folders = Folders::new(out);
    for path in lock.journal.iter().flat_map(BTreeMap::keys) {
        if folders.lead_to(path) && !out.join(path).exists() {
            remove_empty_folders(out, path);
        }
    }
}

/// Removes the folders on the way to a path that have nothing in them.
fn remove_empty_folders(out: &Path, path: &str) {
    let target = out.join(path);
    let mut folder = target.parent();
    while let Some(parent) = folder.filter(|parent| *parent != out) {
        match fs::remove_dir(parent) {
            Err(error) if error.kind() != ErrorKind::NotFound => break, // something else is in it
            _ => folder = parent.parent(),
        }
    }
}

/// Does something with a file whose folder is made if it is not there: asked for each file, the folder mostly is.
fn in_folder(path: &Path, act: impl Fn() -> std::io::Result<()>) -> std::io::Result<()> {
    match (act(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            act()
        }
        (done, _) => done,
    }
}

fn write(path: &Path, artifact: &Artifact) -> std::io::Result<()> {
    fs::write(path, &artifact.text)?;
    if artifact.executable { make_executable(path) } else { Ok(()) }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_in_case_only_are_refused() {
        let out = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(out.path(), false, || ()).unwrap();
        writer.add(&Artifact::file("policies/Acme.json".to_owned(), String::new()).into()).unwrap();
        let refused = writer.add(&Artifact::file("policies/acme.json".to_owned(), String::new()).into()).unwrap_err();
        assert!(refused.to_string().contains("policies/Acme.json and policies/acme.json"), "{refused}");
    }
}
