//! Findings as SARIF 2.1.0, for code scanning: with the rules' pages, other ends, fixes and fingerprints.
//!
//! Columns count Unicode characters, which the run declares. Paths are URI references, relative to the root of the repository.

use super::{Finding, Report, Rule, Severity, Suppression, fingerprint::fingerprint};
use crate::{
    edit::Fix,
    source::{FileId, SourceFile, Span},
};
use serde_json::{Value, json};

/// Name and version of the way in which fingerprints are made.
const FINGERPRINT: &str = "logmapFinding/v2";

/// Most results of a run. GitHub refuses a log with more:
/// <https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit>.
const MOST_RESULTS: usize = 25_000;

/// How many of a report's findings are not in its log.
pub(crate) fn left_out_of(report: &Report<'_>) -> usize {
    (report.findings.len() + report.suppressed.len()).saturating_sub(MOST_RESULTS)
}

/// What is said of findings that are not in the log.
pub(crate) fn left_out(count: usize) -> String {
    format!(
        "{count} finding(s) are left out of the log, the least severe ones: GitHub refuses a run with more than {MOST_RESULTS} results; \
         `--format json` has all"
    )
}

/// The log with its one run: what was found, then what is suppressed; of more than [`MOST_RESULTS`] the most severe ones.
pub fn log(report: &Report<'_>) -> Value {
    let suppressed = report.suppressed.iter().map(|one| (&one.finding, Some(&one.by)));
    let mut rows: Vec<(&Finding, Option<&Suppression>)> =
        report.findings.iter().map(|finding| (finding, None)).chain(suppressed).collect();
    let left_out_count = left_out_of(report);
    if left_out_count > 0 {
        // the sort is stable, so that each severity keeps its order
        rows.sort_by_key(|(finding, suppression)| (suppression.is_some(), finding.severity()));
        rows.truncate(MOST_RESULTS);
    }
    let mut rules: Vec<&Rule> = rows.iter().map(|(finding, _)| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let results = rows.iter().map(|(finding, suppression)| {
        let mut result = result(report, finding, &rules);
        // either no result of a run has this property, or each: section 3.27.23 of the specification
        if !report.suppressed.is_empty() {
            result["suppressions"] = suppression.map_or_else(|| json!([]), |suppression| json!([suppression_of(suppression)]));
        }
        result
    });
    let results: Vec<Value> = results.collect();
    let mut log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "logmap",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    if left_out_count > 0 {
        let word = json!({ "level": "warning", "message": { "text": left_out(left_out_count) } });
        log["runs"][0]["invocations"] = json!([{ "executionSuccessful": true, "toolExecutionNotifications": [word] }]);
    }
    log
}

fn suppression_of(suppression: &Suppression) -> Value {
    match suppression {
        Suppression::Comment(reason) => json!({ "kind": "inSource", "justification": reason }),
        Suppression::Settings(reason) => json!({ "kind": "external", "justification": format!("the map's settings: {reason}") }),
        Suppression::Baseline => json!({ "kind": "external", "justification": "a baseline lists it" }),
    }
}

fn descriptor(rule: &Rule) -> Value {
    let problem = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    };
    let mut descriptor = json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.summary },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "problem.severity": problem, "precision": "very-high" },
    });
    if let Some(address) = rule.address() {
        descriptor["helpUri"] = json!(address);
    }
    descriptor
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &Report<'_>, finding: &Finding, rules: &[&Rule]) -> Value {
    let text = if finding.help.is_empty() { finding.message.clone() } else { format!("{}\n{}", finding.message, finding.help) };
    let route = (report.route)(finding);
    let mut location = place(report.files, finding.file, finding.span);
    if !route.is_empty() {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": route }]);
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": rules.binary_search(&finding.rule).unwrap_or_default(),
        "level": level(finding.severity()),
        "message": { "text": plain(&text) },
        "locations": [location],
        "partialFingerprints": { FINGERPRINT: fingerprint(report, finding) },
    });
    let related = finding.related.iter().enumerate().map(|(at, related)| {
        let mut location = place(report.files, related.file, related.span);
        location["id"] = json!(at + 1);
        location["message"] = json!({ "text": plain(&related.message) });
        location
    });
    let mut related: Vec<Value> = related.collect();
    if let Some(example) = &finding.example {
        let mut location = place(report.files, finding.file, finding.span);
        location["id"] = json!(related.len() + 1);
        location["message"] = json!({ "text": plain(&format!("a request that shows it: {}", example.words)) });
        related.push(location);
    }
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    let fixes: Vec<Value> = finding.fixes.iter().filter_map(|change| fix(report.files, finding.file, change)).collect();
    if !fixes.is_empty() {
        result["fixes"] = json!(fixes);
    }
    result
}

fn place(files: &[SourceFile], id: FileId, span: Span) -> Value {
    id.of(files).map_or(json!({}), |file| {
        json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(file.address()) },
            "region": region(file, span),
        } })
    })
}

fn region(file: &SourceFile, span: Span) -> Value {
    let (start, end) = (file.position(span.start), file.position(span.end));
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

fn fix(files: &[SourceFile], id: FileId, fix: &Fix) -> Option<Value> {
    let file = id.of(files)?;
    let replacements: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| json!({ "deletedRegion": region(file, edit.span), "insertedContent": { "text": edit.text } }))
        .collect();
    Some(json!({
        "description": { "text": plain(&fix.title) },
        "artifactChanges": [{ "artifactLocation": { "uri": uri(file.address()) }, "replacements": replacements }],
    }))
}

/// A message in which nothing is a link: `[text](target)` would be one.
fn plain(text: &str) -> String {
    if text.contains("](") { text.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]") } else { text.to_owned() }
}

/// A path as a URI reference: percent-encoded, with slashes; an absolute path as a `file` URI.
fn uri(path: &str) -> String {
    if cfg!(windows) { reference(&of_windows(path)) } else { reference(path) }
}

/// A path of Windows with slashes, and a drive as the first folder, as URIs have it.
fn of_windows(path: &str) -> String {
    let slash = if path.as_bytes().get(1) == Some(&b':') { "/" } else { "" };
    format!("{slash}{}", path.replace('\\', "/"))
}

fn reference(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        // a colon in the first part of a relative reference would end a scheme
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::{of_windows, plain, reference, uri};

    #[test]
    fn paths_become_uri_references_and_text_no_link() {
        assert_eq!(uri("maps/a b#1%:é.yaml"), "maps/a%20b%231%25%3A%C3%A9.yaml");
        assert_eq!(uri("/maps/a.yaml"), "file:///maps/a.yaml");
        assert_eq!(reference(&of_windows(r"C:\maps\a.yaml")), "file:///C%3A/maps/a.yaml");
        assert_eq!(reference(&of_windows(r"maps\a.yaml")), "maps/a.yaml");
        assert_eq!(plain("`buckets[3]`"), "`buckets[3]`");
        assert_eq!(plain("`[a](b)`"), r"`\[a\](b)`");
    }
}
