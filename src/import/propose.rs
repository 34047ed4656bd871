//! Inventory → proposal: the accounts, Regions, sources, log buckets and trails of a map, and what was guessed or left out.
//!
//! Everything is sorted, so that the same inputs give the same map in whatever order they come. A guess or an omission is a
//! [`Note`] beside what it speaks of, so that the map's comments and the findings are the same words.

use super::{
    Options,
    adopt::{self, Found},
    inventory::{Inventory, Known, SetLogging},
    names,
    proposal::{Adopt, LogsAs, Note, Proposal, Region, Source},
    senders::Keys,
    trails,
};
use crate::{
    aws::bucket_name,
    map::{KeyFormat, effective},
    observed::{Logging, Setting, hole},
    rules::delivery::exact_prefix_problem,
    text::few,
};
use std::collections::{BTreeMap, BTreeSet};

/// Names that one message lists.
const MOST_NAMED: usize = 3;

/// Makes a proposal.
pub(super) fn propose(inventory: &Inventory, options: &Options, keys_of_map: &BTreeMap<String, String>) -> Proposal {
    let mut proposal = Proposal::default();
    let ids: BTreeSet<&str> = inventory
        .buckets
        .iter()
        .map(|known| known.account.as_str())
        .chain(inventory.trails.values().map(|trail| trail.account.as_str()))
        .collect();
    let keys = names::keys(&ids, inventory, options, keys_of_map);
    let mut places: BTreeMap<(&str, &str), Vec<&Known>> = BTreeMap::new();
    // what a landing zone sets up is neither a source nor adopted
    for known in inventory.buckets.iter().filter(|known| adopt::landing_zone(known.name()).is_none()) {
        places.entry((&known.account, &known.region)).or_default().push(known);
    }
    // a trail that can't be in the map keeps its bucket from being adopted: its grant would go
    let judged = trails::judge(inventory);
    let mut blocked: BTreeMap<String, String> = BTreeMap::new();
    for (arn, problem) in &judged.problems {
        block(&mut blocked, inventory, arn, problem);
    }
    let mut chosen: BTreeMap<(&str, &str), Found<'_>>;
    // what was wrong first is why; the rest follows from it
    let mut reasons = judged.problems.clone();
    loop {
        chosen = places.iter().map(|(place, buckets)| (*place, adopt::find(buckets, inventory, &blocked))).collect();
        let mapped = mapped_regions(&places, &chosen);
        let planned = trails::plan(inventory, &judged, &chosen, &mapped, &keys);
        let before = blocked.len();
        for (arn, problem) in &planned.problems {
            reasons.entry(arn.clone()).or_insert_with(|| problem.clone());
            block(&mut blocked, inventory, arn, problem);
        }
        if blocked.len() == before {
            proposal.notes.extend(reasons.iter().filter_map(|(arn, why)| {
                let trail = inventory.trails.get(arn)?;
                Some(Note::left_out(trail.anchor, format!("the trail `{}`", trail.name.value), why.clone()))
            }));
            proposal.organization_trails = planned.organization;
            proposal.trails = planned.trails;
            break;
        }
    }
    let key_of = |id: &str| keys.get(id).map(|(key, _)| key.clone()).or_else(|| keys_of_map.get(id).cloned());
    for ((id, region), buckets) in &places {
        let Some((key, _)) = keys.get(*id) else { continue };
        let account = proposal.accounts.entry(key.clone()).or_default();
        if let Some(found) = chosen.remove(&(*id, *region)) {
            account.regions.insert((*region).to_owned(), place(buckets, found, &key_of));
        }
    }
    for known in &inventory.buckets {
        if let Some(whose) = adopt::landing_zone(known.name()) {
            let why = format!("{whose} makes it and sets it up");
            proposal.notes.push(Note::left_out(known.bucket.name.place, format!("`{}`", known.name()), why));
        }
    }
    for (id, (key, note)) in &keys {
        let account = proposal.accounts.entry(key.clone()).or_default();
        account.id.clone_from(id);
        account.note.clone_from(note);
    }
    finish(&mut proposal);
    names::organization(&mut proposal, inventory, options);
    proposal
}

fn block(blocked: &mut BTreeMap<String, String>, inventory: &Inventory, arn: &str, problem: &str) {
    let Some(trail) = inventory.trails.get(arn) else { return };
    if let Some(bucket) = trail.bucket.known() {
        let why = format!("the trail `{}` delivers to it, which is not in the map: {problem}", trail.name.value);
        blocked.entry(bucket.value.clone()).or_insert(why);
    }
}

/// The Regions of each account that have sources.
fn mapped_regions<'a>(
    places: &BTreeMap<(&'a str, &'a str), Vec<&Known>>,
    chosen: &BTreeMap<(&str, &str), Found<'_>>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut mapped: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ((id, region), buckets) in places {
        let logs = chosen.get(&(*id, *region));
        let is_source =
            |known: &&&Known| logs.is_none_or(|found| !found.is_log_bucket(known.name())) && no_source(known).is_none();
        if buckets.iter().any(|known| is_source(&known)) {
            mapped.entry(id).or_default().insert(region);
        }
    }
    mapped
}

/// Why a bucket can't be a source.
fn no_source(known: &Known) -> Option<String> {
    let name = known.name();
    if let Some(kind) = bucket_name::other_kind(name) {
        return Some(format!("it names {kind}, not a general purpose bucket"));
    }
    let legacy = known.region == "us-east-1" && bucket_name::could_be_legacy(name);
    bucket_name::problem(name).filter(|_| !legacy).map(|problem| format!("its name {problem}"))
}

/// What a Region is to hold.
fn place(buckets: &[&Known], found: Found<'_>, keys: &Keys<'_>) -> Region {
    let mut region = Region::default();
    for known in buckets {
        // a log bucket of another kind that logs to the one that is adopted: without it in the map its logs are no longer let in
        let adopted = found.adopted().map(Known::name);
        let logs_there = adopted.is_some() && known.target() == adopted && adopted != Some(known.name());
        if found.is_log_bucket(known.name()) && !logs_there {
            continue;
        }
        match no_source(known) {
            Some(why) => region.left_out.push(Note::left_out(known.bucket.name.place, format!("`{}`", known.name()), why)),
            None => {
                region.sources.insert(known.name().to_owned(), source(known, found.adopted().map(Known::name)));
            }
        }
    }
    let (adopt, others) = found.finish(keys);
    region.adopt = adopt;
    if let Some(adopt) = &mut region.adopt {
        untold_formats(buckets, adopt);
    }
    region.left_out.extend(others.into_iter().map(|mut note| {
        if region.sources.keys().any(|name| note.subject == format!("`{name}`")) {
            note.subject += " as a log bucket";
        }
        note
    }));
    region.left_out.sort_by(|a, b| a.subject.cmp(&b.subject));
    region
}

/// The key format, as far as an input tells; of partitioned keys by a day that is not known, the default.
fn key_format(logging: &Logging) -> Option<KeyFormat> {
    Some(match (logging.partitioned?, logging.date_source.as_deref()) {
        (false, _) => KeyFormat::Simple,
        (true, Some("DeliveryTime")) => KeyFormat::PartitionedDeliveryTime,
        (true, _) => KeyFormat::PartitionedEventTime,
    })
}

/// Sets how a source logs: the prefix that is known of it, or why it can't be said.
fn logs_as(source: &mut Source, set: &SetLogging, name: &str) {
    let prefix = match &set.logging.prefix {
        Setting::Known(text) => text.value.clone(),
        Setting::Unsaid if set.by_code => String::new(),
        _ => hole::hole("prefix", ""),
    };
    let subject = format!("`{name}`");
    if hole::has(&prefix) {
        if set.by_code {
            let why = "the prefix in its own code can't be known; write it here as `prefix`, or its logs are not let in";
            source.notes.push(Note::own_code(set.logging.place, subject, why));
        }
        return;
    }
    if let Some((problem, _)) = exact_prefix_problem(&prefix) {
        let why = format!("its prefix `{}` {problem}, so the map can't say it", prefix.escape_debug());
        source.notes.push(Note::left_out(set.logging.place, format!("the prefix of {subject}"), why));
        return;
    }
    let format = key_format(&set.logging);
    if format == Some(KeyFormat::PartitionedEventTime) && set.logging.date_source.is_none() {
        let why = "the day in its keys can't be known here; see whether its own code has `EventTime` or `DeliveryTime`";
        source.notes.push(Note::guess(set.logging.place, format!("the key format of {subject}"), why));
    }
    source.logs = Some(LogsAs { prefix, key_format: format });
    source.say(name, effective::DEFAULT_PREFIX, effective::DEFAULT_KEY_FORMAT);
}

fn source(known: &Known, log_bucket: Option<&str>) -> Source {
    let place = known.bucket.name.place;
    let subject = format!("`{}`", known.name());
    let mut source = Source { place, external: false, logs: None, keys: Vec::new(), notes: Vec::new() };
    if known.sometimes {
        let subject = format!("that {subject} exists");
        source.notes.push(Note::guess(place, subject, "its template makes it under some conditions only"));
    }
    let Some(set) = &known.logging else { return source };
    if !set.by_code {
        // where it logs to today stays: a grant that narrows at once loses what is under way
        if known.target().is_some() && known.target() == log_bucket {
            logs_as(&mut source, set, known.name());
        }
        return source;
    }
    source.external = true;
    match known.target() {
        Some(target) if Some(target) == log_bucket => {}
        Some(target) => {
            let why = format!("its own code logs to `{target}`, which is not the log bucket here; change it there");
            source.notes.push(Note::own_code(set.logging.place, subject.clone(), why));
        }
        None => {
            let why = "where its own code logs to can't be known; see that it is the log bucket of this Region";
            source.notes.push(Note::own_code(set.logging.place, subject.clone(), why));
        }
    }
    logs_as(&mut source, set, known.name());
    source
}

/// Sources that log to the log bucket in a key format that no input tells.
fn untold_formats(buckets: &[&Known], adopt: &mut Adopt) {
    let logs_there = |known: &&&Known| known.target() == Some(adopt.name.as_str()) && known.name() != adopt.name;
    let unknown = |known: &&&Known| known.logging.as_ref().is_some_and(|set| set.logging.partitioned.is_none());
    let names: Vec<String> =
        buckets.iter().filter(logs_there).filter(unknown).map(|known| format!("`{}`", known.name())).collect();
    if !names.is_empty() {
        let why = "AWS Config does not tell it; import what `aws s3api get-bucket-logging` prints for each, too (`NAME.logging.json`), or see that it is partitioned by the time of events";
        adopt.notes.push(Note::guess(adopt.place, format!("the key format of {}", few(&names, MOST_NAMED)), why));
    }
}

/// Takes out what has nothing to do, and keeps what was said of it.
fn finish(proposal: &mut Proposal) {
    let mut delivered: BTreeSet<(String, String)> = BTreeSet::new();
    let mut speaking: BTreeSet<String> = BTreeSet::new();
    for trail in proposal.trails.values() {
        speaking.extend(trail.accounts.iter().cloned());
        speaking.extend(trail.deliver_to.clone());
        for account in &trail.accounts {
            let to = trail.deliver_to.as_ref().unwrap_or(account);
            match &trail.home_region {
                Some(home) => {
                    delivered.insert((to.clone(), home.clone()));
                }
                None => {
                    let regions = proposal.accounts.get(account).map(|account| &account.regions);
                    let with_sources = regions.into_iter().flatten().filter(|(_, region)| !region.sources.is_empty());
                    delivered.extend(with_sources.map(|(region, _)| (to.clone(), region.clone())));
                }
            }
        }
    }
    speaking.extend(proposal.organization_trails.iter().map(|(_, management)| management.clone()));
    for (key, account) in &mut proposal.accounts {
        account.regions.retain(|name, region| {
            let used = !region.sources.is_empty() || region.adopt.is_some() && delivered.contains(&(key.clone(), name.clone()));
            if !used {
                proposal.notes.append(&mut region.left_out);
                if let Some(adopt) = region.adopt.take() {
                    let why = format!("it is a log bucket ({}), and no source is in its Region `{name}`", adopt.why);
                    proposal.notes.push(Note::left_out(adopt.place, format!("`{}`", adopt.name), why));
                }
            }
            used
        });
    }
    let named = proposal.accounts.values().flat_map(|account| account.regions.values());
    speaking.extend(named.flat_map(|region| &region.adopt).flat_map(|adopt| adopt.accounts.iter().cloned()));
    proposal.accounts.retain(|key, account| !account.regions.is_empty() || speaking.contains(key));
}
