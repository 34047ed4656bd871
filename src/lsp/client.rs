//! What the client says it can do. What it does not say it can't do, as the protocol has it.

use super::text::Encoding;
use lsp_types::{MarkupContent, MarkupKind, PositionEncodingKind};
use serde_json::Value;

/// The capabilities that make a difference here.
#[derive(Debug, Clone, Default)]
pub(super) struct Client {
    /// How it counts columns.
    pub encoding: Encoding,
    /// Diagnostics may name other places.
    pub related: bool,
    /// Diagnostics may have an address of their rule.
    pub code_description: bool,
    /// Diagnostics may be of something unnecessary.
    pub unnecessary: bool,
    /// Diagnostics may say of which version of the text they are.
    pub versions: bool,
    /// Symbols may have symbols below them.
    pub nested_symbols: bool,
    /// Actions may be edits.
    pub actions: bool,
    /// An action may be preferred.
    pub preferred: bool,
    /// Renaming may be prepared.
    pub prepare_rename: bool,
    /// Hovers may be Markdown.
    pub hover_markdown: bool,
    /// What describes a completion may be Markdown.
    pub completion_markdown: bool,
    /// Most folds.
    pub folds: Option<usize>,
}

impl Client {
    /// Of the parameters of `initialize`; of what is odd in them the rest.
    pub(super) fn of(params: &Value) -> Self {
        let at = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let can = |path: &str| at(path) == Some(&Value::Bool(true));
        let has = |path: &str, wanted: &Value| at(path).and_then(Value::as_array).is_some_and(|list| list.contains(wanted));
        let encodings = at("general/positionEncodings").and_then(Value::as_array).into_iter().flatten();
        let encodings: Vec<PositionEncodingKind> =
            encodings.filter_map(|kind| serde_json::from_value(kind.clone()).ok()).collect();
        let markdown = Value::from("markdown");
        Client {
            encoding: Encoding::choose(&encodings),
            related: can("textDocument/publishDiagnostics/relatedInformation"),
            code_description: can("textDocument/publishDiagnostics/codeDescriptionSupport"),
            // 1 is `Unnecessary`
            unnecessary: has("textDocument/publishDiagnostics/tagSupport/valueSet", &Value::from(1)),
            versions: can("textDocument/publishDiagnostics/versionSupport"),
            nested_symbols: can("textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
            actions: at("textDocument/codeAction/codeActionLiteralSupport").is_some_and(Value::is_object),
            preferred: can("textDocument/codeAction/isPreferredSupport"),
            prepare_rename: can("textDocument/rename/prepareSupport"),
            hover_markdown: has("textDocument/hover/contentFormat", &markdown),
            completion_markdown: has("textDocument/completion/completionItem/documentationFormat", &markdown),
            folds: at("textDocument/foldingRange/rangeLimit")
                .and_then(Value::as_u64)
                .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        }
    }

    /// A text in Markdown, which is readable as it is where the client does not know it.
    pub(super) fn markup(markdown: bool, value: String) -> MarkupContent {
        MarkupContent { kind: if markdown { MarkupKind::Markdown } else { MarkupKind::PlainText }, value }
    }
}
