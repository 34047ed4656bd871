//! Rules as data: one declaration gives id, severity, summary and page; `explain`, the pages in docs/rules/ and JSON read it.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// AWS refuses it, or accepts it and silently delivers nothing.
    Error,
    /// Legal but unwise.
    Warning,
    /// Good to know.
    Info,
}

impl Severity {
    /// Lower-case word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// A rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// `LM` and four digits.
    pub id: &'static str,
    /// Short name in kebab case.
    pub name: &'static str,
    /// Its findings' severity.
    pub severity: Severity,
    /// One line: what it finds.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// May a comment in the map silence it? Not if nothing could be derived afterwards.
    pub can_be_ignored: bool,
}

/// Declares a rule beside its check: `rule!(NAME, "LM0101", "kebab-name", Error, "what it finds")`.
///
/// A sixth argument, `blocking`, says that nothing can be derived while it stands, so that it can't be ignored.
#[macro_export]
macro_rules! rule {
    ($konst:ident, $id:literal, $name:literal, $severity:ident, $summary:literal) => {
        $crate::rule!(@ $konst, $id, $name, $severity, $summary, true);
    };
    ($konst:ident, $id:literal, $name:literal, $severity:ident, $summary:literal, blocking) => {
        $crate::rule!(@ $konst, $id, $name, $severity, $summary, false);
    };
    (@ $konst:ident, $id:literal, $name:literal, $severity:ident, $summary:literal, $ignorable:literal) => {
        #[doc = $summary]
        pub static $konst: $crate::diagnostics::Rule = $crate::diagnostics::Rule {
            id: $id,
            name: $name,
            severity: $crate::diagnostics::Severity::$severity,
            summary: $summary,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/docs/", $id, ".md")),
            can_be_ignored: $ignorable,
        };
    };
}
