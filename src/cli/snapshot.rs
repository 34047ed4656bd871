//! `logmap snapshot`: the program that reads the accounts of a map. It runs nothing itself.

use super::{
    Outcome,
    args::{KnownArgs, ReportArgs, SnapshotArgs},
    exit::Exit,
    findings,
    io::Io,
    read,
};
use crate::render::snapshot;

pub(super) fn run(args: &SnapshotArgs, io: &Io) -> Outcome {
    let asked = &ReportArgs::text(&args.severity);
    let mut analysis = read::read_map(&args.map, &KnownArgs::default(), io)?;
    read::print_findings(&analysis, asked, io, false, io.verbose)?;
    let exit = findings::exit_of(&analysis.findings, asked)?;
    let (Some(plan), Exit::Clean) = (analysis.plan.take(), exit) else { return Ok(Exit::Findings) };
    let super::args::SnapshotScript::Python = args.script;
    io.write_stdout(&snapshot::program(&plan))?;
    if !io.quiet {
        io.message(
            "run it where the credentials are, with Python and boto3: `python3 snapshot.py --out snapshot.json`; it only reads",
        );
    }
    Ok(Exit::Clean)
}
