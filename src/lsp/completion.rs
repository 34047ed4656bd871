//! What can be written at the cursor: keys, account keys, Regions, words, placeholders of names.
//!
//! A text that is being typed is seldom whole. A marker is put where the cursor is, once as a word and once as a key, and
//! the text is read again; if it can't be, only the lines that the cursor's line hangs from are read. Where the marker
//! stands in the tree says what belongs there.

use super::{client::Client, open::Open, shape::Shape};
use crate::{
    aws::region,
    diagnostics::Rule,
    document::{self, Document, Entry, Kind, Node},
    escape::{self, shown},
    map::{
        effective,
        placeholders::{BackendPlaceholder, NamePlaceholder, StatementPlaceholder},
    },
    rules,
    source::SourceFile,
};
use lsp_types::{CompletionItem, CompletionItemKind, Documentation, Position, TextEdit};
use serde_json::Value;
use std::{collections::BTreeSet, ops::Range};

/// Stands for the word at the cursor.
const MARKER: &str = "logmapCursorlogmap";

/// Something to offer.
struct Offer {
    label: String,
    /// What is written; the label if nothing else is said.
    text: Option<String>,
    kind: CompletionItemKind,
    detail: Option<String>,
    documentation: Option<String>,
}

/// Where the marker is in the tree.
struct Found {
    path: Vec<String>,
    /// As a key; its siblings are there already.
    siblings: Option<BTreeSet<String>>,
    /// What stands before the marker in the same scalar.
    before: String,
    /// Spaces at the beginning of the line that have to go before it can stand there.
    surplus: usize,
}

/// What can be written at a position.
pub(super) fn complete(shape: &Shape, open: &mut Open, position: Position, client: &Client) -> Vec<CompletionItem> {
    open.analysis(); // learns the account keys, if the text can be read
    let text = open.text.as_str();
    let at = open.text.offset(position);
    let line = open.text.line(open.text.line_of(at));
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    let before = &text[line.start..at];
    // `us-east-1:` right before the cursor is a key that is complete
    let word = if before.ends_with(':') { before.len() } else { before.trim_end_matches(is_word).len() };
    let start = line.start + word;
    let after = &text[at..line.end];
    let end = at + after.find(|c: char| !is_word(c) || c == ':').unwrap_or(after.len());
    let is_key_already = text[end..line.end].starts_with(':');
    let glued = before[..word].ends_with(':');
    let mut made: Vec<CompletionItem> = Vec::new();
    for found in places(text, line.clone(), start..end, glued) {
        let braces = found.before.rfind('{').filter(|open| !found.before[*open..].contains('}'));
        let mut replaced = start..end;
        if let Some(brace) = braces {
            // the brace and what follows it are replaced too
            replaced.start = start.saturating_sub(found.before.len() - brace).max(line.start);
            replaced.end += usize::from(text[end..].starts_with('}'));
        }
        let range = open.text.byte_range(replaced);
        let surplus = (found.surplus > 0).then(|| open.text.byte_range(line.start..line.start + found.surplus));
        for offer in offers(shape, &found, braces.is_some(), &open.accounts, is_key_already) {
            if made.iter().any(|item| item.label == offer.label) {
                continue;
            }
            let mut new_text = offer.text.unwrap_or_else(|| offer.label.clone());
            if glued {
                new_text.insert(0, ' ');
            }
            made.push(CompletionItem {
                kind: Some(offer.kind),
                detail: offer.detail,
                documentation: offer
                    .documentation
                    .map(|value| Documentation::MarkupContent(Client::markup(client.completion_markdown, value))),
                // in the order in which they are made: that of the vocabulary
                sort_text: Some(format!("{:04}", made.len())),
                filter_text: glued.then(|| new_text.clone()),
                text_edit: Some(TextEdit { range, new_text }.into()),
                additional_text_edits: surplus.map(|range| vec![TextEdit { range, new_text: String::new() }]),
                label: offer.label,
                ..CompletionItem::default()
            });
        }
    }
    made
}

/// Where a marker in place of the word stands in the tree: as a key, and as a value.
fn places(text: &str, line: Range<usize>, word: Range<usize>, glued: bool) -> Vec<Found> {
    let space = if glued { " " } else { "" };
    let before = &text[line.start..word.start];
    let after = &text[word.end..line.end];
    // a quote that is still open is closed behind the marker
    let open_quote = ['"', '\''].into_iter().find(|quote| before.matches(*quote).count() % 2 == 1 && !after.contains(*quote));
    let quote = open_quote.map_or(String::new(), String::from);
    let mut found: Vec<Found> = Vec::new();
    for marked in [format!("{space}{MARKER}:"), format!("{space}{MARKER}{quote}")] {
        let whole = || format!("{}{marked}{}", &text[..word.start], &text[word.end..]);
        let cut = format!("{before}{marked}{after}");
        let place = read(&whole()).or_else(|| read(&hanging(text, line.clone(), &cut)));
        // what stands behind the cursor in its line may be what keeps it from being read
        let place = place.or_else(|| read(&hanging(text, line.clone(), &format!("{before}{marked}{}", closing(before)))));
        found.extend(place);
    }
    if found.is_empty() && !before.is_empty() && before.bytes().all(|byte| byte == b' ') {
        found.extend(outdented(text, line, before.len(), after));
    }
    found
}

/// The place of a key that is indented too far, as editors do it by themselves: at the nearest column of a line above
/// where it can stand.
fn outdented(text: &str, line: Range<usize>, indentation: usize, after: &str) -> Option<Found> {
    let above = text[..line.start].lines().rev().take(200).filter(|line| !line.trim().is_empty());
    let columns: BTreeSet<usize> = above.map(|line| line.len() - line.trim_start_matches(' ').len()).collect();
    columns.range(..indentation).rev().take(4).find_map(|column| {
        let key = format!("{}{MARKER}:{after}", " ".repeat(*column));
        let found = read(&hanging(text, line.clone(), &key))?;
        Some(Found { surplus: indentation - column, ..found })
    })
}

/// What closes the brackets that are open at the end of a text.
fn closing(text: &str) -> String {
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.into_iter().rev().collect()
}

/// The ancestors of a line by indentation, each the nearest one above with less, and the line itself.
fn hanging(text: &str, line: Range<usize>, instead: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut limit = indentation(instead);
    let mut lines = vec![instead];
    for above in text[..line.start].lines().rev() {
        let trimmed = above.trim_start_matches([' ', '-']);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let is_item = above.trim_start().starts_with("- ");
        // a list may stand at the column of its key
        let parent = indentation(above) < limit
            || (indentation(above) == limit && !is_item && instead.trim_start().starts_with('-') && lines.len() == 1);
        if parent {
            limit = indentation(above);
            lines.push(above);
        }
        if limit == 0 && !is_item {
            break;
        }
    }
    lines.reverse();
    lines.join("\n") + "\n"
}

/// Reads a text with a marker and finds it.
fn read(text: &str) -> Option<Found> {
    let document = document::read(&SourceFile::new("", text), &mut Vec::new());
    let mut path = Vec::new();
    find(&document, document.root.as_ref()?, &mut path)
}

/// The marker below a node.
fn find(document: &Document, node: &Node, path: &mut Vec<String>) -> Option<Found> {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            let at = text.find(MARKER)?;
            Some(Found { path: path.clone(), siblings: None, before: text[..at].to_owned(), surplus: 0 })
        }
        Kind::Sequence(items) => items.iter().find_map(|item| below(document, "[]", item, path)),
        Kind::Mapping(entries) => {
            if entries.iter().any(|entry| entry.key.contains(MARKER)) {
                let others = |entry: &&Entry| !entry.key.contains(MARKER);
                let siblings = entries.iter().filter(others).map(|entry| entry.key.to_string()).collect();
                return Some(Found { path: path.clone(), siblings: Some(siblings), before: String::new(), surplus: 0 });
            }
            entries.iter().find_map(|entry| below(document, &entry.key, &entry.value, path))
        }
        Kind::Alias(_) => None,
    }
}

fn below(document: &Document, step: &str, node: &Node, path: &mut Vec<String>) -> Option<Found> {
    path.push(step.to_owned());
    let found = find(document, node, path);
    path.pop();
    found
}

fn offers(shape: &Shape, found: &Found, in_braces: bool, accounts: &[String], is_key_already: bool) -> Vec<Offer> {
    let path: Vec<&str> = found.path.iter().map(String::as_str).collect();
    match &found.siblings {
        Some(siblings) if path == ["settings", "rules"] => rules(siblings, is_key_already),
        Some(siblings) => shape.at(&path).map_or(Vec::new(), |schema| keys(shape, schema, &path, siblings, is_key_already)),
        None if in_braces => placeholders(&path),
        None => values(shape, &path, accounts),
    }
}

fn keys(shape: &Shape, schema: &Value, path: &[&str], siblings: &BTreeSet<String>, is_key_already: bool) -> Vec<Offer> {
    let regions = matches!(path, [.., "regions" | "kms_key_arn"]);
    let free = shape.keys(schema).into_iter().filter(|(key, _)| !siblings.contains(*key));
    free.map(|(key, schema)| {
        let colon = match (is_key_already, shape.is_scalar(schema)) {
            (true, _) => "",
            (false, true) => ": ",
            (false, false) => ":",
        };
        Offer {
            label: key.to_owned(),
            text: Some(format!("{key}{colon}")),
            kind: if regions { CompletionItemKind::EnumMember } else { CompletionItemKind::Property },
            detail: regions.then(|| place(key)).flatten(),
            documentation: if regions { None } else { shape.describe(schema) },
        }
    })
    .collect()
}

/// The rules that a map can set, but for those that it sets.
fn rules(siblings: &BTreeSet<String>, is_key_already: bool) -> Vec<Offer> {
    let is_free = |rule: &&'static Rule| rule.can_be_set() && !siblings.iter().any(|word| rule.is(word));
    let offer = |rule: &'static Rule| Offer {
        label: rule.id.to_owned(),
        text: Some(format!("{}{}", rule.id, if is_key_already { "" } else { ":" })),
        kind: CompletionItemKind::EnumMember,
        detail: Some(format!("{}, {}", rule.name, rule.severity.word())),
        documentation: Some(rule.summary.to_owned()),
    };
    rules::all().into_iter().filter(is_free).map(offer).collect()
}

fn place(name: &str) -> Option<String> {
    let known = region::find(name)?;
    Some(format!("{}{}", known.place, if known.opt_in { ", opt-in" } else { "" }))
}

fn values(shape: &Shape, path: &[&str], accounts: &[String]) -> Vec<Offer> {
    let plain = |label: &str, kind| Offer { label: label.to_owned(), text: None, kind, detail: None, documentation: None };
    match path {
        ["organization", "management_account"]
        | ["athena", "central"]
        | ["trails", _, "accounts", "[]"]
        | ["trails", _, "deliver_to", "account"]
        | [.., "senders", "[]", "accounts", "[]"] => {
            let offer = |key: &String| Offer {
                // written as it has to be in YAML, and shown as what it is
                text: Some(escape::yaml_word(key)),
                ..plain(&shown::line(key), CompletionItemKind::Reference)
            };
            return accounts.iter().map(offer).collect();
        }
        ["trails", _, "home_region"] | ["athena", "region"] | ["render", "terraform", "backend", "s3", .., "region"] => {
            let known = region::KNOWN.iter();
            return known
                .map(|region| Offer { detail: place(region.name), ..plain(region.name, CompletionItemKind::EnumMember) })
                .collect();
        }
        _ => {}
    }
    let Some(schema) = shape.at(path) else { return Vec::new() };
    let words = shape.words(schema).into_iter().map(|(word, meaning)| Offer {
        documentation: (!meaning.is_empty()).then(|| meaning.to_owned()),
        ..plain(&word, CompletionItemKind::EnumMember)
    });
    let mut offers: Vec<Offer> = words.collect();
    if matches!(path, [.., "log_bucket", "name" | "trails_name"]) {
        let default = if path.last() == Some(&"name") { effective::DEFAULT_NAME } else { effective::DEFAULT_TRAILS_NAME };
        offers.push(Offer {
            text: Some(format!("\"{default}\"")),
            detail: Some("the default".to_owned()),
            ..plain(default, CompletionItemKind::Value)
        });
    }
    offers
}

fn placeholders(path: &[&str]) -> Vec<Offer> {
    let offer = |name: &str, meaning: &str| Offer {
        label: format!("{{{name}}}"),
        text: None,
        kind: CompletionItemKind::Variable,
        detail: Some(meaning.to_owned()),
        documentation: None,
    };
    let backend = || BackendPlaceholder::ALL.iter().map(|known| offer(known.name(), known.meaning())).collect();
    match path {
        [.., "log_bucket", "name" | "trails_name"] => {
            NamePlaceholder::ALL.iter().map(|known| offer(known.name(), known.meaning())).collect()
        }
        ["render", "terraform", "cloud", ..] => backend(),
        ["render", "terraform", "backend", "s3", rest @ ..] if !rest.contains(&"settings") => Vec::new(),
        ["render", "terraform", "backend", _, ..] => backend(),
        path if path.contains(&"extra_statements") => {
            StatementPlaceholder::ALL.iter().map(|known| offer(known.name(), known.meaning())).collect()
        }
        _ => Vec::new(),
    }
}
