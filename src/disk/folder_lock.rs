//! The lock of the output folder: one run writes at a time, and the lock of a killed run ends with it.
//!
//! It is an advisory lock on the folder itself, so that it leaves nothing behind. Where folders can't be locked (Windows, some
//! network file systems) there is none, and two runs at once are the caller's to avoid.

use anyhow::{Context, Result};
use std::{
    fs::{File, TryLockError},
    path::Path,
};

/// Held as long as it lives.
pub(super) struct FolderLock(#[expect(dead_code, reason = "closing the file is what ends the lock")] Option<File>);

impl FolderLock {
    /// Takes the lock; where another run has it, calls `waiting` once and waits.
    ///
    /// # Errors
    /// Waiting fails.
    pub(super) fn take(out: &Path, waiting: impl FnOnce()) -> Result<Self> {
        let Ok(folder) = File::open(out) else { return Ok(FolderLock(None)) };
        match folder.try_lock() {
            Ok(()) => Ok(FolderLock(Some(folder))),
            Err(TryLockError::WouldBlock) => {
                waiting();
                folder.lock().with_context(|| format!("can't wait for the other logmap that writes to {}", out.display()))?;
                Ok(FolderLock(Some(folder)))
            }
            Err(TryLockError::Error(_)) => Ok(FolderLock(None)),
        }
    }
}
