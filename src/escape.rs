//! Escaping: the only place where a value becomes a token of an output language.
//!
//! Each function takes any string (or JSON value) and gives a complete, quoted token that means just that value.

pub mod shown;

use crate::text::{ends_with_command, is_plain, is_unprintable, no_command};
use serde_json::Value;
use std::{borrow::Cow, fmt::Write as _};

/// A value that is written in an output language: one of JSON, or one of a template's context.
pub trait Tree: Sized {
    /// What it is, without a copy.
    fn shape(&self) -> Shape<'_, Self>;
}

impl<T> Shape<'_, T> {
    fn text_len(&self) -> usize {
        if let Shape::Text(text) = self { text.len() } else { 0 }
    }
}

/// What a [`Tree`] is.
pub enum Shape<'a, T> {
    /// A string.
    Text(&'a str),
    /// A list.
    List(&'a [T]),
    /// Keys and values, in their order.
    Entries(Vec<(Cow<'a, str>, &'a T)>),
    /// A number, a truth value or nothing, which all languages spell alike.
    Bare(String),
}

impl Tree for Value {
    fn shape(&self) -> Shape<'_, Self> {
        match self {
            Value::String(text) => Shape::Text(text),
            Value::Array(items) => Shape::List(items),
            Value::Object(entries) => {
                Shape::Entries(entries.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value)).collect())
            }
            other => Shape::Bare(other.to_string()),
        }
    }
}

/// A value as an HCL expression, laid out as `terraform fmt` would, with `indent` spaces before lines after the first.
///
/// `${` and `%{` are doubled so that nothing is interpolated.
pub fn hcl(value: &impl Tree, indent: usize) -> String {
    let mut out = String::new();
    write_hcl(value, indent, &mut out);
    out
}

fn write_hcl(value: &impl Tree, indent: usize, out: &mut String) {
    match value.shape() {
        Shape::Text(text) => write_hcl_string(text, out),
        Shape::List([]) => out.push_str("[]"),
        Shape::List(items) => {
            out.push('[');
            for item in items {
                new_line(indent + 2, out);
                write_hcl(item, indent + 2, out);
                out.push(',');
            }
            new_line(indent, out);
            out.push(']');
        }
        Shape::Entries(entries) if entries.is_empty() => out.push_str("{}"),
        Shape::Entries(entries) => {
            let texts = entries.iter().map(|(key, item)| key.len() + item.shape().text_len() + indent + 16);
            out.reserve(texts.sum());
            out.push('{');
            // fmt aligns the equal signs of neighbouring lines, unless an entry has several
            for group in entries.chunk_by(|(_, one), (_, next)| is_one_line(*one) && is_one_line(*next)) {
                let width = group.iter().map(|(key, _)| hcl_width(key)).max().unwrap_or(0);
                for (key, item) in group {
                    new_line(indent + 2, out);
                    write_hcl_string(key, out);
                    spaces(width - hcl_width(key), out);
                    out.push_str(" = ");
                    write_hcl(*item, indent + 2, out);
                }
            }
            new_line(indent, out);
            out.push('}');
        }
        Shape::Bare(text) => out.push_str(&text),
    }
}

/// Is the value written without line breaks?
fn is_one_line(value: &impl Tree) -> bool {
    match value.shape() {
        Shape::Text(_) | Shape::Bare(_) => true,
        Shape::List(items) => items.is_empty(),
        Shape::Entries(entries) => entries.is_empty(),
    }
}

fn new_line(indent: usize, out: &mut String) {
    out.push('\n');
    spaces(indent, out);
}

fn spaces(mut count: usize, out: &mut String) {
    const SPACES: &str = "                                ";
    while count > 0 {
        let some = count.min(SPACES.len());
        out.push_str(&SPACES[..some]);
        count -= some;
    }
}

/// Characters of a string as [`write_hcl_string`] writes it.
fn hcl_width(text: &str) -> usize {
    if is_bare(text, HCL_SPECIAL) {
        return text.chars().count() + 2;
    }
    let mut out = String::new();
    write_hcl_string(text, &mut out);
    out.chars().count()
}

/// What has a meaning in a string of HCL.
const HCL_SPECIAL: &[u8] = b"\"\\$%";

fn write_hcl_string(text: &str, out: &mut String) {
    if is_bare(text, HCL_SPECIAL) {
        return write_quoted(text, out);
    }
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c if is_unprintable(c) => out.push_str(&format!("\\U{:08x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Has the text nothing that would be written in another way between quotes?
fn is_bare(text: &str, special: &[u8]) -> bool {
    is_plain(text) && !text.bytes().any(|byte| special.contains(&byte))
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// A value as a YAML flow node. Strings are in double quotes, which YAML 1.1 and 1.2 readers take for the same.
pub fn yaml(value: &impl Tree) -> String {
    let mut out = String::new();
    write_yaml(value, &mut out);
    out
}

fn write_yaml(value: &impl Tree, out: &mut String) {
    match value.shape() {
        Shape::Text(text) => write_yaml_string(text, out),
        Shape::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_yaml(item, out);
            }
            out.push(']');
        }
        Shape::Entries(entries) => {
            out.push('{');
            for (at, (key, item)) in entries.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_yaml_string(&key, out);
                out.push_str(": ");
                write_yaml(item, out);
            }
            out.push('}');
        }
        Shape::Bare(text) => out.push_str(&text),
    }
}

/// A string as a YAML scalar in double quotes.
pub fn yaml_string(text: &str) -> String {
    let mut out = String::new();
    write_yaml_string(text, &mut out);
    out
}

/// A string as a YAML scalar that may stand anywhere: without quotes only what no reader takes for anything but a string.
pub fn yaml_word(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
        && !has_other_meaning(text);
    if plain { text.to_owned() } else { yaml_string(text) }
}

/// Words that a YAML reader takes for something else than a string.
fn has_other_meaning(word: &str) -> bool {
    const OTHER_MEANING: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    OTHER_MEANING.iter().any(|other| word.eq_ignore_ascii_case(other))
}

fn write_yaml_string(text: &str, out: &mut String) {
    if is_bare(text, b"\"\\") && !text.contains("##") {
        return write_quoted(text, out);
    }
    for c in no_command(&Value::from(text).to_string()).chars() {
        if is_unprintable(c) { out.push_str(&yaml_escape(c)) } else { out.push(c) }
    }
}

/// A value as a YAML block node that starts on a new line, each line with `indent` spaces before it: for policies that
/// people read. Strings and keys are in double quotes but for keys of plain letters.
pub fn yaml_block(value: &impl Tree, indent: usize) -> String {
    let mut out = String::new();
    write_yaml_block(value, indent, false, &mut out);
    out
}

/// `beside` a dash the first line of a list or mapping needs no line of its own.
fn write_yaml_block(value: &impl Tree, indent: usize, beside: bool, out: &mut String) {
    let begin = |at: usize, out: &mut String| if beside && at == 0 { out.push(' ') } else { new_line(indent, out) };
    match value.shape() {
        Shape::List(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                begin(at, out);
                out.push('-');
                write_yaml_block(item, indent + 2, true, out);
            }
        }
        Shape::Entries(entries) if !entries.is_empty() => {
            for (at, (key, item)) in entries.into_iter().enumerate() {
                begin(at, out);
                write_yaml_key(&key, out);
                out.push(':');
                write_yaml_block(item, indent + 2, false, out);
            }
        }
        _ => {
            out.push(' ');
            write_yaml(value, out);
        }
    }
}

/// A text as the lines of a YAML literal (`|`): each on a new line with `indent` spaces before it, without control characters.
/// The first line must not begin with a space.
pub fn yaml_lines(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n{pad}{}", comment(line)) }).collect()
}

/// Only words that no YAML reader takes for anything but a string go without quotes.
fn write_yaml_key(key: &str, out: &mut String) {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
    if plain && !has_other_meaning(key) {
        out.push_str(key);
    } else {
        write_yaml_string(key, out);
    }
}

fn yaml_escape(c: char) -> String {
    format!("\\U{:08X}", c as u32)
}

/// A string as one shell word, in single quotes.
pub fn sh(text: &str) -> String {
    if text.contains(['\0', '\'']) {
        format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
    } else {
        ["'", text, "'"].concat()
    }
}

/// A string as one shell word for people to read: in quotes only where it needs them.
pub fn sh_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { sh(text) }
}

/// Text for an element or an attribute of XML, without quotes around it. What XML can't hold at all becomes U+FFFD.
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '[' if ends_with_command(&escaped) => escaped.push_str("&#91;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", c as u32);
            }
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if is_unprintable(c) => {
                let _ = write!(escaped, "&#{};", c as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// The message of a workflow command of GitHub, which ends with its line. Line breaks stay line breaks; whatever else does not show is
/// written out.
pub fn github_message(text: &str) -> String {
    let visible: Vec<_> = text.split('\n').map(shown::visible).collect();
    visible.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// The value of a property of such a command, which `:` and `,` would end.
pub fn github_property(text: &str) -> String {
    github_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// A string as a literal of Athena's queries (Trino): only the quote has a meaning in it.
pub fn sql(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A string as a literal of Athena's DDL (Hive), where the backslash has a meaning too.
pub fn hive(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// A string as part of a comment that ends with its line: no control characters, nothing that ends a comment.
pub fn comment(text: &str) -> String {
    let text =
        if is_plain(text) { text.to_owned() } else { text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect() };
    shown::no_bracket(text.into()).into_owned()
}

/// A string as text in a line of Markdown.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in comment(text).chars() {
        if "\\`*_{}[]()<>#+!|~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A string as a code span of Markdown: in it nothing is markup, a link or a mention. Never empty, never over a line's end.
pub fn markdown_code(text: &str) -> String {
    let text = comment(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    // one backtick more than the longest run in the text
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence of ours with values in backticks, as Markdown: the values become code spans, and nothing in the rest is a link,
/// HTML or emphasis, even if a value held a backtick.
pub fn markdown_prose(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in comment(text).split('`').enumerate() {
        if at % 2 == 1 {
            out += &markdown_code(part);
            continue;
        }
        for c in part.chars() {
            if "\\*_[]<>#|~@".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

/// Lines as a quoted string of DOT. In a label a backslash begins an escape and an ampersand an entity, so both are doubled up.
pub fn dot(lines: &[String]) -> String {
    let line = |text: &String| {
        let mut out = String::new();
        for c in comment(text).chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '&' => out.push_str("&amp;"),
                c => out.push(c),
            }
        }
        out
    };
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("\\n"))
}

/// Lines as a quoted text of Mermaid. Whatever could be markup there, or Markdown or HTML in what it draws, is a character
/// reference.
pub fn mermaid(lines: &[String]) -> String {
    let line = |text: &String| {
        let mut out = String::new();
        for c in comment(text).chars() {
            if c.is_alphanumeric() || " ._/:,-()·→".contains(c) {
                out.push(c);
            } else {
                out.push_str(&format!("#{};", c as u32));
            }
        }
        out
    };
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("<br/>"))
}

/// A value as JSON inside of a `script` element of a page: nothing in it ends the element or a line.
pub fn script(value: &impl serde::Serialize) -> String {
    let json = crate::text::json(value);
    if !json.contains(['<', '>', '&']) {
        return json;
    }
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
