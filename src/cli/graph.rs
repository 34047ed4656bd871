//! `logmap graph`: the topology of a map as a picture or a page, with the verdicts of `check` and what `drift` says on it. The picture goes to
//! standard output or to one file. A map with errors has none.

use super::{
    Outcome, Stop,
    args::{GRACE, GraphArgs, GraphFormat, ReportArgs},
    baseline, drift,
    exit::Exit,
    findings, generate,
    io::Io,
    read,
    writing::not_written,
};
use crate::{
    analysis::Analysis,
    compare::{Configuration, Verdict},
    diagnostics::Finding,
    disk::replace::output,
    document::Document,
    drift::{Asked, Count, Window, drift as held},
    inspection,
    observed::{Ignored, Told},
    places::Places,
    plan::{Plan, prove::proven},
    render::graph::{self, Language},
    snapshot::{MARK, begins, is_one},
    source::SourceFile,
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
    let marks = if args.check.is_empty() { Marks::default() } else { marks(args, &analysis, plan, io)? };
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

/// What `check` says of the files, and `drift` of the snapshots among them.
fn marks(args: &GraphArgs, analysis: &Analysis, plan: &Plan, io: &Io) -> Result<Marks, Stop> {
    let (files, unread) = read::inputs(&args.check, None, io)?;
    let documents = files.iter().map(snapshot).collect::<Result<Vec<_>, _>>()?;
    let is_snapshot: Vec<bool> = documents.iter().map(Option::is_some).collect();
    let mut marks = Marks::default();
    let snapshots: Vec<SourceFile>;
    if is_snapshot.contains(&false) || files.is_empty() {
        // what others wrote may lean on what a snapshot has
        snapshots = files.iter().zip(&is_snapshot).filter(|(_, is)| **is).map(|(file, _)| file.clone()).collect();
        let mut inspection = inspection::inspect(files, &Told::default(), Some(plan));
        inspection.choose(&analysis.chosen);
        if !io.quiet {
            let ours = |one: &&Configuration| !is_snapshot.get(one.place.file.0 as usize).is_some_and(|is| *is);
            let all = || inspection.configurations.iter().filter(ours);
            let count = |verdict| all().filter(|one| one.verdict() == verdict).count();
            let (bad, unknown) = (count(Verdict::Violation), count(Verdict::Unknown));
            io.message(format_args!(
                "{} configurations checked: {bad} violation(s), {unknown} unknown; `logmap check` says more",
                all().count()
            ));
            let places = Places::here();
            let named = |ignored: &&Ignored| args.check.iter().any(|path| places.name(path) == ignored.file);
            for ignored in unread.iter().chain(&inspection.ignored).filter(|ignored| io.verbose || named(ignored)) {
                io.message(format_args!("{}: not read: {}", ignored.file, ignored.reason));
            }
        }
        marks = Marks::of(&inspection, plan, |file| is_snapshot.get(file.0 as usize).is_some_and(|is| *is));
    } else {
        snapshots = files;
    }
    if !snapshots.is_empty() {
        let documents: Vec<Document> = documents.into_iter().flatten().collect();
        hold(&mut marks, args, analysis, plan, (&snapshots, &documents, io))?;
    } else if !args.since.is_empty() {
        return Err(Stop::usage(anyhow!("`--since` is for deliveries, and no file of `--check` is a snapshot")));
    }
    Ok(marks)
}

/// The tree of a snapshot; nothing of another file.
///
/// # Errors
/// It begins as snapshots do, and can't be read.
fn snapshot(file: &SourceFile) -> Result<Option<Document>, Stop> {
    const HEAD: usize = 256;
    let head = file.text.as_bytes().get(..HEAD).unwrap_or(file.text.as_bytes());
    if !head.windows(MARK.len()).any(|part| part == MARK.as_bytes()) {
        return Ok(None);
    }
    match drift::parse(file) {
        Ok(document) => Ok(document.root.as_ref().is_some_and(is_one).then_some(document)),
        Err(wrong) if begins(&file.text) => Err(wrong),
        Err(_) => Ok(None),
    }
}

/// Adds what drift says of snapshots.
fn hold(
    marks: &mut Marks,
    args: &GraphArgs,
    analysis: &Analysis,
    plan: &Plan,
    (files, documents, io): (&[SourceFile], &[Document], &Io),
) -> Result<(), Stop> {
    let of_map = analysis.file.files().len();
    let snapshots = drift::snapshots(documents, files, u32::try_from(of_map).unwrap_or(u32::MAX))?;
    let (earlier, _) = read::inputs(&args.since, None, io)?;
    let of_earlier = earlier.iter().map(drift::parse).collect::<Result<Vec<_>, _>>()?;
    let since = drift::snapshots(&of_earlier, &earlier, 0)?;
    let delivery = snapshots.iter().any(|snapshot| snapshot.delivery);
    let wanted = Asked {
        // what is drawn beside what was asked for is marked, too
        account: &|_| true,
        region: &|_| true,
        coverage: true,
        delivery: delivery.then_some(Window { grace: drift::seconds_of(GRACE)?, as_of: None, since: &since }),
        things: true,
        mend: &|_, _| String::new(),
    };
    let mut found = held(analysis, plan, &snapshots, &wanted);
    found.suppressed.extend(analysis.chosen.apply(&mut found.findings));
    if !io.quiet {
        found.notes.iter().for_each(|note| io.message(note));
        let of = |count: fn(&Count) -> usize| -> usize {
            let checked = &found.checked;
            [checked.log_buckets, checked.sources, checked.trails, checked.monitoring].iter().map(count).sum()
        };
        io.message(format_args!(
            "held against {}: {} as the map says, {} in drift, {} not read; `logmap drift` says more",
            if files.len() == 1 { "a snapshot".to_owned() } else { format!("{} snapshots", files.len()) },
            of(|count| count.as_mapped),
            of(|count| count.drifted),
            of(|count| count.unknown)
        ));
    }
    let place = |finding: &Finding| {
        let at = finding.file.0 as usize;
        let file = analysis.file.files().get(at).or_else(|| files.get(at.checked_sub(of_map)?));
        file.map_or_else(String::new, |file| file.place(finding.span.start))
    };
    marks.hold(plan, found, &place, of_map, delivery);
    Ok(())
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
