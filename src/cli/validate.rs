//! `logmap validate`: every rule on a map. Findings are its data; with `-v` also the budget of each policy.

use super::{
    Outcome,
    args::{Common, Format, MapArgs},
    io::Io,
    read,
};

pub(super) fn run(args: &MapArgs, common: &Common, io: &Io) -> Outcome {
    let analysis = read::read_map(args, io)?;
    read::print_findings(&analysis, common, io, true, true)?;
    if let Some(plan) = &analysis.plan {
        if io.verbose && common.format == Format::Text {
            io.talk(&super::generate::budgets(plan, usize::MAX));
        }
        if !io.quiet && analysis.findings.is_empty() && common.format == Format::Text {
            let sources: usize = plan.accounts.iter().flat_map(|account| &account.places).map(|place| place.sources.len()).sum();
            let places: usize = plan.accounts.iter().map(|account| account.places.len()).sum();
            io.say(format_args!(
                "{}: no findings; {} accounts, {places} Regions, {sources} sources",
                analysis.file.name,
                plan.accounts.len()
            ));
        }
    }
    read::exit_of(&analysis, common)
}
