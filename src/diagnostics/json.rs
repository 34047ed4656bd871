//! Findings as JSON: the report that machines read. Its schema is committed and checked.

use super::{Finding, Summary};
use crate::{
    document::Document,
    source::{SourceFile, Span},
};
use serde_json::{Value, json};

/// Version of the report's format.
pub const FORMAT_VERSION: &str = "1.0";

/// The report on a map. Lines and columns count from 1; an end is the place after the last character.
pub fn report(file: &SourceFile, document: &Document, findings: &[Finding]) -> Value {
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let related: Vec<Value> = finding
                .related
                .iter()
                .map(|related| json!({ "message": related.message, "file": file.name, "range": range(file, related.span) }))
                .collect();
            json!({
                "rule": finding.rule.id,
                "severity": finding.severity().word(),
                "message": finding.message,
                "help": finding.help,
                "file": file.name,
                "range": range(file, finding.span),
                "route": document.route(finding.span.start),
                "related": related,
            })
        })
        .collect::<Vec<_>>();
    with_summary(findings)
}

fn with_summary(findings: Vec<Value>) -> Value {
    let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    let summary = Summary { errors: count("error"), warnings: count("warning"), infos: count("info") };
    json!({
        "format_version": FORMAT_VERSION,
        "findings": findings,
        "summary": { "errors": summary.errors, "warnings": summary.warnings, "infos": summary.infos },
    })
}

fn range(file: &SourceFile, span: Span) -> Value {
    let (start, end) = (file.position(span.start), file.position(span.end));
    json!({
        "start": { "line": start.line, "column": start.column },
        "end": { "line": end.line, "column": end.column },
    })
}
