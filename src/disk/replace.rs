//! One file of the user's, replaced as a whole: a reader sees the old text or the new one.

use anyhow::{Context, Result};
use std::{
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

/// So much of a file that stands where an output is to go is looked at; what says whose it is stands at its beginning.
const MOST: u64 = 64 * 1024 * 1024;

/// Why an output was not written over what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// A file that the same option did not write.
    Foreign,
    /// A folder, a device or a pipe.
    NotAFile,
}

impl fmt::Display for InTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InTheWay::Foreign => "was not written by the same option, so it is not overwritten",
            InTheWay::NotAFile => "is not a plain file, so it is not overwritten",
        })
    }
}

impl std::error::Error for InTheWay {}

/// Writes the file of an option: a new one, or in the place of one that the same option wrote, which `ours` tells by its bytes. An
/// empty file is nobody's.
///
/// # Errors
/// Something else stands there: then the cause is [`InTheWay`]. The folder or the file can't be written.
pub(crate) fn output(path: &Path, bytes: &[u8], ours: impl Fn(&[u8]) -> bool) -> Result<()> {
    put(path, bytes, ours, false)
}

/// The same, for what only its owner may read, whatever was there.
///
/// # Errors
/// As of [`output`].
pub(crate) fn private_output(path: &Path, bytes: &[u8], ours: impl Fn(&[u8]) -> bool) -> Result<()> {
    put(path, bytes, ours, true)
}

fn put(path: &Path, bytes: &[u8], ours: impl Fn(&[u8]) -> bool, private: bool) -> Result<()> {
    let what = || format!("{}", path.display());
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() => Err(InTheWay::NotAFile).with_context(what),
        Ok(_) => {
            let mut there = Vec::new();
            let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut there));
            read.with_context(|| format!("can't read {}", path.display()))?;
            if there.is_empty() || ours(&there) {
                replace_as(path, bytes, private)
            } else {
                Err(InTheWay::Foreign).with_context(what)
            }
        }
        // there is nothing, or a link that leads nowhere: then the link is replaced
        Err(_) => replace_as(path, bytes, private),
    }
}

/// Writes a file through a temporary one beside it. A file that is there keeps its permissions; a link keeps pointing to it. A new
/// file has those that `umask` leaves.
///
/// # Errors
/// The folder or the file can't be written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_as(path, bytes, false)
}

fn replace_as(path: &Path, bytes: &[u8], private: bool) -> Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(".logmap-");
        // temporary files are their owner's alone
        let mut file = if private { builder } else { like_files(builder) }.tempfile_in(folder)?;
        file.write_all(bytes)?;
        if let Some(meta) = fs::metadata(&target).ok().filter(|_| !private) {
            fs::set_permissions(file.path(), meta.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("can't write {}", path.display()))
}

/// Temporary files are private by default; what becomes a file of the user's is as readable as any that they make.
#[cfg(unix)]
pub(super) fn like_files<'b, 'p, 's>(builder: &'b mut tempfile::Builder<'p, 's>) -> &'b mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

/// Temporary files are as readable as others.
#[cfg(not(unix))]
pub(super) fn like_files<'b, 'p, 's>(builder: &'b mut tempfile::Builder<'p, 's>) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}
