//! `logmap import`: what others wrote → a region map, or what one lacks. The map goes to standard output; what is guessed or
//! left out, to standard error.

use super::{
    Outcome, Stop,
    args::{FindingFormat, ImportArgs, MapArgs, ReportArgs, WhoseAccounts},
    baseline, check,
    exit::Exit,
    findings,
    io::Io,
    live::{self, Wanted},
    read::{self, Rewriting},
    writing::not_written,
};
use crate::{
    analysis::{self, Analysis},
    aws::{limits, region},
    diagnostics::{Finding, Report, Severity, Suppressed, Suppression},
    disk::{self, replace::output},
    import::{self, GivenAccount, Imported, Options},
    map::effective,
    scope::Scope,
    source::{FileId, SourceFile},
};
use anyhow::{Context, anyhow};
use std::{fs, path::Path};

pub(super) fn run(args: &ImportArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    // standard error holds the report, and in a machine's format nothing beside it
    let io = &io.quieter(asked.format != FindingFormat::Text);
    let options = options(args)?;
    if let Some(out) = args.out.as_ref().filter(|out| !args.force && fs::symlink_metadata(out).is_ok()) {
        return Err(Stop::usage(anyhow!("{} exists already; `--into` extends a map, `--force` overwrites", out.display())));
    }
    if args.live.is_none() && args.reading.is_set() {
        return Err(Stop::usage(anyhow!("`--role` and `--profile` say how accounts are read: give `--live`, too")));
    }
    let (mut files, mut unread) = read::inputs(&args.files, args.stdin_filename.as_deref(), io)?;
    let before = args.into.as_ref().map(|into| map_to_extend(into, io)).transpose()?;
    if let Some(whose) = args.live {
        let plan = before.as_ref().and_then(|(map, _)| map.plan.as_ref());
        let wanted = Wanted { organization: whose == WhoseAccounts::Organization, ..Wanted::default() };
        let taken = live::read(plan.map(Scope::of).unwrap_or_default(), &wanted, &args.reading, io)?;
        files.push(SourceFile::new("live snapshot", taken.text));
    }
    let mut imported = import::import(files, &options, before.as_ref().map(|(analysis, _)| analysis));
    imported.ignored.append(&mut unread);
    imported.ignored.sort();
    let known = {
        let route = |finding: &Finding| imported.route(finding);
        let report = Report { files: &imported.files, findings: &imported.findings, suppressed: &[], route: &route };
        baseline::known(&report, asked, io)?
    };
    if let Some(known) = known {
        let mut known = known.into_iter();
        let hidden = imported.findings.extract_if(.., |_| known.next().unwrap_or(false));
        imported.suppressed.extend(hidden.map(|finding| Suppressed { finding, by: Suppression::Baseline }));
    }
    say(&imported, asked, io)?;
    // a map that is there is not made worse
    let Some(map) = imported.map.as_ref().filter(|_| before.is_none() || imported.broken.is_empty()) else {
        return Ok(Exit::Findings);
    };
    let changed = match (&before, &args.out) {
        (Some((before, rewriting)), _) => {
            let (old, new) = (before.file.files(), map.file.files());
            let was = |file: &SourceFile| old.iter().find(|old| old.name == file.name);
            let changed: Vec<&SourceFile> = new.iter().filter(|file| was(file).is_none_or(|old| old.text != file.text)).collect();
            for file in &changed {
                if args.diff {
                    let before = was(file).map_or("", |old| old.text.as_str());
                    io.print(&disk::unified(&file.name, "as it is", "with what was imported", before, &file.text))?;
                } else if was(file).is_none() {
                    if let Some(folder) = Path::new(&file.name).parent() {
                        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
                    }
                    write(Path::new(&file.name), &file.text, false)?;
                    said(io, format_args!("wrote {}", file.name));
                } else if file.name != "-" {
                    rewriting.write(file)?;
                    said(io, format_args!("extended {}", file.name));
                }
            }
            if before.file.name == "-" && !args.diff {
                io.write_stdout(new.first().map_or("", |map| map.text.as_str()))?;
            } else if changed.is_empty() && !args.diff {
                said(io, format_args!("{} has all of it already", before.file.name));
            }
            args.diff && !changed.is_empty()
        }
        (None, Some(out)) => {
            write(out, &map.file.text, args.force)?;
            if !io.quiet {
                io.message(format_args!("wrote {}", out.display()));
            }
            false
        }
        (None, None) => {
            io.write_stdout(&map.file.text)?;
            false
        }
    };
    if !io.quiet && asked.format == FindingFormat::Text {
        summary(map, io);
    }
    if changed || !imported.broken.is_empty() {
        return Ok(Exit::Findings);
    }
    findings::exit_of(&imported.findings, asked)
}

fn options(args: &ImportArgs) -> Result<Options, Stop> {
    if let Some(name) = args.region.as_ref().filter(|name| !region::is_well_formed(name)) {
        return Err(Stop::usage(anyhow!("`{name}` is not the name of a Region")));
    }
    if let Some(name) = args.organization.as_ref().filter(|name| !effective::is_org_name(name)) {
        return Err(Stop::usage(anyhow!("`{name}` can't be a part of bucket names: use lower-case letters, digits and hyphens")));
    }
    let mut accounts: Vec<GivenAccount> = Vec::new();
    for text in &args.account {
        let (key, id) = text.split_once('=').map_or((None, text.as_str()), |(key, id)| (Some(key), id));
        if !limits::is_account_id(id) || key.is_some_and(|key| !effective::is_account_key(key)) {
            return Err(Stop::usage(anyhow!(
                "`{text}` is neither an account id of twelve digits nor KEY=ID, a short lower-case key and such an id"
            )));
        }
        let again = |other: &GivenAccount| other.id == id || key.is_some() && other.key.as_deref() == key;
        if accounts.iter().any(again) {
            return Err(Stop::usage(anyhow!("`{text}` has a key or an id that another --account has")));
        }
        accounts.push(GivenAccount { key: key.map(str::to_owned), id: id.to_owned() });
    }
    let parameters = check::parameters(&args.parameter)?;
    Ok(Options { accounts, region: args.region.clone(), parameters, organization: args.organization.clone() })
}

/// Says what was done, but for `--quiet`.
fn said(io: &Io, what: std::fmt::Arguments<'_>) {
    if !io.quiet {
        io.message(what);
    }
}

/// The map that is extended, and what writes its files.
fn map_to_extend(into: &Path, io: &Io) -> Result<(Analysis, Rewriting), Stop> {
    let map = read::read_bytes(&MapArgs::of(into), io)?;
    let rewriting = Rewriting::of(&map, "extended")?;
    let analysis = analysis::analyze(map.sources());
    if analysis.document.root.is_none() || analysis.document.broken {
        let name = &analysis.file.name;
        return Err(Stop::usage(anyhow!("the map {name} can't be read; `logmap validate {name}` says why")));
    }
    Ok((analysis, rewriting))
}

/// Writes a map that is not there, or with `force` one that an earlier `import` wrote.
fn write(out: &Path, text: &str, force: bool) -> Result<(), Stop> {
    if force {
        return output(out, text.as_bytes(), import::is_own_map).map_err(|error| not_written(error, "--out"));
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(out);
    let written = file.as_mut().map_err(|error| std::io::Error::from(error.kind()));
    written
        .and_then(|file| std::io::Write::write_all(file, text.as_bytes()))
        .with_context(|| format!("can't write {}", out.display()))?;
    Ok(())
}

/// Says what was found: guesses and omissions a line each, the rest as everywhere.
fn say(imported: &Imported, asked: &ReportArgs, io: &Io) -> Result<(), Stop> {
    if asked.format != FindingFormat::Text {
        return report(imported, asked, io);
    }
    let route = |finding: &Finding| imported.route(finding);
    let (notes, errors): (Vec<Finding>, Vec<Finding>) =
        imported.findings.iter().cloned().partition(|finding| finding.severity() == Severity::Info);
    findings::print(
        &Report { files: &imported.files, findings: &errors, suppressed: &[], route: &route },
        "import",
        asked,
        io,
        false,
        true,
    )?;
    if let Some(map) = imported.map.as_ref().filter(|_| !imported.broken.is_empty()) {
        let route = |finding: &Finding| map.route(finding);
        let broken: Vec<Finding> = imported.broken.iter().map(|finding| finding.clone().located(&map.file)).collect();
        let report = Report { files: map.file.files(), findings: &broken, suppressed: &[], route: &route };
        findings::print(&report, &map.file.name, asked, io, false, true)?;
    }
    if !io.quiet {
        for note in &notes {
            let file = note.file.of(&imported.files);
            let place = file.map_or_else(String::new, |file| file.place(note.span.start) + ": ");
            io.message(format_args!("{place}{}", note.message));
        }
        for ignored in &imported.ignored {
            io.message(format_args!("{}: not read: {}", ignored.file, ignored.reason));
        }
    }
    Ok(())
}

/// One report of all that was found, in the inputs and in the map that they would make.
fn report(imported: &Imported, asked: &ReportArgs, io: &Io) -> Result<(), Stop> {
    let map = imported.map.as_ref().filter(|_| !imported.broken.is_empty());
    let of_map = u32::try_from(imported.files.len()).unwrap_or(u32::MAX);
    let mut files = imported.files.clone();
    let mut found = imported.findings.clone();
    if let Some(map) = map {
        files.extend_from_slice(map.file.files());
        found.extend(imported.broken.iter().map(|finding| {
            let mut finding = finding.clone().located(&map.file);
            finding.file.0 += of_map;
            finding.related.iter_mut().for_each(|related| related.file.0 += of_map);
            finding
        }));
    }
    let route = |finding: &Finding| match (map, finding.file.0.checked_sub(of_map)) {
        (Some(map), Some(file)) => map.route(&finding.clone().in_file(FileId(file))),
        _ => imported.route(finding),
    };
    findings::print(
        &Report { files: &files, findings: &found, suppressed: &imported.suppressed, route: &route },
        "import",
        asked,
        io,
        false,
        true,
    )
}

fn summary(map: &Analysis, io: &Io) {
    let Some(plan) = map.derived() else { return };
    let placements = || plan.placements();
    let sources: usize =
        placements().map(|(_, placement)| placement.sources.iter().filter(|source| !source.is_log_bucket).count()).sum();
    let adopted = placements().flat_map(|(_, placement)| &placement.buckets).filter(|bucket| bucket.adopt.is_some()).count();
    io.message(format_args!(
        "the map: {} account(s), {} Region(s), {sources} source(s), {adopted} adopted log bucket(s)",
        plan.accounts.len(),
        placements().count()
    ));
}
