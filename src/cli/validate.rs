//! `logmap validate`: every rule on a map. Findings are its data; with `-v` also the budget of each policy.

use super::{
    Outcome,
    args::{Common, ValidateArgs},
    baseline, fix,
    io::Io,
    read,
    report::report,
};

pub(super) fn run(args: &ValidateArgs, common: &Common, io: &Io) -> Outcome {
    if args.fix || args.diff {
        return fix::run(args, common, io);
    }
    let mut analysis = read::read_map(&args.map, io)?;
    baseline::apply(&mut analysis, common, io)?;
    report(&analysis, common, io)
}
