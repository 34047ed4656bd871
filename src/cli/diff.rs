//! `logmap diff`: what changes in meaning between two maps. The differences are its data.

use super::{
    Outcome, Stop,
    args::{Common, DiffArgs, Format},
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
use anyhow::anyhow;
use serde_json::json;

pub(super) fn run(args: &DiffArgs, common: &Common, io: &Io) -> Outcome {
    if !matches!(common.format, Format::Json | Format::Text | Format::Markdown) {
        return Err(Stop::usage(anyhow!(
            "differences are written as text, json or markdown; sarif, github and junit are for findings"
        )));
    }
    let (mut old, mut new) = revision::read_pair(&args.maps, io)?;
    let Some((old_plan, new_plan)) = plans(&mut old, &mut new, common, io)? else { return Ok(Exit::Findings) };
    let changes = changes::between(&old_plan, &new_plan);
    let (old, new) = (&old.file.name, &new.file.name);
    let text = match common.format {
        Format::Json => {
            let report = json!({
                "format_version": changes::FORMAT_VERSION,
                "old": old,
                "new": new,
                "differences": changes.count(),
                "changes": changes,
            });
            findings::pretty(&report)
        }
        Format::Markdown => show::draw(&changes, old, new, show::Draw::Markdown),
        _ => show::draw(&changes, old, new, show::Draw::Text),
    };
    io.data(&text)?;
    if changes.is_empty() && !io.quiet {
        io.say(format_args!("{old} and {new} mean the same"));
    }
    Ok(if changes.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// Takes the plans of both maps; nothing when one has errors (or warnings, where they count), which are then printed.
pub(super) fn plans(old: &mut Analysis, new: &mut Analysis, common: &Common, io: &Io) -> Result<Option<(Plan, Plan)>, Stop> {
    let mut failed = false;
    for analysis in [&*old, &*new] {
        if findings::exit_of(&analysis.findings, common)? != Exit::Clean {
            // one report is what standard output can hold
            read::print_findings(
                analysis,
                common,
                io,
                !failed && !matches!(common.format, Format::Text | Format::Markdown),
                false,
            )?;
            failed = true;
        }
    }
    Ok(old.plan.take().zip(new.plan.take()).filter(|_| !failed))
}
