//! Findings: one model, several formats (text, JSON, SARIF, GitHub annotations, JUnit). Rules make findings; this module
//! orders, silences and shows them.
//!
//! A finding names spans; the tree turns a span into a route (`accounts.prod.regions.us-east-1.buckets[3]`).

pub(crate) mod baseline;
pub mod concise;
pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub(crate) mod json;
pub mod junit;
pub(crate) mod rule;
pub mod sarif;
pub(crate) mod text;

use crate::{
    edit::{Change, Fix},
    source::{FileId, SourceFile, Span},
};
pub(crate) use rule::BOOK;
pub use rule::{Rule, Scope, Severity};
use serde_json::Value;
use std::cmp::Ordering;

/// What the formats show: findings, their files, and the route of each place in its file.
pub struct Report<'a> {
    /// The files of the run; [`FileId`] is the index.
    pub files: &'a [SourceFile],
    /// What was found, in the order in which it is shown.
    pub findings: &'a [Finding],
    /// What was found and is not shown.
    pub suppressed: &'a [Suppressed],
    /// A finding's place in the words of its file, such as `accounts.prod.regions.us-east-1.buckets[3]`.
    pub route: &'a dyn Fn(&Finding) -> String,
}

/// Something to say about a place in a file.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// Its severity, where the map sets another than its rule's.
    pub set: Option<Severity>,
    /// One lower-case sentence, the user's words in backticks.
    pub message: String,
    /// What stands under the underlined text; may be empty.
    pub label: String,
    /// What to write instead, and what AWS would have answered; may be empty.
    pub help: String,
    /// The file.
    pub file: FileId,
    /// The place.
    pub span: Span,
    /// The other ends of a conflict.
    pub related: Vec<Related>,
    /// A request that shows what it says of a policy.
    pub example: Option<Box<Example>>,
    /// Changes of the text that would mend it, the best first.
    pub fixes: Vec<Fix>,
    /// Changes of the tree that would mend it, with fixes that wait for their edits; `map::edit::resolve` finds these.
    pub changes: Vec<(Fix, Change)>,
}

/// A finding that is not shown, and why. It is there all the same.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// What keeps it from being shown.
    pub by: Suppression,
}

/// What keeps a finding from being shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suppression {
    /// A comment in the file, with its reason.
    Comment(String),
    /// The settings of the map, with their reason.
    Settings(String),
    /// A baseline lists it.
    Baseline,
}

/// A request that shows what a finding says of a policy: one that AWS would refuse, or would let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// In one line.
    pub words: String,
    /// An object with `principal`, `action`, `resource` and `context`.
    pub json: Value,
}

/// Another place that a finding speaks of.
#[derive(Debug, Clone)]
pub struct Related {
    /// What it has to do with the finding.
    pub message: String,
    /// The file.
    pub file: FileId,
    /// The place.
    pub span: Span,
}

impl Finding {
    /// A finding with its message.
    pub fn new(rule: &'static Rule, span: Span, message: impl Into<String>) -> Self {
        Finding {
            rule,
            set: None,
            message: message.into(),
            label: String::new(),
            help: String::new(),
            file: FileId::default(),
            span,
            related: Vec::new(),
            example: None,
            fixes: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Says that it is in another file than the first.
    pub fn in_file(mut self, file: FileId) -> Self {
        self.file = file;
        self
    }

    /// Sets what stands under the underlined text.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds the other end of a conflict, in the first file.
    pub fn related(self, span: Span, message: impl Into<String>) -> Self {
        self.related_in(FileId::default(), span, message)
    }

    /// Adds the other end of a conflict, in any file.
    pub fn related_in(mut self, file: FileId, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { message: message.into(), file, span });
        self
    }

    /// Adds a request that shows it.
    pub(crate) fn example(mut self, example: Option<Example>) -> Self {
        self.example = example.map(Box::new);
        self
    }

    /// Adds a change of the text that would mend it.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Adds a change of the tree that can only be what was meant.
    pub fn safe_fix(self, title: impl Into<String>, change: Change) -> Self {
        self.change(title, change, true)
    }

    /// Adds a change of the tree that may not be what was meant: a person accepts it.
    pub fn unsafe_fix(self, title: impl Into<String>, change: Change) -> Self {
        self.change(title, change, false)
    }

    fn change(mut self, title: impl Into<String>, change: Change, safe: bool) -> Self {
        self.changes.push((Fix { title: title.into(), edits: Vec::new(), safe }, change));
        self
    }

    /// The same finding in a text that stands so many bytes further on.
    pub(crate) fn moved(mut self, by: i64) -> Self {
        self.span = self.span.moved(by);
        self.related.iter_mut().for_each(|related| related.span = related.span.moved(by));
        self.fixes = self.fixes.into_iter().map(|fix| fix.moved(by)).collect();
        self.changes = self.changes.into_iter().map(|(fix, change)| (fix.moved(by), change.moved(by))).collect();
        self
    }

    /// A finding of files that are joined to one text, with its places in the files. A fix that changes other files than its own is
    /// left out: who shows it knows of one.
    pub(crate) fn located(mut self, joined: &SourceFile) -> Self {
        let (file, span) = joined.locate(self.span);
        (self.file, self.span) = (file, span);
        for related in &mut self.related {
            (related.file, related.span) = joined.locate(related.span);
        }
        self.fixes.retain(|fix| fix.edits.iter().all(|edit| joined.locate(edit.span).0 == file));
        let by = -i64::from(joined.start_of(file));
        self.fixes = self.fixes.into_iter().map(|fix| fix.moved(by)).collect();
        self
    }

    /// Its severity, which is its rule's unless the map sets another.
    pub fn severity(&self) -> Severity {
        self.set.unwrap_or(self.rule.severity)
    }
}

/// Counts by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// What AWS refuses or silently loses.
    pub errors: usize,
    /// What is legal but unwise.
    pub warnings: usize,
    /// What is good to know.
    pub infos: usize,
}

impl Summary {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity() == severity).count();
        Summary { errors: count(Severity::Error), warnings: count(Severity::Warning), infos: count(Severity::Info) }
    }
}

/// Puts findings in the order of their places, then of their rules.
pub(crate) fn sort(findings: &mut [Finding]) {
    findings.sort_by(order);
}

/// Which of two findings comes first.
pub(crate) fn order(a: &Finding, b: &Finding) -> Ordering {
    (a.file, a.span, a.rule.id, &a.message).cmp(&(b.file, b.span, b.rule.id, &b.message))
}

/// The known word nearest to a misspelt one, if any is near enough to be meant.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    let known: Vec<&str> = known.into_iter().collect();
    let longer = || known.iter().copied().find(|candidate| word.len() > 3 && candidate.starts_with(word));
    known
        .iter()
        .map(|candidate| (candidate.to_lowercase(), *candidate))
        // words whose lengths differ by more are farther apart; to measure how far takes the product of their lengths
        .filter(|(candidate, _)| candidate.chars().count().abs_diff(length) <= limit)
        .map(|(lower_candidate, candidate)| (strsim::damerau_levenshtein(&lower, &lower_candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
        .or_else(longer)
}

/// `a`, `a and b`, `a, b and c`, each in backticks.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first `most` words in backticks, and how many more there are.
pub(crate) fn few<T: AsRef<str>>(words: &[T], most: usize) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    crate::text::few(&quoted, most)
}
