//! Findings as JSON: the report that machines read. Its schema is committed and checked.

use super::{Report, Summary, fingerprint::fingerprints};
use crate::{
    edit::Fix,
    source::{FileId, SourceFile, Span},
};
use serde_json::{Value, json};

/// Version of the report's format.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// The report as JSON. Lines and columns count from 1; an end is the place after the last character.
pub(crate) fn report(report: &Report<'_>) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .zip(fingerprints(report))
        .map(|(finding, fingerprint)| {
            let related: Vec<Value> = finding
                .related
                .iter()
                .map(|related| {
                    let (file, range) = place(report.files, related.file, related.span);
                    json!({ "message": related.message, "file": file, "range": range })
                })
                .collect();
            let fixes: Vec<Value> = finding.fixes.iter().map(|change| fix(report.files, finding.file, change)).collect();
            let (file, range) = place(report.files, finding.file, finding.span);
            json!({
                "rule": finding.rule.id,
                "severity": finding.severity().word(),
                "message": finding.message,
                "help": finding.help,
                "file": file,
                "range": range,
                "route": (report.route)(finding),
                "related": related,
                "fixes": fixes,
                "fingerprint": fingerprint,
            })
        })
        .collect();
    let summary = Summary::of(report.findings);
    json!({
        "format_version": FORMAT_VERSION,
        "findings": findings,
        "summary": { "errors": summary.errors, "warnings": summary.warnings, "infos": summary.infos },
    })
}

fn fix(files: &[SourceFile], file: FileId, fix: &Fix) -> Value {
    let edits: Vec<Value> =
        fix.edits.iter().map(|edit| json!({ "range": place(files, file, edit.span).1, "text": edit.text })).collect();
    json!({ "title": fix.title, "safe": fix.safe, "edits": edits })
}

pub(crate) fn place(files: &[SourceFile], file: FileId, span: Span) -> (&str, Value) {
    file.of(files).map_or(("", Value::Null), |file| (file.name.as_str(), range(file, span)))
}

fn range(file: &SourceFile, span: Span) -> Value {
    let (start, end) = (file.position(span.start), file.position(span.end));
    json!({
        "start": { "line": start.line, "column": start.column },
        "end": { "line": end.line, "column": end.column },
    })
}
