//! Changes of a source text: byte ranges to be replaced. Comments and layout outside of them stay as they are.
//!
//! Rules propose fixes as edits or as changes of the tree; `--fix`, the editor and `import` apply them. Knows nothing of YAML or of the map.

use crate::source::Span;
use std::collections::BTreeMap;

/// One range of bytes to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty to insert.
    pub span: Span,
    /// What comes in their place.
    pub text: String,
}

/// A change in terms of the map's tree. Rules propose it, by places; `map::edit` finds the bytes, in block and flow style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Another text for the scalar or key at this place, in quotes where it needs them.
    Scalar(Span, String),
    /// The list item at this place, or around it, goes.
    RemoveItem(Span),
    /// The entry with its key at this place goes.
    RemoveEntry(Span),
    /// The item or entry at the first place goes if it is, text by text, the one at the second.
    RemoveRepeated(Span, Span),
    /// A first entry for the mapping behind the key at this place, or for the whole map; the value is YAML on one line.
    InsertFirst(Option<Span>, &'static str, String),
    /// A last entry for the mapping at these keys; the value is YAML on one line.
    InsertLast(Vec<String>, String, String),
    /// The list item at this place goes to the end of the list at these keys; the last two keys are made if they are not there.
    MoveItem(Span, Vec<String>),
}

/// A change that mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, such as "put the id in quotes"; lower case.
    pub title: String,
    /// Its edits, which must be made together and don't overlap.
    pub edits: Vec<Edit>,
    /// Can only one thing have been meant, so that it may be made without asking?
    pub safe: bool,
}

impl Fix {
    /// A fix with one edit that can only be what was meant.
    pub fn safe_fix(title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Fix { title: title.into(), edits: vec![Edit { span, text: text.into() }], safe: true }
    }

    /// A fix with one edit that may not be what was meant: a person accepts it.
    pub fn unsafe_fix(title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Fix { safe: false, ..Fix::safe_fix(title, span, text) }
    }
}

/// Makes the fixes in a text, those that come first winning over later ones that overlap them. Gives the new text, and of
/// each fix whether it was made.
pub fn apply<'a>(text: &str, fixes: impl IntoIterator<Item = &'a Fix>) -> (String, Vec<bool>) {
    let mut taken: BTreeMap<Span, &str> = BTreeMap::new();
    let mut made = Vec::new();
    for fix in fixes {
        // what is taken lies apart, so that only the neighbours count; two insertions at one place are no neighbours:
        // which comes first would be chance
        let fits = |edit: &Edit| {
            text.get(edit.span.range()).is_some()
                && taken
                    .range(..=edit.span)
                    .next_back()
                    .is_none_or(|(before, _)| before.end <= edit.span.start && *before != edit.span)
                && taken.range(edit.span..).next().is_none_or(|(after, _)| edit.span.end <= after.start)
        };
        let all_fit = fix.edits.iter().all(fits);
        if all_fit {
            taken.extend(fix.edits.iter().map(|edit| (edit.span, edit.text.as_str())));
        }
        made.push(all_fit);
    }
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in taken {
        result += &text[at..span.start as usize];
        result += new;
        at = span.end as usize;
    }
    result += &text[at..];
    (result, made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_fixes_are_left_for_the_next_round() {
        let fixes = [
            Fix::safe_fix("b", Span::new(1, 2), "BB"),
            Fix::safe_fix("bc", Span::new(1, 3), "-"),
            Fix::safe_fix("end", Span::new(3, 3), "!"),
            Fix::safe_fix("end again", Span::new(3, 3), "?"),
            Fix::safe_fix("all", Span::new(0, 3), "-"),
            Fix::safe_fix("before b", Span::new(1, 1), "<"),
            Fix::safe_fix("past the end", Span::new(3, 4), "-"),
        ];
        assert_eq!(apply("abc", &fixes), ("a<BBc!".to_owned(), vec![true, false, true, false, false, true, false]));
    }
}
