//! Findings → diagnostics.

use super::text::Text;
use crate::{
    analysis::Analysis,
    diagnostics::{Finding, Severity},
};
use lsp_types::{CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, Uri};

/// Most diagnostics that are sent: an editor gets all of them again after each edit, and nobody reads so many.
const MOST: usize = 2_000;

/// All diagnostics of a map; of very many the first ones, errors before the others.
pub(super) fn all(uri: &Uri, text: &Text, analysis: &Analysis) -> Vec<Diagnostic> {
    let mut findings: Vec<&Finding> = analysis.findings.iter().collect();
    if findings.len() > MOST {
        findings.sort_by_key(|finding| finding.severity());
        findings.truncate(MOST);
    }
    findings.into_iter().map(|finding| diagnostic(uri, text, finding)).collect()
}

/// One finding for the client: its message, then what the underlined place is, then the advice.
pub(super) fn diagnostic(uri: &Uri, text: &Text, finding: &Finding) -> Diagnostic {
    let mut message = finding.message.clone();
    if !finding.label.is_empty() {
        message += &format!("\n{}", finding.label);
    }
    if !finding.help.is_empty() {
        message += &format!("\nhelp: {}", finding.help);
    }
    let related = finding.related.iter().map(|related| DiagnosticRelatedInformation {
        location: Location { uri: uri.clone(), range: text.range(related.span) },
        message: related.message.clone(),
    });
    let related: Vec<_> = related.collect();
    Diagnostic {
        range: text.range(finding.span),
        severity: Some(match finding.severity() {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Info => DiagnosticSeverity::Information,
        }),
        code: Some(finding.rule.id.to_owned().into()),
        code_description: page(finding.rule.id).map(|href| CodeDescription { href }),
        source: Some("logmap".to_owned()),
        message: message.into(),
        tags: finding.rule.name.starts_with("unused-").then(|| vec![DiagnosticTag::Unnecessary]),
        related_information: (!related.is_empty()).then_some(related),
        data: None,
    }
}

/// Address of a rule's page, once the package has an address; until then hovering shows the page.
fn page(id: &str) -> Option<Uri> {
    let repository = env!("CARGO_PKG_REPOSITORY");
    (!repository.is_empty()).then(|| format!("{repository}/blob/main/src/rules/docs/{id}.md").into())
}
