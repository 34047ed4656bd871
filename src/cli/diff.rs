//! `logmap diff`: what changes in meaning between two maps. The differences go to standard output.

use super::{
    Outcome, Stop,
    args::{DiffArgs, DiffFormat, FindingFormat, ReportArgs},
    exit::Exit,
    findings,
    io::Io,
    read, revision,
};
use crate::{
    analysis::Analysis,
    changes::{self, show},
    plan::Plan,
};
use serde_json::json;

pub(super) fn run(args: &DiffArgs, io: &Io) -> Outcome {
    // an error in a map is a report, in the nearest format
    let format = if args.format == DiffFormat::Json { FindingFormat::Json } else { FindingFormat::Text };
    let asked = ReportArgs { format, ..ReportArgs::text(&args.severity) };
    let (mut old, mut new) = revision::read_pair(&args.maps, io)?;
    let Some((old_plan, new_plan)) = plans(&mut old, &mut new, &asked, io)? else { return Ok(Exit::Findings) };
    let mut changes = changes::between(&old_plan, &new_plan);
    changes.settings = changes::settings_between(&old.settings_in_words(), &new.settings_in_words());
    let (old, new) = (&old.file.name, &new.file.name);
    let text = match args.format {
        DiffFormat::Json => {
            let report = json!({
                "format_version": changes::FORMAT_VERSION,
                "old": old,
                "new": new,
                "differences": changes.count(),
                "changes": changes,
            });
            findings::pretty(&report)
        }
        DiffFormat::Markdown => show::draw(&changes, old, new, show::Draw::Markdown),
        DiffFormat::Text => show::draw(&changes, old, new, show::Draw::Text),
    };
    if args.format == DiffFormat::Json {
        io.write_stdout(&text)?
    } else {
        io.print(&text)?
    }
    if changes.is_empty() && !io.quiet {
        io.message(format_args!("{old} and {new} mean the same"));
    }
    Ok(if changes.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// Takes the plans of both maps; nothing when one has errors (or warnings, where they count), which are then printed.
pub(super) fn plans(old: &mut Analysis, new: &mut Analysis, asked: &ReportArgs, io: &Io) -> Result<Option<(Plan, Plan)>, Stop> {
    let mut failed = false;
    for analysis in [&*old, &*new] {
        if findings::exit_of(&analysis.findings, asked)? != Exit::Clean {
            // one report is what standard output can hold
            read::print_findings(analysis, asked, io, !failed && asked.format != FindingFormat::Text, false)?;
            failed = true;
        }
    }
    Ok(old.plan.take().zip(new.plan.take()).filter(|_| !failed))
}
