//! Findings as GitHub's workflow commands: annotations on the lines of a pull request.

use super::{Finding, Report, Severity};
use crate::escape::shown::visible;

/// One command a line, in the order of the findings.
pub fn render(report: &Report<'_>) -> String {
    report.findings.iter().map(|finding| command(report, finding)).collect()
}

fn command(report: &Report<'_>, finding: &Finding) -> String {
    let kind = match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    if let Some(file) = finding.file.of(report.files) {
        let start = file.position(finding.span.start);
        // GitHub shows an annotation below its last line: a block is marked up to the end of its first
        let end = file.position(finding.span.end.min(file.line_span(start.line - 1).end).max(finding.span.start));
        properties.push(format!("file={}", property(&file.name.replace('\\', "/"))));
        properties.push(format!("line={},endLine={}", start.line, end.line));
        properties.push(format!("col={},endColumn={}", start.column, end.column));
    }
    properties.push(format!("title={}", property(&format!("{} {}", finding.rule.id, finding.rule.name))));
    let mut text = finding.message.clone();
    for related in &finding.related {
        if let Some(file) = related.file.of(report.files) {
            let line = file.position(related.span.start).line;
            text += &format!("\n{}:{line}: {}", file.name, related.message);
        }
    }
    if !finding.help.is_empty() {
        text += &format!("\nhelp: {}", finding.help);
    }
    format!("::{kind} {}::{}\n", properties.join(","), data(&text))
}

/// What follows the second `::`. Line breaks stay line breaks; whatever else does not show is written out.
fn data(text: &str) -> String {
    let shown: Vec<_> = text.split('\n').map(visible).collect();
    shown.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// The value of a property, which `:` and `,` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
