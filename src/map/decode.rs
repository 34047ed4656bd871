//! Spanned tree → typed values that keep their places. Decoding never stops at the first error.
//!
//! Structure only (keys, types, enumerated words); what values mean is for the rules. The records and words themselves
//! are declared with the macros of `macros.rs`, which call what is here.

use crate::{
    catalog::reading::{MISSING_KEY, UNKNOWN_KEY, UNKNOWN_WORD, WRONG_TYPE},
    diagnostics::{Finding, did_you_mean, list},
    document::{Document, Entry, Kind, Node},
    edit::{Change, Fix},
    source::{Span, Spanned},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A key of the map that may be absent; with its place when it is there.
pub type Field<T> = Option<Spanned<T>>;

/// What decoding needs at hand.
pub struct Cx<'a> {
    /// For aliases.
    pub document: &'a Document,
    /// Where findings go.
    pub findings: &'a mut Vec<Finding>,
    /// The key (or list item) whose value is being decoded: where a missing key is reported.
    pub owner: Span,
    /// That key, in the user's words.
    pub owner_name: String,
    /// Which item of its list, from 0.
    pub item: Option<usize>,
}

impl Cx<'_> {
    /// The owner as it is spoken of, such as `buckets[3]`.
    fn name(&self) -> String {
        self.item.map_or_else(|| self.owner_name.clone(), |at| format!("{}[{at}]", self.owner_name))
    }
}

/// A type that can be read from a node.
pub trait Decode: Sized {
    /// What is expected, as in "expected …": `a string`, `a list of buckets`.
    const EXPECTS: &'static str;

    /// Reads a node that is not null. On a mismatch pushes findings and gives nothing.
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self>;

    /// The value of a key with nothing behind it, if that has a meaning.
    fn empty() -> Option<Self> {
        None
    }
}

/// Decodes a value, null or not, with its place.
pub fn field<T: Decode>(node: &Node, cx: &mut Cx<'_>) -> Field<T> {
    let mut resolved = cx.document.resolve(node);
    // a collection is named by its key: underlining all of it would say less
    let is_scalar = matches!(resolved.kind, Kind::Scalar { .. });
    let span = if is_scalar { node.span } else { cx.owner };
    // a scalar behind an alias is spoken of where the alias stands
    let here;
    if is_scalar && resolved.span != span {
        here = Node { span, kind: resolved.kind.clone() };
        resolved = &here;
    }
    let node = resolved;
    let value = if is_null(node) {
        let empty = T::empty();
        if empty.is_none() {
            cx.findings.push(
                Finding::new(&WRONG_TYPE, cx.owner, format!("`{}` has no value", cx.name()))
                    .help(format!("write {}, or leave the key out", T::EXPECTS.trim_end().replace("` `", "`, `"))),
            );
        }
        empty?
    } else {
        T::decode(node, cx)?
    };
    Some(Spanned { value, span })
}

/// The entries of a mapping, or a finding. `known` are the keys that it can have, if they are fixed.
pub fn entries<'a, T: Decode>(node: &'a Node, known: &[&'static str], cx: &mut Cx<'_>) -> Option<&'a [Entry]> {
    match &node.kind {
        Kind::Mapping(entries) => Some(entries),
        _ => {
            let help = if known.is_empty() {
                "write each name as a key, with a colon after it".to_owned()
            } else {
                format!("its keys are {}", list(known.iter().copied()))
            };
            mismatch_with::<T, _>(node, help, cx)
        }
    }
}

/// Says what was expected and what is there.
pub fn mismatch<T: Decode, R>(node: &Node, cx: &mut Cx<'_>) -> Option<R> {
    mismatch_with::<T, R>(node, String::new(), cx)
}

fn mismatch_with<T: Decode, R>(node: &Node, help: String, cx: &mut Cx<'_>) -> Option<R> {
    let message = format!("`{}` is {}, expected {}", cx.name(), describe(node), T::EXPECTS);
    cx.findings.push(Finding::new(&WRONG_TYPE, node.span, message).help(help));
    None
}

/// Reports a key that the record does not have.
pub fn unknown_key(entry: &Entry, record: &str, known: &[&'static str], cx: &mut Cx<'_>) {
    let finding = Finding::new(&UNKNOWN_KEY, entry.key_span, format!("`{}` is not a key of {record}", entry.key));
    let finding = finding.label("unknown key");
    cx.findings.push(match did_you_mean(&entry.key, known.iter().copied()) {
        Some(near) => {
            finding.help(format!("did you mean `{near}`?")).fix(Fix::unsafe_fix(format!("write `{near}`"), entry.key_span, near))
        }
        None => finding.help(format!("the keys here are {}", list(known.iter().copied()))),
    });
}

/// Reports a key that must be there.
pub fn missing_key(key: &'static str, record: &str, hint: &str, cx: &mut Cx<'_>) {
    let finding =
        Finding::new(&MISSING_KEY, cx.owner, format!("{record} needs the key `{key}`")).label(format!("`{key}` is missing here"));
    // only where there is one value that it can have
    let finding = match key {
        "version" => finding.safe_fix("add `version: 1`", Change::InsertFirst(None, key, "1".to_owned())),
        _ => finding,
    };
    cx.findings.push(if hint.is_empty() { finding } else { finding.help(hint) });
}

/// Decodes each entry with `key` as its owner.
pub fn with_owner<R>(cx: &mut Cx<'_>, span: Span, name: &str, run: impl FnOnce(&mut Cx<'_>) -> R) -> R {
    let before = (cx.owner, std::mem::replace(&mut cx.owner_name, name.to_owned()), cx.item.take());
    cx.owner = span;
    let result = run(cx);
    (cx.owner, cx.owner_name, cx.item) = before;
    result
}

/// Nothing, `~` or `null` without quotes.
pub fn is_null(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
}

/// How YAML 1.2 reads a plain scalar.
pub(super) enum Plain {
    Number,
    Flag,
    Text,
}

pub(super) fn plain_kind(text: &str) -> Plain {
    if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return Plain::Flag;
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let hexadecimal =
        text.strip_prefix("0x").is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let octal =
        text.strip_prefix("0o").is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b)));
    let word = matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN");
    let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|b| b.is_ascii_digit())
        && text.parse::<f64>().is_ok();
    if hexadecimal || octal || word || decimal { Plain::Number } else { Plain::Text }
}

fn describe(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Sequence(_) => "a list",
        Kind::Mapping(_) => "a mapping",
        Kind::Alias(_) => "an alias",
        Kind::Scalar { plain: true, text } => match plain_kind(text) {
            Plain::Number => "a number",
            Plain::Flag => "`true` or `false`",
            Plain::Text => "a string",
        },
        Kind::Scalar { .. } => "a string",
    }
}

impl Decode for String {
    const EXPECTS: &'static str = "a string";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, plain } if !plain || matches!(plain_kind(text), Plain::Text) => Some(text.to_string()),
            Kind::Scalar { text, .. } => {
                let message = format!("`{}` is {}, expected a string", cx.name(), describe(node));
                let finding = Finding::new(&WRONG_TYPE, node.span, message)
                    .label("without quotes YAML reads a number or a truth value here, and leading zeros may be lost")
                    .help(format!("put it in quotes: `\"{text}\"`"))
                    .fix(Fix::safe_fix("put it in quotes", node.span, format!("\"{text}\"")));
                cx.findings.push(finding);
                None
            }
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl Decode for u32 {
    const EXPECTS: &'static str = "a whole number";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, plain: true } if text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u32>().is_ok() => {
                text.parse().ok()
            }
            Kind::Scalar { text, plain: false } if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                let finding =
                    Finding::new(&WRONG_TYPE, node.span, format!("`{}` is a string, expected a whole number", cx.name()))
                        .help(format!("write it without quotes: `{text}`"));
                // a leading zero would make another number of it in YAML 1.1
                let finding = match text.parse::<u32>() {
                    Ok(number) => finding.fix(Fix::safe_fix("take the quotes away", node.span, number.to_string())),
                    Err(_) => finding,
                };
                cx.findings.push(finding);
                None
            }
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl Decode for bool {
    const EXPECTS: &'static str = "`true` or `false`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, plain: true }
                if text.eq_ignore_ascii_case("true") && matches!(plain_kind(text), Plain::Flag) =>
            {
                Some(true)
            }
            Kind::Scalar { text, plain: true } if matches!(plain_kind(text), Plain::Flag) => Some(false),
            Kind::Scalar { text, .. } => {
                let meant = match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" => Some("true"),
                    "no" | "off" | "n" | "false" => Some("false"),
                    _ => None,
                };
                match meant {
                    Some(meant) => {
                        let message = format!("`{}` is a string, expected `true` or `false`", cx.name());
                        let finding = Finding::new(&WRONG_TYPE, node.span, message)
                            .help(format!("write `{meant}`"))
                            .fix(Fix::safe_fix(format!("write `{meant}`"), node.span, meant));
                        cx.findings.push(finding);
                        None
                    }
                    None => mismatch::<Self, _>(node, cx),
                }
            }
            _ => mismatch::<Self, _>(node, cx),
        }
    }
}

impl<T: Decode> Decode for Vec<Spanned<T>> {
    const EXPECTS: &'static str = "a list";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let Kind::Sequence(items) = &node.kind else {
            let help = match &node.kind {
                Kind::Scalar { text, .. } => format!("write `[{text}]`"),
                _ => "begin each item with `- `".to_owned(),
            };
            let mismatch = mismatch_with::<Self, _>(node, help, cx);
            if let (Kind::Scalar { text, .. }, Some(finding)) = (&node.kind, cx.findings.last_mut()) {
                let item = crate::escape::yaml_word(text);
                finding.fixes.push(Fix::safe_fix("make it a list", node.span, format!("[{item}]")));
            }
            return mismatch;
        };
        let mut list = Vec::with_capacity(items.len());
        with_owner(cx, cx.owner, &cx.name(), |cx| {
            for (at, item) in items.iter().enumerate() {
                (cx.owner, cx.item) = (item.span, Some(at));
                list.extend(field::<T>(item, cx));
            }
        });
        Some(list)
    }

    fn empty() -> Option<Self> {
        Some(Vec::new())
    }
}

/// A mapping from names that the user chose to values, in order.
#[derive(Debug, Clone)]
pub struct Entries<K, T> {
    /// Names with their places, and values.
    pub items: Vec<(Spanned<String>, Spanned<T>)>,
    names: std::marker::PhantomData<K>,
}

/// The names of [`Entries`]: what the schema says of them.
pub trait Names {
    /// Added to the schema of the mapping.
    fn schema(value: Schema) -> Schema;
}

impl<K, T> Default for Entries<K, T> {
    fn default() -> Self {
        Entries { items: Vec::new(), names: std::marker::PhantomData }
    }
}

impl<K, T: Decode> Decode for Entries<K, T> {
    const EXPECTS: &'static str = "a mapping";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let entries = entries::<Self>(node, &[], cx)?;
        let items = entries.iter().filter_map(|entry| {
            let value = with_owner(cx, entry.key_span, &entry.key, |cx| field::<T>(&entry.value, cx))?;
            Some((Spanned { value: entry.key.to_string(), span: entry.key_span }, value))
        });
        Some(Entries { items: items.collect(), names: std::marker::PhantomData })
    }

    fn empty() -> Option<Self> {
        Some(Entries::default())
    }
}

impl<K: Names, T: JsonSchema> JsonSchema for Entries<K, T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Entries", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        K::schema(generator.subschema_for::<T>())
    }
}

/// A value or a list of values.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<Spanned<T>>);

impl<T: Decode> Decode for OneOrMany<T> {
    const EXPECTS: &'static str = T::EXPECTS;

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Sequence(_) => Vec::decode(node, cx).map(OneOrMany),
            _ => Some(OneOrMany(vec![Spanned { value: T::decode(node, cx)?, span: node.span }])),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Reports a word that is not in the list.
pub fn unknown_word(text: &str, node: &Node, words: &[&'static str], cx: &mut Cx<'_>) {
    let near = did_you_mean(text, words.iter().copied());
    let meant = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let mut finding = Finding::new(&UNKNOWN_WORD, node.span, format!("`{text}` is not a value of `{}`", cx.name()))
        .help(format!("{meant}the values are {}", list(words.iter().copied())));
    if let Some(near) = near {
        // only upper and lower case, and how the words are joined
        let same = |a: &str, b: &str| a.replace([' ', '_'], "-").eq_ignore_ascii_case(&b.replace('_', "-"));
        finding.fixes.push(Fix { safe: same(text, near), ..Fix::unsafe_fix(format!("write `{near}`"), node.span, near) });
    }
    cx.findings.push(finding);
}
