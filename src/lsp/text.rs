//! The text of an open document, as the client counts it: lines, and columns in UTF-8, UTF-16 or UTF-32 units.
//!
//! Takes changes and positions of any client, also such as lie outside of the text or inside a character; gives byte
//! offsets that are always character boundaries. Knows nothing of maps.

use crate::source::Span;
use lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};

/// In what a client counts columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, which every client knows.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The first one offered that we know; UTF-16 if nothing is offered.
    pub(crate) fn choose(offered: &[PositionEncodingKind]) -> Self {
        let known = offered.iter().find_map(|kind| match kind {
            PositionEncodingKind::UTF8 => Some(Encoding::Utf8),
            PositionEncodingKind::UTF16 => Some(Encoding::Utf16),
            PositionEncodingKind::UTF32 => Some(Encoding::Utf32),
            PositionEncodingKind::Custom(_) => None,
        });
        known.unwrap_or_default()
    }

    /// As the protocol calls it.
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }
}

/// Bytes of a long line after which a column is noted. A map may be one line, and each finding asks for columns.
const STEP: usize = 1024;

/// A text and where its lines begin.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    text: String,
    encoding: Encoding,
    /// Lines end with `\n`, `\r\n` or `\r`, as in the protocol.
    line_starts: Vec<usize>,
    /// In lines longer than [`STEP`]: a byte offset and its column, again and again. Empty where a byte is a column.
    columns: Vec<(usize, usize)>,
    /// Each byte is a column.
    plain: bool,
    /// Bytes of a byte order mark, which the analysis does not count.
    mark: usize,
    /// Where the text begins in the analysed one, which may be that of several files.
    start: u32,
}

impl Text {
    /// A document's text.
    pub(crate) fn new(text: String, encoding: Encoding) -> Self {
        let mut made = Text { text, encoding, line_starts: Vec::new(), columns: Vec::new(), plain: false, mark: 0, start: 0 };
        made.index();
        made
    }

    /// Says where the text begins in the analysed one.
    pub(crate) fn begins(&mut self, start: u32) {
        self.start = start;
    }

    /// Where the text begins in the analysed one.
    pub(crate) fn start(&self) -> u32 {
        self.start
    }

    /// Where the text ends in the analysed one.
    pub(crate) fn close(&self) -> u32 {
        Span::new(self.text.len().saturating_sub(self.mark) + self.start as usize, 0).start
    }

    /// The whole text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    fn index(&mut self) {
        let bytes = self.text.as_bytes();
        self.mark = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        self.line_starts.clear();
        self.line_starts.push(0);
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        self.line_starts.extend(ends.map(|(at, _)| at + 1));
        self.plain = self.encoding == Encoding::Utf8 || self.text.is_ascii();
        self.columns.clear();
        if !self.plain {
            self.note_columns();
        }
    }

    fn note_columns(&mut self) {
        let ends = self.line_starts.iter().skip(1).copied().chain([self.text.len()]);
        for (start, end) in self.line_starts.iter().copied().zip(ends).filter(|(start, end)| end - start > STEP) {
            let (mut column, mut noted) = (0, start);
            for (at, c) in self.text[start..end].char_indices() {
                if start + at >= noted + STEP {
                    noted = start + at;
                    self.columns.push((noted, column));
                }
                column += self.encoding.width(c);
            }
        }
    }

    /// Makes a change.
    pub(crate) fn change(&mut self, change: TextDocumentContentChangeEvent) {
        match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => self.text = whole.text,
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                let (a, b) = (self.offset(part.range.start), self.offset(part.range.end));
                self.text.replace_range(a.min(b)..a.max(b), &part.text);
            }
        }
        self.index();
    }

    /// Number of lines.
    pub(crate) fn lines(&self) -> usize {
        self.line_starts.len()
    }

    /// Byte range of a line, counted from 0, without its break; empty at the end for lines that are not there.
    pub(crate) fn line(&self, line: usize) -> std::ops::Range<usize> {
        let Some(start) = self.line_starts.get(line).copied() else { return self.text.len()..self.text.len() };
        let end = self.line_starts.get(line + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\n', '\r']).len()
    }

    /// Line, counted from 0, of a byte offset.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Byte offset of a position. Past the end of a line is its end; past the last line is the end of the text; inside a
    /// character is before it.
    pub(crate) fn offset(&self, position: Position) -> usize {
        let line = self.line(position.line as usize);
        let wanted = position.character as usize;
        if self.plain {
            return self.boundary((line.start + wanted).min(line.end));
        }
        let noted = |to: usize| self.columns.partition_point(|(at, _)| *at < to);
        let noted = &self.columns[noted(line.start)..noted(line.end)];
        let near = noted[..noted.partition_point(|(_, column)| *column <= wanted)].last();
        let (mut at, mut column) = near.copied().unwrap_or((line.start, 0));
        for c in self.text[at..line.end].chars() {
            column += self.encoding.width(c);
            if column > wanted {
                break;
            }
            at += c.len_utf8();
        }
        at
    }

    /// The character boundary at a byte offset or before it.
    fn boundary(&self, mut offset: usize) -> usize {
        offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// Position of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = self.boundary(offset);
        let line = self.line_of(offset);
        let start = self.line_starts[line];
        let column = if self.plain {
            offset - start
        } else {
            let near = self.columns[..self.columns.partition_point(|(at, _)| *at <= offset)].last();
            let (from, column) = near.copied().filter(|(at, _)| *at >= start).unwrap_or((start, 0));
            column + self.text[from..offset].chars().map(|c| self.encoding.width(c)).sum::<usize>()
        };
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Position { line: number(line), character: number(column) }
    }

    /// Offset in the analysed text of a position.
    pub(crate) fn analysed(&self, position: Position) -> u32 {
        Span::new(self.offset(position).saturating_sub(self.mark) + self.start as usize, 0).start
    }

    /// Byte offset of an offset in the analysed text.
    pub(crate) fn raw(&self, offset: u32) -> usize {
        offset.saturating_sub(self.start) as usize + self.mark
    }

    /// The range of a span of the analysed text.
    pub(crate) fn range(&self, span: Span) -> Range {
        Range { start: self.position(self.raw(span.start)), end: self.position(self.raw(span.end)) }
    }

    /// The range of bytes of this text.
    pub(crate) fn byte_range(&self, bytes: std::ops::Range<usize>) -> Range {
        Range { start: self.position(bytes.start), end: self.position(bytes.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::TextDocumentContentChangePartial;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_are_counted_as_the_client_counts() {
        // é: 2 bytes, 1 unit; 𝄞: 4 bytes, 2 units
        for (encoding, column) in [(Encoding::Utf8, 7), (Encoding::Utf16, 4), (Encoding::Utf32, 3)] {
            let text = Text::new("a\r\né𝄞b:\n".to_owned(), encoding);
            let b = text.as_str().find('b').unwrap_or_default();
            assert_eq!(text.position(b + 1), at(1, column));
            assert_eq!(text.offset(at(1, column)), b + 1);
            assert_eq!(text.offset(at(1, 99)), b + 2);
            assert_eq!(text.offset(at(9, 9)), text.as_str().len());
        }
        let text = Text::new("𝄞".to_owned(), Encoding::Utf16);
        assert_eq!(text.offset(at(0, 1)), 0, "the middle of a pair is before it");
    }

    #[test]
    fn long_lines_have_the_same_columns_as_short_ones() {
        let long = "é𝄞abc".repeat(1000);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let text = Text::new(format!("x\n{long}\r\n{long}"), encoding);
            for line in [1, 2] {
                let mut column = 0;
                let range = text.line(line);
                for (at, c) in text.as_str()[range.clone()].char_indices() {
                    let place = Position { line: line as u32, character: column };
                    assert_eq!(text.position(range.start + at), place);
                    assert_eq!(text.offset(place), range.start + at);
                    column += encoding.width(c) as u32;
                }
                assert_eq!(text.offset(Position { line: line as u32, character: column + 5 }), range.end);
            }
        }
    }

    #[test]
    fn changes_that_run_backwards_or_out_of_the_text_are_made_where_they_can_be() {
        let mut text = Text::new("one\ntwo\rthree".to_owned(), Encoding::Utf16);
        let change = |start, end, with: &str| {
            let range = Range { start, end };
            TextDocumentContentChangeEvent::from(TextDocumentContentChangePartial {
                range,
                text: with.to_owned(),
                ..Default::default()
            })
        };
        text.change(change(at(1, 2), at(1, 0), "TW"));
        assert_eq!(text.as_str(), "one\nTWo\rthree");
        text.change(change(at(2, 0), at(7, 7), "end"));
        assert_eq!(text.as_str(), "one\nTWo\rend");
    }

    #[test]
    fn a_byte_order_mark_is_the_clients_but_not_the_analysis() {
        let text = Text::new("\u{feff}version: 1".to_owned(), Encoding::Utf16);
        assert_eq!(text.analysed(at(0, 1)), 0);
        assert_eq!(text.range(Span::new(0, 7)), Range { start: at(0, 1), end: at(0, 8) });
    }
}
