//! Finding and reading the map, and printing what was found: what every command with a map does first.

use super::{
    Stop,
    args::{Common, MapArgs},
    findings,
    io::Io,
};
use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Report},
    source::{NOT_UTF8, SourceFile},
};
use anyhow::{Context, anyhow};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Name of a map when none is given.
pub const MAP_NAME: &str = "logmap.yaml";
/// What some editors put before UTF-8 text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads and analyses the map.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub fn read_map(args: &MapArgs, io: &Io) -> Result<Analysis, Stop> {
    let (name, bytes) = read_bytes(args, io)?;
    Ok(analyze(SourceFile::new(name, text_of(bytes))))
}

/// The map's file name without folders, as generated files name it.
pub fn map_name(analysis: &Analysis) -> String {
    Path::new(&analysis.file.name).file_name().map_or("-".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The map's name and bytes.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub fn read_bytes(args: &MapArgs, io: &Io) -> Result<(String, Vec<u8>), Stop> {
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

/// UTF-8 text; UTF-16 with a byte order mark is understood too. Where it is neither the text ends with [`NOT_UTF8`].
pub fn text_of(bytes: Vec<u8>) -> String {
    let utf16 = |wide: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| wide([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    let decoded = match bytes.get(..2) {
        Some([0xff, 0xfe]) => utf16(u16::from_le_bytes),
        Some([0xfe, 0xff]) => utf16(u16::from_be_bytes),
        _ => None,
    };
    decoded.unwrap_or_else(|| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let mut text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            text.push(NOT_UTF8);
            text
        }
    })
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    fs::read(path).with_context(|| format!("can't read the map {}", path.display())).map_err(Stop::usage)
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

/// Prints a map's findings; see [`findings::print`].
///
/// # Errors
/// Standard output fails.
pub fn print_findings(analysis: &Analysis, common: &Common, io: &Io, to_stdout: bool, infos: bool) -> Result<(), Stop> {
    let route = |finding: &Finding| analysis.route(finding);
    let report = Report { files: std::slice::from_ref(&analysis.file), findings: &analysis.findings, route: &route };
    findings::print(&report, &analysis.file.name, common, io, to_stdout, infos)
}
