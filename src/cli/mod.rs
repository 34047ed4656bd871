//! The command line: arguments → request → print. One file for each command; `io` prints, `exit` numbers the ends.

pub mod args;
mod baseline;
mod budgets;
mod check;
mod colour;
mod completions;
mod diff;
mod drift;
pub mod exit;
mod explain;
pub(crate) mod findings;
mod fix;
mod generate;
mod graph;
mod import;
mod init;
pub(crate) mod io;
mod live;
#[cfg(feature = "lsp")]
mod lsp;
mod man;
mod mend;
mod overrides;
mod progress;
mod read;
mod report;
mod revision;
mod runbook;
mod schema;
mod settings;
mod snapshot;
mod stale;
mod templates;
mod usage;
mod validate;
mod writing;

use crate::formats::Unread;
use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use io::Io;
use std::ffi::OsString;

/// What ended a command early.
#[derive(Debug)]
pub(crate) struct Stop {
    /// How the process ends.
    pub exit: Exit,
    /// What to say.
    pub error: anyhow::Error,
}

impl Stop {
    /// Wrong usage, or input that can't be had.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Stop { exit: Exit::Usage, error: error.into() }
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        let newer = error.downcast_ref::<Unread>().is_some_and(Unread::is_newer);
        let usage = newer || error.is::<crate::render::engine::TemplateError>();
        let exit = if usage { Exit::Usage } else { Exit::Failure };
        Stop { exit, error }
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Stop { exit: Exit::Failure, error: error.into() }
    }
}

/// What a command gives.
pub(crate) type Outcome = Result<Exit, Stop>;

/// Runs the command line and gives the exit code.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(asked) = completions::asked(&arguments) {
        let io = Io::new(args::Color::Never, true, false);
        return completions::answer(&asked, &io).map_or(Exit::Failure, |exit| exit).code();
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage::print(error, &arguments).code(),
    };
    let io = Io::new(cli.common.color, cli.common.quiet, cli.common.verbose);
    let outcome = match &cli.command {
        Command::Graph(args) => graph::run(args, &io),
        Command::Diff(args) => diff::run(args, &io),
        Command::Init(args) => init::run(args, &io),
        Command::Validate(args) => validate::run(args, &io),
        Command::Generate(args) => generate::run(args, &io),
        Command::Check(args) => check::run(args, &io),
        Command::Import(args) => import::run(args, &io),
        Command::Snapshot(args) => snapshot::run(args, &io),
        Command::Drift(args) => drift::run(args, &io),
        Command::Runbook(args) => runbook::run(args, &io),
        Command::Explain(args) => explain::run(args, &io),
        Command::Templates(args) => templates::run(args, &io),
        Command::Schema => schema::run(&io),
        Command::Completions(args) => completions::run(args, &io),
        Command::Man(args) => man::run(args, &io),
        #[cfg(feature = "lsp")]
        Command::Lsp(_) => lsp::run(&io),
    };
    match outcome {
        Ok(exit) => exit.code(),
        Err(stop) => {
            io.message(format_args!("error: {:#}", stop.error));
            stop.exit.code()
        }
    }
}
