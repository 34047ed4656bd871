//! Names that no input need tell: keys of accounts, and the short name of the organisation.

use super::{
    Options,
    inventory::Inventory,
    proposal::{Note, Proposal},
};
use crate::{
    aws::region,
    map::effective,
    observed::{NamedBy, SourceLocation},
};
use std::collections::{BTreeMap, BTreeSet};

/// Names of providers that say nothing of an account.
const GENERAL: [&str; 9] = ["aws", "default", "main", "this", "primary", "secondary", "replica", "backup", "global"];

/// A key for each account, and what is to be said of it. Keys that the caller gives come first, then those of the map that is
/// extended, then the names of inputs.
pub(super) fn keys(
    ids: &BTreeSet<&str>,
    inventory: &Inventory,
    options: &Options,
    of_map: &BTreeMap<String, String>,
) -> BTreeMap<String, (String, Option<Note>)> {
    let mut keys: BTreeMap<String, (String, Option<Note>)> = BTreeMap::new();
    let mut taken: BTreeSet<String> = of_map.values().cloned().collect();
    for id in ids {
        let given = options.accounts.iter().find(|account| account.id == **id).and_then(|account| account.key.clone());
        if let Some(key) = of_map.get(*id).cloned().or(given) {
            taken.insert(key.clone());
            keys.insert((*id).to_owned(), (key, None));
        }
    }
    // names of the organization before guesses, so that a guess never takes one
    for by in [NamedBy::Organization, NamedBy::Profile, NamedBy::Alias] {
        for id in ids {
            if keys.contains_key(*id) {
                continue;
            }
            let names = inventory.accounts.get(*id).into_iter().flatten().filter(|name| name.by == by);
            let Some((key, name)) = names.into_iter().find_map(|name| Some((usable(&name.value_for_key())?, name))) else {
                continue;
            };
            let key = if taken.contains(&key) { format!("{key}-{id}") } else { key };
            if !effective::is_account_key(&key) || !taken.insert(key.clone()) {
                continue;
            }
            let note = match by {
                NamedBy::Organization => None,
                NamedBy::Profile => Some(("it is the profile of a Terraform provider", name)),
                NamedBy::Alias => Some(("it is the alias of a Terraform provider", name)),
            };
            let note = note.map(|(why, name)| Note::guess(name.name.place, format!("the account key `{key}`"), why));
            keys.insert((*id).to_owned(), (key, note));
        }
    }
    for id in ids {
        if keys.contains_key(*id) {
            continue;
        }
        let place = inventory.buckets.iter().find(|known| known.account == **id).map(|known| known.bucket.name.place);
        let place = place.or_else(|| inventory.trails.values().find(|trail| trail.account == **id).map(|trail| trail.anchor));
        let mut key = format!("account-{id}");
        while !taken.insert(key.clone()) {
            key += "-2";
        }
        let note = Note::guess(place.unwrap_or_default(), format!("the account key `{key}`"), "no input names this account");
        keys.insert((*id).to_owned(), (key, Some(note)));
    }
    keys
}

impl crate::observed::AccountName {
    /// What of the name could be a key: an alias that names a Region or nothing could not.
    fn value_for_key(&self) -> String {
        let name = &self.name.value;
        let lower = name.to_ascii_lowercase().replace('_', "-");
        let says_nothing = GENERAL.contains(&lower.as_str())
            || region::is_well_formed(&lower)
            || region::KNOWN.iter().any(|known| lower == known.name.replace('-', ""))
            || lower.split('-').all(|part| {
                part.parse::<u8>().is_ok()
                    || ["us", "eu", "ap", "ca", "sa", "me", "af", "il", "gov"].contains(&part)
                    || ["east", "west", "north", "south", "central", "northeast", "southeast", "northwest", "southwest"]
                        .contains(&part)
            });
        if self.by == NamedBy::Alias && says_nothing { String::new() } else { name.clone() }
    }
}

/// A name as a key: lower case, with hyphens.
fn usable(name: &str) -> Option<String> {
    let mut key = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => key.push(c),
            _ if key.ends_with('-') || key.is_empty() => {}
            _ => key.push('-'),
        }
    }
    key.truncate(50);
    let key = key.trim_end_matches('-');
    effective::is_account_key(key).then(|| key.to_owned())
}

/// The organisation's short name: what the caller says, else the first word that most buckets have in common.
pub(super) fn organization(proposal: &mut Proposal, inventory: &Inventory, options: &Options) {
    if let Some(name) = &options.organization {
        proposal.organization.clone_from(name);
        return;
    }
    let names = || inventory.buckets.iter().map(|known| known.name());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names() {
        let word = name.split(['-', '.', '_']).next().unwrap_or_default();
        if word.len() >= 2 && effective::is_org_name(word) && !word.bytes().all(|b| b.is_ascii_digit()) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let total = names().count();
    let place = inventory.buckets.first().map_or(SourceLocation::default(), |known| known.bucket.name.place);
    let best = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
    let (name, why) = match best {
        Some((word, count)) if count * 2 > total && count > 1 => {
            (word.to_owned(), format!("{count} of {total} buckets' names begin with it; `--organization NAME` says it"))
        }
        _ => ("org".to_owned(), "no word begins most of the buckets' names; `--organization NAME` says it".to_owned()),
    };
    proposal.organization_note = Some(Note::guess(place, format!("the organisation's name `{name}`"), why));
    proposal.organization = name;
}
