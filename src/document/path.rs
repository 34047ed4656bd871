//! Ways through the tree: from the root to the node at an offset, or behind some keys. The one walk for the editor, for fixes, for
//! additions and for routes.

use super::{Document, Entry, Kind, Node};
use crate::source::Span;
use std::fmt::Write as _;

/// One step from the root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'d> {
    /// Into the value of a key, with its index in the mapping.
    Key(usize, &'d Entry),
    /// Into an item of a list, with its index.
    Item(usize, &'d Node),
}

impl<'d> Step<'d> {
    /// Where it leads: the value, or the item.
    pub(crate) fn node(self) -> &'d Node {
        match self {
            Step::Key(_, entry) => &entry.value,
            Step::Item(_, item) => item,
        }
    }

    /// The bytes of key and value, or of the item.
    pub(crate) fn span(self) -> Span {
        match self {
            Step::Key(_, entry) => entry.whole(),
            Step::Item(_, item) => item.span,
        }
    }
}

/// The steps from the root to a node. Aliases are not followed.
#[derive(Debug, Default)]
pub(crate) struct Path<'d> {
    /// From the root; empty for the root itself.
    pub steps: Vec<Step<'d>>,
    /// The offset is in the last step's key, not in its value.
    pub on_key: bool,
}

impl<'d> Path<'d> {
    /// The path to the innermost key or value that touches a byte offset.
    pub(crate) fn at(document: &'d Document, offset: u32) -> Self {
        let mut path = Path::default();
        let mut node = document.top_at(offset);
        while let Some(current) = node {
            node = None;
            match &current.kind {
                Kind::Mapping(entries) => {
                    let index = entries.partition_point(|entry| entry.key_span.start <= offset).wrapping_sub(1);
                    if let Some(entry) = entries.get(index).filter(|entry| offset <= entry.whole().end) {
                        path.steps.push(Step::Key(index, entry));
                        path.on_key = entry.key_span.touches(offset);
                        node = (!path.on_key).then_some(&entry.value);
                    }
                }
                Kind::Sequence(items) => {
                    let index = items.partition_point(|item| item.span.start <= offset).wrapping_sub(1);
                    if let Some(item) = items.get(index).filter(|item| item.span.touches(offset)) {
                        path.steps.push(Step::Item(index, item));
                        node = Some(item);
                    }
                }
                Kind::Scalar { .. } | Kind::Alias(_) => {}
            }
        }
        path
    }

    /// The path to the value behind some keys from the top of the first file that has them; `None` if none has.
    pub(crate) fn of(document: &'d Document, keys: impl IntoIterator<Item = impl AsRef<str>> + Clone) -> Option<Self> {
        document.tops().find_map(|top| Path::below(top, keys.clone()))
    }

    fn below(mut node: &'d Node, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Option<Self> {
        let mut path = Path::default();
        for key in keys {
            let Kind::Mapping(entries) = &node.kind else { return None };
            let index = entries.iter().position(|entry| *entry.key == *key.as_ref())?;
            path.steps.push(Step::Key(index, &entries[index]));
            node = &entries[index].value;
        }
        Some(path)
    }

    /// The keys on the way; a list item is `[]`.
    #[cfg(feature = "lsp")]
    pub(crate) fn keys(&self) -> Vec<&'d str> {
        let key = |step: &Step<'d>| match step {
            Step::Key(_, entry) => &*entry.key,
            Step::Item(..) => "[]",
        };
        self.steps.iter().map(key).collect()
    }

    /// The bytes of the last key.
    pub(crate) fn key(&self) -> Option<Span> {
        match self.steps.last()? {
            Step::Key(_, entry) => Some(entry.key_span),
            Step::Item(..) => None,
        }
    }

    /// The route, such as `accounts.prod.regions.us-east-1.buckets[3]`.
    pub(crate) fn route(&self) -> String {
        let mut route = String::new();
        for step in &self.steps {
            match step {
                Step::Key(_, entry) => {
                    let dot = if route.is_empty() { "" } else { "." };
                    route += dot;
                    route += &entry.key;
                }
                Step::Item(index, _) => {
                    let _ = write!(route, "[{index}]");
                }
            }
        }
        route
    }

    /// The bytes of what the offset is on: the key, or the value.
    #[cfg(feature = "lsp")]
    pub(crate) fn span(&self) -> Option<Span> {
        Some(match self.steps.last()? {
            Step::Key(_, entry) if self.on_key => entry.key_span,
            step => step.node().span,
        })
    }

    /// The node of a step, counted from the root.
    #[cfg(feature = "lsp")]
    pub(crate) fn node(&self, step: usize) -> Option<&'d Node> {
        self.steps.get(step).map(|step| step.node())
    }
}

/// A key's value in a mapping of JSON: the last one, if the key stands twice.
pub(crate) fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Mapping(entries) => entries.iter().rev().find(|entry| &*entry.key == key).map(|entry| &entry.value),
        _ => None,
    }
}

/// The entries of a mapping; none of anything else.
pub(crate) fn entries<'d>(document: &'d Document, node: Option<&'d Node>) -> &'d [Entry] {
    match node.map(|node| &document.resolve(node).kind) {
        Some(Kind::Mapping(entries)) => entries,
        _ => &[],
    }
}

/// The items of a list; none of anything else.
pub(crate) fn items<'d>(document: &'d Document, node: Option<&'d Node>) -> &'d [Node] {
    match node.map(|node| &document.resolve(node).kind) {
        Some(Kind::Sequence(items)) => items,
        _ => &[],
    }
}

/// The value of a key.
pub(crate) fn get<'d>(entries: &'d [Entry], key: &str) -> Option<&'d Node> {
    entries.iter().find(|entry| &*entry.key == key).map(|entry| &entry.value)
}

/// The text of a scalar.
pub(crate) fn text<'d>(document: &'d Document, node: &'d Node) -> Option<&'d str> {
    match &document.resolve(node).kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
