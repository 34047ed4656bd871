//! Findings → code actions: their fixes, a comment that silences one, and all safe fixes at once.

use super::{client::Client, diagnostics::diagnostic, family::Whereabouts, text::Text};
use crate::{diagnostics::Finding, edit::Fix, escape::shown, fix, source::Span};
use lsp_types::{CodeAction, CodeActionKind, CodeActionResponse, TextEdit, Uri, WorkspaceEdit};
use std::{collections::HashMap, ops::Range};

/// Most findings whose fixes are offered at once; an editor may ask for those of a whole text.
const MOST_FINDINGS: usize = 500;

/// Does a client that asks for these kinds, or for any, want this one? A kind contains those that it begins, as `source` does
/// `source.fixAll`.
pub(super) fn wants(only: Option<&[CodeActionKind]>, kind: &str) -> bool {
    let contains =
        |asked: &str| asked.is_empty() || kind.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    only.is_none_or(|kinds| kinds.iter().any(|asked| contains(&String::from(asked.clone()))))
}

/// What all safe fixes are called.
pub(super) const FIX_ALL: &str = "source.fixAll.logmap";

/// The fixes of findings that touch the bytes, of very many the first; of each finding the best first, and last the comment that silences
/// it. A fix that can be made without asking is preferred, so that editors offer it at once.
pub(super) fn fixes(at: &Whereabouts<'_>, bytes: Range<u32>, client: &Client) -> Vec<CodeActionResponse> {
    let (start, end) = (bytes.start.min(bytes.end), bytes.start.max(bytes.end));
    let here = at.analysis.findings.iter().filter(|finding| finding.span.start <= end && start <= finding.span.end);
    let here: Vec<&Finding> =
        here.filter(|finding| !finding.fixes.is_empty() || finding.rule.can_be_silenced()).take(MOST_FINDINGS).collect();
    let action = |finding: &Finding, title: String, is_preferred: bool, edit: WorkspaceEdit| -> CodeActionResponse {
        CodeAction {
            title,
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![diagnostic(at, finding, client)]),
            is_preferred: (client.preferred && is_preferred).then_some(true),
            edit: Some(edit),
            ..CodeAction::default()
        }
        .into()
    };
    let fixes = here.iter().flat_map(|finding| finding.fixes.iter().enumerate().map(move |(which, fix)| (*finding, which, fix)));
    let edits = |fix: &Fix| at.edit(fix.edits.iter().map(|edit| (edit.span, edit.text.clone())));
    let mut made: Vec<CodeActionResponse> = fixes
        .map(|(finding, which, fix)| action(finding, capitalised(&shown::line(&fix.title)), which == 0 && fix.safe, edits(fix)))
        .collect();
    // behind every fix: to silence is the last thing to do
    made.extend(here.iter().filter(|finding| finding.rule.can_be_silenced()).map(|finding| {
        let title = format!("Ignore {} here, for a reason to be written behind the bracket", finding.rule.id);
        action(finding, title, false, workspace_edit(at.uri, vec![ignore(at.text, finding)]))
    }));
    made
}

/// A comment above the line of a finding. It silences nothing until somebody has written the reason, and its own finding says so.
fn ignore(text: &Text, finding: &Finding) -> TextEdit {
    let line = text.line(text.line_of(text.raw(finding.span.start)));
    let of_line = &text.as_str()[line.clone()];
    let indentation = &of_line[..of_line.len() - of_line.trim_start_matches(' ').len()];
    let line_end = if text.as_str()[line.end..].starts_with("\r\n") { "\r\n" } else { "\n" };
    let new_text = format!("{indentation}# logmap: ignore[{}] {line_end}", finding.rule.id);
    // a byte order mark stays the first thing of a text
    let start = line.start.max(text.raw(0));
    TextEdit { range: text.byte_range(start..start), new_text }
}

/// All safe fixes at once, as `logmap validate --fix` makes them; nothing if there are none.
pub(super) fn fix_all(at: &Whereabouts<'_>) -> Option<CodeActionResponse> {
    let (analysis, own) = (at.analysis, at.own().0 as usize);
    if !analysis.findings.iter().any(|finding| finding.fixes.iter().any(|fix| fix.safe)) {
        return None;
    }
    let before = &analysis.file.files().get(own)?.text;
    let fixed = fix::fix(analysis.sources_of(analysis.file.files().to_vec()), false);
    let after = &fixed.analysis.file.files().get(own)?.text;
    // of a map in several files those of the document
    if fixed.made.is_empty() || before == after {
        return None;
    }
    // from the first byte that differs to the last
    let same = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let same = (0..=same).rev().find(|at| before.is_char_boundary(*at) && after.is_char_boundary(*at))?;
    let tail = before[same..].bytes().rev().zip(after[same..].bytes().rev()).take_while(|(a, b)| a == b).count();
    let is_boundary = |tail: &usize| before.is_char_boundary(before.len() - tail) && after.is_char_boundary(after.len() - tail);
    let tail = (0..=tail).rev().find(is_boundary)?;
    let start = i64::from(at.text.start());
    let range = at.range(Span::new(same, before.len() - tail).moved(start));
    let edit = TextEdit { range, new_text: after[same..after.len() - tail].to_owned() };
    let action = CodeAction {
        title: "Make all safe fixes".to_owned(),
        kind: Some(FIX_ALL.to_owned().into()),
        edit: Some(workspace_edit(at.uri, vec![edit])),
        ..CodeAction::default()
    };
    Some(action.into())
}

fn workspace_edit(uri: &Uri, edits: Vec<TextEdit>) -> WorkspaceEdit {
    WorkspaceEdit { changes: Some(HashMap::from([(uri.clone(), edits)])), ..WorkspaceEdit::default() }
}

fn capitalised(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
