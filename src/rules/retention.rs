//! Rules on retention: lifecycle rules that S3 would refuse, and Object Lock that outlives them.

use super::log_buckets;
use crate::{
    aws::limits,
    diagnostics::Finding,
    map::{RegionMap, Retention, StorageClass},
    rule_family,
};

rule_family! {
    since "0.1.0";
    RETENTION = "LM0501" "retention" Error Map: "S3 would refuse the lifecycle rule";
    LOCK_OUTLIVES = "LM0502" "lock-outlives-retention" Warning Map: "Object Lock keeps objects longer than the lifecycle rule";
    LOCK_NEEDS_VERSIONING = "LM0503" "lock-needs-versioning" Error Map: "Object Lock without versioning";
}

/// Checks what one `retention` says by itself; how layers combine is checked in `plan::derive`.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    for layer in log_buckets(map) {
        if let Some(retention) = &layer.retention {
            days(retention, findings);
        }
        if let Some(days) =
            layer.object_lock.as_ref().and_then(|lock| lock.days).filter(|days| days.value == 0 || days.value > 36_500)
        {
            findings.push(
                Finding::new(&RETENTION, days.span, format!("Object Lock can't keep objects for {} days", days.value))
                    .help("write 1 to 36500"),
            );
        }
    }
}

fn days(retention: &Retention, findings: &mut Vec<Finding>) {
    for (name, field) in [
        ("expire_after_days", retention.expire_after_days),
        ("noncurrent_expire_after_days", retention.noncurrent_expire_after_days),
    ] {
        if let Some(days) = field.filter(|days| days.value.0 == Some(0)) {
            findings.push(
                Finding::new(&RETENTION, days.span, format!("`{name}` is 0")).help("S3 refuses such a rule; write 1 or more"),
            );
        }
    }
    let Some(to) = retention.transition.as_ref().and_then(|transition| transition.to.as_ref()) else { return };
    let (Some(after), Some(class)) = (to.after_days, to.storage_class) else { return };
    if matches!(class.value, StorageClass::StandardIa | StorageClass::OnezoneIa) && after.value < limits::INFREQUENT_ACCESS_DAYS {
        findings.push(
            Finding::new(
                &RETENTION,
                after.span,
                format!(
                    "objects can't move to `{}` after {} days",
                    crate::map::effective::storage_class(class.value),
                    after.value
                ),
            )
            .related(class.span, "this class takes objects after 30 days at the earliest")
            .help("write 30 or more; S3 refuses less"),
        );
    }
}
