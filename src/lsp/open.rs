//! One open document: its text, whether it is a map, and what is known about it.
//!
//! Owns the order change → analysis → diagnostics: a change only marks the document; the analysis is made when somebody
//! asks for it, once for each text.

use super::{
    client::Client,
    diagnostics,
    family::{self, Around, Family, Whereabouts},
    names,
    shift::Shift,
    text::{Encoding, Text},
};
use crate::{
    analysis::{Analysis, AnalysisCache, analyze, analyze_incremental},
    diagnostics::{Finding, Scope},
    included::is_map_name,
    source::SourceFile,
};
use lsp_types::{PublishDiagnosticsParams, TextDocumentContentChangeEvent, TextDocumentItem, Uri};
use std::cell::RefCell;

/// An open document.
pub(super) struct Open {
    /// As the client names it.
    pub uri: Uri,
    /// The client's number of this text.
    pub version: i32,
    /// The text.
    pub text: Text,
    /// The account keys of the last text that could be read, for completion in one that can't.
    pub accounts: Vec<String>,
    language: String,
    encoding: Encoding,
    /// The map in several files that it belongs to.
    family: Option<Family>,
    analysis: Option<Analysis>,
    /// The last text that could be read, and what is known of it, once somebody has asked.
    readable: Option<Text>,
    before: Option<Analysis>,
    /// What the next analysis can reuse of the one before.
    cache: AnalysisCache,
    /// Changed since diagnostics were published.
    stale: bool,
    /// The client shows diagnostics of it.
    shown: bool,
}

impl Open {
    /// A document that the client has opened.
    pub(super) fn new(item: TextDocumentItem, encoding: Encoding) -> Self {
        Open {
            uri: item.uri,
            version: item.version,
            text: Text::new(item.text, encoding),
            accounts: Vec::new(),
            language: String::from(item.language_id),
            encoding,
            family: None,
            analysis: None,
            readable: None,
            before: None,
            cache: AnalysisCache::for_editing(),
            stale: true,
            shown: false,
        }
    }

    /// Makes changes, in order.
    pub(super) fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        self.version = version;
        for change in changes {
            self.text.change(change);
        }
        self.forget();
    }

    /// What was known is of another text.
    fn forget(&mut self) {
        if let Some(analysis) = self.analysis.take() {
            self.cache.keep(analysis);
        }
        self.stale = true;
    }

    /// Looks which map the document belongs to, in what the client has open and on the disk.
    pub(super) fn look_around(&mut self, around: &mut Around<'_>) {
        let family = Family::of(&self.uri, around);
        let same = match (&family, &self.family) {
            (Some(now), Some(before)) => now.says_as(before),
            (now, before) => now.is_none() && before.is_none(),
        };
        self.family = family;
        if !same {
            self.forget();
        }
    }

    /// Takes the text of another document, if it is of the same map.
    pub(super) fn neighbour(&mut self, uri: &Uri, text: &str) {
        let path = family::path(uri);
        if let (Some(family), Some(path)) = (&mut self.family, path)
            && family.take(&path, text)
        {
            self.forget();
        }
    }

    /// Is the document a region map?
    pub(super) fn is_map(&self) -> bool {
        self.family.is_some() || is_map(&self.uri.0, &self.language, self.text.as_str())
    }

    /// What is known about the text, if it is a map.
    pub(super) fn analysis(&mut self) -> Option<&Analysis> {
        if !self.is_map() {
            return None;
        }
        if self.analysis.is_none() {
            let name = self.uri.0.rsplit('/').next().unwrap_or_default().to_owned();
            let sources = match &mut self.family {
                Some(family) => family.sources(self.text.as_str()),
                None => SourceFile::new(name, self.text.as_str()).into(),
            };
            let analysis = analyze_incremental(sources, &mut self.cache);
            let own = self.family.as_ref().map(Family::own).unwrap_or_default();
            self.text.begins(analysis.file.start_of(own));
            if !analysis.document.broken && analysis.document.root.is_some() {
                self.accounts = names::accounts(&analysis.document);
                let mut readable = self.text.clone();
                readable.begins(0);
                self.readable = Some(readable);
                self.before = None;
            }
            self.analysis = Some(analysis);
        }
        self.analysis.as_ref()
    }

    /// The analysis, and where its places are for the client.
    pub(super) fn whereabouts(&mut self) -> Option<Whereabouts<'_>> {
        self.analysis()?;
        Some(Whereabouts {
            uri: &self.uri,
            text: &self.text,
            family: self.family.as_ref(),
            analysis: self.analysis.as_ref()?,
            encoding: self.encoding,
            others: RefCell::default(),
        })
    }

    /// Text and analysis at once.
    pub(super) fn known(&mut self) -> Option<(&Text, &Analysis)> {
        self.analysis()?;
        Some((&self.text, self.analysis.as_ref()?))
    }

    /// What `run` makes of the text; while a line is half written and the text can't be read, of the last one that could, put by
    /// `shift` where its lines are now.
    pub(super) fn outline<T>(
        &mut self,
        run: impl FnOnce(&Text, &Analysis) -> T,
        shift: impl FnOnce(&Shift<'_>, T) -> T,
    ) -> Option<T> {
        let at = self.whereabouts()?;
        let is_wrong = |one: &Finding| one.rule.scope == Scope::Text && at.is_here(one.span);
        let is_broken = at.analysis.document.broken && at.analysis.findings.iter().any(is_wrong);
        let Some(readable) = self.readable.as_ref().filter(|_| is_broken) else {
            let (text, analysis) = self.known()?;
            return Some(run(text, analysis));
        };
        let before = self.before.get_or_insert_with(|| analyze(SourceFile::new("", readable.as_str())));
        Some(shift(&Shift::between(readable, &self.text), run(readable, before)))
    }

    /// The diagnostics, if the client has not seen those of this text.
    pub(super) fn unpublished(&mut self, client: &Client) -> Option<PublishDiagnosticsParams> {
        if !std::mem::take(&mut self.stale) {
            return None;
        }
        let (uri, version) = (self.uri.clone(), client.versions.then_some(self.version));
        let diagnostics = self.whereabouts().map(|at| diagnostics::all(&at, client));
        // a document that is no map is only spoken of to take back what was said
        let was_shown = std::mem::replace(&mut self.shown, diagnostics.is_some());
        let diagnostics = diagnostics.or(was_shown.then(Vec::new))?;
        Some(PublishDiagnosticsParams { uri, version, diagnostics })
    }

    /// Does the client have to be told that there is nothing to show any more?
    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }
}

/// A document is a map if it is named `logmap.yaml` or `*.logmap.yaml` (or `.yml`), if the client calls its language
/// `logmap`, or if it is YAML whose schema comment names the map's schema or whose first key is `version`, with
/// `accounts` at the margin further on.
fn is_map(uri: &str, language: &str, text: &str) -> bool {
    let name = uri.rsplit(['/', '\\']).next().unwrap_or_default();
    if language == "logmap" || is_map_name(name) {
        return true;
    }
    if language != "yaml" && !name.ends_with(".yaml") && !name.ends_with(".yml") {
        return false;
    }
    let text = text.trim_start_matches('\u{feff}');
    let schema = |line: &str| line.starts_with('#') && line.contains("$schema=") && line.contains("region-map");
    let mut lines = text.lines();
    let first = lines.by_ref().take(200).find(|line| schema(line) || !(line.is_empty() || line.starts_with(['#', '-'])));
    first.is_some_and(|line| schema(line) || line.starts_with("version:") && lines.any(|line| line.starts_with("accounts:")))
}

#[cfg(test)]
mod tests {
    use super::is_map;

    #[test]
    fn maps_are_known_by_name_comment_or_first_keys() {
        for (uri, language, text) in [
            ("file:///a/logmap.yaml", "yaml", ""),
            ("file:///a/prod.logmap.yml", "plaintext", ""),
            ("untitled:x", "logmap", ""),
            ("file:///a/m.yaml", "yaml", "\u{feff}# a\n# yaml-language-server: $schema=../region-map.schema.json\n"),
            ("file:///a/m.yaml", "yaml", "---\n# a\nversion: 1\naccounts:\n"),
        ] {
            assert!(is_map(uri, language, text), "{uri} {text}");
        }
        for (uri, language, text) in [
            ("file:///a/compose.yaml", "yaml", "version: 1\nservices:\n"),
            ("file:///a/notlogmap.yaml", "yaml", "accounts:\n"),
            ("file:///a/logmap.rs", "rust", "version: 1\naccounts:\n"),
        ] {
            assert!(!is_map(uri, language, text), "{uri} {text}");
        }
    }
}
