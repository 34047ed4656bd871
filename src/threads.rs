//! What the places that work on several threads have in common.

use std::{
    panic::resume_unwind,
    thread::{self, ScopedJoinHandle},
};

/// How many threads can run at once. To ask for it costs more than a small piece of work.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Waits for a thread, and gives what it gives; its panic goes on here.
pub(crate) fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
