//! Log buckets of two plans, in pairs, and what changes of each: made, adopted, renamed, retired, set otherwise.

use super::{At, Change, Kind, PolicyChange, all, change, policy, same_place, settings};
use crate::{
    aws::Partition,
    plan::{Account, LogBucket, Plan},
};

/// The old one and the new one.
type Pair<'a> = (Option<At<'a, LogBucket>>, Option<At<'a, LogBucket>>);

/// Log buckets, paired: under one name, or as the successor in the same placement.
pub(super) struct LogBuckets<'a> {
    pairs: Vec<Pair<'a>>,
}

impl<'a> LogBuckets<'a> {
    pub(super) fn of(old: &'a Plan, new: &'a Plan) -> Self {
        fn key<'a>(account: &'a Account, bucket: &'a LogBucket) -> (&'a str, Partition) {
            (&bucket.name, account.partition)
        }
        let mut was = all(old, |placement| &placement.buckets, key);
        let mut pairs = Vec::new();
        let mut fresh = Vec::new();
        for (key, bucket) in all(new, |placement| &placement.buckets, key) {
            match was.remove(&key) {
                Some(old) => pairs.push((Some(old), Some(bucket))),
                None => fresh.push(bucket),
            }
        }
        let mut gone: Vec<At<'_, LogBucket>> = was.into_values().collect();
        for bucket in fresh {
            let heir = gone.iter().position(|old| {
                same_place(&old.placement(), &bucket.placement())
                    && old.thing.takes_access_logs == bucket.thing.takes_access_logs
                    && old.thing.takes_copies == bucket.thing.takes_copies
            });
            pairs.push((heir.map(|at| gone.remove(at)), Some(bucket)));
        }
        pairs.extend(gone.into_iter().map(|old| (Some(old), None)));
        LogBuckets { pairs }
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.pairs.iter().filter_map(|(old, new)| Self::one(old.as_ref(), new.as_ref())).collect();
        changes.sort_by(|a, b| (&a.name, a.change).cmp(&(&b.name, b.change)));
        changes
    }

    fn one(old: Option<&At<'_, LogBucket>>, new: Option<&At<'_, LogBucket>>) -> Option<Change> {
        let settings = settings::log_bucket(old.map(|at| at.thing), new.map(|at| at.thing));
        let adopted = |at: Option<&At<'_, LogBucket>>| at.is_some_and(|at| at.thing.adopt.is_some());
        let (name, mut notes) = (new.or(old)?.thing.name.clone(), Vec::new());
        let kind = match (old, new) {
            (Some(_), None) => {
                notes.push(
                    "it is never deleted: it keeps its logs until its lifecycle rules expire them, and its name".to_owned(),
                );
                Kind::Removed
            }
            (None, _) if adopted(new) => Kind::Adopted,
            (None, _) => Kind::Added,
            (Some(old), Some(new)) if old.thing.name != new.thing.name => {
                notes.push(format!(
                    "a new bucket takes the logs from now on; `{}` keeps the old ones until its lifecycle rules expire them, and is never deleted",
                    old.thing.name
                ));
                Kind::Renamed
            }
            (Some(old), Some(new)) if !same_place(&old.placement(), &new.placement()) => {
                notes.push("the name is taken by the bucket that has it, which is never deleted: give the new place's bucket another name".to_owned());
                Kind::Moved
            }
            (Some(_), Some(_)) if !adopted(old) && adopted(new) => Kind::Adopted,
            _ if settings.is_empty() => return None,
            _ => Kind::Changed,
        };
        if adopted(old) && new.is_some() && !adopted(new) {
            notes.push("it is no longer adopted: the map treats it as one of its own".to_owned());
        }
        if let (Some(old), Some(new)) = (old, new) {
            notes.extend(settings::shorter_retention(old.thing, new.thing));
        }
        let old_name = old.map(|at| at.thing.name.clone()).filter(|old| *old != name);
        Some(Change { old_name, settings, notes, ..change(kind, &name, old.map(At::placement), new.map(At::placement)) })
    }

    pub(super) fn policies(&self) -> Vec<PolicyChange> {
        let pairs = self.pairs.iter().filter_map(|(old, new)| Some((old.as_ref()?, new.as_ref()?)));
        let mut changes: Vec<PolicyChange> = pairs.filter_map(|(old, new)| policy::between(old.thing, new.thing)).collect();
        changes.sort_by(|a, b| a.log_bucket.cmp(&b.log_bucket));
        changes
    }
}
