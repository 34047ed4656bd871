//! `logmap check`: findings and verdicts on what others wrote.

use super::{
    Outcome, Stop,
    args::{CheckArgs, FindingFormat, KnownArgs, MapArgs, ReportArgs},
    baseline,
    exit::Exit,
    findings,
    io::Io,
    read,
};
use crate::{
    aws::{limits, region},
    catalog::inputs::NOT_READ,
    compare::{Verdict, report},
    diagnostics::{Finding, Report, json},
    escape::shown,
    inspection::{self, Inspection},
    observed::{Ignored, NotRead, Told},
    rules::settings::Chosen,
    source::Origin,
};
use anyhow::anyhow;

pub(super) fn run(args: &CheckArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let told = told(args)?;
    let (mut files, mut unread) = read::inputs(&args.paths, args.stdin_filename.as_deref(), io)?;
    if args.skip_unrelated {
        files.iter_mut().filter(|file| file.origin == Origin::Named).for_each(|file| file.origin = Origin::Offered);
    }
    let (plan, chosen) = match &args.map {
        Some(map) => {
            let analysis = read::read_map(&MapArgs::of(map), &KnownArgs::default(), io)?;
            let name = analysis.file.name.clone();
            let plan = analysis
                .plan
                .ok_or_else(|| Stop::usage(anyhow!("the map {name} has errors; `logmap validate {name}` shows them")))?;
            (Some(plan), analysis.chosen)
        }
        None => (None, Chosen::default()),
    };
    let mut inspection = inspection::inspect(files, &told, plan.as_ref());
    inspection.choose(&chosen);
    inspection.ignored.append(&mut unread);
    inspection.ignored.sort();
    let known = {
        let route = |finding: &Finding| inspection.route(finding);
        let found = Report { files: &inspection.files, findings: &inspection.findings, suppressed: &[], route: &route };
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

fn print(inspection: &Inspection, asked: &ReportArgs, io: &Io) -> Result<(), Stop> {
    let route = |finding: &Finding| inspection.route(finding);
    let found =
        Report { files: &inspection.files, findings: &inspection.findings, suppressed: &inspection.suppressed, route: &route };
    if asked.format == FindingFormat::Json {
        let ignored = inspection
            .ignored
            .iter()
            .map(|ignored| serde_json::json!({ "file": ignored.file, "reason": ignored.reason.to_string() }));
        let more = [
            ("configurations", report::configurations(&inspection.files, &inspection.configurations)),
            ("ignored", ignored.collect()),
        ];
        io.write_json(&json::report(&found, &more))?;
        return Ok(());
    }
    findings::print(&found, "check", asked, io, true, true)?;
    if asked.format != FindingFormat::Text {
        return Ok(());
    }
    let (mut counts, mut suppressed) = ([0usize; 3], 0);
    let mut text = String::new();
    for configuration in &inspection.configurations {
        let verdict = configuration.verdict();
        counts[verdict as usize] += 1;
        let known = configuration.is_suppressed();
        suppressed += usize::from(known);
        // what is wrong is in the findings
        if (verdict == Verdict::Violation && !known) || (verdict == Verdict::Ok && !io.verbose) || io.quiet {
            continue;
        }
        let word = if known { "violation, suppressed" } else { verdict.word() };
        let file = configuration.place.file.of(&inspection.files);
        let place = file.map_or_else(String::new, |file| file.place(configuration.place.span.start));
        text += &format!("{word}: {}: {}", shown::line(&place), shown::line(&configuration.words()));
        if io.verbose {
            text += "\n";
            text.extend(configuration.unknown.iter().map(|reason| format!("  {}\n", shown::line(reason))));
            continue;
        }
        // whether the logs are let in is asked last, and says most
        text += &match (configuration.unknown.last(), configuration.unknown.len()) {
            (None, _) => String::new(),
            (Some(reason), 1) => format!(": {}", shown::line(reason)),
            (Some(reason), count) => format!(": {} (and {} more; `-v`)", shown::line(reason), count - 1),
        };
        text += "\n";
    }
    io.print(&text)?;
    if !io.quiet {
        // in a folder most files are nobody's concern
        let found: Vec<&str> = inspection
            .findings
            .iter()
            .filter(|finding| finding.rule == &NOT_READ)
            .filter_map(|finding| Some(finding.file.of(&inspection.files)?.name.as_str()))
            .collect();
        let listed = |ignored: &&Ignored| io.verbose || ignored.reason != NotRead::Unrelated;
        for ignored in inspection.ignored.iter().filter(listed).filter(|ignored| !found.contains(&ignored.file.as_str())) {
            io.message(format_args!("{}: not read: {}", ignored.file, ignored.reason));
        }
        let others = inspection.ignored.iter().filter(|ignored| ignored.reason == NotRead::Unrelated).count();
        let others = if others > 0 && !io.verbose { format!("; {others} other file(s)") } else { String::new() };
        let known = if suppressed > 0 { format!(", {suppressed} of them suppressed") } else { String::new() };
        io.message(format_args!("{} ok, {} violation(s){known}, {} unknown{others}", counts[0], counts[2], counts[1]));
    }
    Ok(())
}
