//! Included files: each is a region map that has nothing but accounts and trails, which are added to the map's.

use super::{
    RegionMap,
    decode::{Cx, Decode, Entries, is_null},
    path,
};
use crate::{
    catalog::reading::{DUPLICATE_KEY, INCLUDE, MISSING_KEY},
    diagnostics::{Finding, list},
    document::Document,
    source::{Span, Spanned},
};
use std::collections::BTreeMap;

/// The keys of an included file.
const KEYS: [&str; 3] = ["version", "accounts", "trails"];

/// Adds what the included files have. What stands in two files is reported and added, as a key that stands twice in one file is.
pub(super) fn decode(document: &Document, map: &mut RegionMap, findings: &mut Vec<Finding>) {
    if document.included.is_empty() {
        return;
    }
    let (mut accounts, mut trails) = (names(map.accounts.as_ref()), names(map.trails.as_ref()));
    for top in &document.included {
        let start = Span { start: top.span.start, end: top.span.start };
        if is_null(document.resolve(top)) {
            let finding = Finding::new(&MISSING_KEY, start, "the included file is empty");
            findings.push(finding.help("write `version: 1` and `accounts`, or take the file away"));
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
    }
}

/// Where each name stands first.
type First = BTreeMap<String, Span>;

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
        match first.get(&name) {
            None => {
                first.insert(name, span);
            }
            Some(first) => findings.push(
                Finding::new(&DUPLICATE_KEY, span, format!("the {what} `{name}` stands in two files"))
                    .label("it is in another file, too")
                    .related(*first, "it is first here")
                    .help("merge the two, or remove one"),
            ),
        }
    }
    match all {
        Some(all) => all.value.items.extend(more.value.items),
        None => *all = Some(more),
    }
}
