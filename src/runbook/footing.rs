//! What a step stands on, and what stands on it: a source must never log where nothing lets it in, forward or backward.
//!
//! S3 takes a logging setting without a look at the destination's policy, so a switch before its grant, a grant rolled back under
//! a switch, or a switch rolled back behind a narrowing loses logs and says nothing. CloudTrail does look (it answers
//! `InsufficientS3BucketPolicyException`), but only when a trail is set, not when a policy is.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>

use super::{
    stage::Stage,
    step::{Footing, Leaning, Step, StepPlacement, Work},
};
use crate::{plan::LogBucket, policy::Policy};

/// A log bucket of an account and Region by its name, as it is at a stage.
type At<'f, 'a> = &'f dyn Fn(&StepPlacement, Stage, &str) -> Option<&'a LogBucket>;

/// Fills in both for all steps, which have their ids.
pub(super) fn fill(steps: &mut [Step], at: At<'_, '_>) {
    let all = &*steps;
    let found = |step: &Step| match step.work {
        Work::Grant => (Vec::new(), leaning(step, all)),
        Work::Switch | Work::Release => {
            ([true, false].into_iter().flat_map(|forward| footing(step, forward, all, at)).collect(), Vec::new())
        }
        _ => Default::default(),
    };
    let found: Vec<(Vec<Footing>, Vec<Leaning>)> = all.iter().map(found).collect();
    for (step, (footing, leaning)) in steps.iter_mut().zip(found) {
        (step.footing, step.leaning) = (footing, leaning);
    }
}

/// The grants that the step needs in one direction, where another step of the account and Region makes or takes them.
fn footing(step: &Step, forward: bool, all: &[Step], at: At<'_, '_>) -> Vec<Footing> {
    let set = step.sources.iter().filter_map(|source| if forward { source.after.as_ref() } else { source.before.as_ref() });
    let mut names: Vec<&str> = set.map(|source| &*source.log_bucket).collect();
    names.sort_unstable();
    names.dedup();
    let changes = |other: &Step, name: &str| {
        let work = if forward { matches!(other.work, Work::Create | Work::Grant) } else { other.work == Work::Narrow };
        work && other.placement == step.placement && other.buckets.iter().any(|bucket| bucket.after.name == name)
    };
    // a switch that is taken once more may come behind the narrowing
    let stages: &[Stage] =
        if forward { &[Stage::Granted, Stage::Narrowed, Stage::Retired] } else { &[Stage::Old, Stage::Switched] };
    let one = |name: &str| {
        let other = all.iter().find(|other| changes(other, name))?;
        let mut grants: Vec<Policy> =
            stages.iter().filter_map(|stage| at(&step.placement, *stage, name)).map(self::grants).collect();
        grants.dedup();
        Some(Footing { bucket: name.to_owned(), forward, step: other.id.clone(), grants })
    };
    names.into_iter().filter_map(one).collect()
}

/// The statements of a policy that let access logs in.
fn grants(bucket: &LogBucket) -> Policy {
    let own = bucket.policy.statements.iter().filter(|statement| statement.sid.starts_with("LogmapAccessLogs"));
    Policy::new(own.cloned().collect())
}

/// What loses its grant if this one is rolled back.
fn leaning(step: &Step, all: &[Step]) -> Vec<Leaning> {
    let is_here = |name: &str| step.buckets.iter().any(|bucket| bucket.after.name == name);
    let mut found = Vec::new();
    for switch in all.iter().filter(|other| other.work == Work::Switch) {
        let sources = switch.sources.iter().filter(|_| switch.placement == step.placement);
        for after in sources.filter_map(|source| source.after.as_ref()).filter(|after| is_here(&after.log_bucket)) {
            found.push(Leaning::Source { source: Box::new(after.clone()), step: switch.id.clone() });
        }
        let mut elsewhere = false;
        for trail in &switch.trails {
            let Some(after) = trail.after.as_ref().filter(|after| is_here(&after.bucket)) else { continue };
            if !trail.delivers_elsewhere() {
                continue;
            }
            if switch.placement.account_id != step.placement.account_id {
                elsewhere = true;
                continue;
            }
            found.push(Leaning::Trail {
                name: after.name.clone(),
                home: switch.placement.region.clone(),
                bucket: after.bucket.clone(),
                prefix: after.prefix.clone(),
                step: switch.id.clone(),
            });
        }
        if elsewhere {
            found.push(Leaning::Elsewhere { step: switch.id.clone() });
        }
    }
    found
}
