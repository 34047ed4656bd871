//! Progress of long work: one line on the terminal that says how far it has come. It appears after a second and is gone when
//! the work is done.
//!
//! Draws and decides when to draw; whether anybody looks, and the printing, are `io`'s. The clock is given.

use super::io::Io;
use std::time::Duration;

/// Nothing is shown of work that is shorter.
const QUIET: Duration = Duration::from_secs(1);
/// Between two drawings.
const PAUSE: Duration = Duration::from_millis(100);
/// Characters between the brackets.
const WIDTH: usize = 30;

/// How far work on files has come.
pub(super) struct Progress<'a> {
    io: &'a Io,
    /// Time since the start; `None` where nobody looks.
    clock: Option<&'a dyn Fn() -> Duration>,
    expected: usize,
    done: usize,
    drawn: Option<Duration>,
}

impl<'a> Progress<'a> {
    /// For about so many files.
    pub(super) fn new(io: &'a Io, clock: &'a dyn Fn() -> Duration, expected: usize) -> Self {
        Progress { io, clock: Some(clock).filter(|_| io.is_watched()), expected, done: 0, drawn: None }
    }

    /// One more file is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let Some(now) = self.clock.map(|clock| clock()) else { return };
        if is_due(now, self.drawn) {
            self.drawn = Some(now);
            self.io.draw_stderr(&format!("\r\x1b[K{}", line(self.done, self.expected, now)));
        }
    }
}

impl Drop for Progress<'_> {
    /// Clears the line.
    fn drop(&mut self) {
        if self.drawn.is_some() {
            self.io.draw_stderr("\r\x1b[K");
        }
    }
}

fn is_due(now: Duration, drawn: Option<Duration>) -> bool {
    now >= drawn.map_or(QUIET, |drawn| drawn + PAUSE)
}

/// The bar, never full before the end, the files, and the files a second.
fn line(done: usize, expected: usize, elapsed: Duration) -> String {
    let filled = (WIDTH * done / expected.max(1)).min(WIDTH - 1);
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    format!("[{:-<WIDTH$}] {done} files, {rate:.0} files/s", "#".repeat(filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_within_the_first_second_nor_more_than_ten_times_a_second() {
        let at = Duration::from_millis;
        assert!(!is_due(at(999), None));
        assert!(is_due(at(1000), None));
        assert!(!is_due(at(1099), Some(at(1000))));
        assert!(is_due(at(1100), Some(at(1000))));
    }

    #[test]
    fn the_bar_grows_and_is_not_full_while_there_is_work() {
        assert_eq!(line(100, 400, Duration::from_secs(2)), "[#######-----------------------] 100 files, 50 files/s");
        // there may be more files than were expected
        assert_eq!(line(500, 400, Duration::from_secs(2)), "[#############################-] 500 files, 250 files/s");
        assert_eq!(line(1, 0, Duration::ZERO), "[#############################-] 1 files, 1000 files/s");
    }
}
