//! Delivery: do the logs of each source and trail arrive, still, and since when not?
//!
//! A snapshot with delivery has, for each source, the days with log objects under its keys. Whether a source that has none is quiet or
//! broken is told by requests that S3 must have logged: the reading of a bucket's logging is one (the sample records of the S3 user guide,
//! "Amazon S3 server access log format", are of configuration reads), so earlier snapshots are the probe.

use super::{
    Asked, Out, State, trails,
    world::{Found, Place, World},
};
use crate::{
    catalog::live::{GAPS, MISPLACED, NEVER, QUIET, STOPPED, TRAIL_DELIVERY},
    diagnostics::Finding,
    document::Node,
    escape::shown,
    plan::{KeyFormat, Plan, Source, Trail},
    policy::evaluate::instant,
    snapshot::{Reading, Snapshot, child, items, reading, reading_of, text},
};
use serde::Serialize;
use std::collections::BTreeSet;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// CloudTrail delivers a digest file each hour (CloudTrail user guide, "CloudTrail digest file structure").
const DIGEST_SILENCE: i64 = 3 * HOUR;
/// A trail without digests has no file for a Region in which nothing happens.
const LOG_SILENCE: i64 = DAY;

/// What delivery is judged by.
pub(crate) struct Window<'a> {
    /// Seconds after which logs are late: S3 delivers most "within a few hours" (S3 user guide).
    pub grace: i64,
    /// The moment to judge by, in seconds since 1970; each account's own reading if nothing is said.
    pub as_of: Option<i64>,
    /// Earlier snapshots: their readings are requests that S3 has logged.
    pub since: &'a [Snapshot<'a>],
}

/// What is known of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Logs arrive.
    Arrives,
    /// They do, and there are days without any between others.
    Gaps,
    /// They did once.
    Stopped,
    /// They never did.
    Never,
    /// They arrive under other keys.
    Misplaced,
    /// It is too early to tell.
    Waiting,
    /// Nothing arrives, and nothing is known to be missing.
    Quiet,
    /// It was not read.
    Unknown,
}

impl Verdict {
    /// As in a table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Arrives => "arrives",
            Verdict::Gaps => "gaps",
            Verdict::Stopped => "stopped",
            Verdict::Never => "never",
            Verdict::Misplaced => "misplaced",
            Verdict::Waiting => "waiting",
            Verdict::Quiet => "quiet",
            Verdict::Unknown => "unknown",
        }
    }

    fn state(self) -> State {
        match self {
            Verdict::Stopped | Verdict::Never | Verdict::Misplaced => State::Drifted,
            Verdict::Unknown => State::Unknown,
            // whoever waits or is quiet has done nothing wrong, and is told of in the table
            Verdict::Arrives | Verdict::Gaps | Verdict::Waiting | Verdict::Quiet => State::AsMapped,
        }
    }
}

/// A delivery, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    /// Account id.
    pub account: String,
    /// Region.
    pub region: String,
    /// `source` or `trail`.
    pub kind: &'static str,
    /// Name of the source or trail.
    pub name: String,
    /// Name of the log bucket.
    pub log_bucket: String,
    /// What is known.
    pub verdict: Verdict,
    /// The last day with logs.
    pub last_day: Option<String>,
    /// The last request that S3 must have logged.
    pub known_request: Option<String>,
}

/// What was seen of a source's log objects under some keys.
struct Seen<'n> {
    days: BTreeSet<&'n str>,
    /// Is there any object at all?
    ever: bool,
}

pub(super) fn check(plan: &Plan, world: &World<'_>, window: &Window<'_>, asked: &Asked<'_>, out: &mut Out<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for account in plan.accounts.iter().filter(|account| (asked.account)(account)) {
        for placement in account.placements.iter().filter(|placement| (asked.region)(placement)) {
            let live = world.accounts.get(account.id.as_str()).filter(|live| live.account.failure.is_none());
            let reached = live.filter(|live| {
                let asked = live.account.only.is_empty() || live.account.only.contains(&placement.region.as_str());
                asked && live.account.regions.get(placement.region.as_str()).is_none_or(|region| region.unreachable.is_none())
            });
            let Some(live) = reached else {
                // said already
                out.checked.deliveries.unknown += placement.sources.len() + placement.trails.len();
                continue;
            };
            let place = Place { account, placement, live, world, of_placements: 1, mend: "" };
            let now = window.as_of.or_else(|| seconds(live.account.taken_at)).unwrap_or_default();
            for source in &placement.sources {
                let row = of_source(&place, source, window, now, out);
                out.checked.deliveries.add(row.verdict.state());
                rows.push(row);
            }
            for trail in &placement.trails {
                let row = of_trail(&place, trail, plan, now, out);
                out.checked.deliveries.add(row.verdict.state());
                rows.push(row);
            }
        }
    }
    rows
}

fn of_source(place: &Place<'_>, source: &Source, window: &Window<'_>, now: i64, out: &mut Out<'_>) -> Row {
    let (account, region) = (place.account.key.as_str(), place.placement.region.as_str());
    let mut row = Row {
        account: place.account.id.clone(),
        region: region.to_owned(),
        kind: "source",
        name: source.name.clone(),
        log_bucket: source.log_bucket.to_string(),
        verdict: Verdict::Unknown,
        last_day: None,
        known_request: None,
    };
    let bucket = match place.find(&source.log_bucket) {
        Found::Here(bucket) => bucket,
        // that the bucket is not there, or was not read, is said already
        _ => return row,
    };
    let delivered = bucket.reading("delivered");
    if out.unread.is(account, region, &source.log_bucket, "delivered", delivered) {
        return row;
    }
    let wanted = source.key_format.partition_date_source();
    let of = |node: &&Node| text(child(node, "source")) == Some(source.name.as_str());
    let entries: Vec<&Node> = items(delivered.at(&[])).iter().filter(of).collect();
    let is_ours = |node: &Node| text(child(node, "prefix")) == Some(&*source.prefix) && text(child(node, "format")) == wanted;
    let Some(ours) = entries.iter().copied().find(|node| is_ours(node)) else {
        out.unread.note(account, region, &source.name, "delivered", None);
        return row;
    };
    if out.unread.is(account, region, &source.name, "delivered", reading_of(Some(ours))) {
        return row;
    }
    if text(child(ours, "complete")) != Some("true") {
        let shared = text(child(ours, "shared")) == Some("true");
        let code =
            if shared { "several sources share the prefix, and no key tells them apart" } else { "the list is not complete" };
        out.unread.note(account, region, &source.name, "delivered", Some((code.to_owned(), String::new())));
        return row;
    }
    let seen = Seen::of(ours);
    row.last_day = seen.days.last().map(|day| (*day).to_owned());
    let requests = requests(place, source, window, now);
    row.known_request = requests.last().map(|at| instant::show(*at));
    let changed = changed(place, source, window);
    let by_request = source.key_format == KeyFormat::PartitionedEventTime;
    row.verdict = judge(&seen, &requests, by_request, changed, window.grace, now);
    if matches!(row.verdict, Verdict::Stopped | Verdict::Never | Verdict::Quiet) {
        let other = entries
            .iter()
            .copied()
            .filter(|node| !is_ours(node))
            .map(Seen::of)
            .filter_map(|seen| seen.days.last().copied())
            .max();
        if let Some(day) = other.filter(|day| row.last_day.as_deref().is_none_or(|last| *day > last)) {
            row.verdict = Verdict::Misplaced;
            row.last_day = Some(day.to_owned());
        }
    }
    say(place, source, &row, &seen, &requests, out);
    row
}

impl<'n> Seen<'n> {
    fn of(node: &'n Node) -> Self {
        let days: BTreeSet<&str> = items(child(node, "days"))
            .iter()
            .filter_map(|day| text(Some(day)))
            .filter(|day| seconds_of_day(day).is_some())
            .collect();
        Seen { ever: !days.is_empty() || text(child(node, "ever")) == Some("true"), days }
    }
}

/// The verdict on what was seen.
fn judge(seen: &Seen<'_>, requests: &[i64], by_request: bool, changed: bool, grace: i64, now: i64) -> Verdict {
    // days that ended longer than the grace ago
    let is_over = |day: i64| day + DAY + grace <= now;
    let days: Vec<i64> = seen.days.iter().filter_map(|day| seconds_of_day(day)).collect();
    let newest = days.last().copied();
    // the last two days that are over, or a later one
    let latest = (now - grace).div_euclid(DAY) * DAY - DAY;
    let arrived_lately = newest.is_some_and(|day| day >= latest - DAY);
    let known = requests.iter().rev().find(|at| **at + grace <= now);
    let answered = |at: &i64| days.iter().any(|day| *day + DAY > *at);
    match known {
        Some(at) if !answered(at) => {
            if changed {
                Verdict::Waiting
            } else if seen.ever {
                Verdict::Stopped
            } else {
                Verdict::Never
            }
        }
        _ if arrived_lately || known.is_some() => {
            // a day that was asked, over, and empty, between days that are not
            let is_gap = |at: &&i64| {
                let day = at.div_euclid(DAY) * DAY;
                is_over(day)
                    && !days.contains(&day)
                    && days.iter().any(|other| *other < day)
                    && days.iter().any(|other| *other > day)
            };
            if by_request && requests.iter().any(|at| is_gap(&at)) { Verdict::Gaps } else { Verdict::Arrives }
        }
        _ if changed || !requests.is_empty() => Verdict::Waiting,
        _ => Verdict::Quiet,
    }
}

/// Readings of the source's logging in earlier snapshots, in order: each is a request that S3 logs.
fn requests(place: &Place<'_>, source: &Source, window: &Window<'_>, now: i64) -> Vec<i64> {
    let mut all: Vec<i64> = earlier(place, window)
        .filter_map(|account| {
            let bucket = account.buckets.get(source.name.as_str())?;
            // only what was asked while the logs went where they go now is to be found there
            let was = bucket.reading("logging").text(&["LoggingEnabled", "TargetBucket"]);
            (was == Some(&*source.log_bucket)).then(|| seconds(bucket.asked_at?)).flatten()
        })
        .filter(|at| *at <= now)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The account in earlier snapshots.
fn earlier<'a>(place: &Place<'_>, window: &Window<'a>) -> impl Iterator<Item = &'a crate::snapshot::AccountReading<'a>> {
    let id = place.account.id.clone();
    window.since.iter().flat_map(|snapshot| &snapshot.accounts).filter(move |account| account.id == id)
}

/// Was the logging of the source, or the policy of its log bucket, another one in the newest earlier snapshot?
fn changed(place: &Place<'_>, source: &Source, window: &Window<'_>) -> bool {
    let Some(before) = earlier(place, window).max_by_key(|account| account.taken_at) else { return false };
    let differs = |name: &str, key: &str| {
        let word = |buckets: &std::collections::BTreeMap<&str, crate::snapshot::BucketReading<'_>>| {
            let reading = buckets.get(name)?.reading(key);
            match reading {
                Reading::Is(node) => Some(crate::observed::dumps::value_of(node).to_string()),
                Reading::Nothing => Some(String::new()),
                Reading::Failed(_) | Reading::Missing => None,
            }
        };
        match (word(&before.buckets), word(&place.live.account.buckets)) {
            (Some(was), Some(is)) => was != is,
            _ => false,
        }
    };
    differs(&source.name, "logging") || differs(&source.log_bucket, "policy") || differs(&source.log_bucket, "encryption")
}

fn say(place: &Place<'_>, source: &Source, row: &Row, seen: &Seen<'_>, requests: &[i64], out: &mut Out<'_>) {
    let (account, region) = (place.account.key.as_str(), place.placement.region.as_str());
    let (name, bucket) = (&source.name, &source.log_bucket);
    let asked = requests.last().map(|at| instant::show(*at)).unwrap_or_default();
    let last = row.last_day.as_deref().unwrap_or_default();
    let (rule, message) = match row.verdict {
        Verdict::Arrives | Verdict::Waiting | Verdict::Unknown => return,
        Verdict::Gaps => {
            let days = seen.days.first().zip(seen.days.last()).map(|(first, last)| format!(" between {first} and {last}"));
            (&GAPS, format!("logs of `{name}` are missing on days{}", days.unwrap_or_default()))
        }
        Verdict::Stopped if last.is_empty() => (
            &STOPPED,
            format!(
                "logs of `{name}` arrived in `{bucket}` before the days that were looked at, and none since a request of {asked}"
            ),
        ),
        Verdict::Stopped => {
            (&STOPPED, format!("logs of `{name}` arrived in `{bucket}` until {last}, and none since a request of {asked}"))
        }
        Verdict::Never => (&NEVER, format!("no log of `{name}` has ever arrived in `{bucket}`, and it was asked on {asked}")),
        Verdict::Misplaced => {
            (&MISPLACED, format!("logs of `{name}` arrive in `{bucket}` under other keys than the map says, last on {last}"))
        }
        Verdict::Quiet => {
            (&QUIET, format!("no log of `{name}` arrived in `{bucket}` lately, and no request is known that should be in one"))
        }
    };
    let span = match source.is_log_bucket {
        true => out.map.log_bucket(account, region),
        false => out.map.source(account, region, name),
    };
    let mut finding = Finding::new(rule, span, message);
    if matches!(row.verdict, Verdict::Stopped | Verdict::Never | Verdict::Misplaced) {
        // a setting that explains it leads
        let at = out.map.log_bucket(account, region);
        let explains = |other: &&Finding| {
            let of_source = other.span == span && ["LM2111", "LM2112", "LM2113", "LM2114"].contains(&other.rule.id);
            of_source || other.span == at && ["LM2103", "LM2106"].contains(&other.rule.id) && other.message.contains(&**bucket)
        };
        finding = match out.on_map.iter().find(explains) {
            Some(cause) => {
                let words = format!("{}: {}", cause.rule.id, cause.message);
                let at = cause.span;
                finding.help(format!("the likely cause is {words}")).related(at, "the setting that explains it")
            }
            None => finding.help("no setting that was read explains it: look at who changed the log bucket, its policy or its encryption since then, and at policies of the organization that deny services"),
        };
    } else if row.verdict == Verdict::Quiet {
        finding = finding.help("give an earlier snapshot with `--since`: each reading of its logging is a request that S3 logs");
    }
    out.found(finding);
}

fn of_trail(place: &Place<'_>, trail: &Trail, plan: &Plan, now: i64, out: &mut Out<'_>) -> Row {
    let (account, region) = (place.account.key.as_str(), place.placement.region.as_str());
    let mut row = Row {
        account: place.account.id.clone(),
        region: region.to_owned(),
        kind: "trail",
        name: trail.name.clone(),
        log_bucket: trail.bucket.clone(),
        verdict: Verdict::Unknown,
        last_day: None,
        known_request: None,
    };
    // what is missing or was not read is said already
    let Ok(Some(live)) = trails::find(place, trail) else { return row };
    let span = out.map.trail(&trail.name, account);
    let mut verdict = Verdict::Arrives;
    let mut problems = Vec::new();
    let of_map: BTreeSet<&str> = plan
        .accounts
        .iter()
        .filter(|one| one.id == place.account.id)
        .flat_map(|one| one.placements.iter().map(|placement| placement.region.as_str()))
        .collect();
    let regions = if trail.multi_region { of_map.into_iter().collect() } else { vec![region] };
    for at in regions {
        let status = match reading(live, "status").at(&[at]) {
            Some(node) => reading_of(Some(node)),
            None => Reading::Missing,
        };
        if out.unread.is(account, region, &format!("{} in {at}", trail.name), "status", status) {
            verdict = verdict.max(Verdict::Unknown);
            continue;
        }
        let get = |key: &str| status.text(&[key]).filter(|word| !word.is_empty());
        let delivered = get("LatestDeliveryTime");
        row.last_day = row.last_day.take().max(delivered.and_then(|time| time.get(..10)).map(str::to_owned));
        if let Some(error) = get("LatestDeliveryError").or_else(|| get("LatestDigestDeliveryError")) {
            problems.push(format!("CloudTrail's last attempt in `{at}` failed with `{}`", shown::line(error)));
            continue;
        }
        let (key, limit, what) = match trail.log_file_validation {
            true => ("LatestDigestDeliveryTime", DIGEST_SILENCE, "digest file"),
            false => ("LatestDeliveryTime", LOG_SILENCE, "log file"),
        };
        let started = get("StartLoggingTime").and_then(seconds);
        match get(key).and_then(seconds) {
            Some(last) if now - last <= limit => {}
            // a quiet Region has no log files, and a trail that has just been started none yet
            _ if !trail.log_file_validation => verdict = verdict.max(Verdict::Quiet),
            None if started.is_some_and(|started| now - started <= limit) => verdict = verdict.max(Verdict::Waiting),
            Some(last) => problems.push(format!("the last {what} of `{at}` is of {}", instant::show(last))),
            None => problems.push(format!("no {what} of `{at}` has been delivered")),
        }
    }
    if !problems.is_empty() {
        verdict = if row.last_day.is_some() { Verdict::Stopped } else { Verdict::Never };
        let words = crate::text::few(&problems, 3);
        let help = "`logmap explain` with the error code says what stands in the way; most often it is the policy of the bucket or of its key";
        out.found(
            Finding::new(
                &TRAIL_DELIVERY,
                span,
                format!("files of the trail `{}` do not arrive in `{}`: {words}", trail.name, trail.bucket),
            )
            .help(help),
        );
    }
    row.verdict = verdict;
    row
}

/// Seconds since 1970 of an instant.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    i64::try_from(instant::read(text)?.div_euclid(instant::SECOND)).ok()
}

/// Seconds since 1970 of a day's beginning.
fn seconds_of_day(day: &str) -> Option<i64> {
    (day.len() == 10).then(|| seconds(day)).flatten()
}

#[cfg(test)]
mod tests;
