//! The command line's standard streams: the only place that prints. Results go to standard output, messages to standard error.

use super::{args::Color, colour};
use crate::{escape::shown, files, text};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

/// The standard streams, and the global options about them.
pub(crate) struct Io {
    color: Color,
    /// `--quiet`: print errors only.
    pub quiet: bool,
    /// `--verbose`: print everything.
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

    /// Writes a result to standard output. A closed pipe is not an error: the reader has had enough.
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

    /// Writes JSON to standard output, which may be longer than anybody wants to keep.
    ///
    /// # Errors
    /// As of [`Io::write_stdout`].
    pub(crate) fn write_json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let written = text::write_pretty_json(&mut out, value).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Writes text for people to standard output: what came from outside is shown, and does nothing.
    ///
    /// # Errors
    /// As of [`Io::write_stdout`].
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        self.write_stdout(&shown::lines(text))
    }

    /// Prints one line to standard error, even with `--quiet`. A failure is ignored: there is nobody left to tell.
    pub(crate) fn message(&self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{}", shown::line(&text.to_string()));
    }

    /// Prints text for people to standard error, without a line break after it.
    pub(crate) fn write_stderr(&self, text: &str) {
        self.draw_stderr(&shown::lines(text));
    }

    /// Writes what is made of nothing from outside, or escaped already, to standard error: it may move the cursor and have colours.
    pub(crate) fn draw_stderr(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Is standard error a terminal on which progress can be shown?
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
        files::read_stream(io::stdin().lock())
    }

    /// Standard input and output themselves, for what speaks a protocol.
    #[cfg(feature = "lsp")]
    pub(crate) fn streams(&self) -> (io::BufReader<io::Stdin>, io::Stdout) {
        (io::BufReader::new(io::stdin()), io::stdout())
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
