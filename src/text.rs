//! Text that reaches people and programs in the shape it was meant: which characters do not show, and JSON without them.
//!
//! Owns one fact for all output languages. Knows nothing of maps, plans or targets.

use serde::Serialize;
use std::io::{self, Write};

/// Characters that readers refuse, fold, or show as something else: controls, line separators, byte order marks, and the
/// marks that turn the direction of text.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Has the text nothing but letters, signs and spaces of ASCII? Most have, and there is nothing to do for them.
pub(crate) fn is_plain(text: &str) -> bool {
    // to the end in any case, because many bytes are then looked at in one go
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// A list for people: the first `most` of the words, and how many more there are.
pub(crate) fn few<T: AsRef<str>>(words: &[T], most: usize) -> String {
    let (shown, more) = words.split_at(most.min(words.len()));
    let shown = shown.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    if more.is_empty() { shown } else { format!("{shown} and {} more", more.len()) }
}

/// Compact JSON in which no character is unprintable: each is written as `\uXXXX`, which means the same.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    // writing strings, lists and numbers to memory can't fail
    escaped(serde_json::to_string(value).unwrap_or_default())
}

/// The same for people, on several lines.
pub(crate) fn pretty_json<T: Serialize + ?Sized>(value: &T) -> String {
    escaped(serde_json::to_string_pretty(value).unwrap_or_default())
}

/// The same line by line, for what may be long: the text is never there as a whole.
///
/// # Errors
/// The writer's.
pub(crate) fn write_pretty_json<T: Serialize + ?Sized>(out: impl Write, value: &T) -> io::Result<()> {
    let mut lines = Lines { out, line: Vec::new() };
    serde_json::to_writer_pretty(&mut lines, value)?;
    lines.end()
}

/// Escapes each line of JSON before it is written; no string has a line break in it.
struct Lines<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Lines<W> {
    /// Writes the line that has been begun.
    fn end(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        self.out.write_all(escaped(line).as_bytes())
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Such characters stand in strings only; all of them have four digits. So does what logs of pipelines take for a command, `##vso[`
/// and `##[`: see `escape::shown`.
fn escaped(json: String) -> String {
    let hidden = |c: char| is_unprintable(c) && c != '\n';
    let json = if json.contains("##") { no_command(&json) } else { json };
    if json.lines().all(is_plain) || !json.contains(hidden) {
        return json;
    }
    json.chars().map(|c| if hidden(c) { format!("\\u{:04x}", c as u32) } else { c.to_string() }).collect()
}

/// Would a bracket after this text begin a command to those who keep the logs of pipelines?
pub(crate) fn ends_with_command(text: &str) -> bool {
    let end =
        |word: &str| text.len() >= word.len() && text.as_bytes()[text.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes());
    end("##") || end("##vso")
}

/// JSON, or a YAML string in double quotes, without what logs of pipelines take for a command.
pub(crate) fn no_command(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        out.push_str(if ends_with_command(before) { "\\u005b" } else { "[" });
        rest = after;
    }
    out + rest
}

/// Bytes in base64, with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |at: usize| usize::from(chunk.get(at).copied().unwrap_or(0));
        let (a, b, c) = (at(0), at(1), at(2));
        for (number, index) in [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63].into_iter().enumerate() {
            out.push(if number > chunk.len() { '=' } else { char::from(LETTERS[index & 63]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_says_by_how_much() {
        let words = ["a", "b", "c"];
        assert_eq!(
            [0, 1, 2, 3, 4].map(|most| few(&words, most)),
            [" and 3 more", "a and 2 more", "a, b and 1 more", "a, b, c", "a, b, c"]
        );
        assert_eq!(few::<&str>(&[], 2), "");
    }

    #[test]
    fn hidden_characters_are_written_as_escapes_and_mean_the_same() {
        let text = "a\u{feff}b\u{202e}c\u{2028}d\u{7f}e\u{85}\n\"\\日本😀";
        for json in [json(text), pretty_json(&[text])] {
            assert!(!json.contains(|c| is_unprintable(c) && c != '\n'), "{json}");
            assert!(json.contains("日本😀"), "{json}");
        }
        assert_eq!(serde_json::from_str::<String>(&json(text)).ok().as_deref(), Some(text));
        let mut written = Vec::new();
        let value = serde_json::json!({ "a": [text, "##vso[x]", {}], "##[b": "é" });
        assert!(write_pretty_json(&mut written, &value).is_ok());
        assert_eq!(String::from_utf8(written).ok(), Some(pretty_json(&value)));
    }
}
