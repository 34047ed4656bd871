//! The folder of a map on a disk, for the files that it includes.
//!
//! Nothing outside of the folder is read, whatever links say: a map comes from whoever proposes a change of it, and what is read is shown.

use crate::{files, included::Folder, places::Places, source::SourceFile};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder that a map is in.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    places: Places,
}

impl Disk {
    /// The folder of the map at a path; the current one for a name alone.
    pub(crate) fn beside(map: &Path) -> Self {
        let folder = map.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(""));
        Disk { folder: folder.to_owned(), places: Places::here() }
    }

    /// The path of an included file.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn real(&self) -> io::Result<PathBuf> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        fs::canonicalize(folder)
    }
}

impl Folder for Disk {
    fn files(&self, below: &str, most: usize) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![below.to_owned()];
        let mut looked_at = 0;
        while let Some(folder) = folders.pop() {
            let path = if self.path(&folder).as_os_str().is_empty() { PathBuf::from(".") } else { self.path(&folder) };
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                looked_at += 1;
                if looked_at > most {
                    return Ok(vec![String::new(); most]);
                }
                // a name that is no text is no name of a pattern
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name.starts_with('.') {
                    continue;
                }
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if entry.file_type()?.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        Ok(found)
    }

    fn read(&self, path: &str) -> io::Result<SourceFile> {
        let named = self.path(path);
        if !fs::canonicalize(&named)?.starts_with(self.real()?) {
            return Err(io::Error::other("it is a link that leads out of the map's folder"));
        }
        Ok(self.places.file(&named, files::read_plain(&named)?))
    }
}
