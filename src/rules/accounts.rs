//! Keys of accounts that a map names: it must have them.

use crate::{
    diagnostics::{Finding, Rule, did_you_mean, list},
    edit::Change,
    map::{RegionMap, effective},
    source::Spanned,
};
use std::collections::BTreeMap;

/// Number of findings after which no similar account key is suggested.
const MOST_GUESSES: usize = 100;

/// The ids of the map's accounts by key; empty where one lacks.
pub(super) fn ids(map: &RegionMap) -> BTreeMap<&str, &str> {
    map.accounts().map(|(key, account)| (key.as_str(), account.id.as_ref().map_or("", |id| id.as_str()))).collect()
}

/// Reports the key of an account that the map does not have.
pub(super) fn known(rule: &'static Rule, key: &Spanned<String>, known: &BTreeMap<&str, &str>, findings: &mut Vec<Finding>) {
    if known.contains_key(key.as_str()) {
        return;
    }
    let by_id = known.iter().find(|(_, id)| **id == key.as_str()).map(|(key, _)| *key);
    // in a map that is wrong everywhere nobody reads a guess at each key, and each is compared with all accounts
    let near = if findings.len() < MOST_GUESSES { did_you_mean(key, known.keys().copied()) } else { None };
    let help = match by_id.or(near) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.len() > 12 => "write the key of an account of this map".to_owned(),
        None => format!("the accounts are {}; add the missing one under `accounts`", list(known.keys().copied())),
    };
    let mut finding =
        Finding::new(rule, key.span, format!("there is no account `{}` in this map", key.value)).label("no such key").help(help);
    if let Some(key_of_id) = by_id {
        finding =
            finding.safe_fix(format!("write `{key_of_id}`, whose id it is"), Change::Scalar(key.span, key_of_id.to_owned()));
    } else if let Some(near) = near {
        finding = finding.unsafe_fix(format!("write `{near}`"), Change::Scalar(key.span, near.to_owned()));
    }
    if effective::is_account_key(key) {
        // not twelve digits: a made-up id would pass for a real one
        let entry = Change::InsertLast(vec!["accounts".to_owned()], key.value.clone(), "{ id: \"FILL IN\" }".to_owned());
        finding = finding.unsafe_fix(format!("add an account `{}`, whose id is to be filled in", key.value), entry);
    }
    findings.push(finding);
}
