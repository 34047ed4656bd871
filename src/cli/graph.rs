//! `logmap graph`: the topology of a map as a picture or a page, with the verdicts of `check` on it. The picture goes to
//! standard output or to one file. A map with errors has none.

use super::{
    Outcome, Stop,
    args::{GraphArgs, GraphFormat, ReportArgs},
    baseline,
    exit::Exit,
    findings, generate,
    io::Io,
    read,
    writing::not_written,
};
use crate::{
    compare::Verdict,
    disk::replace::output,
    inspection,
    observed::{Ignored, Told},
    places::Places,
    plan::prove::proven,
    render::graph::{self, Language},
    topology::{Topology, marks::Marks},
};
use anyhow::anyhow;

pub(super) fn run(args: &GraphArgs, io: &Io) -> Outcome {
    let language = language(args)?;
    // findings go to standard error here, and `--format` is the picture's
    let asked = &ReportArgs { known: args.known.clone(), ..ReportArgs::text(&args.severity) };
    let mut analysis = read::read_map(&args.map, &asked.known, io)?;
    baseline::apply(&mut analysis, asked, io)?;
    read::print_findings(&analysis, asked, io, false, io.verbose)?;
    let exit = findings::exit_of(&analysis.findings, asked)?;
    let (Some(plan), Exit::Clean) = (analysis.plan.take(), exit) else { return Ok(Exit::Findings) };
    let plan = &proven(plan).map_err(anyhow::Error::from)?;
    let filter = generate::filter(&args.account, &args.region, plan)?;
    let marks = if args.check.is_empty() {
        Marks::default()
    } else {
        let (files, unread) = read::inputs(&args.check, None, io)?;
        let mut inspection = inspection::inspect(files, &Told::default(), Some(plan));
        inspection.choose(&analysis.chosen);
        if !io.quiet {
            let count = |verdict| inspection.configurations.iter().filter(|one| one.verdict() == verdict).count();
            let (bad, unknown) = (count(Verdict::Violation), count(Verdict::Unknown));
            io.message(format_args!(
                "{} configurations checked: {bad} violation(s), {unknown} unknown; `logmap check` says more",
                inspection.configurations.len()
            ));
            let places = Places::here();
            let named = |ignored: &&Ignored| args.check.iter().any(|path| places.name(path) == ignored.file);
            for ignored in unread.iter().chain(&inspection.ignored).filter(|ignored| io.verbose || named(ignored)) {
                io.message(format_args!("{}: not read: {}", ignored.file, ignored.reason));
            }
        }
        Marks::of(&inspection, plan)
    };
    let topology = Topology::of(plan, |account, place| filter.account(account) && filter.region(place), marks);
    let name = read::map_name(&analysis);
    let drawing = graph::draw(&topology, &name, language)?;
    match &args.out {
        None => io.write_stdout(&drawing.text)?,
        Some(path) => {
            output(path, drawing.text.as_bytes(), ours).map_err(|error| not_written(error, "--out"))?;
            if !io.quiet {
                io.message(format_args!("{}: {} written", path.display(), size(drawing.text.len())));
            }
        }
    }
    if drawing.grouped && !io.quiet {
        io.message("large groups are drawn as counts; `--format html` lists everything, `--account` and `--region` draw less");
    }
    Ok(Exit::Clean)
}

/// The language asked for, else that of the file's ending, else SVG.
fn language(args: &GraphArgs) -> Result<Language, Stop> {
    let ending = args.out.as_ref().and_then(|path| path.extension()).map(|ending| ending.to_string_lossy().to_lowercase());
    Ok(match (args.format, ending.as_deref()) {
        (Some(GraphFormat::Svg), _) => Language::Svg,
        (Some(GraphFormat::Dot), _) => Language::Dot,
        (Some(GraphFormat::Mermaid), _) => Language::Mermaid,
        (Some(GraphFormat::Html), _) => Language::Html,
        (None | Some(GraphFormat::Text), None | Some("svg")) => Language::Svg,
        (None | Some(GraphFormat::Text), Some("dot" | "gv")) => Language::Dot,
        (None | Some(GraphFormat::Text), Some("mmd" | "mermaid")) => Language::Mermaid,
        (None | Some(GraphFormat::Text), Some("html" | "htm")) => Language::Html,
        (None | Some(GraphFormat::Text), Some(ending)) => {
            return Err(Stop::usage(anyhow!(
                "`.{ending}` is no format of a picture; choose one with `--format svg`, dot, mermaid or html"
            )));
        }
    })
}

/// Is this the text of an earlier picture? It says so near its beginning.
fn ours(text: &[u8]) -> bool {
    const HEAD: usize = 4_096;
    String::from_utf8_lossy(&text[..text.len().min(HEAD)]).contains(graph::MADE_BY)
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
