//! Members for the collections of a map's text, any number of lines each: in block style behind the last member, in flow style
//! on its line. Nothing that stands there is touched.
//!
//! Takes places as keys from the top; gives the new text. What the text means is for the analysis.

use super::{decode::is_null, edit::is_flow};
use crate::{
    document::{
        Document, Entry, Kind, Node,
        path::{Path, Step},
    },
    edit::{self, Edit, Fix},
    source::{SourceFile, Span},
};
use std::collections::BTreeMap;

/// Members that are to be added.
#[derive(Debug)]
pub(crate) struct Additions<'a> {
    file: &'a SourceFile,
    document: &'a Document,
    /// Bytes that are replaced, empty where something is inserted → indentation of what comes, the innermost first, and its text.
    made: BTreeMap<Span, Vec<(usize, String)>>,
    /// Spaces by which a level is indented.
    pub step: usize,
}

/// A collection, or the empty value where one is to be.
struct Collection<'a> {
    /// The entry that it is the value of; `None` for the whole map.
    entry: Option<&'a Entry>,
    node: &'a Node,
    /// Is it within a flow collection?
    in_flow: bool,
}

impl<'a> Additions<'a> {
    /// None yet.
    pub(crate) fn new(file: &'a SourceFile, document: &'a Document) -> Self {
        let mut additions = Additions { file, document, made: BTreeMap::new(), step: 2 };
        if let Some(inner) = additions.find(&["accounts"])
            && let Kind::Mapping(entries) = &inner.node.kind
            && let Some(column) = entries.first().and_then(|entry| additions.column(entry.key_span.start))
        {
            additions.step = column.clamp(1, 8);
        }
        additions
    }

    /// Adds members to the collection at these keys. `block` gives whole lines for an indentation, `flow` what stands between
    /// commas. False if the collection is written in a way that can't be added to.
    pub(crate) fn append(&mut self, path: &[&str], block: &dyn Fn(usize) -> String, flow: &str) -> bool {
        let Some((span, indentation, text)) = self.addition(path, block, flow) else { return false };
        let here = self.made.entry(span).or_default();
        // what replaces an empty collection replaces it once
        if span.start < span.end && !here.is_empty() {
            return false;
        }
        here.push((indentation, text));
        true
    }

    /// The map's files with the members.
    pub(crate) fn applied(self) -> Vec<SourceFile> {
        let fixes: Vec<Fix> = self
            .made
            .into_iter()
            .map(|(span, mut texts)| {
                texts.sort_by_key(|(indentation, _)| std::cmp::Reverse(*indentation));
                let text = texts.into_iter().map(|(_, text)| text).collect();
                Fix { title: String::new(), edits: vec![Edit { span, text }], safe: true }
            })
            .collect();
        edit::apply_to(self.file, &fixes).0
    }

    fn addition(&self, path: &[&str], block: &dyn Fn(usize) -> String, flow: &str) -> Option<(Span, usize, String)> {
        let Collection { entry, node, in_flow } = self.find(path)?;
        let last = match &node.kind {
            Kind::Mapping(entries) => entries.last().map(|entry| (entry.key_span.start, entry.whole().end)),
            Kind::Sequence(items) => items.last().map(|item| (item.span.start, item.span.end)),
            Kind::Scalar { .. } if is_null(node) => None,
            _ => return None,
        };
        let lines = |indentation: usize| {
            let lines = block(indentation);
            let line_break = self.line_break();
            lines.lines().fold(String::new(), |text, line| text + line_break + line)
        };
        match last {
            Some((_, end)) if is_flow(self.file, node) => Some((Span { start: end, end }, usize::MAX, format!(", {flow}"))),
            Some((start, end)) => {
                let dash = if matches!(node.kind, Kind::Sequence(_)) { "- " } else { "" };
                let line = self.file.line_span(self.file.line_of(start)).start as usize;
                let before = self.file.text.get(line..start as usize)?.strip_suffix(dash)?;
                if !before.bytes().all(|b| b == b' ') {
                    return None;
                }
                let end = self.after_comments(end, before.len());
                Some((Span { start: end, end }, before.len(), lines(before.len())))
            }
            None if in_flow => {
                let filled = if is_null(node) || !self.file.slice(node.span).starts_with('[') {
                    format!("{{ {flow} }}")
                } else {
                    format!("[{flow}]")
                };
                (!is_null(node)).then_some((node.span, usize::MAX, filled))
            }
            None => {
                let key = entry?.key_span;
                let indentation = self.column(key.start)? + self.step;
                if is_null(node) {
                    // a word such as `null` would have to go, and a comment behind it to stay
                    if !self.file.slice(node.span).is_empty() {
                        return None;
                    }
                    let end = self.after_comments(key.end, indentation);
                    return Some((Span { start: end, end }, indentation, lines(indentation)));
                }
                let inside = self.file.slice(node.span);
                // `{}` goes, with the space before it
                let gap = self.file.text.get(key.end as usize..node.span.start as usize)?;
                let only = inside.len() >= 2 && inside[1..inside.len() - 1].trim().is_empty() && gap.trim() == ":";
                let start = key.end + u32::try_from(gap.trim_end().len()).ok()?;
                let rest = self.file.line_span(self.file.line_of(node.span.end)).end;
                let comment = self.file.text.get(node.span.end as usize..rest as usize)?.to_owned();
                only.then(|| (Span { start, end: rest }, indentation, format!("{comment}{}", lines(indentation))))
            }
        }
    }

    /// The end of the line of an offset, or of the last of the comments below it that are indented at least so far.
    fn after_comments(&self, offset: u32, indentation: usize) -> u32 {
        let mut line = self.file.line_of(offset);
        let mut end = self.file.line_span(line).end;
        loop {
            line += 1;
            let span = self.file.line_span(line);
            let text = self.file.slice(span);
            let indented = text.len() - text.trim_start_matches(' ').len();
            if span.start <= end || !text.trim_start().starts_with('#') || indented < indentation.max(1) {
                return end;
            }
            end = span.end;
        }
    }

    fn find(&self, keys: &[&str]) -> Option<Collection<'a>> {
        let path = Path::of(self.document, keys)?;
        let first = path.steps.first().map_or(0, |step| step.span().start);
        let root = self.document.top_at(first)?;
        let (last, before) = match path.steps.split_last() {
            Some((Step::Key(_, entry), before)) => (Some(*entry), before),
            _ => (None, &[][..]),
        };
        let above = last.iter().map(|_| root).chain(before.iter().map(|step| step.node()));
        let in_flow = above.into_iter().any(|node| is_flow(self.file, node));
        Some(Collection { entry: last, node: last.map_or(root, |entry| &entry.value), in_flow })
    }

    /// Spaces before an offset, if nothing else is before it on its line.
    fn column(&self, offset: u32) -> Option<usize> {
        let line = self.file.line_span(self.file.line_of(offset)).start as usize;
        let before = self.file.text.get(line..offset as usize)?;
        before.bytes().all(|b| b == b' ').then_some(before.len())
    }

    fn line_break(&self) -> &'static str {
        super::edit::line_break(self.file)
    }
}
