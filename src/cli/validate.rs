//! `logmap validate`: every rule on a map, or on several. Findings are its data; with `-v` also the budget of each policy.

use super::{
    Outcome, Stop,
    args::{ReportArgs, ValidateArgs},
    baseline, findings, fix,
    io::Io,
    read, report,
};
use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{self, Finding, Report, Suppressed, Suppression},
    folders::Disk,
    included::{self, Folder, Sources},
    several,
    source::FileId,
};
use anyhow::{Context, anyhow};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Most files that are looked at in a folder.
const MOST_FILES: usize = 200_000;

pub(super) fn run(args: &ValidateArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let is_folder = args.map.map.as_ref().is_some_and(|map| map.is_dir());
    if !args.more.is_empty() || is_folder {
        if args.fix || args.diff || args.map.stdin_filename.is_some() {
            return Err(Stop::usage(anyhow!("`--fix`, `--diff` and `--stdin-filename` take one map at a time")));
        }
        return together(&maps(args)?, asked, io);
    }
    if args.fix || args.diff {
        return fix::run(args, io);
    }
    let mut analysis = read::read_map(&args.map, &asked.known, io)?;
    baseline::apply(&mut analysis, asked, io)?;
    report::report(&analysis, asked, io)
}

/// The maps that were named, those of a folder in the order of their names.
///
/// # Errors
/// A folder has none, or can't be looked into: exit code 2.
fn maps(args: &ValidateArgs) -> Result<Vec<PathBuf>, Stop> {
    let mut all = Vec::new();
    for path in args.map.map.iter().chain(&args.more) {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let folder = Disk::beside(&path.join("logmap.yaml"));
        let is_map = |file: &PathBuf| file.file_name().is_some_and(|name| included::is_map_name(&name.to_string_lossy()));
        let files = folder.files("", MOST_FILES).with_context(|| format!("can't look into {}", path.display()));
        let mut found: Vec<PathBuf> = files.map_err(Stop::usage)?.iter().map(|file| folder.path(file)).filter(is_map).collect();
        if found.is_empty() {
            return Err(Stop::usage(anyhow!("there is no logmap.yaml or *.logmap.yaml in {}", path.display())));
        }
        found.sort();
        all.append(&mut found);
    }
    let mut seen = BTreeSet::new();
    all.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(all)
}

/// One report of several maps, and of what is in two of them.
fn together(paths: &[PathBuf], asked: &ReportArgs, io: &Io) -> Outcome {
    let sources: Result<Vec<Sources>, Stop> =
        paths.iter().map(|path| Ok(asked.known.win_over(read::sources(path, read::read(path)?)))).collect();
    let mut sources = sources?;
    // a file that another map includes is looked at as a part of that
    let included: BTreeSet<String> = sources.iter().flat_map(|one| &one.included).map(|file| file.name.clone()).collect();
    sources.retain(|one| !included.contains(&one.map.name));
    let analyses: Vec<Analysis> = sources.into_iter().map(analyze).collect();
    let (mut files, mut found, mut suppressed, mut starts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for analysis in &analyses {
        let start = u32::try_from(files.len()).unwrap_or(u32::MAX);
        let put = |finding: &Finding| {
            let mut finding = finding.clone();
            finding.file.0 += start;
            finding.related.iter_mut().for_each(|related| related.file.0 += start);
            finding
        };
        let shown = analysis.shown();
        files.extend_from_slice(shown.files);
        found.extend(shown.findings.iter().map(put));
        suppressed.extend(shown.suppressed.iter().map(|one| Suppressed { finding: put(&one.finding), by: one.by.clone() }));
        starts.push(start);
    }
    let mut shared = several::shared(&analyses, &starts);
    for (analysis, start) in analyses.iter().zip(&starts) {
        let end = start + u32::try_from(analysis.file.files().len()).unwrap_or(u32::MAX);
        suppressed.extend(analysis.chosen.apply_where(&mut shared, |finding| (*start..end).contains(&finding.file.0)));
        baseline::say_own(analysis, io);
    }
    found.extend(shared);
    diagnostics::sort(&mut found);
    let route = |finding: &Finding| {
        let at = starts.partition_point(|start| *start <= finding.file.0).saturating_sub(1);
        let start = starts.get(at).copied().unwrap_or(0);
        let local = finding.clone().in_file(FileId(finding.file.0 - start));
        analyses.get(at).map_or_else(String::new, |analysis| analysis.route(&local))
    };
    let known = baseline::known(&Report { files: &files, findings: &found, suppressed: &[], route: &route }, asked, io)?;
    let mut known = known.into_iter().flatten();
    let hidden = found.extract_if(.., |_| known.next().unwrap_or(false));
    suppressed.extend(hidden.map(|finding| Suppressed { finding, by: Suppression::Baseline }));
    let subject = match analyses.as_slice() {
        [one] => one.file.name.clone(),
        several => format!("{} maps", several.len()),
    };
    let all = Report { files: &files, findings: &found, suppressed: &suppressed, route: &route };
    findings::print(&all, &subject, asked, io, true, true)?;
    analyses.iter().filter(|_| found.is_empty()).for_each(|analysis| report::clean(analysis, asked, io));
    findings::exit_of(&found, asked)
}
