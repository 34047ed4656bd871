//! The lock: what logmap wrote into a folder, so that the next run knows its own files.

use super::{folders::Folders, replace::like_files};
use crate::{
    artifacts::GIT_ATTRIBUTES,
    digest::sha256_hex,
    formats,
    plan::{BucketRecord, LayoutRecord, StackSetRecord, TrailRecord},
};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
};

/// Version of the lock's format, of which `schemas/lock.schema.json` is the description.
pub const FORMAT_VERSION: &str = "1.0";

/// File name of the lock in the output folder.
pub(crate) const LOCK_NAME: &str = "logmap.lock.json";

/// Beginning of the name of a lock that is not in its place yet.
pub(super) const TEMPORARY_PREFIX: &str = ".logmap-lock-";

/// The lock's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// [`FORMAT_VERSION`]; empty in the lock of a folder that has none.
    pub format_version: String,
    /// Version of logmap that wrote the tree.
    pub logmap_version: String,
    /// The map.
    pub map: MapEntry,
    /// Account keys in the order in which to apply.
    pub apply_order: Vec<String>,
    /// Log buckets that the tree renders.
    pub log_buckets: Vec<BucketRecord>,
    /// Log buckets that the tree rendered once and the map no longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<BucketRecord>,
    /// Trails that the tree renders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trails: Vec<TrailRecord>,
    /// Trails that the tree rendered once and the map no longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired_trails: Vec<TrailRecord>,
    /// Accounts whose Terraform had another layout once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<LayoutRecord>,
    /// StackSet templates that the tree renders, with the accounts in them; accounts stay where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack_sets: Vec<StackSetRecord>,
    /// Set while a write is under way: hashes that files may have beside those in `files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<BTreeMap<String, String>>,
    /// Path → sha256 of every other file.
    pub files: BTreeMap<String, String>,
}

/// The map in the lock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapEntry {
    /// File name without folders.
    pub file: String,
    /// Digest of what the map means: comments and order don't change it.
    pub digest: String,
}

impl Lock {
    /// Reads the lock of a folder; an empty one if there is none.
    ///
    /// # Errors
    /// It can't be read, is not a lock, or is one of another format: then the cause is a [`formats::Unread`].
    pub fn read(out: &Path) -> Result<Self> {
        let path = out.join(LOCK_NAME);
        if let Ok(meta) = fs::symlink_metadata(&path)
            && !meta.is_file()
        {
            bail!("{} is not a plain file; move it away", path.display());
        }
        match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Lock::default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(Lock::default()),
            Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
            Ok(text) => match formats::look(&text, FORMAT_VERSION, &[]) {
                // a newer lock may list files in a way that this logmap does not see, and would take for foreign ones
                Err(unread) if unread.is_newer() => Err(unread).with_context(|| {
                    format!("{} can't be used and nothing was written; use that logmap or a newer one", path.display())
                }),
                Err(unread) => Err(unread).with_context(|| not_a_lock(&path)),
                Ok(()) => serde_json::from_slice::<Lock>(&text)
                    .map_err(anyhow::Error::from)
                    .and_then(|lock| lock.checked())
                    .with_context(|| not_a_lock(&path)),
            },
        }
    }

    /// The lock again, if it says nothing that logmap would not: whoever can put a file into a repository can write a lock, and
    /// what it lists is read, compared and removed.
    fn checked(self) -> Result<Self> {
        let mut paths = self.files.keys().chain(self.journal.iter().flatten().map(|(path, _)| path));
        if let Some(path) = paths.find(|path| !is_plain(path)) {
            bail!("`{path}` is no path of a file that logmap writes");
        }
        for record in self.log_buckets.iter().chain(&self.retired) {
            if !record.is_plausible() {
                bail!("`{}` is no log bucket that logmap knows", record.bucket);
            }
        }
        if let Some(record) = self.trails.iter().chain(&self.retired_trails).find(|record| !record.is_plausible()) {
            bail!("`{}` is no trail that logmap knows", record.trail);
        }
        if let Some(record) = self.layouts.iter().find(|record| !record.is_plausible()) {
            bail!("`{}` has no layout that logmap knows", record.account_id);
        }
        if let Some(record) = self.stack_sets.iter().find(|record| !record.is_plausible()) {
            bail!("`{}` has no StackSet that logmap knows", record.region);
        }
        Ok(self)
    }

    /// The lock as text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Writes the lock in one step.
    ///
    /// # Errors
    /// The disk fails.
    pub fn write(&self, out: &Path) -> Result<()> {
        let path = out.join(LOCK_NAME);
        let write = || -> std::io::Result<()> {
            let mut file = like_files(tempfile::Builder::new().prefix(TEMPORARY_PREFIX)).tempfile_in(out)?;
            file.write_all(self.text().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().with_context(|| format!("can't write {}", path.display()))
    }

    /// Was a run interrupted while it put files in place?
    pub fn interrupted(&self) -> bool {
        self.journal.is_some()
    }

    /// The lock with `files` as they are on the disk: after an interruption each has its old content or the journal's.
    pub fn settled(mut self, out: &Path) -> Self {
        let mut folders = Folders::new(out);
        for (path, hash) in self.journal.take().into_iter().flatten() {
            let placed = || {
                let file = out.join(&path);
                file.is_file() && fs::read(file).is_ok_and(|text| sha256_hex(&text) == hash)
            };
            if self.files.get(&path) != Some(&hash) && folders.lead_to(&path) && placed() {
                self.files.insert(path, hash);
            }
        }
        self
    }

    /// Is the file listed?
    pub fn lists(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Did logmap write this content?
    pub fn knows(&self, path: &str, hash: &str) -> bool {
        self.files.get(path).is_some_and(|known| known == hash)
    }

    /// Did logmap write this content, or would it have but for carriage returns that something else has put before line feeds?
    pub fn wrote(&self, path: &str, bytes: &[u8]) -> bool {
        self.knows(path, &sha256_hex(bytes)) || line_feeds(bytes).is_some_and(|text| self.knows(path, &sha256_hex(&text)))
    }

    /// Files that a run which gives `new` does not give, and `prune` says are no longer wanted.
    pub fn gone(&self, new: &BTreeMap<String, String>, prune: impl Fn(&str) -> bool) -> BTreeSet<String> {
        self.files.keys().filter(|path| !new.contains_key(*path) && prune(path)).cloned().collect()
    }

    /// The files once `new` are in place and `gone` are removed; a run for some accounts leaves the others' as they are.
    pub fn files_after(&self, new: &BTreeMap<String, String>, gone: &BTreeSet<String>) -> BTreeMap<String, String> {
        let kept = self.files.iter().filter(|(path, _)| !new.contains_key(*path) && !gone.contains(*path));
        kept.chain(new).map(|(path, hash)| (path.clone(), hash.clone())).collect()
    }

    /// The lock while new files are put in place.
    pub fn with_journal(&self, new: &BTreeMap<String, String>) -> Self {
        Lock { journal: Some(new.clone()), format_version: FORMAT_VERSION.to_owned(), ..self.clone() }
    }
}

/// Is it a path that logmap gives to a file: relative, with slashes, and below the folder whatever the folders on the way are?
/// No other name that begins with a dot is logmap's than the one for Git: those of version control and of the stage do.
fn is_plain(path: &str) -> bool {
    if path == GIT_ATTRIBUTES {
        return true;
    }
    let name = |name: &str| !name.is_empty() && !name.starts_with('.');
    let safe = |c: char| !c.is_control() && !matches!(c, '\\' | ':');
    path.split('/').all(name) && path.chars().all(safe) && !path.eq_ignore_ascii_case(LOCK_NAME)
}

/// The text with lines that end with line feeds alone; `None` if they do.
pub(super) fn line_feeds(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.windows(2).any(|pair| pair == b"\r\n") {
        return None;
    }
    let next = bytes.iter().skip(1).map(Some).chain([None]);
    Some(
        bytes
            .iter()
            .zip(next)
            .filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')))
            .map(|(byte, _)| *byte)
            .collect(),
    )
}

fn not_a_lock(path: &Path) -> String {
    format!(
        "{} is not a lock that logmap wrote; restore it from version control, or move the folder away and generate it anew",
        path.display()
    )
}
