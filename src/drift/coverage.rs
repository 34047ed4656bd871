//! Coverage: the buckets of the accounts that the map does not know, and where they log.

use super::{Asked, Out, State, policy, world::World};
use crate::{
    aws::{ACCESS_LOG_TYPE, LOGGING_SERVICE, arn},
    catalog::live::{FOREIGN_REFUSED, FOREIGN_SOURCE, LOGGED_ELSEWHERE, UNLOGGED, UNMAPPED_PLACE, UNUSED_COVERAGE, VENDED_ONLY},
    diagnostics::Finding,
    escape::shown,
    map::RegionMap,
    observed::vended::bucket_in,
    plan::{Account, LogBucket, Plan, prove},
    policy::evaluate::{Caller, Request, Verdict, evaluate, glob},
    snapshot::{AccountReading, BucketReading, Reading, child, items, text},
    source::{FileId, Span},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Buckets of an account in one Region.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    /// Account id.
    pub account: String,
    /// Region; empty where a bucket's is not known.
    pub region: String,
    /// How many there are.
    pub buckets: usize,
    /// In the map, as sources or log buckets.
    pub mapped: usize,
    /// Not in the map, and log to a log bucket of the map.
    pub logged_here: usize,
    /// Not in the map, and log to another bucket.
    pub elsewhere: usize,
    /// Not in the map, and log by vended delivery only.
    pub vended: usize,
    /// Not in the map, and log nowhere.
    pub unlogged: usize,
    /// Not in the map, on purpose.
    pub ignored: usize,
    /// Not in the map, and their logging was not read.
    pub unknown: usize,
}

/// Where a log bucket of the map is.
struct Home<'a> {
    account: &'a str,
    region: &'a str,
    bucket: &'a LogBucket,
}

/// What the map knows.
struct Known<'a> {
    sources: BTreeSet<(&'a str, &'a str)>,
    /// By name: a name is one bucket in a partition, and nothing crosses one.
    log_buckets: BTreeMap<&'a str, Home<'a>>,
    places: BTreeSet<(&'a str, &'a str)>,
    accounts: BTreeSet<&'a str>,
    closed: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut known = Known {
            sources: BTreeSet::new(),
            log_buckets: BTreeMap::new(),
            places: BTreeSet::new(),
            accounts: plan.accounts.iter().map(|account| account.id.as_str()).collect(),
            closed: plan.closed.iter().map(String::as_str).collect(),
        };
        for (account, placement) in plan.placements() {
            let (account, region) = (account.id.as_str(), placement.region.as_str());
            known.sources.extend(placement.sources.iter().map(|source| (account, source.name.as_str())));
            known
                .log_buckets
                .extend(placement.buckets.iter().map(|bucket| (bucket.name.as_str(), Home { account, region, bucket })));
            if placement.access_log_bucket().is_some() {
                known.places.insert((account, region));
            }
        }
        known
    }
}

/// A pattern of `coverage.ignore`.
struct Pattern<'a> {
    text: &'a str,
    span: Span,
    used: bool,
}

/// Counts the buckets, and finds those that want looking at.
pub(super) fn check(plan: &Plan, map: &RegionMap, world: &World<'_>, asked: &Asked<'_>, out: &mut Out<'_>) -> Vec<Row> {
    let known = Known::of(plan);
    let mut patterns: Vec<Pattern<'_>> = Vec::new();
    for rule in map.coverage.iter().flat_map(|coverage| coverage.ignore.iter().flat_map(|list| list.iter())) {
        let all = rule.buckets.iter().flat_map(|list| list.iter());
        patterns.extend(all.map(|name| Pattern { text: name, span: name.span, used: false }));
    }
    let in_map: BTreeMap<&str, &Account> = plan.accounts.iter().map(|account| (account.id.as_str(), account)).collect();
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    let mut places: BTreeMap<(&str, &str), (FileId, Span, usize)> = BTreeMap::new();
    for (id, live) in &world.accounts {
        let account = in_map.get(id).copied();
        if account.is_some_and(|account| !(asked.account)(account)) {
            continue;
        }
        let key = account.map_or(*id, |account| account.key.as_str());
        let left_out: BTreeSet<&str> = account
            .iter()
            .flat_map(|account| &account.placements)
            .filter(|placement| !(asked.region)(placement))
            .map(|placement| placement.region.as_str())
            .collect();
        let vended = vended(live.account);
        let whole = live.account.complete && live.account.all_buckets && live.account.only.is_empty();
        if live.account.failure.is_none() && !whole {
            out.unread.is(key, "", "buckets that the map does not know", "listing", live.account.rest_of_list());
            out.checked.unmapped.unknown += 1;
        }
        for bucket in live.account.buckets.values().filter(|bucket| bucket.listed) {
            let region = bucket.region.unwrap_or_default();
            if left_out.contains(region) {
                continue;
            }
            let row = rows.entry((id, region)).or_insert_with(|| Row {
                account: (*id).to_owned(),
                region: region.to_owned(),
                ..Row::default()
            });
            row.buckets += 1;
            if known.sources.contains(&(id, bucket.name))
                || known.log_buckets.get(bucket.name).is_some_and(|home| home.account == *id && home.region == region)
            {
                row.mapped += 1;
                continue;
            }
            let mut ignored = false;
            for pattern in patterns.iter_mut().filter(|pattern| glob(pattern.text, bucket.name)) {
                pattern.used = true;
                ignored = true;
            }
            if ignored {
                row.ignored += 1;
                out.checked.unmapped.add(State::AsMapped);
                continue;
            }
            if !known.places.contains(&(id, region)) {
                let place = places.entry((id, region)).or_insert((live.file, bucket.span, 0));
                place.2 += 1;
            }
            let reading = bucket.reading("logging");
            let found = match reading {
                Reading::Failed(_) | Reading::Missing => {
                    row.unknown += 1;
                    out.unread.is(key, region, bucket.name, "logging", reading);
                    out.checked.unmapped.add(State::Unknown);
                    continue;
                }
                _ => match reading.text(&["LoggingEnabled", "TargetBucket"]) {
                    Some(target) => match known.log_buckets.get(target) {
                        Some(home) => {
                            row.logged_here += 1;
                            logs_here(world, id, bucket, target, home)
                        }
                        None => {
                            row.elsewhere += 1;
                            let message = format!(
                                "`{}` logs to `{}`, and neither is in the map",
                                shown::line(bucket.name),
                                shown::line(target)
                            );
                            Finding::new(&LOGGED_ELSEWHERE, bucket.span, message)
                                .help("`logmap check` of the snapshot says whether its logs are let in there")
                        }
                    },
                    None => match vended {
                        Some(ref sources) if sources.contains(bucket.name) => {
                            row.vended += 1;
                            let message =
                                format!("`{}` logs by vended delivery only, and is not in the map", shown::line(bucket.name));
                            Finding::new(&VENDED_ONLY, bucket.span, message)
                        }
                        _ => {
                            row.unlogged += 1;
                            let also = if vended.is_some() { "" } else { "; whether it logs by vended delivery was not read" };
                            let message = format!("`{}` logs nowhere, and is not in the map{also}", shown::line(bucket.name));
                            Finding::new(&UNLOGGED, bucket.span, message).help(
                                "add it with `logmap import SNAPSHOT --into MAP`, or ignore it under `coverage` in the map, with a reason",
                            )
                        }
                    },
                },
            };
            out.checked.unmapped.add(State::Drifted);
            out.on_snapshots.push(found.in_file(live.file));
        }
    }
    for ((id, region), (file, span, count)) in places {
        let what = if known.closed.contains(id) {
            format!("{count} bucket(s) in account `{id}`, which the map says is closed")
        } else if known.accounts.contains(id) {
            format!(
                "{count} bucket(s) in `{}` of account `{id}`, where the map has no bucket for access logs",
                shown::line(region)
            )
        } else {
            format!("{count} bucket(s) in `{}` of account `{id}`, which the map does not have", shown::line(region))
        };
        out.on_snapshots.push(
            Finding::new(&UNMAPPED_PLACE, span, what)
                .in_file(file)
                .help("`logmap import SNAPSHOT --into MAP` adds the place with its buckets"),
        );
    }
    organization(&known, world, out);
    for pattern in patterns.iter().filter(|pattern| !pattern.used) {
        let message = format!("no bucket that the map does not know is called `{}`", pattern.text.escape_debug());
        out.found(
            Finding::new(&UNUSED_COVERAGE, pattern.span, message)
                .help("take it out, unless the snapshot is of a part of the accounts"),
        );
    }
    rows.into_values().collect()
}

/// Accounts of the organization that the map does not have, and no snapshot.
fn organization(known: &Known<'_>, world: &World<'_>, out: &mut Out<'_>) {
    for snapshot in world.snapshots {
        for account in items(snapshot.organization.at(&["Accounts"])) {
            let Some(id) = text(child(account, "Id")) else { continue };
            let state = text(child(account, "State")).or_else(|| text(child(account, "Status"))).unwrap_or("ACTIVE");
            if state == "ACTIVE" && !known.accounts.contains(id) && !known.closed.contains(id) && !world.accounts.contains_key(id)
            {
                let name = text(child(account, "Name")).unwrap_or_default();
                let message = format!(
                    "account `{}` (`{}`) of the organization is neither in the map nor in a snapshot",
                    shown::line(id),
                    shown::line(name)
                );
                out.on_snapshots.push(Finding::new(&UNMAPPED_PLACE, account.span, message).in_file(snapshot.file));
            }
        }
    }
}

/// Names of the buckets that log by vended delivery; nothing where a Region was not asked.
fn vended(account: &AccountReading<'_>) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for region in account.regions.values() {
        let (sources, deliveries) = (region.reading("delivery_sources"), region.reading("deliveries"));
        let (Reading::Is(sources), Reading::Is(deliveries)) = (sources, deliveries) else { return None };
        let delivered: BTreeSet<&str> =
            items(Some(deliveries)).iter().filter_map(|one| text(child(one, "deliverySourceName"))).collect();
        for source in items(Some(sources)) {
            let is_delivered = text(child(source, "name")).is_some_and(|name| delivered.contains(name));
            if text(child(source, "logType")) == Some(ACCESS_LOG_TYPE) && is_delivered {
                found.extend(items(child(source, "resourceArns")).iter().filter_map(|arn| bucket_in(text(Some(arn))?)));
            }
        }
    }
    Some(found)
}

/// A bucket that the map does not know logs to a log bucket of the map: does the policy that is there let it in?
fn logs_here(world: &World<'_>, id: &str, bucket: &BucketReading<'_>, target: &str, home: &Home<'_>) -> Finding {
    let name = shown::line(bucket.name);
    let region = bucket.region.unwrap_or_default();
    let help = "add it with `logmap import SNAPSHOT --into MAP`";
    if (home.account, home.region) != (id, region) {
        let message = format!(
            "`{name}` is in `{}` of account `{id}` and logs to `{target}` in `{}` of account `{}`: S3 delivers within one account and Region only",
            shown::line(region),
            home.region,
            home.account
        );
        return Finding::new(&FOREIGN_REFUSED, bucket.span, message).help(help);
    }
    let reading = bucket.reading("logging");
    let prefix = reading.text(&["LoggingEnabled", "TargetPrefix"]).unwrap_or_default();
    let partitioned = super::sources::layout(reading).is_some().then_some((id, region, bucket.name));
    let live = world.accounts.get(home.account).and_then(|live| Some((live.file, live.account.buckets.get(target)?)));
    let reading = live.map_or(Reading::Missing, |(_, live)| live.reading("policy"));
    let read = reading.at(&["Policy"]).zip(live).and_then(|(node, (file, _))| policy::read(node, file));
    let allowed = match (reading, read) {
        (Reading::Nothing, _) => false,
        (_, Some(policy)) => {
            let partition = crate::aws::Partition::of_region(region);
            let key = prove::access_log_key(prefix, partitioned);
            let (source, object) = (arn::bucket(partition, bucket.name), arn::object(partition, &home.bucket.name, &key));
            let context = prove::service_context(LOGGING_SERVICE, source.as_str(), id);
            let request = Request {
                principal: Caller::Service(LOGGING_SERVICE),
                action: "s3:PutObject",
                resource: &object,
                context: &context,
            };
            matches!(evaluate(&policy, &request), Verdict::Allowed(_))
        }
        _ => {
            let message =
                format!("`{name}` logs to `{target}` and is not in the map; whether the policy there lets it in was not read");
            return Finding::new(&FOREIGN_SOURCE, bucket.span, message).help(help);
        }
    };
    if allowed {
        let message = format!("`{name}` logs to `{target}` and is not in the map; the policy there lets it in");
        Finding::new(&FOREIGN_SOURCE, bucket.span, message).help(help)
    } else {
        let message = format!("`{name}` logs to `{target}`, and the policy there refuses its logs");
        Finding::new(&FOREIGN_REFUSED, bucket.span, message).help(help)
    }
}
