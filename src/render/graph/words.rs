//! What every picture says of a node, in few words: one home for SVG, DOT, Mermaid and the page.

use super::{
    detail::More,
    measure::{count, thousands},
};
use crate::{
    drift::{DeliveryVerdict, State},
    plan::{LogBucket, Source, Tier, Trail},
    topology::{
        Area, Node, Topology,
        marks::{Arrival, Held, Look, Mark},
    },
};

/// What a log bucket takes, and what is special about it.
pub(super) fn bucket(bucket: &LogBucket) -> String {
    let mut words = vec![bucket.takes()];
    words.extend(bucket.adopt.as_ref().map(|_| "adopted"));
    words.extend(bucket.object_lock.as_ref().map(|_| "Object Lock"));
    words.join(" · ")
}

/// Where it is copied to; `None` if it is not.
pub(super) fn copied(bucket: &LogBucket) -> Option<String> {
    bucket.replication.as_ref().map(|copies| format!("copied to the archive of {}", copies.archive_account))
}

/// What the guardrails of the map are about an account, in few words.
pub(super) const GUARDED: &str = "guardrails: SCP, RCP";

/// The services that write logs of their own into it; `None` if there are none.
pub(super) fn senders(bucket: &LogBucket) -> Option<String> {
    let names: Vec<&str> = bucket.basis.senders.iter().map(|grant| grant.sender.phrase()).collect();
    (!names.is_empty()).then(|| format!("also {}", names.join(" · ")))
}

/// What a log bucket takes, in sentences: who writes, where, and for how many accounts.
pub(super) fn bucket_title(node: &Node<'_, LogBucket>) -> String {
    let bucket = node.item;
    let mut title = format!("log bucket {}, takes {}", bucket.name, self::bucket(bucket));
    title.extend(copied(bucket).map(|copied| format!("\n{copied}")));
    for grant in &bucket.basis.senders {
        let (service, folder) = (grant.sender.phrase(), grant.sender.folder(&grant.prefix));
        title += &format!("\n{service} may write under {folder} for {}", count(grant.accounts.len(), "account"));
    }
    titled(&title, node.mark.as_ref())
}

/// How full its policy is, and how it names the sources.
pub(super) fn budget(bucket: &LogBucket) -> String {
    let tier = match bucket.report.tier {
        Tier::Buckets => "exact names",
        Tier::Patterns => "patterns",
        Tier::Account => "any bucket of the account",
        Tier::None => "no access logs",
    };
    format!("{tier} · {} bytes left", thousands(bucket.report.bytes_left))
}

/// What a trail records.
pub(super) fn trail(trail: &Trail) -> String {
    let reach = if trail.multi_region { "all Regions" } else { "this Region" };
    let whose = if trail.organization { "organization trail · " } else { "" };
    let adopted = if trail.adopt { " · adopted" } else { "" };
    format!("{whose}{reach}{adopted}")
}

/// Where a trail delivers, seen from its own area; `None` if it stays there.
pub(super) fn elsewhere(area: &Area<'_>, trail: &Trail) -> Option<String> {
    let same_account = area.account.key == trail.bucket_account;
    match (same_account, area.placement.region == trail.bucket_region) {
        (true, true) => None,
        (true, false) => Some(format!("→ {}", trail.bucket_region)),
        (false, _) => Some(format!("→ {} · {}", trail.bucket_account, trail.bucket_region)),
    }
}

/// The class of a node by its mark.
pub(super) fn class(mark: Option<&Mark>) -> &'static str {
    mark.map_or("", |mark| look(mark.look()))
}

/// The class of a look.
pub(super) fn look(look: Look) -> &'static str {
    match look {
        Look::Right => "ok",
        Look::Open => "open",
        Look::Unknown => "unknown",
        Look::Drift => "drift",
        Look::Stopped => "stopped",
        Look::Violation => "violation",
    }
}

/// The class of a look's sign in a legend.
pub(super) fn sign_of(look: Look) -> &'static str {
    match look {
        Look::Right => "sign ok",
        Look::Open => "sign open",
        Look::Unknown => "sign unknown",
        Look::Drift => "sign drift",
        Look::Stopped => "sign stopped",
        Look::Violation => "sign violation",
    }
}

/// What a look means in a picture, for its legend; `None` if nothing there can look so.
pub(super) fn meaning(look: Look, topology: &Topology<'_>) -> Option<&'static str> {
    let delivery = topology.reading.as_ref().is_some_and(|reading| reading.delivery);
    let (checked, held) = (topology.checked, topology.reading.is_some());
    match (look, checked, held) {
        (_, false, false) => None,
        (Look::Right, true, false) => Some("checked, ok"),
        (Look::Right, _, true) if delivery => Some("as the map says, and logs arrive"),
        (Look::Right, _, true) => Some("as the map says"),
        (Look::Open, _, true) if delivery => Some("waiting, quiet, with gaps, or silenced"),
        (Look::Open, _, true) => Some("drift that the map silences"),
        (Look::Unknown, true, _) => Some("can't be known"),
        (Look::Unknown, ..) => Some("not read"),
        (Look::Drift, _, true) => Some("drift"),
        (Look::Stopped, ..) if delivery => Some("logs stopped, never came, or are misplaced"),
        (Look::Violation, true, _) => Some("violation"),
        _ => None,
    }
}

/// The sentences of a mark that is not clean.
pub(super) fn reasons(mark: Option<&Mark>) -> Vec<&str> {
    mark.map_or(Vec::new(), Mark::reasons)
}

/// What drift says of a node, in short: is it as the map says, and do its logs arrive?
pub(super) fn held(mark: Option<&Mark>) -> Vec<String> {
    let Some(held) = mark.and_then(|mark| mark.held.as_ref()) else { return Vec::new() };
    let mut words = vec![state(held).to_owned()];
    words.extend(held.delivery.as_ref().map(|arrival| format!("delivery: {}", self::arrival(arrival))));
    words
}

/// Whether a thing is as the map says.
pub(super) fn state(held: &Held) -> &'static str {
    match held.state {
        State::AsMapped => "as the map says",
        State::Unknown => "not read",
        State::Drifted if held.silenced => "drift, silenced in the map",
        State::Drifted => "drift",
    }
}

fn arrival(arrival: &Arrival) -> String {
    let verdict = if arrival.verdict == DeliveryVerdict::Unknown { "not read" } else { arrival.verdict.word() };
    let since = match (&arrival.last_day, arrival.verdict) {
        // when logs arrive, the last day is as good as today
        (None, _) | (_, DeliveryVerdict::Arrives) => String::new(),
        (Some(day), _) => format!(", last on {day}"),
    };
    let silenced = if arrival.silenced { ", silenced in the map" } else { "" };
    format!("{verdict}{since}{silenced}")
}

/// What was read, and when; and how much of it is as the map says.
pub(super) fn reading(topology: &Topology<'_>) -> Option<String> {
    let reading = topology.reading.as_ref()?;
    let when = match &reading.taken_at {
        None => "held against snapshots that have none of its accounts".to_owned(),
        Some((first, last)) if first == last => format!("as read at {first}"),
        Some((first, last)) => format!("as read from {first} to {last}"),
    };
    let (mut states, mut verdicts) = ([0; 3], std::collections::BTreeMap::<DeliveryVerdict, usize>::new());
    for held in topology.areas.iter().flat_map(Area::marks).filter_map(|mark| mark.held.as_ref()) {
        states[held.state as usize] += 1;
        if let Some(arrival) = &held.delivery {
            *verdicts.entry(arrival.verdict).or_default() += 1;
        }
    }
    let words = [(State::AsMapped, "as the map says"), (State::Drifted, "in drift"), (State::Unknown, "not read")];
    let mut parts = vec![when];
    parts.extend(words.iter().map(|(state, words)| format!("{} {words}", thousands(states[*state as usize]))));
    parts.push(if reading.delivery {
        let each = verdicts.iter().map(|(verdict, count)| format!("{} {}", thousands(*count), verdict.word()));
        format!("delivery: {}", each.collect::<Vec<_>>().join(", "))
    } else {
        "whether logs arrive was not looked at".to_owned()
    });
    Some(parts.join(" · "))
}

/// Why the alerts of an area stay silent, in few words.
pub(super) const SILENT: &str = "alerts are silent: no trail of the map records what they are about";

/// What stands on a node when one points at it.
pub(super) fn source_title(node: &Node<'_, Source>) -> String {
    let managed = if node.item.managed { "source bucket" } else { "source bucket, logging set elsewhere" };
    titled(&format!("{managed} {} logs to {}", node.item.name, node.item.log_bucket), node.mark.as_ref())
}

/// A title with the words of a mark.
pub(super) fn titled(title: &str, mark: Option<&Mark>) -> String {
    let Some(mark) = mark else { return title.to_owned() };
    let mut text = title.to_owned();
    if let Some(check) = &mark.check {
        let verdict = match check.look() {
            Look::Right => "checked, ok",
            Look::Violation => "violation",
            _ => "can't be known",
        };
        text += &format!("\n{verdict}: {}", check.words);
        check.reasons.iter().for_each(|reason| text += &sentence(reason));
    }
    if let Some(held) = &mark.held {
        let at = held.taken_at.as_ref().map_or(String::new(), |at| format!(", as read at {at}"));
        text += &format!("\n{}{at}", self::held(Some(mark)).join("; "));
        let arrivals = held.delivery.iter().flat_map(|arrival| &arrival.findings);
        arrivals.chain(&held.findings).for_each(|reason| text += &sentence(reason));
        held.unread.iter().for_each(|words| text += &format!("\n{words}"));
    }
    text
}

fn sentence((reason, place): &(String, String)) -> String {
    format!("\n{reason} ({place})")
}

/// Nodes that are a count: `+ 23 more sources`, or `50 sources` when none is drawn.
pub(super) fn more(more: More, drawn: usize, what: &str) -> Option<String> {
    if more.count == 0 {
        return None;
    }
    let plural = if more.count == 1 { "" } else { "s" };
    let text = if drawn == 0 {
        format!("{} {what}{plural}", thousands(more.count))
    } else {
        format!("+ {} more {what}{plural}", thousands(more.count))
    };
    Some(text + &doubts(more))
}

/// `, 3 violations, 1 unknown`: what is not right.
pub(super) fn doubts(more: More) -> String {
    let mut text = String::new();
    for (count, look) in more.looks.iter().zip(Look::ALL).filter(|(count, _)| **count > 0) {
        let words = match look {
            Look::Right => continue,
            Look::Violation => ["violation", "violations"][usize::from(*count > 1)],
            Look::Stopped => "whose logs do not arrive",
            Look::Drift => "in drift",
            Look::Unknown => "unknown",
            Look::Open => "open",
        };
        text += &format!(", {} {words}", thousands(*count));
    }
    text
}
