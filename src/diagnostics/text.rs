//! Findings as text for people: the place, the line underlined, the other end labelled, what to write instead.
//!
//! Each finding is drawn over a window of the lines it speaks of, so that its cost does not grow with the file.

use super::{Finding, Severity, Summary};
use crate::source::{SourceFile, Span};
use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

/// Places no farther apart than this many lines are shown in one window.
const NEAR: usize = 6;
/// At most so many other ends are drawn.
const MOST_RELATED: usize = 4;

/// Draws findings one after another. `width` is the terminal's, `colour` whether escape sequences may be used.
pub fn render(file: &SourceFile, findings: &[Finding], width: usize, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii).term_width(width);
    findings.iter().map(|finding| renderer.render(&[group(file, finding)]) + "\n\n").collect()
}

fn group<'a>(file: &'a SourceFile, finding: &'a Finding) -> annotate_snippets::Group<'a> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut places: Vec<(Span, AnnotationKind, &str)> = vec![(finding.span, AnnotationKind::Primary, &finding.label)];
    let others = finding.related.iter().take(MOST_RELATED);
    places.extend(others.map(|related| (related.span, AnnotationKind::Context, related.message.as_str())));
    let mut windows: Vec<Vec<(Span, AnnotationKind, &str)>> = Vec::new();
    for place in places {
        let line = file.line_of(place.0.start);
        let near =
            windows.iter_mut().find(|window| window.iter().any(|(span, ..)| file.line_of(span.start).abs_diff(line) <= NEAR));
        match near {
            Some(window) => window.push(place),
            None => windows.push(vec![place]),
        }
    }
    let snippets = windows.into_iter().map(|window| snippet(file, &window));
    let group = level.primary_title(finding.message.as_str()).id(finding.rule.id).elements(snippets);
    if finding.help.is_empty() { group } else { group.element(Level::HELP.message(finding.help.as_str())) }
}

fn snippet<'a>(file: &'a SourceFile, places: &[(Span, AnnotationKind, &'a str)]) -> Snippet<'a, Annotation<'a>> {
    let lines = || places.iter().map(|(span, ..)| file.line_of(span.start));
    let (first, last) = (lines().min().unwrap_or(0), lines().max().unwrap_or(0));
    let start = file.line_span(first).start as usize;
    let end = file.line_span(last).end as usize;
    let annotations = places.iter().map(|(span, kind, label)| {
        // a block is underlined up to the end of its first line
        let line = file.line_span(file.line_of(span.start));
        let from = (span.start as usize).clamp(start, end) - start;
        let to = (span.end.min(line.end) as usize).clamp(start + from, end) - start;
        let annotation = kind.span(from..to);
        if label.is_empty() { annotation } else { annotation.label(*label) }
    });
    Snippet::source(&file.text[start..end]).line_start(first + 1).path(file.name.as_str()).annotations(annotations)
}

/// `2 errors, 1 warning`, and so on; infos are left out when there are none.
pub fn summary(summary: Summary) -> String {
    let count = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let mut parts = vec![count(summary.errors, "error"), count(summary.warnings, "warning")];
    if summary.infos > 0 {
        parts.push(count(summary.infos, "note"));
    }
    parts.join(", ")
}
