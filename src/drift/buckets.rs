//! A log bucket: is it there, does it take logs, and is it protected and kept as the map says?

use super::{
    Out, State, copies, lifecycle, policy,
    subject::Subject,
    world::{Found, Place},
};
use crate::{
    catalog::live::{LOG_BUCKET_ELSEWHERE, LOG_BUCKET_LOGS, LOG_BUCKET_MISSING, PROTECTION, RETENTION, STOPS_DELIVERY, TAGS},
    diagnostics::{Finding, few},
    escape::shown,
    observed::dumps::moves_small,
    plan::LogBucket,
    snapshot::{Reading, child, items, text},
};

/// The four settings of `PutPublicAccessBlock`.
const PUBLIC_ACCESS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// Checks a log bucket; gives what is known of it.
pub(super) fn check(place: &Place<'_>, bucket: &LogBucket, out: &mut Out<'_>) -> State {
    let (account, region) = (&place.account.key, &place.placement.region);
    let span = out.map.log_bucket(account, region);
    let live = match place.find(&bucket.name) {
        Found::Here(live) => live,
        Found::Elsewhere(where_) => {
            let message = format!("the log bucket `{}` is {where_}", bucket.name);
            let help =
                "access logs are delivered within one account and Region only; give the log bucket of the map another name";
            out.found(Finding::new(&LOG_BUCKET_ELSEWHERE, span, message).help(help));
            return State::Drifted;
        }
        Found::Nowhere => {
            let message = format!("the log bucket `{}` is not in account `{}`", bucket.name, place.account.id);
            out.found(Finding::new(&LOG_BUCKET_MISSING, span, message).help(place.mend));
            return State::Drifted;
        }
        Found::Unknown => {
            out.unread.is(account, region, &bucket.name, "listing", place.live.account.rest_of_list());
            return State::Unknown;
        }
    };
    let subject = Subject { place, bucket, live, span };
    let before = out.on_map.len();
    let mut whole = true;
    copies::elsewhere(&subject, out);
    for (key, check) in CHECKS.into_iter().filter(|(key, _)| *key != COPIES || bucket.replication.is_some()) {
        match subject.read(key, out) {
            Some(reading) => check(&subject, reading, out),
            None => whole = false,
        }
    }
    out.state(before, whole)
}

/// The reading of how it is copied: of a bucket that the map does not copy nothing is judged by it.
const COPIES: &str = "replication";

type Check = fn(&Subject<'_>, Reading<'_>, &mut Out<'_>);

/// The readings of a log bucket, in the order in which they are told.
const CHECKS: [(&str, Check); 11] = [
    ("policy", policy::check),
    ("encryption", encryption),
    ("object_lock", object_lock),
    ("payer", payer),
    ("ownership", ownership),
    ("public_access", public_access),
    ("versioning", versioning),
    ("lifecycle", retention),
    (COPIES, copies::check),
    ("tags", tags),
    ("logging", logging),
];

fn encryption(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let rules = items(reading.at(&["ServerSideEncryptionConfiguration", "Rules"]));
    let default = rules.first().and_then(|rule| child(rule, "ApplyServerSideEncryptionByDefault"));
    let algorithm = default.and_then(|default| text(child(default, "SSEAlgorithm")));
    let name = &subject.bucket.name;
    match algorithm {
        Some("AES256") => {}
        Some(algorithm) if subject.bucket.takes_access_logs => out.found(subject.finding(
            &STOPS_DELIVERY,
            format!(
                "`{name}` encrypts with `{}`: S3 delivers access logs to buckets with SSE-S3 only, and drops them without a word",
                shown::line(algorithm)
            ),
        )),
        Some(algorithm) => {
            let message = format!("`{name}` encrypts with `{}`, and the map has `AES256`", shown::line(algorithm));
            out.found(subject.finding(&PROTECTION, message));
        }
        None => {
            let message = format!("`{name}` has no default encryption set, and the map has `AES256`");
            out.found(subject.finding(&PROTECTION, message));
        }
    }
}

fn object_lock(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let name = &subject.bucket.name;
    let enabled = reading.text(&["ObjectLockConfiguration", "ObjectLockEnabled"]) == Some("Enabled");
    let retention = reading.at(&["ObjectLockConfiguration", "Rule", "DefaultRetention"]);
    if subject.bucket.takes_access_logs {
        if enabled {
            let message =
                format!("`{name}` has Object Lock: S3 accepts the logging of buckets to it, and delivers no access logs");
            out.found(subject.finding(&STOPS_DELIVERY, message));
        }
        return;
    }
    let part = |key: &str| retention.and_then(|retention| text(child(retention, key)));
    let days = part("Days").map(str::to_owned).or_else(|| part("Years").map(|years| format!("{years} years")));
    let is = retention.map(|_| format!("`{}` for {} days", part("Mode").unwrap_or_default(), days.unwrap_or_default()));
    let wants = subject.bucket.object_lock.as_ref().map(|lock| format!("`{}` for {} days", lock.mode, lock.days));
    match (wants, is, enabled) {
        (Some(wants), Some(is), true) if wants == is => {}
        (None, None, _) => {}
        (wants, is, _) => {
            let words = |lock: Option<String>| lock.unwrap_or_else(|| "no default retention".to_owned());
            let message = format!("Object Lock of `{name}` has {}, and the map has {}", shown::line(&words(is)), words(wants));
            out.found(subject.finding(&PROTECTION, message));
        }
    }
}

fn payer(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    if reading.text(&["Payer"]) == Some("Requester") {
        let message = format!("`{}` is Requester Pays: no service delivers to such a bucket", subject.bucket.name);
        out.found(subject.finding(&STOPS_DELIVERY, message));
    }
}

fn ownership(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let rules = items(reading.at(&["OwnershipControls", "Rules"]));
    let is = rules.first().and_then(|rule| text(child(rule, "ObjectOwnership")));
    if is != Some("BucketOwnerEnforced") {
        let is = is.map_or("not set, so that ACLs count".to_owned(), |is| format!("`{}`", shown::line(is)));
        let message = format!("object ownership of `{}` is {is}, and the map has `BucketOwnerEnforced`", subject.bucket.name);
        out.found(subject.finding(&PROTECTION, message));
    }
}

fn public_access(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let off = |key: &&&str| reading.text(&["PublicAccessBlockConfiguration", key]) != Some("true");
    let off: Vec<&&str> = PUBLIC_ACCESS.iter().filter(off).collect();
    if !off.is_empty() {
        let message = format!("public access to `{}` is not blocked: {} off", subject.bucket.name, few(&off, 4));
        out.found(subject.finding(&PROTECTION, message));
    }
}

fn versioning(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let is = reading.text(&["Status"]) == Some("Enabled");
    if is != subject.bucket.versioning {
        let word = |on: bool| if on { "enabled" } else { "not enabled" };
        let message = format!(
            "versioning of `{}` is {}, and the map has it {}",
            subject.bucket.name,
            word(is),
            word(subject.bucket.versioning)
        );
        out.found(subject.finding(&PROTECTION, message));
    }
}

fn retention(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    // other code sets the rules
    if subject.bucket.lifecycle.is_empty() {
        return;
    }
    let small = reading.at(&[]).is_some_and(moves_small);
    for difference in lifecycle::differences(&subject.bucket.lifecycle, items(reading.at(&["Rules"])), small) {
        let message = format!("lifecycle of `{}`: {difference}", subject.bucket.name);
        out.found(subject.finding(&RETENTION, message));
    }
}

fn tags(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let set = items(reading.at(&["TagSet"]));
    let value = |key: &str| {
        let tag = set.iter().find(|tag| text(child(tag, "Key")) == Some(key))?;
        text(child(tag, "Value"))
    };
    let differing: Vec<&String> =
        subject.bucket.tags.iter().filter(|(key, wanted)| value(key) != Some(wanted)).map(|(key, _)| key).collect();
    if !differing.is_empty() {
        let message = format!("`{}` has not the tags {} of the map", subject.bucket.name, few(&differing, 5));
        out.found(subject.finding(&TAGS, message));
    }
}

/// Logging of a log bucket that is no source of the map.
fn logging(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    if subject.place.placement.logging_of(subject.bucket).is_some() {
        return;
    }
    if let Some(target) = reading.text(&["LoggingEnabled", "TargetBucket"]) {
        let name = &subject.bucket.name;
        let what = if target == name { "to itself, without end".to_owned() } else { format!("to `{}`", shown::line(target)) };
        let help = format!("`aws s3api put-bucket-logging --bucket {name} --bucket-logging-status {{}}` switches it off");
        out.found(subject.finding(&LOG_BUCKET_LOGS, format!("the log bucket `{name}` logs {what}")).help(help));
    }
}
