//! One file of the user's, replaced as a whole: a reader sees the old text or the new one.

use anyhow::{Context, Result};
use std::{fs, io::Write, path::Path};

/// Writes a file through a temporary one beside it. A file that is there keeps its permissions; a link keeps pointing to it.
///
/// # Errors
/// The folder or the file can't be written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let what = || format!("can't write {}", path.display());
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".logmap-").tempfile_in(folder).with_context(what)?;
    file.write_all(bytes).with_context(what)?;
    file.as_file().sync_all().with_context(what)?;
    match fs::metadata(&target) {
        Ok(meta) => fs::set_permissions(file.path(), meta.permissions()).with_context(what)?,
        Err(_) => default_permissions(file.path()).with_context(what)?,
    }
    file.persist(&target).with_context(what)?;
    Ok(())
}

/// Of a new file: what `umask` leaves, which a temporary file does not have.
#[cfg(unix)]
fn default_permissions(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn default_permissions(_: &Path) -> std::io::Result<()> {
    Ok(())
}
