//! `logmap validate --fix` and `--diff`: the fixes of the findings, made in the map or shown.

use super::{
    Outcome,
    args::ValidateArgs,
    baseline,
    exit::Exit,
    findings,
    io::Io,
    read::{self, Rewriting},
    report::report,
};
use crate::{disk, fix, source::SourceFile};

pub(super) fn run(args: &ValidateArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let map = read::read_bytes(&args.map, io)?;
    let rewriting = Rewriting::of(&map, "fixed")?;
    let is_stdin = map.is_stdin;
    let sources = asked.known.win_over(map.sources());
    let before: Vec<SourceFile> = std::iter::once(&sources.map).chain(&sources.included).cloned().collect();
    let mut fixed = fix::fix(sources, args.unsafe_fixes);
    let after = fixed.analysis.file.files().to_vec();
    baseline::apply(&mut fixed.analysis, asked, io)?;
    if !io.quiet {
        let verb = if args.diff { "would fix" } else { "fixed" };
        for made in &fixed.made {
            io.message(format_args!("{verb} {} at {}: {}", made.rule, made.place, made.title));
        }
    }
    let changed: Vec<(&SourceFile, &SourceFile)> =
        before.iter().zip(&after).filter(|(before, after)| before.text != after.text).collect();
    if args.diff {
        for (before, after) in &changed {
            io.print(&disk::unified(&before.name, "as it is", "fixed", &before.text, &after.text))?;
        }
        return if changed.is_empty() { findings::exit_of(&fixed.analysis.findings, asked) } else { Ok(Exit::Findings) };
    }
    if is_stdin {
        io.write_stdout(after.first().map_or("", |map| map.text.as_str()))?;
        // only the map itself comes from there
        for (_, after) in changed.iter().filter(|(before, _)| before.name != fixed.analysis.file.name) {
            io.message(format_args!("{} would be changed, too; fix the map where it stands", after.name));
        }
        read::print_findings(&fixed.analysis, asked, io, false, true)?;
        return findings::exit_of(&fixed.analysis.findings, asked);
    }
    for (_, after) in changed {
        rewriting.write(after)?;
    }
    report(&fixed.analysis, asked, io)
}
