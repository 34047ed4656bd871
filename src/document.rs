//! YAML text → spanned tree. The only file that knows the YAML parser.
//!
//! Takes text from anyone; gives a tree whose nodes know their bytes, or findings with places. Scalars stay raw text:
//! what a plain `012345678901` means is decided where a type is expected, never here. Budgets keep hostile input
//! cheap: depth, nodes, and what aliases expand to. Must not know the map's vocabulary.

pub(crate) mod incremental;
pub(crate) mod path;

use crate::{
    catalog::reading::{ALIAS, DUPLICATE_KEY, KEY_TYPE, MERGE_KEY, NESTING, SECOND_DOCUMENT, SYNTAX, TAG},
    diagnostics::Finding,
    edit::{Change, Edit, Fix},
    source::{FileId, NOT_UTF8, SourceFile, Span},
};
use granit_parser::{Event, Options, Parser, ScalarStyle, Tag as YamlTag};
use indexmap::IndexMap;

/// Deepest nesting that is read; a map needs 9.
const MAX_DEPTH: usize = 64;
/// Nodes that all aliases together may stand for.
const ALIAS_BUDGET: usize = 100_000;
/// Bytes of text that all aliases together may stand for, and that all anchored nodes together may have: each of them is copied.
const COPIED_BYTES: usize = 16 << 20;

/// Most keys that stand twice that are listed, each with what would mend it.
const MOST_REPEATED: usize = 10_000;

/// A node of the tree.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its bytes; a block ends with its last child.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text with or without quotes.
    Scalar {
        /// After YAML's own escapes and folding; nothing else is read into it.
        text: Box<str>,
        /// Without quotes.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order in which they stand; a key that stands twice has been reported.
    Mapping(Vec<Entry>),
    /// Index into [`Document::anchors`].
    Alias(usize),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key's text.
    pub key: Box<str>,
    /// The key's bytes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Entry {
    /// The bytes of key and value.
    pub(crate) fn whole(&self) -> Span {
        Span { start: self.key_span.start, end: self.value.span.end.max(self.key_span.end) }
    }
}

/// A comment.
#[derive(Debug, Clone)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// What follows `#`.
    pub text: String,
}

/// A YAML document.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The top node; `None` if the text is empty or can't be read.
    pub root: Option<Node>,
    /// A file could not be read: what there is, is not all.
    pub broken: bool,
    /// The top nodes of the files that are joined to the text behind the first, in order.
    pub included: Vec<Node>,
    /// Copies of the nodes that aliases stand for.
    pub anchors: Vec<Node>,
    /// All comments, in order.
    pub comments: Vec<Comment>,
}

impl Document {
    /// Follows an alias to the node it stands for.
    pub fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        match node.kind {
            Kind::Alias(index) => self.anchors.get(index).unwrap_or(node),
            _ => node,
        }
    }

    /// The top nodes of all files, the first one's first.
    pub(crate) fn tops(&self) -> impl Iterator<Item = &Node> {
        self.root.iter().chain(&self.included)
    }

    /// The top node of the file that a byte is in.
    pub(crate) fn top_at(&self, offset: u32) -> Option<&Node> {
        let behind = self.included.partition_point(|top| top.span.start <= offset);
        behind.checked_sub(1).map_or(self.root.as_ref(), |at| self.included.get(at))
    }

    /// The route to the innermost node at a byte offset, such as `accounts.prod.regions.us-east-1.buckets[3]`.
    pub fn route(&self, offset: u32) -> String {
        path::Path::at(self, offset).route()
    }
}

impl Document {
    /// Puts a file's tree where the file stands in the text that it is joined to, behind so many anchors of those before it.
    fn put(&mut self, by: i64, anchors: usize) {
        if by == 0 {
            return;
        }
        for node in self.root.iter_mut().chain(&mut self.anchors) {
            incremental::move_node(node, by);
            if anchors > 0 {
                put_aliases(node, anchors);
            }
        }
        self.comments.iter_mut().for_each(|comment| comment.span = comment.span.moved(by));
    }
}

/// Aliases in the tree of a file name anchors behind so many of other files.
fn put_aliases(node: &mut Node, anchors: usize) {
    match &mut node.kind {
        Kind::Alias(index) => *index += anchors,
        Kind::Sequence(items) => items.iter_mut().for_each(|item| put_aliases(item, anchors)),
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| put_aliases(&mut entry.value, anchors)),
        Kind::Scalar { .. } => {}
    }
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// A region map: tags, merge keys and duplicate keys are findings.
    Map,
    /// A CloudFormation template: a tag such as `!Sub` is the function `Fn::Sub` around its value; the first document counts.
    Template,
}

/// Reads a region map, the first document of each of its files. Findings are added to `findings`; of a file with a syntax error there is
/// nothing.
pub fn read(file: &SourceFile, findings: &mut Vec<Finding>) -> Document {
    let mut work = Work::default();
    let files = file.files();
    if files.len() < 2 {
        return read_as(file, Dialect::Map, &mut work, findings);
    }
    if let Some(finding) = too_long(&file.text) {
        findings.push(finding);
        return Document { broken: true, ..Document::default() };
    }
    let mut all = Document::default();
    for (id, part) in (0..).map(FileId).zip(files) {
        let mut found = Vec::new();
        let mut document = read_as(part, Dialect::Map, &mut work, &mut found);
        all.broken |= document.broken;
        let by = i64::from(file.start_of(id));
        findings.extend(found.into_iter().map(|finding| finding.moved(by)));
        document.put(by, all.anchors.len());
        all.anchors.append(&mut document.anchors);
        all.comments.append(&mut document.comments);
        if id == FileId::default() {
            all.root = document.root;
        } else {
            // a file without anything in it is a top node that says nothing
            let nothing = || Node { span: Span::default().moved(by), kind: Kind::Scalar { text: "".into(), plain: true } };
            all.included.push(document.root.unwrap_or_else(nothing));
        }
    }
    all
}

/// Reads a CloudFormation template in YAML. Only what keeps it from being read is a finding.
pub(crate) fn read_template(file: &SourceFile, findings: &mut Vec<Finding>) -> Document {
    read_as(file, Dialect::Template, &mut Work::default(), findings)
}

/// What was read of all files that are read together.
#[derive(Default)]
struct Work {
    alias_nodes: usize,
    alias_bytes: usize,
    anchored_bytes: usize,
    /// Keys that stand twice.
    repeated: usize,
}

fn read_as(file: &SourceFile, dialect: Dialect, work: &mut Work, findings: &mut Vec<Finding>) -> Document {
    if let Some(finding) = unreadable(file) {
        findings.push(finding);
        return Document { broken: true, ..Document::default() };
    }
    let mut options = Options::default();
    options.set_emit_comments(true);
    options.emit_unresolved_aliases = true;
    options.max_buffered_comment_events = usize::MAX;
    options.block_nesting_limit = MAX_DEPTH * 4;
    Loader {
        file,
        dialect,
        findings,
        document: Document::default(),
        stack: Vec::new(),
        open: Vec::new(),
        by_id: IndexMap::new(),
        work,
        reached: 0,
    }
    .load(Parser::new_from_str_with_options(&file.text, options))
}

/// Places are numbers of 32 bits.
fn too_long(text: &str) -> Option<Finding> {
    (text.len() > u32::MAX as usize / 2).then(|| {
        Finding::new(&SYNTAX, Span::default(), "the map is larger than 2 GiB").help("split the organization into several maps")
    })
}

/// Text that can't be YAML at all.
fn unreadable(file: &SourceFile) -> Option<Finding> {
    if let Some(finding) = too_long(&file.text) {
        return Some(finding);
    }
    let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if file.text.lines().all(crate::text::is_plain) {
        return None;
    }
    let (at, c) = file.text.char_indices().find(|(_, c)| bad(*c) || *c == NOT_UTF8)?;
    let span = Span::new(at, at + c.len_utf8());
    if c == NOT_UTF8 {
        let finding = Finding::new(&SYNTAX, span, "the text is not UTF-8 from here on").label("this byte is not valid in UTF-8");
        return Some(finding.help("save the file as UTF-8 text; if it is a binary file, it is not a region map"));
    }
    Some(
        Finding::new(&SYNTAX, span, format!("a control character (U+{:04X}) can't stand in YAML", c as u32))
            .label("this byte")
            .help("save the file as UTF-8 text; if it is a binary file, it is not a region map"),
    )
}

/// A collection that is being read.
struct Frame {
    start: usize,
    end: usize,
    anchor: usize,
    tag: Option<Function>,
    /// Nodes in it, aliases counted with what they stand for.
    size: usize,
    kind: FrameKind,
}

enum FrameKind {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, seen: IndexMap<Box<str>, Span>, key: Option<Key> },
}

/// A function of a template, from a tag.
struct Function {
    name: Box<str>,
    span: Span,
}

impl Function {
    /// A node with the function around it: `{ "Fn::Sub": node }`.
    fn around(self, node: Node) -> Node {
        let span = Span { start: self.span.start, end: node.span.end };
        Node { span, kind: Kind::Mapping(vec![Entry { key: self.name, key_span: self.span, value: node }]) }
    }
}

/// A key that waits for its value; without text its entry is dropped (it has been reported).
struct Key {
    text: Option<Box<str>>,
    span: Span,
}

struct Loader<'a> {
    file: &'a SourceFile,
    dialect: Dialect,
    findings: &'a mut Vec<Finding>,
    document: Document,
    stack: Vec<Frame>,
    /// Anchor ids whose node is not complete.
    open: Vec<usize>,
    /// Parser's anchor id → index into the document's anchors, and size.
    by_id: IndexMap<usize, (usize, usize)>,
    work: &'a mut Work,
    /// Where the last event ended: the parser looks ahead of it.
    reached: usize,
}

impl Loader<'_> {
    fn load<'t>(mut self, mut parser: Parser<'t, granit_parser::StrInput<'t>>) -> Document {
        let mut documents = 0;
        // where what stands before an event is looked for: behind the one before
        let mut behind = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(self.file.text.len());
                    return self.syntax(at, &error.info());
                }
            };
            let range = span.byte_range().unwrap_or_default();
            let span = Span::new(range.start, range.end);
            let before = self.file.text.get(behind.min(range.start)..range.start).unwrap_or_default();
            let find_before = |written: &str| before.rfind(written).map(|at| range.start - before.len() + at);
            // a comment may stand between a tag and its node
            if !matches!(event, Event::Comment(..)) {
                behind = range.start;
            }
            self.reached = range.end;
            let mut function = None;
            if let Some(tag) = tag_of(&event).filter(|_| self.dialect == Dialect::Template) {
                let written = tag.original();
                let at = find_before(&written).unwrap_or(range.start);
                function = written.strip_prefix('!').filter(|name| !name.starts_with('!')).map(|name| Function {
                    name: if matches!(name, "Ref" | "Condition") { name.into() } else { format!("Fn::{name}").into() },
                    span: Span::new(at, at + written.len()),
                });
            } else if let Some(tag) = tag_of(&event) {
                let (help, quote) = match &event {
                    Event::Scalar(text, style, ..) if tag.is_yaml_core_schema_tag("str") => {
                        (format!("write a string in quotes: `\"{text}\"`"), *style == ScalarStyle::Plain)
                    }
                    _ => ("write the value without a tag".to_owned(), false),
                };
                // the event has the node's bytes; the tag stands before them
                let written = tag.original();
                let at = find_before(&written);
                let value = span;
                let span = at.map_or(span, |at| Span::new(at, at + written.len()));
                let mut finding =
                    Finding::new(&TAG, span, format!("the tag `{}` has no meaning in a region map", written)).help(help);
                let spaces = self.file.text[span.range().end..].bytes().take_while(|b| *b == b' ').count();
                if at.is_some() && spaces > 0 {
                    let mut fix =
                        Fix::unsafe_fix("leave the tag out", Span { end: span.end + Span::new(spaces, 0).start, ..span }, "");
                    let text = self.file.slice(value);
                    // a tag `!!str` says what the quotes say
                    if quote && !text.is_empty() && !text.contains(['"', '\\', '\n']) {
                        fix = Fix { title: "put it in quotes".to_owned(), safe: true, ..fix };
                        fix.edits.push(Edit { span: value, text: format!("\"{text}\"") });
                    }
                    finding.fixes.push(fix);
                }
                self.findings.push(finding);
            }
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 && self.dialect == Dialect::Template {
                        return self.document;
                    }
                    if documents > 1 {
                        let at = self.file.text[..range.end].rfind("---").unwrap_or(range.start);
                        self.findings.push(
                            Finding::new(&SECOND_DOCUMENT, Span::new(at, at + 3), "a second YAML document starts here")
                                .label("everything from here on would be ignored")
                                .help("keep one map in one file: put its accounts under the first `accounts`, or into a file of their own"),
                        );
                        return self.document;
                    }
                }
                Event::Comment(text, _) => self.document.comments.push(Comment { span, text: text.into_owned() }),
                Event::Scalar(text, style, anchor, tag) => {
                    // `!!str 012` is a string; that it has a tag has been reported
                    let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| !tag.is_yaml_core_schema_tag("str"));
                    // an absent value is reported as `~` without bytes
                    let text = if plain && span.start == span.end { "" } else { text.as_ref() };
                    let node = Node { span: self.trimmed(span), kind: Kind::Scalar { text: text.into(), plain } };
                    let node = match function {
                        Some(function) => function.around(node),
                        None => node,
                    };
                    self.add(node, anchor, 1);
                }
                Event::Alias(id) => {
                    let Some(&(index, size)) = self.by_id.get(&id).filter(|_| !self.open.contains(&id)) else {
                        return self.alias(span, "the alias stands inside the node it names, which would have no end");
                    };
                    self.work.alias_nodes += size;
                    if self.work.alias_nodes > ALIAS_BUDGET {
                        return self.alias(span, &format!("the aliases stand for more than {ALIAS_BUDGET} nodes"));
                    }
                    self.work.alias_bytes += self.document.anchors.get(index).map_or(0, |node| node.span.range().len());
                    if self.work.alias_bytes > COPIED_BYTES {
                        return self.alias(span, &format!("the aliases stand for more than {} MiB", COPIED_BYTES >> 20));
                    }
                    self.add(Node { span, kind: Kind::Alias(index) }, 0, size);
                }
                Event::UnresolvedAlias(name) => {
                    return self.alias(span, &format!("there is no anchor `&{name}` before this alias"));
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.open_frame(range.start, anchor, function, FrameKind::Sequence(Vec::new()));
                }
                Event::MappingStart(_, anchor, _) => {
                    let kind = FrameKind::Mapping { entries: Vec::new(), seen: IndexMap::new(), key: None };
                    self.open_frame(range.start, anchor, function, kind);
                }
                Event::SequenceEnd | Event::MappingEnd => self.close_frame(range.end),
                _ => {}
            }
            if self.work.anchored_bytes > COPIED_BYTES {
                return self.alias(span, &format!("nodes with anchors have more than {} MiB together", COPIED_BYTES >> 20));
            }
            if self.stack.len() > MAX_DEPTH {
                return self.too_deep(span);
            }
        }
        self.document
    }

    fn open_frame(&mut self, start: usize, anchor: usize, tag: Option<Function>, kind: FrameKind) {
        if anchor != 0 {
            self.open.push(anchor);
        }
        self.stack.push(Frame { start, end: start, anchor, tag, size: 1, kind });
    }

    fn close_frame(&mut self, end: usize) {
        let Some(frame) = self.stack.pop() else { return };
        self.open.retain(|id| *id != frame.anchor);
        // a block collection ends where its last child ends; a flow collection at its bracket
        let flow = matches!(self.file.text.as_bytes().get(frame.start), Some(b'[' | b'{'));
        let span = Span::new(frame.start, if flow { end } else { frame.end });
        let kind = match frame.kind {
            FrameKind::Sequence(items) => Kind::Sequence(items),
            FrameKind::Mapping { entries, .. } => Kind::Mapping(entries),
        };
        let node = Node { span, kind };
        let node = match frame.tag {
            Some(function) => function.around(node),
            None => node,
        };
        self.add(node, frame.anchor, frame.size);
    }

    /// Puts a complete node where it belongs.
    fn add(&mut self, node: Node, anchor: usize, size: usize) {
        if anchor != 0 {
            self.work.anchored_bytes += node.span.range().len();
            self.by_id.insert(anchor, (self.document.anchors.len(), size));
            self.document.anchors.push(node.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.document.root.get_or_insert(node);
            return;
        };
        frame.size += size;
        frame.end = frame.end.max(node.span.end as usize);
        match &mut frame.kind {
            FrameKind::Sequence(items) => items.push(node),
            FrameKind::Mapping { entries, seen, key } => match key.take() {
                None => {
                    *key = Some(match &node.kind {
                        Kind::Scalar { text, .. } if &**text == "<<" && self.dialect == Dialect::Map => {
                            self.findings.push(
                                Finding::new(&MERGE_KEY, node.span, "the merge key `<<` is not part of YAML 1.2 and is not read")
                                    .help("write the keys out, or set them once under `defaults`"),
                            );
                            Key { text: None, span: node.span }
                        }
                        Kind::Scalar { text, .. } => Key { text: Some(text.clone()), span: node.span },
                        _ if self.dialect == Dialect::Template => Key { text: None, span: node.span },
                        _ => {
                            self.findings.push(
                                Finding::new(&KEY_TYPE, node.span, "a key must be a word, not a list, a mapping or an alias")
                                    .help("write the key as plain text before the colon"),
                            );
                            Key { text: None, span: node.span }
                        }
                    });
                }
                Some(Key { text: None, .. }) => {}
                Some(Key { text: Some(text), span }) => {
                    // both are kept, so that what is wrong in either is found in the same run
                    let first = seen.get(&text).filter(|_| self.dialect == Dialect::Map);
                    if let Some(first) = first {
                        self.work.repeated += 1;
                        if self.work.repeated == MOST_REPEATED + 1 {
                            let message = format!(
                                "more than {MOST_REPEATED} keys stand twice; this one and those behind it are not listed"
                            );
                            self.findings
                                .push(Finding::new(&DUPLICATE_KEY, span, message).help("merge them, or remove one of each"));
                        }
                        let listed = self.work.repeated <= MOST_REPEATED;
                        self.findings.extend(listed.then(|| {
                            Finding::new(&DUPLICATE_KEY, span, format!("the key `{text}` stands twice in the same mapping"))
                                .label("this one would replace the first, silently, in many readers")
                                .related(*first, "it is first here")
                                .help("merge the two, or remove one")
                                .safe_fix("remove it: it says the same", Change::RemoveRepeated(span, *first))
                        }));
                    } else {
                        seen.insert(text.clone(), span);
                    }
                    entries.push(Entry { key: text, key_span: span, value: node });
                }
            },
        }
    }

    /// A block scalar's span without the line breaks after it.
    fn trimmed(&self, span: Span) -> Span {
        Span::new(span.start as usize, span.start as usize + self.file.slice(span).trim_end().len())
    }

    fn fail(mut self, finding: Finding) -> Document {
        self.findings.push(finding);
        self.document.root = None;
        self.document.broken = true;
        self.document
    }

    fn too_deep(self, span: Span) -> Document {
        let finding = Finding::new(&NESTING, span, format!("the nesting is deeper than {MAX_DEPTH} levels"))
            .help("a region map needs no more than 12; is this file a region map?");
        self.fail(finding)
    }

    /// The bracket with which the nesting gets too deep, in what the parser has looked at before it gave up at `end`.
    fn limit_crossed(&self, end: usize) -> Span {
        let mut depth = self.stack.len();
        for (at, c) in self.file.text[..end].char_indices().skip_while(|(at, _)| *at < self.reached) {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Span::new(at, at + 1);
            }
        }
        Span::new(end, end)
    }

    fn alias(self, span: Span, message: &str) -> Document {
        self.fail(Finding::new(&ALIAS, span, message).help("write the values out, or set them once under `defaults`"))
    }

    /// Where the quote opens that a reader went past the end of its line with, before it gave up at `at`.
    fn open_quote(&self, at: usize, info: &str) -> Option<usize> {
        if !["quote", "stream", "EOF", "scalar"].iter().any(|word| info.contains(word)) {
            return None;
        }
        if self.file.text.get(at..).is_some_and(|rest| rest.starts_with(['"', '\''])) && info.contains("unclosed") {
            return Some(at);
        }
        let looked_at = self.file.text.get(self.reached..at)?;
        let (mut before, mut comment) = ('\n', false);
        for (offset, c) in looked_at.char_indices() {
            comment = if comment { c != '\n' } else { c == '#' && before.is_whitespace() };
            if !comment && matches!(c, '"' | '\'') && (before.is_whitespace() || "[{,:-?".contains(before)) {
                let rest = &looked_at[offset + 1..];
                let line = rest.lines().next().unwrap_or_default();
                // one that is closed in its line is not what is wrong
                return (rest.contains('\n') && !line.contains(c)
                    || rest.is_empty()
                    || at == self.file.text.len() && !line.contains(c))
                .then_some(self.reached + offset);
            }
            before = c;
        }
        None
    }

    fn syntax(self, at: usize, info: &str) -> Document {
        let text = &self.file.text;
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        if info.contains("nesting") || info.contains("recursion") {
            let place = self.limit_crossed(at);
            return self.too_deep(place);
        }
        if let Some(quote) = self.open_quote(at, info) {
            let finding = Finding::new(
                &SYNTAX,
                Span::new(quote, quote + 1),
                "this is not YAML: a quote is opened and not closed",
            )
            .label("it opens here")
            .help(
                "close it at the end of the text that it begins; within double quotes write `\\\"`, within single quotes `\'\'`",
            );
            return self.fail(finding);
        }
        let line = self.file.line_span(self.file.line_of(Span::new(at, at).start));
        let before = &text[line.start as usize..at.max(line.start as usize)];
        let indentation = self.file.slice(line);
        let tab = indentation.len() - indentation.trim_start_matches(' ').len();
        let tab = indentation[tab..].starts_with('\t').then_some(line.start as usize + tab);
        let at = tab.unwrap_or(at);
        let help = if tab.is_some() {
            "YAML is indented with spaces; a tab stands here"
        } else if before.contains('[') || before.contains('{') || info.contains("flow") {
            "is a bracket or a brace left open, or a comma missing, before this place?"
        } else {
            "look at the indentation here and in the line above, and at colons and quotes: a text with `: ` or ` #` in it needs quotes"
        };
        let end = text[at..].chars().next().map_or(at, |c| at + if c == '\n' || c == '\r' { 0 } else { c.len_utf8() });
        let finding = Finding::new(&SYNTAX, Span::new(at, end), format!("this is not YAML: {info}"))
            .label("the reader stopped here")
            .help(help);
        self.fail(finding)
    }
}

fn tag_of<'e>(event: &'e Event<'_>) -> Option<&'e YamlTag> {
    match event {
        Event::Scalar(_, _, _, tag) | Event::SequenceStart(_, _, tag) | Event::MappingStart(_, _, tag) => tag.as_deref(),
        _ => None,
    }
}
