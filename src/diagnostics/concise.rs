//! Findings as one line each, for editors and tools that read `FILE:LINE:COLUMN: text`.

use super::{Finding, Report};
use crate::escape::shown;
use std::fmt::Write as _;

/// The lines, in the order of the findings; `FILE:LINE:COLUMN: severity[RULE] message`, without the place where a finding has none.
pub fn render(report: &Report<'_>) -> String {
    report.findings.iter().fold(String::new(), |mut text, finding| {
        let _ = writeln!(text, "{}", line(report, finding));
        text
    })
}

fn line(report: &Report<'_>, finding: &Finding) -> String {
    let what = format!("{}[{}] {}", finding.severity().word(), finding.rule.id, shown::line(&finding.message));
    match finding.file.of(report.files) {
        Some(file) => {
            let at = file.position(finding.span.start);
            format!("{}:{}:{}: {what}", shown::line(file.address()), at.line, at.column)
        }
        None => what,
    }
}
