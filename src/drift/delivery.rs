//! Delivery: do the logs of each source and trail arrive, still, and since when not?
//!
//! A snapshot with delivery has, for each source, the days with log objects under its keys. Whether a source that has none is quiet or
//! broken is told by requests that S3 must have logged: the reading of a bucket's logging is one (the sample records of the S3 user guide,
//! "Amazon S3 server access log format", are of configuration reads), so earlier snapshots are the probe.

use super::{
    Asked, Kind, Out, State, trails,
    world::{Found, Place, World},
};
use crate::{
    catalog::live::{
        GAPS, LOG_KEYS, LOGS_ELSEWHERE, MISPLACED, NEVER, NOT_LOGGING, POLICY_REFUSES, QUIET, SOURCE_PLACE, STOPPED,
        STOPS_DELIVERY, TRAIL_DELIVERY,
    },
    diagnostics::{Finding, Rule},
    document::Node,
    escape::shown,
    observed::dumps::value_of,
    plan::{KeyFormat, Plan, Source, Trail},
    policy::evaluate::instant,
    snapshot::{AccountReading, Reading, Snapshot, child, items, text},
    source::{FileId, Span},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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

    /// What it says of the logs being where the map has them.
    pub(crate) fn state(self) -> State {
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
    let causes = Causes::of(&out.on_map);
    for account in plan.accounts.iter().filter(|account| (asked.account)(account)) {
        let readings = window.since.iter().flat_map(|snapshot| &snapshot.accounts);
        let mut earlier: Vec<&AccountReading<'_>> = readings.filter(|reading| reading.id == account.id).collect();
        earlier.sort_by_key(|reading| reading.taken_at);
        for placement in account.placements.iter().filter(|placement| (asked.region)(placement)) {
            let live = world.accounts.get(account.id.as_str()).filter(|live| live.account.failure.is_none());
            let Some(live) = live.filter(|live| live.account.silence(&placement.region).is_none()) else {
                // said already
                out.checked.deliveries.unknown += placement.sources.len() + placement.trails.len();
                if let Some(notes) = &mut out.notes {
                    notes.no_delivery(account, placement);
                }
                continue;
            };
            let place = Place { account, placement, live, world, of_placements: 1, mend: "" };
            let now = window.as_of.or_else(|| seconds(live.account.taken_at)).unwrap_or_default();
            let looked = Looked::of(&place, &earlier);
            for (at, source) in placement.sources.iter().enumerate() {
                let before = out.on_map.len();
                let row = of_source(&place, source, &looked, &causes, (window.grace, now), out);
                out.delivery((Kind::Source, at), &place, &row, before);
                rows.push(row);
            }
            for (at, trail) in placement.trails.iter().enumerate() {
                let before = out.on_map.len();
                let row = of_trail(&place, trail, now, out);
                out.delivery((Kind::Trail, at), &place, &row, before);
                rows.push(row);
            }
        }
    }
    rows
}

impl Out<'_> {
    /// What is known of a delivery, of which the findings since `before` are.
    fn delivery(&mut self, thing: (Kind, usize), place: &Place<'_>, row: &Row, before: usize) {
        self.checked.deliveries.add(row.verdict.state());
        let now = self.on_map.len();
        if let Some(notes) = &mut self.notes {
            notes.delivery(thing, (place.account, place.placement), row, before..now);
        }
    }
}

/// What the snapshots have of the log buckets of a placement.
struct Looked<'a> {
    /// The account in earlier snapshots, the newest last.
    earlier: &'a [&'a AccountReading<'a>],
    /// What was seen of each source's log objects, by log bucket and source.
    seen: BTreeMap<(&'a str, &'a str), Vec<&'a Node>>,
    /// Log buckets whose policy or encryption was another one in the newest earlier snapshot.
    changed: BTreeSet<&'a str>,
}

impl<'a> Looked<'a> {
    fn of(place: &Place<'a>, earlier: &'a [&'a AccountReading<'a>]) -> Self {
        let mut looked = Looked { earlier, seen: BTreeMap::new(), changed: BTreeSet::new() };
        for bucket in &place.placement.buckets {
            if looked.differs(place, &bucket.name, "policy") || looked.differs(place, &bucket.name, "encryption") {
                looked.changed.insert(&bucket.name);
            }
            let Found::Here(live) = place.find(&bucket.name) else { continue };
            for entry in items(live.reading("delivered").at(&[])) {
                if let Some(source) = text(child(entry, "source")) {
                    looked.seen.entry((&bucket.name, source)).or_default().push(entry);
                }
            }
        }
        looked
    }

    /// Was a reading of a bucket another one in the newest earlier snapshot? What either has not read is no difference.
    fn differs(&self, place: &Place<'_>, name: &str, key: &str) -> bool {
        let word = |account: &AccountReading<'_>| match account.buckets.get(name)?.reading(key) {
            Reading::Is(node) => Some(value_of(node).to_string()),
            Reading::Nothing => Some(String::new()),
            Reading::Failed(_) | Reading::Missing => None,
        };
        let before = self.earlier.last().and_then(|account| word(account));
        before.zip(word(place.live.account)).is_some_and(|(was, is)| was != is)
    }
}

/// The findings that explain why logs do not arrive, by the place that they are of: indices of all findings on the map.
struct Causes {
    /// Of sources, by their place in the map.
    of_sources: BTreeMap<Span, usize>,
    /// Of log buckets, by their place in a snapshot.
    of_buckets: BTreeMap<(FileId, Span), usize>,
}

impl Causes {
    fn of(findings: &[Finding]) -> Self {
        let mut causes = Causes { of_sources: BTreeMap::new(), of_buckets: BTreeMap::new() };
        let is_one_of = |finding: &Finding, rules: &[&Rule]| rules.contains(&finding.rule);
        for (at, finding) in findings.iter().enumerate() {
            if is_one_of(finding, &[&NOT_LOGGING, &LOGS_ELSEWHERE, &LOG_KEYS, &SOURCE_PLACE]) {
                causes.of_sources.entry(finding.span).or_insert(at);
            } else if is_one_of(finding, &[&POLICY_REFUSES, &STOPS_DELIVERY]) {
                for read in &finding.related {
                    causes.of_buckets.entry((read.file, read.span)).or_insert(at);
                }
            }
        }
        causes
    }
}

fn of_source(
    place: &Place<'_>,
    source: &Source,
    looked: &Looked<'_>,
    causes: &Causes,
    (grace, now): (i64, i64),
    out: &mut Out<'_>,
) -> Row {
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
    let entries = looked.seen.get(&(&*source.log_bucket, source.name.as_str())).map_or(&[][..], Vec::as_slice);
    let is_ours = |node: &Node| text(child(node, "prefix")) == Some(&*source.prefix) && text(child(node, "format")) == wanted;
    let Some(ours) = entries.iter().copied().find(|node| is_ours(node)) else {
        out.unread.note(account, region, &source.name, "delivered", None);
        return row;
    };
    if out.unread.is(account, region, &source.name, "delivered", Reading::of(Some(ours))) {
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
    let requests = requests(source, looked, first_day(place.live.account), now);
    row.known_request = requests.last().map(|at| instant::show(*at));
    let changed = looked.changed.contains(&*source.log_bucket) || looked.differs(place, &source.name, "logging");
    let by_request = source.key_format == KeyFormat::PartitionedEventTime;
    row.verdict = judge(&seen, &requests, by_request, changed, grace, now);
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
    let cause = causes.of_buckets.get(&(place.live.file, bucket.span)).copied();
    say(place, source, &row, (&seen, &requests), (causes, cause), out);
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

/// Readings of the source's logging in earlier snapshots, in order: each is a request that S3 logs. Logs of those before the days that
/// were looked at are not to be seen, whether they are there or not.
fn requests(source: &Source, looked: &Looked<'_>, first: i64, now: i64) -> Vec<i64> {
    let of = |account: &AccountReading<'_>| {
        let bucket = account.buckets.get(source.name.as_str())?;
        // only what was asked while the logs went where they go now is to be found there
        let was = bucket.reading("logging").text(&["LoggingEnabled", "TargetBucket"]);
        (was == Some(&*source.log_bucket)).then(|| seconds(bucket.asked_at?)).flatten()
    };
    let mut all: Vec<i64> =
        looked.earlier.iter().filter_map(|account| of(account)).filter(|at| (first..=now).contains(at)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The beginning of the days in which log objects were looked for, as far as that is known.
fn first_day(account: &AccountReading<'_>) -> i64 {
    let days = account.delivery_days.zip(seconds(account.taken_at));
    days.map_or(i64::MIN, |(days, taken_at)| (taken_at.div_euclid(DAY).saturating_sub(days - 1)).saturating_mul(DAY))
}

fn say(
    place: &Place<'_>,
    source: &Source,
    row: &Row,
    (seen, requests): (&Seen<'_>, &[i64]),
    (causes, of_bucket): (&Causes, Option<usize>),
    out: &mut Out<'_>,
) {
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
    if row.verdict != Verdict::Gaps {
        // a setting that explains it leads
        let cause = causes.of_sources.get(&span).copied().or(of_bucket.filter(|_| row.verdict != Verdict::Quiet));
        finding = match cause.and_then(|at| out.on_map.get(at)) {
            Some(cause) => {
                let words = format!("{}: {}", cause.rule.id, cause.message);
                let at = cause.span;
                finding.help(format!("the likely cause is {words}")).related(at, "the setting that explains it")
            }
            None if row.verdict == Verdict::Quiet => {
                finding.help("give an earlier snapshot with `--since`: each reading of its logging is a request that S3 logs")
            }
            None => finding.help("no setting that was read explains it: look at who changed the log bucket, its policy or its encryption since then, and at policies of the organization that deny services"),
        };
    }
    out.found(finding);
}

fn of_trail(place: &Place<'_>, trail: &Trail, now: i64, out: &mut Out<'_>) -> Row {
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
    let of_map = || place.account.placements.iter().map(|placement| placement.region.as_str());
    let regions: Vec<&str> = if trail.multi_region { of_map().collect() } else { vec![region] };
    for at in regions {
        let status = trails::status(live, at);
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
