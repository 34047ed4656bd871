//! `logmap man`: manual pages, made of the declared arguments. No date in them: the same version gives the same bytes.

use super::{
    Outcome,
    args::{Cli, ManArgs},
    exit::Exit,
    io::Io,
    writing::not_written,
};
use crate::disk::replace::output;
use anyhow::Context;
use clap::CommandFactory;
use std::{ffi::OsString, fs};

pub(super) fn run(args: &ManArgs, io: &Io) -> Outcome {
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| format!("can't make the folder {}", folder.display()))?;
        for (name, page) in pages()? {
            output(&folder.join(name), &page, is_page).map_err(|error| not_written(error, "--out"))?;
        }
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

/// All pages by file name, sorted.
fn pages() -> anyhow::Result<Vec<(OsString, Vec<u8>)>> {
    // clap_mangen writes files only
    let folder = tempfile::tempdir()?;
    clap_mangen::generate_to(Cli::command(), folder.path())?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        pages.push((entry.file_name(), fs::read(entry.path())?));
    }
    pages.sort();
    Ok(pages)
}

/// Is this the text of a manual page of logmap's?
fn is_page(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).lines().any(|line| line.starts_with(".TH logmap"))
}
