//! Reading a text again after a change inside of `accounts`: only the accounts that the change touches are read, the rest
//! of the tree is kept and moved.
//!
//! Gives the tree that reading everything gives, or nothing when it can't be sure of that: the caller then reads everything.
//! It is sure when the text was without findings before, and the changed lines, read alone, are a block of entries of the
//! same indentation without findings, anchors and keys of others; such lines mean the same wherever they stand.

use super::{Comment, Document, Entry, Kind, MAX_DEPTH, Node, read};
use crate::source::{FileId, SourceFile, Span};

/// The tree of `file`, from the tree that `before` gave without findings; `None` if the change can't be read by itself.
pub fn reread(before: &SourceFile, document: Document, file: &SourceFile) -> Option<Document> {
    if !document.included.is_empty() {
        return included(before, document, file);
    }
    Change::find(before, &document, file).map(|change| change.make(document))
}

/// The tree of files that are joined, after a change inside of one that the map includes: it is read, the others are kept and moved.
fn included(before: &SourceFile, mut document: Document, file: &SourceFile) -> Option<Document> {
    let (old, new) = (before.files(), file.files());
    if old.len() != new.len() || document.included.len() + 1 != new.len() || !document.anchors.is_empty() {
        return None;
    }
    let mut differ = old.iter().zip(new).enumerate().filter(|(_, (old, new))| old.text != new.text).map(|(at, _)| at);
    let (Some(at), None) = (differ.next(), differ.next()) else { return None };
    let place = document.included.get_mut(at.checked_sub(1)?)?;
    let mut findings = Vec::new();
    let alone = read(&new[at], &mut findings);
    if !findings.is_empty() || !alone.anchors.is_empty() {
        return None;
    }
    let id = FileId(u32::try_from(at).ok()?);
    let start = i64::from(file.start_of(id));
    let behind = start + i64::try_from(old[at].text.len()).ok()?;
    let shift = i64::try_from(new[at].text.len()).ok()? - i64::try_from(old[at].text.len()).ok()?;
    *place = alone.root?;
    move_node(place, start);
    document.included[at..].iter_mut().for_each(|top| move_node(top, shift));
    let from = document.comments.partition_point(|comment| i64::from(comment.span.start) < start);
    let to = document.comments.partition_point(|comment| i64::from(comment.span.start) <= behind);
    document.comments[to..].iter_mut().for_each(|comment| move_span(&mut comment.span, shift));
    let comments = alone.comments.into_iter().map(|comment| Comment { span: comment.span.moved(start), ..comment });
    document.comments.splice(from..to, comments);
    Some(document)
}

/// A change of whole accounts.
struct Change {
    /// Index of `accounts` in the root.
    section: usize,
    /// The entries that go.
    gone: std::ops::Range<usize>,
    /// The bytes that go with them, comments included.
    old: Span,
    /// What comes, where it stands in the new text.
    entries: Vec<Entry>,
    comments: Vec<Comment>,
    /// By how much everything behind it moves.
    shift: i64,
}

impl Change {
    fn find(before: &SourceFile, document: &Document, file: &SourceFile) -> Option<Self> {
        let (old_text, new_text) = (before.text.as_str(), file.text.as_str());
        let (start, old_end) = difference(old_text.as_bytes(), new_text.as_bytes());
        let Kind::Mapping(root) = &document.root.as_ref()?.kind else { return None };
        let section = root.iter().position(|entry| &*entry.key == "accounts")?;
        let Kind::Mapping(accounts) = &root[section].value.kind else { return None };
        if !document.anchors.is_empty() || is_flow(old_text, &root[section].value) || is_flow(old_text, document.root.as_ref()?) {
            return None;
        }
        // the entries that hold the change: each from its line to the line of the next
        let column = indentation(old_text, accounts.first()?.key_span)?;
        let line = |entry: &Entry| Some(entry.key_span.start as usize - indentation(old_text, entry.key_span)?);
        let starts: Vec<usize> = accounts.iter().map(line).collect::<Option<_>>()?;
        let end = match root.get(section + 1) {
            Some(next) => line(next)?,
            None => old_text.len(),
        };
        let first = starts.partition_point(|at| *at <= start).checked_sub(1)?;
        let last = starts.partition_point(|at| *at < old_end).max(first + 1);
        let (from, to) = (starts[first], starts.get(last).copied().unwrap_or(end));
        if old_end > to
            || start >= to
            || column == 0
            || accounts.iter().any(|entry| indentation(old_text, entry.key_span) != Some(column))
        {
            return None;
        }
        let shift = i64::try_from(new_text.len()).ok()? - i64::try_from(old_text.len()).ok()?;
        let slice = new_text.get(from..usize::try_from(i64::try_from(to).ok()? + shift).ok()?)?;
        let (entries, comments) = alone(slice, column, to == old_text.len())?;
        let keys: std::collections::BTreeSet<&str> = entries.iter().map(|entry| &*entry.key).collect();
        let mut others = accounts[..first].iter().chain(&accounts[last..]);
        if others.any(|entry| keys.contains(&*entry.key)) {
            return None;
        }
        let mut change = Change { section, gone: first..last, old: Span::new(from, to), entries, comments, shift };
        let by = i64::try_from(from).ok()?;
        change.entries.iter_mut().for_each(|entry| move_entry(entry, by));
        change.comments.iter_mut().for_each(|comment| move_span(&mut comment.span, by));
        Some(change)
    }

    fn make(self, mut document: Document) -> Document {
        let Change { section, gone, old, entries, comments, shift } = self;
        let first = document.comments.partition_point(|comment| comment.span.start < old.start);
        let last = document.comments.partition_point(|comment| comment.span.start < old.end);
        document.comments[last..].iter_mut().for_each(|comment| move_span(&mut comment.span, shift));
        document.comments.splice(first..last, comments);
        if let Some(Node { span, kind: Kind::Mapping(root) }) = &mut document.root {
            root[section + 1..].iter_mut().for_each(|entry| move_entry(entry, shift));
            let value = &mut root[section].value;
            if let Kind::Mapping(accounts) = &mut value.kind {
                accounts[gone.end..].iter_mut().for_each(|entry| move_entry(entry, shift));
                accounts.splice(gone, entries);
                value.span = around(accounts);
            }
            span.end = around(root).end;
        }
        document
    }
}

/// Entries and comments of lines that are read alone, with their places in them.
fn alone(slice: &str, column: usize, is_last: bool) -> Option<(Vec<Entry>, Vec<Comment>)> {
    // nothing stands at the margin: no marker of a document, no directive, no key of the root, no quote that goes on
    let inside = |line: &str| line.is_empty() || line.starts_with([' ', '#']) || line == "\r";
    let ends = slice.ends_with('\n') || is_last;
    if !ends
        || slice.contains('\u{feff}')
        || slice.matches('\r').count() != slice.matches("\r\n").count()
        || !slice.split('\n').all(inside)
    {
        return None;
    }
    let mut findings = Vec::new();
    let Document { root, anchors, comments, .. } = read(&SourceFile::new("", slice), &mut findings);
    let root =
        root.filter(|root| findings.is_empty() && anchors.is_empty() && !is_flow(slice, root) && depth(root) < MAX_DEPTH)?;
    let Kind::Mapping(entries) = root.kind else { return None };
    (indentation(slice, entries.first()?.key_span) == Some(column)).then_some((entries, comments))
}

/// The first byte that differs, and the end of what differs in the old text.
fn difference(old: &[u8], new: &[u8]) -> (usize, usize) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let same = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    (start, old.len() - same)
}

/// Spaces before a key; `None` if something else stands before it in its line.
fn indentation(text: &str, key: Span) -> Option<usize> {
    let before = text.get(..key.start as usize)?;
    let spaces = before.len() - before.trim_end_matches(' ').len();
    let line = &before[..before.len() - spaces];
    (line.is_empty() || line.ends_with('\n')).then_some(spaces)
}

fn is_flow(text: &str, node: &Node) -> bool {
    matches!(text.as_bytes().get(node.span.start as usize), Some(b'{' | b'['))
}

/// Nested collections, the node's own included.
fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::Mapping(entries) => 1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0),
        Kind::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Scalar { .. } | Kind::Alias(_) => 0,
    }
}

/// From the first key to the end of the last value, as the span of a block is read.
fn around(entries: &[Entry]) -> Span {
    let end = entries.iter().map(|entry| entry.value.span.end.max(entry.key_span.end)).max().unwrap_or(0);
    Span { start: entries.first().map_or(0, |entry| entry.key_span.start), end }
}

fn move_entry(entry: &mut Entry, by: i64) {
    move_span(&mut entry.key_span, by);
    move_node(&mut entry.value, by);
}

/// Moves a node with all that is in it.
pub(super) fn move_node(node: &mut Node, by: i64) {
    move_span(&mut node.span, by);
    match &mut node.kind {
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| move_entry(entry, by)),
        Kind::Sequence(items) => items.iter_mut().for_each(|item| move_node(item, by)),
        Kind::Scalar { .. } | Kind::Alias(_) => {}
    }
}

fn move_span(span: &mut Span, by: i64) {
    *span = span.moved(by);
}
