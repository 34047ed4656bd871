//! Copies of a log bucket to the archive, and the role with which S3 makes them. A replication is compared by what it does, not by the id of
//! its rule. What the keys' policies say, and whether copies arrive, is not in a snapshot.

use super::{Out, State, subject::Subject, world::Place};
use crate::{
    catalog::live::{COPIED_ELSEWHERE, COPIES_DIFFER},
    diagnostics::{Finding, few},
    document::{Kind, Node},
    escape::shown,
    plan::{Replication, ReplicationRole, copies::trust},
    snapshot::{ROLE_READINGS, Reading, child, items, text},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the archive gets of a log bucket.
pub(super) fn check(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let Some(wanted) = &subject.bucket.replication else { return };
    let (name, to) = (&subject.bucket.name, wanted.archive_arn.rsplit(':').next().unwrap_or_default());
    let Some(found) = reading.at(&["ReplicationConfiguration"]) else {
        out.found(subject.finding(&COPIES_DIFFER, format!("`{name}` is not copied to `{to}`: it has no replication")));
        return;
    };
    let rules = items(child(found, "Rules"));
    let role = text(child(found, "Role")).unwrap_or_default();
    if role != wanted.role_arn {
        let message = format!("`{name}` is copied with the role `{}`, and the map has `{}`", shown::line(role), wanted.role_arn);
        out.found(subject.finding(&COPIES_DIFFER, message));
    }
    let of_archive = |rule: &&Node| text(at(rule, &["Destination", "Bucket"])) == Some(wanted.archive_arn.as_str());
    let best = rules.iter().filter(of_archive).map(|rule| faults(rule, wanted)).min_by_key(Vec::len);
    let faults = best.unwrap_or_else(|| vec!["no rule of its replication has it as its destination".to_owned()]);
    if !faults.is_empty() {
        let message = format!("`{name}` is not copied to `{to}` as the map says: {}", faults.join("; "));
        out.found(subject.finding(&COPIES_DIFFER, message));
    }
}

/// Whoever may set a log bucket's replication may have its logs: copies that the map does not name. Who made a bucket that existed before says
/// what of it is copied. What was not read is noted where copies are wanted, and nowhere else.
pub(super) fn elsewhere(subject: &Subject<'_>, out: &mut Out<'_>) {
    let bucket = subject.bucket;
    let reading = subject.live.reading("replication");
    if bucket.adopt.is_some() {
        return;
    }
    let wanted = bucket.replication.as_ref().map(|wanted| wanted.archive_arn.as_str());
    let rules = items(reading.at(&["ReplicationConfiguration", "Rules"]));
    let on = |rule: &&Node| text(child(rule, "Status")) == Some("Enabled");
    let to = rules.iter().filter(on).filter_map(|rule| text(at(rule, &["Destination", "Bucket"])));
    let others: BTreeSet<&str> = to.filter(|to| Some(*to) != wanted).collect();
    if others.is_empty() {
        return;
    }
    let names: Vec<String> =
        others.iter().map(|arn| shown::line(arn.rsplit(':').next().unwrap_or_default()).into_owned()).collect();
    let message = format!("`{}` is copied to {}, which the map does not name", bucket.name, few(&names, 3));
    let help = "end the replication, or say in a comment that it is meant: `# logmap: ignore LM2116`";
    out.found(Finding::new(&COPIED_ELSEWHERE, subject.span, message).help(help).related_in(
        subject.place.live.file,
        subject.live.span,
        "as it was read",
    ));
}

/// What a rule does otherwise than the map says.
fn faults(rule: &Node, wanted: &Replication) -> Vec<String> {
    let says = |keys: &[&str]| text(at(rule, keys)).unwrap_or_default();
    let mut faults = Vec::new();
    if says(&["Status"]) != "Enabled" {
        faults.push("its rule is off".to_owned());
    }
    // the form of old has the prefix outside of a filter
    let narrow = [&["Prefix"][..], &["Filter", "Prefix"], &["Filter", "And", "Prefix"]];
    let tags = [&["Filter", "Tag"][..], &["Filter", "And", "Tags"]];
    if let Some(prefix) = narrow.iter().map(|keys| says(keys)).find(|prefix| !prefix.is_empty()) {
        faults.push(format!("its rule is for the prefix `{}` only", shown::line(prefix)));
    }
    if tags.iter().any(|keys| at(rule, keys).is_some()) {
        faults.push("its rule is for objects with certain tags only".to_owned());
    }
    if says(&["DeleteMarkerReplication", "Status"]) == "Enabled" {
        faults.push("delete markers are copied, so that who deletes a log hides its copy".to_owned());
    }
    let key = at(rule, &["Destination", "EncryptionConfiguration", "ReplicaKmsKeyID"]).and_then(|key| text(Some(key)));
    if key != wanted.kms_key_arn.as_deref() {
        let word = |key: Option<&str>| key.map_or("no KMS key".to_owned(), |key| format!("`{}`", shown::line(key)));
        faults.push(format!("copies have {}, and the map has {}", word(key), word(wanted.kms_key_arn.as_deref())));
    }
    if wanted.kms_key_arn.is_some() && says(&["SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status"]) != "Enabled" {
        faults.push("what is encrypted with a KMS key is left out".to_owned());
    }
    faults
}

/// The role of a placement, with which all its log buckets are copied.
pub(super) fn role(place: &Place<'_>, role: &ReplicationRole, out: &mut Out<'_>) -> State {
    let (account, region) = (&place.account.key, &place.placement.region);
    let read = place.live.account.regions.get(region.as_str());
    let reading = match read.map_or(Reading::Missing, |read| read.reading(ROLE_READINGS)) {
        Reading::Is(all) => Reading::of(child(all, &role.name)),
        other => other,
    };
    if out.unread.is(account, region, &role.name, ROLE_READINGS, reading) {
        return State::Unknown;
    }
    let name = format!("the role `{}` of account `{}`, with which S3 copies,", role.name, place.account.id);
    let mut faults = Vec::new();
    match reading.at(&[]) {
        None => faults.push("is not there".to_owned()),
        Some(found) => {
            if !same(child(found, "trust"), &trust()) {
                faults.push("has another trust policy than the map's".to_owned());
            }
            match child(found, "policy").filter(|policy| matches!(policy.kind, Kind::Mapping(_))) {
                None => faults.push(format!("has no policy `{}`", role.policy_name)),
                Some(policy) if !same(Some(policy), &role.policy) => {
                    faults.push(format!("has another policy `{}` than the map's", role.policy_name));
                }
                Some(_) => {}
            }
            if let Some(boundary) = text(child(found, "boundary")) {
                faults.push(format!("has the permissions boundary `{}`, which the map does not have", shown::line(boundary)));
            }
        }
    }
    if faults.is_empty() {
        return State::AsMapped;
    }
    let message = format!("{name} {}", faults.join(", "));
    let mut finding = Finding::new(&COPIES_DIFFER, out.map.top("central"), message).help(place.mend);
    if let Some(read) = read {
        finding = finding.related_in(place.live.file, read.span, "as it was read");
    }
    out.found(finding);
    State::Drifted
}

fn at<'n>(node: &'n Node, keys: &[&str]) -> Option<&'n Node> {
    keys.iter().try_fold(node, |node, key| child(node, key))
}

/// Is a document as it was read this one? One value is a list of one.
fn same(found: Option<&Node>, wanted: &Value) -> bool {
    let Some(found) = found else { return false };
    match (&found.kind, wanted) {
        (Kind::Mapping(entries), Value::Object(record)) => {
            entries.len() == record.len()
                && entries.iter().all(|entry| record.get(&*entry.key).is_some_and(|wanted| same(Some(&entry.value), wanted)))
        }
        (Kind::Sequence(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| same(Some(found), wanted))
        }
        (Kind::Sequence(found), wanted) => found.len() == 1 && same(found.first(), wanted),
        (_, Value::Array(wanted)) => wanted.len() == 1 && wanted.first().is_some_and(|wanted| same(Some(found), wanted)),
        (_, Value::String(wanted)) => text(Some(found)) == Some(wanted),
        _ => false,
    }
}
