//! Printing findings in the format asked for, and the exit code that they ask for: the same for every command and format.

use super::{
    Outcome, Stop,
    args::{Common, FailOn, Format},
    exit::Exit,
    io::Io,
};
use crate::diagnostics::{Finding, Report, Severity, Summary, github, json, junit, sarif, text};

/// Prints a report. `subject` is what was checked, such as the map's name. `to_stdout` if findings are what the command
/// gives; `infos` if people see notes too. Formats for machines hold every finding.
///
/// # Errors
/// Standard output fails.
pub fn print(report: &Report<'_>, subject: &str, common: &Common, io: &Io, to_stdout: bool, infos: bool) -> Result<(), Stop> {
    let text = match common.format {
        Format::Text | Format::Markdown => {
            let shown: Vec<Finding> = report
                .findings
                .iter()
                .filter(|finding| match finding.severity() {
                    Severity::Error => true,
                    Severity::Warning => !io.quiet,
                    Severity::Info => !io.quiet && infos,
                })
                .cloned()
                .collect();
            let shown = Report { files: report.files, findings: &shown, route: report.route };
            text::render(&shown, io.width(to_stdout), io.colour(to_stdout))
        }
        Format::Json => pretty(&json::report(report)),
        Format::Sarif => pretty(&sarif::log(report)),
        Format::Github => github::render(report),
        Format::Svg | Format::Dot | Format::Mermaid | Format::Html => String::new(), // `run` refuses them, and `graph` talks
        Format::Junit => junit::render(report, subject, |severity| fails(severity, common)),
    };
    if to_stdout {
        io.data(&text)?;
    } else {
        io.talk(&text);
    }
    if !io.quiet && matches!(common.format, Format::Text | Format::Markdown) && !report.findings.is_empty() {
        io.say(format_args!("{subject}: {}", text::summary(Summary::of(report.findings))));
    }
    Ok(())
}

/// JSON for standard output.
pub fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// The exit code that findings ask for.
pub fn exit_of(findings: &[Finding], common: &Common) -> Outcome {
    let found = findings.iter().any(|finding| fails(finding.severity(), common));
    Ok(if found { Exit::Findings } else { Exit::Clean })
}

/// Does a finding of this severity make the command fail?
fn fails(severity: Severity, common: &Common) -> bool {
    severity == Severity::Error || (severity == Severity::Warning && common.fail_on == FailOn::Warning)
}
