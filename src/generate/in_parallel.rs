//! Rendering in parallel with writing: threads of their own render, and hand over many files at a time, which costs less than
//! one by one.

use crate::{disk::File, render::Sink, threads::join};
use anyhow::{Error, Result};
use std::{
    mem,
    sync::{
        Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

/// Files handed over at once, or fewer of so many bytes.
const BATCH: usize = 16;
const BATCH_BYTES: usize = 256 << 10;
/// Batches that may wait to be taken: with those at work it is what bounds the memory.
const BATCHES_WAITING: usize = 4;

/// Something to render, by itself.
pub(super) type Job<'a> = Box<dyn FnOnce(&mut Sink<'_>) -> Result<()> + Send + 'a>;

/// Renders the jobs on some threads, and gives their files to `take`, which runs meanwhile. Those of one job come in their
/// order, those of several mixed.
///
/// # Errors
/// Those of `take`, which end the rendering, and of the jobs that fail the first one's.
pub(super) fn render_in_parallel(threads: usize, jobs: Vec<Job<'_>>, mut take: impl FnMut(&File) -> Result<()>) -> Result<()> {
    let threads = threads.min(jobs.len());
    let jobs = Mutex::new(jobs.into_iter().enumerate());
    thread::scope(|scope| {
        let (sender, batches) = sync_channel(BATCHES_WAITING);
        let start = |sender: SyncSender<Vec<File>>| {
            let jobs = &jobs;
            scope.spawn(move || {
                let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                let failed = |(at, job)| Some((at, render(job, &sender).err()?));
                std::iter::from_fn(next).filter_map(failed).collect::<Vec<(usize, Error)>>()
            })
        };
        let rendering: Vec<_> = (0..threads).map(|_| start(sender.clone())).collect();
        drop(sender);
        for file in batches.into_iter().flatten() {
            take(&file)?;
        }
        let failed = rendering.into_iter().flat_map(join);
        failed.min_by_key(|(at, _)| *at).map_or(Ok(()), |(_, error)| Err(error))
    })
}

fn render(job: Job<'_>, sender: &SyncSender<Vec<File>>) -> Result<()> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    job(&mut |artifact| {
        bytes += artifact.text.len();
        batch.push(File::from(artifact));
        if batch.len() == BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            sender.send(mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    Ok(sender.send(batch)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::Artifact;
    use anyhow::bail;
    use std::collections::BTreeMap;

    /// So many files, each of so many bytes.
    fn files<'a>(name: &'a str, files: usize, bytes: usize) -> Job<'a> {
        Box::new(move |sink| {
            (0..files).try_for_each(|number| sink(Artifact::file(format!("{name}/{number}"), " ".repeat(bytes))))
        })
    }

    #[test]
    fn every_file_is_taken_those_of_one_work_in_their_order() {
        for (count, bytes) in [(0, 0), (1, 1), (BATCH, 1), (BATCH * 20 + 3, 1), (20, BATCH_BYTES), (20, BATCH_BYTES / 3)] {
            for threads in [1, 2, 9] {
                let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
                let jobs = vec![files("a", count, bytes), files("b", count, 1), files("c", 0, 0)];
                let done = render_in_parallel(threads, jobs, |file| {
                    let (job, number) = file.artifact.path.split_once('/').unwrap_or_default();
                    taken.entry(job.to_owned()).or_default().push(number.to_owned());
                    Ok(())
                });
                let given: Vec<String> = (0..count).map(|number| number.to_string()).collect();
                let of = |job: &str| taken.get(job).cloned().unwrap_or_default();
                assert!(
                    done.is_ok() && of("a") == given && of("b") == given,
                    "{count} files of {bytes} bytes: {done:?}, {taken:?}"
                );
            }
        }
    }

    #[test]
    fn an_error_of_either_side_ends_both() {
        let mut taken = 0;
        let done = render_in_parallel(2, vec![files("a", 10_000, 1), files("b", 10_000, 1)], |_| {
            taken += 1;
            bail!("the disk fails")
        });
        assert_eq!(done.map_err(|error| error.to_string()), Err("the disk fails".to_owned()));
        assert_eq!(taken, 1);
        for threads in [1, 2] {
            let fails = |what: &'static str| -> Job<'static> { Box::new(move |_| bail!(what)) };
            let jobs = vec![files("a", 100, 1), fails("the first template fails"), fails("the second one too")];
            let done = render_in_parallel(threads, jobs, |_| Ok(()));
            assert_eq!(done.map_err(|error| error.to_string()), Err("the first template fails".to_owned()));
        }
    }
}
