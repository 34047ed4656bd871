//! Runbook: the ordered way from one map to another, on which every source logs to its old legal place or its new one.
//!
//! Takes two plans, gives steps. `stages` says what is to exist at each point, `blend` makes the policies that serve both
//! maps, `steps` are the differences between stages, `dangers` what to know first. Pure: nothing here knows a shell.

mod blend;
mod dangers;
mod footing;
mod stage;
mod stages;
mod step;
mod steps;
mod words;

pub(crate) use dangers::Danger;
pub(crate) use stage::{ByStage, Stage};
pub(crate) use stages::Stages;
pub(crate) use step::{Arrival, BucketMove, Footing, Leaning, SourceMove, TrailMove};
pub use step::{Leftover, Step, Work};
pub(crate) use words::window;

use crate::{
    aws::Partition,
    plan::{Account, LogBucket, Placement, Plan, prove::Proven},
};
use std::collections::{BTreeMap, BTreeSet};

/// Hours for which an old destination must have been quiet before its grants go. S3 may follow an old target "for the next
/// hour" and delivers most records "within a few hours" (S3 user guide, server access logging); a day is on the safe side.
pub(crate) const DRAIN_HOURS: u32 = 24;
/// Names or lines shown of a long list; scripts have them all.
const SHOWN: usize = 6;

/// Hours within which the first object should have arrived at a new destination, for the same reason.
pub(crate) const VERIFY_HOURS: u32 = 24;

/// A runbook.
#[derive(Debug)]
pub struct Runbook {
    /// The whole plans on the way.
    pub stages: Stages,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What to know before starting.
    pub dangers: Vec<Danger>,
}

/// Plans the way from one plan to another.
///
/// # Errors
/// Sentences that say what can't be done in one runbook, and what to write instead.
pub fn plan(old: &Proven, new: &Proven) -> Result<Runbook, Vec<String>> {
    let obstacles = obstacles(old, new);
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    let stages = stages::stages(old, new)?;
    let steps = steps::steps(&stages);
    let dangers = dangers::dangers(old, new, &stages, &steps);
    Ok(Runbook { stages, steps, dangers })
}

/// What no order of steps can bring about.
fn obstacles(old: &Plan, new: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    for account in &new.accounts {
        let same = old.accounts.iter().find(|other| other.key == account.key || other.id == account.id);
        if let Some(other) = same.filter(|other| other.partition != account.partition) {
            found.push(format!(
                "the account `{}` would change from the partition `{}` to `{}`: nothing crosses partitions, and ids, ARNs and buckets are others there; give the new account a key of its own, and retire the old one in a runbook of its own",
                account.key, other.partition, account.partition
            ));
        }
    }
    let (was, is) = (source_names(old), source_names(new));
    for (name, partitions) in &is {
        let Some(before) = was.get(name) else { continue };
        if let (Some(from), Some(to)) = (before.difference(partitions).next(), partitions.difference(before).next()) {
            found.push(format!(
                "the source `{name}` would move from the partition `{from}` to `{to}`: nothing crosses partitions; to AWS these are two buckets, so take the one out and put the other in by two runbooks"
            ));
        }
    }
    let was = log_buckets(old);
    for (at, (account, placement, bucket)) in log_buckets(new) {
        let Some((old_account, old_place, before)) = was.get(&at) else { continue };
        let (name, old_id, id) = (&bucket.name, &old_account.id, &account.id);
        let (old_region, region) = (&old_place.region, &placement.region);
        if (old_id, old_region) != (id, region) {
            found.push(format!(
                "the log bucket `{name}` is in `{old_region}` of `{old_id}` and would have to be in `{region}` of `{id}`: it holds logs and is never deleted, so its name is not free; give the new place's log bucket another name"
            ));
        }
        if before.object_lock.is_some() != bucket.object_lock.is_some() {
            found.push(format!(
                "Object Lock of the log bucket `{name}` would be switched {}: {}; give the new bucket another name (`trails_name`)",
                if bucket.object_lock.is_some() { "on" } else { "off" },
                if bucket.object_lock.is_some() { "Terraform would replace the bucket" } else { "S3 has no way to do that" }
            ));
        }
    }
    found
}

/// Log buckets with their placements, by partition and name.
fn log_buckets(plan: &Plan) -> BTreeMap<(Partition, &str), (&Account, &Placement, &LogBucket)> {
    let buckets = plan.placements().flat_map(|(account, placement)| {
        placement.buckets.iter().map(move |bucket| ((account.partition, bucket.name.as_str()), (account, placement, bucket)))
    });
    buckets.collect()
}

fn source_names(plan: &Plan) -> BTreeMap<&str, BTreeSet<Partition>> {
    let mut names: BTreeMap<&str, BTreeSet<Partition>> = BTreeMap::new();
    for (account, placement) in plan.placements() {
        for source in &placement.sources {
            names.entry(&source.name).or_default().insert(account.partition);
        }
    }
    names
}
