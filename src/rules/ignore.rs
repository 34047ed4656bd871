//! Comments that silence findings: `# logmap: ignore[LM0203] the reason`, on the line of the finding or alone above it.
//!
//! A reason is a must. What keeps the map from being read or derived, or a policy from being proven, can't be silenced. A comment that silences nothing
//! is a finding.

use crate::catalog::reading::{IGNORE_WITHOUT_REASON, UNUSED_IGNORE};
use crate::{
    diagnostics::{Finding, Scope, Suppressed, Suppression},
    document::{Comment, Document},
    edit::Fix,
    rules,
    source::{SourceFile, Span},
};
use std::collections::BTreeMap;

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
    reason: String,
}

/// Takes silenced findings out, and gives them; what is wrong with the comments was said when the map was read.
pub(crate) fn silence(file: &SourceFile, document: &Document, findings: &mut Vec<Finding>) -> Vec<Suppressed> {
    take(file, document, findings, &mut Vec::new())
}

/// Takes silenced findings out, and gives them; adds what is wrong with the comments.
pub(crate) fn apply(file: &SourceFile, document: &Document, findings: &mut Vec<Finding>) -> Vec<Suppressed> {
    let mut about_comments = Vec::new();
    let suppressed = take(file, document, findings, &mut about_comments);
    findings.append(&mut about_comments);
    suppressed
}

fn take(
    file: &SourceFile,
    document: &Document,
    findings: &mut Vec<Finding>,
    about_comments: &mut Vec<Finding>,
) -> Vec<Suppressed> {
    // while nothing can be derived, what a comment silences may not have been found yet
    let whole = findings.iter().all(|finding| finding.rule.can_be_ignored);
    // which findings of which rules stand on which line
    let mut here: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.rule.can_be_silenced()) {
        here.entry((file.line_of(finding.span.start), finding.rule.id)).or_default().push(at);
    }
    let known = rules::all();
    // which finding is silenced, and for what reason
    let mut silenced: BTreeMap<usize, String> = BTreeMap::new();
    for ignore in ignores(file, document, about_comments) {
        for id in &ignore.rules {
            let rule = known.iter().copied().find(|rule| rule.is(id));
            // what an earlier comment has silenced is gone for this one
            if let Some(found) = rule.and_then(|rule| here.remove(&(ignore.line, rule.id))) {
                silenced.extend(found.into_iter().map(|at| (at, ignore.reason.clone())));
                continue;
            }
            let help = match rule {
                None => format!("there is no rule `{id}`"),
                Some(rule) if !rule.can_be_ignored => {
                    format!("`{}` keeps the map from being used, so it can't be silenced", rule.id)
                }
                Some(rule) if rule.is_of_proof => {
                    format!(
                        "a policy of which `{}` finds something is not proven, and not rendered, so it can't be silenced",
                        rule.id
                    )
                }
                // what is in the accounts is not known here
                Some(rule) if rule.scope == Scope::Live => continue,
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
    let mut suppressed = Vec::new();
    let mut kept = Vec::new();
    for (at, finding) in std::mem::take(findings).into_iter().enumerate() {
        match silenced.remove(&at) {
            Some(reason) => suppressed.push(Suppressed { finding, by: Suppression::Comment(reason) }),
            None => kept.push(finding),
        }
    }
    *findings = kept;
    suppressed
}

fn ignores(file: &SourceFile, document: &Document, findings: &mut Vec<Finding>) -> Vec<Ignore> {
    let mut found = Vec::new();
    let mut lines = Lines { file, next: None };
    // from the last one, so that the line that many comments stand above is looked for once
    for comment in document.comments.iter().rev() {
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
            found.push(Ignore { span: comment.span, line: lines.silenced(comment.span), rules, reason: reason.to_owned() });
        }
    }
    found.reverse();
    found
}

/// Finds the lines that comments speak of, for comments from the last one on.
struct Lines<'f> {
    file: &'f SourceFile,
    /// The first line that is neither empty nor a comment, and from which line on it was looked for.
    next: Option<(usize, usize)>,
}

impl Lines<'_> {
    /// The comment's own line if something else stands on it, else the next line that is neither empty nor a comment.
    fn silenced(&mut self, comment: Span) -> usize {
        let line = self.file.line_of(comment.start);
        let says_nothing = |line: usize| {
            let text = self.file.slice(self.file.line_span(line)).trim_start();
            text.is_empty() || text.starts_with('#')
        };
        if !says_nothing(line) {
            return line;
        }
        let until = self.next.map_or(self.file.lines(), |(from, _)| from);
        let next = (line + 1..until).find(|line| !says_nothing(*line)).or(self.next.map(|(_, next)| next));
        let next = next.unwrap_or(self.file.lines());
        self.next = Some((line, next));
        if next < self.file.lines() { next } else { line }
    }
}
