//! Fixes of findings → code actions.

use super::{diagnostics::diagnostic, text::Text};
use crate::{analysis::Analysis, edit::Fix};
use lsp_types::{CodeAction, CodeActionKind, CodeActionResponse, TextEdit, Uri, WorkspaceEdit};
use std::{collections::HashMap, ops::Range};

/// Most findings whose fixes are offered at once; an editor may ask for those of a whole text.
const MOST_FINDINGS: usize = 500;

/// The fixes of findings that touch the bytes, of very many the first; of each finding the best first. A fix that can be made without asking is
/// preferred, so that editors offer it at once.
pub(super) fn fixes(uri: &Uri, text: &Text, analysis: &Analysis, bytes: Range<u32>) -> Vec<CodeActionResponse> {
    let (start, end) = (bytes.start.min(bytes.end), bytes.start.max(bytes.end));
    let here = analysis.findings.iter().filter(|finding| finding.span.start <= end && start <= finding.span.end);
    here.filter(|finding| !finding.fixes.is_empty())
        .take(MOST_FINDINGS)
        .flat_map(|finding| {
            finding.fixes.iter().enumerate().map(move |(at, fix)| {
                CodeAction {
                    title: capitalised(&fix.title),
                    kind: Some(CodeActionKind::QuickFix),
                    diagnostics: Some(vec![diagnostic(uri, text, finding)]),
                    is_preferred: (at == 0 && fix.safe).then_some(true),
                    edit: Some(workspace_edit(uri, text, fix)),
                    ..CodeAction::default()
                }
                .into()
            })
        })
        .collect()
}

fn workspace_edit(uri: &Uri, text: &Text, fix: &Fix) -> WorkspaceEdit {
    let edits = fix.edits.iter().map(|edit| TextEdit { range: text.range(edit.span), new_text: edit.text.clone() });
    WorkspaceEdit { changes: Some(HashMap::from([(uri.clone(), edits.collect())])), ..WorkspaceEdit::default() }
}

fn capitalised(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
