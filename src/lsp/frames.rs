//! Frames: the bytes of a client → messages. Whatever comes, what can be understood behind it is.
//!
//! A frame is `Content-Length: N`, an empty line and N bytes of JSON:
//! <https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#baseProtocol>. A length that is none, or one
//! that is longer than any text, is passed over up to the next header: no line break stands in JSON as it is sent, so that nothing in a text
//! looks like a header. A length that is too large has swallowed the frame behind it, which is looked for in what was read.

use lsp_server::{Message, RequestId};
use serde_json::Value;
use std::io::{self, BufRead, Chain, Cursor, Read};

/// Most bytes of a message: many times the largest map.
const LONGEST: usize = 64 << 20;
/// Most bytes of a line of a header that are looked at together.
const LONGEST_LINE: u64 = 64 << 10;
const LENGTH: &[u8] = b"content-length:";

/// What comes from a client.
#[derive(Debug)]
pub(super) enum Frame {
    /// A message.
    Message(Message),
    /// None: what to answer, as the protocol wants it.
    Broken {
        /// The request's id, if it could be read; else null.
        id: Value,
        /// The code of the error.
        code: i32,
        /// What is wrong.
        why: String,
    },
}

/// `ParseError` and `InvalidRequest` of JSON-RPC.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

/// Frames, one after the other.
pub(super) struct Frames<R> {
    /// Bytes that were read and are to be read again, then the client's.
    input: Chain<Cursor<Vec<u8>>, R>,
}

impl<R: BufRead> Frames<R> {
    /// The frames of a client's bytes.
    pub(super) fn new(input: R) -> Self {
        Frames { input: Cursor::new(Vec::new()).chain(input) }
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// The bytes can't be read.
    pub(super) fn next(mut self) -> io::Result<Option<(Frame, Self)>> {
        let length = match self.header()? {
            Header::End => return Ok(None),
            Header::Length(length) => length,
            Header::Broken(why) => return Ok(Some((Frame::Broken { id: Value::Null, code: PARSE_ERROR, why }, self))),
        };
        let mut body = Vec::new();
        (&mut self.input).take(length as u64).read_to_end(&mut body)?;
        if body.len() < length && find_header(&body, 0).is_none() {
            // the client went away in the middle of it
            return Ok(None);
        }
        let frame = read(&body);
        if let Frame::Broken { code: PARSE_ERROR, .. } = frame
            && let Some(at) = find_header(&body, 0)
        {
            self = self.again(body.split_off(at));
        }
        Ok(Some((frame, self)))
    }

    /// Puts bytes before those that are still to be read.
    fn again(self, mut bytes: Vec<u8>) -> Self {
        let (before, input) = self.input.into_inner();
        let at = usize::try_from(before.position()).unwrap_or(usize::MAX);
        bytes.extend(before.get_ref().get(at..).unwrap_or_default());
        Frames { input: Cursor::new(bytes).chain(input) }
    }

    /// Reads up to the end of a header, over what is none.
    fn header(&mut self) -> io::Result<Header> {
        let mut length: Option<Result<usize, String>> = None;
        let mut rest: Vec<u8> = Vec::new();
        let mut says_something = false;
        loop {
            let mut line = std::mem::take(&mut rest);
            let read = (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(Header::End);
            }
            if let Some(found) = length_in(&line) {
                length = Some(found);
            } else if !line.ends_with(b"\n") {
                // a long line goes on; a header may begin at its end
                rest = line.split_off(line.len().saturating_sub(LENGTH.len() + 32));
            } else if line.iter().all(u8::is_ascii_whitespace) {
                match length.take() {
                    Some(Ok(length)) if length <= LONGEST => return Ok(Header::Length(length)),
                    Some(Ok(length)) => {
                        return Ok(Header::Broken(format!(
                            "a message of {length} bytes is longer than {LONGEST}, and is passed over"
                        )));
                    }
                    Some(Err(text)) => return Ok(Header::Broken(format!("`Content-Length: {text}` is no number of bytes"))),
                    None if says_something => return Ok(Header::Broken("a header without `Content-Length`".to_owned())),
                    None => {}
                }
            } else {
                says_something = true;
            }
        }
    }
}

/// What stands before a message.
enum Header {
    /// The end of all.
    End,
    /// So many bytes follow.
    Length(usize),
    /// Nobody knows where the message ends.
    Broken(String),
}

/// The length that a line gives: at its end, behind whatever a wrong length before has left in the line.
fn length_in(line: &[u8]) -> Option<Result<usize, String>> {
    let at = (0..line.len().checked_sub(LENGTH.len())? + 1)
        .rev()
        .find(|at| line.get(*at..at + LENGTH.len()).is_some_and(|word| word.eq_ignore_ascii_case(LENGTH)))?;
    if !line.ends_with(b"\n") {
        return None;
    }
    let text = String::from_utf8_lossy(line.get(at + LENGTH.len()..)?).trim().to_owned();
    Some(text.parse().map_err(|_| text.chars().take(40).collect()))
}

/// Where a header begins in bytes: `Content-Length`, a number, and an empty line.
fn find_header(bytes: &[u8], from: usize) -> Option<usize> {
    let at = (from..bytes.len().checked_sub(LENGTH.len())?)
        .find(|at| bytes.get(*at..at + LENGTH.len()).is_some_and(|word| word.eq_ignore_ascii_case(LENGTH)))?;
    let rest = bytes.get(at + LENGTH.len()..)?;
    let number = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b' ').count();
    let is_one = rest.get(number..).is_some_and(|rest| rest.starts_with(b"\r\n") || rest.starts_with(b"\n"));
    if is_one { Some(at) } else { find_header(bytes, at + 1) }
}

/// Reads a message.
fn read(body: &[u8]) -> Frame {
    let text = String::from_utf8_lossy(body);
    let value: Value = match serde_json::from_str(&text).or_else(|error| {
        // an editor's text may have half of a character's two units, which JSON can say and Unicode can't
        let whole = whole_characters(&text).ok_or(error)?;
        serde_json::from_str(&whole)
    }) {
        Ok(value) => value,
        Err(error) => return Frame::Broken { id: Value::Null, code: PARSE_ERROR, why: format!("it is no JSON: {error}") },
    };
    let id = value.get("id").filter(|id| id.is_string() || id.is_number()).cloned().unwrap_or_default();
    if !id.is_null() && serde_json::from_value::<RequestId>(id.clone()).is_err() {
        // else it would be taken for a notification, and nobody would answer
        return Frame::Broken { id, code: INVALID_REQUEST, why: "the id is no text and no whole number of 32 bits".to_owned() };
    }
    match serde_json::from_value(value) {
        Ok(message) => Frame::Message(message),
        Err(error) => Frame::Broken { id, code: INVALID_REQUEST, why: format!("it is no message: {error}") },
    }
}

/// JSON with U+FFFD, which is one unit as well, in place of each `\uD800` to `\uDFFF` without its other half; `None` if there is none.
fn whole_characters(json: &str) -> Option<String> {
    let unit = |at: usize| -> Option<u32> {
        let rest = json.get(at..)?.strip_prefix("\\u")?;
        u32::from_str_radix(rest.get(..4)?, 16).ok()
    };
    let (mut whole, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(next) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += next;
        at += match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                whole += json.get(copied..at)?;
                whole += "\\ufffd";
                copied = at + 6;
                6
            }
            // a backslash and what it escapes, of which nothing is a surrogate
            _ => 1 + json.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
        };
    }
    (copied > 0).then(|| whole + json.get(copied..).unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn note(method: &str) -> String {
        format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{{}}}}")
    }

    /// The methods of the messages, and the codes of what is none.
    fn all(bytes: &[u8]) -> Vec<String> {
        let mut frames = Frames::new(bytes);
        let mut found = Vec::new();
        while let Some((frame, rest)) = frames.next().unwrap() {
            frames = rest;
            found.push(match frame {
                Frame::Message(Message::Notification(note)) => note.method,
                Frame::Message(other) => format!("{other:?}"),
                Frame::Broken { code, id, .. } => format!("{code} {id}"),
            });
        }
        found
    }

    #[test]
    fn what_comes_behind_a_broken_frame_is_heard() {
        let (one, two) = (frame(&note("one")), frame(&note("two")));
        let long = note("x");
        for (broken, said) in [
            (frame("{"), Some("-32700 null")),
            (frame("[]"), Some("-32600 null")),
            (frame("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":3}"), Some("-32600 7")),
            (frame(&"[".repeat(100_000)), Some("-32700 null")),
            (format!("Content-Length: x\r\n\r\n{long}"), Some("-32700 null")),
            (format!("Content-Length: -1\r\n\r\n{long}"), Some("-32700 null")),
            (format!("Content-Length: 99999999999999999999999\r\n\r\n{long}"), Some("-32700 null")),
            (format!("Content-Length: 999999999999\r\n\r\n{long}"), Some("-32700 null")),
            (format!("Content-Length: {}\r\n\r\n{long}", long.len() + 20), Some("-32700 null")),
            (format!("Content-Length: {}\r\n\r\n{long}", long.len() + 70), Some("-32700 null")),
            (format!("Content-Length: {}\r\n\r\n{long}", long.len() - 5), Some("-32700 null")),
            ("Content-Length: 0\r\n\r\n".to_owned(), Some("-32700 null")),
            (format!("Content-Type: none\r\n\r\n{long}"), Some("-32700 null")),
            (frame("{\"id\":4294967296,\"method\":\"x\"}"), Some("-32600 4294967296")),
            ("\r\n\r\n".to_owned(), None),
            ("x".repeat(200_000), None),
            (format!("{}Content-Length: 3\r\n\r\n{{}}x", "x".repeat(65_530)), Some("-32700 null")),
        ] {
            let expected: Vec<&str> = ["one"].into_iter().chain(said).chain(["two"]).collect();
            let shown = broken.chars().take(80).collect::<String>();
            assert_eq!(all(format!("{one}{broken}{two}").as_bytes()), expected, "{shown}");
        }
        // other letters, other headers, other line ends
        let other = format!("content-length:{}\nContent-Type: utf-8\n\n{long}", long.len());
        assert_eq!(all(other.as_bytes()), ["x"]);
        assert_eq!(all(b""), Vec::<String>::new());
        assert_eq!(all(b"Content-Length: 10\r\n\r\n{"), Vec::<String>::new(), "an end in the middle");
    }

    #[test]
    fn half_a_character_is_one_character() {
        let body = r#"{"method":"a\ud83d b\ud83d\ude00 c\ude00 \\ud800 d\ud83d\ud83d\ude00","params":null}"#;
        assert_eq!(all(frame(body).as_bytes()), ["a\u{fffd} b\u{1f600} c\u{fffd} \\ud800 d\u{fffd}\u{1f600}"]);
        let bytes = [b"Content-Length: 14\r\n\r\n{\"method\":\"".as_slice(), b"\xff\"}"].concat();
        assert_eq!(all(&bytes), ["\u{fffd}"]);
        assert_eq!(whole_characters("{\"a\": \"\\u00e9\\\\\"}"), None);
        assert_eq!(whole_characters("\\ud8"), None);
        assert_eq!(whole_characters("\\"), None);
    }
}
