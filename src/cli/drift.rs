//! `logmap drift`: what is in the accounts, held against the map: by snapshots, or by reading the accounts now.

use super::{
    Outcome, Stop,
    args::{DriftArgs, DriftFormat, FindingFormat},
    baseline,
    exit::Exit,
    findings, generate,
    io::Io,
    live::{self, Wanted},
    mend::Mend,
    read,
};
use crate::{
    analysis::Analysis,
    catalog::live::UNREAD,
    diagnostics::{Finding, Report, Severity, Suppressed, Suppression, json},
    document::Document,
    drift::{self, Asked, CoverageRow, DeliveryRow, DeliveryVerdict, Drift, Window},
    escape,
    observed::json as reader,
    plan::Plan,
    scope::Scope,
    snapshot::{self, Snapshot},
    source::{FileId, SourceFile},
};
use anyhow::anyhow;
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn run(args: &DriftArgs, io: &Io) -> Outcome {
    let asked = &args.report();
    let grace = seconds_of(&args.grace)?;
    let as_of = args.as_of.as_ref().map(|text| instant(text)).transpose()?;
    let mut analysis = read::read_map(&args.map, &asked.known, io)?;
    let Some(plan) = analysis.plan.take() else {
        let name = &analysis.file.name;
        return Err(Stop::usage(anyhow!("the map {name} has errors; `logmap validate {name}` shows them")));
    };
    let filter = generate::filter(&args.account, &args.region, &plan)?;
    let files = if args.snapshot.is_empty() {
        vec![live(args, &plan, io)?]
    } else if args.reading.is_set() {
        return Err(Stop::usage(anyhow!("`--role` and `--profile` say how accounts are read, and with `--snapshot` none is")));
    } else {
        read::inputs(&args.snapshot, None, io)?.0
    };
    let documents = files.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let (earlier, _) = read::inputs(&args.since, None, io)?;
    let of_earlier = earlier.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let first = u32::try_from(analysis.file.files().len()).unwrap_or(u32::MAX);
    let snapshots = snapshots(&documents, &files, first)?;
    let since = self::snapshots(&of_earlier, &earlier, 0)?;
    let mend = Mend::of(&analysis);
    let window = args.delivery.then_some(Window { grace, as_of, since: &since });
    let wanted = Asked {
        account: &|account| filter.account(account),
        region: &|placement| filter.region(placement),
        coverage: args.coverage,
        delivery: window,
        things: false,
        mend: &|account, placement| mend.words(account, placement),
    };
    let mut found = drift::drift(&analysis, &plan, &snapshots, &wanted);
    found.suppressed.extend(analysis.chosen.apply(&mut found.findings));
    if args.strict {
        let unread = found.findings.iter_mut().filter(|finding| finding.rule == &UNREAD);
        unread.for_each(|finding| finding.set = Some(Severity::Error));
    }
    let shown_files: Vec<SourceFile> = analysis.file.files().iter().chain(&files).cloned().collect();
    let route = |finding: &Finding| match finding.file.0.checked_sub(first) {
        None => analysis.route(finding),
        Some(at) => documents.get(at as usize).map_or_else(String::new, |document| document.route(finding.span.start)),
    };
    let known = {
        let report = Report { files: &shown_files, findings: &found.findings, suppressed: &[], route: &route };
        baseline::known(&report, asked, io)?
    };
    if let Some(known) = known {
        let mut known = known.into_iter();
        let hidden = found.findings.extract_if(.., |_| known.next().unwrap_or(false));
        found.suppressed.extend(hidden.map(|finding| Suppressed { finding, by: Suppression::Baseline }));
    }
    let report = Report { files: &shown_files, findings: &found.findings, suppressed: &found.suppressed, route: &route };
    print(args, &analysis, &found, &report, io)?;
    exit_of(args, &found)
}

/// The accounts as they are now: a snapshot that is no file.
fn live(args: &DriftArgs, plan: &Plan, io: &Io) -> Result<SourceFile, Stop> {
    let wanted = Wanted {
        accounts: &args.account,
        regions: &args.region,
        organization: args.organization,
        mapped: !args.coverage,
        days: args.delivery.then(|| u32::from(args.days)),
        redact_tags: false,
    };
    let taken = live::read(Scope::of(plan), &wanted, &args.reading, io)?;
    Ok(SourceFile::new("live snapshot", taken.text))
}

/// Drift ends with 1. What was not read keeps the end from being 0: with 1 beside drift, with 3 where nothing else was found.
fn exit_of(args: &DriftArgs, found: &Drift) -> Outcome {
    let exit = findings::exit_of(&found.findings, &args.report())?;
    let unread = found.checked.unknown() > 0;
    let nothing = found.checked.known() == 0;
    Ok(match exit {
        Exit::Clean if unread && (nothing || !args.partial) => Exit::Failure,
        exit => exit,
    })
}

/// The tree of a file that is to be a snapshot.
///
/// # Errors
/// It is no JSON; the message has the place.
pub(super) fn parse(file: &SourceFile) -> Result<Document, Stop> {
    let (root, faults) = reader::read(&file.text);
    if let Some(fault) = faults.first() {
        let at = file.position(fault.span.start);
        return Err(Stop::usage(anyhow!(
            "{} is no snapshot: {} in line {}, column {}",
            file.name,
            fault.what,
            at.line,
            at.column
        )));
    }
    Ok(Document { root, ..Document::default() })
}

/// The snapshots in some files, which are the run's from this one on.
///
/// # Errors
/// A file is none that can be read; the message has the place.
pub(super) fn snapshots<'n>(documents: &'n [Document], files: &[SourceFile], first: u32) -> Result<Vec<Snapshot<'n>>, Stop> {
    let one = |((document, file), id): ((&'n Document, &SourceFile), u32)| {
        let root = document.root.as_ref().filter(|root| snapshot::is_one(root)).ok_or_else(|| {
            Stop::usage(anyhow!(
                "{} is no snapshot: `logmap snapshot --script python` prints the program that makes one; `logmap check` reads other files",
                file.name
            ))
        })?;
        Snapshot::read(root, FileId(id)).map_err(|wrong| Stop::usage(anyhow!("{}: {wrong}", file.place(wrong.span.start))))
    };
    documents.iter().zip(files).zip(first..).map(one).collect()
}

/// `12h`, `90m`, `2d`.
pub(super) fn seconds_of(text: &str) -> Result<i64, Stop> {
    const MOST: i64 = 30 * 86_400;
    let wrong = || Stop::usage(anyhow!("`{text}` is no time such as `12h`, `90m` or `2d`, of at most 30 days"));
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|seconds| (0..=MOST).contains(seconds)).ok_or_else(wrong)
}

fn instant(text: &str) -> Result<i64, Stop> {
    let is_whole = text.contains('T');
    crate::drift::seconds(text)
        .filter(|_| is_whole)
        .ok_or_else(|| Stop::usage(anyhow!("`{text}` is no instant such as `2026-11-30T06:00:00Z`")))
}

fn print(args: &DriftArgs, analysis: &Analysis, found: &Drift, report: &Report<'_>, io: &Io) -> Result<(), Stop> {
    let asked = &args.report();
    if args.format == DriftFormat::Markdown {
        io.write_stdout(&markdown(args, &analysis.file.name, found, report))?;
        return Ok(());
    }
    if asked.format == FindingFormat::Json {
        let more =
            [("checked", json!(found.checked)), ("coverage", json!(found.coverage)), ("deliveries", json!(found.deliveries))];
        io.write_json(&json::report(report, &more))?;
        return Ok(());
    }
    findings::print(report, "drift", asked, io, true, true)?;
    if asked.format != FindingFormat::Text || io.quiet {
        return Ok(());
    }
    found.notes.iter().for_each(|note| io.message(note));
    io.print(&tables(args, found, io.verbose))?;
    Ok(())
}

/// What was looked at, in columns.
fn tables(args: &DriftArgs, found: &Drift, verbose: bool) -> String {
    let mut text = format!("{:<18}{:>10}{:>10}{:>10}\n", "", "as mapped", "drifted", "unknown");
    for (what, count) in found.checked.rows() {
        let asked = match what {
            "unmapped buckets" => args.coverage,
            "deliveries" => args.delivery,
            _ => count.as_mapped + count.drifted + count.unknown > 0,
        };
        text += &match asked {
            true => format!("{what:<18}{:>10}{:>10}{:>10}\n", count.as_mapped, count.drifted, count.unknown),
            false if what == "unmapped buckets" => format!("{what:<18}  not looked at: `--coverage` does\n"),
            false if what == "deliveries" => format!("{what:<18}  not looked at: `--delivery` does\n"),
            false => continue,
        };
    }
    if args.coverage {
        text += &format!(
            "\n{:<14}{:<18}{:>8}{:>8}{:>8}{:>10}{:>8}{:>10}{:>8}{:>8}\n",
            "account", "region", "buckets", "mapped", "here", "elsewhere", "vended", "unlogged", "ignored", "unknown"
        );
        for row in &found.coverage {
            let CoverageRow { account, region, buckets, mapped, logged_here, elsewhere, vended, unlogged, ignored, unknown } =
                row;
            text += &format!(
                "{account:<14}{region:<18}{buckets:>8}{mapped:>8}{logged_here:>8}{elsewhere:>10}{vended:>8}{unlogged:>10}{ignored:>8}{unknown:>8}\n"
            );
        }
    }
    if args.delivery {
        text += "\n";
        text += &counts(&found.deliveries);
        for row in found.deliveries.iter().filter(|row| verbose || row.verdict == DeliveryVerdict::Waiting) {
            let last = row.last_day.as_ref().map_or(String::new(), |day| format!(", last on {day}"));
            text += &format!("{} {}: {}{last}\n", row.kind, row.name, row.verdict.word());
        }
    }
    text
}

/// How many deliveries have each verdict.
fn counts(rows: &[DeliveryRow]) -> String {
    let mut counts: BTreeMap<DeliveryVerdict, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.verdict).or_default() += 1);
    let words: Vec<String> = counts.into_iter().map(|(verdict, count)| format!("{count} {}", verdict.word())).collect();
    if words.is_empty() { "deliveries: none was looked at\n".to_owned() } else { format!("deliveries: {}\n", words.join(", ")) }
}

/// The report for a wiki, an issue or a pull request.
fn markdown(args: &DriftArgs, map: &str, found: &Drift, report: &Report<'_>) -> String {
    let cell = |text: &str| escape::markdown(text);
    let mut text = format!("# Drift of {}\n\n| | as mapped | drifted | unknown |\n| --- | ---: | ---: | ---: |\n", cell(map));
    for (what, count) in found.checked.rows() {
        let asked = match what {
            "unmapped buckets" => args.coverage,
            "deliveries" => args.delivery,
            _ => true,
        };
        text += &match asked {
            true => format!("| {what} | {} | {} | {} |\n", count.as_mapped, count.drifted, count.unknown),
            false => format!("| {what} | not looked at | | |\n"),
        };
    }
    text += "\n## Findings\n\n";
    if report.findings.is_empty() {
        text += "None.\n";
    } else {
        text += "| | rule | place | what |\n| --- | --- | --- | --- |\n";
    }
    for finding in report.findings {
        let place = finding.file.of(report.files).map_or_else(String::new, |file| file.place(finding.span.start));
        text +=
            &format!("| {} | {} | {} | {} |\n", finding.severity().word(), finding.rule.id, cell(&place), cell(&finding.message));
    }
    if args.coverage {
        text += "\n## Coverage\n\n| account | Region | buckets | mapped | here | elsewhere | vended | unlogged | ignored | unknown |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
        for row in &found.coverage {
            text += &format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                cell(&row.account),
                cell(&row.region),
                row.buckets,
                row.mapped,
                row.logged_here,
                row.elsewhere,
                row.vended,
                row.unlogged,
                row.ignored,
                row.unknown
            );
        }
    }
    if args.delivery {
        text += "\n## Delivery\n\n| account | Region | | name | log bucket | | last day |\n| --- | --- | --- | --- | --- | --- | --- |\n";
        for row in &found.deliveries {
            text += &format!(
                "| {} | {} | {} | {} | {} | {} | {} |\n",
                cell(&row.account),
                cell(&row.region),
                row.kind,
                cell(&row.name),
                cell(&row.log_bucket),
                row.verdict.word(),
                row.last_day.as_deref().unwrap_or_default()
            );
        }
    }
    text
}
