//! A snapshot as what others wrote: its buckets, their log configurations and policies, its trails.
//!
//! Each answer is one of the AWS CLI's, and is read as the dumps are. What a snapshot has not read is unknown, never absent.

use super::{
    AccountName, At, Bucket, NamedBy, NotRead, Observed, Setting, SourceLocation,
    dumps::{Answers, selection},
    is_closed,
};
use crate::{
    document::Node,
    snapshot::{AccountReading, BucketReading, Reading, Snapshot, child, items, text},
    source::FileId,
};

/// The readings of a log bucket that tell a setting, and what they tell.
const SETTINGS: [&str; 7] = ["policy", "encryption", "object_lock", "payer", "ownership", "lifecycle", "tags"];

/// Reads a snapshot.
///
/// # Errors
/// It is none that can be read.
pub(super) fn read(root: &Node, file: FileId, observed: &mut Observed) -> Result<Vec<NotRead>, NotRead> {
    let snapshot = Snapshot::read(root, file).map_err(|wrong| NotRead::because(wrong.what))?;
    let mut unread = Vec::new();
    for account in &snapshot.accounts {
        if let Some(failure) = account.failure {
            unread.push(NotRead::part(format!("account {}: {} answered `{}`", account.id, failure.call, failure.code)));
        } else if !account.complete {
            unread.push(NotRead::part(format!("account {}: the list of its buckets is not complete", account.id)));
        }
        for bucket in account.buckets.values().filter(|bucket| bucket.listed) {
            read_bucket(account, bucket, file, observed, &mut unread);
        }
        for (name, region) in &account.regions {
            if region.unreachable.is_some() {
                unread.push(NotRead::part(format!("account {}: {name} did not answer", account.id)));
            }
            let answers = Answers::of_nobody(file);
            for trail in items(region.reading("trails").at(&[])) {
                read_trail(trail, &answers, observed);
            }
            for (key, answer) in [
                ("delivery_sources", "deliverySources"),
                ("delivery_destinations", "deliveryDestinations"),
                ("deliveries", "deliveries"),
            ] {
                items(region.reading(key).at(&[])).iter().for_each(|item| answers.vended(answer, item, observed));
            }
            for key in ["trails", "delivery_sources"] {
                if let Reading::Failed(failure) = region.reading(key) {
                    unread.push(NotRead::part(format!(
                        "account {}, {name}: {} answered `{}`",
                        account.id, failure.call, failure.code
                    )));
                }
            }
        }
    }
    for account in items(snapshot.organization.at(&["Accounts"])) {
        let place = |node: &Node| SourceLocation { file, span: node.span };
        let known =
            |key: &str| child(account, key).and_then(|node| Some(At { value: text(Some(node))?.to_owned(), place: place(node) }));
        let Some((id, name)) = known("Id").zip(known("Name")) else { continue };
        let closed = known("State").or_else(|| known("Status")).filter(|state| is_closed(&state.value));
        observed.accounts.push(AccountName { id: id.value, name, by: NamedBy::Organization, closed });
    }
    Ok(unread)
}

fn read_bucket(
    account: &AccountReading<'_>,
    bucket: &BucketReading<'_>,
    file: FileId,
    observed: &mut Observed,
    unread: &mut Vec<NotRead>,
) {
    let place = SourceLocation { file, span: bucket.span };
    let at = |value: &str| At { value: value.to_owned(), place };
    let mut known = Bucket::named(at(bucket.name), place);
    known.account = Some(at(account.id));
    known.region = bucket.region.map(at);
    known.listed = true;
    let read = |key: &str| !matches!(bucket.reading(key), Reading::Missing | Reading::Failed(_));
    // what AWS says is not there has the default; what was not read has no value at all
    known.read = SETTINGS.iter().all(|key| read(key));
    if SETTINGS.iter().any(|key| !matches!(bucket.reading(key), Reading::Missing)) {
        let unknown = |key: &str| !read(key);
        if unknown("policy") {
            known.policy = Setting::Unknown(place);
        }
        for (key, setting) in
            [("encryption", &mut known.encryption), ("payer", &mut known.payer), ("ownership", &mut known.ownership)]
        {
            if unknown(key) {
                *setting = Setting::Unknown(place);
            }
        }
        if unknown("object_lock") {
            known.object_lock = Setting::Unknown(place);
        }
    }
    observed.buckets.push(known);
    let answers = Answers::of(bucket.name, bucket.span, file);
    for key in SETTINGS.iter().chain(&["logging"]) {
        match bucket.reading(key) {
            Reading::Is(answer) => answers.read(answer, observed),
            Reading::Failed(failure) => {
                unread.push(NotRead::part(format!("bucket {}: {} answered `{}`", bucket.name, failure.call, failure.code)));
            }
            Reading::Nothing if *key == "logging" => observed.off.push(at(bucket.name)),
            Reading::Nothing | Reading::Missing => {}
        }
    }
}

/// A trail, with whether it records.
fn read_trail(node: &Node, answers: &Answers, observed: &mut Observed) {
    let Some(mut trail) = child(node, "trail").and_then(|trail| answers.trail(trail)) else { return };
    let home = trail.arn.split(':').nth(3).unwrap_or_default().to_owned();
    let status = child(node, "status").and_then(|status| child(status, &home));
    if let Some(logging) = status.and_then(|status| child(status, "IsLogging")) {
        let place = SourceLocation { file: trail.place.file, span: logging.span };
        trail.logging = Setting::Known(At { value: text(Some(logging)) == Some("true"), place });
    }
    if let Reading::Is(answer) = Reading::of(child(node, "selectors")) {
        trail.selectors = selection(answer, trail.place.file);
    }
    observed.trails.push(trail);
}
