//! Findings as JSON: the report that machines read. Its schema is committed and checked.

use super::{Finding, Report, Summary, fingerprint::fingerprint};
use crate::{
    edit::Fix,
    source::{FileId, SourceFile, Span},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

/// Version of the report's format.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// The report as JSON, with more of a command's own behind it. Lines and columns count from 1; an end is the place after the last
/// character.
pub(crate) fn report<'a>(report: &'a Report<'a>, more: &'a [(&'a str, Value)]) -> impl Serialize + 'a {
    Json { report, more }
}

/// Made while it is written: of a million findings, all objects at once would be many times their text.
struct Json<'a> {
    report: &'a Report<'a>,
    more: &'a [(&'a str, Value)],
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Summary { errors, warnings, infos } = Summary::of(self.report.findings);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format_version", FORMAT_VERSION)?;
        map.serialize_entry("findings", &Findings(self.report))?;
        map.serialize_entry("summary", &json!({ "errors": errors, "warnings": warnings, "infos": infos }))?;
        for (key, value) in self.more {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct Findings<'a>(&'a Report<'a>);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.findings.iter().map(|finding| one(self.0, finding)))
    }
}

fn one(report: &Report<'_>, finding: &Finding) -> Value {
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
    let mut value = json!({
        "rule": finding.rule.id,
        "severity": finding.severity().word(),
        "message": finding.message,
        "help": finding.help,
        "file": file,
        "range": range,
        "route": (report.route)(finding),
        "related": related,
        "fixes": fixes,
        "fingerprint": fingerprint(report, finding),
    });
    if let Some(example) = &finding.example {
        value["example"] = example.json.clone();
    }
    value
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
