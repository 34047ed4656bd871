//! JSON text → the same spanned tree that YAML gives, with everything about it that is not JSON.
//!
//! People put comments and commas into policies that AWS refuses; those are noted and read over, so that one run finds
//! everything. Duplicate keys stay in the tree. Never panics, and goes no deeper than it must.

use super::hole;
use crate::{
    document::{Entry, Kind, Node},
    source::Span,
};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 128;

/// Something in a text that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte range in the text.
    pub span: Span,
    /// What it is, such as "a comment".
    pub what: &'static str,
}

/// Reads a text. Gives no tree after a fault that can't be read over; it is the last one.
pub(crate) fn read(text: &str) -> (Option<Node>, Vec<Fault>) {
    let mut reader = Reader { text, at: 0, faults: Vec::new() };
    let node = reader.value(0);
    if node.is_some() {
        reader.space();
        if reader.at < text.len() {
            reader.fault(reader.at, text.len(), "text after the end of the document");
        }
    }
    (node, reader.faults)
}

/// Reads documents that follow each other, as the pages of an answer do in one file. Ends before what can't be read; the fault
/// that kept it from being read is given then.
pub(crate) fn read_all(text: &str) -> (Vec<Node>, Option<Fault>) {
    let mut reader = Reader { text, at: 0, faults: Vec::new() };
    let mut nodes = Vec::new();
    loop {
        reader.space();
        if reader.at >= text.len() {
            return (nodes, None);
        }
        match reader.value(0) {
            Some(node) => nodes.push(node),
            None => return (nodes, reader.faults.pop()),
        }
    }
}

/// Where the text of a JSON string stands: for offsets in the text, the offsets in the literal, which begins at `start`.
pub(crate) struct Literal {
    /// Offset in the text, offset in the file: one for each place from which on the two run side by side.
    steps: Vec<(u32, u32)>,
}

impl Literal {
    /// The literal of a string node that stands at this span of a file's text; nothing if it is none.
    pub(crate) fn of(text: &str, span: Span) -> Option<Self> {
        let literal = text.get(span.range())?.strip_prefix('"')?.strip_suffix('"')?;
        let offset = |at: usize| Span::new(at, at).start;
        let begin = span.start as usize + 1;
        let mut steps = vec![(0, offset(begin))];
        let (mut inner, mut at) = (0, 0);
        while let Some(found) = literal.get(at..)?.find('\\') {
            inner += found;
            at += found;
            let unicode = |from: usize| u32::from_str_radix(literal.get(from + 2..from + 6)?, 16).ok();
            let (length, bytes) = match literal.as_bytes().get(at + 1)? {
                b'u' => match unicode(at)? {
                    // half of a pair, and the other half
                    0xd800..=0xdbff => (12, 4),
                    code => (6, char::from_u32(code)?.len_utf8()),
                },
                _ => (2, 1),
            };
            at += length;
            inner += bytes;
            steps.push((offset(inner), offset(begin + at)));
        }
        Some(Literal { steps })
    }

    /// The place in the file of a span of the text.
    pub(crate) fn place(&self, span: Span) -> Span {
        let place = |at: u32| {
            let step = self.steps.partition_point(|(inner, _)| *inner <= at).saturating_sub(1);
            self.steps.get(step).map_or(at, |(inner, outer)| outer.saturating_add(at - inner))
        };
        let start = place(span.start);
        Span { start, end: place(span.end).max(start) }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&mut self, from: usize, to: usize, what: &'static str) {
        self.faults.push(Fault { span: Span::new(from, to), what });
    }

    /// Notes what keeps the rest from being read.
    fn stop<T>(&mut self, what: &'static str) -> Option<T> {
        let end = self.text[self.at..].chars().next().map_or(self.at, |c| self.at + c.len_utf8());
        self.fault(self.at, end, what);
        None
    }

    /// Goes over white space and comments.
    fn space(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = &self.text[self.at..];
            let length = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return;
            };
            self.fault(self.at, self.at + length, "a comment");
            self.at += length;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        self.space();
        let start = self.at;
        if depth > MAX_DEPTH {
            return self.stop("nesting that is too deep");
        }
        let kind = match self.peek() {
            Some(b'{') => Kind::Mapping(self.members(depth)?),
            Some(b'[') => Kind::Sequence(self.items(depth)?),
            Some(b'"') => Kind::Scalar { text: self.string()?.into(), plain: false },
            Some(byte) if byte == b'-' || byte.is_ascii_alphanumeric() => {
                let rest = &self.text[self.at..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
                let word = &rest[..end];
                self.at += end;
                if serde_json::from_str::<serde_json::Value>(word).is_err() {
                    self.fault(start, self.at, "a word without quotes");
                }
                Kind::Scalar { text: word.into(), plain: true }
            }
            None => return self.stop("the end of the text"),
            Some(b'\'') => return self.stop("a single quote"),
            Some(_) => return self.stop("a character that begins no value"),
        };
        Some(Node { span: Span::new(start, self.at), kind })
    }

    fn members(&mut self, depth: usize) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                Some(b'}') => break,
                Some(b'"') => {}
                None => return self.stop("the end of the text"),
                Some(_) => return self.stop("a key without quotes"),
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            self.space();
            if self.peek() != Some(b':') {
                return self.stop("no colon after a key");
            }
            self.at += 1;
            entries.push(Entry { key: key.into(), key_span, value: self.value(depth + 1)? });
            if !self.comma(b'}')? {
                break;
            }
        }
        self.at += 1;
        Some(entries)
    }

    fn items(&mut self, depth: usize) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.space();
            if self.peek() == Some(b']') {
                break;
            }
            items.push(self.value(depth + 1)?);
            if !self.comma(b']')? {
                break;
            }
        }
        self.at += 1;
        Some(items)
    }

    /// After a value: is there another one? Notes a comma before the end.
    fn comma(&mut self, end: u8) -> Option<bool> {
        self.space();
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.space();
                if self.peek() == Some(end) {
                    self.fault(comma, comma + 1, "a comma before a closing bracket");
                    return Some(false);
                }
                Some(true)
            }
            Some(byte) if byte == end => Some(false),
            None => self.stop("the end of the text"),
            Some(_) => self.stop("no comma between two values"),
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        if end >= bytes.len() {
            self.at = start;
            return self.stop("a quote that is not closed");
        }
        let literal = &self.text[start..=end];
        self.at = end + 1;
        match serde_json::from_str::<String>(literal) {
            Ok(text) => Some(hole::text(&text).into_owned()),
            Err(_) => {
                self.fault(start, self.at, "an escape or a control character that a string can't have");
                Some(literal.trim_matches('"').to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(&str, &'static str)> {
        read(text).1.into_iter().map(|fault| (&text[fault.span.range()], fault.what)).collect()
    }

    #[test]
    fn what_is_no_json_is_noted_and_read_over() {
        assert_eq!(faults(r#"{"a": [1, "é\u00e9", null], "a": {}}"#), []);
        assert_eq!(faults("// x\n{\"a\": 1,}"), [("// x", "a comment"), (",", "a comma before a closing bracket")]);
        assert_eq!(faults("{\"a\": yes}"), [("yes", "a word without quotes")]);
        assert_eq!(faults("[1 2]"), [("2", "no comma between two values")]);
        assert_eq!(faults("[\"a"), [("\"", "a quote that is not closed")]);
        assert_eq!(faults(""), [("", "the end of the text")]);
        assert_eq!(faults(&"[".repeat(500)).len(), 1);
        let (node, _) = read(r#"{"k": 1, "k": "v"}"#);
        let Some(Node { kind: Kind::Mapping(entries), .. }) = node else { unreachable!() };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn the_text_of_a_string_has_its_place_in_the_file() {
        let file = r#"{"k": "a\n\"é\u00e9\ud83d\ude00z"}"#;
        let (Some(Node { kind: Kind::Mapping(entries), .. }), _) = read(file) else { unreachable!() };
        let (node, literal) = (&entries[0].value, Literal::of(file, entries[0].value.span).unwrap_or(Literal { steps: vec![] }));
        let Kind::Scalar { text, .. } = &node.kind else { unreachable!() };
        assert_eq!(&**text, "a\n\"éé😀z");
        for (inner, outer) in [("a", "a"), ("\"", "\\\""), ("z", "z")] {
            let at = text.find(inner).unwrap_or_default();
            assert_eq!(&file[literal.place(Span::new(at, at + inner.len())).range()], outer);
        }
        assert!(Literal::of("[1]", Span::new(1, 2)).is_none());
    }

    #[test]
    fn any_text_ends_in_a_tree_or_a_fault() {
        let text = r#"{"a": [1, {"b": "\\\" é"}], "c": -1.5e3}"#;
        for cut in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let (node, faults) = read(&text[..cut]);
            assert!(node.is_none() && !faults.is_empty(), "{}", &text[..cut]);
        }
    }
}
