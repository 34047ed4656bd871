//! Rendering and writing side by side: a thread of its own renders, and hands over many files at a time, which costs less than
//! one by one.

use crate::{artifacts::Artifact, render::Sink};
use anyhow::Result;
use std::{mem, panic::resume_unwind, sync::mpsc, thread};

/// Files handed over at once, or fewer of so many bytes.
const BATCH: usize = 16;
const BATCH_BYTES: usize = 256 << 10;
/// Batches that may wait to be taken: with the two at work it is what bounds the memory.
const BATCHES_WAITING: usize = 4;

/// Gives the artifacts of `render` in their order to `take`, which runs meanwhile.
///
/// # Errors
/// Those of `take`, which end the rendering, and those of `render`.
pub fn side_by_side(
    render: impl FnOnce(&mut Sink<'_>) -> Result<()> + Send,
    mut take: impl FnMut(&Artifact) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (sender, batches) = mpsc::sync_channel(BATCHES_WAITING);
        let rendering = scope.spawn(move || {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            render(&mut |artifact| {
                bytes += artifact.text.len();
                batch.push(artifact);
                if batch.len() == BATCH || bytes >= BATCH_BYTES {
                    bytes = 0;
                    sender.send(mem::take(&mut batch))?;
                }
                Ok(())
            })?;
            Ok(sender.send(batch)?)
        });
        for artifact in batches.into_iter().flatten() {
            take(&artifact)?;
        }
        rendering.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    /// So many files, each of so many bytes.
    fn render(files: usize, bytes: usize) -> impl FnOnce(&mut Sink<'_>) -> Result<()> + Send {
        move |sink| (0..files).try_for_each(|number| sink(Artifact::file(number.to_string(), " ".repeat(bytes))))
    }

    #[test]
    fn every_file_is_taken_in_its_order() {
        for (files, bytes) in [(0, 0), (1, 1), (BATCH, 1), (BATCH * 20 + 3, 1), (20, BATCH_BYTES), (20, BATCH_BYTES / 3)] {
            let mut taken = Vec::new();
            let done = side_by_side(render(files, bytes), |artifact| {
                taken.push(artifact.path.clone());
                Ok(())
            });
            let given: Vec<String> = (0..files).map(|number| number.to_string()).collect();
            assert!(done.is_ok() && taken == given, "{files} files of {bytes} bytes: {done:?}, {taken:?}");
        }
    }

    #[test]
    fn an_error_of_either_side_ends_both() {
        let mut taken = 0;
        let done = side_by_side(render(10_000, 1), |_| {
            taken += 1;
            bail!("the disk fails")
        });
        assert_eq!(done.map_err(|error| error.to_string()), Err("the disk fails".to_owned()));
        assert_eq!(taken, 1);
        let done = side_by_side(|_| bail!("the template fails"), |_| Ok(()));
        assert_eq!(done.map_err(|error| error.to_string()), Err("the template fails".to_owned()));
    }
}
