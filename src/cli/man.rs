//! `logmap man`: manual pages, made of the declared arguments. No date in them: the same version gives the same bytes.

use super::{
    Outcome,
    args::{Cli, ManArgs},
    exit::Exit,
    io::Io,
};
use anyhow::Context;
use clap::CommandFactory;
use std::fs;

pub(super) fn run(args: &ManArgs, io: &Io) -> Outcome {
    if let Some(folder) = &args.out {
        let what = || format!("can't write manual pages into {}", folder.display());
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder)).with_context(what)?;
        if !io.quiet {
            io.message(format_args!(
                "the pages are in {}; `man {}` shows the first",
                folder.display(),
                folder.join("logmap.1").display()
            ));
        }
        return Ok(Exit::Clean);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command().disable_help_subcommand(true)).render(&mut page)?;
    io.write_stdout(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Clean)
}
