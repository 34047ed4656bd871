//! Included files: each is a region map with accounts and trails, which are added to the map's, and with settings that the map and
//! other files do not have. Nothing is merged: what stands in two files is an error, so that whoever reads a key reads all of it.

use super::{
    RegionMap,
    decode::{Cx, Decode, Entries, is_null},
    path,
};
use crate::{
    catalog::reading::{DUPLICATE_KEY, INCLUDE, MISSING_KEY},
    diagnostics::{Finding, list},
    document::{Document, Node},
    source::{Span, Spanned},
};
use std::collections::BTreeMap;

/// The keys of an included file. Whose map it is and how commands treat it, the map says itself.
const KEYS: [&str; 11] =
    ["version", "accounts", "trails", "defaults", "monitoring", "guardrails", "athena", "central", "tags", "publish", "render"];

/// Adds what the included files have. What stands in two files is reported and added, as a key that stands twice in one file is.
pub(super) fn decode(document: &Document, map: &mut RegionMap, findings: &mut Vec<Finding>) {
    if document.included.is_empty() {
        return;
    }
    let (mut accounts, mut trails) = (names(map.accounts.as_ref()), names(map.trails.as_ref()));
    let mut keys: First = keys_of(document, document.root.as_ref()).collect();
    for top in &document.included {
        let start = Span { start: top.span.start, end: top.span.start };
        if is_null(document.resolve(top)) {
            let finding = Finding::new(&MISSING_KEY, start, "the included file is empty");
            findings.push(finding.help("write `version: 1` and `accounts` or another of its keys, or take the file away"));
            continue;
        }
        for entry in path::entries(document, Some(top)).iter().filter(|entry| !KEYS.contains(&&*entry.key)) {
            if RegionMap::KEYS.contains(&&*entry.key) {
                let message = format!("`{}` can't stand in an included file", entry.key);
                let finding = Finding::new(&INCLUDE, entry.key_span, message).label("only the map itself has it");
                findings.push(finding.help(format!("move it to the map; the keys of an included file are {}", list(KEYS))));
            }
        }
        let mut cx = Cx { document, findings, owner: start, owner_name: "the file".to_owned(), item: None };
        let Some(more) = RegionMap::decode(document.resolve(top), &mut cx) else { continue };
        findings.extend(more.version.and_then(super::unknown_version));
        join(&mut map.accounts, more.accounts, "account", &mut accounts, findings);
        join(&mut map.trails, more.trails, "trail", &mut trails, findings);
        for (key, span) in keys_of(document, Some(top)) {
            twice(&format!("`{key}`"), key.clone(), span, &mut keys, findings);
        }
        map.defaults = map.defaults.take().or(more.defaults);
        map.monitoring = map.monitoring.take().or(more.monitoring);
        map.guardrails = map.guardrails.take().or(more.guardrails);
        map.athena = map.athena.take().or(more.athena);
        map.central = map.central.take().or(more.central);
        map.tags = map.tags.take().or(more.tags);
        map.publish = map.publish.take().or(more.publish);
        map.render = map.render.take().or(more.render);
    }
}

/// Where each name stands first.
type First = BTreeMap<String, Span>;

/// The keys of a file of which one file alone may have each.
fn keys_of<'d>(document: &'d Document, top: Option<&'d Node>) -> impl Iterator<Item = (String, Span)> + 'd {
    let entries = path::entries(document, top).iter().filter(|entry| KEYS[3..].contains(&&*entry.key));
    entries.map(|entry| (entry.key.to_string(), entry.key_span))
}

/// Reports what stands in a file before, and remembers what does not.
fn twice(what: &str, name: String, span: Span, first: &mut First, findings: &mut Vec<Finding>) {
    match first.get(&name) {
        None => {
            first.insert(name, span);
        }
        Some(first) => findings.push(
            Finding::new(&DUPLICATE_KEY, span, format!("{what} stands in two files"))
                .label("it is in another file, too")
                .related(*first, "it is first here")
                .help("merge the two, or remove one"),
        ),
    }
}

fn names<K, T>(entries: Option<&Spanned<Entries<K, T>>>) -> First {
    let items = entries.iter().flat_map(|entries| entries.value.items.iter().rev());
    items.map(|(name, _)| (name.value.clone(), name.span)).collect()
}

/// Adds entries of another file; `first` has those of all files before it.
fn join<K, T>(
    all: &mut Option<Spanned<Entries<K, T>>>,
    more: Option<Spanned<Entries<K, T>>>,
    what: &str,
    first: &mut First,
    findings: &mut Vec<Finding>,
) {
    let Some(more) = more else { return };
    for (name, span) in names(Some(&more)) {
        twice(&format!("the {what} `{name}`"), name, span, first, findings);
    }
    match all {
        Some(all) => all.value.items.extend(more.value.items),
        None => *all = Some(more),
    }
}
