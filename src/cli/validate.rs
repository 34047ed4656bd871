//! `logmap validate`: every rule on a map. Findings are its data; with `-v` also the budget of each policy.

use super::{Outcome, args::ValidateArgs, baseline, fix, io::Io, read, report::report};

pub(super) fn run(args: &ValidateArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    if args.fix || args.diff {
        return fix::run(args, io);
    }
    let mut analysis = read::read_map(&args.map, io)?;
    baseline::apply(&mut analysis, asked, io)?;
    report(&analysis, asked, io)
}
