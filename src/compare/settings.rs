//! Settings of a bucket that takes logs: encryption, Object Lock, Requester Pays, and the ACL by which log delivery may be let in.

use super::{Configuration, effective, finding, related};
use crate::{
    catalog::observed::{ACL, ENCRYPTION, LOCK, PAYER},
    diagnostics::Finding,
    observed::{Bucket, Setting, SourceLocation, hole},
};

/// Are ACLs off on a log bucket? Nothing if that can't be known.
pub(super) fn acls_are_off(bucket: &Bucket) -> Option<bool> {
    match &bucket.ownership {
        Setting::Known(ownership) if hole::has(&ownership.value) => None,
        Setting::Known(ownership) => Some(ownership.value == "BucketOwnerEnforced"),
        Setting::Unknown(_) => None,
        Setting::Unsaid if bucket.fresh => Some(true),
        Setting::Unsaid => None,
    }
}

/// Encryption, Object Lock and Requester Pays of a bucket that takes access logs; `anchor` is what makes it one, and says so in `why`.
pub(super) fn settings(bucket: &Bucket, name: &str, anchor: SourceLocation, why: &str, configuration: &mut Configuration) {
    let mut unknown = |what: &str, setting: bool| {
        let why = if setting { "is set to what can't be known here" } else { "is not in the inputs" };
        configuration.unknown.push(format!("the {what} of `{name}` {why}"));
    };
    let mut found = Vec::new();
    match effective(bucket, &bucket.encryption, "AES256".to_owned()) {
        Some(algorithm) if algorithm.value.starts_with("aws:kms") => found.push((
            &ENCRYPTION,
            algorithm.place,
            format!("`{name}` takes access logs and has the default encryption `{}`", algorithm.value),
            "S3 accepts this and delivers nothing, or objects that nobody can read; use `AES256` for the bucket that takes access logs",
        )),
        Some(algorithm) if hole::has(&algorithm.value) => unknown("default encryption", true),
        None => unknown("default encryption", matches!(bucket.encryption, Setting::Unknown(_))),
        _ => {}
    }
    match effective(bucket, &bucket.object_lock, false) {
        Some(lock) if lock.value => found.push((
            &LOCK,
            lock.place,
            format!("`{name}` takes access logs and has Object Lock"),
            "S3 accepts this and delivers no logs; keep the lock for a trail's bucket, and copy access logs to a locked bucket if they need one",
        )),
        None => unknown("Object Lock", matches!(bucket.object_lock, Setting::Unknown(_))),
        _ => {}
    }
    let payer = effective(bucket, &bucket.payer, "BucketOwner".to_owned());
    match &payer {
        Some(payer) if payer.value == "Requester" => {}
        Some(payer) if hole::has(&payer.value) => unknown("payer", true),
        None => unknown("payer", matches!(bucket.payer, Setting::Unknown(_))),
        _ => {}
    }
    for (rule, place, message, help) in found {
        let found = finding(rule, if place == SourceLocation::default() { anchor } else { place }, message).help(help);
        configuration.findings.push(related(found, anchor, why));
    }
    if let Some(payer) = payer.filter(|payer| payer.value == "Requester") {
        configuration.findings.push(related(requester_pays(name, payer.place, anchor), anchor, why));
    }
}

/// A log bucket is Requester Pays.
pub(super) fn requester_pays(name: &str, place: SourceLocation, otherwise: SourceLocation) -> Finding {
    let place = if place == SourceLocation::default() { otherwise } else { place };
    finding(&PAYER, place, format!("`{name}` takes logs and is Requester Pays"))
        .help("a log bucket can't be Requester Pays; let the bucket owner pay")
}

/// An ACL that a bucket can't have.
pub(super) fn no_acl(bucket: &Bucket, name: &str, place: SourceLocation) -> Finding {
    let found = finding(&ACL, place, format!("log delivery is granted by an ACL, and `{name}` has none: its owner owns everything in it"))
        .help("S3 answers `AccessControlListNotSupported` or `InvalidBucketAclWithObjectOwnership`; leave the ACL out, and let `logging.s3.amazonaws.com` in by the bucket's policy");
    let owner = bucket.ownership.known().map_or(bucket.place, |ownership| ownership.place);
    related(found, owner, "buckets have `BucketOwnerEnforced` unless they say something else")
}
