//! What `generate` and `runbook` say while they write a tree: whom they wait for, and what keeps them from it.

use super::{Stop, io::Io};
use crate::disk::{Conflict, Writer, replace::InTheWay};
use anyhow::anyhow;
use std::{collections::BTreeMap, path::Path};

/// Starts a write, and says what is unusual about it.
pub(super) fn start_writing<'a>(out: &'a Path, force: bool, io: &Io) -> anyhow::Result<Writer<'a>> {
    let writer = Writer::new(out, force, || {
        io.message(format_args!("waiting for another logmap that is writing to {}", out.display()));
    })?;
    if writer.interrupted() {
        io.message(format_args!(
            "the run before was interrupted while it wrote to {}; this one finishes the work",
            out.display()
        ));
    }
    Ok(writer)
}

/// Says what keeps a tree from being written; true if anything does.
pub(super) fn stands_in_the_way(conflicts: &BTreeMap<String, Conflict>, out: &Path, io: &Io) -> bool {
    let mut foreign = false;
    for (path, conflict) in conflicts {
        match conflict {
            Conflict::Foreign => {
                foreign = true;
                io.message(format_args!("error: {} is there and logmap did not write it", out.join(path).display()))
            }
            Conflict::EditedAndGone => io.message(format_args!(
                "error: {} is no longer wanted, but was edited since logmap wrote it",
                out.join(path).display()
            )),
            Conflict::Edited(diff) => {
                io.message(format_args!("error: {} was edited since logmap wrote it:", out.join(path).display()));
                io.write_stderr(diff);
            }
        }
    }
    if !conflicts.is_empty() {
        io.message(if foreign {
            "nothing was written; logmap never overwrites files that it did not write: move them away, or choose another `--out`"
        } else {
            "nothing was written; move the files away, put the change into the map, or overwrite them with `--force`"
        });
    }
    !conflicts.is_empty()
}

/// Why the file of an option was not written: something that the option did not write stands in its place (exit code 2), or the
/// disk failed.
pub(super) fn not_written(error: anyhow::Error, option: &str) -> Stop {
    match error.downcast_ref::<InTheWay>() {
        Some(why) => Stop::usage(anyhow!("{error} {why}; move it away or choose another `{option}`")),
        None => error.into(),
    }
}
