//! Where in the tree a place of the text is: the keys and list items on the way to it.

use crate::{
    document::{Document, Entry, Kind, Node},
    source::Span,
};

/// One step from the root.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'d> {
    /// Into the value of a key.
    Key(&'d Entry),
    /// Into an item of a list.
    Item(&'d Node),
}

/// The way to a place.
#[derive(Debug, Default)]
pub(super) struct Cursor<'d> {
    /// From the root.
    pub steps: Vec<Step<'d>>,
    /// The place is in the last step's key, not in its value.
    pub on_key: bool,
}

impl<'d> Cursor<'d> {
    /// The way to the innermost key or value that touches an offset.
    pub(super) fn at(document: &'d Document, offset: u32) -> Self {
        let mut cursor = Cursor::default();
        let mut node = document.root.as_ref();
        while let Some(current) = node {
            node = None;
            match &current.kind {
                Kind::Mapping(entries) => {
                    let at = entries.partition_point(|entry| entry.key_span.start <= offset);
                    let entry = entries[..at].last().filter(|entry| offset <= entry.value.span.end.max(entry.key_span.end));
                    if let Some(entry) = entry {
                        cursor.steps.push(Step::Key(entry));
                        cursor.on_key = entry.key_span.touches(offset);
                        node = (!cursor.on_key).then_some(&entry.value);
                    }
                }
                Kind::Sequence(items) => {
                    let at = items.partition_point(|item| item.span.start <= offset);
                    if let Some(item) = items[..at].last().filter(|item| item.span.touches(offset)) {
                        cursor.steps.push(Step::Item(item));
                        node = Some(item);
                    }
                }
                Kind::Scalar { .. } | Kind::Alias(_) => {}
            }
        }
        cursor
    }

    /// The keys on the way; a list item is `[]`.
    pub(super) fn path(&self) -> Vec<&'d str> {
        self.steps
            .iter()
            .map(|step| match step {
                Step::Key(entry) => &*entry.key,
                Step::Item(_) => "[]",
            })
            .collect()
    }

    /// What the cursor is on: the key, or the value if it is a scalar.
    pub(super) fn span(&self) -> Option<Span> {
        Some(match self.steps.last()? {
            Step::Key(entry) if self.on_key => entry.key_span,
            Step::Key(entry) => entry.value.span,
            Step::Item(item) => item.span,
        })
    }

    /// The node of a step, counted from the root.
    pub(super) fn node(&self, step: usize) -> Option<&'d Node> {
        Some(match self.steps.get(step)? {
            Step::Key(entry) => &entry.value,
            Step::Item(item) => item,
        })
    }
}

/// The entries of a mapping; none of anything else.
pub(super) fn entries<'d>(document: &'d Document, node: Option<&'d Node>) -> &'d [Entry] {
    match node.map(|node| &document.resolve(node).kind) {
        Some(Kind::Mapping(entries)) => entries,
        _ => &[],
    }
}

/// The items of a list; none of anything else.
pub(super) fn items<'d>(document: &'d Document, node: Option<&'d Node>) -> &'d [Node] {
    match node.map(|node| &document.resolve(node).kind) {
        Some(Kind::Sequence(items)) => items,
        _ => &[],
    }
}

/// The value of a key.
pub(super) fn get<'d>(entries: &'d [Entry], key: &str) -> Option<&'d Node> {
    entries.iter().find(|entry| &*entry.key == key).map(|entry| &entry.value)
}

/// The text of a scalar.
pub(super) fn text<'d>(document: &'d Document, node: &'d Node) -> Option<&'d str> {
    match &document.resolve(node).kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
