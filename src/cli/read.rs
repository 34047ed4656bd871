//! Finding and reading the map, and printing what was found: what every command with a map does first.

use super::{
    Stop,
    args::{KnownArgs, MapArgs, ReportArgs},
    findings,
    io::Io,
};
use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Report},
    disk::replace::replace,
    files,
    folders::Disk,
    included::{self, MAP_NAMES, Sources},
    inputs,
    observed::Ignored,
    places::{self, Places},
    source::{self, SourceFile},
};
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};

/// What some editors put before UTF-8 text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads and analyses the map. What a flag says is known counts in place of the map's own baseline.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub(super) fn read_map(args: &MapArgs, known: &KnownArgs, io: &Io) -> Result<Analysis, Stop> {
    Ok(analyze(known.win_over(read_bytes(args, io)?.sources())))
}

/// The map's file name without folders, as generated files name it.
pub(super) fn map_name(analysis: &Analysis) -> String {
    Path::new(&analysis.file.name).file_name().map_or("-".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A map as it was read.
pub(super) struct MapBytes {
    /// Its path; of standard input what people call it.
    pub path: PathBuf,
    /// The file, mark and all.
    pub bytes: Vec<u8>,
    /// It came from standard input: nothing is written to the path.
    pub is_stdin: bool,
}

impl MapBytes {
    /// The text, under its name and with its address, and the files that it includes. Standard input without a name stands in the
    /// current folder.
    pub(super) fn sources(self) -> Sources {
        sources(&self.path, self.bytes)
    }
}

/// Writes a map's files again, with what their bytes had beside the text.
pub(super) struct Rewriting {
    /// What is done with them.
    what: &'static str,
}

impl Rewriting {
    /// For a map of which `what` is to be said that it is done with it.
    ///
    /// # Errors
    /// The map is UTF-16, which is not written: exit code 2.
    pub(super) fn of(map: &MapBytes, what: &'static str) -> Result<Self, Stop> {
        let rewriting = Rewriting { what };
        rewriting.mark(&map.path, &map.bytes)?;
        Ok(rewriting)
    }

    /// The byte order mark with which a file begins.
    fn mark(&self, path: &Path, bytes: &[u8]) -> Result<&'static [u8], Stop> {
        if source::is_utf16(bytes) {
            let name = Places::here().name(path);
            return Err(Stop::usage(anyhow!("{name} is UTF-16; save it as UTF-8 to have it {}", self.what)));
        }
        Ok(if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK } else { b"" })
    }

    /// Writes a file that has another text now.
    ///
    /// # Errors
    /// It is UTF-16 (exit code 2), or can't be written.
    pub(super) fn write(&self, file: &SourceFile) -> Result<(), Stop> {
        let path = Path::new(&file.name);
        let mark = self.mark(path, &read(path)?)?;
        replace(path, &[mark, file.text.as_bytes()].concat())?;
        Ok(())
    }
}

/// The map at a path, with the files that it includes.
pub(super) fn sources(path: &Path, bytes: Vec<u8>) -> Sources {
    let own = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    included::gather(Places::here().file(path, bytes), &own, &Disk::beside(path))
}

/// The map's bytes.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub(super) fn read_bytes(args: &MapArgs, io: &Io) -> Result<MapBytes, Stop> {
    let is_stdin = args.map.as_ref().map_or(args.stdin_filename.is_some(), |path| path.as_os_str() == "-");
    if is_stdin {
        let bytes = io.input().context("can't read standard input").map_err(Stop::usage)?;
        return Ok(MapBytes { path: stdin_name(args.stdin_filename.as_deref()).to_owned(), bytes, is_stdin });
    }
    let path = match &args.map {
        Some(path) if args.stdin_filename.is_some() => {
            let what = path.display();
            return Err(Stop::usage(anyhow!(
                "`--stdin-filename` names what standard input holds, and {what} is a file; write `-`"
            )));
        }
        Some(path) => path.clone(),
        None => find_above(io).map_err(Stop::usage)?,
    };
    let bytes = read(&path)?;
    Ok(MapBytes { path, bytes, is_stdin })
}

/// What standard input is called.
fn stdin_name(given: Option<&Path>) -> &Path {
    given.unwrap_or(Path::new("-"))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    files::read_named(path).with_context(|| format!("can't read the map {}", path.display())).map_err(Stop::usage)
}

/// The map in this folder or the nearest one above, up to the root of the repository: what lies above that is somebody else's. Says which
/// map it is where it is not in this folder.
///
/// # Errors
/// There is none, or a folder has two.
pub(super) fn find_above(io: &Io) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("can't tell the current folder")?;
    let mut prefix = PathBuf::new();
    for folder in here.ancestors() {
        let found: Vec<PathBuf> =
            MAP_NAMES.iter().filter(|name| folder.join(name).is_file()).map(|name| prefix.join(name)).collect();
        match found.as_slice() {
            [] => {}
            [path] => {
                if !io.quiet && !prefix.as_os_str().is_empty() {
                    io.message(format_args!("the map is {}", path.display()));
                }
                return Ok(path.clone());
            }
            [one, other, ..] => {
                return Err(anyhow!("there are two maps, {} and {}; name the one that is meant", one.display(), other.display()));
            }
        }
        if places::is_root(folder) {
            return Err(anyhow!(
                "there is no {} from this folder up to the root of the repository, {}; name a map, or write one with `logmap init`",
                MAP_NAMES.join(" or "),
                folder.display()
            ));
        }
        prefix.push("..");
    }
    Err(anyhow!("there is no {} in this folder or above; name a map, or write one with `logmap init`", MAP_NAMES.join(" or ")))
}

/// What stands at the paths that a command is given; see [`inputs::read`].
///
/// # Errors
/// A path that was named can't be read: exit code 2.
pub(super) fn inputs(paths: &[PathBuf], stdin: Option<&Path>, io: &Io) -> Result<(Vec<SourceFile>, Vec<Ignored>), Stop> {
    if stdin.is_some() && !paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Stop::usage(anyhow!("`--stdin-filename` names what standard input holds; give `-` as a path, too")));
    }
    inputs::read(paths, stdin_name(stdin), || io.input()).map_err(Stop::usage)
}

/// Prints a map's findings; see [`findings::print`].
///
/// # Errors
/// Standard output fails.
pub(super) fn print_findings(analysis: &Analysis, asked: &ReportArgs, io: &Io, to_stdout: bool, infos: bool) -> Result<(), Stop> {
    let (route, shown) = (|finding: &Finding| analysis.route(finding), analysis.shown());
    let report = Report { files: shown.files, findings: &shown.findings, suppressed: &shown.suppressed, route: &route };
    findings::print(&report, &analysis.file.name, asked, io, to_stdout, infos)
}
