//! What an existing map lacks → the map with it, its comments, order and layout kept.
//!
//! Takes the map as it was analysed and a proposal; leaves in the proposal what is added. Where something stands otherwise in
//! the map the map wins, and that is said. Adding what is there already changes nothing.

use super::{
    proposal::{Account, Note, Proposal, Region},
    write::{self, Writer},
};
use crate::{
    analysis::Analysis,
    aws::Partition,
    catalog::importing::DISAGREE,
    diagnostics::Finding,
    escape, included,
    map::{self, RegionMap, additions::Additions, effective},
    observed::SourceLocation,
    plan::Plan,
    source::{FileId, SourceFile, Span},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Account id → key.
pub(super) fn account_keys(map: &Analysis) -> BTreeMap<String, String> {
    let map = decoded(map);
    map.accounts()
        .map(|(key, account)| (account.id.as_ref().map_or_else(String::new, |id| id.value.clone()), key.value.clone()))
        .collect()
}

fn decoded(map: &Analysis) -> RegionMap {
    map::decode(&map.document, &mut Vec::new())
}

/// The files of the map with what it lacks, and behind them new ones where a pattern of `include` says that a new account has its own.
/// `id` is the map's number among the files that findings speak of.
pub(super) fn extended(analysis: &Analysis, proposal: &mut Proposal, id: FileId, findings: &mut Vec<Finding>) -> Vec<SourceFile> {
    let map = decoded(analysis);
    let place = |span: Span| {
        let (file, span) = analysis.file.locate(span);
        (FileId(id.0.saturating_add(file.0)), span)
    };
    keep_missing(&map, analysis.derived(), proposal, &place, findings);
    say_beside(&map, proposal);
    let patterns: Vec<String> = map.include.iter().flat_map(|list| list.iter()).map(|pattern| pattern.value.clone()).collect();
    let mut new_files: Vec<SourceFile> = Vec::new();
    let mut additions = Additions::new(&analysis.file, &analysis.document);
    let refuse = |what: String, place: SourceLocation| {
        Note::left_out(
            place,
            what,
            "the map's own part for it is written in a way that can't be added to; write it out as a block",
        )
    };
    let mut refused = Vec::new();
    let step = additions.step;
    let known: BTreeMap<&str, &map::Account> = map.accounts().map(|(key, account)| (key.as_str(), account)).collect();
    let mut add = |path: &[&str], block: &dyn Fn(&mut Writer), key: Option<&str>, value: Value, what: String| {
        let lines = |indent: usize| {
            let mut writer = Writer::indented(indent, step);
            block(&mut writer);
            writer.text
        };
        let flow = match key {
            Some(key) => format!("{}: {}", escape::yaml_word(key), write::flow(&value)),
            // the items of a list
            None => value.as_array().into_iter().flatten().map(write::flow).collect::<Vec<_>>().join(", "),
        };
        if !additions.append(path, &lines, &flow) {
            refused.push(refuse(what, SourceLocation { file: id, span: Span::default() }));
        }
    };
    for (key, account) in &proposal.accounts {
        let Some(there) = known.get(key.as_str()) else {
            if known.is_empty() && map.accounts.is_none() {
                continue;
            }
            let home = included::home_of(&patterns, key).map(|home| included::beside(&analysis.file.name, &home));
            if let Some(home) = home.filter(|home| analysis.file.files().iter().all(|file| file.name != *home)) {
                let mut writer = Writer::indented(0, step);
                writer.included(key, account);
                new_files.push(SourceFile::new(home, writer.text));
                continue;
            }
            add(
                &["accounts"],
                &|to| to.account(key, account),
                Some(key),
                write::account_value(account),
                format!("the account `{key}`"),
            );
            continue;
        };
        if account.regions.is_empty() {
            continue;
        }
        let Some(regions) = &there.regions else {
            let value = write::regions_value(account);
            add(&["accounts", key], &|to| to.regions(key, account), Some("regions"), value, format!("the account `{key}`"));
            continue;
        };
        for (name, region) in &account.regions {
            let what = format!("`{name}` of `{key}`");
            match regions.items.iter().find(|(other, _)| other.as_str() == name) {
                None => {
                    let path = ["accounts", key, "regions"];
                    add(&path, &|to| to.region(key, name, region), Some(name), write::region_value(region), what);
                }
                Some((_, there)) if !region.sources.is_empty() => {
                    let values: Value = region.sources.iter().map(|(name, source)| write::source_value(name, source)).collect();
                    if there.buckets.is_some() {
                        let path = ["accounts", key, "regions", name, "buckets"];
                        add(&path, &|to| to.sources(key, name, region), None, values, what);
                    } else {
                        let path = ["accounts", key, "regions", name];
                        add(&path, &|to| to.buckets(key, name, region), Some("buckets"), values, what);
                    }
                }
                Some(_) => {}
            }
        }
    }
    organization(&map, proposal, &mut add);
    if map.trails.is_some() {
        for (name, trail) in &proposal.trails {
            let value = write::trail_value(trail).into();
            add(&["trails"], &|to| to.trail(name, trail), Some(name), value, format!("the trail `{name}`"));
        }
    } else if !proposal.trails.is_empty() {
        let value =
            proposal.trails.iter().map(|(name, trail)| (name.clone(), Value::Object(write::trail_value(trail)))).collect();
        add(&[], &|to| to.trails(proposal.trails.iter()), Some("trails"), value, "`trails`".to_owned());
    }
    let mut files = additions.applied();
    proposal.notes.extend(refused);
    files.append(&mut new_files);
    files
}

/// Says how sources log beside the settings that the map has for their log buckets, which may be others than the defaults.
fn say_beside(map: &RegionMap, proposal: &mut Proposal) {
    let effective = effective::effective_map(map);
    let defaults = map.defaults.as_ref().and_then(|defaults| defaults.log_bucket.as_ref());
    let prefix = defaults.and_then(|layer| layer.prefix.as_ref()).map_or(effective::DEFAULT_PREFIX, |prefix| prefix.as_str());
    let format = defaults.and_then(|layer| layer.key_format.as_ref());
    let usual = (prefix, format.map_or(effective::DEFAULT_KEY_FORMAT, |format| format.value));
    for (key, account) in &mut proposal.accounts {
        let there = effective.accounts.get(key.as_str());
        for (region, content) in &mut account.regions {
            let settings = there.map(|account| account.settings(region));
            let (prefix, format) = settings.map_or(usual, |settings| (settings.prefix.value, settings.key_format));
            let prefix = effective::with_slash(prefix);
            content.sources.iter_mut().for_each(|(name, source)| source.say(name, &prefix, format));
        }
    }
}

/// Adds a member to the collection at some keys: in block style, or its key and value in flow style; and what it is, for people.
type Add<'a> = dyn FnMut(&[&str], &dyn Fn(&mut Writer), Option<&str>, Value, String) + 'a;

/// What an organization trail needs.
fn organization(map: &RegionMap, proposal: &Proposal, add: &mut Add<'_>) {
    let needed = proposal.trails.values().any(|trail| trail.organization);
    let Some((id, management)) = proposal.organization_trails.as_ref().filter(|_| needed) else { return };
    let there = map.organization.as_ref().map(|organization| &organization.value);
    let wanted = [
        ("id", id, there.is_some_and(|there| there.id.is_some())),
        ("management_account", management, there.is_some_and(|there| there.management_account.is_some())),
    ];
    let missing: Vec<(&str, &String)> =
        wanted.into_iter().filter(|(_, _, there)| !there).map(|(key, value, _)| (key, value)).collect();
    if there.is_some() {
        for (key, value) in missing {
            let block = |to: &mut Writer| to.line(format!("{key}: {}", escape::yaml_word(value)));
            add(&["organization"], &block, Some(key), value.as_str().into(), format!("`organization.{key}`"));
        }
    } else {
        let block = |to: &mut Writer| to.organization(None, Some((id, management)));
        let value = serde_json::json!({ "id": id, "management_account": management });
        add(&[], &block, Some("organization"), value, "`organization`".to_owned());
    }
}

/// Removes from the proposal what the map has.
fn keep_missing(
    map: &RegionMap,
    plan: Option<&Plan>,
    proposal: &mut Proposal,
    place: &dyn Fn(Span) -> (FileId, Span),
    findings: &mut Vec<Finding>,
) {
    proposal.organization_note = None;
    // where each source stands: by partition and name
    let mut sources: BTreeMap<(Partition, &str), (&str, &str, Span)> = BTreeMap::new();
    let mut regions: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (key, account) in map.accounts() {
        for (region, content) in account.regions() {
            regions.insert((key, region));
            for bucket in content.buckets.iter().flat_map(|list| list.iter()) {
                let Some(name) = bucket.name() else { continue };
                sources.insert((Partition::of_region(region), name), (key, region, name.span));
            }
        }
    }
    let mut log_buckets: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (account, placement) in plan.into_iter().flat_map(Plan::placements) {
        log_buckets.extend(
            placement.buckets.iter().map(|bucket| (bucket.name.as_str(), (account.key.as_str(), placement.region.as_str()))),
        );
    }
    for (key, account) in &mut proposal.accounts {
        for (region, content) in &mut account.regions {
            content.sources.retain(|name, source| {
                if log_buckets.contains_key(name.as_str()) {
                    return false;
                }
                let Some((other, other_region, span)) = sources.get(&(Partition::of_region(region), name.as_str())) else {
                    return true;
                };
                if (*other, *other_region) != (key.as_str(), region.as_str()) {
                    let message =
                        format!("`{name}` is in `{region}` of `{key}` here, and in `{other_region}` of `{other}` in the map");
                    let (file, span) = place(*span);
                    findings.push(
                        Finding::new(&DISAGREE, source.place.span, message)
                            .in_file(source.place.file)
                            .related_in(file, span, "the map has it here")
                            .help("the map is left as it is; `aws s3api head-bucket` tells where the bucket is"),
                    );
                }
                false
            });
            if regions.contains(&(key.as_str(), region.as_str())) {
                keep_log_bucket(content, key, region, &log_buckets);
            }
        }
        account.regions.retain(|region, content| {
            let known = regions.contains(&(key.as_str(), region.as_str()));
            let wanted = !content.sources.is_empty() || !known && content.adopt.is_some();
            if !wanted {
                proposal.notes.append(&mut content.left_out);
            }
            wanted
        });
    }
    let there: BTreeSet<&str> = map.trails().map(|(name, _)| name.as_str()).collect();
    proposal.trails.retain(|name, _| !there.contains(name.as_str()));
    // where the map has a log bucket of its own, a trail would move to it
    let adopted: BTreeSet<&str> = proposal
        .accounts
        .values()
        .flat_map(|account| account.regions.values())
        .filter_map(|region| region.adopt.as_ref())
        .flat_map(|adopt| [Some(&adopt.name), adopt.second.as_ref()])
        .flatten()
        .map(String::as_str)
        .collect();
    let stays = |name: &str| adopted.contains(name) || log_buckets.contains_key(name);
    let mut moved = Vec::new();
    for (name, trail) in &proposal.trails {
        if let Some(bucket) = trail.buckets.iter().find(|bucket| !stays(bucket)) {
            let why = format!("it delivers to `{bucket}`, and the map has another log bucket there");
            moved.push((name.clone(), Note::left_out(trail.place, format!("the trail `{name}`"), why)));
        }
    }
    for (name, note) in moved {
        proposal.trails.remove(&name);
        proposal.notes.push(note);
    }
    let known: BTreeSet<&str> = map.accounts().map(|(key, _)| key.as_str()).collect();
    let named: BTreeSet<String> =
        proposal.trails.values().flat_map(|trail| trail.accounts.iter().chain(&trail.deliver_to)).cloned().collect();
    let kept = |key: &String, account: &Account| !account.regions.is_empty() || named.contains(key);
    proposal.accounts.retain(|key, account| kept(key, account));
    for (key, account) in &mut proposal.accounts {
        if known.contains(key.as_str()) {
            account.note = None;
        }
    }
}

/// A Region of the map keeps its log bucket.
fn keep_log_bucket(content: &mut Region, key: &str, region: &str, log_buckets: &BTreeMap<&str, (&str, &str)>) {
    let Some(adopt) = content.adopt.take() else { return };
    if log_buckets.contains_key(adopt.name.as_str()) {
        return;
    }
    let derived = log_buckets.iter().find(|(_, place)| **place == (key, region)).map(|(name, _)| *name);
    let why = match derived {
        Some(name) => format!(
            "it is a log bucket ({}), but the map has `{name}` in this Region; to adopt it write `log_bucket: {{ adopt: true, name: {} }}` there",
            adopt.why, adopt.name
        ),
        None => format!(
            "it is a log bucket ({}), but the map has this Region; to adopt it write `log_bucket: {{ adopt: true, name: {} }}` there",
            adopt.why, adopt.name
        ),
    };
    content.left_out.push(Note::left_out(adopt.place, format!("`{}`", adopt.name), why));
}
