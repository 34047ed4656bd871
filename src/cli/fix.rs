//! `logmap validate --fix` and `--diff`: the fixes of the findings, made in the map or shown.

use super::{Outcome, Stop, args::ValidateArgs, baseline, exit::Exit, findings, io::Io, read, report::report};
use crate::{
    disk::{self, replace::replace},
    fix,
    source::SourceFile,
};
use anyhow::anyhow;
use std::path::Path;

pub(super) fn run(args: &ValidateArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let (name, bytes) = read::read_bytes(&args.map, io)?;
    if matches!(bytes.get(..2), Some([0xff, 0xfe] | [0xfe, 0xff])) {
        return Err(Stop::usage(anyhow!("{name} is UTF-16; save it as UTF-8 to have it fixed")));
    }
    let marked = bytes.starts_with(read::BYTE_ORDER_MARK);
    let file = SourceFile::of_bytes(name.clone(), bytes);
    let before = file.text.clone();
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
    if name == "-" {
        io.write_stdout(&after)?;
        read::print_findings(&fixed.analysis, asked, io, false, true)?;
        return findings::exit_of(&fixed.analysis.findings, asked);
    }
    if after != before {
        let mark = if marked { read::BYTE_ORDER_MARK } else { b"" };
        replace(Path::new(&name), &[mark, after.as_bytes()].concat())?;
    }
    report(&fixed.analysis, asked, io)
}
