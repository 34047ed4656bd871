//! Changes of the tree → edits of the text, in block and flow style, that keep indentation, line ends and comments.
//!
//! Where a change can't be made without touching what it does not speak of (an anchor, a comment between two items of a
//! flow list, a key in its long form), there is no edit, and the finding has no such fix.

use crate::{
    diagnostics::Finding,
    document::{
        Document, Entry, Kind, Node,
        path::{Path, Step},
    },
    edit::{Change, Edit},
    escape::{yaml_string, yaml_word},
    source::{SourceFile, Span},
};

/// Finds the bytes for the changes that rules proposed, and makes fixes of them.
pub(crate) fn resolve(file: &SourceFile, document: &Document, findings: &mut [Finding]) {
    if document.root.is_none() {
        return;
    }
    for finding in findings {
        let Some(top) = document.top_at(finding.span.start) else { continue };
        let editor = Editor { file, document, top };
        for (mut fix, change) in std::mem::take(&mut finding.changes) {
            if let Some(edits) = editor.edits(&change).filter(|edits| !edits.is_empty()) {
                fix.edits = edits;
                finding.fixes.push(fix);
            }
        }
    }
}

struct Editor<'a> {
    file: &'a SourceFile,
    document: &'a Document,
    /// The top node of the file that the finding is in.
    top: &'a Node,
}

/// Something in a collection: an item of a list or an entry of a mapping.
struct Member<'a> {
    parent: &'a Node,
    index: usize,
}

impl Editor<'_> {
    fn edits(&self, change: &Change) -> Option<Vec<Edit>> {
        match change {
            Change::Scalar(at, text) => Some(vec![Edit { span: *at, text: self.scalar(*at, text) }]),
            Change::RemoveItem(at) => Some(vec![self.remove(&self.item(*at)?)?]),
            Change::RemoveEntry(at) => Some(vec![self.remove(&self.entry(*at)?)?]),
            Change::RemoveRepeated(at, first) => {
                let key = |at: Span| {
                    self.entry(at)
                        .filter(|entry| self.span(entry).is_some_and(|whole| whole.start == at.start && whole.end > at.end))
                };
                let find = |at: Span| key(at).or_else(|| self.item(at));
                let (again, first) = (find(*at)?, find(*first)?);
                let same = self.file.slice(self.span(&again)?) == self.file.slice(self.span(&first)?);
                let together = std::ptr::eq(again.parent, first.parent) && again.index != first.index;
                if same && together { Some(vec![self.remove(&again)?]) } else { None }
            }
            Change::InsertFirst(under, key, value) => {
                let mapping = match under {
                    None => self.top,
                    Some(under) => {
                        let member = self.entry(*under)?;
                        let Kind::Mapping(entries) = &member.parent.kind else { return None };
                        &entries.get(member.index)?.value
                    }
                };
                self.insert_first(mapping, &format!("{key}: {value}"))
            }
            Change::InsertLast(path, key, value) => self.insert_last(self.at(path)?, &format!("{}: {value}", yaml_word(key))),
            Change::MoveItem(at, path) => self.move_item(*at, path),
        }
    }

    /// The bytes of a member: all of the item, or key and value.
    fn span(&self, member: &Member<'_>) -> Option<Span> {
        match &member.parent.kind {
            Kind::Sequence(items) => items.get(member.index).map(|item| item.span),
            Kind::Mapping(entries) => entries.get(member.index).map(Entry::whole),
            _ => None,
        }
    }

    /// The collections around a place, outermost first.
    fn around(&self, at: Span) -> Vec<Member<'_>> {
        let mut found = Vec::new();
        let Some(mut parent) = self.document.top_at(at.start) else { return found };
        for step in Path::at(self.document, at.start).steps {
            if step.span().start > at.start || at.end > step.span().end {
                break;
            }
            let (Step::Key(index, _) | Step::Item(index, _)) = step;
            found.push(Member { parent, index });
            parent = step.node();
        }
        found
    }

    /// The innermost list item at or around a place.
    fn item(&self, at: Span) -> Option<Member<'_>> {
        self.around(at).into_iter().rev().find(|member| matches!(member.parent.kind, Kind::Sequence(_)))
    }

    /// The entry whose key, or scalar value, is exactly here.
    fn entry(&self, at: Span) -> Option<Member<'_>> {
        self.around(at).into_iter().rev().find(|member| match &member.parent.kind {
            Kind::Mapping(entries) => {
                entries.get(member.index).is_some_and(|entry| entry.key_span == at || entry.value.span == at)
            }
            _ => false,
        })
    }

    /// The node behind these keys.
    fn at(&self, path: &[String]) -> Option<&Node> {
        Some(Path::of(self.document, path)?.steps.last().map_or(self.top, |step| step.node()))
    }

    fn text(&self, start: usize, end: usize) -> &str {
        self.file.text.get(start..end).unwrap_or_default()
    }

    fn is_flow(&self, node: &Node) -> bool {
        is_flow(self.file, node)
    }

    fn line_break(&self) -> &'static str {
        line_break(self.file)
    }

    /// A new text in the style of the scalar that stands there.
    fn scalar(&self, at: Span, text: &str) -> String {
        let simple = !text.contains(|c: char| c.is_control() || matches!(c, '\'' | '"' | '\\'));
        match self.file.slice(at).chars().next() {
            Some('"') => yaml_string(text),
            Some('\'') if simple => format!("'{text}'"),
            _ => yaml_word(text),
        }
    }

    /// Takes a member out of its collection.
    fn remove(&self, member: &Member<'_>) -> Option<Edit> {
        let span = self.span(member)?;
        if self.is_flow(member.parent) { self.remove_flow(member, span) } else { self.remove_block(member, span) }
    }

    /// With the comma after it, or before it if it is the last.
    fn remove_flow(&self, member: &Member<'_>, span: Span) -> Option<Edit> {
        let neighbour = |index: usize| self.span(&Member { parent: member.parent, index });
        let only_comma = |start: u32, end: u32| self.text(start as usize, end as usize).trim() == ",";
        let previous = member.index.checked_sub(1).and_then(neighbour);
        // an anchor or the like before it would be left behind
        let start = previous.map_or(member.parent.span.start + 1, |previous| previous.end);
        let before = self.text(start as usize, span.start as usize).trim();
        if !(before.is_empty() || (before == "," && previous.is_some())) {
            return None;
        }
        let cut = match (previous, neighbour(member.index + 1)) {
            (_, Some(next)) if only_comma(span.end, next.start) => Span { start: span.start, end: next.start },
            (Some(previous), None) => Span { start: previous.end, end: span.end },
            (None, None) => span,
            _ => return None,
        };
        Some(Edit { span: cut, text: String::new() })
    }

    /// Its lines, but for the comments on them.
    fn remove_block(&self, member: &Member<'_>, span: Span) -> Option<Edit> {
        let is_item = matches!(member.parent.kind, Kind::Sequence(_));
        let before = self.text(0, span.start as usize);
        let start = if is_item { before.trim_end().strip_suffix('-')?.len() } else { before.len() };
        let line = self.file.line_span(self.file.line_of(Span::new(start, start).start)).start as usize;
        let indentation = self.text(line, start);
        if !indentation.bytes().all(|b| b == b' ') {
            return None;
        }
        let last = self.file.line_of(span.end);
        let end = self.file.line_span(last).end;
        let rest = self.text(span.end as usize, end as usize).trim_start_matches([':', ' ', '\t']);
        if !(rest.is_empty() || rest.starts_with('#')) {
            return None;
        }
        let breaks = self.text(end as usize, self.file.text.len());
        let end = end as usize + breaks.len() - breaks.strip_prefix("\r\n").or(breaks.strip_prefix('\n')).unwrap_or(breaks).len();
        let inside =
            |comment: &&crate::document::Comment| line <= comment.span.start as usize && comment.span.end as usize <= end;
        let comments = self.document.comments.iter().filter(inside);
        let kept =
            comments.map(|comment| format!("{indentation}{}{}", self.file.slice(comment.span).trim_end(), self.line_break()));
        Some(Edit { span: Span::new(line, end), text: kept.collect() })
    }

    fn insert_first(&self, mapping: &Node, entry: &str) -> Option<Vec<Edit>> {
        let Kind::Mapping(entries) = &mapping.kind else { return None };
        let Some(first) = entries.first() else { return self.fill_empty(mapping, '{', entry, '}') };
        let start = first.key_span.start as usize;
        let text = if self.is_flow(mapping) {
            format!("{entry}, ")
        } else {
            let line = self.file.line_span(self.file.line_of(first.key_span.start)).start as usize;
            let before = self.text(line, start);
            if !before.bytes().all(|b| matches!(b, b' ' | b'-')) {
                return None;
            }
            format!("{entry}{}{}", self.line_break(), " ".repeat(before.len()))
        };
        Some(vec![Edit { span: Span::new(start, start), text }])
    }

    /// Behind the last member, in the collection's style. `text` is an entry or an item.
    fn insert_last(&self, node: &Node, text: &str) -> Option<Vec<Edit>> {
        let (open, close, dash) = match &node.kind {
            Kind::Mapping(_) => ('{', '}', ""),
            Kind::Sequence(_) => ('[', ']', "- "),
            _ => return None,
        };
        let last = match &node.kind {
            Kind::Mapping(entries) => entries.last().map(|entry| (entry.key_span.start, entry.whole().end)),
            Kind::Sequence(items) => items.last().map(|item| (item.span.start, item.span.end)),
            _ => None,
        };
        let Some((start, end)) = last else { return self.fill_empty(node, open, text, close) };
        if self.is_flow(node) {
            return Some(vec![Edit { span: Span { start: end, end }, text: format!(", {text}") }]);
        }
        let line = self.file.line_span(self.file.line_of(start)).start as usize;
        let before = self.text(line, start as usize);
        let indentation = before.strip_suffix(dash)?;
        if !indentation.bytes().all(|b| b == b' ') {
            return None;
        }
        let end = self.file.line_span(self.file.line_of(end)).end;
        Some(vec![Edit { span: Span { start: end, end }, text: format!("{}{indentation}{dash}{text}", self.line_break()) }])
    }

    /// `{}` or `[]` gets its first member.
    fn fill_empty(&self, node: &Node, open: char, text: &str, close: char) -> Option<Vec<Edit>> {
        let inner = self.file.slice(node.span).strip_prefix(open)?.strip_suffix(close)?;
        let space = if open == '{' { " " } else { "" };
        let filled = format!("{open}{space}{text}{space}{close}");
        inner.trim().is_empty().then(|| vec![Edit { span: node.span, text: filled }])
    }

    /// An item of one line moves; `path` ends with a Region and the key of its list.
    fn move_item(&self, at: Span, path: &[String]) -> Option<Vec<Edit>> {
        let member = self.item(at)?;
        let text = self.file.slice(self.span(&member)?);
        let Kind::Sequence(items) = &member.parent.kind else { return None };
        let block = matches!(&items.get(member.index)?.kind, Kind::Mapping(_)) && !text.starts_with('{');
        if block || text.contains('\n') {
            return None;
        }
        let [regions @ .., region, list] = path else { return None };
        let mut edits = vec![self.remove(&member)?];
        edits.extend(match (self.at(path), self.at(&path[..path.len() - 1])) {
            (Some(there), _) => self.insert_last(there, text)?,
            (None, Some(there)) => self.insert_last(there, &format!("{list}: [{text}]"))?,
            (None, None) => self.insert_last(self.at(regions)?, &format!("{region}: {{ {list}: [{text}] }}"))?,
        });
        Some(edits)
    }
}

/// Is a collection written in flow style?
pub(super) fn is_flow(file: &SourceFile, node: &Node) -> bool {
    file.slice(node.span).starts_with(['[', '{'])
}

/// How the text's lines end.
pub(super) fn line_break(file: &SourceFile) -> &'static str {
    match file.text.find('\n') {
        Some(at) if file.text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}
