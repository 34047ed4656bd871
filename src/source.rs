//! Source text: a file's name and text, byte spans in it, and lines and columns for people.
//!
//! Takes text; gives positions. Lines and columns count from 1, columns in characters. Knows nothing of YAML.

use std::{cmp::Ordering, ops::Deref, sync::OnceLock};

/// Stands where a file's bytes stop being UTF-8: a character that no text may hold.
pub(crate) const NOT_UTF8: char = '\u{fdd0}';

/// A text with the name under which the user gave it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// What people call it: a path, or `-`.
    pub name: String,
    /// Its path below the root of its repository, with slashes, where it is in one: see [`SourceFile::address`].
    pub address: Option<String>,
    /// The whole text, without a byte order mark.
    pub text: String,
    /// Who gave it.
    pub origin: Origin,
    line_starts: Vec<u32>,
    /// Characters before each [`BLOCK`] of bytes; made when a place in a long line is asked for.
    blocks: OnceLock<Vec<usize>>,
    /// The files that were joined to this text, in order; none of a text that is one file.
    parts: Vec<SourceFile>,
    /// Where each of them begins in the text.
    starts: Vec<u32>,
}

/// How a file came to be read, which says what it means that nothing in it is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was named: it is to be understood.
    Named,
    /// It was named by something that names every file, such as a hook: it may be none of the inputs.
    Offered,
    /// It stands in a folder that was named, where most files are nobody's concern.
    Met,
}

/// Bytes between two known character counts.
const BLOCK: usize = 4096;

/// Which file of a run: an index into the list of its files. A map alone is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

impl FileId {
    /// The file, in the list of a run's files.
    pub fn of(self, files: &[SourceFile]) -> Option<&SourceFile> {
        files.get(self.0 as usize)
    }
}

/// A range of bytes in a source file; `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line number.
    pub line: usize,
    /// Column number.
    pub column: usize,
}

/// A value with the place it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Span {
    /// The span so many bytes further on. Texts are shorter than 2 GiB, so that nothing is cut off.
    pub(crate) fn moved(self, by: i64) -> Self {
        let moved = |at: u32| u32::try_from(i64::from(at) + by).unwrap_or(0);
        Span { start: moved(self.start), end: moved(self.end) }
    }

    /// A span from byte offsets; offsets past 4 GiB are refused by the reader before.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// As a range of `usize`.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Does the offset lie in the span, its end included?
    pub fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }
}

impl SourceFile {
    /// A source file; a byte order mark at the start is dropped.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let breaks = text.match_indices('\n').map(|(at, _)| Span::new(at + 1, at + 1).start);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        SourceFile {
            name: name.into(),
            address: None,
            text,
            origin: Origin::Named,
            line_starts,
            blocks: OnceLock::new(),
            parts: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// A file as it was read: UTF-8, or UTF-16 with or without a byte order mark. Where the bytes are neither, the text ends with [`NOT_UTF8`].
    pub fn of_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        SourceFile::new(name, text_of(bytes))
    }

    /// Files as one text under the first one's name: each behind the one before, after a line break that belongs to none. What is
    /// said of places ([`SourceFile::position`], [`SourceFile::place`]) is said of places in the files; lines are those of the text.
    pub(crate) fn joined(mut files: Vec<SourceFile>) -> Self {
        if files.len() == 1 {
            return files.remove(0);
        }
        let mut text = String::with_capacity(files.iter().map(|file| file.text.len() + 1).sum());
        let mut starts = Vec::with_capacity(files.len());
        for file in &files {
            starts.push(Span::new(text.len(), text.len()).start);
            text += &file.text;
            text.push('\n');
        }
        let first = files.first();
        let (name, address) = first.map_or_else(Default::default, |first| (first.name.clone(), first.address.clone()));
        SourceFile { address, parts: files, starts, ..SourceFile::new(name, text) }
    }

    /// The files that the text is made of: itself, if it is one.
    pub fn files(&self) -> &[SourceFile] {
        if self.parts.is_empty() { std::slice::from_ref(self) } else { &self.parts }
    }

    /// The file that a byte of the text is in, and its place there.
    pub fn locate(&self, span: Span) -> (FileId, Span) {
        let at = self.starts.partition_point(|start| *start <= span.start).saturating_sub(1);
        let start = self.starts.get(at).copied().unwrap_or(0);
        (FileId(u32::try_from(at).unwrap_or(u32::MAX)), span.moved(-i64::from(start)))
    }

    /// Where a file begins in the text.
    pub(crate) fn start_of(&self, file: FileId) -> u32 {
        self.starts.get(file.0 as usize).copied().unwrap_or(0)
    }

    /// The file of the text that a byte is in, and the byte's place there; `None` if the text is one file.
    fn part(&self, offset: u32) -> Option<(&SourceFile, u32)> {
        let (file, span) = self.locate(Span { start: offset, end: offset });
        Some((self.parts.get(file.0 as usize)?, span.start))
    }

    /// The same file with another text.
    pub(crate) fn with_text(&self, text: impl Into<String>) -> Self {
        SourceFile { address: self.address.clone(), origin: self.origin, ..SourceFile::new(self.name.clone(), text) }
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn position(&self, offset: u32) -> Position {
        if let Some((file, offset)) = self.part(offset) {
            return file.position(offset);
        }
        let line = self.line_of(offset);
        let start = self.line_starts[line] as usize;
        let offset = offset as usize;
        let column = match self.text.get(start..offset) {
            None => 0,
            Some(before) if before.len() <= BLOCK => before.chars().count(),
            // a machine's JSON is one line of many megabytes, and asked about thousands of times
            Some(_) => self.characters_before(offset) - self.characters_before(start),
        };
        Position { line: line + 1, column: column + 1 }
    }

    /// What tools of the repository call it, from whichever folder they are run: its path below the root, else its name.
    pub fn address(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }

    /// `FILE:LINE:COLUMN` of a byte offset, as it is said to people.
    pub fn place(&self, offset: u32) -> String {
        if let Some((file, offset)) = self.part(offset) {
            return file.place(offset);
        }
        let Position { line, column } = self.position(offset);
        format!("{}:{line}:{column}", self.name)
    }

    /// `FILE:LINE` of a byte offset, as it is said to people.
    pub(crate) fn at_line(&self, offset: u32) -> String {
        match self.part(offset) {
            Some((file, offset)) => file.at_line(offset),
            None => format!("{}:{}", self.name, self.position(offset).line),
        }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let blocks = self.blocks.get_or_init(|| {
            let ends = self.text.as_bytes().chunks(BLOCK).scan(0, |sum, block| {
                let before = *sum;
                *sum += count(block);
                Some(before)
            });
            ends.collect()
        });
        let block = (offset / BLOCK).min(blocks.len().saturating_sub(1));
        blocks.get(block).copied().unwrap_or(0) + count(&self.text.as_bytes()[block * BLOCK..offset])
    }

    /// Line number from 0 of a byte offset.
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|start| start.cmp(&offset) != Ordering::Greater).saturating_sub(1)
    }

    /// Byte range of a line, counted from 0, without its line break; the last line if there are fewer.
    pub fn line_span(&self, line: usize) -> Span {
        let line = line.min(self.line_starts.len() - 1);
        let start = self.line_starts[line] as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| *next as usize);
        Span::new(start, start + self.text[start..end].trim_end_matches(['\n', '\r']).len())
    }

    /// Number of lines.
    pub fn lines(&self) -> usize {
        self.line_starts.len()
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

/// At most so many bytes of a text from its beginning on, in whole characters.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// How the bytes are read if they are UTF-16, as PowerShell writes it, with a byte order mark or without.
fn utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match bytes.get(..4) {
        Some([0xff, 0xfe, ..]) => Some(u16::from_le_bytes),
        Some([0xfe, 0xff, ..]) => Some(u16::from_be_bytes),
        // without a mark: text of ours begins with two ASCII characters
        Some([a, 0, b, 0]) if a.is_ascii() && b.is_ascii() && *a != 0 => Some(u16::from_le_bytes),
        Some([0, a, 0, b]) if a.is_ascii() && b.is_ascii() && *a != 0 => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// Are the bytes UTF-16? A file that was is not written again: it would be UTF-8 then.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    utf16(bytes).is_some()
}

/// UTF-8 text, or UTF-16. Where it is neither the text ends with [`NOT_UTF8`].
fn text_of(bytes: Vec<u8>) -> String {
    let decoded = utf16(&bytes).and_then(|wide| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| wide([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    });
    decoded.unwrap_or_else(|| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let mut text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            text.push(NOT_UTF8);
            text
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_a_byte_order_mark_is_none() {
        let file = SourceFile::new("m", "\u{feff}a: é\r\nbé: c\n");
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        let c = Span::new(file.text.find('c').unwrap_or_default(), 0).start;
        assert_eq!(file.position(c), Position { line: 2, column: 5 });
        assert_eq!(file.slice(file.line_span(0)), "a: é");
        assert_eq!(file.position(9999).line, 3);
        let long = SourceFile::new("m", format!("a\n{}x", "é".repeat(9000)));
        for characters in [0, 1, 2048, 2049, 5000, 9000] {
            let offset = Span::new(2 + 2 * characters, 0).start;
            assert_eq!(long.position(offset), Position { line: 2, column: characters + 1 });
        }
    }
}
