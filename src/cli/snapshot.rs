//! `logmap snapshot`: what is in the accounts of a map, as a file; or the program that makes it elsewhere.

use super::{
    Outcome,
    args::{AskedBuckets, KnownArgs, ReportArgs, SnapshotArgs, SnapshotScript},
    exit::Exit,
    findings, generate,
    io::Io,
    live::{self, Wanted},
    read,
    writing::not_written,
};
use crate::{disk::replace, render::snapshot::program, scope::Scope, snapshot};
use anyhow::Context;

pub(super) fn run(args: &SnapshotArgs, io: &Io) -> Outcome {
    let asked = &ReportArgs::text(&args.severity);
    let mut analysis = read::read_map(&args.map, &KnownArgs::default(), io)?;
    read::print_findings(&analysis, asked, io, false, io.verbose)?;
    let exit = findings::exit_of(&analysis.findings, asked)?;
    let (Some(plan), Exit::Clean) = (analysis.plan.take(), exit) else { return Ok(Exit::Findings) };
    generate::filter(&args.account, &args.region, &plan)?;
    let scope = Scope::of(&plan);
    if let Some(SnapshotScript::Python) = args.script {
        io.write_stdout(&program(&scope).context("can't write the map's part of the program")?)?;
        if !io.quiet {
            io.message(
                "run it where the credentials are, with Python and boto3: `python3 snapshot.py --out snapshot.json`; it only reads",
            );
        }
        return Ok(Exit::Clean);
    }
    let wanted = Wanted {
        accounts: &args.account,
        regions: &args.region,
        organization: args.organization,
        mapped: args.buckets == AskedBuckets::Mapped,
        days: args.delivery.then(|| u32::from(args.days)),
        redact_tags: args.redact_tags,
    };
    let taken = live::read(scope, &wanted, &args.reading, io)?;
    if args.out.as_os_str() == "-" {
        io.write_stdout(&taken.text)?;
    } else {
        // policies and tags are nobody else's concern
        replace::private_output(&args.out, taken.text.as_bytes(), |there| snapshot::begins(&String::from_utf8_lossy(there)))
            .map_err(|error| not_written(error, "--out"))?;
    }
    Ok(if taken.failed { Exit::Failure } else { Exit::Clean })
}
