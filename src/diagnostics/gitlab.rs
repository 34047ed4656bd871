//! Findings as a Code Quality report, which GitLab shows in merge requests.
//!
//! Its fields, and that a fingerprint is of one finding alone: GitLab documentation, "Code Quality report format"
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use super::{Finding, Report, Severity, fingerprint::fingerprints};
use crate::digest::sha256_hex;
use serde::Serialize;
use std::collections::BTreeMap;

/// A finding.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// The message, and what to write instead.
    description: String,
    /// The rule's id and name.
    check_name: String,
    /// What it is known by in the next report.
    fingerprint: String,
    /// GitLab's word for the severity.
    severity: &'static str,
    /// Where it is.
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    /// From the root of the repository, with slashes.
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
}

/// The report: an array, empty without findings. Findings that are alike are told apart by their number.
pub fn report(report: &Report<'_>) -> Vec<Entry> {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let prints = fingerprints(report);
    let entries = report.findings.iter().zip(prints).map(|(finding, print)| {
        let count = alike.entry(print.clone()).or_default();
        *count += 1;
        let fingerprint = if *count == 1 { print } else { sha256_hex(format!("{print} {count}").as_bytes()) };
        entry(report, finding, fingerprint)
    });
    entries.collect()
}

fn entry(report: &Report<'_>, finding: &Finding, fingerprint: String) -> Entry {
    let help = if finding.help.is_empty() { String::new() } else { format!("; {}", finding.help) };
    let (path, begin) = match finding.file.of(report.files) {
        Some(file) => (file.address().replace('\\', "/"), file.position(finding.span.start).line),
        None => (String::new(), 1),
    };
    Entry {
        description: format!("{}{help}", finding.message),
        check_name: format!("{} {}", finding.rule.id, finding.rule.name),
        fingerprint,
        severity: match finding.severity() {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Info => "info",
        },
        location: Location { path: path.trim_start_matches("./").to_owned(), lines: Lines { begin } },
    }
}
