//! Changes of a source text: byte ranges to be replaced. Comments and layout outside of them stay as they are.
//!
//! Rules propose fixes as edits or as changes of the tree; `--fix`, the editor and `import` apply them. Knows nothing of YAML or of the map.

use crate::source::{FileId, SourceFile, Span};
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
    /// Another text for the scalar or key at this place: in the quotes that are there, without any in new ones where it needs them.
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

impl Change {
    /// The same change of a text that stands so many bytes further on.
    pub(crate) fn moved(self, by: i64) -> Self {
        match self {
            Change::Scalar(at, text) => Change::Scalar(at.moved(by), text),
            Change::RemoveItem(at) => Change::RemoveItem(at.moved(by)),
            Change::RemoveEntry(at) => Change::RemoveEntry(at.moved(by)),
            Change::RemoveRepeated(at, first) => Change::RemoveRepeated(at.moved(by), first.moved(by)),
            Change::InsertFirst(under, key, value) => Change::InsertFirst(under.map(|under| under.moved(by)), key, value),
            Change::InsertLast(..) => self,
            Change::MoveItem(at, path) => Change::MoveItem(at.moved(by), path),
        }
    }
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
    /// The same fix in a text that stands so many bytes further on.
    pub(crate) fn moved(mut self, by: i64) -> Self {
        self.edits.iter_mut().for_each(|edit| edit.span = edit.span.moved(by));
        self
    }

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
    let (taken, made) = choose(text, fixes);
    (replaced(text, taken), made)
}

/// The same in files that are joined to one text: gives the files, and of each fix whether it was made.
pub(crate) fn apply_to<'a>(joined: &SourceFile, fixes: impl IntoIterator<Item = &'a Fix>) -> (Vec<SourceFile>, Vec<bool>) {
    let (mut taken, made) = choose(&joined.text, fixes);
    let ids = (0..).map(FileId).zip(joined.files());
    let files = ids.map(|(id, file)| {
        let start = joined.start_of(id);
        let behind = taken.split_off(&Span::new(start as usize + file.text.len() + 1, 0));
        let here = std::mem::replace(&mut taken, behind);
        let moved = here.into_iter().map(|(span, text)| (span.moved(-i64::from(start)), text)).collect();
        file.with_text(replaced(&file.text, moved))
    });
    (files.collect(), made)
}

/// The edits of those fixes that are made, and of each whether it is.
fn choose<'a>(text: &str, fixes: impl IntoIterator<Item = &'a Fix>) -> (BTreeMap<Span, &'a str>, Vec<bool>) {
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
    (taken, made)
}

fn replaced(text: &str, edits: BTreeMap<Span, &str>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in edits {
        result += &text[at..span.start as usize];
        result += new;
        at = span.end as usize;
    }
    result + &text[at..]
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
