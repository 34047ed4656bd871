//! Findings as GitHub's workflow commands: annotations on the lines of a pull request.

use super::{Finding, Report, Severity};
use crate::escape::{github_message, github_property};

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
        properties.push(format!("file={}", github_property(&file.address().replace('\\', "/"))));
        properties.push(format!("line={},endLine={}", start.line, end.line));
        properties.push(format!("col={},endColumn={}", start.column, end.column));
    }
    properties.push(format!("title={}", github_property(&format!("{} {}", finding.rule.id, finding.rule.name))));
    let mut text = finding.message.clone();
    for related in &finding.related {
        if let Some(file) = related.file.of(report.files) {
            let line = file.position(related.span.start).line;
            text += &format!("\n{}:{line}: {}", file.address(), related.message);
        }
    }
    if !finding.help.is_empty() {
        text += &format!("\nhelp: {}", finding.help);
    }
    format!("::{kind} {}::{}\n", properties.join(","), github_message(&text))
}
