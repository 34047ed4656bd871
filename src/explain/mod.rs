//! Explanations: what the AWS errors in a pasted text mean and, with a map, what mends them.
//!
//! `errors` finds the causes and has a page for each, `mentions` finds buckets and Regions that a text names. Takes texts and an
//! analysed map, gives Markdown and plain text; neither reads nor prints anything.

pub(crate) mod errors;
pub(crate) mod mentions;

use crate::{
    analysis::Analysis,
    document::{
        Entry, Node,
        path::{entries, items, text},
    },
    plan::{Account, Placement},
};
use errors::{AwsError, Mend, Squeezed};
use std::{collections::BTreeSet, path::Path};

/// The causes in a text, each once, in the order in which they are first met.
pub(crate) fn causes(text: &str) -> Vec<&'static AwsError> {
    let mut causes: Vec<&AwsError> = Vec::new();
    for hit in errors::find(text) {
        if !causes.contains(&hit.error) {
            causes.push(hit.error);
        }
    }
    causes
}

/// Bytes that a text is gone over in search of a map's names, all names together. In a longer text only those count that words
/// such as `bucket` mark as names.
const MOST_BYTES: usize = 1_000_000_000;

/// What a map says of the names in the text.
///
/// `map` is how the user names the map. Where the map knows none of them, the answer says that.
pub(crate) fn by_map(analysis: &Analysis, map: &Path, causes: &[&AwsError], text: &str, found: &mentions::Mentions) -> String {
    let map = map.display();
    let Some(plan) = &analysis.plan else {
        return format!("\nThe map {map} has errors, so nothing follows from it: `logmap validate {map}` shows them.\n");
    };
    let squeezed = Squeezed::of(text);
    let names: usize =
        plan.accounts.iter().flat_map(|account| &account.placements).map(|placement| placement.sources.len() + 2).sum();
    let marked: BTreeSet<&str> = found.buckets.iter().map(String::as_str).collect();
    let is_in = |name: &str| match text.len().saturating_mul(names) <= MOST_BYTES {
        true => squeezed.word(name).next().is_some(),
        false => marked.contains(name),
    };
    let mut out = String::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for account in &plan.accounts {
        for placement in &account.placements {
            let mut concerned = false;
            for source in placement.sources.iter().filter(|source| is_in(&source.name)) {
                known.insert(&source.name);
                concerned = true;
                let owner = if source.managed { "" } else { "; its logging is set by others' code" };
                out += &format!(
                    "\n{}source `{}` of account `{}` in {} logs to `{}` under `{}`{owner}.\n",
                    entry(analysis, account, placement, Some(&source.name)),
                    source.name,
                    account.key,
                    placement.region,
                    source.log_bucket,
                    source.prefix
                );
            }
            for bucket in placement.buckets.iter().filter(|bucket| is_in(&bucket.name)) {
                known.insert(&bucket.name);
                concerned = true;
                out += &format!(
                    "\n{}`{}` is the log bucket of account `{}` in {}.\n",
                    entry(analysis, account, placement, None),
                    bucket.name,
                    account.key,
                    placement.region
                );
            }
            for trail in placement.trails.iter().filter(|trail| trail.name.len() > 3 && is_in(&trail.name)) {
                concerned = true;
                out += &format!("\nThe trail `{}` (`{}`) delivers to `{}`.\n", trail.name, trail.arn, trail.bucket);
            }
            if concerned {
                for region in found.regions.iter().filter(|region| **region != placement.region) {
                    out += &format!(
                        "The text names {region}: `aws s3api head-bucket` says where a bucket is. If it is there, move its entry in the map to `{region}`.\n"
                    );
                }
                out += &commands(&map.to_string(), account, placement, causes);
            }
        }
    }
    for name in found.buckets.iter().filter(|name| !known.contains(name.as_str())) {
        out += &format!(
            "\n`{name}` is not in {map}. If it is a source, list it under its account and Region and run `logmap generate {map}`; if it takes logs, the map derives another bucket in its place.\n"
        );
    }
    if out.is_empty() { format!("\nNothing in the text is in {map}.\n") } else { out }
}

/// The commands that mend what the causes ask for, for one account and Region.
fn commands(map: &str, account: &Account, placement: &Placement, causes: &[&AwsError]) -> String {
    let (key, region) = (&account.key, &placement.region);
    let mut lines: Vec<String> = Vec::new();
    let wants = |mend: Mend| causes.iter().any(|cause| cause.mend == mend);
    if wants(Mend::Map) {
        lines.push(format!("logmap validate {map}"));
    }
    if wants(Mend::Map) || wants(Mend::Apply) || wants(Mend::OwnerFirst) {
        lines.push(format!("logmap generate {map}"));
    }
    let mut owners: Vec<(&str, &str)> = placement
        .trails
        .iter()
        .filter(|trail| trail.bucket_account != *key)
        .map(|trail| (trail.bucket_account.as_str(), trail.bucket_region.as_str()))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    if wants(Mend::OwnerFirst) {
        lines.extend(owners.iter().map(|(owner, region)| format!("out/aws-cli/{owner}/{region}.sh")));
    }
    if wants(Mend::Apply) || wants(Mend::OwnerFirst) {
        lines.push(format!(
            "out/aws-cli/{key}/{region}.sh     # or out/terraform/{key}, or out/cloudformation/{key}/{region}.yaml"
        ));
    }
    if lines.is_empty() {
        return String::new();
    }
    lines.iter().fold("Mend it:\n".to_owned(), |text, line| format!("{text}  {line}\n"))
}

/// Where the map speaks of a source, or of an account's Region: `FILE:LINE:COLUMN (route): `.
fn entry<'a>(analysis: &'a Analysis, account: &Account, placement: &Placement, source: Option<&str>) -> String {
    let document = &analysis.document;
    let find = |node: Option<&'a Node>, key: &str| entries(document, node).iter().find(|entry| &*entry.key == key);
    let mut region: Option<&Entry> = None;
    for key in ["accounts", &account.key, "regions", &placement.region] {
        region = find(region.map_or(document.root.as_ref(), |entry| Some(&entry.value)), key);
        if region.is_none() {
            return String::new();
        }
    }
    let Some(region) = region else { return String::new() };
    let buckets = find(Some(&region.value), "buckets").map(|entry| &entry.value);
    let is = |node: &Node| source.is_some() && text(document, node) == source;
    let listed =
        items(document, buckets).iter().find(|item| is(item) || find(Some(item), "name").is_some_and(|name| is(&name.value)));
    let span = listed.map_or(region.key_span, |item| item.span);
    format!("{} ({}): ", analysis.file.place(span.start), document.route(span.start))
}
