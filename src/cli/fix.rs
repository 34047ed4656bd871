//! `logmap validate --fix` and `--diff`: the fixes of the findings, made in the map or shown.

use super::{Outcome, args::ValidateArgs, baseline, exit::Exit, findings, io::Io, read, report::report};
use crate::{
    disk::{self, replace::replace},
    fix,
};

pub(super) fn run(args: &ValidateArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let map = read::read_bytes(&args.map, io)?;
    let marked = map.is_marked("fixed")?;
    let (path, is_stdin) = (map.path.clone(), map.is_stdin);
    let file = map.file();
    let (name, before) = (file.name.clone(), file.text.clone());
    let mut fixed = fix::fix(file, args.unsafe_fixes);
    let after = fixed.analysis.file.text.clone();
    baseline::apply(&mut fixed.analysis, asked, io)?;
    if !io.quiet {
        let verb = if args.diff { "would fix" } else { "fixed" };
        for made in &fixed.made {
            io.message(format_args!("{verb} {} at {name}:{}: {}", made.rule, made.line, made.title));
        }
    }
    if args.diff {
        io.print(&disk::unified(&name, "as it is", "fixed", &before, &after))?;
        return if after == before { findings::exit_of(&fixed.analysis.findings, asked) } else { Ok(Exit::Findings) };
    }
    if is_stdin {
        io.write_stdout(&after)?;
        read::print_findings(&fixed.analysis, asked, io, false, true)?;
        return findings::exit_of(&fixed.analysis.findings, asked);
    }
    if after != before {
        let mark = if marked { read::BYTE_ORDER_MARK } else { b"" };
        replace(&path, &[mark, after.as_bytes()].concat())?;
    }
    report(&fixed.analysis, asked, io)
}
