//! Comments that silence findings: `# logmap: ignore[LM0203] the reason`, on the line of the finding or alone above it.
//!
//! A reason is a must. What keeps the map from being read or derived can't be silenced. A comment that silences nothing
//! is a finding.

use crate::catalog::reading::{IGNORE_WITHOUT_REASON, UNUSED_IGNORE};
use crate::{
    diagnostics::Finding,
    document::{Comment, Document},
    edit::Fix,
    rules,
    source::{SourceFile, Span},
};

/// Is it a comment of this kind, right or wrong?
pub(crate) fn is_one(comment: &Comment) -> bool {
    after_marker(comment).is_some()
}

fn after_marker(comment: &Comment) -> Option<&str> {
    comment.text.trim_start().strip_prefix("logmap:")
}

/// A comment that asks for silence.
struct Ignore {
    span: Span,
    /// Line, counted from 0, whose findings it silences.
    line: usize,
    rules: Vec<String>,
}

/// Takes silenced findings out and adds what is wrong with the comments.
pub(crate) fn apply(file: &SourceFile, document: &Document, findings: &mut Vec<Finding>) {
    let mut about_comments = Vec::new();
    // while nothing can be derived, what a comment silences may not have been found yet
    let whole = findings.iter().all(|finding| finding.rule.can_be_ignored);
    for ignore in ignores(file, document, &mut about_comments) {
        for id in &ignore.rules {
            let before = findings.len();
            findings.retain(|finding| {
                let here = file.line_of(finding.span.start) == ignore.line;
                !(here && finding.rule.can_be_ignored && rules::find(id) == Some(finding.rule))
            });
            if findings.len() == before {
                let help = match rules::find(id) {
                    None => format!("there is no rule `{id}`"),
                    Some(rule) if !rule.can_be_ignored => {
                        format!("`{}` keeps the map from being used, so it can't be silenced", rule.id)
                    }
                    Some(_) if !whole => continue,
                    Some(_) => "remove the comment, or put it on the line of the finding or alone above it".to_owned(),
                };
                let finding =
                    Finding::new(&UNUSED_IGNORE, ignore.span, format!("this comment silences no finding of `{id}`")).help(help);
                // unsafe, as its reason may still be worth reading
                about_comments.push(match ignore.rules.len() {
                    1 => finding.fix(Fix::unsafe_fix("remove the comment", ignore.span, "")),
                    _ => finding,
                });
            }
        }
    }
    findings.append(&mut about_comments);
}

fn ignores(file: &SourceFile, document: &Document, findings: &mut Vec<Finding>) -> Vec<Ignore> {
    let mut found = Vec::new();
    for comment in &document.comments {
        let Some(rest) = after_marker(comment) else { continue };
        let parsed = rest
            .trim_start()
            .strip_prefix("ignore")
            .and_then(|rest| rest.trim_start().strip_prefix('['))
            .and_then(|rest| rest.split_once(']'));
        let rules: Vec<String> = parsed
            .map(|(ids, _)| ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect())
            .unwrap_or_default();
        let reason = parsed.map_or("", |(_, reason)| reason.trim());
        if rules.is_empty() {
            findings.push(
                Finding::new(&IGNORE_WITHOUT_REASON, comment.span, "this comment names no rule")
                    .help("write `# logmap: ignore[LM0203] the reason`"),
            );
        } else if reason.is_empty() {
            findings.push(
                Finding::new(&IGNORE_WITHOUT_REASON, comment.span, "this comment gives no reason")
                    .help("write the reason after the bracket; without one the comment silences nothing"),
            );
        } else {
            found.push(Ignore { span: comment.span, line: line_silenced(file, comment.span), rules });
        }
    }
    found
}

/// The comment's own line if something else stands on it, else the next line that is neither empty nor a comment.
fn line_silenced(file: &SourceFile, comment: Span) -> usize {
    let line = file.line_of(comment.start);
    let text = |line: usize| file.slice(file.line_span(line)).trim_start();
    if !text(line).starts_with('#') {
        return line;
    }
    (line + 1..file.lines()).find(|line| !text(*line).is_empty() && !text(*line).starts_with('#')).unwrap_or(line)
}
