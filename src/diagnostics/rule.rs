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

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The text of a map: can it be read as YAML, and its comments.
    Text,
    /// The keys and types of a map.
    Shape,
    /// What a map says, and what is derived of it.
    Map,
    /// Several maps together.
    Maps,
    /// What others wrote.
    Input,
    /// What is imported.
    Import,
    /// The files that were generated.
    Output,
    /// What is in the accounts.
    Live,
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
    /// What it looks at.
    pub scope: Scope,
    /// One line: what it finds.
    pub summary: &'static str,
    /// Version of logmap that it came with.
    pub since: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Can something be derived while its findings stand?
    pub can_be_ignored: bool,
    /// Is what it finds a hole in the proof of a policy? Such a policy is rendered under no circumstances.
    pub is_of_proof: bool,
}

/// Where the pages of `docs/` are published as a book, without a slash at the end. Nobody publishes them yet. Who does says it here, and SARIF,
/// editors and `explain` name each rule's page there, and the map's schema its address.
pub(crate) const BOOK: Option<&str> = None;

impl Rule {
    /// The address of its page in the book, if that is published.
    pub(crate) fn address(&self) -> Option<String> {
        self.address_in(BOOK)
    }

    fn address_in(&self, book: Option<&str>) -> Option<String> {
        book.map(|book| format!("{book}/rules/{}.html", self.id))
    }

    /// What the page says before its first example: paragraphs of Markdown, without the heading and the line with severity and input.
    #[cfg(feature = "lsp")]
    pub(crate) fn lead(&self) -> String {
        let paragraphs: Vec<&str> = self.page.split("\n\n").skip(2).map(str::trim).collect();
        let example = paragraphs.iter().position(|paragraph| paragraph.starts_with("```"));
        // an example is introduced by a paragraph of its own
        let end = example.map_or(paragraphs.len(), |example| example.saturating_sub(1));
        paragraphs.get(..end).unwrap_or_default().join("\n\n")
    }

    /// May a comment of the map or a baseline silence it? Not if nothing could be derived or rendered afterwards.
    pub(crate) fn can_be_silenced(&self) -> bool {
        self.can_be_ignored && !self.is_of_proof
    }

    /// May the map's settings say what its findings count? Not if nothing could be derived or rendered while they stand, and not where no
    /// map is spoken of: of generated files, `--check` says whether they are up to date, and what is imported comes before the map.
    pub(crate) fn can_be_set(&self) -> bool {
        self.can_be_silenced() && !matches!(self.scope, Scope::Output | Scope::Import)
    }

    /// Is this its id, in any case, or its name?
    pub(crate) fn is(&self, word: &str) -> bool {
        self.id.eq_ignore_ascii_case(word) || self.name == word
    }
}

/// Declares a family of rules, in the order of their ids: the rules, and `RULES`, which lists them.
///
/// ```text
/// rule_family! {
///     since "0.1.0";
///     SHORT = "LM0504" "short-retention" Warning Map: "logs expire within a week";
/// }
/// ```
///
/// A rule's line has its name in the code, id, name, severity, scope and summary. `blocking` after the scope says that nothing can
/// be derived while the rule's findings stand, so that it can't be ignored; `proof`, that a policy of which it finds something is not proven. A rule that comes with a later version of logmap stands
/// behind a line with that version. Each rule has a page, `src/rules/docs/ID.md`.
#[macro_export]
macro_rules! rule_family {
    ($(since $since:literal; $($konst:ident = $id:literal $name:literal $severity:ident $scope:ident $($what:ident)?: $summary:literal;)*)*) => {
        $($(
            #[doc = $summary]
            pub(crate) static $konst: $crate::diagnostics::Rule = $crate::diagnostics::Rule {
                id: $id,
                name: $name,
                severity: $crate::diagnostics::Severity::$severity,
                scope: $crate::diagnostics::Scope::$scope,
                summary: $summary,
                since: $since,
                page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/docs/", $id, ".md")),
                can_be_ignored: $crate::rule_family!(@ignorable $($what)?),
                is_of_proof: $crate::rule_family!(@proof $($what)?),
            };
        )*)*

        /// The family, in the order of its declaration.
        pub(crate) const RULES: &[&$crate::diagnostics::Rule] = &[$($(&$konst),*),*];
    };
    (@ignorable) => {
        true
    };
    (@ignorable proof) => {
        true
    };
    (@ignorable blocking) => {
        false
    };
    (@proof proof) => {
        true
    };
    (@proof $($what:ident)?) => {
        false
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_an_address_where_the_book_has_one() {
        let rule = Rule {
            id: "LM0105",
            name: "region-unknown",
            severity: Severity::Warning,
            scope: Scope::Map,
            summary: "",
            since: "0.1.0",
            page: "",
            can_be_ignored: true,
            is_of_proof: false,
        };
        assert_eq!(rule.address_in(None), None);
        assert_eq!(
            rule.address_in(Some("https://example.com/1.0")).as_deref(),
            Some("https://example.com/1.0/rules/LM0105.html")
        );
    }
}
