//! Printing findings in the format asked for, and the exit code that they ask for: the same for every command and format.

use super::{
    Outcome, Stop,
    args::{FailOn, FindingFormat, ReportArgs},
    exit::Exit,
    io::Io,
};
use crate::diagnostics::{Finding, Report, Severity, Summary, concise, github, gitlab, json, junit, sarif, text};
use crate::escape::shown;
use serde::Serialize;

/// Prints a report. `subject` is what was checked, such as the map's name. `to_stdout` if findings are what the command
/// gives; `infos` if people see notes too. Formats for machines hold every finding.
///
/// # Errors
/// Standard output fails.
pub(crate) fn print(
    report: &Report<'_>,
    subject: &str,
    asked: &ReportArgs,
    io: &Io,
    to_stdout: bool,
    infos: bool,
) -> Result<(), Stop> {
    if asked.format == FindingFormat::Json && to_stdout {
        return Ok(io.write_json(&json::report(report, &[]))?);
    }
    let seen = || -> Vec<Finding> {
        let seen = report.findings.iter().filter(|finding| match finding.severity() {
            Severity::Error => true,
            Severity::Warning => !io.quiet,
            Severity::Info => !io.quiet && infos,
        });
        seen.cloned().collect()
    };
    let text = match asked.format {
        FindingFormat::Text => {
            let seen = Report { findings: &seen(), ..*report };
            shown::drawn(&text::render(&seen, io.width(to_stdout), io.colour(to_stdout), io.verbose)).into_owned()
        }
        FindingFormat::Json => pretty(&json::report(report, &[])),
        FindingFormat::Sarif => pretty(&sarif::log(report)),
        FindingFormat::Github => github::render(report),
        FindingFormat::Concise => concise::render(&Report { findings: &seen(), ..*report }),
        FindingFormat::Gitlab => pretty(&gitlab::report(report)),
        FindingFormat::Junit => junit::render(report, subject, |severity| fails(severity, asked)),
    };
    if to_stdout {
        io.write_stdout(&text)?;
    } else {
        io.draw_stderr(&text);
    }
    let left_out = sarif::left_out_of(report);
    if asked.format == FindingFormat::Sarif && left_out > 0 && to_stdout {
        io.message(sarif::left_out(left_out));
    }
    if !io.quiet && asked.format == FindingFormat::Text && !report.findings.is_empty() {
        io.message(format_args!("{subject}: {}", text::summary(Summary::of(report.findings))));
    }
    Ok(())
}

/// JSON for standard output.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    crate::text::pretty_json(value) + "\n"
}

/// The exit code that findings ask for.
pub(crate) fn exit_of(findings: &[Finding], asked: &ReportArgs) -> Outcome {
    let found = findings.iter().any(|finding| fails(finding.severity(), asked));
    Ok(if found { Exit::Findings } else { Exit::Clean })
}

/// Does a finding of this severity make the command fail?
fn fails(severity: Severity, asked: &ReportArgs) -> bool {
    severity == Severity::Error || (severity == Severity::Warning && asked.severity.fail_on == FailOn::Warning)
}
