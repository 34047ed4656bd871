//! Findings → diagnostics.

use super::{client::Client, family::Whereabouts};
use crate::{
    diagnostics::{Finding, Severity},
    escape::shown,
};
use lsp_types::{CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Position, Range};

/// Most diagnostics that are sent: an editor gets all of them again after each edit, and nobody reads so many.
const MOST: usize = 500;

/// All diagnostics of a document; of very many the first ones, errors before the others, and a word at the top on the rest.
pub(super) fn all(at: &Whereabouts<'_>, client: &Client) -> Vec<Diagnostic> {
    let mut findings: Vec<&Finding> = at.analysis.findings.iter().filter(|finding| at.is_here(finding.span)).collect();
    let left_out = findings.len().saturating_sub(MOST);
    if left_out > 0 {
        findings.sort_by_key(|finding| finding.severity());
        findings.truncate(MOST);
    }
    let word = (left_out > 0).then(|| Diagnostic {
        range: Range { start: Position::default(), end: Position::default() },
        severity: Some(DiagnosticSeverity::Information),
        source: Some("logmap".to_owned()),
        message: format!("{left_out} more findings are not shown, the least severe ones; `logmap validate` shows all").into(),
        ..Diagnostic::default()
    });
    word.into_iter().chain(findings.into_iter().map(|finding| diagnostic(at, finding, client))).collect()
}

/// One finding for the client: its message, then what the underlined place is, then the advice.
pub(super) fn diagnostic(at: &Whereabouts<'_>, finding: &Finding, client: &Client) -> Diagnostic {
    let mut message = shown::line(&finding.message).into_owned();
    if !finding.label.is_empty() {
        message += &format!("\n{}", shown::line(&finding.label));
    }
    if !finding.help.is_empty() {
        message += &format!("\nhelp: {}", shown::line(&finding.help));
    }
    let related = finding.related.iter().map(|related| DiagnosticRelatedInformation {
        location: at.location(related.span),
        message: shown::line(&related.message).into_owned(),
    });
    let related: Vec<_> = related.collect();
    let unnecessary = client.unnecessary && finding.rule.name.starts_with("unused-");
    Diagnostic {
        range: at.range(finding.span),
        severity: Some(match finding.severity() {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Info => DiagnosticSeverity::Information,
        }),
        code: Some(finding.rule.id.to_owned().into()),
        code_description: finding
            .rule
            .address()
            .filter(|_| client.code_description)
            .map(|href| CodeDescription { href: href.into() }),
        source: Some("logmap".to_owned()),
        message: message.into(),
        tags: unnecessary.then(|| vec![DiagnosticTag::Unnecessary]),
        related_information: (client.related && !related.is_empty()).then_some(related),
        data: None,
    }
}
