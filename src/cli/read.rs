//! Finding and reading the map, and printing what was found: what every command with a map does first.

use super::{
    Outcome, Stop,
    args::{Common, FailOn, Format, MapArgs},
    exit::Exit,
    io::Io,
};
use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Report, Severity, json, text},
    source::{NOT_UTF8, SourceFile},
};
use anyhow::{Context, anyhow};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Name of a map when none is given.
pub const MAP_NAME: &str = "logmap.yaml";

/// Reads and analyses the map.
///
/// # Errors
/// There is no map, or it can't be read: exit code 2.
pub fn read_map(args: &MapArgs, io: &Io) -> Result<Analysis, Stop> {
    let (name, bytes) = match &args.map {
        Some(path) if path.as_os_str() == "-" => {
            ("-".to_owned(), io.input().context("can't read standard input").map_err(Stop::usage)?)
        }
        Some(path) => (path.display().to_string(), read(path)?),
        None => {
            let path = find_above().map_err(Stop::usage)?;
            (path.display().to_string(), read(&path)?)
        }
    };
    Ok(analyze(SourceFile::new(name, text_of(bytes))))
}

/// UTF-8 text; UTF-16 with a byte order mark is understood too. Where it is neither the text ends with [`NOT_UTF8`].
pub(super) fn text_of(bytes: Vec<u8>) -> String {
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

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    fs::read(path).with_context(|| format!("can't read the map {}", path.display())).map_err(Stop::usage)
}

/// The map in this folder or the nearest one above.
fn find_above() -> anyhow::Result<PathBuf> {
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

/// Prints findings in the format asked for. `to_stdout` if they are what the command gives.
///
/// # Errors
/// Standard output fails.
pub fn print_findings(analysis: &Analysis, common: &Common, io: &Io, to_stdout: bool, infos: bool) -> Result<(), Stop> {
    let shown: Vec<Finding> = analysis
        .findings
        .iter()
        .filter(|finding| match finding.severity() {
            Severity::Error => true,
            Severity::Warning => !io.quiet,
            Severity::Info => !io.quiet && infos,
        })
        .cloned()
        .collect();
    let (files, route) = (std::slice::from_ref(&analysis.file), |finding: &Finding| analysis.route(finding));
    let report = |findings| Report { files, findings, route: &route };
    let text = match common.format {
        Format::Json => serde_json::to_string_pretty(&json::report(&report(&analysis.findings))).unwrap_or_default() + "\n",
        Format::Text => text::render(&report(&shown), io.width(), io.colour(to_stdout)),
    };
    if to_stdout {
        io.data(&text)?;
    } else {
        io.talk(&text);
    }
    if !io.quiet && common.format == Format::Text && !analysis.findings.is_empty() {
        io.say(format_args!("{}: {}", analysis.file.name, text::summary(analysis.summary())));
    }
    Ok(())
}

/// The exit code that findings ask for.
pub fn exit_of(analysis: &Analysis, common: &Common) -> Outcome {
    let summary = analysis.summary();
    let fails = summary.errors > 0 || (common.fail_on == FailOn::Warning && summary.warnings > 0);
    Ok(if fails { Exit::Findings } else { Exit::Clean })
}
