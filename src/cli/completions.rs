//! `logmap completions`: a shell's completion script, made of the declared arguments.

use super::{
    Outcome,
    args::{Cli, CompletionsArgs},
    exit::Exit,
    io::Io,
};
use clap::CommandFactory;

pub(super) fn run(args: &CompletionsArgs, io: &Io) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "logmap", &mut script);
    io.write_stdout(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Clean)
}
