//! What `validate` says of a map, before a fix or after it.

use super::{
    Outcome,
    args::{FindingFormat, ReportArgs},
    findings,
    io::Io,
    read,
};
use crate::{
    analysis::Analysis,
    plan::{Plan, prove::Kind},
};

/// Prints what was found, and what is good.
pub(super) fn report(analysis: &Analysis, asked: &ReportArgs, io: &Io) -> Outcome {
    read::print_findings(analysis, asked, io, true, true)?;
    clean(analysis, asked, io);
    findings::exit_of(&analysis.findings, asked)
}

/// What is good about a map.
pub(super) fn clean(analysis: &Analysis, asked: &ReportArgs, io: &Io) {
    if let Some(plan) = &analysis.plan {
        if io.verbose && asked.format == FindingFormat::Text {
            io.write_stderr(&super::budgets::budgets(plan, usize::MAX));
            io.write_stderr(&proofs(plan));
        }
        if !io.quiet && analysis.findings.is_empty() && asked.format == FindingFormat::Text {
            let sources: usize = plan
                .placements()
                .map(|(_, placement)| placement.sources.iter().filter(|source| !source.is_log_bucket).count())
                .sum();
            let placements = plan.placements().count();
            io.message(format_args!(
                "{}: no findings; {} account(s), {placements} Region(s), {sources} source(s)",
                analysis.file.name,
                plan.accounts.len()
            ));
        }
    }
}

/// What was shown of each policy: how many requests were asked about, and which statements decided.
fn proofs(plan: &Plan) -> String {
    let mut text = String::new();
    for bucket in plan.placements().flat_map(|(_, placement)| &placement.buckets) {
        text += &format!("proof of {}\n", bucket.name);
        for row in &bucket.proof.rows {
            let by = if row.by.is_empty() { "nothing lets it in".to_owned() } else { row.by.join(", ") };
            let by = if row.kind == Kind::OwnerNotLockedOut { "no statement denies it".to_owned() } else { by };
            let verdict = if row.failures.is_empty() { "holds" } else { "FAILS" };
            text += &format!("  {verdict}  {:<24} {:>6} asked  {by}\n", row.kind.words(), row.asked);
        }
        for one in &bucket.proof.admitted {
            let sid = if one.sid.is_empty() { "a statement without a Sid" } else { &one.sid };
            text += &format!("  let in by the map: {} may {} ({sid})\n", one.who.join(", "), one.actions.join(", "));
        }
    }
    text
}
