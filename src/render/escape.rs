//! Escaping: the only place where a value becomes a token of an output language.
//!
//! Each function takes any string (or JSON value) and gives a complete, quoted token that means just that value.

use crate::text::{is_plain, is_unprintable};
use serde_json::Value;

/// A value as an HCL expression, laid out as `terraform fmt` would, with `indent` spaces before lines after the first.
///
/// `${` and `%{` are doubled so that nothing is interpolated.
pub fn hcl(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent + 2);
    let end = " ".repeat(indent);
    match value {
        Value::String(text) => hcl_string(text),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            let lines: String = items.iter().map(|item| format!("{pad}{},\n", hcl(item, indent + 2))).collect();
            format!("[\n{lines}{end}]")
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            // fmt aligns the equal signs of neighbouring lines; an entry of several lines ends such a group
            let mut lines = String::new();
            let mut group: Vec<(String, String)> = Vec::new();
            for (key, item) in entries {
                let (key, item) = (hcl_string(key), hcl(item, indent + 2));
                if item.contains('\n') {
                    flush(&mut lines, &mut group, &pad);
                    lines += &format!("{pad}{key} = {item}\n");
                } else {
                    group.push((key, item));
                }
            }
            flush(&mut lines, &mut group, &pad);
            format!("{{\n{lines}{end}}}")
        }
        other => other.to_string(),
    }
}

fn flush(lines: &mut String, group: &mut Vec<(String, String)>, pad: &str) {
    let width = group.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    for (key, item) in group.drain(..) {
        let gap = " ".repeat(width - key.chars().count());
        *lines += &format!("{pad}{key}{gap} = {item}\n");
    }
}

fn hcl_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
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
    out
}

/// A value as a YAML flow node. Strings are in double quotes, which YAML 1.1 and 1.2 readers take for the same.
pub fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) => yaml_string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, item)| format!("{}: {}", yaml_string(key), yaml(item))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A string as a YAML scalar in double quotes.
pub fn yaml_string(text: &str) -> String {
    if is_plain(text) && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    let json = Value::String(text.to_owned()).to_string();
    json.chars().map(|c| if is_unprintable(c) { yaml_escape(c) } else { c.to_string() }).collect()
}

/// A value as a YAML block node that starts on a new line, each line with `indent` spaces before it: for policies that
/// people read. Strings and keys are in double quotes but for keys of plain letters.
pub fn yaml_block(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| {
                // the first line of the item goes beside the dash
                let item = yaml_block(item, indent + 2);
                format!("\n{pad}- {}", item.trim_start())
            })
            .collect(),
        Value::Object(entries) if !entries.is_empty() => {
            entries.iter().map(|(key, item)| format!("\n{pad}{}:{}", yaml_key(key), yaml_block(item, indent + 2))).collect()
        }
        other => format!(" {}", yaml(other)),
    }
}

/// A text as the lines of a YAML literal (`|`): each on a new line with `indent` spaces before it, without control characters.
/// The first line must not begin with a space.
pub fn yaml_lines(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n{pad}{}", comment(line)) }).collect()
}

/// Only words that no YAML reader takes for anything but a string go without quotes.
fn yaml_key(key: &str) -> String {
    const OTHER_MEANING: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
    if plain && !OTHER_MEANING.contains(&key.to_ascii_lowercase().as_str()) { key.to_owned() } else { yaml_string(key) }
}

fn yaml_escape(c: char) -> String {
    format!("\\U{:08X}", c as u32)
}

/// A string as one shell word, in single quotes.
pub fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
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
    if is_plain(text) { text.to_owned() } else { text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect() }
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
