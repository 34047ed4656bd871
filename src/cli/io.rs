//! The command line's standard streams: the only place that prints. Data goes to standard output, talk to standard error.

use super::{args::Color, colour};
use std::{
    fmt::Display,
    io::{self, IsTerminal, Read, Write},
};

/// The streams, and how to use them.
pub(crate) struct Io {
    color: Color,
    /// Errors only.
    pub quiet: bool,
    /// Everything.
    pub verbose: bool,
}

impl Io {
    /// The process's streams.
    pub(crate) fn new(color: Color, quiet: bool, verbose: bool) -> Self {
        Io { color, quiet, verbose }
    }

    /// The same streams, quiet as well where `quiet` says so.
    pub(crate) fn quieter(&self, quiet: bool) -> Self {
        Io { color: self.color, quiet: self.quiet || quiet, verbose: self.verbose }
    }

    /// Writes data. A closed pipe is not an error: the reader has had enough.
    ///
    /// # Errors
    /// Any other failure of standard output.
    pub(crate) fn write_stdout(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Says something, whatever `-q` says. If standard error is gone there is nobody to tell.
    pub(crate) fn message(&self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Writes text without a line break after it to standard error.
    pub(crate) fn write_stderr(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Does somebody look at standard error who wants to see how work goes on?
    pub(crate) fn is_watched(&self) -> bool {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        let dumb = colour::is_dumb(std::env::var_os("TERM").as_deref());
        io::stderr().is_terminal() && !self.quiet && !dumb && !in_ci
    }

    /// May standard output (or standard error) have colours?
    pub(crate) fn colour(&self, stdout: bool) -> bool {
        let terminal = if stdout { io::stdout().is_terminal() } else { io::stderr().is_terminal() };
        colour::wanted(self.color, |name| std::env::var_os(name), terminal)
    }

    /// Width for drawing on standard output (or standard error): `COLUMNS` if it is set, else the terminal's, else 140.
    pub(crate) fn width(&self, stdout: bool) -> usize {
        let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || {
            let size = if stdout {
                terminal_size::terminal_size_of(io::stdout())
            } else {
                terminal_size::terminal_size_of(io::stderr())
            };
            size.map(|(width, _)| usize::from(width.0))
        };
        set.or_else(terminal).filter(|columns| *columns >= 40).unwrap_or(140)
    }

    /// Everything on standard input.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn input(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Asks a question, if there is somebody to answer. Gives nothing for an empty answer.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return None;
        }
        self.write_stderr(&format!("{question} "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
    }
}
