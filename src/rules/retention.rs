//! Rules on retention: lifecycle rules that S3 would refuse, and Object Lock that outlives them.

use super::log_buckets;
use crate::{
    aws::limits,
    diagnostics::Finding,
    map::{ExpireAfter, RegionMap, StorageClass, Transition, effective::storage_class},
    rule_family,
    source::Spanned,
};

rule_family! {
    since "0.1.0";
    RETENTION = "LM0501" "retention" Error Map: "S3 would refuse the lifecycle rule";
    LOCK_OUTLIVES = "LM0502" "lock-outlives-retention" Warning Map: "Object Lock keeps objects longer than the lifecycle rule";
    LOCK_NEEDS_VERSIONING = "LM0503" "lock-needs-versioning" Error Map: "Object Lock without versioning";
    SMALL_OBJECTS = "LM0504" "transition-of-small-objects" Info Map: "a transition moves next to no access logs";
}

/// Checks what one `retention` says by itself; how layers combine is checked in `plan::derive`.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    for layer in log_buckets(map) {
        if let Some(retention) = &layer.retention {
            days(retention.expire_after_days, retention.noncurrent_expire_after_days, findings);
            transitions(retention.transition.as_ref(), retention.transition_larger_than_bytes, findings);
            for stream in [&retention.access_logs, &retention.trails].into_iter().flatten() {
                days(stream.expire_after_days, stream.noncurrent_expire_after_days, findings);
                transitions(stream.transition.as_ref(), stream.transition_larger_than_bytes, findings);
            }
        }
    }
    let locks = log_buckets(map).filter_map(|layer| layer.object_lock.as_ref());
    let of_archive = map.central.iter().filter_map(|central| central.object_lock.as_ref());
    for days in locks.chain(of_archive).filter_map(|lock| lock.days).filter(|days| days.value == 0 || days.value > 36_500) {
        findings.push(
            Finding::new(&RETENTION, days.span, format!("Object Lock can't keep objects for {} days", days.value))
                .help("write 1 to 36500"),
        );
    }
}

fn days(expire: Option<Spanned<ExpireAfter>>, noncurrent: Option<Spanned<ExpireAfter>>, findings: &mut Vec<Finding>) {
    for (name, field) in [("expire_after_days", expire), ("noncurrent_expire_after_days", noncurrent)] {
        if let Some(days) = field.filter(|days| days.value.0 == Some(0)) {
            findings.push(
                Finding::new(&RETENTION, days.span, format!("`{name}` is 0")).help("S3 refuses such a rule; write 1 or more"),
            );
        }
    }
}

/// Changes of storage class that S3 refuses: too early, or after each other in a way that it does not know
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html>).
fn transitions(transition: Option<&Spanned<Transition>>, larger_than: Option<Spanned<u32>>, findings: &mut Vec<Finding>) {
    // the provider of Terraform takes a zero for nothing
    if let Some(bytes) = larger_than.filter(|bytes| bytes.value == 0) {
        findings.push(
            Finding::new(&RETENTION, bytes.span, "`transition_larger_than_bytes` is 0")
                .help("write 1, so that all objects move, or leave it out for S3's 128 KB"),
        );
    }
    let keys = transition.iter().flat_map(|transition| &transition.to);
    let mut steps: Vec<(Spanned<u32>, Spanned<StorageClass>)> =
        keys.filter_map(|to| Some((to.after_days?, to.storage_class?))).collect();
    for (after, class) in &steps {
        if is_infrequent_access(class.value) && after.value < limits::INFREQUENT_ACCESS_DAYS {
            findings.push(
                Finding::new(
                    &RETENTION,
                    after.span,
                    format!("objects can't move to `{}` after {} days", storage_class(class.value), after.value),
                )
                .related(class.span, "this class takes objects after 30 days at the earliest")
                .help("write 30 or more; S3 refuses less"),
            );
        }
    }
    steps.sort_by_key(|(after, _)| after.value);
    for ((earlier, from), (later, to)) in steps.iter().zip(steps.iter().skip(1)) {
        let (shown_from, shown_to) = (storage_class(from.value), storage_class(to.value));
        let finding = if !follows(from.value, to.value) {
            Finding::new(&RETENTION, to.span, format!("S3 moves no object from `{shown_from}` to `{shown_to}`"))
                .related(from.span, format!("objects are moved there after {} days", earlier.value))
                .help("objects move towards colder classes only: `STANDARD_IA`, `INTELLIGENT_TIERING`, `ONEZONE_IA`, `GLACIER_IR`, `GLACIER`, `DEEP_ARCHIVE`")
        } else if is_infrequent_access(from.value) && later.value < earlier.value.saturating_add(limits::INFREQUENT_ACCESS_DAYS) {
            let text = format!(
                "objects can't move from `{shown_from}` to `{shown_to}` after {} days",
                later.value.saturating_sub(earlier.value)
            );
            Finding::new(&RETENTION, later.span, text)
                .related(from.span, "this class keeps objects for 30 days at least")
                .help(format!("write {} or more", earlier.value.saturating_add(limits::INFREQUENT_ACCESS_DAYS)))
        } else if later.value == earlier.value {
            Finding::new(
                &RETENTION,
                later.span,
                format!("objects can't move to `{shown_from}` and to `{shown_to}` after {} days", later.value),
            )
            .related(earlier.span, "the other transition")
            .help("give each transition its own day, or leave one out")
        } else {
            continue;
        };
        findings.push(finding);
    }
}

fn is_infrequent_access(class: StorageClass) -> bool {
    matches!(class, StorageClass::StandardIa | StorageClass::OnezoneIa)
}

/// Does S3 move objects of one class to the other one? The classes are declared from warm to cold; One Zone-IA and Glacier Instant
/// Retrieval do not follow each other, and what Intelligent-Tiering gives to Glacier Instant Retrieval is not said.
fn follows(from: StorageClass, to: StorageClass) -> bool {
    use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa, StandardIa};
    match from {
        StandardIa => matches!(to, IntelligentTiering | OnezoneIa | GlacierIr | Glacier | DeepArchive),
        IntelligentTiering => matches!(to, OnezoneIa | Glacier | DeepArchive),
        OnezoneIa | GlacierIr => matches!(to, Glacier | DeepArchive),
        Glacier => to == DeepArchive,
        DeepArchive => false,
    }
}
