//! `logmap check`: findings and verdicts on what others wrote.

use super::{
    Outcome, Stop,
    args::{CheckArgs, FindingFormat, MapArgs, ReportArgs},
    baseline,
    exit::Exit,
    findings,
    io::Io,
    read,
};
use crate::{
    aws::{limits, region},
    compare::{Verdict, report},
    diagnostics::{Finding, Report, json},
    inspection::{self, Inspection},
    observed::{Ignored, Told},
    source::SourceFile,
};
use anyhow::{Context, anyhow};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Endings of files that are read when they stand in a folder; any file is read that is named itself.
const ENDINGS: [&str; 7] = ["json", "yaml", "yml", "template", "tfplan", "policy", "csv"];
/// Folders of tools, which hold no inputs.
const PASSED_OVER: [&str; 3] = ["node_modules", "target", "__pycache__"];

pub(super) fn run(args: &CheckArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let told = told(args)?;
    let (files, mut unread) = inputs(&args.paths, io)?;
    let plan = match &args.map {
        Some(map) => {
            let analysis = read::read_map(&MapArgs { map: Some(map.clone()) }, io)?;
            let name = analysis.file.name.clone();
            analysis
                .plan
                .ok_or_else(|| Stop::usage(anyhow!("the map {name} has errors; `logmap validate {name}` shows them")))
                .map(Some)?
        }
        None => None,
    };
    let mut inspection = inspection::inspect(files, &told, plan.as_ref());
    inspection.ignored.append(&mut unread);
    inspection.ignored.sort();
    let known = {
        let route = |finding: &Finding| inspection.route(finding);
        let found = Report { files: &inspection.files, findings: &inspection.findings, route: &route };
        baseline::known(&found, asked, io)?
    };
    if let Some(known) = known {
        inspection.silence(&known);
    }
    print(&inspection, asked, io)?;
    let unknown = inspection.configurations.iter().any(|configuration| configuration.verdict() == Verdict::Unknown);
    if args.strict && (unknown || !inspection.ignored.is_empty() && inspection.configurations.is_empty()) {
        return Ok(Exit::Findings);
    }
    findings::exit_of(&inspection.findings, asked)
}

fn told(args: &CheckArgs) -> Result<Told, Stop> {
    if let Some(name) = args.region.as_ref().filter(|name| !region::is_well_formed(name)) {
        return Err(Stop::usage(anyhow!("`{name}` is not the name of a Region")));
    }
    if let Some(id) = args.account.as_ref().filter(|id| !limits::is_account_id(id)) {
        return Err(Stop::usage(anyhow!("`{id}` is not an account id of twelve digits")));
    }
    let parameters = parameters(&args.parameter)?;
    Ok(Told { region: args.region.clone(), account: args.account.clone(), parameters, ..Told::default() })
}

/// Takes `KEY=VALUE` apart.
pub(super) fn parameters(texts: &[String]) -> Result<Vec<(String, String)>, Stop> {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| Stop::usage(anyhow!("`{text}` is not KEY=VALUE")))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}

/// Reads every input, folders in the order of their names.
pub(super) fn inputs(paths: &[PathBuf], io: &Io) -> Result<(Vec<SourceFile>, Vec<Ignored>), Stop> {
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            let bytes = io.input().context("can't read standard input").map_err(Stop::usage)?;
            files.push(SourceFile::new("-", read::text_of(bytes)));
        } else if path.is_dir() {
            walk(path, &mut files, &mut unread);
        } else {
            let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display())).map_err(Stop::usage)?;
            files.push(SourceFile::new(path.display().to_string(), read::text_of(bytes)));
        }
    }
    Ok((files, unread))
}

/// Everything below a folder that could be an input. Links to folders are not followed: they may go in circles.
fn walk(folder: &Path, files: &mut Vec<SourceFile>, unread: &mut Vec<Ignored>) {
    let mut entries: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
        Err(error) => return unread.push(failed(folder, &error)),
    };
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let link = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
        if path.is_dir() {
            if !link && !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
                walk(&path, files, unread);
            }
        } else if ENDINGS.iter().any(|ending| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))) {
            match fs::read(&path) {
                Ok(bytes) => files.push(SourceFile::new(path.display().to_string(), read::text_of(bytes))),
                Err(error) => unread.push(failed(&path, &error)),
            }
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Ignored {
    Ignored { file: path.display().to_string(), reason: format!("it can't be read: {error}") }
}

fn print(inspection: &Inspection, asked: &ReportArgs, io: &Io) -> Result<(), Stop> {
    let route = |finding: &Finding| inspection.route(finding);
    let found = Report { files: &inspection.files, findings: &inspection.findings, route: &route };
    if asked.format == FindingFormat::Json {
        let mut value = json::report(&found);
        if let Some(object) = value.as_object_mut() {
            object.insert("configurations".to_owned(), report::configurations(&inspection.files, &inspection.configurations));
            let ignored =
                inspection.ignored.iter().map(|ignored| serde_json::json!({ "file": ignored.file, "reason": ignored.reason }));
            object.insert("ignored".to_owned(), ignored.collect());
        }
        io.data(&findings::pretty(&value))?;
        return Ok(());
    }
    findings::print(&found, "check", asked, io, true, true)?;
    if asked.format != FindingFormat::Text {
        return Ok(());
    }
    let mut counts = [0usize; 3];
    let mut text = String::new();
    for configuration in &inspection.configurations {
        let verdict = configuration.verdict();
        counts[verdict as usize] += 1;
        if verdict == Verdict::Violation || (verdict == Verdict::Ok && !io.verbose) || io.quiet {
            continue;
        }
        let file = configuration.place.file.of(&inspection.files);
        let place = file.map_or_else(String::new, |file| file.place(configuration.place.span.start));
        text += &format!("{}: {place}: {}\n", verdict.word(), configuration.words());
        text.extend(configuration.unknown.iter().map(|reason| format!("  {reason}\n")));
    }
    io.data(&text)?;
    if !io.quiet {
        // in a folder most files are nobody's concern
        for ignored in inspection.ignored.iter().filter(|ignored| io.verbose || !ignored.reason.starts_with("it is none of")) {
            io.say(format_args!("{}: not read: {}", ignored.file, ignored.reason));
        }
        let others = inspection.ignored.iter().filter(|ignored| ignored.reason.starts_with("it is none of")).count();
        let others = if others > 0 && !io.verbose { format!("; {others} other file(s)") } else { String::new() };
        io.say(format_args!("{} ok, {} violation(s), {} unknown{others}", counts[0], counts[2], counts[1]));
    }
    Ok(())
}
