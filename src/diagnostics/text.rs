//! Findings as text for people: the place, the line underlined, the other end labelled, what to write instead.
//!
//! Each finding is drawn over a window of the lines it speaks of, so that its cost does not grow with the file.

use super::{Finding, Report, Severity, Summary};
use crate::{
    escape::shown,
    source::{FileId, Position, SourceFile, Span},
    text::is_unprintable,
};
use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet, renderer::DecorStyle};
use std::borrow::Cow;

/// Places no farther apart than this many lines are shown in one window.
const NEAR: usize = 6;
/// A longer line, such as a whole Terraform plan, is not drawn: its places are named.
const LONGEST: usize = 1_000;
/// Most related places that are drawn for one finding.
const MOST_RELATED: usize = 4;

/// An underlined span with its label.
struct Label<'a> {
    file: &'a SourceFile,
    span: Span,
    kind: AnnotationKind,
    label: &'a str,
}

/// Draws findings one after another, with the requests that show them if these are asked for. `width` is the terminal's, `colour` whether escape sequences may be used.
pub(crate) fn render(report: &Report<'_>, width: usize, colour: bool, examples: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii).term_width(width);
    report.findings.iter().map(|finding| renderer.render(&[group(report, finding, examples)]) + "\n\n").collect()
}

fn group<'a>(report: &Report<'a>, finding: &'a Finding, examples: bool) -> annotate_snippets::Group<'a> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let primary = (finding.file, finding.span, AnnotationKind::Primary, finding.label.as_str());
    let others = finding.related.iter().take(MOST_RELATED);
    let others = others.map(|related| (related.file, related.span, AnnotationKind::Context, related.message.as_str()));
    let mut windows: Vec<Vec<Label<'_>>> = Vec::new();
    for (file, span, kind, label) in std::iter::once(primary).chain(others) {
        let Some(file) = file.of(report.files) else { continue };
        let line = file.line_of(span.start);
        let near = |place: &Label<'_>| std::ptr::eq(place.file, file) && file.line_of(place.span.start).abs_diff(line) <= NEAR;
        let place = Label { file, span, kind, label };
        match windows.iter_mut().find(|window| window.iter().any(near)) {
            Some(window) => window.push(place),
            None => windows.push(vec![place]),
        }
    }
    let mut group =
        level.primary_title(shown::line(&finding.message)).id(finding.rule.id).elements(None::<Snippet<'a, Annotation<'a>>>);
    for window in windows {
        let length = || window.iter().map(|place| place.file.line_span(place.file.line_of(place.span.start)).range().len()).max();
        if length() <= Some(LONGEST) {
            group = group.elements(snippet(&window));
            continue;
        }
        for place in window {
            let position = place.file.position(place.span.start);
            group = match place.kind {
                AnnotationKind::Primary => {
                    let origin = Origin::path(shown::line(&place.file.name)).line(position.line).char_column(position.column);
                    let route = (report.route)(finding);
                    let group = group.element(origin);
                    if route.is_empty() {
                        group
                    } else {
                        group.element(Level::NOTE.message(shown::line(&format!("in `{route}`")).into_owned()))
                    }
                }
                _ => {
                    let Position { line: at, column } = position;
                    let mut other = Finding::new(finding.rule, place.span, "");
                    other.file = related_file(report, place.file);
                    let route = (report.route)(&other);
                    let route = if route.is_empty() { route } else { format!(" (in `{route}`)") };
                    let note = format!("{}:{at}:{column}: {}{route}", place.file.name, place.label);
                    group.element(Level::NOTE.message(shown::line(&note).into_owned()))
                }
            };
        }
    }
    if let Some(example) = finding.example.as_ref().filter(|_| examples) {
        let words = format!("a request that shows it: {}", example.words);
        group = group.element(Level::NOTE.message(shown::line(&words).into_owned()));
    }
    if finding.help.is_empty() { group } else { group.element(Level::HELP.message(shown::line(&finding.help))) }
}

/// The id of a file of the report.
fn related_file(report: &Report<'_>, file: &SourceFile) -> FileId {
    let at = report.files.iter().position(|known| std::ptr::eq(known, file));
    FileId(at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX))
}

fn snippet<'a>(places: &[Label<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
    let file = places.first()?.file;
    let lines = || places.iter().map(|place| file.line_of(place.span.start));
    let (first, last) = (lines().min()?, lines().max()?);
    let start = file.line_span(first).start as usize;
    let end = file.line_span(last).end as usize;
    let annotations = places.iter().map(|place| {
        // a block is underlined up to the end of its first line
        let line = file.line_span(file.line_of(place.span.start));
        let from = (place.span.start as usize).clamp(start, end) - start;
        let to = (place.span.end.min(line.end) as usize).clamp(start + from, end) - start;
        let annotation = place.kind.span(from..to);
        if place.label.is_empty() { annotation } else { annotation.label(shown::line(place.label)) }
    });
    let snippet = Snippet::source(source(&file.text[start..end])).line_start(first + 1).path(shown::line(&file.name));
    Some(snippet.annotations(annotations))
}

/// A part of a file as it is drawn. Controls of one byte get their pictures when they are drawn; others that do not show are replaced
/// by characters of as many bytes, so that places stay where they are.
fn source(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| c.len_utf8() > 1 && is_unprintable(c);
    if text.is_ascii() || !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c.len_utf8() {
        2 if hidden(c) => '\u{bf}',
        3 if hidden(c) => '\u{fffd}',
        _ => c,
    };
    text.chars().map(shown).collect::<String>().into()
}

/// `2 errors, 1 warning`, and so on; infos are left out when there are none.
pub(crate) fn summary(summary: Summary) -> String {
    let count = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let mut parts = vec![count(summary.errors, "error"), count(summary.warnings, "warning")];
    if summary.infos > 0 {
        parts.push(count(summary.infos, "note"));
    }
    parts.join(", ")
}
