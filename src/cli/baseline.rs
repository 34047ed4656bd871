//! `--baseline` and `--write-baseline`: reads, applies and writes the file of known findings, for every command.

use super::{Stop, args::ReportArgs, io::Io, writing::not_written};
use crate::{
    analysis::Analysis,
    diagnostics::{
        Finding, Report,
        baseline::{Baseline, Known},
    },
    disk::replace::output,
    files,
    formats::Unread,
};
use anyhow::Context;
use std::path::Path;

/// Hides a map's known findings, or writes them down and hides them. Those of its own baseline are hidden already, and spoken of here.
///
/// # Errors
/// The baseline can't be read (exit code 2) or written.
pub(super) fn apply(analysis: &mut Analysis, asked: &ReportArgs, io: &Io) -> Result<(), Stop> {
    say_own(analysis, io);
    let known = {
        let (route, shown) = (|finding: &Finding| analysis.route(finding), analysis.shown());
        known(&Report { files: shown.files, findings: &shown.findings, suppressed: &[], route: &route }, asked, io)?
    };
    let Some(known) = known else { return Ok(()) };
    let mut known = known.into_iter();
    analysis.silence(|_| known.next().unwrap_or(false));
    Ok(())
}

/// Returns, for each finding, whether the baseline contains it (`None` without one). Reports stale entries.
///
/// # Errors
/// The baseline can't be read (exit code 2) or written.
pub(super) fn known(report: &Report<'_>, asked: &ReportArgs, io: &Io) -> Result<Option<Vec<bool>>, Stop> {
    let baseline = match (&asked.known.baseline, &asked.known.write_baseline) {
        (Some(path), _) => {
            let text = files::read_named_text(path).with_context(|| format!("can't read the baseline {}", path.display()));
            Baseline::parse(&text.map_err(Stop::usage)?).map_err(|error| Stop::usage(not_read(path, error)))?
        }
        (None, Some(path)) => {
            let baseline = Baseline::of(report);
            output(path, baseline.text().as_bytes(), Baseline::is_one).map_err(|error| not_written(error, "--write-baseline"))?;
            baseline
        }
        (None, None) => return Ok(None),
    };
    let (known, gone) = baseline.compare(report);
    let hidden = known.iter().filter(|known| **known).count();
    match (&asked.known.baseline, &asked.known.write_baseline) {
        (Some(path), _) => say(&path.display().to_string(), &baseline, hidden, &gone, io),
        (None, Some(path)) if !io.quiet => io.message(format_args!("{}: {hidden} finding(s) written", path.display())),
        _ => {}
    }
    Ok(Some(known))
}

/// Says what a baseline hides, and what of it is stale.
fn say(path: &str, baseline: &Baseline, hidden: usize, gone: &[(&Known, usize)], io: &Io) {
    if io.quiet {
        return;
    }
    for (known, count) in gone {
        let times = if *count == 1 { String::new() } else { format!(" ({count} times)") };
        io.message(format_args!(
            "note: {path} lists {} at {}, which is no longer found{times}: {}",
            known.rule, known.route, known.message
        ));
    }
    io.message(format_args!("{path}: {hidden} known finding(s) are not shown"));
    if baseline.is_by_message() {
        io.message(format_args!(
            "note: {path} is of an older logmap and does not say in which file a finding is known: the same one in a copy of the file is hidden, \
             too; write it anew with `--write-baseline`"
        ));
    }
}

/// Says what a map's own baseline hides.
pub(super) fn say_own(analysis: &Analysis, io: &Io) {
    if let Some(own) = &analysis.hidden {
        let gone: Vec<(&Known, usize)> = own.gone.iter().map(|(known, count)| (known, *count)).collect();
        say(&own.name, &own.baseline, own.count, &gone, io);
    }
}

/// What is wrong with a baseline; one of a newer logmap is a baseline, and is not to be thrown away.
fn not_read(path: &Path, error: anyhow::Error) -> anyhow::Error {
    let newer = error.downcast_ref::<Unread>().is_some_and(Unread::is_newer);
    error.context(if newer {
        format!(
            "the baseline {} can't be used; use that logmap or a newer one, or write it anew with `--write-baseline`",
            path.display()
        )
    } else {
        format!("{} is not a baseline", path.display())
    })
}
