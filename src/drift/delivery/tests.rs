//! Verdicts on calendars, case by case.

use super::*;
use proptest::prelude::*;

const NOW: &str = "2026-11-30T06:00:00Z";

fn verdict(days: &[&str], ever: bool, requests: &[&str], by_request: bool) -> Verdict {
    let seen = Seen { days: days.iter().copied().collect(), ever };
    let requests: Vec<i64> = requests.iter().filter_map(|at| seconds(at)).collect();
    judge(&seen, &requests, by_request, false, 12 * HOUR, seconds(NOW).unwrap_or_default())
}

#[test]
fn a_known_request_tells_quiet_from_broken() {
    let asked = "2026-11-29T02:00:00Z";
    for (days, ever, requests, expected) in [
        (&["2026-11-28", "2026-11-29"][..], true, &[][..], Verdict::Arrives),
        (&["2026-11-29"], true, &[asked], Verdict::Arrives),
        // delivered later than asked
        (&["2026-11-30"], true, &[asked], Verdict::Arrives),
        (&["2026-11-27"], true, &[asked], Verdict::Stopped),
        // before the days that were looked at
        (&[], true, &[asked], Verdict::Stopped),
        (&[], false, &[asked], Verdict::Never),
        (&[], false, &[], Verdict::Quiet),
        (&[], true, &[], Verdict::Quiet),
        (&["2026-11-20"], true, &[], Verdict::Quiet),
        // asked less than the grace ago
        (&[], false, &["2026-11-30T02:00:00Z"], Verdict::Waiting),
        (&["2026-11-20"], true, &["2026-11-30T02:00:00Z"], Verdict::Waiting),
        // the newest request waits, an older one has no answer
        (&[], false, &[asked, "2026-11-30T02:00:00Z"], Verdict::Never),
    ] {
        assert_eq!(verdict(days, ever, requests, true), expected, "{days:?} {ever} {requests:?}");
    }
}

#[test]
fn a_gap_is_a_day_that_was_asked() {
    let asked = ["2026-11-26T02:00:00Z", "2026-11-27T02:00:00Z", "2026-11-28T02:00:00Z"];
    let days = ["2026-11-26", "2026-11-28", "2026-11-29"];
    assert_eq!(verdict(&days, true, &asked, true), Verdict::Gaps);
    // days of delivery are no days of requests
    assert_eq!(verdict(&days, true, &asked, false), Verdict::Arrives);
    assert_eq!(verdict(&days, true, &asked[..1], true), Verdict::Arrives);
}

#[test]
fn a_change_waits() {
    let seen = Seen { days: BTreeSet::new(), ever: true };
    let now = seconds(NOW).unwrap_or_default();
    let asked = [now - 2 * DAY];
    assert_eq!(judge(&seen, &asked, true, true, 12 * HOUR, now), Verdict::Waiting);
    assert_eq!(judge(&seen, &asked, true, false, 12 * HOUR, now), Verdict::Stopped);
}

#[test]
fn no_calendar_is_both_silent_and_fine() {
    // each set of days of one week, with each request: an answer after the request is what makes it fine
    let now = seconds(NOW).unwrap_or_default();
    let week: Vec<String> = (24..=30).map(|day| format!("2026-11-{day}")).collect();
    for set in 0..128u32 {
        let days: BTreeSet<&str> =
            week.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0).map(|(_, day)| day.as_str()).collect();
        for back in 1..7 {
            let asked = now - back * DAY;
            let seen = Seen { ever: !days.is_empty(), days: days.clone() };
            let answered = days.iter().filter_map(|day| seconds_of_day(day)).any(|day| day + DAY > asked);
            let expected = match (answered, days.is_empty()) {
                (true, _) => Verdict::Arrives,
                (false, true) => Verdict::Never,
                (false, false) => Verdict::Stopped,
            };
            assert_eq!(judge(&seen, &[asked], false, false, 12 * HOUR, now), expected, "{days:?} {back}");
        }
    }
}

/// A week or two of a source, played out in minutes: what was asked, what S3 wrote of it, and when that came to lie in the log bucket.
#[derive(Debug, Clone)]
struct Story {
    /// The moment of the verdict.
    now: i64,
    grace: i64,
    /// Requests that are known, from earlier snapshots.
    probes: Vec<i64>,
    /// Requests that nobody knows of.
    others: Vec<i64>,
    /// Nothing that is asked in this time is logged: the logging was broken then.
    broken: (i64, i64),
    /// By the log's number: seconds until it is delivered, at most the grace.
    delays: Vec<i64>,
    by_event: bool,
    changed: bool,
}

impl Story {
    /// Logs that lie in the bucket: the request, and the day by whose folder it is found.
    fn logs(&self) -> Vec<(i64, i64)> {
        let asked = self.probes.iter().chain(&self.others).filter(|at| !(self.broken.0..self.broken.1).contains(*at));
        let written = asked.enumerate().map(|(number, at)| (*at, at + self.delays[number % self.delays.len()].min(self.grace)));
        let there = written.filter(|(_, delivered)| *delivered <= self.now);
        there.map(|(at, delivered)| (at, if self.by_event { at / DAY } else { delivered / DAY })).collect()
    }

    fn verdict(&self) -> Verdict {
        let days: Vec<String> = self.logs().iter().map(|(_, day)| instant::show(day * DAY)[..10].to_owned()).collect();
        let seen = Seen { ever: !days.is_empty(), days: days.iter().map(String::as_str).collect() };
        judge(&seen, &self.probes, self.by_event, self.changed, self.grace, self.now)
    }

    /// The same from the story itself, in the words of the documentation.
    fn expected(&self) -> Verdict {
        let logs = self.logs();
        let has = |day: i64| logs.iter().any(|(_, of)| *of == day);
        // the last request that must be in a log by now, and whether a log of that day or a later one is there
        let due: Vec<i64> = self.probes.iter().copied().filter(|at| self.now - at >= self.grace).collect();
        match due.last() {
            Some(at) if logs.iter().all(|(_, day)| *day < at / DAY) => {
                return match (self.changed, logs.is_empty()) {
                    (true, _) => Verdict::Waiting,
                    (false, true) => Verdict::Never,
                    (false, false) => Verdict::Stopped,
                };
            }
            _ => {}
        }
        let mut over = (0..self.now / DAY).rev().filter(|day| (day + 1) * DAY + self.grace <= self.now);
        let before = over.nth(1).unwrap_or_default();
        if due.is_empty() && !(before..=self.now / DAY).any(has) {
            return if self.changed || !self.probes.is_empty() { Verdict::Waiting } else { Verdict::Quiet };
        }
        let (first, last) = (logs.iter().map(|(_, day)| *day).min(), logs.iter().map(|(_, day)| *day).max());
        let asked_in_vain = |at: &i64| {
            let day = at / DAY;
            let between = first.is_some_and(|first| first < day) && last.is_some_and(|last| day < last);
            (day + 1) * DAY + self.grace <= self.now && between && !has(day)
        };
        if self.by_event && self.probes.iter().any(asked_in_vain) { Verdict::Gaps } else { Verdict::Arrives }
    }
}

fn stories() -> impl Strategy<Value = Story> {
    const MINUTE: i64 = 60;
    let start = seconds("2026-11-20T00:00:00Z").unwrap_or_default();
    let times = move |most: usize| {
        prop::collection::btree_set((0..14 * 24 * 60i64).prop_map(move |minute| start + minute * MINUTE), 0..most)
    };
    (
        (10 * 24 * 60..14 * 24 * 60i64).prop_map(move |minute| start + minute * MINUTE),
        prop::sample::select(vec![0, 1, 6, 12, 12, 24, 48]).prop_map(|hours| hours * HOUR),
        (times(6), times(8)),
        ((0..14i64), prop::sample::select(vec![0, 0, 1, 2, 4, 14])),
        prop::collection::vec((0..48 * 60i64).prop_map(|minute| minute * MINUTE), 1..5),
        (prop::bool::ANY, prop::bool::weighted(0.2)),
    )
        .prop_map(move |(now, grace, (probes, others), (from, days), delays, (by_event, changed))| {
            let past = |times: BTreeSet<i64>| times.into_iter().filter(|at| *at <= now).collect();
            let broken = (start + from * DAY, start + (from + days) * DAY);
            Story { now, grace, probes: past(probes), others: past(others), broken, delays, by_event, changed }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]
    #[test]
    fn the_verdict_is_that_of_the_story(story in stories()) {
        prop_assert_eq!(story.verdict(), story.expected());
    }

    #[test]
    fn whatever_works_is_never_called_broken(story in stories()) {
        let works = Story { broken: (0, 0), changed: false, ..story };
        prop_assert!(!matches!(works.verdict(), Verdict::Stopped | Verdict::Never | Verdict::Gaps), "{:?}", works.verdict());
    }

    #[test]
    fn what_has_broken_is_found_once_a_request_is_due(story in stories()) {
        // for good, from the beginning of the day of a request that is due
        let due = story.probes.iter().rev().find(|at| **at + story.grace <= story.now).copied();
        let Some(due) = due else { return Ok(()) };
        let dead = Story { broken: (due / DAY * DAY, i64::MAX), changed: false, delays: vec![0], ..story };
        let wanted = if dead.logs().is_empty() { Verdict::Never } else { Verdict::Stopped };
        prop_assert_eq!(dead.verdict(), wanted);
    }
}
