//! Verdicts on calendars, case by case.

use super::*;

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
