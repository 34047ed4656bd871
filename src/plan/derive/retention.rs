//! How long the logs of a placement are kept: rules that S3 would refuse, or that do nothing.

use super::{Draft, Planner};
use crate::{
    diagnostics::Finding,
    map::effective::{Kept, Settings},
    rules::retention::{RETENTION, SMALL_OBJECTS},
};

impl Planner<'_, '_> {
    pub(super) fn check_retention(&self, settings: &Settings<'_>, drafts: &[Draft], findings: &mut Vec<Finding>) {
        let access_logs = drafts.iter().any(|draft| draft.takes_access_logs);
        let trails = drafts.iter().any(|draft| draft.takes_trails);
        for (kept, is_here) in [(&settings.access_logs, access_logs), (&settings.trails, trails)] {
            if is_here {
                outlived(kept, findings);
            }
        }
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html, TransitionDefaultMinimumObjectSize
        let moved = &settings.access_logs;
        if access_logs && !moved.transitions.value.is_empty() && moved.transition_larger_than_bytes.is_none() {
            findings.push(
                Finding::new(&SMALL_OBJECTS, moved.transitions.span, "this transition moves next to no access logs")
                    .label("S3 moves no object under 128 KB, and most objects with access logs are smaller")
                    .help(
                        "leave access logs where they are with an empty `access_logs: { transition: }`, or move small objects with \
                         `transition_larger_than_bytes: 1`; each is a request that costs",
                    ),
            );
        }
    }
}

/// Do objects move only when they have expired?
fn outlived(kept: &Kept, findings: &mut Vec<Finding>) {
    // zero days was already reported (LM0501)
    let expire = kept.expire_after_days.value.filter(|expire| *expire > 0);
    let (Some(to), Some(expire)) = (kept.transitions.value.last(), expire) else { return };
    if to.after_days >= expire {
        findings.push(
            Finding::new(
                &RETENTION,
                kept.expire_after_days.span,
                format!("objects expire after {expire} days but move to `{}` only after {}", to.storage_class, to.after_days),
            )
            .help("let them expire later than they move; S3 refuses such a rule"),
        );
    }
}
