//! Account keys and where they are used: definition, references, rename.

use super::family::Whereabouts;
use crate::{
    analysis::Analysis,
    document::{
        Document, Entry, Kind, Node,
        path::{entries, get, items, text},
    },
    escape::yaml_word,
    map::effective,
    source::Span,
};
use lsp_types::{Location, PrepareRenamePlaceholder, PrepareRenameResult, WorkspaceEdit};

/// A place where an account key stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'d> {
    /// The key.
    pub key: &'d str,
    /// Its bytes, quotes included.
    pub span: Span,
    /// It stands under `accounts`.
    pub is_definition: bool,
    /// It is written elsewhere, behind an anchor.
    pub is_alias: bool,
}

/// The account keys of a map, in order.
pub(super) fn accounts(document: &Document) -> Vec<String> {
    let tops = document.tops().flat_map(|top| entries(document, get(entries(document, Some(top)), "accounts")));
    tops.map(|entry| entry.key.to_string()).collect()
}

/// Everywhere that an account key stands, in the order of the sections.
pub(super) fn uses<'d>(document: &'d Document) -> Vec<Use<'d>> {
    let tops: Vec<&[Entry]> = document.tops().map(|top| entries(document, Some(top))).collect();
    let defined = tops.iter().flat_map(|top| entries(document, get(top, "accounts")));
    let mut found: Vec<Use<'d>> =
        defined.map(|entry| Use { key: &entry.key, span: entry.key_span, is_definition: true, is_alias: false }).collect();
    let mut refer = |node: Option<&'d Node>, through: bool| {
        let Some(node) = node else { return };
        let is_alias = through || matches!(node.kind, Kind::Alias(_));
        // a node behind an anchor is shared: the same text stands for something else too
        found.extend(text(document, node).map(|key| Use { key, span: node.span, is_definition: false, is_alias }));
    };
    let organization = tops.iter().find_map(|top| get(top, "organization"));
    refer(get(entries(document, organization), "management_account"), false);
    let athena = tops.iter().find_map(|top| get(top, "athena"));
    refer(get(entries(document, athena), "central"), athena.is_some_and(is_alias));
    for trail in tops.iter().flat_map(|top| entries(document, get(top, "trails"))) {
        let keys = entries(document, Some(&trail.value));
        let list = get(keys, "accounts");
        let through = list.is_some_and(|list| matches!(list.kind, Kind::Alias(_))) || matches!(trail.value.kind, Kind::Alias(_));
        items(document, list).iter().for_each(|item| refer(Some(item), through));
        refer(get(entries(document, get(keys, "deliver_to")), "account"), through);
    }
    for (layer, through) in log_buckets(document, &tops) {
        let list = get(entries(document, Some(layer)), "senders");
        let through = through || is_alias(layer) || list.is_some_and(is_alias);
        for sender in items(document, list) {
            let accounts = get(entries(document, Some(sender)), "accounts");
            let through = through || is_alias(sender) || accounts.is_some_and(is_alias);
            items(document, accounts).iter().for_each(|item| refer(Some(item), through));
        }
    }
    found
}

fn is_alias(node: &Node) -> bool {
    matches!(node.kind, Kind::Alias(_))
}

/// Every `log_bucket` of a map, and whether what it stands in is written elsewhere.
fn log_buckets<'d>(document: &'d Document, tops: &[&'d [Entry]]) -> Vec<(&'d Node, bool)> {
    let mut found = Vec::new();
    for top in tops {
        let defaults = get(top, "defaults");
        let own = get(entries(document, defaults), "log_bucket");
        found.extend(own.map(|own| (own, defaults.is_some_and(is_alias))));
        for account in entries(document, get(top, "accounts")) {
            let through = is_alias(&account.value);
            let keys = entries(document, Some(&account.value));
            found.extend(get(keys, "log_bucket").map(|own| (own, through)));
            let regions = get(keys, "regions");
            let through = through || regions.is_some_and(is_alias);
            for region in entries(document, regions) {
                let own = get(entries(document, Some(&region.value)), "log_bucket");
                found.extend(own.map(|own| (own, through || is_alias(&region.value))));
            }
        }
    }
    found
}

/// The use at an offset.
fn at(document: &Document, offset: u32) -> Option<Use<'_>> {
    uses(document).into_iter().find(|used| used.span.touches(offset))
}

/// Where the account that is named at an offset is defined.
pub(super) fn definition(places: &Whereabouts<'_>, offset: u32) -> Option<Location> {
    let document = &places.analysis.document;
    let here = at(document, offset)?;
    let found = uses(document).into_iter().find(|used| used.is_definition && used.key == here.key)?;
    Some(places.location(found.span))
}

/// Where the account that is named at an offset stands.
pub(super) fn references(places: &Whereabouts<'_>, offset: u32, definitions: bool) -> Option<Vec<Location>> {
    let document = &places.analysis.document;
    let here = at(document, offset)?;
    let same = uses(document).into_iter().filter(|used| used.key == here.key && (definitions || !used.is_definition));
    Some(same.map(|used| places.location(used.span)).collect())
}

/// What would be renamed at an offset.
pub(super) fn prepare(places: &Whereabouts<'_>, offset: u32) -> Option<PrepareRenameResult> {
    let here = at(&places.analysis.document, offset)?;
    let range = places.range(here.span);
    Some(PrepareRenamePlaceholder { range, placeholder: here.key.to_owned() }.into())
}

/// Renames the account that is named at an offset, everywhere.
///
/// # Errors
/// Why it can't be done, for the user.
pub(super) fn rename(places: &Whereabouts<'_>, offset: u32, new: &str) -> Result<WorkspaceEdit, String> {
    let analysis = places.analysis;
    let here = at(&analysis.document, offset).ok_or("only account keys can be renamed; no account is named here")?;
    if !effective::is_account_key(new) {
        let reserved = if new == effective::RESERVED_ACCOUNT_KEY { "; this word is a folder of the output" } else { "" };
        return Err(format!(
            "`{new}` can't be an account key: at most 64 lower-case letters, digits and hyphens, a letter first{reserved}"
        ));
    }
    let all = uses(&analysis.document);
    if new != here.key && all.iter().any(|used| used.is_definition && used.key == new) {
        return Err(format!("there is an account `{new}` already"));
    }
    let same: Vec<Use<'_>> = all.into_iter().filter(|used| used.key == here.key).collect();
    if let Some(alias) = same.iter().find(|used| used.is_alias) {
        let line = analysis.file.position(alias.span.start).line;
        return Err(format!("`{}` comes from a YAML alias in line {line}; write the key out there first", here.key));
    }
    Ok(places.edit(same.iter().map(|used| (used.span, quoted(analysis, used.span, new)))))
}

/// The word in the quotes in which the old one stands; without any, in double quotes where YAML would not read a string.
fn quoted(analysis: &Analysis, span: Span, word: &str) -> String {
    let old = analysis.file.slice(span);
    match old.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => format!("{quote}{word}{quote}"),
        None => yaml_word(word),
    }
}
