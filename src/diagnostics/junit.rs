//! Findings as JUnit XML, which CI systems show as test results: one suite, a test case for each finding.
//!
//! A finding that does not make the command fail is a passed test case with its text. Without findings there is one
//! passed test case, so that no reader takes the file for a run without tests. Only the elements and attributes of the
//! schema that Jenkins's xUnit plugin insists on are used, which has no place for file and line: the text begins with them.

use super::{Finding, Report, Severity};
use crate::escape::xml as escape;
use std::fmt::Write as _;

/// The document. `fails` says which severities fail; `subject` is what was checked, such as the map's name.
pub fn render(report: &Report<'_>, subject: &str, fails: impl Fn(Severity) -> bool) -> String {
    let failures = report.findings.iter().filter(|finding| fails(finding.severity())).count();
    let tests = report.findings.len().max(1);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("name=\"logmap\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\"");
    let _ = writeln!(xml, "<testsuites {counts}>\n  <testsuite {counts} skipped=\"0\">");
    if report.findings.is_empty() {
        let _ = writeln!(xml, "    <testcase classname=\"logmap\" name=\"{}\"/>", escape(&format!("{subject}: no findings")));
    }
    for finding in report.findings {
        test_case(&mut xml, report, finding, fails(finding.severity()));
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

fn test_case(xml: &mut String, report: &Report<'_>, finding: &Finding, failed: bool) {
    let rule = finding.rule;
    let route = (report.route)(finding);
    let at = if route.is_empty() { String::new() } else { format!(" at {route}") };
    let attributes = format!("classname=\"logmap.{}\" name=\"{}\"", rule.id, escape(&format!("{}{at}", rule.name)));
    let mut text = format!("{}: {}", finding.severity().word(), finding.message);
    if let Some(file) = finding.file.of(report.files) {
        text = format!("{}: {text}", file.place(finding.span.start));
    }
    for related in &finding.related {
        if let Some(file) = related.file.of(report.files) {
            let _ = write!(text, "\n{}: {}", file.place(related.span.start), related.message);
        }
    }
    if !finding.help.is_empty() {
        text += &format!("\nhelp: {}", finding.help);
    }
    let (message, text) = (escape(&finding.message), escape(&text));
    let body = if failed {
        format!("<failure type=\"{}\" message=\"{message}\">{text}</failure>", rule.id)
    } else {
        format!("<system-out>{text}</system-out>")
    };
    let _ = writeln!(xml, "    <testcase {attributes}>{body}</testcase>");
}
