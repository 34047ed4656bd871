//! What every picture says of a node, in few words: one home for SVG, DOT, Mermaid and the page.

use super::{
    detail::More,
    measure::{count, thousands},
};
use crate::{
    compare::Verdict,
    plan::{LogBucket, Source, Tier, Trail},
    topology::{Area, Node, marks::Mark},
};

/// What a log bucket takes, and what is special about it.
pub(super) fn bucket(bucket: &LogBucket) -> String {
    let mut words = vec![match (bucket.takes_access_logs, bucket.takes_trails) {
        (true, true) => "access logs and trails",
        (true, false) => "access logs",
        _ => "trails",
    }];
    words.extend(bucket.adopt.as_ref().map(|_| "adopted"));
    words.extend(bucket.object_lock.as_ref().map(|_| "Object Lock"));
    words.join(" · ")
}

/// The services that write logs of their own into it; `None` if there are none.
pub(super) fn senders(bucket: &LogBucket) -> Option<String> {
    let names: Vec<&str> = bucket.basis.senders.iter().map(|grant| grant.sender.phrase()).collect();
    (!names.is_empty()).then(|| format!("also {}", names.join(" · ")))
}

/// What a log bucket takes, in sentences: who writes, where, and for how many accounts.
pub(super) fn bucket_title(node: &Node<'_, LogBucket>) -> String {
    let bucket = node.item;
    let mut title = format!("log bucket {}, takes {}", bucket.name, self::bucket(bucket));
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
    match mark.map(|mark| mark.verdict) {
        Some(Verdict::Violation) => "violation",
        Some(Verdict::Unknown) => "unknown",
        Some(Verdict::Ok) => "ok",
        None => "",
    }
}

/// The sentences of a mark that is not clean.
pub(super) fn reasons(mark: Option<&Mark>) -> Vec<&str> {
    mark.iter().flat_map(|mark| mark.reasons.iter().map(|(reason, _)| reason.as_str())).collect()
}

/// What stands on a node when one points at it.
pub(super) fn source_title(node: &Node<'_, Source>) -> String {
    let managed = if node.item.managed { "source bucket" } else { "source bucket, logging set elsewhere" };
    titled(&format!("{managed} {} logs to {}", node.item.name, node.item.log_bucket), node.mark.as_ref())
}

/// A title with the words of a mark.
pub(super) fn titled(title: &str, mark: Option<&Mark>) -> String {
    let Some(mark) = mark else { return title.to_owned() };
    let verdict = match mark.verdict {
        Verdict::Ok => "checked, ok",
        Verdict::Unknown => "can't be known",
        Verdict::Violation => "violation",
    };
    let reasons: String = mark.reasons.iter().map(|(reason, placement)| format!("\n{reason} ({placement})")).collect();
    format!("{title}\n{verdict}: {}{reasons}", mark.words)
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

/// `, 3 violations, 1 unknown`.
pub(super) fn doubts(more: More) -> String {
    let mut text = String::new();
    if more.violations > 0 {
        text += &format!(", {} violation{}", thousands(more.violations), if more.violations == 1 { "" } else { "s" });
    }
    if more.unknown > 0 {
        text += &format!(", {} unknown", thousands(more.unknown));
    }
    text
}
