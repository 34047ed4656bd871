//! What stands where folders of the output should be, asked once for each folder: while the folder is held, only this run
//! changes it.

use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// What stands where a folder should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The folder.
    Folder,
    /// Nothing; the highest folder on the way that is not there is this one.
    Free(String),
    /// This is on the way, or at its end, and is no folder.
    Taken(String),
}

/// The folders below the output folder.
pub(super) struct Folders {
    out: PathBuf,
    seen: BTreeMap<String, Place>,
}

impl Folders {
    pub(super) fn new(out: &Path) -> Self {
        Folders { out: out.to_owned(), seen: BTreeMap::new() }
    }

    /// What stands at the folder that a file of this path is in.
    ///
    /// # Errors
    /// There is a symbolic link on the way: it could lead out of the folder. The disk can't be read.
    pub(super) fn above(&mut self, path: &str) -> Result<Place> {
        let Some((folder, _)) = path.rsplit_once('/') else { return Ok(Place::Folder) };
        if let Some(seen) = self.seen.get(folder) {
            return Ok(seen.clone());
        }
        let place = match self.above(folder)? {
            Place::Folder => self.look(folder)?,
            end => end,
        };
        self.seen.insert(folder.to_owned(), place.clone());
        Ok(place)
    }

    /// Does the path lead to a place below the folder, not out of it by a link?
    pub(super) fn lead_to(&mut self, path: &str) -> bool {
        matches!(self.above(path), Ok(Place::Folder | Place::Free(_))) && !self.out.join(path).is_symlink()
    }

    fn look(&self, folder: &str) -> Result<Place> {
        let path = self.out.join(folder);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => Ok(Place::Folder),
            Ok(meta) => refuse_link(&path, &meta).map(|()| Place::Taken(folder.to_owned())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(Place::Free(folder.to_owned()))
            }
            Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
        }
    }
}

/// Links are never written through, whatever they lead to.
///
/// # Errors
/// It is one.
pub(super) fn refuse_link(path: &Path, meta: &fs::Metadata) -> Result<()> {
    if meta.is_symlink() {
        bail!("{} is a symbolic link; logmap does not write through links", path.display());
    }
    Ok(())
}
