//! Finding and reading the map, and printing what was found: what every command with a map does first.

use super::{
    Stop,
    args::{MapArgs, ReportArgs},
    findings,
    io::Io,
};
use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Report},
    files, inputs,
    observed::Ignored,
    source::SourceFile,
};
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};

/// Name of a map when none is given.
pub(super) const MAP_NAME: &str = "logmap.yaml";
/// What some editors put before UTF-8 text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads and analyses the map.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub(super) fn read_map(args: &MapArgs, io: &Io) -> Result<Analysis, Stop> {
    let (name, bytes) = read_bytes(args, io)?;
    Ok(analyze(SourceFile::of_bytes(name, bytes)))
}

/// The map's file name without folders, as generated files name it.
pub(super) fn map_name(analysis: &Analysis) -> String {
    Path::new(&analysis.file.name).file_name().map_or("-".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The map's name and bytes.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub(super) fn read_bytes(args: &MapArgs, io: &Io) -> Result<(String, Vec<u8>), Stop> {
    Ok(match &args.map {
        Some(path) if path.as_os_str() == "-" => {
            ("-".to_owned(), io.input().context("can't read standard input").map_err(Stop::usage)?)
        }
        Some(path) => (path.display().to_string(), read(path)?),
        None => {
            let path = find_above().map_err(Stop::usage)?;
            (path.display().to_string(), read(&path)?)
        }
    })
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    files::read_named(path).with_context(|| format!("can't read the map {}", path.display())).map_err(Stop::usage)
}

/// The map in this folder or the nearest one above.
pub(super) fn find_above() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("can't tell the current folder")?;
    let mut prefix = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(MAP_NAME).is_file() {
            return Ok(prefix.join(MAP_NAME));
        }
        prefix.push("..");
    }
    Err(anyhow!("there is no {MAP_NAME} in this folder or above; name a map, or write one with `logmap init`"))
}

/// What stands at the paths that a command is given; see [`inputs::read`].
///
/// # Errors
/// A path that was named can't be read: exit code 2.
pub(super) fn inputs(paths: &[PathBuf], io: &Io) -> Result<(Vec<SourceFile>, Vec<Ignored>), Stop> {
    inputs::read(paths, || io.input()).map_err(Stop::usage)
}

/// Prints a map's findings; see [`findings::print`].
///
/// # Errors
/// Standard output fails.
pub(super) fn print_findings(analysis: &Analysis, asked: &ReportArgs, io: &Io, to_stdout: bool, infos: bool) -> Result<(), Stop> {
    let route = |finding: &Finding| analysis.route(finding);
    let report = Report { files: std::slice::from_ref(&analysis.file), findings: &analysis.findings, route: &route };
    findings::print(&report, &analysis.file.name, asked, io, to_stdout, infos)
}
